"""Who acts: the engine, Lambda, people with buttons, with commands, and in the console."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final

from stand_ins.aws import CREDENTIALS, TABLE
from stand_ins.clicks import command_form, form, payload, signed, url_event
from tests.simulation.engines import OLDER_HOOK, PAUSED, Engine
from tests.simulation.process import Command, Ended, Invocation, Process
from tests.simulation.schedule import AN_HOUR, START, Schedule
from tests.simulation.world import (
    SESSION_TOKEN,
    SIGNING_PARAMETER,
    WEBHOOK_PARAMETER,
    Message,
    World,
    moment,
)

FUNCTION_SECONDS: Final = 30.0
RETRIES: Final = (60.0, 120.0)
ENVIRON: Final = {
    **CREDENTIALS,
    "AWS_SESSION_TOKEN": SESSION_TOKEN,
    "AWS_ENDPOINT_URL_DYNAMODB": "http://dynamodb",
    "AWS_ENDPOINT_URL_CODEDEPLOY": "http://codedeploy",
    "AWS_ENDPOINT_URL_ECS": "http://ecs",
    "AWS_ENDPOINT_URL_SSM": "http://ssm",
    "AWS_ENDPOINT_URL_STS": "http://sts",
    "AWS_ENDPOINT_URL_SCHEDULER": "http://scheduler",
    "AWS_ENDPOINT_URL_EVENTBRIDGE": "http://events",
    "AWS_ENDPOINT_URL_LAMBDA": "http://lambda",
    "TEST_URL": "https://{application}.green.example.com/?release={deployment_id}",
    "DYNAMODB_TABLE_NAME": TABLE,
    "SLACK_WEBHOOK_URL": WEBHOOK_PARAMETER,
    "SLACK_SIGNING_SECRET": SIGNING_PARAMETER,
}
MODULES: Final = {
    "hook": "lamda",
    "pause": "greenlight.handlers.pause",
    "failure": "greenlight.handlers.failure",
    "decision": "greenlight.handlers.decision",
    "changes": "greenlight.handlers.changes",
    "clock": "greenlight.handlers.clock",
    "outcome": "greenlight.handlers.outcome",
}
WRONG_SETTINGS: Final = (
    {"TEST_URL": "https://{nobody}.example.com"},
    {"TEST_URL": ""},
    {"DYNAMODB_TABLE_NAME": "no-such-table"},
    {"DYNAMODB_TABLE_NAME": ""},
    {"SLACK_WEBHOOK_URL": "/no/such/parameter"},
    {"SLACK_WEBHOOK_URL": ""},
    {"MESSAGE_LANGUAGE": "xx"},
    {"GATE_TTL_DAYS": "soon"},
)


@dataclass
class Lambda:
    """Lambda: functions, their warm environments, and what is invoked asynchronously.

    `start` makes a process by its function's name; `on_end` is told of every invocation's end.
    """

    schedule: Schedule
    start: Callable[[str], Process]
    on_start: Callable[[str, str, Any], None]
    on_end: Callable[[str, Ended], None]
    dead_letters: list[Any] = field(default_factory=list)
    warm: dict[str, list[Process]] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    _invocations: dict[str, int] = field(default_factory=dict)
    _running: dict[str, Callable[[Ended], None]] = field(default_factory=dict)

    def invoke(
        self, function: str, event: Any, request_id: str, then: Callable[[Ended], None]
    ) -> None:
        """Calls a function in an environment that is free, or in a new one."""
        number = self._invocations[function] = self._invocations.get(function, 0) + 1
        job = f"{function} {number}"
        self.schedule.tell(job, "starts")
        self.on_start(job, function, event)
        if function in self.broken:
            error = {
                "errorType": "Runtime.ImportModuleError",
                "errorMessage": "Unable to import module 'lamda': No module named 'lamda'",
            }
            self.schedule.after(0.5, partial(self._ends, job, then, Ended(None, error, "")))
            return
        free = self.warm.setdefault(function, [])
        is_warm = free and self.schedule.chance(f"warm {job}").random() < 0.7
        process = free.pop() if is_warm else self.start(function)
        self._running[job] = then
        self.schedule.after(FUNCTION_SECONDS, partial(self._time_out, process, job))

        def done(ended: Ended) -> None:
            free.append(process)
            self._ends(job, self._running.pop(job), ended)

        process.run(job, Invocation(MODULES[function], event, request_id), done)

    def killed(self, process: Process) -> None:
        """A process has ended by itself in the middle of an invocation."""
        job = process.job
        process.kill()
        error = {
            "errorType": "Runtime.ExitError",
            "errorMessage": "RequestId: 0 Error: Runtime exited with error: signal: killed",
        }
        self._ends(job, self._running.pop(job), Ended(None, error, ""))

    def _time_out(self, process: Process, job: str) -> None:
        if job not in self._running:
            return
        self.schedule.tell(job, "has taken 30 seconds and is killed")
        self.schedule.seen["function timed out"] += 1
        process.kill()
        error = {"errorMessage": "2026-11-24T03:00:30.000Z 0 Task timed out after 30.00 seconds"}
        self._ends(job, self._running.pop(job), Ended(None, error, ""))

    def _ends(self, job: str, then: Callable[[Ended], None], ended: Ended) -> None:
        said = ended.error or ended.answer
        self.schedule.tell(job, f"ends: {said}")
        self.on_end(job, ended)
        then(ended)


@dataclass
class Delivery:
    """An event on its way to a function that is invoked asynchronously.

    Three tries, or until it is older than `most_age` seconds; then `exhausted` is called with the
    condition and what Lambda last had as an error.
    """

    aws: Lambda
    function: str
    event: Any
    about: str
    most_age: float
    exhausted: Callable[[str, dict[str, Any] | None], None]
    tries: int = 0

    def accept(self) -> None:
        """Takes the event: it is delivered at once, mostly."""
        schedule = self.aws.schedule
        self.accepted = schedule.now
        chance = schedule.chance(f"queue {self.about}")
        held = chance.random()
        seconds = 0.1 * chance.random()
        if held > 0.9 and schedule.happens(1.0, f"{self.about} is held"):
            seconds = (120 if held < 0.97 else 1000) * chance.random()
        schedule.after(seconds, self._try)

    def _try(self) -> None:
        if self.aws.schedule.now - self.accepted > self.most_age:
            self.aws.schedule.tell("Lambda", f"{self.about} has grown too old")
            self.aws.schedule.seen["event grew too old"] += 1
            self.exhausted("EventAgeExceeded", None)
            return
        self.tries += 1
        self.aws.invoke(self.function, self.event, f"request of {self.about}", self._tried)

    def _tried(self, ended: Ended) -> None:
        if ended.error is None:
            return
        if self.tries > len(RETRIES):
            self.aws.schedule.seen["retries exhausted"] += 1
            self.exhausted("RetriesExhausted", ended.error)
            return
        pause = (
            RETRIES[self.tries - 1]
            + 5 * self.aws.schedule.chance(f"retry {self.tries} of {self.about}").random()
        )
        self.aws.schedule.after(pause, self._try)


def deliver(aws: Lambda, function: str, event: Any, about: str, most_age: float) -> None:
    """Delivers a hook's event; if it is exhausted, its record to the failure function."""

    def hand_over(condition: str, error: dict[str, Any] | None) -> None:
        deliver_record(aws, record(event, condition, error), f"record of {about}")

    Delivery(aws, function, event, about, most_age, hand_over).accept()


def deliver_record(aws: Lambda, content: Any, about: str) -> None:
    """Delivers an on-failure record; if it is exhausted, it is a dead letter."""

    def keep(condition: str, _: dict[str, Any] | None) -> None:
        aws.schedule.tell("Lambda", f"keeps {about} in the dead-letter queue: {condition}")
        aws.dead_letters.append(content)

    Delivery(aws, "failure", content, about, 1800.0, keep).accept()
    again = f"{about} comes twice"
    if aws.schedule.happens(0.15, again):
        delivery = Delivery(aws, "failure", content, again, 1800.0, keep)
        aws.schedule.someday(again, delivery.accept, within=300)


def record(event: Any, condition: str, error: dict[str, Any] | None) -> dict[str, Any]:
    """What Lambda tells an on-failure destination."""
    content = {
        "version": "1.0",
        "requestContext": {"requestId": "0", "condition": condition, "approximateInvokeCount": 3},
        "requestPayload": event,
    }
    return {**content, "responsePayload": error} if error else content


@dataclass
class Clicker:
    """Somebody in the channel who presses a button, and again if nothing seems to happen."""

    aws: Lambda
    world: World
    name: str
    verdict: str
    patience: int
    gap: float
    seen: Message | None = None
    presses: int = 0

    def see(self, message: Message) -> None:
        """A message has come into the channel."""
        if self.seen is None:
            self.seen = message
            self.aws.schedule.when_people_act(self.name, self.press)

    def press(self) -> None:
        """Presses the button of the message, if it still has one."""
        if self.seen is None or self.seen.kind != "waiting":
            return
        self.presses += 1
        schedule = self.aws.schedule
        path = f"/actions/T0000/{self.name}-{self.presses}"
        self.world.clicked[path] = self.seen
        url = self.world.slack.base_url + path
        user = (f"U0{self.name.upper()}", self.name)
        reason = "<!here> tried it" if self.presses == 1 else None
        body = form(payload(self.seen.content, f"greenlight_{self.verdict}", url, user, reason))
        event = url_event(body, signed(body, at=schedule.now))
        schedule.tell(self.name, f"presses {self.verdict}")
        schedule.seen[f"clicks: {self.verdict}"] += 1
        self.aws.invoke("decision", event, path, self._pressed)

    def _pressed(self, _: Ended) -> None:
        if self.presses < self.patience:
            self.aws.schedule.after(self.gap, self.press)


@dataclass
class Typist:
    """Somebody who types a slash command, and again if nothing seems to happen.

    They need no message: they know the deployment's id, and paste it with what stands around it.
    """

    aws: Lambda
    world: World
    name: str
    verb: str
    patience: int
    gap: float
    typed: int = 0

    def type(self) -> None:
        """Types the command."""
        self.typed += 1
        schedule = self.aws.schedule
        path = f"/actions/T0000/{self.name}-{self.typed}"
        user = (f"U0{self.name.upper()}", self.name)
        body = command_form(
            f"{self.verb} “{self.world.at.gate_id}” <!here> typed it",
            self.world.slack.base_url + path,
            user,
        )
        event = url_event(body, signed(body, at=schedule.now))
        schedule.tell(self.name, f"types {self.verb}")
        schedule.seen[f"slash commands: {self.verb}"] += 1
        self.aws.invoke("decision", event, path, self._typed)

    def _typed(self, _: Ended) -> None:
        if self.typed < self.patience:
            self.aws.schedule.after(self.gap, self.type)


@dataclass
class Caller:
    """Somebody at a terminal, who decides with the command, and again if it says so."""

    schedule: Schedule
    start: Callable[[str], Process]
    on_start: Callable[[str, str, Any], None]
    on_end: Callable[[str, Ended], None]
    at: Engine
    name: str
    verdict: str
    may_report: bool
    patience: int = 3
    runs: int = 0

    def run(self) -> None:
        """Runs the command, in a process of its own."""
        self.runs += 1
        process = self.start(self.name)
        if not self.may_report:
            process.denied = frozenset({self.at.answering})
        reason = ("--reason", "tried \x1b[31mit") if self.verdict == "reject" else ()
        job = f"{self.name} {self.runs}"
        self.schedule.tell(job, f"runs greenlight {self.verdict}")
        self.schedule.seen[f"commands: {self.verdict}"] += 1
        self.on_start(job, self.name, None)
        command = Command((self.verdict, self.at.gate_id, *reason, "--json"))
        process.run(job, command, partial(self._ran, process, job))

    def _ran(self, process: Process, job: str, ended: Ended) -> None:
        self.schedule.tell(job, f"ends: {ended.error or ended.answer}")
        process.kill()
        self.on_end(job, ended)
        if self.runs < self.patience and (ended.error or ended.answer["exit"] in (1, 3, 5)):
            self.schedule.after(20.0, self.run)


def item_of_step_before(chance: Random, hook_id: str) -> dict[str, Any]:
    """The gate of a canary's step before, which was approved."""
    return {
        **items_from_before("an older gate, APPROVED", chance, hook_id),
        "hook_execution_id": {"S": hook_id},
        "engine": {"S": "ecs"},
        "service_deployment_arn": {"S": PAUSED},
        "stage": {"S": "PRE_PRODUCTION_TRAFFIC_SHIFT"},
    }


def items_from_before(kind: str, chance: Random, hook_id: str) -> dict[str, Any]:
    """An item that has the key already: another tool's, or the gate of an older hook."""
    if kind == "another tool's item":
        items: list[dict[str, Any]] = [
            {"owner": {"S": "somebody"}},
            {"status": {"S": "PENDING"}, "hook_execution_id": {"S": hook_id}},
            {"status": {"S": "WAITING"}, "history": {"S": "none"}},
        ]
        return items[chance.randrange(3)]
    age = chance.choice([120, 1800, 7200])
    created = START - age
    item = {
        "hook_execution_id": OLDER_HOOK,
        "test_url": "https://green.example.com",
        "created_at": moment(created),
        "deadline": moment(created + AN_HOUR),
        "notified_at": moment(created + 1),
        "status": kind.removeprefix("an older gate, "),
    }
    history = [("opened", created), ("notified", created + 1)]
    if item["status"] in ("APPROVED", "REJECTED"):
        item |= {
            "decided_by": "U0OLD",
            "decided_via": "slack",
            "decided_at": moment(created + 60),
            "reported_at": moment(created + 60),
        }
        history += [("decided", created + 60), ("reported", created + 60)]
    if item["status"] == "FAILED":  # nobody could be told, and perhaps the engine could not either
        del item["notified_at"]
        item["reason"] = "Slack could not be reached"
        history = [("opened", created), ("failed", created + 60)]
        if chance.random() < 0.5:
            item |= dict.fromkeys(("failed_at", "reported_at"), moment(created + 60))
            history.append(("reported", created + 60))
    texts: dict[str, Any] = {name: {"S": text} for name, text in item.items()}
    entries = [{"M": {"event": {"S": event}, "at": {"S": moment(at)}}} for event, at in history]
    return {**texts, "history": {"L": entries}}
