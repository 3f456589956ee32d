"""A Slack button decides a gate."""

import base64
import functools
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.data_classes import LambdaFunctionUrlEvent

from greenlight import messages
from greenlight.clicks import Click, parse_click
from greenlight.clients import Clients
from greenlight.codedeploy import CodeDeploy, is_unknown
from greenlight.decisions import SIGNED_BY, Decided, Outcome, decide
from greenlight.errors import (
    ClickError,
    DecisionUnreportedError,
    GateNotFoundError,
    GateReplacedError,
    GreenlightError,
    SignatureError,
    SlackError,
)
from greenlight.models import Message
from greenlight.network import CLICK_CONFIG, CLICK_HTTP_TIMEOUTS, Countdown
from greenlight.observability import (
    APPROVER_REFUSED,
    CLICK_IGNORED,
    CLICK_REFUSED,
    DECISION_FAILED,
    MESSAGE_NOT_REPLACED,
    also_by_hand,
    annotate,
    count,
    failures_reported,
    logger,
    metrics,
    tracer,
)
from greenlight.settings import DecisionSettings, load_decision_settings
from greenlight.slack import SlackWebhook, verify_signature
from greenlight.table import GateTable

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@also_by_hand
# Not the event: it holds what people typed, or what anybody on the internet sent.
@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: Any, context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001
    """Takes a click on a button of Greenlight's message: a request of Slack's to a function URL.

    Answers 200 whatever became of a click: the message and, for the one who clicked, a notice say
    it. 401 for what Slack did not sign, which touches and logs nothing of it; 400 for what is no
    click; 500 where the settings are wrong.
    """
    try:
        with failures_reported("The click could not be taken", DECISION_FAILED):
            return _answer(event, _clients(), load_decision_settings())
    except ClickError:
        return _status(400)
    except GreenlightError:
        return _status(500)


def _answer(event: Any, clients: Clients, settings: DecisionSettings) -> dict[str, Any]:
    clients.countdown.restart()
    try:
        click = parse_click(_signed_body(event, clients, settings))
    except SignatureError as exc:
        logger.warning("A request was refused", stage=exc.stage, error=str(exc))
        annotate(outcome="refused")
        count(CLICK_REFUSED if exc.signed else CLICK_IGNORED)
        return _status(401)
    if click is None:
        logger.info("Slack sent something that is not for Greenlight")
        annotate(outcome="ignored")
        count(CLICK_IGNORED)
        return _status(200)
    logger.set_correlation_id(click.hook.deployment_id)
    annotate(deployment_id=click.hook.deployment_id)
    logger.info(
        "Somebody clicked",
        verdict=click.verdict,
        user_id=click.user_id,
        user_name=click.user_name,
        team_id=click.team_id,
    )
    _tell(click, take(click, clients, settings), clients)
    return _status(200)


def _signed_body(event: Any, clients: Clients, settings: DecisionSettings) -> bytes:
    """The body of a request, as it was sent. Raises SignatureError unless Slack signed it."""
    request = LambdaFunctionUrlEvent(event if isinstance(event, dict) else {})
    body = request.get("body") or ""
    try:
        raw = base64.b64decode(body) if request.get("isBase64Encoded") else body.encode()
        headers = request.headers
    except (AttributeError, TypeError, ValueError):
        raise SignatureError("it is no request to a function URL", signed=False) from None
    secret = functools.partial(clients.secrets.signing_secret, settings.signing_secret)
    with clients.countdown.until(SIGNED_BY):
        verify_signature(headers, raw, secret, time.time())
    return raw


def take(click: Click, clients: Clients, settings: DecisionSettings) -> list[Message]:
    """Does what a click asks for, and gives what is to be said of it."""
    language = settings.language
    if settings.approvers and click.user_id not in settings.approvers:
        logger.warning("Not an approver", user_id=click.user_id)
        annotate(outcome="not_approver")
        count(APPROVER_REFUSED)
        return [messages.not_approver_notice(settings.approvers, language=language)]
    codedeploy = CodeDeploy(clients.codedeploy)
    try:
        with failures_reported("The decision could not be carried out", DECISION_FAILED):
            decided = decide(
                click.hook,
                click.decision,
                table=GateTable(clients.dynamodb, settings.table_name),
                codedeploy=codedeploy,
                countdown=clients.countdown,
                clock=lambda: datetime.now(UTC),
            )
    except DecisionUnreportedError as exc:
        unknown = is_unknown(exc.reason)
        return [
            messages.unreported_notice(exc.gate, exc.reason, unknown=unknown, language=language)
        ]
    except GateNotFoundError:
        return [messages.not_found_notice(language)]
    except GateReplacedError:
        return [messages.replaced_notice(language)]
    except GreenlightError as exc:
        return [messages.not_done_notice(str(exc), language=language)]
    annotate(outcome=decided.outcome.name.lower())
    console_url = codedeploy.console_url(click.hook.deployment_id)
    return _what_to_say(decided, console_url, settings)


def _what_to_say(decided: Decided, console_url: str, settings: DecisionSettings) -> list[Message]:
    """The message that takes the place of the notice, and what only the one who clicked sees."""
    gate, language = decided.gate, settings.language
    said: list[Message] = []
    if not gate.is_unreported:
        settled = messages.settled_message(gate, console_url=console_url, language=language)
        said.append({**settled, "replace_original": True})
    if decided.outcome in (Outcome.STANDS, Outcome.SETTLED):
        elsewhere = decided.outcome is Outcome.SETTLED
        said.append(messages.standing_notice(gate, settled=elsewhere, language=language))
    return said


def _tell(click: Click, said: list[Message], clients: Clients) -> None:
    """Says it in Slack, as well as that can be done: what is decided stands."""
    response_url = click.response_url
    if response_url is None:
        logger.warning("The click has no response_url of Slack's: the message stays as it is")
        count(MESSAGE_NOT_REPLACED)
        return
    slack = SlackWebhook(clients.http, lambda **_: response_url, clients.countdown)
    for message in said:
        if not clients.countdown.allows(sum(CLICK_HTTP_TIMEOUTS)):
            logger.warning("There is no time to say in Slack what became of the click")
            count(MESSAGE_NOT_REPLACED)
            return
        try:
            slack.post(message)
        except SlackError as exc:
            logger.warning(
                "Slack does not show what became of the click", stage=exc.stage, error=str(exc)
            )
            count(MESSAGE_NOT_REPLACED)


def _status(code: int) -> dict[str, Any]:
    """An answer to Slack, which reads nothing but its status."""
    return {"statusCode": code, "headers": {"Content-Type": "text/plain"}, "body": ""}


@functools.cache
def _clients() -> Clients:
    return Clients(Countdown(), CLICK_CONFIG, CLICK_HTTP_TIMEOUTS)
