"""What is decided or failed is carried to the engine, whose answer is the truth."""

from datetime import timedelta
from typing import Final

from aws_lambda_powertools.metrics import MetricUnit

from greenlight.gates.means import Means
from greenlight.model.errors import (
    EngineError,
    HookAnsweredError,
    HookRefusedError,
    HookUnexplainedError,
)
from greenlight.model.gate import Gate, GateStatus, Settlement, Via
from greenlight.runtime.observability import (
    GATE_APPROVED,
    GATE_EXPIRED,
    GATE_REJECTED,
    GATE_SETTLED_ELSEWHERE,
    TIME_TO_DECISION,
    count,
    count_by,
    count_failed_over,
    logger,
    metrics,
)
from greenlight.storage.table import Held

# Each step has ended by this second of the invocation, so that the later ones have time.
SIGNED_BY: Final = 4.0
LOOKED_BY: Final = 7.0
CLAIMED_BY: Final = 10.0
REPORTED_BY: Final = 13.0
EXPLAINED_BY: Final = 22.0
RECORDED_BY: Final = 25.0

# Whatever an engine was answered, it shows what became of it within this time.
_SHOWN_WITHIN: Final = timedelta(minutes=2)
_NOT_SHOWN: Final = "the deployment goes on, as far as it shows"

_METRICS: Final = {
    GateStatus.APPROVED: GATE_APPROVED,
    GateStatus.REJECTED: GATE_REJECTED,
    GateStatus.EXPIRED: GATE_EXPIRED,
}


def report(held: Held, means: Means) -> Settlement | None:
    """Tells the engine what a gate's status is; None, or what answer it had from elsewhere.

    Raises EngineError if the engine could not be told, or does not say what answer it has.
    """
    gate = held.gate
    try:
        with means.countdown.until(REPORTED_BY):
            means.engine(gate.hook).report(gate.hook, succeeded=gate.status is GateStatus.APPROVED)
    except HookRefusedError as refused:
        settlement = explain(gate, refused, means)
        # An earlier try of the same status may have been what the engine took, if it took any.
        has_answer = isinstance(refused, HookAnsweredError)
        is_perhaps_own = refused.in_doubt or (has_answer and not held.is_new)
        if is_perhaps_own and _is_perhaps_not_shown(gate, settlement, means):
            raise EngineError(refused.engine, refused.operation, _NOT_SHOWN) from refused
        if not (is_perhaps_own and is_as_reported(gate, settlement)):
            logger.info("The engine had its answer from elsewhere", status=settlement.status)
            return settlement
    is_decision = gate.status is not GateStatus.FAILED
    known = "The engine knows the decision" if is_decision else "The engine knows of the failure"
    logger.info(known, status=gate.status)
    return None


def _is_perhaps_not_shown(gate: Gate, settlement: Settlement, means: Means) -> bool:
    """Whether an engine may have a rejection, and does not show yet what it does with it."""
    goes_on = settlement.is_inferred and settlement.goes_on
    since = gate.decided_at or gate.created_at
    is_rejected = gate.status is not GateStatus.APPROVED
    return is_rejected and goes_on and means.clock() < since + _SHOWN_WITHIN


def record(held: Held, settlement: Settlement | None, means: Means) -> Gate:
    """Writes down what `report` came to, and counts it; the gate as it is then.

    Raises TableError, GateNotFoundError or GateReplacedError.
    """
    count_by(held.gate.engine)
    with means.countdown.until(RECORDED_BY):
        if settlement:
            gate = means.table.settle(held, settlement, means.clock())
            count(GATE_SETTLED_ELSEWHERE)
            return gate
        gate, is_news = means.table.mark_reported(held, means.clock())
    if is_news:  # a try that was killed before it wrote it down has not counted it either
        if gate.status is GateStatus.FAILED:
            count_failed_over(gate.engine)  # people are told only after this
        else:
            count(_METRICS[gate.status])
        if gate.decided_at and gate.decided_via is not Via.CLOCK:
            waited = gate.decided_at - (gate.notified_at or gate.created_at)
            metrics.add_metric(TIME_TO_DECISION, MetricUnit.Seconds, waited.total_seconds())
    return gate


def explain(gate: Gate, refused: HookRefusedError, means: Means) -> Settlement:
    """What became of a hook that takes no answer.

    Raises HookUnexplainedError if it has one and the engine does not say which, else `refused`.
    """
    try:
        with means.countdown.until(EXPLAINED_BY):
            return means.engine(gate.hook).settlement(gate, means.clock())
    except EngineError as exc:
        if isinstance(refused, HookAnsweredError):
            raise HookUnexplainedError(
                exc.engine, exc.operation, exc.reason, in_doubt=refused.in_doubt
            ) from exc
        raise refused from exc


def settle_unasked(held: Held, means: Means, *, explained_by: float) -> Gate:
    """Writes down what became of a hook that is over, of which nobody need be asked any more.

    `held`: the gate, and the lease on telling people. Raises EngineError if the engine does not
    say it by this second of the invocation, and then gives the lease up; or TableError.
    """
    try:
        with means.countdown.until(explained_by):
            settlement = means.engine(held.gate.hook).settlement(held.gate, means.clock())
    except EngineError:
        if not held.may_be_told:
            means.table.stop_telling(held)
        raise
    return means.table.settle(held, settlement, means.clock(), unasked=True)


def is_as_reported(gate: Gate, settlement: Settlement) -> bool:
    """Whether the engine has the answer that the gate's status asks for.

    A deployment that was stopped has none. Whoever rejected it has what they wanted all the same;
    that Greenlight ended it itself would not be true. A rejection also stands where the engine does
    not say whether the hook was rejected or its time was over.
    """
    if settlement.status is gate.status and settlement.goes_on is (
        gate.status is GateStatus.APPROVED
    ):
        return True
    if settlement.is_inferred and not settlement.is_answered:
        # It may have been rejected, or let through and have failed later: as was decided.
        return gate.status is not GateStatus.WAITING
    if settlement.is_inferred and gate.status is GateStatus.REJECTED:
        return not settlement.goes_on
    ends = (GateStatus.EXPIRED, GateStatus.FAILED)
    is_rejected = settlement.status is GateStatus.REJECTED and settlement.is_answered
    return is_rejected and gate.status in ends
