"""What only CodeDeploy knows: its hook event, its deployments, its console and its commands."""

import re
import shlex
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.data_classes import CodeDeployLifecycleHookEvent
from botocore.exceptions import BotoCoreError, ClientError

from greenlight.errors import CodeDeployError, EventError, HookSettledError
from greenlight.models import Deployment, Hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_codedeploy import CodeDeployClient

# Wider than any id that was ever seen, and still harmless in a key, a message and a command line.
_DEPLOYMENT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
_EXECUTION_ID: Final = re.compile(r"[A-Za-z0-9+/_][A-Za-z0-9+/=_.:-]{0,2047}")

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
        deployment_id=read("DeploymentId", lambda: hook_event.deployment_id, _DEPLOYMENT_ID),
        execution_id=read(
            "LifecycleEventHookExecutionId",
            lambda: hook_event.lifecycle_event_hook_execution_id,
            _EXECUTION_ID,
        ),
    )
    if problems:
        raise EventError(problems)
    return hook


class CodeDeploy:
    """CodeDeploy in one account and region."""

    def __init__(self, client: "CodeDeployClient") -> None:
        self._client = client

    def describe(self, deployment_id: str) -> Deployment:
        """What CodeDeploy says of a deployment. Raises CodeDeployError."""
        try:
            info = self._client.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
        except ClientError as exc:
            raise CodeDeployError("GetDeployment", exc.response["Error"]["Code"]) from exc
        except BotoCoreError as exc:
            raise CodeDeployError("GetDeployment", type(exc).__name__) from exc
        return Deployment(
            application=info.get("applicationName"),
            deployment_group=info.get("deploymentGroupName"),
            description=info.get("description"),
            creator=info.get("creator"),
            status=info.get("status"),
        )

    def fail(self, hook: Hook) -> None:
        """Answers a hook with `Failed`, which fails the deployment.

        Raises HookSettledError if the hook was answered before, else CodeDeployError.
        """
        operation = "PutLifecycleEventHookExecutionStatus"
        try:
            self._client.put_lifecycle_event_hook_execution_status(
                deploymentId=hook.deployment_id,
                lifecycleEventHookExecutionId=hook.execution_id,
                status="Failed",
            )
        except self._client.exceptions.LifecycleEventAlreadyCompletedException as exc:
            raise HookSettledError(operation, exc.response["Error"]["Code"]) from exc
        except ClientError as exc:
            raise CodeDeployError(operation, exc.response["Error"]["Code"]) from exc
        except BotoCoreError as exc:
            raise CodeDeployError(operation, type(exc).__name__) from exc

    def console_url(self, deployment_id: str) -> str:
        """The deployment's page in the AWS console."""
        region = self._client.meta.region_name
        domain = next(name for start, name in _CONSOLES.items() if region.startswith(start))
        return (
            f"https://{region}.{domain}/codesuite/codedeploy/deployments/{deployment_id}"
            f"?region={region}"
        )

    def approve_command(self, hook: Hook) -> str:
        """The AWS CLI command that lets the deployment go on, quoted for a POSIX shell."""
        return self._command(hook, "Succeeded")

    def reject_command(self, hook: Hook) -> str:
        """The AWS CLI command that fails the deployment, quoted for a POSIX shell."""
        return self._command(hook, "Failed")

    def _command(self, hook: Hook, status: str) -> str:
        return shlex.join(
            [
                *("aws", "deploy", "put-lifecycle-event-hook-execution-status"),
                *("--region", self._client.meta.region_name),
                *("--deployment-id", hook.deployment_id),
                *("--lifecycle-event-hook-execution-id", hook.execution_id),
                *("--status", status),
            ]
        )
