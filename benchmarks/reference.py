"""The same job done the plain way: what many teams write for themselves, for comparison."""

import json
import logging
import os
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
from botocore.exceptions import ClientError

log = logging.getLogger()
log.setLevel(logging.INFO)
logging.basicConfig()

table = boto3.resource("dynamodb").Table(os.environ["DYNAMODB_TABLE_NAME"])
codedeploy = boto3.client("codedeploy")


def lambda_handler(event: dict[str, str], _context: Any) -> dict[str, Any]:
    """Stores the deployment, tells Slack, writes down that it did."""
    log.info("Event: %s", json.dumps(event))
    deployment_id = event["DeploymentId"]
    deployment = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
    test_url = os.environ["TEST_URL"].format(
        application=deployment["applicationName"],
        deployment_group=deployment["deploymentGroupName"],
        deployment_id=deployment_id,
    )
    now = datetime.now(UTC)
    try:
        table.put_item(
            Item={
                "deployment_id": deployment_id,
                "hook_execution_id": event["LifecycleEventHookExecutionId"],
                "status": "WAITING",
                "application": deployment["applicationName"],
                "deployment_group": deployment["deploymentGroupName"],
                "test_url": test_url,
                "created_at": now.isoformat(),
                "deadline": (now + timedelta(hours=1)).isoformat(),
                "expires_at": int((now + timedelta(days=90)).timestamp()),
            },
            ConditionExpression="attribute_not_exists(deployment_id)",
        )
    except ClientError as exc:
        if exc.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
        return {"statusCode": 200, "body": json.dumps({"duplicate": True})}
    request = urllib.request.Request(
        os.environ["SLACK_WEBHOOK_URL"],
        json.dumps(message(event, deployment, test_url)).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        log.info("Slack: %s", answer.status)
    table.update_item(
        Key={"deployment_id": deployment_id},
        UpdateExpression="SET notified_at = :now",
        ExpressionAttributeValues={":now": datetime.now(UTC).isoformat()},
    )
    return {"statusCode": 200, "body": json.dumps({"deployment_id": deployment_id})}


def message(event: dict[str, str], deployment: Any, test_url: str) -> dict[str, Any]:
    """A message of the same blocks."""
    command = (
        "aws deploy put-lifecycle-event-hook-execution-status"
        f" --deployment-id {event['DeploymentId']}"
        f" --lifecycle-event-hook-execution-id {event['LifecycleEventHookExecutionId']} --status "
    )
    texts = [
        f"Deployment {event['DeploymentId']}",
        f"{deployment['applicationName']} {deployment['deploymentGroupName']}",
        f"Test <{test_url}>",
        f"```{command}Succeeded```",
        f"```{command}Failed```",
    ]
    return {
        "text": "Waiting to be tested",
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}} for text in texts],
    }
