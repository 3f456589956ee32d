"""What only ECS knows: the events of its PAUSE hooks, its service deployments, their commands."""

import hashlib
import random
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

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
    Deployment,
    Ending,
    EngineName,
    Gate,
    GateStatus,
    Hook,
    Lifecycle,
    Outcome,
    Settlement,
    TimeoutAction,
    is_hook_id,
)
from greenlight.model.message import Commands, Pointers

if TYPE_CHECKING:
    from types_boto3_ecs import ECSClient

_ANSWER: Final = "ContinueServiceDeployment"
_READ: Final = "DescribeServiceDeployments"

# ECS waits for a day, where a hook says nothing else.
_WAITS_FOR: Final = timedelta(days=1)
# Where a hook is not listed: a rollback that begins so soon after its deadline is its time-out.
_TIMES_OUT_WITHIN: Final = timedelta(minutes=1)

# arn:{partition}:ecs:{region}:{account}:service-deployment/{cluster}/{service}/{id}
_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:ecs:[a-z0-9-]+:\d{12}:service-deployment"
    r"/(?P<cluster>[A-Za-z0-9_-]{1,255})/(?P<service>[A-Za-z0-9_-]{1,255})"
    r"/(?P<id>[A-Za-z0-9_-]{1,90})"
)
_DIGITS: Final = 8

# What a schedule of the stack sends, so that lost events are made up for.
SWEEP: Final = {"due": "sweep"}

# The events of a hook.
_HOOK_CHANGE: Final = "an ECS hook state change"
_HOOK_WAITS: Final = "HOOK_AWAITING_ACTION"
_HOOK_ENDS: Final = {
    "HOOK_SUCCEEDED": GateStatus.APPROVED,
    "HOOK_FAILED": GateStatus.REJECTED,
    "HOOK_TIMED_OUT": GateStatus.EXPIRED,
}
# Those of a service, one of whose deployments has ended.
_DEPLOYMENT_CHANGE: Final = "an ECS deployment state change"
_DEPLOYMENT_ENDS: Final = frozenset({"SERVICE_DEPLOYMENT_COMPLETED", "SERVICE_DEPLOYMENT_FAILED"})

# The statuses of a deployment that has ended, or is about to.
_OUTCOMES: Final = {
    "SUCCESSFUL": Outcome.LIVE,
    "STOPPED": Outcome.STOPPED,
    "ROLLBACK_SUCCESSFUL": Outcome.ROLLED_BACK,
    "ROLLBACK_FAILED": Outcome.FAILED,
}
_ABOUT_TO_END: Final = ("STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")
_STOPPING: Final = ("STOPPED", "STOP_REQUESTED")

# The statuses of a hook.
_AWAITS: Final = "AWAITING_ACTION"
_ANSWERED: Final = {
    "SUCCEEDED": GateStatus.APPROVED,
    "FAILED": GateStatus.REJECTED,
    "TIMED_OUT": GateStatus.EXPIRED,
}
# Words of our own for one that has no answer, or none that is listed (AWS does not say for how long
# it lists a hook that is not active): its deployment goes on, is stopped, or is rolled back.
_GONE: Final = "GONE"
_STOPPED: Final = "STOPPED"
_OVER: Final = "OVER"

# How many of the last deployments of a service are read: no more than one of them goes on, so the
# one that has ended is a late one.
_LATEST: Final = 5
# What DescribeServices takes at once, and what lists are asked for.
_SERVICES_AT_ONCE: Final = 10
_LISTED_AT_ONCE: Final = 100

_DENIALS: Final = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)
_MISSING: Final = "ServiceDeploymentNotFoundException"
_UNKNOWN: Final = frozenset({_MISSING, "ServiceNotFoundException", "ClusterNotFoundException"})


@dataclass(frozen=True)
class HookChange:
    """What an event says of a PAUSE hook: that it began to wait for an answer, or how it ended."""

    hook: Hook
    waits: bool
    ended: GateStatus | None


def gate_id_of(service_deployment_arn: str, hook_id: str) -> str:
    """The id of a hook's gate: every pause of a service deployment has its own record.

    It begins as the deployment's own id does, without what a command would take for an option.
    """
    start = service_deployment_arn.rpartition("/")[2].lstrip("-_") or "deployment"
    return f"{start}-{hashlib.sha256(hook_id.encode()).hexdigest()[:_DIGITS]}"


def parse_hook_change(event: Any) -> HookChange:
    """Reads an event of a PAUSE hook (`detail`; more is ignored). Raises EventError."""
    detail = _detail(event, _HOOK_CHANGE)
    problems = {}
    arn, hook_id = detail.get("serviceDeploymentArn"), detail.get("hookId")
    if not (isinstance(arn, str) and _ARN.fullmatch(arn)):
        problems["detail.serviceDeploymentArn"] = "is not the ARN of a service deployment"
    if not is_hook_id(hook_id):
        problems["detail.hookId"] = "is not an id"
    if detail.get("hookType") != "PAUSE":
        problems["detail.hookType"] = "is not PAUSE"
    if problems:
        raise EventError(problems, _HOOK_CHANGE)
    return HookChange(
        _hook(str(arn), str(hook_id), detail.get("lifecycleStage"), _deadline(detail)),
        waits=detail.get("eventName") == _HOOK_WAITS,
        ended=_HOOK_ENDS.get(str(detail.get("eventName"))),
    )


def as_event(hook: Hook) -> dict[str, Any]:
    """The event of a hook that waits, as far as `parse_hook_change` reads it."""
    return {
        "source": "aws.ecs",
        "detail": {
            "eventName": _HOOK_WAITS,
            "hookType": "PAUSE",
            "hookId": hook.execution_id,
            "serviceDeploymentArn": hook.service_deployment_arn,
            "lifecycleStage": hook.stage,
            "expiresAt": hook.deadline and hook.deadline.isoformat(),
        },
    }


def parse_wake_up(event: Any) -> str | None:
    """The ARN of a service one of whose deployments has ended; None of any other change.

    None also of a service whose ARN is of the old kind, which does not say the cluster. Raises
    EventError for what is no such event.
    """
    detail = _detail(event, _DEPLOYMENT_CHANGE)
    resources = event.get("resources")
    service = resources[0] if isinstance(resources, list) and resources else None
    if not (isinstance(service, str) and ":service/" in service):
        raise EventError({"resources": "has no service"}, _DEPLOYMENT_CHANGE)
    has_cluster = service.partition(":service/")[2].count("/") == 1
    return service if has_cluster and detail.get("eventName") in _DEPLOYMENT_ENDS else None


def _detail(event: Any, wanted: str) -> dict[str, Any]:
    detail = event.get("detail") if isinstance(event, dict) else None
    if not isinstance(detail, dict):
        raise EventError({"detail": "is missing"}, wanted)
    return detail


def _deadline(detail: dict[str, Any]) -> datetime | None:
    """Until when a hook waits, if its event says so in a way that can be read."""
    try:
        at = datetime.fromisoformat(detail["expiresAt"])
    except (KeyError, TypeError, ValueError):
        return None
    return at.astimezone(UTC).replace(microsecond=0) if at.tzinfo else None


def _hook(arn: str, hook_id: str, stage: Any, deadline: datetime | None) -> Hook:
    return Hook(
        gate_id_of(arn, hook_id),
        hook_id,
        EngineName.ECS,
        arn,
        stage if isinstance(stage, str) else None,
        deadline,
    )


class Ecs:
    """ECS in one account and region: see Engine."""

    name = EngineName.ECS
    time_to_decide = _WAITS_FOR
    # A pause may be as long as a weekend: only who says so wants an end of ours.
    ends_within: timedelta | None = None
    # A deployment that goes on may bake, and pause again, and of a rollback there may be no event.
    watched_for = timedelta(days=2)
    can_wait = True

    def __init__(self, client: "ECSClient") -> None:
        self._client = client
        self._doubt = Doubt()

    def describe(self, hook: Hook) -> Deployment:
        """What ECS says of a hook's service deployment. Raises EngineError."""
        found = self._read(_arn(hook))
        named = _ARN.fullmatch(_arn(hook))
        return Deployment(
            cluster=named and named["cluster"],
            service=named and named["service"],
            traffic=_traffic(found),
            is_first=not found.get("sourceServiceRevisions"),
            status=found.get("status"),
            has_ended=found.get("status") in _OUTCOMES,
            error=found.get("statusReason"),
        )

    def lifecycle(self, hook: Hook) -> Lifecycle:
        """Where a PAUSE hook stands. Raises EngineError."""
        found = self._read(_arn(hook))
        return _lifecycle(_listed(hook, found), found)

    def is_answered(self, lifecycle: Lifecycle, since: datetime | None) -> bool:
        """Whether a hook has its answer; one that is not listed, if its gate was there before."""
        is_gone = lifecycle.status == _GONE and since is not None
        return is_gone or lifecycle.status in (*_ANSWERED, _OVER, _STOPPED)

    def report(self, hook: Hook, *, succeeded: bool) -> None:
        """Answers a hook: `CONTINUE` lets the deployment go on, `ROLLBACK` takes it back.

        AWS does not say what a second answer comes to. So the hook is read again, whatever ECS has
        said: where it has another answer than this one, this one was not taken. Raises as Engine
        has it.
        """
        action = TimeoutAction.CONTINUE if succeeded else TimeoutAction.ROLLBACK
        wanted = GateStatus.APPROVED if succeeded else GateStatus.REJECTED
        try:
            with self._doubt.about(self._client, _ANSWER):
                answer = self._call(
                    _ANSWER,
                    serviceDeploymentArn=_arn(hook),
                    hookId=hook.execution_id,
                    action=action.value,
                )
        except (EngineDeniedError, HookRefusedError):
            raise
        except EngineError as exc:
            if self._status(hook) in (None, _AWAITS):
                raise
            in_doubt = self._doubt.is_left
            raise HookAnsweredError(
                self.name, exc.operation, exc.reason, in_doubt=in_doubt
            ) from exc
        try:
            found = self._read(_arn(hook))
        except EngineError:
            return
        status = _lifecycle(_listed(hook, found), found).status
        if status == _GONE and not succeeded:
            raise EngineError(self.name, _ANSWER, "the deployment goes on, as far as ECS shows")
        is_ignored = status == _STOPPED or (status == _OVER and succeeded)
        if is_ignored or _ANSWERED.get(str(status), wanted) is not wanted:
            # One that is not listed any more may have let a deployment go on that failed then.
            in_doubt = status == _OVER and not _is_rolled_back_before(found, answer)
            raise HookAnsweredError(self.name, _ANSWER, f"the hook is {status}", in_doubt=in_doubt)

    def _status(self, hook: Hook) -> str | None:
        """Where a hook stands; None if ECS does not say."""
        try:
            return self.lifecycle(hook).status
        except EngineError:
            return None

    def settlement(self, gate: Gate, now: datetime) -> Settlement:
        """What became of a gate's hook that takes no answer any more: see Engine.

        One that is not listed has let its deployment go on, if that does.
        """
        found = self._read(_arn(gate.hook))
        held = _listed(gate.hook, found)
        status, action = held.get("status", _GONE), _action(held) or gate.timeout_action
        is_inferred = status not in _ANSWERED
        is_live = found.get("status") == "SUCCESSFUL"
        if (status == _GONE and not _is_over(found)) or (is_inferred and is_live):
            is_silent = now >= gate.deadline and action is TimeoutAction.CONTINUE
            status = "TIMED_OUT" if is_silent else "SUCCEEDED"
        elif status == _GONE and _has_timed_out(gate, found):
            status, action = "TIMED_OUT", TimeoutAction.ROLLBACK
        if status in _ANSWERED:
            is_over_time = status == "TIMED_OUT"
            return Settlement(
                _ANSWERED[status],
                gate.deadline if is_over_time else None,
                None if status == "SUCCEEDED" else _reason(found),
                timeout_action=action if is_over_time else None,
                is_inferred=is_inferred,
            )
        if _is_over(found):
            ended = found.get("stoppedAt") or found.get("finishedAt")
            return Settlement(
                GateStatus.REJECTED,
                _utc(ended),
                found.get("statusReason"),
                is_answered=False,
                is_inferred=status == _GONE and found.get("status") not in _STOPPING,
            )
        raise EngineError(self.name, _READ, f"the hook is {status}")

    def endings(self, deployment: str, hook: Hook | None = None) -> list[tuple[str, Ending | None]]:
        """What became of a service deployment, by its ARN, for the gate of each hook of it."""
        found = self._read(deployment)
        outcome = _OUTCOMES.get(str(found.get("status")))
        ended = found.get("finishedAt") or found.get("stoppedAt") or found.get("updatedAt")
        ending = Ending(outcome, _utc(ended), _reason(found)) if outcome else None
        gates = {gate_id_of(deployment, one["hookId"]) for one in _hooks_in(found)}
        gates |= {hook.deployment_id} if hook else set()
        return [(gate_id, ending) for gate_id in sorted(gates)]

    def latest(self, service_arn: str) -> list[str]:
        """The ARNs of those of the last deployments of a service whose hooks are listed.

        Raises EngineError: HookUnknownError for a service that ECS does not know any more.
        """
        cluster, name = service_arn.split("/")[-2:]
        page = self._call(
            "ListServiceDeployments", service=name, cluster=cluster, maxResults=_LATEST
        )
        arns = [one["serviceDeploymentArn"] for one in page.get("serviceDeployments", [])]
        found = self._call(_READ, serviceDeploymentArns=arns)["serviceDeployments"] if arns else []
        return [one["serviceDeploymentArn"] for one in found if _hooks_in(one)]

    def waiting(self, pattern: str, is_time_left: Callable[[], bool]) -> Iterator[Hook]:
        """The PAUSE hooks that wait, of the services of a pattern: `cluster/service` with `*`.

        In random order: where there is no time for all, it is not always the same ones that are
        left out. Raises EngineError.
        """
        of_clusters = pattern.partition("/")[0]
        for cluster in _shuffled(self._pages("ListClusters", "clusterArns")):
            name = cluster.rpartition("/")[2]
            if not fnmatchcase(name, of_clusters):
                continue
            if not is_time_left():
                return
            services = [
                arn
                for arn in _shuffled(self._pages("ListServices", "serviceArns", cluster=cluster))
                if fnmatchcase(f"{name}/{arn.rpartition('/')[2]}", pattern)
            ]
            for start in range(0, len(services), _SERVICES_AT_ONCE):
                if not is_time_left():
                    return
                some = services[start : start + _SERVICES_AT_ONCE]
                described = self._call("DescribeServices", cluster=cluster, services=some)
                current = [one.get("currentServiceDeployment") for one in described["services"]]
                arns = [arn for arn in current if arn]
                if arns:
                    yield from self._waiting_in(arns)

    def _waiting_in(self, arns: list[str]) -> Iterator[Hook]:
        found = self._call(_READ, serviceDeploymentArns=arns)["serviceDeployments"]
        for deployment in found:
            arn, stage = deployment["serviceDeploymentArn"], deployment.get("lifecycleStage")
            for hook in _hooks_in(deployment):
                if hook.get("status") == _AWAITS:
                    yield _hook(arn, hook["hookId"], stage, _utc(hook.get("expiresAt")))

    def pointers(self, hook: Hook, table: str) -> Pointers:
        """What a message about a hook leads to: the console, and the commands that answer it."""
        return Pointers(
            console_url=self._console_url(_arn(hook)),
            commands=Commands(
                self._command(hook, TimeoutAction.CONTINUE),
                self._command(hook, TimeoutAction.ROLLBACK),
            ),
            options=("--region", self._region, "--table", table),
        )

    def _console_url(self, arn: str) -> str:
        """The page of a deployment's service in the AWS console."""
        named = _ARN.fullmatch(arn)
        page = f"clusters/{named['cluster']}/services/{named['service']}" if named else "clusters"
        return f"https://{console(self._region)}/ecs/v2/{page}/deployments?region={self._region}"

    @property
    def _region(self) -> str:
        region: str = self._client.meta.region_name
        return region

    def _command(self, hook: Hook, action: TimeoutAction) -> str:
        return shlex.join(
            [
                *("aws", "ecs", "continue-service-deployment"),
                *("--region", self._region),
                *("--service-deployment-arn", _arn(hook)),
                *("--hook-id", hook.execution_id),
                *("--action", action.value),
            ]
        )

    def _read(self, arn: str) -> Any:
        """What ECS says of a service deployment. Raises EngineError."""
        answer = self._call(_READ, serviceDeploymentArns=[arn])
        if answer.get("serviceDeployments"):
            return answer["serviceDeployments"][0]
        raise HookUnknownError(self.name, _READ, _MISSING, in_doubt=False)

    def _pages(self, operation: str, name: str, **request: Any) -> Iterator[str]:
        while True:
            page = self._call(operation, maxResults=_LISTED_AT_ONCE, **request)
            yield from page.get(name, [])
            if not page.get("nextToken"):
                return
            request["nextToken"] = page["nextToken"]

    def _call(self, operation: str, **request: Any) -> Any:
        """Calls an operation by the name that AWS gives it."""
        call = getattr(self._client, xform_name(operation))
        try:
            return call(**request)
        except ClientError as exc:
            reason = exc.response["Error"]["Code"]
            if reason in _DENIALS:
                in_doubt = operation == _ANSWER and self._doubt.is_left
                raise EngineDeniedError(self.name, operation, reason, in_doubt=in_doubt) from exc
            if reason in _UNKNOWN:
                raise HookUnknownError(self.name, operation, reason, in_doubt=False) from exc
            raise EngineError(self.name, operation, reason) from exc
        except BotoCoreError as exc:
            raise EngineError(self.name, operation, type(exc).__name__) from exc


def _arn(hook: Hook) -> str:
    """The ARN of a hook's service deployment; empty where only the id of its gate is known."""
    return hook.service_deployment_arn or ""


def _hooks_in(deployment: Any) -> list[Any]:
    """What ECS says of the PAUSE hooks of a service deployment."""
    hooks = deployment.get("lifecycleHookDetails", [])
    return [one for one in hooks if one.get("targetType") == "PAUSE" and is_hook_id(one["hookId"])]


def _is_over(deployment: Any) -> bool:
    """Whether nothing is decided about a deployment any more."""
    return deployment.get("status") in (*_OUTCOMES, *_ABOUT_TO_END)


def _listed(hook: Hook, deployment: Any) -> Any:
    """What ECS says of a hook of a deployment; empty for one that it does not list."""
    found = (one for one in _hooks_in(deployment) if one["hookId"] == hook.execution_id)
    return next(found, {})


def _lifecycle(held: Any, deployment: Any) -> Lifecycle:
    """Where a hook of a deployment stands; ECS does not say since when."""
    status = held.get("status", _GONE)
    waits = status == _AWAITS
    if status not in _ANSWERED and _is_over(deployment):
        ends = {"SUCCESSFUL": "SUCCEEDED", **dict.fromkeys(_STOPPING, _STOPPED)}
        status = ends.get(deployment["status"], _OVER)
    return Lifecycle(
        status,
        deadline=_utc(held.get("expiresAt")) if waits else None,
        timeout_action=_action(held),
    )


def _is_rolled_back_before(deployment: Any, answer: Any) -> bool:
    """Whether a rollback began before ECS answered a call, by ECS's own clock.

    Also where either moment is not known.
    """
    began = deployment.get("rollback", {}).get("startedAt")
    try:
        answered = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    except (KeyError, ValueError):
        return True
    return began is None or began < answered


def _has_timed_out(gate: Gate, deployment: Any) -> bool:
    """Whether a deployment's rollback began when the time of a gate was over."""
    began = deployment.get("rollback", {}).get("startedAt")
    return began is not None and gate.deadline <= began < gate.deadline + _TIMES_OUT_WITHIN


def _action(held: Any) -> TimeoutAction | None:
    """What ECS does where nobody decides about a hook in time, if it says so."""
    action = held.get("timeoutAction")
    return TimeoutAction(action) if action in tuple(TimeoutAction) else None


def _shuffled(names: Iterator[str]) -> list[str]:
    known = list(names)
    return random.sample(known, len(known))


def _traffic(deployment: Any) -> str | None:
    """How a deployment shifts traffic, where it does not do so at once."""
    configuration = deployment.get("deploymentConfiguration", {})
    canary = configuration.get("canaryConfiguration", {}).get("canaryPercent")
    linear = configuration.get("linearConfiguration", {}).get("stepPercent")
    match configuration.get("strategy"):
        case "CANARY" if canary:
            return f"CANARY {canary:g} %"
        case "LINEAR" if linear:
            return f"LINEAR {linear:g} %"
    return None


def _reason(deployment: Any) -> str | None:
    """Why a deployment ended as it did, in ECS's words."""
    said: str | None = deployment.get("rollback", {}).get("reason")
    return said or deployment.get("statusReason")


def _utc(moment: datetime | None) -> datetime | None:
    return moment and moment.astimezone(UTC).replace(microsecond=0)
