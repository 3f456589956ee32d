"""The words of the design as types: hooks, deployments and gates."""

import dataclasses
import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, StrEnum
from typing import Any, Final, TypeGuard

# Wider than any id that was ever seen, and still harmless in a key, a message and a command line;
# both together fit into the value of a Slack button.
GATE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
HOOK_ID: Final = re.compile(r"[A-Za-z0-9+/_][A-Za-z0-9+/=_.:-]{0,1699}")


def is_gate_id(value: object) -> TypeGuard[str]:
    """Whether a value from outside can be a gate's id."""
    return isinstance(value, str) and bool(GATE_ID.fullmatch(value))


def is_hook_id(value: object) -> TypeGuard[str]:
    """Whether a value from outside can be a hook's id."""
    return isinstance(value, str) and bool(HOOK_ID.fullmatch(value))


class EngineName(StrEnum):
    """What asked and waits for the answer, as it is written down."""

    CODEDEPLOY = "codedeploy"
    ECS = "ecs"

    @property
    def label(self) -> str:
        """What people call it."""
        return {EngineName.CODEDEPLOY: "CodeDeploy", EngineName.ECS: "ECS"}[self]


class GateStatus(StrEnum):
    """Where a gate stands."""

    WAITING = "WAITING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


class GateState(Enum):
    """Where a gate stands, and whether its engine knows."""

    WAITING = "people have to decide"
    DECIDED = "people have decided, and the engine does not know yet"
    FAILING = "nobody could be asked, and the engine does not know yet"
    CLOSED = "it has ended, and the engine knows"


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
    CLOCK = "clock"
    ELSEWHERE = "elsewhere"


class Due(StrEnum):
    """What the clock is called for: at a moment that was set, or each minute (WATCH)."""

    REMINDER = "reminder"
    END = "end"
    LOOK = "look"
    WATCH = "watch"


class Outcome(StrEnum):
    """What became of a deployment in the end."""

    LIVE = "live"
    FAILED = "failed"
    STOPPED = "stopped"
    ROLLED_BACK = "rolled_back"


class TimeoutAction(StrEnum):
    """What ECS does with a deployment that nobody decides about in time."""

    ROLLBACK = "ROLLBACK"
    CONTINUE = "CONTINUE"


@dataclass(frozen=True)
class Hook:
    """One thing that waits at an engine for an answer: the id of its gate, and its own.

    Both are opaque, and say which it is. The rest is what is known of it besides: at which engine
    it waits; and for ECS of which service deployment, at which stage of it, and until when.
    """

    deployment_id: str
    execution_id: str
    engine: EngineName = field(default=EngineName.CODEDEPLOY, compare=False)
    service_deployment_arn: str | None = field(default=None, compare=False)
    stage: str | None = field(default=None, compare=False)
    deadline: datetime | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Deployment:
    """What an engine says of a deployment; everything None when it could not be asked.

    `status` is in the engine's own words. A service is CodeDeploy's `application` and
    `deployment_group`, or ECS's `cluster` and `service`. `traffic`: how ECS shifts it, in words;
    `is_first`: there is no version to go back to.
    """

    application: str | None = None
    deployment_group: str | None = None
    cluster: str | None = None
    service: str | None = None
    description: str | None = None
    creator: str | None = None
    traffic: str | None = None
    is_first: bool | None = None
    status: str | None = None
    has_ended: bool = False
    error: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether its engine has said what it is about."""
        return bool(self.application or self.service)


UNDESCRIBED: Final = Deployment()


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
    """What became of a hook that its engine takes no answer for any more.

    `status` is APPROVED, REJECTED or EXPIRED; `at` when, UTC, and `detail` why, if the engine says.
    `is_answered`: the hook had an answer; False if its deployment was stopped, or failed, without.
    `timeout_action`: of an EXPIRED one, what ECS has done. `is_inferred`: its engine does not say
    what the answer was, if there was one; it follows from what became of the deployment, or when.
    """

    status: GateStatus
    at: datetime | None = None
    detail: str | None = None
    is_answered: bool = True
    timeout_action: TimeoutAction | None = None
    is_inferred: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether the deployment has gone on."""
        is_let_through = self.timeout_action is TimeoutAction.CONTINUE
        return is_let_through or self.status is GateStatus.APPROVED


@dataclass(frozen=True)
class Ending:
    """How a deployment ended, when (UTC), and why, as far as its engine says."""

    outcome: Outcome
    at: datetime | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Place:
    """Where a message is in Slack, for a bot that changes it or answers in its thread."""

    channel: str
    ts: str


@dataclass(frozen=True)
class Lifecycle:
    """What an engine says of where a hook stands; None: not known.

    `status` is in the engine's own words, or its module's. `waits_since` and `deadline`: since and
    until when it waits for an answer, if it does. `timeout_action`: what ECS does then.
    """

    status: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    waits_since: datetime | None = None
    deadline: datetime | None = None
    timeout_action: TimeoutAction | None = None


UNKNOWN: Final = Lifecycle()


@dataclass(frozen=True)
class NewGate:
    """What a hook's gate is opened or failed with; one that is there already keeps its own times.

    `deployment` and `lifecycle`: what its engine says of it; the deadline is right where that says
    until when it waits. `decide_by`: when Greenlight rejects it, if that is before the deadline.
    """

    hook: Hook
    test_url: str
    created_at: datetime
    deadline: datetime
    expires_at: datetime
    decide_by: datetime | None = None
    lifecycle: Lifecycle = UNKNOWN
    deployment: Deployment = UNDESCRIBED


@dataclass(frozen=True)
class Gate:
    """A deployment that waits for a person's decision. Times are UTC, to the second.

    What it is about, see Hook, Deployment and Lifecycle.
    `decide_by`: when Greenlight rejects it for want of a decision, if it does. `notified_at`: when
    people had been told that it waits, `failure_notified_at` that it failed. `place`: where their
    message is, if a bot posted it, and `shown`: the `appearance` that it was given last.
    `claimed_by`: who says that they are testing. `reminded_for`: the moment of the last reminder.
    `reported_at`: since when its engine knows. `outcome`: what became of the deployment. `history`:
    an entry of `event`, `at` and more for each thing that happened, oldest first.
    """

    deployment_id: str
    hook_execution_id: str
    status: GateStatus
    test_url: str
    created_at: datetime
    deadline: datetime
    engine: EngineName = EngineName.CODEDEPLOY
    service_deployment_arn: str | None = None
    stage: str | None = None
    timeout_action: TimeoutAction | None = None
    application: str | None = None
    deployment_group: str | None = None
    cluster: str | None = None
    service: str | None = None
    description: str | None = None
    creator: str | None = None
    traffic: str | None = None
    is_first: bool | None = None
    decide_by: datetime | None = None
    notified_at: datetime | None = None
    place: Place | None = None
    shown: str | None = None
    claimed_by: str | None = None
    claimed_at: datetime | None = None
    reminded_for: datetime | None = None
    decided_by: str | None = None
    decided_via: Via | None = None
    decided_at: datetime | None = None
    reason: str | None = None
    reported_at: datetime | None = None
    failed_at: datetime | None = None
    failure_notified_at: datetime | None = None
    outcome: Outcome | None = None
    outcome_at: datetime | None = None
    outcome_reason: str | None = None
    history: tuple[dict[str, str], ...] = ()

    @property
    def hook(self) -> Hook:
        """The hook that the gate answers."""
        return Hook(
            self.deployment_id,
            self.hook_execution_id,
            self.engine,
            self.service_deployment_arn,
            self.stage,
            self.deadline,
        )

    @property
    def deployment(self) -> str:
        """Its deployment, as its engine calls it: an id, or an ARN."""
        return self.service_deployment_arn or self.deployment_id

    @property
    def names(self) -> tuple[str, ...]:
        """Those of its service, as far as they are known."""
        names = (self.application, self.deployment_group, self.cluster, self.service)
        return tuple(name for name in names if name)

    @property
    def state(self) -> GateState:
        """Where it stands, and whether its engine knows."""
        if self.status is GateStatus.WAITING:
            return GateState.WAITING
        if self.status is GateStatus.FAILED:
            return GateState.CLOSED if self.failed_at else GateState.FAILING
        return GateState.CLOSED if self.reported_at else GateState.DECIDED

    @property
    def goes_on(self) -> bool:
        """Whether it has let its deployment go on: by a decision, or for want of one."""
        is_let_through = (
            self.status is GateStatus.EXPIRED
            and self.decided_via is Via.ELSEWHERE
            and self.timeout_action is TimeoutAction.CONTINUE
        )
        return is_let_through or self.status is GateStatus.APPROVED

    @property
    def is_known(self) -> bool:
        """Whether people were told of it, or it was decided, or failed."""
        return bool(self.notified_at) or self.state is not GateState.WAITING

    @property
    def is_unseen(self) -> bool:
        """Whether it has let its deployment go on for want of a decision, and nobody was told."""
        is_told = self.notified_at or self.failure_notified_at
        return self.status is GateStatus.EXPIRED and self.goes_on and not is_told

    @property
    def was_failed(self) -> bool:
        """Whether it failed as far as its engine had said: people may have heard so; it has not."""
        return bool(self.failed_at) and self.status is not GateStatus.FAILED

    @property
    def is_stranded(self) -> bool:
        """Whether it was to be rolled back, and could not be."""
        is_failed = self.outcome is Outcome.FAILED and not self.goes_on
        return is_failed and self.engine is EngineName.ECS

    @property
    def ends_at(self) -> datetime:
        """Until when people can decide."""
        return self.decide_by or self.deadline

    @property
    def is_left(self) -> bool:
        """Whether its message is known to show still that it waits: nobody is replacing it."""
        return self.shown == GateStatus.WAITING

    @property
    def appearance(self) -> str:
        """What its message has to show; two gates with the same one have the same message.

        What the engine does not know yet is shown as waiting: its buttons can bring it there.
        """
        if self.state is GateState.CLOSED:
            facts: tuple[str | None, ...] = (self.decided_via, self.decided_by, self.outcome)
            return " ".join(filter(None, (self.status, *facts)))
        return f"WAITING {self.claimed_by}" if self.claimed_by else "WAITING"


def failed_gate(new: NewGate, reason: str) -> Gate:
    """The gate of a hook that nobody could be asked about, whatever is on record."""
    return Gate(
        deployment_id=new.hook.deployment_id,
        hook_execution_id=new.hook.execution_id,
        engine=new.hook.engine,
        service_deployment_arn=new.hook.service_deployment_arn,
        stage=new.hook.stage,
        timeout_action=new.lifecycle.timeout_action,
        status=GateStatus.FAILED,
        test_url=new.test_url,
        created_at=new.created_at,
        deadline=new.deadline,
        reason=reason,
    )


def as_json(gate: Gate) -> dict[str, Any]:
    """A gate as JSON values, by the names of docs/gate.md; what is not known is null."""
    values = dataclasses.asdict(gate)
    place = values.pop("place") or {}
    values |= {"message_channel": place.get("channel"), "message_ts": place.get("ts")}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }
