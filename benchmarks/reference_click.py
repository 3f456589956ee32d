"""A click answered the plain way: what many teams write for themselves, for comparison."""

import base64
import hashlib
import hmac
import json
import logging
import os
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from typing import Any

import boto3

log = logging.getLogger()
log.setLevel(logging.INFO)
logging.basicConfig()

secret = boto3.client("ssm").get_parameter(
    Name=os.environ["SLACK_SIGNING_SECRET"], WithDecryption=True
)["Parameter"]["Value"]
table = boto3.resource("dynamodb").Table(os.environ["DYNAMODB_TABLE_NAME"])
codedeploy = boto3.client("codedeploy")


def lambda_handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """Checks the signature, writes the decision down, tells CodeDeploy and Slack."""
    body = base64.b64decode(event["body"])
    signed = f"v0:{event['headers']['x-slack-request-timestamp']}:".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v0={digest}", event["headers"]["x-slack-signature"]):
        return {"statusCode": 401}
    payload = json.loads(urllib.parse.parse_qs(body.decode())["payload"][0])
    hook = json.loads(payload["actions"][0]["value"])
    approved = payload["actions"][0]["action_id"].endswith("approve")
    status = "APPROVED" if approved else "REJECTED"
    log.info("%s by %s", status, payload["user"]["id"])
    table.update_item(
        Key={"deployment_id": hook["gate"]},
        UpdateExpression="SET #status = :status, decided_by = :by, decided_at = :at",
        ConditionExpression="#status = :waiting",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={
            ":status": status,
            ":waiting": "WAITING",
            ":by": payload["user"]["id"],
            ":at": datetime.now(UTC).isoformat(),
        },
    )
    codedeploy.put_lifecycle_event_hook_execution_status(
        deploymentId=hook["gate"],
        lifecycleEventHookExecutionId=hook["hook"],
        status="Succeeded" if approved else "Failed",
    )
    message = {"replace_original": True, "text": f"{status} by <@{payload['user']['id']}>"}
    request = urllib.request.Request(
        payload["response_url"],
        json.dumps(message).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        log.info("Slack: %s", answer.status)
    return {"statusCode": 200}
