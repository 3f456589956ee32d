"""The use case of opening a gate and asking people. It knows no event, no boto3, no requests."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from greenlight.asking import ask
from greenlight.codedeploy import ENDED, TIME_TO_DECIDE, CodeDeploy, has_ended, settlement_of
from greenlight.errors import CodeDeployError
from greenlight.models import UNKNOWN, Deployment, Gate, Hook, Lifecycle
from greenlight.network import Countdown
from greenlight.observability import (
    GATE_DUPLICATE,
    GATE_OPENED,
    GATE_SETTLED_ELSEWHERE,
    count,
    logger,
)
from greenlight.settings import Settings, fill_test_url
from greenlight.slack import SlackWebhook
from greenlight.table import TELLING, GateTable, NewGate

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

    Raises TableError, GateBusyError, GateTakenError, GateReplacedError or SlackError; calling it
    again after any of them carries on where it stopped.
    """
    deployment = _describe(hook, codedeploy, countdown)
    lifecycle = _lifecycle(hook, codedeploy, countdown)
    now = clock()
    new = NewGate(
        hook,
        test_url=fill_test_url(settings.test_url, hook.deployment_id, deployment),
        created_at=now,
        deadline=(lifecycle.waits_since or now) + TIME_TO_DECIDE,
        expires_at=now + settings.gate_ttl,
        lifecycle=lifecycle,
        application=deployment.application,
        deployment_group=deployment.deployment_group,
    )
    with countdown.until(OPENED_BY):
        held = table.open(new)
    if held.try_id is None:
        logger.info("The gate is open and people were told: nothing to do")
        count(GATE_DUPLICATE)
        return Opened(held.gate, duplicate=True)
    if held.is_new:
        logger.info("The gate is open", deadline=held.gate.deadline.isoformat())
        count(GATE_OPENED)
    else:
        logger.info("The gate was left half-open by an earlier try: carrying on")
    settlement = settlement_of(lifecycle, deployment, held.gate.created_at)
    # The lifecycle event may have ended before there was a gate: then it is another one's hook.
    is_over = not held.is_new and has_ended(lifecycle, held.gate)
    if settlement and (is_over or deployment.status in ENDED):
        logger.info("The hook has its answer: nobody is asked", status=settlement.status)
        count(GATE_SETTLED_ELSEWHERE)
        return Opened(table.settle(held, settlement, now, lease=TELLING), duplicate=False)

    gate = ask(
        held,
        deployment,
        settings,
        table=table,
        codedeploy=codedeploy,
        slack=slack,
        countdown=countdown,
        clock=clock,
        told_by=TOLD_BY,
    )
    return Opened(gate, duplicate=False)


def _describe(hook: Hook, codedeploy: CodeDeploy, countdown: Countdown) -> Deployment:
    """What CodeDeploy says of the deployment, if it says so in time."""
    try:
        with countdown.until(DESCRIBED_BY):
            return codedeploy.describe(hook.deployment_id)
    except CodeDeployError as exc:
        logger.warning(
            "The deployment is not described: the message will be plainer", reason=exc.reason
        )
        return Deployment()


def _lifecycle(hook: Hook, codedeploy: CodeDeploy, countdown: Countdown) -> Lifecycle:
    """Where the hook stands, if CodeDeploy says so in time: Lambda may have held it for long."""
    try:
        with countdown.until(DESCRIBED_BY):
            return codedeploy.lifecycle(hook.deployment_id)
    except CodeDeployError as exc:
        logger.warning(
            "CodeDeploy does not say since when it waits: the deadline may be late",
            reason=exc.reason,
        )
        return UNKNOWN
