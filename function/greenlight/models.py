"""The words of the design as types: hooks, deployments and gates."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

# A Slack message as it is posted: `text` and Block Kit `blocks`.
Message = dict[str, Any]


class GateStatus(StrEnum):
    """Where a gate stands."""

    WAITING = "WAITING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


class Verdict(StrEnum):
    """What an approver decides."""

    APPROVE = "approve"
    REJECT = "reject"

    @property
    def status(self) -> GateStatus:
        """Where a gate stands once it is decided so."""
        return GateStatus.APPROVED if self is Verdict.APPROVE else GateStatus.REJECTED


class Via(StrEnum):
    """What a decision came through."""

    SLACK = "slack"
    CLI = "cli"
    ELSEWHERE = "elsewhere"


class Language(StrEnum):
    """The language that people are told in."""

    KOREAN = "ko"
    ENGLISH = "en"


@dataclass(frozen=True)
class Hook:
    """One execution of a CodeDeploy lifecycle event hook. Both ids are opaque."""

    deployment_id: str
    execution_id: str


@dataclass(frozen=True)
class Deployment:
    """What CodeDeploy says of a deployment; everything None when it could not be asked."""

    application: str | None = None
    deployment_group: str | None = None
    description: str | None = None
    creator: str | None = None
    status: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class Commands:
    """The command lines that decide a gate, quoted for a POSIX shell."""

    approve: str
    reject: str


@dataclass(frozen=True)
class Decision:
    """Approve or reject, by an approver: a Slack user id, or an IAM principal's ARN.

    `name` and `team` are what Slack says of its user besides.
    """

    verdict: Verdict
    approver: str
    via: Via
    reason: str | None = None
    name: str | None = None
    team: str | None = None


@dataclass(frozen=True)
class Settlement:
    """What became of a hook that CodeDeploy takes no answer for any more.

    `status` is APPROVED, REJECTED or EXPIRED; `at` when, UTC, and `detail` why, if CodeDeploy says.
    """

    status: GateStatus
    at: datetime | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Lifecycle:
    """What CodeDeploy says of the lifecycle event whose hook Greenlight is; None: not known."""

    status: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def waits_since(self) -> datetime | None:
        """Since when CodeDeploy waits for the hook; None if it does not."""
        return self.started_at if self.status == "InProgress" else None


UNKNOWN: Final = Lifecycle()


@dataclass(frozen=True)
class Gate:
    """A deployment that waits for a person's decision. Times are UTC, to the second.

    `notified_at`: when people had been told that it waits, `failure_notified_at` that it failed.
    `reported_at`: since when CodeDeploy knows. `history`: an entry of `event`, `at` and more for
    each thing that happened, oldest first.
    """

    deployment_id: str
    hook_execution_id: str
    status: GateStatus
    test_url: str
    created_at: datetime
    deadline: datetime
    application: str | None = None
    deployment_group: str | None = None
    notified_at: datetime | None = None
    decided_by: str | None = None
    decided_via: Via | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    reported_at: datetime | None = None
    failed_at: datetime | None = None
    failure_notified_at: datetime | None = None
    history: tuple[dict[str, str], ...] = ()

    @property
    def hook(self) -> Hook:
        """The hook that the gate answers."""
        return Hook(self.deployment_id, self.hook_execution_id)

    @property
    def is_unreported(self) -> bool:
        """Whether it is decided, and CodeDeploy does not know yet."""
        return self.status in (GateStatus.APPROVED, GateStatus.REJECTED) and not self.reported_at

    @property
    def is_failing(self) -> bool:
        """Whether nobody could be asked, and CodeDeploy does not know yet."""
        return self.status is GateStatus.FAILED and not self.failed_at
