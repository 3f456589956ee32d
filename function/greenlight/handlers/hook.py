"""A CodeDeploy hook opens a gate."""

import functools
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from greenlight.clients import Clients
from greenlight.codedeploy import CodeDeploy, parse_hook
from greenlight.gates import DESCRIBED_BY, Opened, open_gate
from greenlight.models import Hook
from greenlight.network import Countdown
from greenlight.observability import (
    HOOK_FAILED,
    also_by_hand,
    annotate,
    failures_reported,
    logger,
    metrics,
    tracer,
)
from greenlight.settings import Settings, load_settings
from greenlight.slack import SlackWebhook
from greenlight.table import GateTable

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@also_by_hand
@logger.inject_lambda_context(log_event=True, correlation_id_path="DeploymentId")
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: Any, context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001
    """Opens the gate of a CodeDeploy hook event and tells people.

    Answers 200 with the JSON body {deployment_id, status, duplicate}. Every failure is logged once
    with its stage, counted and raised, so that Lambda tries again.
    """
    with failures_reported("The hook failed", HOOK_FAILED):
        settings = load_settings()
        hook = parse_hook(event)
        annotate(deployment_id=hook.deployment_id)
        opened = open_with(_clients(), hook, settings)
        annotate(outcome="duplicate" if opened.duplicate else "opened")
    body = {
        "deployment_id": opened.gate.deployment_id,
        "status": opened.gate.status,
        "duplicate": opened.duplicate,
    }
    return {"statusCode": 200, "body": json.dumps(body)}


@functools.cache
def _clients() -> Clients:
    return Clients(Countdown())


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
        codedeploy=CodeDeploy(clients.codedeploy_look_up),
        slack=SlackWebhook(clients.http, webhook_url, clients.countdown),
        countdown=clients.countdown,
        clock=lambda: datetime.now(UTC),
    )
