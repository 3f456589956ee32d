"""A CodeDeploy hook opens a gate."""

import functools
import json
from typing import TYPE_CHECKING, Any

from greenlight.engines.codedeploy import parse_hook
from greenlight.gates.means import Means
from greenlight.gates.opening import DESCRIBED_BY, Opened, open_gate
from greenlight.model.gate import EngineName, Hook
from greenlight.runtime.clients import Clients, ready
from greenlight.runtime.network import Countdown
from greenlight.runtime.observability import (
    HOOK_FAILED,
    also_by_hand,
    annotate,
    failures_reported,
    logger,
    metrics,
    tracer,
)
from greenlight.runtime.settings import Settings, load_settings
from greenlight.slack.ways import way
from greenlight.slack.words import words_in

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
    means = Means.of(clients, settings.table_name, look_up=True)
    slack = way(settings.slack, clients.http, clients.secrets, clients.countdown)
    with clients.countdown.until(DESCRIBED_BY):
        slack.check()  # a secret that cannot be read is found out before anything is written
    return open_gate(hook, settings, means, slack)


def _make() -> None:
    clients = _clients()
    clients.make("dynamodb", "codedeploy_look_up", "http")
    settings = load_settings()
    clients.secrets.prepare(*settings.slack.secrets)
    words_in(settings.languages, EngineName.CODEDEPLOY)


ready(_make)
