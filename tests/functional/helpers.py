"""What functional tests share: the gate that they are about, and what befalls it."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends

from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.codedeploy import REGION
from tests.conftest import load_event
from tests.template import ACCOUNT

EVENT = load_event("hook/documented_example")
RECORD = load_event("failure/on_failure_record")
HOOK = ("d-LOCALTEST", "hook-local")
FAILED = {"deployment_id": "d-LOCALTEST", "failed": True}
LEFT_ALONE = {"deployment_id": "d-LOCALTEST", "failed": False}
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
REPORT = "PutLifecycleEventHookExecutionStatus"
ARN = "arn:aws:sts::123456789012:user/moto"
WEBHOOK = "https://hooks.slack.com/services/T0000/B0000/a-secret-path"
# Where a call goes: what the policy has to allow it on.
ARNS = {
    "dynamodb": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Table",
    "codedeploy": f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:shop/shop-blue-green",
}
# Actions without a resource type in AWS's service authorization reference: asked of `*`.
ON_NO_RESOURCE = {"codedeploy:ListDeploymentTargets", "codedeploy:GetDeploymentTarget"}


def gate(aws: AwsStandIn) -> dict[str, Any]:
    (item,) = aws.items()
    return plain(item)


def events(aws: AwsStandIn) -> list[str]:
    """What the gate's history says happened."""
    return [entry["event"] for entry in gate(aws)["history"]]


def plain(item: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """An item without DynamoDB's types; a number is text, as DynamoDB sends it."""
    return {name: value_of(*typed.items()) for name, typed in item.items()}


def value_of(typed: tuple[str, Any]) -> Any:
    kind, value = typed
    if kind == "L":
        return [value_of(*one.items()) for one in value]
    return plain(value) if kind == "M" else value


def whole(message: Any) -> str:
    return json.dumps(message, ensure_ascii=False)


def is_notice(message: Any) -> bool:
    return bool(message.get("response_type") == "ephemeral")


def record(error: Any = None, event: Any = EVENT) -> dict[str, Any]:
    return {**RECORD, "requestPayload": event, "responsePayload": error}


def change(
    aws: AwsStandIn,
    expression: str,
    values: dict[str, Any] | None = None,
    names: dict[str, str] | None = None,
) -> None:
    aws.client("dynamodb").update_item(
        TableName=TABLE,
        Key={"deployment_id": {"S": "d-LOCALTEST"}},
        UpdateExpression=expression,
        **({"ExpressionAttributeValues": values} if values else {}),
        **({"ExpressionAttributeNames": names} if names else {}),
    )


def put(execution_id: str) -> None:
    """Another try's fresh gate, put past the stand-in's lock, in the middle of a call."""
    table = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_table(TABLE)
    texts = {
        "deployment_id": "d-LOCALTEST",
        "hook_execution_id": execution_id,
        "status": "WAITING",
        "deadline": NOW.isoformat(),
        "lease_until": (NOW + timedelta(minutes=1)).isoformat(),
    }
    table.put_item({name: {"S": text} for name, text in texts.items()})


def answer_elsewhere(aws: AwsStandIn, status: str) -> None:
    """Answers the hook as a person does with the AWS CLI."""
    aws.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=HOOK[0], lifecycleEventHookExecutionId=HOOK[1], status=status
    )
    aws.operations.clear()


def without_index(aws: AwsStandIn) -> None:
    """A table as people have it whose hook function was hand-written."""
    dynamodb = aws.client("dynamodb")
    dynamodb.update_table(
        TableName=TABLE,
        GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "status-deadline"}}],
    )
