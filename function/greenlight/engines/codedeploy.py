"""What only CodeDeploy knows: its hook event, its deployments, its console and its commands."""

import re
import shlex
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.data_classes import CodeDeployLifecycleHookEvent
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from greenlight.engines.console import console
from greenlight.engines.doubt import Doubt
from greenlight.model.errors import (
    EngineDeniedError,
    EngineError,
    EventError,
    HookAnsweredError,
    HookRefusedError,
    HookUnknownError,
)
from greenlight.model.gate import (
    GATE_ID,
    HOOK_ID,
    Deployment,
    Ending,
    EngineName,
    Gate,
    GateStatus,
    Hook,
    Lifecycle,
    Outcome,
    Settlement,
    is_gate_id,
)
from greenlight.model.message import Commands, Pointers

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_codedeploy import CodeDeployClient

# The lifecycle event whose hook Greenlight is.
HOOK_EVENT: Final = "AfterAllowTestTraffic"

_REPORT: Final = "PutLifecycleEventHookExecutionStatus"

# CodeDeploy waits for an hour, from when it called the hook.
_WAITS: Final = timedelta(hours=1)
# An event that failed after this long was given up.
_GAVE_UP_AFTER: Final = _WAITS - timedelta(seconds=10)

_FAILED: Final = ("Failed", "Stopped")

_OUTCOMES: Final = {
    "Succeeded": Outcome.LIVE,
    "Failed": Outcome.FAILED,
    "Stopped": Outcome.STOPPED,
}
_CHANGE: Final = "a CodeDeploy deployment state change"
_ENDS: Final = frozenset({"SUCCESS", "FAILURE", "STOP"})

# Whose credentials these are may not do it: nothing was done.
_DENIALS: Final = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)

# The statuses of a deployment that nothing is decided about any more.
_ENDED: Final = frozenset({"Succeeded", "Failed", "Stopped"})

# How it says that it does not know a deployment, or a hook of it.
_UNKNOWN: Final = frozenset(
    {
        "DeploymentDoesNotExistException",
        "InvalidDeploymentIdException",
        "InvalidLifecycleEventHookExecutionIdException",
    }
)
# What is not worth asking again.
_REFUSALS: Final = frozenset(
    {
        "DeploymentIdRequiredException",
        "InvalidLifecycleEventHookExecutionStatusException",
        "UnsupportedActionForDeploymentTypeException",
    }
)


def parse_hook(event: Any) -> Hook:
    """Reads a hook event (`DeploymentId`, `LifecycleEventHookExecutionId`; more is ignored).

    Raises one EventError that names every key that is missing or not an id.
    """
    if not isinstance(event, dict):
        raise EventError({"event": f"is of type {type(event).__name__}, not an object"})
    hook_event = CodeDeployLifecycleHookEvent(event)
    problems: dict[str, str] = {}

    def read(key: str, get: "Callable[[], Any]", pattern: re.Pattern[str]) -> str:
        try:
            value = get()
        except KeyError:
            problems[key] = "is missing"
            return ""
        if not isinstance(value, str):
            problems[key] = f"is of type {type(value).__name__}, not a string"
        elif not value:
            problems[key] = "is empty"
        elif not pattern.fullmatch(value):
            problems[key] = f"is not an id ({len(value)} characters; allowed: {pattern.pattern})"
        return str(value)

    hook = Hook(
        deployment_id=read("DeploymentId", lambda: hook_event.deployment_id, GATE_ID),
        execution_id=read(
            "LifecycleEventHookExecutionId",
            lambda: hook_event.lifecycle_event_hook_execution_id,
            HOOK_ID,
        ),
    )
    if problems:
        raise EventError(problems)
    return hook


def parse_ending(event: Any) -> str | None:
    """The deployment that has ended, of a state-change event; None for one that goes on.

    Raises EventError for what is no such event.
    """
    detail = event.get("detail") if isinstance(event, dict) else None
    if not isinstance(detail, dict):
        raise EventError({"detail": "is missing"}, _CHANGE)
    deployment_id = detail.get("deploymentId")
    if not is_gate_id(deployment_id):
        raise EventError({"detail.deploymentId": "is not an id"}, _CHANGE)
    return deployment_id if detail.get("state") in _ENDS else None


def settlement_of(
    event: Lifecycle, deployment: Deployment, created_at: datetime
) -> Settlement | None:
    """What became of a hook that takes no answer; None if it has no result yet.

    Whether the hook succeeded is what its lifecycle event says, not how the deployment went on.
    CodeDeploy does not say whether one that failed at the end of its hour had been rejected.
    """
    if event.status == "Succeeded":
        return Settlement(GateStatus.APPROVED, event.ended_at)
    has_answer = event.status == "Failed"
    if not has_answer and deployment.status not in _FAILED:
        return None
    started_at, ended_at = event.started_at or created_at, event.ended_at
    gave_up = ended_at is not None and ended_at - started_at >= _GAVE_UP_AFTER
    status = GateStatus.EXPIRED if gave_up else GateStatus.REJECTED
    return Settlement(
        status,
        ended_at,
        deployment.error,
        is_answered=has_answer,
        is_inferred=gave_up and has_answer,
    )


class CodeDeploy:
    """CodeDeploy in one account and region: see Engine."""

    name = EngineName.CODEDEPLOY
    time_to_decide = _WAITS
    ends_within: timedelta | None = _WAITS
    watched_for = timedelta(0)
    can_wait = False

    def __init__(self, client: "CodeDeployClient") -> None:
        self._client = client
        self._doubt = Doubt()

    def describe(self, hook: Hook) -> Deployment:
        """What CodeDeploy says of a hook's deployment. Raises EngineError."""
        info = self._call("GetDeployment", deploymentId=hook.deployment_id)["deploymentInfo"]
        return Deployment(
            application=info.get("applicationName"),
            deployment_group=info.get("deploymentGroupName"),
            description=info.get("description"),
            creator=info.get("creator"),
            status=info.get("status"),
            has_ended=info.get("status") in _ENDED,
            error=_error(info),
        )

    def report(self, hook: Hook, *, succeeded: bool) -> None:
        """Answers a hook: `Succeeded` lets the deployment go on, `Failed` fails it.

        Raises as Engine has it.
        """
        with self._doubt.about(self._client, _REPORT):
            self._call(
                _REPORT,
                deploymentId=hook.deployment_id,
                lifecycleEventHookExecutionId=hook.execution_id,
                status="Succeeded" if succeeded else "Failed",
            )

    def lifecycle(self, hook: Hook) -> Lifecycle:
        """Where a deployment's hook stands. Raises EngineError.

        A deployment of ECS has one target, of one of two kinds.
        """
        deployment_id = hook.deployment_id
        targets = self._call("ListDeploymentTargets", deploymentId=deployment_id)["targetIds"]
        for target_id in targets:
            target = self._call(
                "GetDeploymentTarget", deploymentId=deployment_id, targetId=target_id
            )["deploymentTarget"]
            for kind in ("ecsTarget", "cloudFormationTarget"):
                for event in target.get(kind, {}).get("lifecycleEvents", []):
                    if event.get("lifecycleEventName") == HOOK_EVENT:
                        return _lifecycle(event)
        return Lifecycle()

    def is_answered(self, lifecycle: Lifecycle, since: datetime | None) -> bool:
        """Whether the lifecycle event of a hook has ended since there is its gate.

        One that ended before is that of another hook of the deployment.
        """
        ended_at = lifecycle.ended_at
        return since is not None and ended_at is not None and ended_at >= since

    def settlement(self, gate: Gate, now: datetime) -> Settlement:  # noqa: ARG002
        """What became of a gate's hook that takes no answer any more.

        Whether the hook succeeded is what CodeDeploy's lifecycle event says, not how the
        deployment went on. Raises EngineError if CodeDeploy does not say.
        """
        event = self.lifecycle(gate.hook)
        is_let_through = event.status == "Succeeded"
        deployment = Deployment() if is_let_through else self.describe(gate.hook)
        settlement = settlement_of(event, deployment, gate.created_at)
        if settlement is None:
            raise EngineError(self.name, "GetDeploymentTarget", f"{HOOK_EVENT} has no result yet")
        return settlement

    def endings(
        self,
        deployment: str,
        hook: Hook | None = None,  # noqa: ARG002  # it has no other gate
    ) -> list[tuple[str, Ending | None]]:
        """What became of a deployment, by its id, or of that which it rolls back: see Engine."""
        info = self._call("GetDeployment", deploymentId=deployment)["deploymentInfo"]
        try:
            return [self._ending(deployment, info)]
        except (EngineDeniedError, HookRefusedError) as exc:
            raise EngineError(self.name, exc.operation, exc.reason) from exc

    def _ending(self, deployment_id: str, info: Any) -> tuple[str, Ending | None]:
        """As of `endings`, from CodeDeploy's information on the deployment."""
        rolled_back = info.get("rollbackInfo", {}).get("rollbackTriggeringDeploymentId")
        if info.get("status") not in _ENDED:
            return rolled_back or deployment_id, None
        if rolled_back:
            info = self._call("GetDeployment", deploymentId=rolled_back)["deploymentInfo"]
        outcome = _OUTCOMES.get(info.get("status"))
        if outcome is None:
            return rolled_back or deployment_id, None
        rollback = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
        at = info.get("completeTime")
        if rollback:
            undone = self._call("GetDeployment", deploymentId=rollback)["deploymentInfo"]
            if undone.get("status") == "Succeeded":
                outcome, at = Outcome.ROLLED_BACK, undone.get("completeTime")
        return rolled_back or deployment_id, Ending(outcome, _utc(at), _error(info))

    def _call(self, operation: str, **request: str) -> Any:
        """Calls an operation by the name that AWS gives it."""
        call = getattr(self._client, xform_name(operation))
        try:
            return call(**request)
        except ClientError as exc:
            reason = exc.response["Error"]["Code"]
            error = _refusal(reason)
            if error:
                in_doubt = operation == _REPORT and self._doubt.is_left
                raise error(self.name, operation, reason, in_doubt=in_doubt) from exc
            raise EngineError(self.name, operation, reason) from exc
        except BotoCoreError as exc:
            raise EngineError(self.name, operation, type(exc).__name__) from exc

    def _console_url(self, deployment_id: str) -> str:
        """The deployment's page in the AWS console."""
        return (
            f"https://{console(self.region)}/codesuite/codedeploy/deployments/{deployment_id}"
            f"?region={self.region}"
        )

    @property
    def region(self) -> str:
        """The region that it is in."""
        return self._client.meta.region_name

    def pointers(self, hook: Hook, table: str) -> Pointers:
        """What a message about a hook leads to: the console, and the commands that answer it."""
        return Pointers(
            console_url=self._console_url(hook.deployment_id),
            commands=Commands(self._command(hook, "Succeeded"), self._command(hook, "Failed")),
            options=("--region", self.region, "--table", table),
        )

    def _command(self, hook: Hook, status: str) -> str:
        return shlex.join(
            [
                *("aws", "deploy", "put-lifecycle-event-hook-execution-status"),
                *("--region", self.region),
                *("--deployment-id", hook.deployment_id),
                *("--lifecycle-event-hook-execution-id", hook.execution_id),
                *("--status", status),
            ]
        )


def _refusal(reason: str) -> "type[EngineDeniedError | HookRefusedError] | None":
    """The error of a code of CodeDeploy's which says that asking again is of no use."""
    if reason == "LifecycleEventAlreadyCompletedException":
        return HookAnsweredError
    if reason in _UNKNOWN:
        return HookUnknownError
    if reason in _REFUSALS:
        return HookRefusedError
    return EngineDeniedError if reason in _DENIALS else None


def _lifecycle(event: Any) -> Lifecycle:
    """Where a hook stands, of CodeDeploy's lifecycle event."""
    status = event.get("status")
    started_at, ended_at = (_utc(event.get(name)) for name in ("startTime", "endTime"))
    waits_since = started_at if status == "InProgress" else None
    return Lifecycle(
        status,
        started_at,
        ended_at,
        waits_since,
        deadline=waits_since and waits_since + _WAITS,
    )


def _error(info: Any) -> str | None:
    """Why a deployment failed, in CodeDeploy's words."""
    error = info.get("errorInformation", {})
    return ": ".join(error[name] for name in ("code", "message") if name in error) or None


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC)
