"""People are asked: the notice of a gate that waits, and that they have it."""

import json
from collections.abc import Callable
from datetime import datetime

from greenlight import messages
from greenlight.codedeploy import CodeDeploy, hook_event
from greenlight.errors import (
    GreenlightError,
    SlackError,
    SlackRefusedError,
    TableError,
    ToldUnrecordedError,
)
from greenlight.models import Deployment, Gate, Message
from greenlight.network import HTTP_TRY_SECONDS, Countdown
from greenlight.observability import SLACK_NOTIFIED, count, logger
from greenlight.settings import FailureSettings, Settings
from greenlight.slack import SlackWebhook
from greenlight.table import TELLING, GateTable, Held


def ask(
    held: Held,
    deployment: Deployment,
    settings: Settings | FailureSettings,
    *,
    table: GateTable,
    codedeploy: CodeDeploy,
    slack: SlackWebhook,
    countdown: Countdown,
    clock: Callable[[], datetime],
    told_by: float,
) -> Gate:
    """Tells people of a gate, under the lease on that; the gate as it is then.

    A try that may have told them, and does not know, keeps its lease: what is left of that says so.
    Raises SlackError or SettingsError if they could not be told by this second of the invocation,
    ToldUnrecordedError if they were, GateReplacedError or GateNotFoundError if the gate was lost.
    """
    message = messages.waiting_message(
        held.gate,
        deployment,
        console_url=codedeploy.console_url(held.gate.deployment_id),
        commands=codedeploy.commands(held.gate.hook),
        terminal_options=("--region", codedeploy.region, "--table", str(settings.table_name)),
        button_value=json.dumps(hook_event(held.gate.hook)) if settings.takes_clicks else None,
        language=settings.language,
        image_url=settings.image_url,
    )
    try:
        with countdown.until(told_by):
            _tell(message, slack, countdown)
    except GreenlightError:
        if not (slack.in_doubt or held.may_be_told):
            table.release(TELLING, held)
        raise
    try:
        gate = table.mark_notified(held.gate.hook, clock())
    except TableError as exc:
        raise ToldUnrecordedError(exc.table, exc.operation, exc.reason) from exc
    logger.info("People were told")
    count(SLACK_NOTIFIED)
    return gate


def _tell(message: Message, slack: SlackWebhook, countdown: Countdown) -> None:
    """Posts a message; without what it can do without where Slack refuses it with."""
    if not countdown.allows(HTTP_TRY_SECONDS):
        raise SlackError("there was no time left to post it")
    try:
        slack.post(message)
    except SlackRefusedError as exc:
        plain = messages.plainer(message)
        if plain == message or not countdown.allows(HTTP_TRY_SECONDS):
            raise
        logger.warning("Slack refused the message: trying a plainer one", reason=exc.reason)
        slack.post(plain)
