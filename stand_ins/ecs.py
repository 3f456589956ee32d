"""What moto's ECS does not know: service deployments, their PAUSE hooks and what they deploy.

A deployment, its revisions and its hooks have the names of AWS's own answers, in snake case: moto
answers with what it finds under them.
"""

import hashlib
from base64 import urlsafe_b64encode
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from botocore.validate import ParamValidator
from moto.core.exceptions import AWSError
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult
from moto.core.utils import get_service_model
from moto.ecs.models import EC2ContainerServiceBackend, Service, ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse

from stand_ins.codedeploy import REGION

CLUSTER = "production"
SERVICE = "shop"
DEPLOYMENT_ID = "0EYSiB0qap8xf0N76FsbE"
HOOK_ID = "ecs-pause-e7tK9G_WRJqNF_EOMjztDXfKenlJuEUVjsNStf4WLKw"
CONTAINER = "app"
SOURCE_TAG, TARGET_TAG = "2026.10", "2026.11"
ENDS = ("SUCCESSFUL", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED", "STOPPED")
MOST_ARNS = 20
MOST_LISTED = 100
USUALLY_LISTED = 20

Strategy = Literal["BLUE_GREEN", "LINEAR", "CANARY", "ROLLING"]
Action = Literal["CONTINUE", "ROLLBACK"]
# What AWS documents nowhere: how it answers who answers a hook that does not wait any more.
SecondAnswer = Literal["accepted", "refused", "client_error", "server_error"]

# What a strategy is configured with, where nobody says anything else.
STEPS: dict[Strategy, dict[str, Any]] = {
    "BLUE_GREEN": {},
    "ROLLING": {},
    "LINEAR": {"linearConfiguration": {"stepPercent": 10.0, "stepBakeTimeInMinutes": 6}},
    "CANARY": {"canaryConfiguration": {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 10}},
}
# The error that a second answer is, and its HTTP status.
REFUSALS: dict[SecondAnswer, tuple[str, int]] = {
    "refused": ("InvalidParameterException", 400),
    "client_error": ("ClientException", 400),
    "server_error": ("ServerException", 500),
}
BEGUN = "SERVICE_DEPLOYMENT_IN_PROGRESS"
# The type of the event that a deployment has a new state, and what it says of why.
STATES = {
    BEGUN: ("INFO", "ECS deployment {} in progress."),
    "SERVICE_DEPLOYMENT_COMPLETED": ("INFO", "ECS deployment {} completed."),
    "SERVICE_DEPLOYMENT_FAILED": ("ERROR", "ECS deployment circuit breaker: task failed to start."),
}
ROLLING_BACK = "ECS deployment circuit breaker: rolling back to deploymentId {}."
# AWS's description of ECS: what a request has to bring.
MODEL = get_service_model("ecs")


@dataclass
class Hook:
    """A PAUSE hook of a deployment, and the stage at which that waits for an answer.

    `answer`: the one that it has taken, if any, which ECS itself does not tell.
    """

    hook_id: str
    stage: str
    expires_at: datetime
    timeout_action: Action
    updated_at: datetime
    status: str = "AWAITING_ACTION"
    target_type: str = "PAUSE"
    answer: Action | None = None


@dataclass
class Revision:
    """A version of a service: its task definition, and the image of each container."""

    service_revision_arn: str
    service_arn: str
    cluster_arn: str
    task_definition: str
    container_images: list[dict[str, str]]
    created_at: datetime
    launch_type: str = "FARGATE"

    @property
    def summary(self) -> dict[str, Any]:
        """How it is shown in a deployment."""
        counts = {"requestedTaskCount": 1, "runningTaskCount": 1, "pendingTaskCount": 0}
        return {"arn": self.service_revision_arn, **counts}


@dataclass
class Deployment:
    """A deployment of a service; `second_answer` is what a second answer to a hook comes to.

    `forgets_hooks`: it lists only those that wait.
    """

    service_deployment_arn: str
    service_arn: str
    cluster_arn: str
    source_service_revisions: list[dict[str, Any]]
    target_service_revision: dict[str, Any]
    deployment_configuration: dict[str, Any]
    created_at: datetime
    started_at: datetime
    updated_at: datetime
    status: str = "IN_PROGRESS"
    status_reason: str | None = None
    lifecycle_stage: str = "SCALE_UP"
    hooks: list[Hook] = field(default_factory=list)
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    rollback: dict[str, Any] | None = None
    second_answer: SecondAnswer = "refused"
    forgets_hooks: bool = False

    @property
    def lifecycle_hook_details(self) -> list[Hook]:
        """The hooks that it lists."""
        return [
            one for one in self.hooks if one.status == "AWAITING_ACTION" or not self.forgets_hooks
        ]

    @property
    def place(self) -> list[str]:
        """The names of its cluster and its service."""
        return self.service_arn.split("/")[1:]

    @property
    def target_service_revision_arn(self) -> str:
        """What it deploys, as lists of deployments show it."""
        return str(self.target_service_revision["arn"])

    def hook(self, hook_id: str) -> Hook:
        """One of its hooks; a KeyError if it has none of this id."""
        return {one.hook_id: one for one in self.hooks}[hook_id]

    def waits_for(self, hook: Hook) -> bool:
        """Whether an answer to a hook changes anything."""
        return (self.status, hook.status) == ("IN_PROGRESS", "AWAITING_ACTION")

    def end_hook(self, hook: Hook, status: str) -> None:
        """Ends a hook, now."""
        hook.status = status
        hook.updated_at = self.updated_at = datetime.now(UTC)

    def end(self, status: str, reason: str | None = None) -> None:
        """Ends, now."""
        self.status, self.status_reason = status, reason
        self.finished_at = self.updated_at = datetime.now(UTC)


def deployment_arn(
    deployment_id: str = DEPLOYMENT_ID, *, cluster: str = CLUSTER, service: str = SERVICE
) -> str:
    """The ARN of a deployment of a service."""
    start = f"arn:aws:ecs:{REGION}:{DEFAULT_ACCOUNT_ID}:service-deployment"
    return f"{start}/{cluster}/{service}/{deployment_id}"


def hook_id_for(name: str) -> str:
    """An id like those of ECS's PAUSE hooks: the same for the same name."""
    return f"ecs-pause-{urlsafe_b64encode(hashlib.sha256(name.encode()).digest()).decode()[:-1]}"


def add_deployment(arn: str, strategy: Strategy = "BLUE_GREEN", *, first: bool = False) -> None:
    """Puts a deployment into moto's ECS, which has none, with its cluster and its service.

    The first deployment of a service has no source revision. Whatever region the ARN names, as
    those in AWS's samples do, the deployment is found in the stand-ins' own.
    """
    source = None if first else _add_revision(arn, SOURCE_TAG)
    target = _add_revision(arn, TARGET_TAG)
    now = datetime.now(UTC)
    deployments()[arn] = deployment = Deployment(
        service_deployment_arn=arn,
        service_arn=target.service_arn,
        cluster_arn=target.cluster_arn,
        source_service_revisions=[source.summary] if source else [],
        target_service_revision=target.summary,
        deployment_configuration={"strategy": strategy, **deepcopy(STEPS[strategy])},
        created_at=now,
        started_at=now,
        updated_at=now,
    )
    cluster, service = deployment.place
    backend, key = _backend(), f"{cluster}:{service}"
    if cluster not in backend.clusters:
        backend.create_cluster(cluster)
    if key not in backend.services:
        backend.create_service(cluster, service, 1, launch_type="FARGATE")
    backend.services[key].task_definition = target.task_definition
    backend.services[key].deployments[0]["id"] = _id_in_service(arn)


def pause(
    arn: str,
    hook_id: str,
    *,
    stage: str = "POST_TEST_TRAFFIC_SHIFT",
    minutes: int = 1440,
    action: Action = "ROLLBACK",
) -> None:
    """Starts a PAUSE hook of a deployment; without an answer in time, it does its action."""
    deployment, now = deployments()[arn], datetime.now(UTC)
    hook = Hook(hook_id, stage, now + timedelta(minutes=minutes), action, now)
    deployment.hooks.append(hook)
    deployment.lifecycle_stage, deployment.updated_at = stage, now


def answer(arn: str, hook_id: str, action: Action = "CONTINUE") -> None:
    """Answers a hook, as people do in the console, too.

    Other hooks that wait stay as they are, even if this one rolls the deployment back.
    """
    deployment = deployments()[arn]
    try:
        hook = deployment.hook(hook_id)
    except KeyError:
        raise _invalid(f"no hook {hook_id} in {arn}") from None
    if not deployment.waits_for(hook):
        if deployment.second_answer != "accepted":
            code, status = REFUSALS[deployment.second_answer]
            raise AWSError(f"hook {hook_id} awaits no action", code, status)
        return
    hook.answer = action
    if action == "CONTINUE":
        deployment.end_hook(hook, "SUCCEEDED")
    else:
        deployment.end_hook(hook, "FAILED")
        begin_rollback(arn, f"Lifecycle hook {hook_id} was rolled back.")


def give_up(arn: str, hook_id: str) -> None:
    """Lets a hook time out that still waits: what its deployment does then, the hook says."""
    deployment = deployments()[arn]
    hook = deployment.hook(hook_id)
    if deployment.waits_for(hook):
        deployment.end_hook(hook, "TIMED_OUT")
        if hook.timeout_action == "ROLLBACK":
            begin_rollback(arn, f"Lifecycle hook {hook_id} timed out.")


def finish(arn: str) -> None:
    """Lets all of a deployment's hooks that wait succeed, and the deployment with them."""
    deployment = deployments()[arn]
    for hook in deployment.hooks:
        if deployment.waits_for(hook):
            deployment.end_hook(hook, "SUCCEEDED")
    deployment.lifecycle_stage = "CLEAN_UP"
    deployment.end("SUCCESSFUL")


def begin_rollback(arn: str, reason: str) -> None:
    """Starts to roll a deployment back, to its source revision if it has one."""
    deployment, now = deployments()[arn], datetime.now(UTC)
    deployment.status, deployment.status_reason = "ROLLBACK_IN_PROGRESS", reason
    deployment.rollback = {"reason": reason, "startedAt": now}
    for source in deployment.source_service_revisions:
        deployment.rollback["serviceRevisionArn"] = source["arn"]
    deployment.updated_at = now


def roll_back(arn: str, reason: str = "The circuit breaker was triggered.") -> None:
    """Rolls a deployment back to the end, which fails where there is nothing to go back to.

    The reason is that of a rollback that has not begun yet.
    """
    deployment = deployments()[arn]
    if deployment.status != "ROLLBACK_IN_PROGRESS":
        begin_rollback(arn, reason)
    if deployment.source_service_revisions:
        deployment.end("ROLLBACK_SUCCESSFUL", deployment.status_reason)
    else:
        deployment.end("ROLLBACK_FAILED", "There is no service revision to roll back to.")


def stop(arn: str) -> None:
    """Stops a deployment, as a person does in the console; hooks that wait stay as they are."""
    deployment = deployments()[arn]
    deployment.end("STOPPED", "The deployment was stopped by a user.")
    deployment.stopped_at = deployment.finished_at


def hook_event(arn: str, hook_id: str, event_name: str) -> dict[str, Any]:
    """ECS's event that a hook's state has changed, as AWS documents it."""
    deployment = deployments()[arn]
    hook = deployment.hook(hook_id)
    detail = {
        "eventType": "INFO",
        "eventName": event_name,
        "hookId": hook_id,
        "hookType": hook.target_type,
        "expiresAt": f"{hook.expires_at:%Y-%m-%dT%H:%M:%SZ}",
        "lifecycleStage": hook.stage,
        "clusterArn": deployment.cluster_arn,
        "serviceArn": deployment.service_arn,
        "serviceDeploymentArn": arn,
        "updatedAt": f"{hook.updated_at:%Y-%m-%dT%H:%M:%S.%f}000Z",  # to the nanosecond
    }
    return _event("ECS Hook State Change", arn, detail)


def state_change(arn: str, event_name: str) -> dict[str, Any]:
    """ECS's event that a service's deployment has a new state, as AWS documents it.

    It names the service, and has another id of its deployment than the service deployment's ARN.
    """
    deployment = deployments()[arn]
    kind, reason = STATES[event_name]
    if event_name == BEGUN and deployment.status == "ROLLBACK_IN_PROGRESS":
        reason = ROLLING_BACK
    detail = {
        "eventType": kind,
        "eventName": event_name,
        "deploymentId": _id_in_service(arn),
        "updatedAt": f"{deployment.updated_at:%Y-%m-%dT%H:%M:%SZ}",
        "reason": reason.format(_id_in_service(arn)),
    }
    return _event("ECS Deployment State Change", deployment.service_arn, detail)


def deployments(region: str = REGION) -> dict[str, Deployment]:
    """All service deployments of moto's ECS, by ARN."""
    known: dict[str, Deployment] = _kept("service_deployments", region)
    return known


def revisions(region: str = REGION) -> dict[str, Revision]:
    """All service revisions of moto's ECS, by ARN."""
    known: dict[str, Revision] = _kept("service_revisions", region)
    return known


def _kept(name: str, region: str) -> Any:
    """What moto's own state has under a name, and forgets with all the rest."""
    return vars(_backend(region)).setdefault(name, {})


def _backend(region: str = REGION) -> EC2ContainerServiceBackend:
    return ecs_backends[DEFAULT_ACCOUNT_ID][region]


def _add_revision(arn: str, tag: str) -> Revision:
    """Puts a revision of a deployment's service into moto's ECS, with its task definition."""
    start, _, path = arn.partition(":service-deployment/")
    cluster, service, _ = path.split("/")
    image = f"{DEFAULT_ACCOUNT_ID}.dkr.ecr.{REGION}.amazonaws.com/{service}:{tag}"
    digest = f"sha256:{hashlib.sha256(image.encode()).hexdigest()}"
    container = {"name": CONTAINER, "image": image, "memory": 512}
    revision = Revision(
        service_revision_arn=f"{start}:service-revision/{cluster}/{service}/{_number(arn + tag)}",
        service_arn=f"{start}:service/{cluster}/{service}",
        cluster_arn=f"{start}:cluster/{cluster}",
        task_definition=_backend().register_task_definition(service, [container]).arn,
        container_images=[{"containerName": CONTAINER, "image": image, "imageDigest": digest}],
        created_at=datetime.now(UTC),
    )
    revisions()[revision.service_revision_arn] = revision
    return revision


def _id_in_service(arn: str) -> str:
    """What a service calls its deployment, and the event that this has a new state."""
    return f"ecs-svc/{_number(arn)}"


def _number(name: str) -> int:
    """A number like those in ECS's ids: the same for the same name."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:7])


def _event(kind: str, resource: str, detail: dict[str, Any]) -> dict[str, Any]:
    region, account = resource.split(":")[3:5]
    return {
        "version": "0",
        "id": "3329f79b-3dca-07f8-b1c2-5fe99f0b5e87",
        "detail-type": kind,
        "source": "aws.ecs",
        "account": account,
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "resources": [resource],
        "detail": detail,
    }


def _invalid(message: str) -> AWSError:
    return AWSError(message, "InvalidParameterException")


def _asked(response: EC2ContainerServiceResponse) -> dict[str, Any]:
    """What a request brings, if AWS's description of ECS allows it."""
    asked: dict[str, Any] = response.params
    shape: Any = MODEL.operation_model(response._get_action()).input_shape
    report = ParamValidator().validate(asked, shape)
    if report.has_errors():
        raise _invalid(report.generate_report())
    for name, value in asked.items():
        member = shape.members[name]
        listed = getattr(getattr(member, "member", member), "enum", [])
        values = value if isinstance(value, list) else [value]
        if listed and not {*values} <= {*listed}:
            raise _invalid(f"{name} is none of {', '.join(listed)}")
    return asked


def _continue(response: EC2ContainerServiceResponse) -> ActionResult:
    asked = _asked(response)
    arn = asked["serviceDeploymentArn"]
    if arn not in deployments(response.region):
        raise AWSError(f"no service deployment {arn}", "ServiceDeploymentNotFoundException")
    answer(arn, asked["hookId"], asked.get("action", "CONTINUE"))
    return ActionResult({"serviceDeploymentArn": arn})


def _found(arns: list[str], known: dict[str, Any]) -> tuple[list[Any], list[dict[str, str]]]:
    """What is known of the ARNs of a request, and which of them are not."""
    if len(arns) > MOST_ARNS:
        raise _invalid(f"more than {MOST_ARNS} ARNs")
    missing = [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known]
    return [known[arn] for arn in arns if arn in known], missing


def _describe_deployments(response: EC2ContainerServiceResponse) -> ActionResult:
    arns = _asked(response)["serviceDeploymentArns"]
    found, failures = _found(arns, deployments(response.region))
    return ActionResult({"serviceDeployments": found, "failures": failures})


def _describe_revisions(response: EC2ContainerServiceResponse) -> ActionResult:
    arns = _asked(response)["serviceRevisionArns"]
    found, failures = _found(arns, revisions(response.region))
    return ActionResult({"serviceRevisions": found, "failures": failures})


def _list_deployments(response: EC2ContainerServiceResponse) -> ActionResult:
    """Lists the deployments of a service, the newest first."""
    asked = _asked(response)
    named = asked["service"].rpartition(":service/")[2]  # an ARN names the cluster, too
    place = [asked.get("cluster", "default").split("/")[-1], *named.split("/")][-2:]
    response.ecs_backend._get_service(*place)
    states = asked.get("status")
    listed = [
        one
        for one in reversed(deployments(response.region).values())
        if one.place == place
        and (not states or one.status in states)
        and _is_within(one.created_at, asked.get("createdAt", {}))
    ]
    token, size = asked.get("nextToken", "0"), asked.get("maxResults", USUALLY_LISTED)
    if not token.isdecimal() or not 0 < size <= MOST_LISTED:
        raise _invalid("no such page")
    end = int(token) + size
    more = {"nextToken": str(end)} if end < len(listed) else {}
    return ActionResult({"serviceDeployments": listed[int(token) : end], **more})


def _is_within(time: datetime, bounds: dict[str, datetime]) -> bool:
    """Whether a time is between two of a request, of which moto drops the zone."""
    after, before = bounds.get("after"), bounds.get("before")
    time = time.replace(tzinfo=None)
    return not (after and time <= after) and not (before and before <= time)


def _current(service: Service) -> str | None:
    """The deployment of a service that has not ended, which moto answers by this name."""
    place = [service.cluster_name, service.name]
    under_way = [
        arn
        for arn, one in deployments(service.region_name).items()
        if one.place == place and one.status not in ENDS
    ]
    return under_way[-1] if under_way else None


Service.current_service_deployment = property(_current)  # type: ignore[attr-defined]
EC2ContainerServiceResponse.continue_service_deployment = _continue  # type: ignore[attr-defined]
EC2ContainerServiceResponse.describe_service_deployments = (  # type: ignore[attr-defined]
    _describe_deployments
)
EC2ContainerServiceResponse.describe_service_revisions = (  # type: ignore[attr-defined]
    _describe_revisions
)
EC2ContainerServiceResponse.list_service_deployments = (  # type: ignore[attr-defined]
    _list_deployments
)
