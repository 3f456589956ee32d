"""The use case of opening a gate and asking people. It knows no event, no boto3, no requests."""

from dataclasses import dataclass
from typing import Final

from greenlight.gates.asking import ask
from greenlight.gates.looking import describe, look_up_lifecycle, new_gate
from greenlight.gates.means import Means
from greenlight.gates.reporting import settle_unasked
from greenlight.model.errors import ReleaseUnseenError
from greenlight.model.gate import Gate, Hook
from greenlight.runtime.observability import (
    GATE_DUPLICATE,
    GATE_OPENED,
    GATE_SETTLED_ELSEWHERE,
    count,
    count_by,
    logger,
)
from greenlight.runtime.settings import Settings
from greenlight.slack.ways import Way

# Each step has ended by this second of the invocation, so that the later ones have time.
DESCRIBED_BY: Final = 7.0
OPENED_BY: Final = 14.0
TOLD_BY: Final = 22.0


@dataclass(frozen=True)
class Opened:
    """The gate, and whether it was open, and people told, before."""

    gate: Gate
    duplicate: bool


def open_gate(hook: Hook, settings: Settings, means: Means, slack: Way) -> Opened:
    """Opens the gate of a hook and tells people, once, however often it is called.

    Raises TableError, GateBusyError, GateTakenError, GateReplacedError, SlackError, or
    EngineError if the engine does not say what became of a hook that is over; calling it again
    after any of them carries on where it stopped. Raises ReleaseUnseenError where nobody is asked
    any more, and people have to hear of that.
    """
    count_by(hook.engine)
    with means.countdown.until(DESCRIBED_BY):
        deployment = describe(hook, means)
        lifecycle = look_up_lifecycle(hook, means)
    new = new_gate(hook, settings, means, deployment, lifecycle)
    with means.countdown.until(OPENED_BY):
        held = means.table.open(new)
    if held.try_id is None:
        gate = held.gate
        if held.may_be_told and not gate.notified_at:
            logger.info("People may have been told of a gate that has ended: they are told of that")
            gate = means.table.mark_notified(hook, means.clock())
        if gate.is_unseen:
            raise ReleaseUnseenError(gate.engine, gate.deployment_id)
        logger.info("The gate is open and people were told: nothing to do")
        count(GATE_DUPLICATE)
        return Opened(gate, duplicate=True)
    if held.is_new:
        logger.info("The gate is open", deadline=held.gate.deadline.isoformat())
        count(GATE_OPENED)
    else:
        logger.info("The gate was left half-open by an earlier try: carrying on")
    since = None if held.is_new else held.gate.created_at
    if deployment.has_ended or means.engine(hook).is_answered(lifecycle, since):
        gate = settle_unasked(held, means, explained_by=TOLD_BY)
        logger.info("The hook has its answer: nobody is asked", status=gate.status)
        count(GATE_SETTLED_ELSEWHERE)
        if gate.is_unseen:
            raise ReleaseUnseenError(gate.engine, gate.deployment_id)
        return Opened(gate, duplicate=False)
    return Opened(ask(held, settings.look, means, slack, told_by=TOLD_BY), duplicate=False)
