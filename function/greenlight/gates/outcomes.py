"""The use case of a deployment that has ended: its gate says what became of it."""

from typing import Final

from greenlight.engines.codedeploy import is_answered, is_unknown
from greenlight.gates.means import Means
from greenlight.gates.reporting import LOOKED_BY, is_as_reported, record
from greenlight.model.errors import (
    CodeDeployDeniedError,
    CodeDeployError,
    GateNotFoundError,
    GateReplacedError,
    HookRefusedError,
    NotEndedError,
)
from greenlight.model.gate import Ending, Gate, GateState
from greenlight.runtime.observability import OUTCOMES, count, logger
from greenlight.storage.table import Held

_OPEN: Final = (GateState.WAITING, GateState.DECIDED, GateState.FAILING)


def learn(deployment_id: str, means: Means, *, has_ended: bool = False) -> Gate | None:
    """Writes down what became of a deployment, as its engine says now; None for one of no gate's.

    A rollback is a deployment of its own, and the gate is that of the one that it rolls back. A
    gate that was still open is brought in line with the answer that its engine had. Raises
    CodeDeployError, TableError or GateBusyError, and NotEndedError if the engine has sent word that
    it `has_ended` and does not say so; calling it again carries on there.
    """
    try:
        gate_id, ending = means.engine.ending(deployment_id)
    except (CodeDeployDeniedError, HookRefusedError) as exc:
        if _has_gate(deployment_id, means):
            raise
        logger.info("A deployment that may not be read has no gate here", reason=exc.reason)
        return None
    if ending is None:
        if has_ended:
            raise NotEndedError(deployment_id)
        logger.info("The deployment has not ended")
        return None
    try:
        gate = means.table.get(gate_id)
        if gate.state in _OPEN:
            gate = _settle(gate, means)
        return _write(gate, ending, means)
    except (GateNotFoundError, GateReplacedError) as exc:
        logger.info("The deployment has no gate here", reason=str(exc))
        return None


def _has_gate(deployment_id: str, means: Means) -> bool:
    try:
        means.table.get(deployment_id)
    except GateNotFoundError:
        return False
    return True


def settle_if_answered(gate: Gate, means: Means) -> Gate:
    """Brings a gate in line that waits for people or a report, if its hook has its answer.

    Somebody may have given it with the AWS CLI, of which there is no event. Raises as `learn` does,
    but not where the engine does not say.
    """
    if gate.state not in (GateState.WAITING, GateState.DECIDED):
        return gate
    try:
        with means.countdown.until(LOOKED_BY):
            lifecycle = means.engine.lifecycle(gate.deployment_id)
    except CodeDeployError as exc:
        say = logger.info if is_unknown(exc.reason) else logger.warning
        say("Whether the hook has been answered cannot be read", reason=exc.reason)
        return gate
    return _settle(gate, means) if is_answered(lifecycle, gate) else gate


def _settle(gate: Gate, means: Means) -> Gate:
    """Brings a gate in line with the answer that its engine had, whose deployment may be read."""
    try:
        settlement = means.engine.settlement(gate)
    except (CodeDeployDeniedError, HookRefusedError) as exc:
        raise CodeDeployError(exc.operation, exc.reason) from exc
    held: Held = means.table.take_over(gate, means.clock())
    if held.try_id is None:
        return held.gate
    # Who decided, or that the time was over, may be what CodeDeploy was told.
    is_own = is_as_reported(held.gate, settlement)
    return record(held, None if is_own else settlement, means)


def _write(gate: Gate, ending: Ending, means: Means) -> Gate:
    gate, is_news = means.table.mark_ended(gate.hook, ending, means.clock())
    if is_news:
        logger.info("The deployment has ended", outcome=ending.outcome, reason=ending.reason)
        count(OUTCOMES[ending.outcome])
    return gate
