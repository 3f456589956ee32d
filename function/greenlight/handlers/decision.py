"""A Slack button decides a gate."""

import base64
import functools
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.utilities.data_classes import LambdaFunctionUrlEvent

from greenlight import messages
from greenlight.clicks import Click, parse_click
from greenlight.clients import Clients
from greenlight.codedeploy import CodeDeploy, is_unknown
from greenlight.decisions import Decided, Outcome, decide
from greenlight.errors import (
    ClickError,
    DecisionDeniedError,
    DecisionMootError,
    DecisionUnreportedError,
    GateNotFoundError,
    GateReplacedError,
    GreenlightError,
    SettlementUnrecordedError,
    SignatureError,
    SlackError,
)
from greenlight.models import Language, Message
from greenlight.network import CHAIN_CONFIG, CLICK_HTTP_TIMEOUTS, Countdown
from greenlight.observability import (
    APPROVER_REFUSED,
    CLICK_FAILED,
    CLICK_IGNORED,
    CLICK_REFUSED,
    DECISION_FAILED,
    DECISION_REPEATED,
    MESSAGE_NOT_REPLACED,
    also_by_hand,
    annotate,
    count,
    failures_reported,
    logger,
    metrics,
    tracer,
)
from greenlight.reports import SIGNED_BY
from greenlight.settings import DecisionSettings, load_decision_settings
from greenlight.slack import SlackWebhook, verify_signature
from greenlight.table import GateTable

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


# A click on what does not wait, as far as anybody knows.
_MOOT: Final = (
    DecisionMootError,
    GateNotFoundError,
    GateReplacedError,
    SettlementUnrecordedError,
)


@also_by_hand
# Never the event, whatever POWERTOOLS_LOGGER_LOG_EVENT says: it holds a response_url, what people
# typed, or what anybody on the internet sent.
@logger.inject_lambda_context(clear_state=True, log_event=False)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: Any, context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001
    """Takes a click on a button of Greenlight's message: a request of Slack's to a function URL.

    Answers 200 whatever became of a click: the message and, for the one who clicked, a notice say
    it. 401 for what Slack did not sign, which touches and logs nothing of it; 400 for what is no
    click. Raises SettingsError where the settings are wrong.
    """
    with failures_reported("The click could not be taken", CLICK_FAILED):
        return _answer(event, _clients(), load_decision_settings())


def _answer(event: Any, clients: Clients, settings: DecisionSettings) -> dict[str, Any]:
    clients.countdown.restart()
    try:
        click = parse_click(_signed_body(event, clients, settings))
    except SignatureError as exc:
        logger.warning("A request was refused", stage=exc.stage, error=str(exc))
        annotate(outcome="refused")
        count(CLICK_REFUSED if exc.signed else CLICK_IGNORED)
        return _status(401)
    except ClickError as exc:
        logger.warning("Slack sent no click", stage=exc.stage, error=str(exc))
        annotate(outcome="ignored")
        count(CLICK_IGNORED)
        return _status(400)
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
        decided = _decide(click, codedeploy, clients, settings)
    except GreenlightError as exc:
        return [_why_not(exc, language)]
    annotate(outcome=decided.outcome.name.lower())
    console_url = codedeploy.console_url(click.hook.deployment_id)
    return _what_to_say(decided, console_url, settings)


def _why_not(error: GreenlightError, language: Language) -> Message:
    """What only the one who clicked sees of a click that could not be carried out."""
    notice = messages.not_done_notice(str(error), language=language)
    match error:
        case DecisionMootError() if is_unknown(error.reason):
            notice = messages.unknown_notice(error.reason, language=language)
        case DecisionMootError():
            notice = messages.answered_notice(error.gate, error.reason, language=language)
        case DecisionUnreportedError():
            notice = messages.unreported_notice(error.gate, error.reason, language=language)
        case DecisionDeniedError():
            notice = messages.denied_notice(error.permission, language=language)
        case GateNotFoundError():
            notice = messages.not_found_notice(language)
        case GateReplacedError():
            notice = messages.replaced_notice(language)
    return notice


def _decide(
    click: Click, codedeploy: CodeDeploy, clients: Clients, settings: DecisionSettings
) -> Decided:
    """Decides; a failure is counted where a deployment waits though somebody has decided."""
    try:
        with failures_reported("The decision could not be carried out", DECISION_FAILED, but=_MOOT):
            return decide(
                click.hook,
                click.decision,
                table=GateTable(clients.dynamodb, settings.table_name),
                codedeploy=codedeploy,
                countdown=clients.countdown,
                clock=lambda: datetime.now(UTC),
            )
    except _MOOT as exc:
        logger.warning("Nothing waits for this decision", stage=exc.stage, error=str(exc))
        annotate(outcome="moot")
        count(DECISION_REPEATED)
        raise


def _what_to_say(decided: Decided, console_url: str, settings: DecisionSettings) -> list[Message]:
    """The message that takes the place of the notice, and what only the one who clicked sees."""
    gate, language = decided.gate, settings.language
    said: list[Message] = []
    if not (gate.is_unreported or gate.is_failing):
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
    return Clients(Countdown(), CHAIN_CONFIG, CLICK_HTTP_TIMEOUTS)
