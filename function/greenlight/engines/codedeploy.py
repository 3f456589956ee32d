"""What only CodeDeploy knows: its hook event, its deployments, its console and its commands."""

import re
import shlex
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.data_classes import CodeDeployLifecycleHookEvent
from botocore import xform_name
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
)

from greenlight.model.errors import (
    CodeDeployDeniedError,
    CodeDeployError,
    EventError,
    HookAnsweredError,
    HookRefusedError,
)
from greenlight.model.gate import (
    GATE_ID,
    HOOK_ID,
    Deployment,
    Ending,
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
# What botocore tells of each try.
_REPORT_TRIED: Final = f"needs-retry.codedeploy.{_REPORT}"

# CodeDeploy waits for an hour, from when it called the hook.
TIME_TO_DECIDE: Final = timedelta(hours=1)
# An event that failed after this long was given up.
_GAVE_UP_AFTER: Final = TIME_TO_DECIDE - timedelta(seconds=10)

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
ENDED: Final = frozenset({"Succeeded", "Failed", "Stopped"})

# How it says that it does not know a deployment, or a hook of it.
_UNKNOWN: Final = frozenset(
    {
        "DeploymentDoesNotExistException",
        "InvalidDeploymentIdException",
        "InvalidLifecycleEventHookExecutionIdException",
    }
)
# What is not worth asking again.
_REFUSALS: Final = _UNKNOWN | {
    "DeploymentIdRequiredException",
    "InvalidLifecycleEventHookExecutionStatusException",
    "UnsupportedActionForDeploymentTypeException",
}

_CONSOLES: Final = {
    "cn-": "console.amazonaws.cn",
    "us-gov-": "console.amazonaws-us-gov.com",
    "": "console.aws.amazon.com",
}


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


def is_unknown(reason: str) -> bool:
    """Whether an error code of CodeDeploy's says that it does not know a deployment or its hook."""
    return reason in _UNKNOWN


def is_answered(event: Lifecycle, gate: Gate) -> bool:
    """Whether the lifecycle event of a gate's hook has ended since there is the gate."""
    return event.ended_at is not None and event.ended_at >= gate.created_at


def settlement_of(
    event: Lifecycle, deployment: Deployment, created_at: datetime
) -> Settlement | None:
    """What became of a hook that takes no answer; None if it has no result yet.

    Whether the hook succeeded is what its lifecycle event says, not how the deployment went on.
    """
    if event.status == "Succeeded":
        return Settlement(GateStatus.APPROVED, event.ended_at)
    has_answer = event.status == "Failed"
    if not has_answer and deployment.status not in _FAILED:
        return None
    started_at, ended_at = event.started_at or created_at, event.ended_at
    gave_up = ended_at and ended_at - started_at >= _GAVE_UP_AFTER
    status = GateStatus.EXPIRED if gave_up else GateStatus.REJECTED
    return Settlement(status, ended_at, deployment.error, is_answered=has_answer)


class CodeDeploy:
    """CodeDeploy in one account and region; `name` is what people call it."""

    name: Final = "CodeDeploy"

    def __init__(self, client: "CodeDeployClient") -> None:
        self._client = client
        self._in_doubt = False

    def describe(self, deployment_id: str) -> Deployment:
        """What CodeDeploy says of a deployment. Raises CodeDeployError."""
        info = self._call("GetDeployment", deploymentId=deployment_id)["deploymentInfo"]
        return Deployment(
            application=info.get("applicationName"),
            deployment_group=info.get("deploymentGroupName"),
            description=info.get("description"),
            creator=info.get("creator"),
            status=info.get("status"),
            error=_error(info),
        )

    def has_ended(self, deployment_id: str) -> bool:
        """Whether a deployment is over, however it ended. Raises CodeDeployError."""
        return self.describe(deployment_id).status in ENDED

    def report(self, hook: Hook, *, succeeded: bool) -> None:
        """Answers a hook: `Succeeded` lets the deployment go on, `Failed` fails it.

        Raises HookAnsweredError if the hook was answered before, HookRefusedError if CodeDeploy
        will not take this answer however often it is sent, CodeDeployDeniedError if it takes none
        from these credentials, else CodeDeployError.
        """
        events = self._client.meta.events  # of a client that outlives this object
        events.register(_REPORT_TRIED, self._note_doubt)
        try:
            self._call(
                _REPORT,
                deploymentId=hook.deployment_id,
                lifecycleEventHookExecutionId=hook.execution_id,
                status="Succeeded" if succeeded else "Failed",
            )
        finally:
            events.unregister(_REPORT_TRIED, self._note_doubt)

    def lifecycle(self, deployment_id: str) -> Lifecycle:
        """Where a deployment's hook stands. Raises CodeDeployError.

        A deployment of ECS has one target, of one of two kinds.
        """
        targets = self._call("ListDeploymentTargets", deploymentId=deployment_id)["targetIds"]
        for target_id in targets:
            target = self._call(
                "GetDeploymentTarget", deploymentId=deployment_id, targetId=target_id
            )["deploymentTarget"]
            for kind in ("ecsTarget", "cloudFormationTarget"):
                for event in target.get(kind, {}).get("lifecycleEvents", []):
                    if event.get("lifecycleEventName") == HOOK_EVENT:
                        times = (_utc(event.get(name)) for name in ("startTime", "endTime"))
                        return Lifecycle(event.get("status"), *times)
        return Lifecycle()

    def settlement(self, gate: Gate) -> Settlement:
        """What became of a gate's hook that takes no answer any more.

        Whether the hook succeeded is what CodeDeploy's lifecycle event says, not how the
        deployment went on. Raises CodeDeployError if CodeDeploy does not say.
        """
        event = self.lifecycle(gate.deployment_id)
        is_let_through = event.status == "Succeeded"
        deployment = Deployment() if is_let_through else self.describe(gate.deployment_id)
        settlement = settlement_of(event, deployment, gate.created_at)
        if settlement is None:
            raise CodeDeployError("GetDeploymentTarget", f"{HOOK_EVENT} has no result yet")
        return settlement

    def ending(self, deployment_id: str) -> tuple[str, Ending | None]:
        """The id of a deployment, or of that which it rolls back, and what became of it.

        None for one that has not ended. Raises CodeDeployError; one that says why only where the
        deployment itself may not be read.
        """
        info = self._call("GetDeployment", deploymentId=deployment_id)["deploymentInfo"]
        try:
            return self._ending(deployment_id, info)
        except (CodeDeployDeniedError, HookRefusedError) as exc:
            raise CodeDeployError(exc.operation, exc.reason) from exc

    def _ending(self, deployment_id: str, info: Any) -> tuple[str, Ending | None]:
        """As `ending`, from CodeDeploy's information on the deployment."""
        rolled_back = info.get("rollbackInfo", {}).get("rollbackTriggeringDeploymentId")
        if info.get("status") not in ENDED:
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
        self._in_doubt = False
        try:
            return call(**request)
        except ClientError as exc:
            reason = exc.response["Error"]["Code"]
            if reason == "LifecycleEventAlreadyCompletedException":
                raise HookAnsweredError(operation, reason, in_doubt=self._in_doubt) from exc
            if reason in _REFUSALS:
                raise HookRefusedError(operation, reason, in_doubt=self._in_doubt) from exc
            if reason in _DENIALS:
                raise CodeDeployDeniedError(operation, reason, in_doubt=self._in_doubt) from exc
            raise CodeDeployError(operation, reason) from exc
        except BotoCoreError as exc:
            raise CodeDeployError(operation, type(exc).__name__) from exc

    def _note_doubt(
        self, response: tuple[Any, Any] | None, caught_exception: Exception | None, **_: Any
    ) -> None:
        """Notes of each try of a report whether it may have been taken, though it failed."""
        if response is not None:
            self._in_doubt |= response[0].status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        elif not isinstance(caught_exception, EndpointConnectionError | ConnectTimeoutError):
            self._in_doubt = True

    def _console_url(self, deployment_id: str) -> str:
        """The deployment's page in the AWS console."""
        domain = next(name for start, name in _CONSOLES.items() if self.region.startswith(start))
        return (
            f"https://{self.region}.{domain}/codesuite/codedeploy/deployments/{deployment_id}"
            f"?region={self.region}"
        )

    @property
    def region(self) -> str:
        """The region that it is in."""
        return self._client.meta.region_name

    def pointers(self, hook: Hook, table: str) -> Pointers:
        """What a message about a hook leads to: the console, and the commands that answer it."""
        return Pointers(
            engine=self.name,
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


def _error(info: Any) -> str | None:
    """Why a deployment failed, in CodeDeploy's words."""
    error = info.get("errorInformation", {})
    return ": ".join(error[name] for name in ("code", "message") if name in error) or None


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC)
