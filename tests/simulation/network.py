"""What lies between a process and a service: latency, and every way for a call to go wrong."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from tests.simulation.process import Connect, Process, Send, Sleep
from tests.simulation.schedule import Schedule
from tests.simulation.world import HOSTS, WRITES, Call, Reply, World, understand

# How often each thing happens to a call that something happens to.
FAULTS = {
    "refused": 2,
    "unreachable": 2,
    "reset": 3,
    "silent": 3,
    "answer lost": 5,
    "answer silent": 4,
    "late": 3,
    "error": 8,
    "slow": 4,
    "trickle": 1,
    "killed before": 4,
    "killed after": 6,
}
# Those that meet a connection before anything is sent.
AT_CONNECT = ("refused", "unreachable")
ERRORS = {
    "dynamodb": ("ThrottlingException", "InternalServerError", "AccessDeniedException"),
    "codedeploy": ("ThrottlingException", "InternalFailure", "AccessDeniedException"),
    "ecs": ("ThrottlingException", "ServerException", "AccessDeniedException"),
    "ssm": ("ThrottlingException", "InternalServerError", "ParameterNotFound"),
    "sts": ("ExpiredToken", "InternalFailure"),
    "scheduler": ("ThrottlingException", "InternalServerException", "AccessDeniedException"),
    "events": ("ThrottlingException", "InternalException", "AccessDeniedException"),
    "lambda": ("TooManyRequestsException", "ServiceException", "AccessDeniedException"),
}
SLACK_ERRORS = (
    Reply(429, b"rate_limited", {"Retry-After": "1"}),
    Reply(429, b"rate_limited", {"Retry-After": "30"}),
    Reply(500, b"rollup_error"),
    Reply(503, b"busy"),
    Reply(404, b"no_service"),
    Reply(403, b"action_prohibited"),
    Reply(400, b"invalid_payload"),
)
API_ERRORS = (
    Reply(429, b'{"ok": false, "error": "ratelimited"}', {"Retry-After": "1"}),
    Reply(429, b'{"ok": false, "error": "ratelimited"}', {"Retry-After": "30"}),
    Reply(500, b'{"ok": false, "error": "internal_error"}'),
    Reply(200, b'{"ok": false, "error": "fatal_error"}'),
    Reply(200, b'{"ok": false, "error": "token_revoked"}'),
    Reply(200, b'{"ok": false, "error": "not_in_channel"}'),
    Reply(200, b'{"ok": false, "error": "invalid_blocks"}'),
    Reply(502, b"<html>"),
)
# What an outage answers to every call.
OUTAGES = {
    "dynamodb": ("refused", "ThrottlingException", "InternalServerError", "AccessDeniedException"),
    "codedeploy": ("refused", "ThrottlingException", "AccessDeniedException"),
    "ecs": ("refused", "ThrottlingException", "AccessDeniedException"),
    "ssm": ("refused", "AccessDeniedException", "ParameterNotFound"),
    "slack": ("refused", "silent", "error"),
}


@dataclass(frozen=True)
class Outage:
    """A service does not work for some functions (None: for all) for a while."""

    service: str
    how: str
    start: float
    end: float
    function: str | None

    def meets(self, service: str, process: Process, now: float) -> bool:
        """Whether a call of now is met by it."""
        return (
            service == self.service
            and self.start <= now < self.end
            and self.function in (None, process.name)
        )


@dataclass
class Trick:
    """Faults (None: none) that meet the next calls of one step, one after the other.

    `step` is as in `step_of`; `job` is the only one whose calls they meet, `besides` one whose they
    do not, `among` the functions or people whose they meet. `do` is called at the first.
    """

    step: str
    faults: Sequence[str | None]
    job: str | None = None
    besides: str | None = None
    among: Collection[str] | None = None
    do: Callable[[Process, Call], None] | None = None
    _met: int = 0

    def meets(self, process: Process, call: Call) -> bool:
        """Whether the next fault is for a call."""
        return (
            self._met < len(self.faults)
            and step_of(call) == self.step
            and self.job in (None, process.job)
            and self.besides != process.job
            and (self.among is None or process.name in self.among)
        )

    def meet(self, process: Process, call: Call) -> str | None:
        """The next fault, which has met a call now."""
        self._met += 1
        if self.do and self._met == 1:
            self.do(process, call)
        return self.faults[self._met - 1]


@dataclass
class Network:
    """Carries questions of processes to the world, and its answers back.

    `rate` is how often a call meets a fault; `on_kill` is told of a process that a fault ended,
    `on_fault` of each fault that a job met, and `on_reply` of each answer that arrived, and of
    when it was given. `tricks` are the faults of a plot, which come before those that are drawn.
    """

    schedule: Schedule
    world: World
    rate: float
    outages: list[Outage]
    on_kill: Callable[[Process], None]
    on_fault: Callable[[Process, str, str], None]
    on_reply: Callable[[Process, Call, Reply, float], None]
    tricks: list[Trick] = field(default_factory=list)

    def question(self, process: Process, question: Connect | Send | Sleep) -> None:
        """Takes a question of a process."""
        if isinstance(question, Sleep):
            self._answer(process, question.seconds, None)
            return
        process.calls += 1
        about = f"{process.job} call {process.calls}"
        if isinstance(question, Connect):
            self._connect(process, question, about)
        else:
            call = understand(question.host, question.data)
            self._send(process, question, call, f"{about} {call.operation}")

    def _connect(self, process: Process, question: Connect, about: str) -> None:
        service = HOSTS[question.host]
        fault = self._fault(service, process, f"{about} connect", at_connect=True)
        if fault == "refused":
            self._answer(process, 0.01, ConnectionRefusedError(111, "Connection refused"))
        elif fault == "unreachable":
            self._answer(process, question.timeout, TimeoutError("timed out"))
        else:
            self._answer(process, 0.0, None)

    def _send(self, process: Process, question: Send, call: Call, about: str) -> None:
        chance = self.schedule.chance(about)
        starts_others = self.schedule.next_call()
        waits = _latency(chance, question.timeout, longer=starts_others)
        if call.operation in process.denied:
            self._reply(process, call, waits, self.world.refuse("AccessDeniedException"))
            return
        trick = self._trick(process, call)
        outage = self._outage(call.service, process)
        fault = trick
        if not (outage or trick):
            fault = self._fault(call.service, process, about, at_connect=False)
        if outage or fault:
            self.on_fault(process, outage or fault or "", call.service)
            self.schedule.tell(process.job, f"{call.operation}: {outage or fault}")
        by = process.job
        code = outage or trick
        if outage == "error" or code in ERRORS.get(call.service, ()) or fault == "error":
            self._reply(process, call, waits, self._error(call, code, chance))
        elif fault == "reset":
            self._answer(process, waits, ConnectionResetError(104, "Connection reset by peer"))
        elif fault == "silent" or outage == "silent":
            self._answer(process, question.timeout, TimeoutError("timed out"))
        elif fault == "killed before":
            self.schedule.after(waits, partial(self._kill, process))
        elif fault == "late":
            self._answer(process, question.timeout, TimeoutError("timed out"))
            late = question.timeout + 20 * chance.random()
            self.schedule.after(late, partial(self._take_late, by, call))
        else:
            if fault == "held":
                waits = question.timeout * 0.9
            self.schedule.after(
                waits, partial(self._arrive, process, question, call, fault, chance)
            )

    def _arrive(
        self, process: Process, question: Send, call: Call, fault: str | None, chance: Random
    ) -> None:
        """A request takes effect, and the answer goes back, or does not."""
        if not process.alive:
            return
        by = process.job
        reply = self._take(by, call)
        if not process.alive or process.job != by:
            return
        if fault == "killed after":
            self._kill(process)
        elif fault == "answer lost":
            self._answer(process, 0.01, ConnectionResetError(104, "Connection reset by peer"))
        elif fault == "answer silent":
            self._answer(process, question.timeout, TimeoutError("timed out"))
        elif fault == "held":
            self._reply(process, call, 0.01, reply)
        elif fault == "slow":
            self._reply(process, call, question.timeout * 0.95, reply)
        elif fault == "trickle":
            self._reply(process, call, question.timeout + 60 * chance.random(), reply)
        else:
            self._reply(process, call, _latency(chance, question.timeout), reply)

    def _take_late(self, by: str, call: Call) -> None:
        """A request arrives after its sender has given up on it."""
        known = [(one, one.edits) for one in self.world.channel]
        self._take(by, call)
        for message, edits in known:
            message.is_shaken |= message.edits > edits

    def _take(self, by: str, call: Call) -> Reply:
        reply = self.world.take(call, by)
        self.schedule.tell(by, f"{_what(call)}: {reply.status} {_code(reply)}")
        return reply

    def _reply(self, process: Process, call: Call, seconds: float, reply: Reply) -> None:
        given_at = self.schedule.now

        def arrive() -> None:
            if process.alive:
                self.on_reply(process, call, reply, given_at)
                process.answer(reply.http)

        self.schedule.after(seconds, arrive)

    def _answer(self, process: Process, seconds: float, answer: Any) -> None:
        def arrive() -> None:
            if process.alive:
                process.answer(answer)

        self.schedule.after(seconds, arrive)

    def _kill(self, process: Process) -> None:
        if process.alive:
            self.schedule.tell(process.job, "is killed")
            self.on_kill(process)

    def _trick(self, process: Process, call: Call) -> str | None:
        """The fault that a plot has for a call; and what it lets happen meanwhile."""
        if self.schedule.faults_are_over:
            return None
        found = next((one for one in self.tricks if one.meets(process, call)), None)
        return found.meet(process, call) if found else None

    def _outage(self, service: str, process: Process) -> str | None:
        if self.schedule.faults_are_over:
            return None
        now = self.schedule.now
        found = [one.how for one in self.outages if one.meets(service, process, now)]
        if found:
            self.schedule.seen[f"outage of {service}: {found[0]}"] += 1
        return found[0] if found else None

    def _fault(self, service: str, process: Process, about: str, *, at_connect: bool) -> str | None:
        """What goes wrong with a call, if anything does."""
        if at_connect and self._outage(service, process) == "refused":
            self.on_fault(process, "refused", service)
            return "refused"
        # A connection and what is sent over it share the faults.
        kinds = {name: n for name, n in FAULTS.items() if (name in AT_CONNECT) is at_connect}
        rate = self.rate * sum(kinds.values()) / sum(FAULTS.values())
        if self.schedule.faults_are_over or not self.schedule.happens(rate, about):
            return None
        chance = self.schedule.chance(f"what {about}")
        (fault,) = chance.choices(list(kinds), list(kinds.values()))
        self.schedule.seen[f"{service}: {fault}"] += 1
        if at_connect:
            self.on_fault(process, fault, service)
            self.schedule.tell(process.job, f"connection to {service}: {fault}")
        return str(fault)

    def _error(self, call: Call, outage: str | None, chance: Random) -> Reply:
        if call.service == "slack":
            return chance.choice(API_ERRORS if "/api/" in call.operation else SLACK_ERRORS)
        return self.world.refuse(outage or chance.choice(ERRORS[call.service]))


def _latency(chance: Random, timeout: float, *, longer: bool = False) -> float:
    """How long a message travels: mostly no time, now and then nearly all there is."""
    kind = chance.random()
    if kind < 0.8 and not longer:
        return 0.005 + 0.05 * chance.random()
    most = min(timeout, 5.0) * (0.9 if kind > 0.95 or longer else 0.2) / 2
    return most * chance.random()


def step_of(call: Call) -> str:
    """What a call is for: the event that a write adds to the history, `lease`, or its name.

    `post` is a message for the channel.
    """
    if call.service == "slack" and ("services" in call.operation or "chat.post" in call.operation):
        return "post"
    if call.operation not in WRITES:
        return call.operation
    values = call.request.get("ExpressionAttributeValues", {})
    added = values.get(":new_history") or call.request.get("Item", {}).get("history")
    return str(added["L"][-1]["M"]["event"]["S"]) if added else "lease"


def _what(call: Call) -> str:
    if call.service == "slack":
        is_click = "actions" in call.operation
        return "answers the click" if is_click else f"posts to Slack ({call.operation[:20]})"
    said = (call.request or {}).get("status") or (call.request or {}).get("action")
    return f"{call.operation} {said}" if isinstance(said, str) else call.operation


def _code(reply: Reply) -> str:
    body = reply.body.decode()
    if reply.status == 200:
        return ""
    return body.partition('"__type": "')[2].partition('"')[0] or body[:60]
