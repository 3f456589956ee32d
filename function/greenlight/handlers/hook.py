"""A CodeDeploy hook opens a gate."""

import functools
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import requests
from botocore.exceptions import BotoCoreError

from greenlight.codedeploy import CodeDeploy, parse_hook
from greenlight.errors import GreenlightError, SettingsError
from greenlight.gates import DESCRIBED_BY, Opened, open_gate
from greenlight.models import Hook
from greenlight.network import (
    AWS_CONFIG,
    LOOK_UP_CONFIG,
    Countdown,
    aws_session,
    http_session,
)
from greenlight.observability import also_by_hand, count_failure, logger, metrics, tracer
from greenlight.secrets import Secrets
from greenlight.settings import Settings, load_settings
from greenlight.slack import SlackWebhook
from greenlight.table import GateTable

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_dynamodb import DynamoDBClient


@also_by_hand
@logger.inject_lambda_context(log_event=True, correlation_id_path="DeploymentId", clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: Any, context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001
    """Opens the gate of a CodeDeploy hook event and tells people.

    Answers 200 with the JSON body {deployment_id, status, duplicate}. Every failure is logged once
    with its stage, counted and raised, so that Lambda tries again.
    """
    outcome = "failed"
    try:
        opened = _open(event)
        outcome = "duplicate" if opened.duplicate else "opened"
    except GreenlightError as exc:
        _report(exc.stage, exc, event, **exc.details())
        raise
    except Exception as exc:
        _report("unknown", exc, event)
        raise
    finally:
        tracer.put_annotation("outcome", outcome)
    body = {
        "deployment_id": opened.gate.deployment_id,
        "status": opened.gate.status,
        "duplicate": opened.duplicate,
    }
    return {"statusCode": 200, "body": json.dumps(body)}


def _open(event: Any) -> Opened:
    settings = load_settings()
    hook = parse_hook(event)
    tracer.put_annotation("deployment_id", hook.deployment_id)
    metrics.add_metadata("deployment_id", hook.deployment_id)
    return open_with(_clients(), hook, settings)


def _report(stage: str, exc: Exception, event: Any, **details: Any) -> None:
    """Logs and counts a failure."""
    logger.exception("The hook failed", stage=stage, error=str(exc), **details)
    deployment_id = event.get("DeploymentId") if isinstance(event, dict) else None
    count_failure(stage, deployment_id if isinstance(deployment_id, str) else None)


@dataclass(frozen=True)
class Clients:
    """What outlives an invocation: connections, and the countdown that bounds their use."""

    countdown: Countdown
    dynamodb: "DynamoDBClient"
    codedeploy: "CodeDeployClient"
    secrets: Secrets
    http: requests.Session


def make_clients(countdown: Countdown) -> Clients:
    """Makes the clients. Raises SettingsError where AWS's are not configured."""
    try:
        session = aws_session(countdown)
        return Clients(
            countdown=countdown,
            dynamodb=session.client("dynamodb", config=AWS_CONFIG),
            codedeploy=session.client("codedeploy", config=LOOK_UP_CONFIG),
            secrets=Secrets(session),
            http=http_session(countdown),
        )
    except BotoCoreError as exc:
        raise SettingsError(f"no AWS client can be made (is AWS_REGION set?): {exc}") from exc


@functools.cache
def _clients() -> Clients:
    """The clients of this cold start."""
    return make_clients(Countdown())


def open_with(clients: Clients, hook: Hook, settings: Settings) -> Opened:
    """Opens a gate, in an invocation that starts now."""
    clients.countdown.restart()
    webhook_url = functools.partial(clients.secrets.webhook_url, settings.slack_webhook)
    with clients.countdown.until(DESCRIBED_BY):
        webhook_url()  # a webhook that cannot be read is found out before anything is written
    return open_gate(
        hook,
        settings,
        table=GateTable(clients.dynamodb, settings.table_name),
        codedeploy=CodeDeploy(clients.codedeploy),
        slack=SlackWebhook(clients.http, webhook_url, clients.countdown),
        countdown=clients.countdown,
        clock=lambda: datetime.now(UTC),
    )
