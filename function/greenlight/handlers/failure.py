"""Retries are exhausted: fail the hook now, not in an hour."""

import functools
import json
from typing import TYPE_CHECKING, Any, Final

from greenlight.engines import is_of_ecs
from greenlight.engines.codedeploy import parse_hook
from greenlight.gates.failing import Failover, Problem
from greenlight.gates.means import Means
from greenlight.model.errors import EventError, GreenlightError
from greenlight.model.gate import EngineName, Hook
from greenlight.runtime.clients import Clients, ready
from greenlight.runtime.network import CHAIN_CONFIG, Countdown
from greenlight.runtime.observability import (
    FAILOVER_FAILED,
    also_by_hand,
    annotate,
    failures_reported,
    logger,
    metrics,
    tracer,
)
from greenlight.runtime.settings import load_failure_settings
from greenlight.slack.ways import way
from greenlight.slack.words import words_in

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MAX_REASON_CHARACTERS: Final = 1000


@also_by_hand
@logger.inject_lambda_context(log_event=True, correlation_id_path="requestPayload.DeploymentId")
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: Any, context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001
    """Fails the hook of an on-failure record of Lambda's (`requestPayload`, `responsePayload`).

    Answers 200 with the JSON body {deployment_id, failed}. The table says whether people were told,
    or have decided: then nothing is failed. CodeDeploy is told `Failed` whatever else is broken.
    What cannot be reported, written down or told to people is logged once with its stage, counted
    and raised, so that Lambda tries again, and then keeps the record in the dead-letter queue.
    """
    if _is_sweep(event):
        logger.info("A look for paused deployments was cut off: the next one is the next try")
        return {"statusCode": 200, "body": json.dumps({"deployment_id": None, "failed": False})}
    with failures_reported("The hook could not be failed", FAILOVER_FAILED):
        hook, problem = _parse(event)
        logger.set_correlation_id(hook.deployment_id)
        annotate(deployment_id=hook.deployment_id)
        failed = fail_with(_clients(), hook, problem) if problem else False
        annotate(outcome="failed_over" if failed else "left_alone")
    body = {"deployment_id": hook.deployment_id, "failed": failed}
    return {"statusCode": 200, "body": json.dumps(body)}


def _is_sweep(record: Any) -> bool:
    """Whether it is of no hook, but of the look for those whose event was lost."""
    payload = record.get("requestPayload") if isinstance(record, dict) else None
    return isinstance(payload, dict) and payload.get("due") == "sweep"


def _parse(record: Any) -> tuple[Hook, Problem | None]:
    """The hook that could not be opened, and the error that Lambda last had.

    None for one that has ended, of which ECS has sent word: there is nothing to fail.
    """
    if not isinstance(record, dict) or "requestPayload" not in record:
        raise EventError({"requestPayload": "is missing: not an on-failure record of Lambda's"})
    error, context = record.get("responsePayload"), record.get("requestContext")
    if not isinstance(error, dict):  # there was none: the event grew too old
        error = {"errorType": context.get("condition")} if isinstance(context, dict) else {}
    problem = Problem(kind=str(error.get("errorType")), reason=_reason(error))
    payload = record["requestPayload"]
    if not is_of_ecs(payload):
        return parse_hook(payload), problem
    from greenlight.engines.ecs import parse_hook_change  # noqa: PLC0415  # if it is ECS's

    change = parse_hook_change(payload)
    return change.hook, problem if change.waits else None


def _reason(error: dict[str, Any]) -> str:
    """The error in words: for the table and for people.

    Only what Greenlight or Lambda itself said is repeated: nobody knows what else may hold.
    """
    kind, text = (str(error.get(name) or "") for name in ("errorType", "errorMessage"))
    ours = {one.__name__ for one in _family(GreenlightError)}
    if kind and kind not in ours and not kind.startswith(("Runtime.", "Sandbox.")):
        return kind[:MAX_REASON_CHARACTERS]
    return ": ".join(filter(None, (kind, text)))[:MAX_REASON_CHARACTERS] or "unknown"


def _family(error: type[GreenlightError]) -> list[type[GreenlightError]]:
    return [error, *(one for child in error.__subclasses__() for one in _family(child))]


@functools.cache
def _clients() -> Clients:
    return Clients(Countdown(), CHAIN_CONFIG)


def fail_with(clients: Clients, hook: Hook, problem: Problem) -> bool:
    """Fails a hook, in an invocation that starts now; False if it is not to be failed after all."""
    clients.countdown.restart()
    settings = load_failure_settings()
    if settings.problems:
        logger.warning("Settings are wrong", stage="settings", problems=settings.problems)
    means = Means.of(clients, settings.table_name or "")
    slack = way(settings.slack, clients.http, clients.secrets, clients.countdown)
    return Failover(hook, problem, settings, means, slack).run()


def _make() -> None:
    clients = _clients()
    clients.make("dynamodb", "codedeploy", "http")
    words_in(load_failure_settings().languages, EngineName.CODEDEPLOY)


ready(_make)
