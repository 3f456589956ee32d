"""The use case of a deployment that has ended: its gate says what became of it."""

from dataclasses import replace
from typing import Final

from greenlight.gates.means import Means
from greenlight.gates.reporting import LOOKED_BY, is_as_reported, record
from greenlight.model.errors import (
    EngineDeniedError,
    EngineError,
    GateNotFoundError,
    GateReplacedError,
    HookRefusedError,
    HookUnknownError,
    NotEndedError,
)
from greenlight.model.gate import (
    Ending,
    EngineName,
    Gate,
    GateState,
    GateStatus,
    Hook,
    Outcome,
    Settlement,
    TimeoutAction,
    Via,
)
from greenlight.runtime.observability import OUTCOMES, count, count_by, logger
from greenlight.storage.table import Held

_OPEN: Final = (GateState.WAITING, GateState.DECIDED, GateState.FAILING)


def learn(
    deployment: str,
    engine: EngineName,
    means: Means,
    *,
    hook: Hook | None = None,
    has_ended: bool = False,
) -> list[Gate]:
    """Writes down what became of a deployment, as its engine says now; the gates of it.

    `hook`: one of it whose gate is known. A rollback at CodeDeploy is a deployment of its own, and
    the gate is that of the one that it rolls back. A gate that was still open is brought in line
    with the answer that its engine had. Raises EngineError, TableError or GateBusyError, and
    NotEndedError if the engine has sent word that it `has_ended` and does not say so; calling it
    again carries on there.
    """
    try:
        endings = means.engine_named(engine).endings(deployment, hook)
    except (EngineDeniedError, HookRefusedError) as exc:
        if _has_gate(hook.deployment_id if hook else deployment, means):
            raise
        logger.info("A deployment that may not be read has no gate here", reason=exc.reason)
        return []
    if has_ended and any(ending is None for _, ending in endings):
        raise NotEndedError(engine, deployment)
    learned = [_learn(gate_id, ending, means) for gate_id, ending in endings]
    return [gate for gate in learned if gate]


def _learn(gate_id: str, ending: Ending | None, means: Means) -> Gate | None:
    """Writes down what became of a gate's deployment; None where there is nothing to write."""
    logger.set_correlation_id(gate_id)
    if ending is None:
        logger.info("The deployment has not ended")
        return None
    try:
        gate = means.table.get(gate_id)
        if gate.state in _OPEN:
            gate = _settle(gate, means)
        elif ending.outcome is Outcome.LIVE and not gate.goes_on:
            logger.warning("The deployment is live, and it is not on record that it went on")
            gate = means.table.correct(gate, _why_live(gate, means), means.clock())
        return _write(gate, ending, means)
    except (GateNotFoundError, GateReplacedError) as exc:
        logger.info("The deployment has no gate here", reason=str(exc))
        return None


def bring_in_line(hook: Hook, ended: GateStatus, means: Means) -> Gate | None:
    """Brings the gate of a hook in line whose engine has sent word that it ended; None if none is.

    The engine is asked again, and what it says then counts. What it has sent (`ended`) counts where
    it does not say so any more, or cannot be asked, and where the gate was closed otherwise. Raises
    as `learn` does.
    """
    try:
        gate = means.table.get(hook.deployment_id)
    except GateNotFoundError:
        logger.info("The hook has no gate here")
        return None
    if gate.state is GateState.CLOSED:
        return _correct(gate, ended, means)
    if gate.state is GateState.FAILING and ended is GateStatus.REJECTED:
        return gate  # whoever fails it writes that down
    try:
        with means.countdown.until(LOOKED_BY):
            lifecycle = means.engine(hook).lifecycle(gate.hook)
    except EngineError as exc:
        if ended is GateStatus.EXPIRED and gate.timeout_action is None:
            raise  # what it did then, only the engine knows
        logger.warning("The engine does not say it again: its word counts", reason=exc.reason)
        return _settle_as(gate, _as_sent(Settlement(ended), ended, gate), means)
    if not means.engine(hook).is_answered(lifecycle, gate.created_at):
        raise NotEndedError(hook.engine, hook.deployment_id)
    return _settle(gate, means, ended)


def learn_of(gate: Gate, means: Means) -> bool:
    """Writes down what became of a gate's deployment, if it has ended; whether it has.

    Raises as `learn` does, but not for a deployment that may not be read.
    """
    try:
        return bool(learn(gate.deployment, gate.engine, means, hook=gate.hook))
    except (EngineDeniedError, HookRefusedError) as exc:
        logger.info("Whether the deployment has ended cannot be read", reason=exc.reason)
        return False


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
            lifecycle = means.engine(gate.hook).lifecycle(gate.hook)
    except EngineError as exc:
        say = logger.info if isinstance(exc, HookUnknownError) else logger.warning
        say("Whether the hook has been answered cannot be read", reason=exc.reason)
        return gate
    is_answered = means.engine(gate.hook).is_answered(lifecycle, gate.created_at)
    return _settle(gate, means) if is_answered else gate


def _settle(gate: Gate, means: Means, ended: GateStatus | None = None) -> Gate:
    """Brings a gate in line with the answer that its engine had.

    `ended`: how the hook has ended, as its engine has sent word: it counts where that can only be
    inferred. That the engine may not be asked is an EngineError here: the deployment is ours.
    """
    try:
        settlement = means.engine(gate.hook).settlement(gate, means.clock())
    except (EngineDeniedError, HookRefusedError) as exc:
        raise EngineError(exc.engine, exc.operation, exc.reason) from exc
    if settlement.is_inferred and ended:
        settlement = _as_sent(settlement, ended, gate)
    return _settle_as(gate, settlement, means)


def _settle_as(gate: Gate, settlement: Settlement, means: Means) -> Gate:
    """Brings a gate in line with what became of its hook."""
    held: Held = means.table.take_over(gate, means.clock())
    if held.try_id is None:
        return held.gate
    # Who decided, or that the time was over, may be what the engine was told.
    is_own = is_as_reported(held.gate, settlement)
    return record(held, None if is_own else settlement, means)


def _correct(gate: Gate, ended: GateStatus, means: Means) -> Gate:
    """Brings a gate in line that was closed, with the word of how its hook has ended.

    An answer that the engine has taken may be none: it had another, and says so nowhere else.
    """
    settlement = _as_sent(Settlement(ended), ended, gate)
    if ended is GateStatus.EXPIRED and gate.timeout_action is None:
        # What it did then, its word does not say.
        try:
            with means.countdown.until(LOOKED_BY):
                settlement = means.engine(gate.hook).settlement(gate, means.clock())
        except (EngineDeniedError, HookRefusedError) as exc:
            logger.info("What silence did cannot be read", reason=exc.reason)
            return gate
    is_same = settlement.goes_on is gate.goes_on
    if is_same and gate.goes_on and gate.decided_via is Via.ELSEWHERE:
        is_same = settlement.status is gate.status  # who let it go on may have been a guess
    if settlement.is_inferred or is_same:
        return gate
    logger.warning("The engine had another answer than is on record", status=ended)
    return means.table.correct(gate, settlement, means.clock())


def _as_sent(settlement: Settlement, ended: GateStatus, gate: Gate) -> Settlement:
    """What became of a hook, as its engine has sent word, where it does not say it any more."""
    action = None
    if ended is GateStatus.EXPIRED:
        found = TimeoutAction.CONTINUE if settlement.goes_on else TimeoutAction.ROLLBACK
        action = gate.timeout_action or found
    sent = replace(
        settlement, status=ended, timeout_action=action, is_answered=True, is_inferred=False
    )
    # When and why it failed later is not when and why it was let through.
    return replace(sent, at=None, detail=None) if ended is GateStatus.APPROVED else sent


def _why_live(gate: Gate, means: Means) -> Settlement:
    """What let a deployment go on that is live, as far as its engine says."""
    try:
        with means.countdown.until(LOOKED_BY):
            settlement = means.engine(gate.hook).settlement(gate, means.clock())
    except EngineError as exc:
        logger.info("What let it go on cannot be read", reason=exc.reason)
        return Settlement(GateStatus.APPROVED)
    return settlement if settlement.goes_on else Settlement(GateStatus.APPROVED)


def _write(gate: Gate, ending: Ending, means: Means) -> Gate:
    gate, is_news = means.table.mark_ended(gate.hook, ending, means.clock())
    if is_news:
        logger.info("The deployment has ended", outcome=ending.outcome, reason=ending.reason)
        count_by(gate.engine)
        count(OUTCOMES[ending.outcome])
    return gate
