"""Retries are exhausted: fail the hook now, not in an hour."""

import functools
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from greenlight.clients import Clients
from greenlight.codedeploy import CodeDeploy, parse_hook
from greenlight.errors import (
    CodeDeployError,
    EventError,
    GateBusyError,
    GreenlightError,
    SettingsError,
    TableError,
)
from greenlight.gates import READ_BY, fail_hook, note_failure
from greenlight.models import Hook
from greenlight.network import Countdown
from greenlight.observability import (
    FAILOVER_FAILED,
    HOOK_LEFT_ALONE,
    also_by_hand,
    annotate,
    count,
    failures_reported,
    logger,
    metrics,
    tracer,
)
from greenlight.settings import load_settings
from greenlight.slack import SlackWebhook
from greenlight.table import GateTable

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

MAX_REASON_CHARACTERS: Final = 1000


@also_by_hand
@logger.inject_lambda_context(log_event=True, correlation_id_path="requestPayload.DeploymentId")
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: Any, context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001
    """Fails the hook of an on-failure record of Lambda's (`requestPayload`, `responsePayload`).

    Answers 200 with the JSON body {deployment_id, failed}. Reporting to CodeDeploy comes first and
    needs no setting, table or Slack. What cannot be reported is logged once with its stage,
    counted and raised, so that Lambda tries again, and then keeps the record in the dead-letter
    queue.
    """
    with failures_reported("The hook could not be failed", FAILOVER_FAILED):
        hook, error = _parse(event)
        annotate(deployment_id=hook.deployment_id)
        failed = fail_with(_clients(), hook, error)
        if not failed:
            count(HOOK_LEFT_ALONE)
        annotate(outcome="failed_over" if failed else "left_alone")
    body = {"deployment_id": hook.deployment_id, "failed": failed}
    return {"statusCode": 200, "body": json.dumps(body)}


def _parse(record: Any) -> tuple[Hook, dict[str, Any]]:
    """The hook that could not be opened, and the error that Lambda last had."""
    if not isinstance(record, dict) or "requestPayload" not in record:
        raise EventError({"requestPayload": "is missing: not an on-failure record of Lambda's"})
    error, context = record.get("responsePayload"), record.get("requestContext")
    if not isinstance(error, dict):  # there was none: the event grew too old
        error = {"errorType": context.get("condition")} if isinstance(context, dict) else {}
    return parse_hook(record["requestPayload"]), error


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
    return Clients(Countdown())


def fail_with(clients: Clients, hook: Hook, error: dict[str, Any]) -> bool:
    """Fails a hook, in an invocation that starts now; False if it is not to be failed after all."""
    clients.countdown.restart()
    # A duplicate event that met another try at work each time says nothing of that try.
    if error.get("errorType") == GateBusyError.__name__ and _is_done(clients, hook):
        return False
    reason = _reason(error)
    codedeploy = CodeDeploy(clients.codedeploy)
    try:
        failed = fail_hook(hook, reason, codedeploy=codedeploy, countdown=clients.countdown)
    except CodeDeployError:
        _note(clients, hook, reason, reported=False)
        raise
    if failed:
        _note(clients, hook, reason, reported=True)
    return failed


def _is_done(clients: Clients, hook: Hook) -> bool:
    """Whether another try opened the hook's gate; if that cannot be known, it did not.

    Raises GateBusyError while another try is at work: Lambda asks again in a minute.
    """
    try:
        table = GateTable(clients.dynamodb, load_settings().table_name)
        with clients.countdown.until(READ_BY):
            return table.is_done(hook, datetime.now(UTC))
    except (SettingsError, TableError) as exc:
        logger.warning("The gate cannot be read", stage=exc.stage, error=str(exc))
        return False


def _note(clients: Clients, hook: Hook, reason: str, *, reported: bool) -> None:
    """Marks the gate and tells people, as well as that can be done."""
    try:
        settings = load_settings()
        webhook_url = functools.partial(clients.secrets.webhook_url, settings.slack_webhook)
        note_failure(
            hook,
            reason,
            settings,
            reported=reported,
            table=GateTable(clients.dynamodb, settings.table_name),
            codedeploy=CodeDeploy(clients.codedeploy),
            slack=SlackWebhook(clients.http, webhook_url, clients.countdown),
            countdown=clients.countdown,
            clock=lambda: datetime.now(UTC),
        )
    except GreenlightError as exc:
        logger.warning("The failure is not noted in full", stage=exc.stage, error=str(exc))
