"""One root error, one subclass for each thing that can go wrong.

An error carries what a caller or a log line needs as data; its sentence says what is wrong and
where to fix it. None of them ever carries a secret.
"""

from datetime import datetime
from typing import Any

from greenlight.model.gate import EngineName, Gate


class GreenlightError(Exception):
    """Something Greenlight could not do; `stage` says which step of the hook it stopped."""

    stage: str

    def details(self) -> dict[str, Any]:
        """The error's data as log fields: names to JSON values."""
        return {
            name: value
            for name, value in vars(self).items()
            if name != "stage" and value is not None
        }


class SettingsError(GreenlightError):
    """Settings are missing or malformed; `problems` has a sentence for each of them."""

    stage = "settings"

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("Settings are wrong: " + "; ".join(problems))


class EventError(GreenlightError):
    """The event is not what a function takes; `keys` names what is wrong in it."""

    stage = "event"

    def __init__(
        self, problems: dict[str, str], wanted: str = "a CodeDeploy lifecycle hook event"
    ) -> None:
        self.keys = tuple(problems)
        sentences = "; ".join(f"{key} {problem}" for key, problem in problems.items())
        super().__init__(f"Not {wanted}: {sentences}")


class EngineError(GreenlightError):
    """An engine did not do what it was asked; `reason` is its error code, or says why."""

    def __init__(self, engine: EngineName, operation: str, reason: str) -> None:
        self.stage = engine.value
        self.engine = engine
        self.operation = operation
        self.reason = reason
        super().__init__(f"{engine.label} {operation} failed: {reason}")


class EngineDeniedError(EngineError):
    """An engine let nobody of these credentials do this, and so did nothing.

    `in_doubt`: it was asked before this, and may have done it then.
    """

    def __init__(self, engine: EngineName, operation: str, reason: str, *, in_doubt: bool) -> None:
        super().__init__(engine, operation, reason)
        self.in_doubt = in_doubt


class HookRefusedError(EngineError):
    """An engine takes no answer to this hook: it does not know it, or not any more.

    `in_doubt`: the answer was sent before this, and may have been taken then.
    """

    def __init__(self, engine: EngineName, operation: str, reason: str, *, in_doubt: bool) -> None:
        super().__init__(engine, operation, reason)
        self.in_doubt = in_doubt


class HookUnknownError(HookRefusedError):
    """An engine does not know the deployment, or the hook."""


class HookAnsweredError(HookRefusedError):
    """An engine has its answer to this hook already."""


class HookUnexplainedError(HookRefusedError):
    """An engine has its answer to this hook, and which one could not be read: see `reason`."""


class TableError(GreenlightError):
    """The table did not do what it was asked; `reason` is DynamoDB's error code."""

    stage = "table"

    def __init__(self, table: str, operation: str, reason: str) -> None:
        self.table = table
        self.operation = operation
        self.reason = reason
        super().__init__(f"DynamoDB {operation} on table {table} failed: {reason}")


class SettlementUnrecordedError(TableError):
    """What happened elsewhere is known, and the table did not take it."""


class ToldUnrecordedError(TableError):
    """People were told that a gate waits, and the table did not take that they were."""


class GateBusyError(GreenlightError):
    """Another try is at work on the gate, until `lease_until` (UTC) at most: try again later."""

    stage = "table"

    def __init__(self, deployment_id: str, lease_until: str | None) -> None:
        self.lease_until = lease_until
        super().__init__(
            f"Another try is at work on the gate of {deployment_id}"
            + (f" and has until {lease_until}" if lease_until else "")
        )


class GateTakenError(GreenlightError):
    """Another hook of the deployment waits, so its engine did not send this one."""

    stage = "event"

    def __init__(self, engine: EngineName, deployment_id: str) -> None:
        super().__init__(
            f"{engine.label} waits for another hook of {deployment_id}, whose gate is open, so "
            f"this event is not {engine.label}'s. To try the function by hand, make a deployment "
            "id up"
        )


class GateReplacedError(GreenlightError):
    """The gate is gone, or belongs to another hook execution by now."""

    stage = "table"

    def __init__(self, deployment_id: str) -> None:
        super().__init__(
            f"The gate of {deployment_id} was removed or taken over by another hook execution"
        )


class GateNotFoundError(GreenlightError):
    """There is no gate of this deployment in the table."""

    stage = "table"

    def __init__(self, deployment_id: str, table: str) -> None:
        self.table = table
        super().__init__(
            f"There is no gate of {deployment_id} in the table {table}: it was never opened here, "
            "or is forgotten by now"
        )


class NotEndedError(GreenlightError):
    """An engine has sent word that a deployment has ended, and says when asked that it has not."""

    def __init__(self, engine: EngineName, deployment_id: str) -> None:
        self.stage = engine.value
        super().__init__(f"{engine.label} does not say yet how {deployment_id} has ended")


class ReleaseUnseenError(GreenlightError):
    """An engine let a release go on, for want of a decision, before anybody could be asked."""

    def __init__(self, engine: EngineName, deployment_id: str) -> None:
        self.stage = engine.value
        super().__init__(f"{engine.label} let {deployment_id} go on before anybody could be asked")


class TooEarlyError(GreenlightError):
    """A moment was called before its time."""

    stage = "clock"

    def __init__(self, deployment_id: str, at: datetime) -> None:
        super().__init__(f"The gate of {deployment_id} is to be ended at {at.isoformat()}, not yet")


class MomentError(GreenlightError):
    """EventBridge Scheduler did not set a moment; `reason` is its error code."""

    stage = "schedule"

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"EventBridge Scheduler did not make the schedule {name}: {reason}")


class PublishError(GreenlightError):
    """EventBridge did not take an event; `reason` is its error code."""

    stage = "publish"

    def __init__(self, bus: str, reason: str) -> None:
        self.bus = bus
        self.reason = reason
        super().__init__(f"EventBridge took no event for the bus {bus}: {reason}")


class CallError(GreenlightError):
    """Lambda did not take a call of a function; `reason` is its error code."""

    stage = "call"

    def __init__(self, function: str, reason: str) -> None:
        self.function = function
        self.reason = reason
        super().__init__(f"Lambda did not take a call of {function}: {reason}")


class IndexMissingError(GreenlightError):
    """The table has no index to list gates by; everything else works without."""

    stage = "table"

    def __init__(self, table: str, index: str) -> None:
        self.table = table
        self.index = index
        super().__init__(
            f"The table {table} has no index {index}, so its gates cannot be listed (the other "
            "commands work): update the stack, or add the index as docs/deploy.md says"
        )


class DecisionUnreportedError(EngineError):
    """A decision is written down, and its engine could not be told; deciding so again tells it."""

    def __init__(self, gate: Gate, cause: EngineError) -> None:
        super().__init__(cause.engine, cause.operation, cause.reason)
        self.gate = gate

    def details(self) -> dict[str, Any]:
        """As of any error, with the gate's status for the gate."""
        return {**super().details(), "gate": self.gate.status}


class DecisionMootError(DecisionUnreportedError):
    """A decision is written down, and its engine takes none: it does not wait for this hook.

    It does not know it (`is_unknown`), or has an answer that could not be read; deciding so again
    reads it again.
    """

    def __init__(self, gate: Gate, cause: EngineError) -> None:
        super().__init__(gate, cause)
        self.is_unknown = isinstance(cause, HookUnknownError)


class DecisionDeniedError(EngineError):
    """An engine does not let the decider answer hooks; nothing is decided, and the gate waits."""

    def __init__(self, gate: Gate, cause: EngineError) -> None:
        super().__init__(cause.engine, cause.operation, cause.reason)
        self.gate = gate
        self.permission = f"{cause.engine}:{cause.operation}"  # as IAM has it

    def details(self) -> dict[str, Any]:
        """As of any error, with the gate's status for the gate."""
        return {**super().details(), "gate": self.gate.status}


class SignatureError(GreenlightError):
    """A request is not shown to come from Slack; `signed` if it at least says that it does."""

    stage = "signature"

    def __init__(self, problem: str, *, signed: bool) -> None:
        self.signed = signed
        super().__init__(f"Not a request of Slack's: {problem}")


class ClickError(GreenlightError):
    """A request of Slack's is neither a click nor a command that can be understood."""

    stage = "click"

    def __init__(self, problem: str) -> None:
        super().__init__(f"Not a click or a command that can be understood: {problem}")


class SlackError(GreenlightError):
    """Slack did not take the message.

    `status` is the HTTP status, None when there was no answer; `reason` is Slack's own error code
    or the kind of network failure. `in_doubt`: a try's answer did not come, so that Slack may have
    taken the message. The webhook URL is never in it, nor is the cause, which may hold the URL.
    """

    stage = "slack"

    def __init__(self, reason: str, status: int | None = None, *, in_doubt: bool = False) -> None:
        self.reason = reason
        self.status = status
        self.in_doubt = in_doubt
        answer = f"HTTP {status}, {reason}" if status else reason
        super().__init__(f"Slack did not take the message: {answer}")


class NoTimeToTellError(SlackError):
    """There was no time left to post the message: nothing was tried, and the next try may do it."""

    def __init__(self) -> None:
        super().__init__("there was no time left to post it")


class SlackRefusedError(SlackError):
    """Slack refused this message (400): the same message will be refused again."""


class SlackWebhookGoneError(SlackError):
    """Slack no longer honours this webhook URL (401, 403, 404, 410): it needs a new one."""


class SlackBotError(SlackError):
    """Slack does not let the bot do this; the sentence says what to do about it."""

    def __init__(self, reason: str, advice: str, status: int | None = None) -> None:
        super().__init__(reason, status)
        self.args = (f"{self.args[0]}: {advice}",)


class SlackTokenError(SlackBotError):
    """Slack does not honour the bot's token, or not any more: it needs a new one."""
