"""An engine says that a deployment has ended."""

import functools
import json
from typing import TYPE_CHECKING, Any

from greenlight.engines import is_of_ecs
from greenlight.engines.codedeploy import parse_ending
from greenlight.gates.means import Means
from greenlight.gates.outcomes import learn
from greenlight.model.errors import (
    EngineDeniedError,
    GateBusyError,
    HookRefusedError,
    NotEndedError,
)
from greenlight.model.gate import EngineName, Gate
from greenlight.runtime.clients import Clients, ready
from greenlight.runtime.network import CHAIN_CONFIG, Countdown
from greenlight.runtime.observability import (
    OUTCOME_FAILED,
    also_by_hand,
    annotate,
    failures_reported,
    logger,
    metrics,
    tracer,
)
from greenlight.runtime.settings import load_table_name

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@also_by_hand
@logger.inject_lambda_context(log_event=True, correlation_id_path="detail.deploymentId")
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: Any, context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001
    """Writes down what became of a deployment, of EventBridge's event that its state has changed.

    The event is a wake-up: what is so is read from the engine. Answers 200 with the JSON body
    {outcome}: that of the last gate that was written, null if there was none. What fails is logged
    once with its stage, counted and raised, so that Lambda tries again; that another try is at
    work, or that the engine does not say so yet, is raised only.
    """
    outcome = None
    with failures_reported(
        "What became of a deployment is not written down",
        OUTCOME_FAILED,
        but=(GateBusyError, NotEndedError),
    ):
        table_name = load_table_name()
        clients = _clients()
        clients.countdown.restart()
        means = Means.of(clients, table_name)
        for gate in (_learn_of_ecs if is_of_ecs(event) else _learn)(event, means):
            outcome = gate.outcome
    return {"statusCode": 200, "body": json.dumps({"outcome": outcome})}


def _learn(event: Any, means: Means) -> list[Gate]:
    """The gates of a deployment of CodeDeploy's that has ended."""
    deployment_id = parse_ending(event)
    if deployment_id is None:
        return []
    annotate(deployment_id=deployment_id)
    return learn(deployment_id, EngineName.CODEDEPLOY, means, has_ended=True)


def _learn_of_ecs(event: Any, means: Means) -> list[Gate]:
    """The gates of the last deployments of a service, one of which has ended: ECS does not say it.

    Its code is loaded where there are events of it.
    """
    from greenlight.engines.ecs import Ecs, parse_wake_up  # noqa: PLC0415

    service_arn = parse_wake_up(event)
    if service_arn is None:
        return []
    annotate(service=service_arn)
    try:
        latest = Ecs(_clients().ecs).latest(service_arn)
    except (EngineDeniedError, HookRefusedError) as exc:
        logger.info("A service that may not be read, or is gone, has no gate", reason=exc.reason)
        return []
    return [gate for arn in latest for gate in learn(arn, EngineName.ECS, means)]


@functools.cache
def _clients() -> Clients:
    return Clients(Countdown(), CHAIN_CONFIG)


def _make() -> None:
    _clients().make("dynamodb", "codedeploy")


ready(_make)
