"""What is decided or failed is carried to CodeDeploy, whose answer is the truth."""

from typing import Final

from aws_lambda_powertools.metrics import MetricUnit

from greenlight.gates.means import Means
from greenlight.model.errors import (
    CodeDeployError,
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
    HOOK_FAILED_OVER,
    TIME_TO_DECISION,
    count,
    count_now,
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

_METRICS: Final = {
    GateStatus.APPROVED: GATE_APPROVED,
    GateStatus.REJECTED: GATE_REJECTED,
    GateStatus.EXPIRED: GATE_EXPIRED,
}


def report(held: Held, means: Means) -> Settlement | None:
    """Tells CodeDeploy what a gate's status is; None, or what CodeDeploy had from elsewhere.

    Raises CodeDeployError if CodeDeploy could not be told, or does not say what answer it has.
    """
    gate = held.gate
    try:
        with means.countdown.until(REPORTED_BY):
            means.engine.report(gate.hook, succeeded=gate.status is GateStatus.APPROVED)
    except HookRefusedError as refused:
        settlement = explain(gate, refused, means)
        # An earlier try of the same status may have been what CodeDeploy took, if it took any.
        has_answer = isinstance(refused, HookAnsweredError)
        is_perhaps_own = refused.in_doubt or (has_answer and not held.is_new)
        if not (is_perhaps_own and is_as_reported(gate, settlement)):
            logger.info("CodeDeploy had its answer from elsewhere", status=settlement.status)
            return settlement
    is_decision = gate.status is not GateStatus.FAILED
    known = "CodeDeploy knows the decision" if is_decision else "CodeDeploy knows of the failure"
    logger.info(known, status=gate.status)
    return None


def record(held: Held, settlement: Settlement | None, means: Means) -> Gate:
    """Writes down what `report` came to, and counts it; the gate as it is then.

    Raises TableError, GateNotFoundError or GateReplacedError.
    """
    with means.countdown.until(RECORDED_BY):
        if settlement:
            gate = means.table.settle(held, settlement, means.clock())
            count(GATE_SETTLED_ELSEWHERE)
            return gate
        gate, is_news = means.table.mark_reported(held, means.clock())
    if is_news:  # a try that was killed before it wrote it down has not counted it either
        if gate.status is GateStatus.FAILED:
            count_now(HOOK_FAILED_OVER)  # people are told only after this
        else:
            count(_METRICS[gate.status])
        if gate.decided_at and gate.decided_via is not Via.CLOCK:
            waited = gate.decided_at - (gate.notified_at or gate.created_at)
            metrics.add_metric(TIME_TO_DECISION, MetricUnit.Seconds, waited.total_seconds())
    return gate


def explain(gate: Gate, refused: HookRefusedError, means: Means) -> Settlement:
    """What became of a hook that takes no answer.

    Raises HookUnexplainedError if it has one and CodeDeploy does not say which, else `refused`.
    """
    try:
        with means.countdown.until(EXPLAINED_BY):
            return means.engine.settlement(gate)
    except CodeDeployError as exc:
        if isinstance(refused, HookAnsweredError):
            raise HookUnexplainedError(
                exc.operation, exc.reason, in_doubt=refused.in_doubt
            ) from exc
        raise refused from exc


def settle_unasked(held: Held, means: Means, *, explained_by: float) -> Gate:
    """Writes down what became of a hook that is over, of which nobody need be asked any more.

    `held`: the gate, and the lease on telling people. Raises CodeDeployError if CodeDeploy does not
    say it by this second of the invocation, and then gives the lease up; or TableError.
    """
    try:
        with means.countdown.until(explained_by):
            settlement = means.engine.settlement(held.gate)
    except CodeDeployError:
        if not held.may_be_told:
            means.table.stop_telling(held)
        raise
    return means.table.settle(held, settlement, means.clock(), unasked=True)


def is_as_reported(gate: Gate, settlement: Settlement) -> bool:
    """Whether CodeDeploy has the answer that the gate's status asks for.

    A deployment that was stopped has none. Whoever rejected it has what they wanted all the same;
    that Greenlight ended it itself would not be true.
    """
    if settlement.status is gate.status:
        return True
    ends = (GateStatus.EXPIRED, GateStatus.FAILED)
    is_rejected = settlement.status is GateStatus.REJECTED and settlement.is_answered
    return is_rejected and gate.status in ends
