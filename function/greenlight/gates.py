"""The use cases. They know no event, no boto3 and no requests."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from greenlight import messages
from greenlight.codedeploy import CodeDeploy
from greenlight.errors import CodeDeployError, SlackRefusedError
from greenlight.models import Deployment, Gate, Hook, Message
from greenlight.network import HTTP_TRY_SECONDS, LOOK_UP_SECONDS, Countdown
from greenlight.observability import GATE_DUPLICATE, GATE_OPENED, SLACK_NOTIFIED, count, logger
from greenlight.settings import Settings, fill_test_url
from greenlight.slack import SlackWebhook
from greenlight.table import GateTable

# CodeDeploy gives up one hour after it called the hook.
TIME_TO_DECIDE: Final = timedelta(hours=1)

# The second of the invocation by which each step has ended, so that the later ones have time.
DESCRIBED_BY: Final = 7.0
OPENED_BY: Final = 14.0
TOLD_BY: Final = 22.0


@dataclass(frozen=True)
class Opened:
    """The gate, and whether it was open, and people told, before."""

    gate: Gate
    duplicate: bool


def open_gate(
    hook: Hook,
    settings: Settings,
    *,
    table: GateTable,
    codedeploy: CodeDeploy,
    slack: SlackWebhook,
    countdown: Countdown,
    clock: Callable[[], datetime],
) -> Opened:
    """Opens the gate of a hook and tells people, once, however often it is called.

    Raises TableError, GateBusyError, GateReplacedError or SlackError; calling it again after any
    of them carries on where it stopped.
    """
    deployment = _describe(hook, codedeploy, countdown)
    test_url = fill_test_url(settings.test_url, hook.deployment_id, deployment)
    now = clock()
    with countdown.until(OPENED_BY):
        opening = table.open(
            hook,
            deployment,
            test_url,
            now=now,
            deadline=now + TIME_TO_DECIDE,
            expires_at=now + settings.gate_ttl,
        )
    if opening.is_duplicate:
        logger.info("The gate is open and people were told: nothing to do")
        count(GATE_DUPLICATE)
        return Opened(opening.gate, duplicate=True)
    if opening.is_new:
        logger.info("The gate is open", deadline=opening.gate.deadline.isoformat())
        count(GATE_OPENED)
    else:
        logger.info("The gate was left half-open by an earlier try: carrying on")

    message = messages.waiting_message(
        opening.gate,
        deployment,
        console_url=codedeploy.console_url(hook.deployment_id),
        approve_command=codedeploy.approve_command(hook),
        reject_command=codedeploy.reject_command(hook),
        language=settings.language,
        image_url=settings.image_url,
    )
    with countdown.until(TOLD_BY):
        _tell(message, slack, countdown)
    gate = table.mark_notified(opening.gate, clock())
    logger.info("People were told")
    count(SLACK_NOTIFIED)
    return Opened(gate, duplicate=False)


def _describe(hook: Hook, codedeploy: CodeDeploy, countdown: Countdown) -> Deployment:
    """What CodeDeploy says of the deployment, if it says so in time."""
    with countdown.until(DESCRIBED_BY):
        if not countdown.allows(LOOK_UP_SECONDS):
            logger.warning("No time to ask CodeDeploy about the deployment")
            return Deployment()
        try:
            return codedeploy.describe(hook.deployment_id)
        except CodeDeployError as exc:
            logger.warning(
                "The deployment is not described: the message will be plainer", reason=exc.reason
            )
            return Deployment()


def _tell(message: Message, slack: SlackWebhook, countdown: Countdown) -> None:
    """Posts a message; without its image where Slack refuses it with."""
    try:
        slack.post(message)
    except SlackRefusedError as exc:
        plain = messages.without_image(message)
        if plain == message or not countdown.allows(HTTP_TRY_SECONDS):
            raise
        logger.warning("Slack refused the message: trying without the image", reason=exc.reason)
        slack.post(plain)
