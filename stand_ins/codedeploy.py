"""What moto's CodeDeploy does not know: hooks, their events, and what deployments failed of."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.backends import get_backend
from moto.codedeploy import responses
from moto.codedeploy.responses import CodeDeployResponse
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult

REGION = "ap-northeast-2"
APPLICATION = "shop"
DEPLOYMENT_GROUP = "shop-blue-green"
DESCRIPTION = "Release 2026.11: faster checkout"
TARGET_ID = "cluster:shop"
HOOK_EVENT = "AfterAllowTestTraffic"
ENDS = ("Succeeded", "Failed", "Stopped")


def add_deployment(deployment_id: str, client: Any, **names: str) -> None:
    """Puts a deployment with this id into moto's CodeDeploy, which can only make up an id."""
    application = names.get("application", APPLICATION)
    errors = client.exceptions
    with suppress(errors.ApplicationAlreadyExistsException):
        client.create_application(applicationName=application, computePlatform="ECS")
    with suppress(errors.DeploymentGroupAlreadyExistsException):
        client.create_deployment_group(
            applicationName=application,
            deploymentGroupName=names.get("deployment_group", DEPLOYMENT_GROUP),
            serviceRoleArn=f"arn:aws:iam::{DEFAULT_ACCOUNT_ID}:role/codedeploy",
        )
    made_up_id = client.create_deployment(
        applicationName=application,
        deploymentGroupName=names.get("deployment_group", DEPLOYMENT_GROUP),
        description=names.get("description", DESCRIPTION),
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": "{}"}},
    )["deploymentId"]
    deployment = deployments().pop(made_up_id)
    deployment.deployment_id = deployment_id
    deployment.hook_execution_id = names.get("hook_execution_id")  # None: it takes any
    deployments()[deployment_id] = deployment
    restart(deployment_id)


def restart(deployment_id: str) -> None:
    """Lets a deployment wait for its hook again, from now on."""
    deployment = deployments()[deployment_id]
    deployment.status, deployment.error, deployment.earlier_hooks = "InProgress", {}, []
    deployment.hook = _begun(HOOK_EVENT)


def set_status(deployment_id: str, status: str) -> None:
    """Lets a deployment end, or go on."""
    deployment = deployments()[deployment_id]
    deployment.status = status
    deployment.complete_time = datetime.now(UTC) if status in ENDS else None


def complete_hook(deployment_id: str, status: str) -> None:
    """Ends a deployment's hook as `Succeeded` or `Failed`; the latter fails the deployment."""
    deployment = deployments()[deployment_id]
    deployment.hook |= {"status": status, "endTime": datetime.now(UTC)}
    if status == "Failed":
        fail(deployment_id, "HOOK_EXECUTION_FAILURE", "a lifecycle event hook failed")


def go_on(deployment_id: str) -> None:
    """Goes on to another hook of a deployment, after somebody answered the one that waited."""
    complete_hook(deployment_id, "Succeeded")
    deployment = deployments()[deployment_id]
    deployment.earlier_hooks.append(deployment.hook)
    deployment.hook = _begun("BeforeAllowTraffic")


def finish(deployment_id: str) -> None:
    """Lets a deployment's hook succeed, and the deployment with it."""
    complete_hook(deployment_id, "Succeeded")
    set_status(deployment_id, "Succeeded")


def give_up(deployment_id: str) -> None:
    """Lets a deployment's hook time out, an hour after it began."""
    deployment = deployments()[deployment_id]
    ended = deployment.hook["startTime"] + timedelta(hours=1)
    deployment.hook |= {"status": "Failed", "endTime": ended}
    fail(deployment_id, "HOOK_EXECUTION_FAILURE", "the hook did not answer in time")


def stop(deployment_id: str) -> None:
    """Stops a deployment, as a person does in the console."""
    deployments()[deployment_id].hook |= {"status": "Unknown", "endTime": datetime.now(UTC)}
    fail(deployment_id, "MANUAL_STOP", "the deployment was stopped by a user", "Stopped")


def fail(deployment_id: str, code: str, message: str, status: str = "Failed") -> None:
    """Ends a deployment with an error."""
    set_status(deployment_id, status)
    deployments()[deployment_id].error = {"code": code, "message": message}


def begin_rollback(deployment_id: str, rollback_id: str, client: Any, **names: str) -> None:
    """Starts to roll a deployment back that has ended: by a deployment of its own."""
    add_deployment(rollback_id, client, **names)
    rolled_back, rollback = deployments()[deployment_id], deployments()[rollback_id]
    message = f"Deployment {deployment_id} is rolled back by {rollback_id}."
    rolled_back.rollback = {"rollbackDeploymentId": rollback_id, "rollbackMessage": message}
    rollback.creator = "codeDeployRollback"
    rollback.rollback = {
        "rollbackTriggeringDeploymentId": deployment_id,
        "rollbackMessage": message,
    }


def state_change(deployment_id: str, state: str) -> dict[str, Any]:
    """CodeDeploy's event that a deployment's state has changed, as AWS documents it."""
    deployment = deployments()[deployment_id]
    application = deployment.application_name
    group = deployment.deployment_group.deployment_group_name
    start = f"arn:aws:codedeploy:{REGION}:{DEFAULT_ACCOUNT_ID}"
    return {
        "account": DEFAULT_ACCOUNT_ID,
        "region": REGION,
        "detail-type": "CodeDeploy Deployment State-change Notification",
        "source": "aws.codedeploy",
        "version": "0",
        "time": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "id": "c071bfbf-83c4-49ca-a6ff-3df053957145",
        "resources": [
            f"{start}:application:{application}",
            f"{start}:deploymentgroup:{application}/{group}",
        ],
        "detail": {
            "instanceGroupId": "9fd2fbef-2157-40d8-91e7-6845af69e2d2",
            "region": REGION,
            "application": application,
            "deploymentId": deployment_id,
            "state": state,
            "deploymentGroup": group,
        },
    }


def deployments() -> dict[str, Any]:
    """All deployments of moto's CodeDeploy, by id."""
    backend = get_backend("codedeploy")[DEFAULT_ACCOUNT_ID][REGION]
    known: dict[str, Any] = backend.deployments
    return known


def _begun(event: str) -> dict[str, Any]:
    return {"lifecycleEventName": event, "status": "InProgress", "startTime": datetime.now(UTC)}


def _described(deployment: Any) -> dict[str, Any]:
    error, rollback = getattr(deployment, "error", {}), getattr(deployment, "rollback", {})
    described = _described_by_moto(deployment)
    return {**described, "errorInformation": error, "rollbackInfo": rollback}


def _list_targets(response: CodeDeployResponse) -> ActionResult:
    response.codedeploy_backend.get_deployment(response._get_param("deploymentId"))
    return ActionResult({"targetIds": [TARGET_ID]})


def _get_target(response: CodeDeployResponse) -> ActionResult:
    deployment_id = response._get_param("deploymentId")
    deployment: Any = response.codedeploy_backend.get_deployment(deployment_id)
    before = {"lifecycleEventName": "AllowTestTraffic", "status": "Succeeded"}
    target = {
        "deploymentId": deployment_id,
        "targetId": TARGET_ID,
        "lifecycleEvents": [before, *deployment.earlier_hooks, deployment.hook],
    }
    kind = getattr(deployment, "target", "ecsTarget")
    return ActionResult({"deploymentTarget": {kind: target}})


_described_by_moto = responses._deployment_info
responses._deployment_info = _described
CodeDeployResponse.list_deployment_targets = _list_targets  # type: ignore[attr-defined]
CodeDeployResponse.get_deployment_target = _get_target  # type: ignore[attr-defined]
