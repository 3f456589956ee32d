"""The use cases of opening and failing a gate. They know no event, no boto3 and no requests."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from greenlight import messages
from greenlight.codedeploy import CodeDeploy, hook_event
from greenlight.errors import (
    CodeDeployError,
    GreenlightError,
    HookSettledError,
    SlackError,
    SlackRefusedError,
    TableError,
)
from greenlight.models import Deployment, Gate, Hook, Message
from greenlight.network import HTTP_TRY_SECONDS, LOOK_UP_SECONDS, Countdown
from greenlight.observability import (
    GATE_DUPLICATE,
    GATE_OPENED,
    HOOK_FAILED_OVER,
    SLACK_NOTIFIED,
    count,
    logger,
)
from greenlight.settings import Settings, fill_test_url
from greenlight.slack import SlackWebhook
from greenlight.table import GateTable

# CodeDeploy gives up one hour after it called the hook.
TIME_TO_DECIDE: Final = timedelta(hours=1)

# The second of the invocation by which each step has ended, so that the later ones have time.
DESCRIBED_BY: Final = 7.0
OPENED_BY: Final = 14.0
TOLD_BY: Final = 22.0
READ_BY: Final = 7.0
REPORTED_BY: Final = 14.0
MARKED_BY: Final = 21.0


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
        commands=codedeploy.commands(hook),
        terminal_options=("--region", codedeploy.region, "--table", settings.table_name),
        button_value=json.dumps(hook_event(hook)) if settings.takes_clicks else None,
        language=settings.language,
        image_url=settings.image_url,
    )
    try:
        with countdown.until(TOLD_BY):
            _tell(message, slack, countdown)
    except GreenlightError:
        _release(opening.gate, table, clock())
        raise
    gate = table.mark_notified(opening.gate, clock())
    logger.info("People were told")
    count(SLACK_NOTIFIED)
    return Opened(gate, duplicate=False)


def fail_hook(hook: Hook, reason: str, *, codedeploy: CodeDeploy, countdown: Countdown) -> bool:
    """Fails a hook at CodeDeploy, and with it the deployment.

    True if the deployment fails, False if the hook had another answer already, which stands.
    Raises CodeDeployError if CodeDeploy could not be told; calling it again is right.
    """
    try:
        with countdown.until(REPORTED_BY):
            codedeploy.report(hook, succeeded=False)
    except HookSettledError:
        if not _has_failed(hook, codedeploy):
            logger.info("The hook was answered elsewhere: that answer stands")
            return False
    logger.info("CodeDeploy knows that the hook failed", reason=reason)
    count(HOOK_FAILED_OVER)
    return True


def note_failure(
    hook: Hook,
    reason: str,
    settings: Settings,
    *,
    reported: bool,
    table: GateTable,
    codedeploy: CodeDeploy,
    slack: SlackWebhook,
    countdown: Countdown,
    clock: Callable[[], datetime],
) -> None:
    """Marks the gate as failed and tells people, once.

    `reported`: CodeDeploy knows. Where the table is down, or CodeDeploy does not know yet, people
    are told all the same, though perhaps again by a later try. Raises SlackError or SettingsError
    if they could not be told.
    """
    now = clock()
    if reported:
        try:
            with countdown.until(MARKED_BY):
                is_news = table.mark_failed(
                    hook,
                    reason,
                    fill_test_url(settings.test_url, hook.deployment_id, Deployment()),
                    now=now,
                    deadline=now + TIME_TO_DECIDE,
                    expires_at=now + settings.gate_ttl,
                )
        except TableError as exc:
            logger.warning("The gate is not marked as failed", error=str(exc))
        else:
            if not is_news:
                logger.info("The gate does not wait any more: nothing to tell")
                return
    if not countdown.allows(LOOK_UP_SECONDS + HTTP_TRY_SECONDS):
        logger.warning("No time to tell people")
        return
    slack.post(
        messages.failure_message(
            hook.deployment_id,
            reason,
            console_url=codedeploy.console_url(hook.deployment_id),
            commands=codedeploy.commands(hook),
            reported=reported,
            language=settings.language,
        )
    )


def _has_failed(hook: Hook, codedeploy: CodeDeploy) -> bool:
    """Whether CodeDeploy's answer to a settled hook was a failure, as far as it says."""
    try:
        return codedeploy.describe(hook.deployment_id).status in ("Failed", "Stopped")
    except CodeDeployError as exc:
        logger.warning("The deployment is not described", reason=exc.reason)
        return False


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


def _release(gate: Gate, table: GateTable, now: datetime) -> None:
    """Leaves the gate to the next try; where the table is down, the lease's end does that."""
    try:
        table.release(gate, now)
    except TableError as exc:
        logger.warning("The lease on the gate is not released", error=str(exc))


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
