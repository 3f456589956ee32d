"""A Slack button, or a slash command, decides a gate."""

import base64
import functools
import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.data_classes import LambdaFunctionUrlEvent

from greenlight.gates.clicking import take_click
from greenlight.gates.means import Means
from greenlight.gates.reporting import SIGNED_BY
from greenlight.model.errors import ClickError, SignatureError, SlackError, SlackRefusedError
from greenlight.model.gate import EngineName, is_gate_id
from greenlight.model.message import Message
from greenlight.runtime.clients import Clients, ready
from greenlight.runtime.network import CHAIN_CONFIG, CLICK_HTTP_TIMEOUTS, Countdown
from greenlight.runtime.observability import (
    CLICK_FAILED,
    CLICK_IGNORED,
    CLICK_REFUSED,
    MESSAGE_NOT_REPLACED,
    also_by_hand,
    annotate,
    count,
    failures_reported,
    logger,
    metrics,
    tracer,
)
from greenlight.runtime.settings import DecisionSettings, load_decision_settings
from greenlight.slack.clicks import parse_click
from greenlight.slack.forms import fields_of, is_command
from greenlight.slack.messages import plainer
from greenlight.slack.signature import verify_signature
from greenlight.slack.webhook import post_to
from greenlight.slack.words import words_in

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@also_by_hand
# Never the event, whatever POWERTOOLS_LOGGER_LOG_EVENT says: it holds a response_url, what people
# typed, or what anybody on the internet sent.
@logger.inject_lambda_context(clear_state=True, log_event=False)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: Any, context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001
    """Takes a click on a button of Greenlight's message, or a slash command, to a function URL.

    Answers 200 whatever became of it: the message and, for the one who did it, a notice say it. 401
    for what Slack did not sign, which touches and logs nothing of it; 400 for what is neither.
    Raises SettingsError where the settings are wrong.
    """
    with failures_reported("The click could not be taken", CLICK_FAILED):
        return _answer(event, _clients(), load_decision_settings())


def _answer(event: Any, clients: Clients, settings: DecisionSettings) -> dict[str, Any]:
    clients.countdown.restart()
    try:
        fields = fields_of(_signed_body(event, clients, settings))
        if is_command(fields):
            _take_command(fields, clients, settings)
            return _status(200)
        click = parse_click(fields)
    except SignatureError as exc:
        logger.warning("A request was refused", stage=exc.stage, error=str(exc))
        annotate(outcome="refused")
        count(CLICK_REFUSED if exc.signed else CLICK_IGNORED)
        return _status(401)
    except ClickError as exc:
        logger.warning("Slack sent no click and no command", stage=exc.stage, error=str(exc))
        annotate(outcome="ignored")
        count(CLICK_IGNORED)
        return _status(400)
    if click is None:
        logger.info("Slack sent something that is not for Greenlight")
        annotate(outcome="ignored")
        count(CLICK_IGNORED)
        return _status(200)
    _about(click.hook.deployment_id)
    logger.info(
        "Somebody clicked",
        verdict=click.verdict,
        user_id=click.user_id,
        user_name=click.user_name,
        team_id=click.team_id,
    )
    means = Means.of(clients, settings.table_name)
    take_click(click, settings, means, functools.partial(_say, clients, click.response_url))
    return _status(200)


def _take_command(fields: dict[str, str], clients: Clients, settings: DecisionSettings) -> None:
    """Takes a slash command. Raises ClickError for what is none."""
    # A cold start for a click need not read their code.
    from greenlight.gates.commanding import take_command  # noqa: PLC0415
    from greenlight.slack.commands import parse_command  # noqa: PLC0415

    command = parse_command(fields)
    if is_gate_id(command.gate_id):
        _about(command.gate_id)
    logger.info(
        "Somebody typed a command",
        verb=command.verb,
        user_id=command.user_id,
        user_name=command.user_name,
        team_id=command.team_id,
    )
    means = Means.of(clients, settings.table_name)
    take_command(command, settings, means, functools.partial(_say, clients, command.response_url))


def _about(deployment_id: str) -> None:
    """Says in logs, traces and metrics which deployment it is about."""
    logger.set_correlation_id(deployment_id)
    annotate(deployment_id=deployment_id)


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


def _say(clients: Clients, response_url: str | None, message: Message) -> bool:
    """Says it in Slack, as well as that can be done, and whether it was; what is done stands."""
    if response_url is None:
        logger.warning("There is no response_url of Slack's: nothing is said or changed")
    elif not clients.countdown.allows(sum(CLICK_HTTP_TIMEOUTS)):
        logger.warning("There is no time to say in Slack what became of it")
    else:
        try:
            post_to(clients.http, response_url, message)
        except SlackRefusedError as exc:
            plain = plainer(message)
            if plain != message:
                logger.warning("Slack refused the message: trying a plainer one", error=str(exc))
                return _say(clients, response_url, plain)
            _not_said(exc)
        except SlackError as exc:
            _not_said(exc)
        else:
            return True
    count(MESSAGE_NOT_REPLACED)
    return False


def _not_said(error: SlackError) -> None:
    logger.warning("Slack does not show what became of it", stage=error.stage, error=str(error))


def _status(code: int) -> dict[str, Any]:
    """An answer to Slack, which reads nothing but its status."""
    return {"statusCode": code, "headers": {"Content-Type": "text/plain"}, "body": ""}


@functools.cache
def _clients() -> Clients:
    return Clients(Countdown(), CHAIN_CONFIG, CLICK_HTTP_TIMEOUTS)


def _make() -> None:
    clients = _clients()
    clients.make("dynamodb", "codedeploy", "http")
    settings = load_decision_settings()
    clients.secrets.prepare(settings.signing_secret)
    words_in(settings.languages, EngineName.CODEDEPLOY)


ready(_make)
