"""What Slack sends when somebody presses a button or types a command, signed as Slack signs it."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

SIGNING_SECRET = "5ig9ing5ecret5tand1n5ig9ing5ecre"
ALICE = ("U0ALICE", "alice")
BOB = ("U0BOB", "bob")


def button(message: dict[str, Any], action_id: str) -> dict[str, Any]:
    """A button of a message."""
    (found,) = (
        element
        for block in message["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if element["action_id"] == action_id
    )
    pressed: dict[str, Any] = found
    return pressed


def payload(
    message: dict[str, Any],
    action_id: str,
    response_url: str,
    user: tuple[str, str] = ALICE,
    reason: str | None = None,
) -> dict[str, Any]:
    """What Slack says of a click on a button of a message."""
    pressed = button(message, action_id)
    return {
        "type": "block_actions",
        "user": {"id": user[0], "username": user[1], "name": user[1], "team_id": "T0000"},
        "api_app_id": "A0000",
        "container": {"type": "message", "message_ts": "1700000000.000100", "channel_id": "C0000"},
        "trigger_id": "0000.0000.0000",
        "team": {"id": "T0000", "domain": "example"},
        "channel": {"id": "C0000", "name": "releases"},
        "message": {"type": "message", "ts": "1700000000.000100", **message},
        "state": {
            "values": {
                "greenlight_reason": {"reason": {"type": "plain_text_input", "value": reason}}
            }
        },
        "response_url": response_url,
        "actions": [
            {
                "action_id": action_id,
                "block_id": "X0000",
                "text": pressed["text"],
                "value": pressed["value"],
                "type": "button",
                "action_ts": "1700000001.000100",
            }
        ],
    }


def form(content: Any) -> bytes:
    """A payload as Slack posts it."""
    return urlencode({"payload": json.dumps(content)}).encode()


def command_form(
    text: str, response_url: str, user: tuple[str, str] = ALICE, command: str = "/greenlight"
) -> bytes:
    """What Slack posts of a slash command: no payload, but a field for each thing."""
    fields = {
        "token": "gIkuvaNzQIHg97ATvDxqgjtO",
        "team_id": "T0000",
        "team_domain": "example",
        "channel_id": "C0000",
        "channel_name": "releases",
        "user_id": user[0],
        "user_name": user[1],
        "command": command,
        "text": text,
        "api_app_id": "A0000",
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": "0000.0000.0000",
    }
    return urlencode(fields).encode()


def signed(body: bytes, secret: str = SIGNING_SECRET, at: float | None = None) -> dict[str, str]:
    """The headers of a request of Slack's, signed now unless it says when."""
    timestamp = str(int(time.time() if at is None else at))
    signature = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256)
    return {
        "content-type": "application/x-www-form-urlencoded",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": f"v0={signature.hexdigest()}",
    }


def url_event(body: bytes, headers: dict[str, str], *, encoded: bool = True) -> dict[str, Any]:
    """The event that a Lambda function URL makes of a request."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "stand-in",
            "domainName": "stand-in.lambda-url.ap-northeast-2.on.aws",
            "http": {"method": "POST", "path": "/", "sourceIp": "127.0.0.1"},
            "requestId": "stand-in",
            "timeEpoch": 1700000000000,
        },
        "body": base64.b64encode(body).decode() if encoded else body.decode(),
        "isBase64Encoded": encoded,
    }
