"""What follows the gate: the table's stream, EventBridge Scheduler, and how the deployment ends."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from boto3.dynamodb.types import TypeSerializer

from tests.simulation.actors import Delivery, Lambda, deliver
from tests.simulation.engines import Engine
from tests.simulation.process import Ended
from tests.simulation.schedule import AN_HOUR
from tests.simulation.world import client

# As the template has it.
MOST_AGE: Final = 3600.0
LONGEST_PAUSE: Final = 60.0


@dataclass
class Stream:
    """The stream of the table: each write is a record, one after the other, tried until it works.

    `lost` are the records that were given up.
    """

    aws: Lambda
    lost: list[Any] = field(default_factory=list)
    _waiting: list[tuple[float, Any]] = field(default_factory=list)
    _count: int = 0
    _tries: int = 0
    _is_busy: bool = False

    def wrote(self, before: dict[str, Any], after: dict[str, Any]) -> None:
        """A write was made."""
        if before == after:
            return
        self._count += 1
        images = {"OldImage": _typed(before)} if before else {}
        record = {
            "eventID": str(self._count),
            "eventName": "MODIFY" if before else "INSERT",
            "eventSource": "aws:dynamodb",
            "awsRegion": "ap-northeast-2",
            "dynamodb": {
                "Keys": {"deployment_id": {"S": after["deployment_id"]}},
                **images,
                "NewImage": _typed(after),
            },
        }
        schedule = self.aws.schedule
        times = 2 if schedule.happens(0.03, f"change {self._count} comes twice") else 1
        self._waiting += [(schedule.now, {"Records": [record]})] * times
        self._go_on(0.2 + 1.8 * schedule.chance(f"change {self._count}").random())

    def _go_on(self, seconds: float) -> None:
        if self._waiting and not self._is_busy:
            self._is_busy = True
            self.aws.schedule.after(seconds, self._try)

    def _try(self) -> None:
        self._tries += 1
        _, event = self._waiting[0]
        number = event["Records"][0]["eventID"]
        self.aws.invoke("changes", event, f"change {number}", self._tried)

    def _tried(self, ended: Ended) -> None:
        self._is_busy = False
        schedule = self.aws.schedule
        since, event = self._waiting[0]
        if ended.error and schedule.now - since < MOST_AGE:
            self._go_on(min(LONGEST_PAUSE, 2.0 ** (self._tries - 1)))
            return
        if ended.error:
            schedule.tell("Lambda", "gives a change of the table up")
            schedule.seen["change given up"] += 1
            self.lost.append(event)
        self._tries = 0
        self._waiting.pop(0)
        self._go_on(0.05)


@dataclass
class Moments:
    """EventBridge Scheduler: calls the clock at the times that were set, more or less.

    `lost` are the moments that never came, or came to nothing. A plot has it pass over some kinds,
    or call the clock twice for each. Of the minutes in which a gate is watched, those come that
    matter: any one, and the next one after somebody has answered the hook at the engine.
    """

    aws: Lambda
    passes_over: tuple[str, ...] = ()
    stutters: bool = False
    lost: list[Any] = field(default_factory=list)
    _watches: list[tuple[str, float, Any]] = field(default_factory=list)

    def set_moment(self, name: str, at: float, payload: Any) -> None:
        """A schedule was made."""
        if payload["due"] in self.passes_over:
            return
        schedule = self.aws.schedule
        about = f"the moment {payload['due']} {name[-16:]}"
        schedule.seen[f"moment: {payload['due']}"] += 1
        if payload["due"] == "watch":
            self._watches.append((about, at, payload))
            if schedule.happens(0.5, f"{about} comes in between"):
                late = (at - schedule.now) * schedule.chance(about).random()
                schedule.after(late, partial(self._call, payload, about))
            return
        if schedule.happens(0.02, f"{about} never comes"):
            schedule.tell("Scheduler", f"forgets {about}")
            self.lost.append(payload)
            return
        chance = schedule.chance(about)
        late = chance.choice([1.0, 1.0, 5.0, 30.0, 59.0, 240.0]) * chance.random()
        is_double = schedule.happens(0.05, f"{about} comes twice")
        times = 2 if is_double or self.stutters else 1
        for number in range(times):
            call = partial(self._call, payload, f"{about} ({number})")
            schedule.at(at + late + 20 * number * chance.random(), call)

    def answered_elsewhere(self) -> None:
        """Somebody has answered the hook at the engine, or the deployment has ended."""
        for name, until, payload in self._watches:
            about = f"the next minute of {name}"
            pause = 60 * self.aws.schedule.chance(about).random()
            if self.aws.schedule.now + pause < until:
                self.aws.schedule.after(pause, partial(self._call, payload, about))

    def _call(self, payload: Any, about: str) -> None:
        def lose(_: str, __: dict[str, Any] | None) -> None:
            if payload["due"] != "watch":
                self.lost.append(payload)

        Delivery(self.aws, "clock", payload, about, 1800.0, lose).accept()


@dataclass
class Word:
    """What an engine sends of a hook that has ended: late, twice, or never."""

    aws: Lambda
    at: Engine
    most_age: float

    def hook_ended(self, hook_id: str) -> None:
        """A hook has ended."""
        schedule = self.aws.schedule
        event = self.at.word_of_end(hook_id)
        of_which = "the hook" if hook_id == self.at.hook_id else "the next hook"
        for number in (1, 2) if event else ():
            about = f"the word of {of_which}'s end ({number})"
            if schedule.happens(0.9 if number == 1 else 0.1, about):
                chance = schedule.chance(f"how late {about}")
                late = chance.choice([0.0, 1.0, 90.0]) * chance.random()
                send = partial(deliver, self.aws, self.at.function, event, about, self.most_age)
                schedule.after(late, send)


@dataclass
class Release:
    """How the deployment goes on after its hook, and the engine's events of that.

    That of a canary may have a next step, which waits for an answer of its own. `outcome` is what
    became of it, `told` the last one whose event has come to its end. `is_silent`: its events never
    come.
    """

    aws: Lambda
    at: Engine
    word: Word
    is_silent: bool = False
    outcome: str | None = None
    told: str | None = None
    _is_at_next: bool = False

    def hook_ended(self, status: str) -> None:
        """The engine has the answer of the hook, or needs none any more."""
        schedule = self.aws.schedule
        if status != "Succeeded" and self.at.is_stopped:
            self._ended("stopped")
            return
        if status != "Succeeded" and self.at.rejected() == "rolled_back":
            schedule.after(30.0, self._roll_back)
            return
        if status != "Succeeded":
            self._ended("failed")
            return
        event = self.at.next_step()
        if event is None:
            self._go_on()
            return
        self._is_at_next = True
        schedule.tell(self.at.name, "waits at the next step")
        schedule.seen["next step: begun"] += 1
        deliver(self.aws, self.at.function, event, "the next event", self.word.most_age)
        schedule.after(AN_HOUR, self._give_up)

    def _give_up(self) -> None:
        self.at.give_up_next()
        self.answered()

    def answered(self) -> None:
        """Some hook has its answer, or needs none any more; perhaps that of the next step."""
        if not self._is_at_next or self.at.next_status == "InProgress":
            return
        self._is_at_next = False
        self.aws.schedule.seen[f"next step: {self.at.next_status}"] += 1
        self.word.hook_ended(str(self.at.next_hook))
        if self.at.next_status == "Succeeded":
            self._go_on()
        else:
            self.aws.schedule.after(30.0, self._roll_back)

    def _go_on(self) -> None:
        schedule = self.aws.schedule
        chance = schedule.chance("the release")
        seconds = chance.choice([1.0, 60.0, 400.0]) * (0.5 + chance.random())
        kind = chance.choices(["live", "failed", "rolled_back"], [80, 10, 10])[0]
        schedule.after(seconds, partial(self._go_live, kind))

    def _go_live(self, kind: str) -> None:
        if kind == "rolled_back":
            if self.at.rejected() == "failed":
                self._ended("failed")
            self.at.begin_rollback(client)
            self.aws.schedule.after(30.0, self._roll_back)
            return
        self._ended(kind)

    def _roll_back(self) -> None:
        self.outcome = "rolled_back"
        self.aws.schedule.tell(self.at.name, "has rolled the deployment back")
        self._tell(self.at.roll_back(), "d-ROLLBACK")

    def _ended(self, outcome: str) -> None:
        self.outcome = outcome
        self.aws.schedule.tell(self.at.name, f"ends the deployment: {outcome}")
        self._tell(self.at.ends(outcome), "d-SIMULATED")

    def _tell(self, event: Any, what: str) -> None:
        """The event of an end: late, twice, or never."""
        schedule = self.aws.schedule
        schedule.seen[f"release: {self.outcome}"] += 1
        for number in (1, 2):
            about = f"the end of {what} ({number})"
            if self.is_silent or not schedule.happens(0.95 if number == 1 else 0.1, about):
                continue
            chance = schedule.chance(f"how late {about}")
            late = chance.choice([1.0, 1.0, 1.0, 90.0]) * chance.random()
            schedule.after(late, partial(self._deliver, event, about, self.outcome))

    def _deliver(self, event: Any, about: str, outcome: str | None) -> None:
        def keep(_: str, __: dict[str, Any] | None) -> None:
            """It is a dead letter."""

        teller = Teller(
            self.aws, "outcome", event, about, 1800.0, keep, release=self, outcome=outcome
        )
        teller.accept()


@dataclass
class Teller(Delivery):
    """The delivery of an event that a deployment has ended."""

    release: Release | None = None
    outcome: str | None = None

    def _tried(self, ended: Ended) -> None:
        if ended.error is None and self.release:
            self.release.told = self.outcome
        super()._tried(ended)


def _typed(item: dict[str, Any]) -> dict[str, Any]:
    """An item as a stream has it."""
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}
