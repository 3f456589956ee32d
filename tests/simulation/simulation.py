"""Puts a schedule together, runs it, and shortens the story of one that broke a rule."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from typing import Any

from stand_ins.clicks import form, payload, signed, url_event
from stand_ins.slack import CHANNEL
from tests.simulation.actors import (
    ENVIRON,
    MODULES,
    WRONG_SETTINGS,
    Caller,
    Clicker,
    Lambda,
    Typist,
    deliver,
    item_of_step_before,
    items_from_before,
)
from tests.simulation.afterlife import Moments, Release, Stream, Word
from tests.simulation.engines import ENGINES
from tests.simulation.network import OUTAGES, Network, Outage
from tests.simulation.plots import weave
from tests.simulation.process import Ended, Process, follows_changes
from tests.simulation.rules import Rules
from tests.simulation.schedule import AN_HOUR, START, Schedule
from tests.simulation.world import (
    BOT_PARAMETER,
    ROTATED_PATH,
    WEBHOOK_PARAMETER,
    Message,
    World,
    client,
)

# How often a call meets a fault, and how often a schedule is like that.
RATES = {0.0: 15, 0.02: 30, 0.08: 35, 0.25: 20}
FORGED = "greenlight_approve"
# Who may press the buttons, where that is set.
FEW = "U0ALICE,U0BOB,U0ZOEAPPROVE,U0ZOEREJECT"
FROM_BEFORE = (
    "another tool's item",
    "an older gate, WAITING",
    "an older gate, APPROVED",
    "an older gate, REJECTED",
    "an older gate, FAILED",
)


def forged_button(value: str) -> dict[str, object]:
    """A button as it is in a message of Greenlight's."""
    text = {"type": "plain_text", "text": "approve"}
    return {"type": "button", "action_id": FORGED, "value": value, "text": text}


@dataclass
class Simulation:
    """One schedule of the whole system.

    `people_wait` is how long people leave a message alone that they have seen; `skews` says what
    the clocks of new environments of a function are ahead, where that is not drawn.
    """

    schedule: Schedule
    most_age: float
    processes: list[Process] = field(default_factory=list)
    environs: dict[str, dict[str, str]] = field(default_factory=dict)
    clickers: list[Clicker] = field(default_factory=list)
    people_wait: float = 0.0
    skews: dict[str, float] = field(default_factory=dict)

    def run(self) -> None:
        """Lets the schedule happen."""
        try:
            self._build()
            self._from_before()
            self._cast()
            weave(self)
            self.schedule.run()
            self._see()
            self._close()
            self._see()
            self.rules.final(self.aws.dead_letters)
        finally:
            for process in self.processes:
                process.kill()

    def _build(self) -> None:
        schedule = self.schedule
        chance = schedule.chance("the clocks")
        self.most_skew = chance.choice([0.0, 3.0, 7.0, 35.0])
        self.rules = Rules(schedule, self.environs, clocks_agree=self.most_skew < 10)
        at = ENGINES[schedule.engine]()
        self.world = World(
            at=at,
            now=lambda: schedule.now,
            wrote=self._wrote,
            posted=self._posted,
            reported=self.rules.reported,
            tried_to_report=self.rules.tried_to_report,
        )
        at.begin(schedule, client)
        self._follow()
        self.rules.world = self.world
        (rate,) = schedule.chance("the weather").choices(list(RATES), list(RATES.values()))
        self.network = Network(
            schedule,
            self.world,
            rate,
            self._outages(),
            on_kill=self._killed,
            on_fault=self.rules.faulted,
            on_reply=self.rules.replied,
        )
        self.aws = Lambda(schedule, self._start, self.rules.started, self.rules.ended)
        self.stream, self.moments = Stream(self.aws), Moments(self.aws)
        self.word = Word(self.aws, at, self.most_age)
        self.release = Release(self.aws, at, self.word)
        if self.is_followed:
            self.world.set_moment = self.moments.set_moment
            self.world.wrote_another = self.stream.wrote
            self.world.answered_another = self.release.answered
        self.world.hook_ended = self._hook_ended
        self.world.call_later = self._call_later
        self._settings()

    def _hook_ended(self, status: str) -> None:
        self.word.hook_ended(self.world.at.hook_id)
        if self.is_followed:
            self.release.hook_ended(status)

    def _see(self) -> None:
        """Checks what people see, if all changes were followed."""
        has_moments = "SCHEDULE_GROUP" in self.own_environ and not self.moments.lost
        if self.is_followed and not self.stream.lost:
            self.rules.seen(self.release, has_moments=has_moments)

    def _follow(self) -> None:
        """Says what of what follows a gate is set up: a stream, moments, a bot."""
        chance = self.schedule.chance("what follows")
        self.is_followed = follows_changes() and chance.random() < 0.75
        self.ways = chance.choice(["webhook", "webhook", "bot", "both"])
        if not self.is_followed:
            self.ways = "webhook"
        self.own_environ = dict(ENVIRON)
        if self.ways != "webhook":
            bot = {"SLACK_BOT_TOKEN": BOT_PARAMETER, "SLACK_CHANNEL": CHANNEL}
            self.own_environ |= {**bot, "SLACK_API_URL": self.world.slack.api_url}
        if self.ways == "bot":
            del self.own_environ["SLACK_WEBHOOK_URL"]
        if self.is_followed and chance.random() < 0.8:
            arn = "arn:aws:iam::123456789012:role/moments"
            self.own_environ |= {"SCHEDULE_GROUP": "Greenlight", "SCHEDULE_ROLE_ARN": arn}
            self.own_environ["CLOCK_FUNCTION_ARN"] = arn.replace(":iam::", ":lambda:x:")
            self.own_environ |= chance.choice(({}, {}, {"DECIDE_WITHIN_MINUTES": "20"}))
            self.own_environ |= chance.choice(({}, {"REMIND_MINUTES_BEFORE": "5,15,30"}))
        if self.is_followed and chance.random() < 0.3:
            self.own_environ["EVENT_BUS_NAME"] = "default"
        if self.schedule.engine == "ecs" and self.schedule.chance("failures").random() < 0.2:
            self.own_environ["PAUSE_FAILURE"] = "leave"
        if self.schedule.chance("the slash command").random() < 0.5:
            self.own_environ["SLACK_COMMAND"] = "/greenlight"
        self.schedule.seen[f"posts by: {self.ways}"] += 1
        self.rules.ways = self.ways

    def _wrote(self, by: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        self.rules.wrote(by, before, after)
        if self.is_followed:
            self.stream.wrote(before, after)

    def _settings(self) -> None:
        self.few = FEW if self.schedule.happens(0.2, "few may decide") else ""
        for function in MODULES:
            self.environs[function] = self._environ(function)
            about = f"wrong settings of {function}"
            if self.schedule.happens(0.06, about):
                wrong = self.schedule.chance(about).choice(WRONG_SETTINGS)
                if self.schedule.chance(about).random() < 0.5:
                    self._change(function, wrong)
                else:
                    self.schedule.someday(about, partial(self._change, function, wrong), within=600)
        if self.schedule.happens(0.02, "the code of the hook is gone"):
            self.lose_the_hook()

    def _environ(self, function: str) -> dict[str, str]:
        """The right settings of a function."""
        is_limited = self.few and function in ("decision", "changes", "clock")
        return self.own_environ | ({"APPROVERS": self.few} if is_limited else {})

    def _change(self, function: str, wrong: dict[str, str]) -> None:
        """Somebody deploys a wrong setting: environments are new from then on."""
        self.schedule.tell("stack", f"wrong settings of {function}: {wrong}")
        self.schedule.seen[f"wrong settings of {function}"] += 1
        self.environs[function] |= wrong
        self.aws.warm[function] = []

    def _outages(self) -> list[Outage]:
        found = []
        for service, ways in OUTAGES.items():
            about = f"outage of {service}"
            if self.schedule.happens(0.12, about):
                chance = self.schedule.chance(about)
                start = START + chance.choice([0.0, 2.0, 30.0, 300.0 * chance.random()])
                end = start + chance.choice([20.0, 100.0, 400.0, 400.0, 4000.0])
                function = chance.choice([None, "hook", "failure", "decision"])
                function = self.world.at.function if function == "hook" else function
                outage = Outage(service, chance.choice(ways), start, end, function)
                self.schedule.tell("AWS", f"{outage}")
                found.append(outage)
        return found

    def _cast(self) -> None:
        """Says who acts, and when."""
        schedule = self.schedule
        self._cast_engine()
        schedule.at(START + AN_HOUR, self._give_up)
        for number in (1, 2):
            about = f"duplicate {number} of the event"
            self._maybe(0.3, about, partial(self.deliver, about), 300)
        for name in ("alice", "bob", "carol"):
            if schedule.happens(0.5, f"{name} is there"):
                self.clickers.append(self.clicker(name))
        if self.is_followed and schedule.happens(0.15, "tess is testing"):
            self.clickers.append(self.clicker("tess", "claim"))
        self._cast_commands()
        for status in ("Succeeded", "Failed"):
            answer = partial(self._answer_directly, status)
            self._maybe(0.05, f"frank answers {status}", answer, AN_HOUR)
        self._maybe(0.06, "frank stops it", self._stop, AN_HOUR)
        self._maybe(0.05, "the webhook is rotated", self._rotate, 600)
        if schedule.happens(0.1, "mallory forges a click"):
            schedule.when_people_act("mallory", self._forge)
        by_hand = partial(self.deliver, "grace's test event", by_hand=True)
        self._maybe(0.08, "grace tries the hook by hand", by_hand, 600)

    def _cast_engine(self) -> None:
        """The engine says that its hook waits. What ECS says may be lost, and is looked for."""
        schedule = self.schedule
        is_ecs = schedule.engine == "ecs"
        if not is_ecs or not schedule.happens(0.1, "the event is lost"):
            schedule.at(START, partial(self.deliver, "the event"))
        if is_ecs:
            for number in range(2):
                minutes = 5 + 20 * (number + schedule.chance(f"sweep {number}").random())
                schedule.at(START + 60 * minutes, partial(self._sweep, number))

    def _sweep(self, number: int) -> None:
        """EventBridge has the function look for hooks that nobody knows of."""
        self.aws.invoke("pause", {"due": "sweep"}, f"sweep {number}", lambda _: None)

    def _call_later(self, event: Any) -> None:
        """Lambda takes a function's call of itself."""
        at = self.world.at
        self.schedule.seen["hooks found by a sweep"] += 1
        about = f"found at {self.schedule.calls}"
        deliver(self.aws, at.function, event, about, self.most_age)

    def deliver(self, about: str, *, by_hand: bool = False) -> None:
        """Delivers the event of the hook, or of one that somebody has made up."""
        at = self.world.at
        event = at.event(at.by_hand if by_hand else at.hook_id)
        deliver(self.aws, at.function, event, about, self.most_age)

    def _cast_commands(self) -> None:
        """Says who decides with a command: at a terminal, and in Slack."""
        for name in ("dave", "erin"):
            if self.schedule.happens(0.2, f"{name} is there"):
                self.schedule.when_people_act(name, self._caller(name).run)
        for name in ("ivan", "judy"):
            if self.schedule.happens(0.15, f"{name} is there"):
                self.schedule.when_people_act(name, self._typist(name).type)

    def _maybe(self, probability: float, about: str, do: Callable[[], None], within: float) -> None:
        """Somebody may do something, someday."""
        if self.schedule.happens(probability, about):
            self.schedule.someday(about, do, within=within)

    def _from_before(self) -> None:
        """The key may be taken already, and the step before have a gate."""
        at = self.world.at
        if at.earlier_hook:
            chance = self.schedule.chance("the step before")
            item = item_of_step_before(chance, at.earlier_hook)
            self.world.put(item, at.gate_of(at.earlier_hook))
        # Each pause of ECS's has a key of its own.
        for kind in FROM_BEFORE if self.schedule.engine == "codedeploy" else FROM_BEFORE[:1]:
            if self.schedule.happens(0.04, kind):
                self.schedule.tell("the table", f"has {kind}")
                self.schedule.seen[kind] += 1
                chance = self.schedule.chance(kind)
                self.world.put(items_from_before(kind, chance, at.hook_id))
                return

    def _caller(self, name: str) -> Caller:
        chance = self.schedule.chance(name)
        verdict = chance.choice(["approve", "approve", "reject"])
        may_report = chance.random() < 0.7
        self.environs[name] = self.own_environ
        arn = f"arn:aws:iam::123456789012:user/{name}"
        if verdict == "approve" and may_report:
            self.rules.approvers.add(arn)
        elif verdict == "approve":
            self.rules.denied_approvers[name] = arn
        return Caller(
            self.schedule,
            self._start,
            self.rules.started,
            self.rules.ended,
            self.world.at,
            name,
            verdict,
            may_report=may_report,
        )

    def clicker(self, name: str, verdict: str | None = None) -> Clicker:
        """Somebody with a button, who has seen no message yet; without a verdict, one is drawn."""
        chance = self.schedule.chance(name)
        drawn = chance.choice(["approve", "approve", "reject"])
        clicker = Clicker(
            self.aws,
            self.world,
            name,
            verdict or drawn,
            chance.randint(1, 3),
            1 + 30 * chance.random(),
        )
        self._may(name, clicker.verdict)
        return clicker

    def _typist(self, name: str) -> Typist:
        """Somebody who decides, or looks, with a slash command."""
        chance = self.schedule.chance(name)
        verb = chance.choice(["approve", "approve", "reject", "reject", "show", "list"])
        self._may(name, verb)
        patience, gap = chance.randint(1, 3), 1 + 30 * chance.random()
        return Typist(self.aws, self.world, name, verb, patience, gap)

    def _may(self, name: str, what: str) -> None:
        """Says whether somebody in Slack may decide, and will approve."""
        user = f"U0{name.upper()}"
        if self.few and user not in self.few:
            self.rules.barred.add(user)
        elif what == "approve":
            self.rules.approvers.add(user)

    def start_ahead(self, function: str, process: Process, seconds: float) -> None:
        """Lets a function's environments be new from now on, with clocks ahead of a process's."""
        self.skews[function] = process.skew + seconds
        self.aws.warm[function] = []

    def lose_the_hook(self) -> None:
        """Lets the hook function have no code."""
        self.schedule.tell("stack", "the code of the hook is gone")
        self.aws.broken = frozenset({self.world.at.function})

    def _close(self) -> None:
        """All faults are over, and somebody tries every button that is still there."""
        self.schedule.faults_are_over = True
        environ = self._environ("decision")
        if self.environs["decision"] != environ:
            self.environs["decision"] = environ
            self.aws.warm["decision"] = []
        for message in self.world.channel:
            if message.is_foreign:
                continue
            for verdict in ("approve", "reject"):
                name = f"zoe{verdict}"
                closer = Clicker(self.aws, self.world, name, verdict, 2, 60.0, seen=message)
                self.rules.approvers.add(f"U0{name.upper()}")
                closer.press()
                self.schedule.run()

    def _start(self, function: str) -> Process:
        """A cold process of a function, or of a person at a terminal."""
        number = len(self.processes)
        about = f"process {number}"
        drawn = self.schedule.chance(f"clock of {about}").uniform(-1, 1) * self.most_skew
        skew = self.skews.get(function, drawn)
        process = Process(
            name=function,
            environ=self.environs[function],
            skew=skew,
            seed=f"{self.schedule.seed}/{number}",
            now=lambda: self.schedule.now,
            on_question=self.network.question,
        )
        self.processes.append(process)
        return process

    def _killed(self, process: Process) -> None:
        self.rules.killed(process.job)
        self.schedule.seen["killed"] += 1
        if process.name in MODULES:
            self.aws.killed(process)
        else:
            process.kill()

    def _posted(self, message: Message) -> None:
        self.schedule.tell("the channel", f"has a message: {message.kind}")
        self.rules.posted(message)
        if message.kind != "waiting" or message.edits:
            return
        if message.is_foreign:
            self._show_next(message)
            return
        if self.schedule.happens(0.04, "the table is out once people are told"):
            chance = self.schedule.chance("when the table is back")
            end = self.schedule.now + chance.choice([5.0, 100.0, 250.0, 4000.0])
            how = chance.choice(OUTAGES["dynamodb"])
            outage = Outage("dynamodb", how, self.schedule.now, end, None)
            self.schedule.tell("AWS", f"{outage}")
            self.network.outages.append(outage)
        if message.has_buttons:
            for clicker in self.clickers:
                self.schedule.after(self.people_wait, partial(clicker.see, message))

    def _show_next(self, message: Message) -> None:
        """Somebody else sees the message of the next step, mostly."""
        is_next = self.rules.jobs[message.by].hook_id == self.world.at.next_hook
        if is_next and message.has_buttons and self.schedule.happens(0.85, "nina is there"):
            nina = self.clicker("nina")
            nina.seen = message
            self.schedule.after(600 * self.schedule.chance("when nina acts").random(), nina.press)

    def _give_up(self) -> None:
        if self.world.ended_at is None:
            self.schedule.tell(self.world.at.name, "gives up after an hour")
            self.world.give_up()

    def _answer_directly(self, status: str) -> None:
        taken = self.world.answer_directly(status, "frank")
        self.schedule.tell("frank", f"answers {status} at {self.world.at.name}: {taken}")
        if taken:
            self.moments.answered_elsewhere()

    def _stop(self) -> None:
        self.schedule.tell("frank", "stops the deployment")
        self.world.stop("frank")

    def _forge(self) -> None:
        """Somebody who does not know the signing secret presses a button."""
        at = self.world.at
        value = json.dumps({"gate": at.gate_id, "hook": at.hook_id})
        message = {"blocks": [{"type": "actions", "elements": [forged_button(value)]}]}
        path = "/actions/T0000/mallory"
        self.world.clicked[path] = Message(message, self.schedule.now, "mallory")
        url = f"{self.world.slack.base_url}{path}"
        body = form(payload(message, FORGED, url, ("U0MALLORY", "mallory")))
        headers = signed(body, "not-the-signing-secret", self.schedule.now)
        self.schedule.tell("mallory", "forges a click")
        self.aws.invoke("decision", url_event(body, headers), "mallory", self._forged)

    def _forged(self, ended: Ended) -> None:
        """Rule 1: what Slack did not sign is refused, whatever the gate is like by then."""
        if ended.answer and ended.answer["statusCode"] != HTTPStatus.UNAUTHORIZED:
            self.schedule.breaks(1, f"a forged click was taken for one: {ended.answer}")

    def _rotate(self) -> None:
        self.schedule.tell("Slack", "honours another webhook from now on")
        self.world.rotate()
        url = self.world.slack.base_url + ROTATED_PATH
        self.schedule.after(
            200 * self.schedule.chance("rotation").random(),
            lambda: self.world.store(WEBHOOK_PARAMETER, url),
        )


def simulate(name: str, most_age: float, without: frozenset[str] = frozenset()) -> "Result":
    """Runs one schedule: `123` is one at CodeDeploy, `ecs:123` one at ECS."""
    engine, _, seed = name.rpartition(":")
    schedule = Schedule(int(seed), without, engine=engine or "codedeploy")
    simulation = Simulation(schedule, most_age)
    simulation.run()
    return Result(schedule, simulation)


@dataclass(frozen=True)
class Result:
    """What a schedule came to."""

    schedule: Schedule
    simulation: Simulation

    @property
    def broken(self) -> list[int]:
        """The rules that were broken."""
        return sorted({violation.rule for violation in self.schedule.violations})

    @property
    def outcome(self) -> str:
        """Where the gate and the engine stand in the end."""
        world, aws = self.simulation.world, self.simulation.aws
        status = world.item().get("status", "no gate")
        letters = ", dead letter" if aws.dead_letters else ""
        return f"{status} / {world.engine}{letters}"


def shorten(seed: str, most_age: float, rule: int) -> Result:
    """The shortest story that still breaks the rule, found by leaving things out."""
    without: frozenset[str] = frozenset()
    best = simulate(seed, most_age)
    is_shorter = True
    while is_shorter:
        is_shorter = False
        for about in reversed(best.schedule.happened):
            tried = simulate(seed, most_age, without | {about})
            if rule in tried.broken:
                without, best, is_shorter = without | {about}, tried, True
                break
    return best
