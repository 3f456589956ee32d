"""The words of the design as types: hooks, deployments and gates."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

# A Slack message as it is posted: `text` and Block Kit `blocks`.
Message = dict[str, Any]


class GateStatus(StrEnum):
    """Where a gate stands."""

    WAITING = "WAITING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"


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


@dataclass(frozen=True)
class Gate:
    """A deployment that waits for a person's decision. Times are UTC, to the second."""

    deployment_id: str
    hook_execution_id: str
    status: GateStatus
    test_url: str
    created_at: datetime
    deadline: datetime
    application: str | None = None
    deployment_group: str | None = None
    notified_at: datetime | None = None
