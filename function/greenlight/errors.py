"""One root error, one subclass for each thing that can go wrong.

An error carries what a caller or a log line needs as data; its sentence says what is wrong and
where to fix it. None of them ever carries a secret.
"""

from typing import Any, ClassVar


class GreenlightError(Exception):
    """Something Greenlight could not do; `stage` says which step of the hook it stopped."""

    stage: ClassVar[str]

    def details(self) -> dict[str, Any]:
        """The error's data as log fields: names to JSON values."""
        return {name: value for name, value in vars(self).items() if value is not None}


class SettingsError(GreenlightError):
    """Settings are missing or malformed; `problems` has a sentence for each of them."""

    stage = "settings"

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("Settings are wrong: " + "; ".join(problems))


class EventError(GreenlightError):
    """The event is not a CodeDeploy hook's; `keys` names what is wrong in it."""

    stage = "event"

    def __init__(self, problems: dict[str, str]) -> None:
        self.keys = tuple(problems)
        sentences = "; ".join(f"{key} {problem}" for key, problem in problems.items())
        super().__init__(f"Not a CodeDeploy lifecycle hook event: {sentences}")


class CodeDeployError(GreenlightError):
    """CodeDeploy did not do what it was asked; `reason` is its error code."""

    stage = "codedeploy"

    def __init__(self, operation: str, reason: str) -> None:
        self.operation = operation
        self.reason = reason
        super().__init__(f"CodeDeploy {operation} failed: {reason}")


class HookSettledError(CodeDeployError):
    """CodeDeploy has its answer to this hook already."""


class TableError(GreenlightError):
    """The table did not do what it was asked; `reason` is DynamoDB's error code."""

    stage = "table"

    def __init__(self, table: str, operation: str, reason: str) -> None:
        self.table = table
        self.operation = operation
        self.reason = reason
        super().__init__(f"DynamoDB {operation} on table {table} failed: {reason}")


class GateBusyError(GreenlightError):
    """Another try of the same hook holds the gate until `lease_until` (UTC): try again later."""

    stage = "table"

    def __init__(self, deployment_id: str, lease_until: str | None) -> None:
        self.lease_until = lease_until
        super().__init__(
            f"Another try is opening the gate of {deployment_id} and has until {lease_until}"
        )


class GateReplacedError(GreenlightError):
    """The gate is gone, or belongs to another hook execution by now."""

    stage = "table"

    def __init__(self, deployment_id: str) -> None:
        super().__init__(
            f"The gate of {deployment_id} was removed or taken over by another hook execution "
            "while people were being told"
        )


class SlackError(GreenlightError):
    """Slack did not take the message.

    `status` is the HTTP status, None when there was no answer; `reason` is Slack's own error code
    or the kind of network failure. The webhook URL is never in it, nor is the cause, which may
    hold the URL.
    """

    stage = "slack"

    def __init__(self, reason: str, status: int | None = None) -> None:
        self.reason = reason
        self.status = status
        answer = f"HTTP {status}, {reason}" if status else reason
        super().__init__(f"Slack did not take the message: {answer}")


class SlackRefusedError(SlackError):
    """Slack refused this message (400): the same message will be refused again."""


class SlackWebhookGoneError(SlackError):
    """Slack no longer honours this webhook URL (401, 403, 404, 410): it needs a new one."""
