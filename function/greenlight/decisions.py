"""The use case of deciding a gate: once, by one approver, and carried to CodeDeploy."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum
from typing import Final

from aws_lambda_powertools.metrics import MetricUnit

from greenlight.codedeploy import CodeDeploy
from greenlight.errors import (
    CodeDeployError,
    DecisionUnreportedError,
    GateNotFoundError,
    GateReplacedError,
    HookRefusedError,
    HookSettledError,
    TableError,
)
from greenlight.models import Decision, Gate, GateStatus, Hook
from greenlight.network import Countdown
from greenlight.observability import (
    DECISION_REPEATED,
    GATE_APPROVED,
    GATE_REJECTED,
    GATE_SETTLED_ELSEWHERE,
    TIME_TO_DECISION,
    count,
    logger,
    metrics,
)
from greenlight.table import Deciding, GateTable

# The second of the invocation by which each step has ended, so that the later ones have time.
SIGNED_BY: Final = 4.0
DECIDED_BY: Final = 10.0
REPORTED_BY: Final = 13.0
EXPLAINED_BY: Final = 22.0
RECORDED_BY: Final = 25.0


class Outcome(Enum):
    """What became of a wish to decide a gate."""

    MADE = "the decision is made"
    FINISHED = "an earlier decision, which CodeDeploy did not know yet, is carried to its end"
    STANDS = "the gate was decided, or had ended, before: nothing has changed"
    SETTLED = "CodeDeploy had its answer from elsewhere: the gate is brought in line"


@dataclass(frozen=True)
class Decided:
    """The gate as it is now, whoever decided it, and what this wish to decide it did."""

    gate: Gate
    outcome: Outcome


def decide(
    hook: Hook,
    decision: Decision,
    *,
    table: GateTable,
    codedeploy: CodeDeploy,
    countdown: Countdown,
    clock: Callable[[], datetime],
) -> Decided:
    """Decides a gate, unless somebody has, and tells CodeDeploy.

    Whatever it is called with, the first approver's decision stands. Raises GateNotFoundError,
    GateReplacedError or TableError if nothing could be written down, DecisionUnreportedError if
    CodeDeploy could not be told, TableError if what happened elsewhere could not be written down.
    After the last two, calling it again with the same verdict carries on there.
    """
    with countdown.until(DECIDED_BY):
        deciding = table.decide(hook, decision, clock())
    gate = deciding.gate
    if deciding.try_id is None:
        logger.info("The gate does not wait for this decision", status=gate.status)
        count(DECISION_REPEATED)
        return Decided(gate, Outcome.STANDS)
    logger.info(
        "The gate is decided" if deciding.is_new else "A decision was left unreported: carrying on",
        status=gate.status,
        decided_by=gate.decided_by,
        decided_via=gate.decided_via,
    )
    try:
        with countdown.until(REPORTED_BY):
            codedeploy.report(hook, succeeded=gate.status is GateStatus.APPROVED)
    except HookRefusedError as refused:
        return _explain(deciding, refused, table, codedeploy, countdown, clock)
    except CodeDeployError as exc:
        raise _unreported(deciding, exc, table) from exc
    return _reported(deciding, table, countdown, clock)


def _reported(
    deciding: Deciding, table: GateTable, countdown: Countdown, clock: Callable[[], datetime]
) -> Decided:
    """Writes down that CodeDeploy took the decision, which is in force by now."""
    gate = deciding.gate
    logger.info("CodeDeploy knows the decision", status=gate.status)
    count(GATE_APPROVED if gate.status is GateStatus.APPROVED else GATE_REJECTED)
    if gate.decided_at:
        waited = gate.decided_at - (gate.notified_at or gate.created_at)
        metrics.add_metric(TIME_TO_DECISION, MetricUnit.Seconds, waited.total_seconds())
    outcome = Outcome.MADE if deciding.is_new else Outcome.FINISHED
    try:
        with countdown.until(RECORDED_BY):
            return Decided(table.mark_reported(gate, clock()), outcome)
    except (TableError, GateNotFoundError, GateReplacedError) as exc:
        logger.warning("That CodeDeploy knows is not written down", error=str(exc))
        return Decided(replace(gate, reported_at=clock()), outcome)


def _explain(
    deciding: Deciding,
    refused: HookRefusedError,
    table: GateTable,
    codedeploy: CodeDeploy,
    countdown: Countdown,
    clock: Callable[[], datetime],
) -> Decided:
    """Finds out why CodeDeploy takes no answer, and writes down what happened."""
    try:
        with countdown.until(EXPLAINED_BY):
            settlement = codedeploy.settlement(deciding.gate)
    except CodeDeployError as exc:
        # That it has an answer says less than why that one cannot be read.
        cause = exc if isinstance(refused, HookSettledError) else refused
        raise _unreported(deciding, cause, table) from exc
    may_be_ours = refused.retried or not deciding.is_new
    if settlement.status is deciding.gate.status and may_be_ours:
        return _reported(deciding, table, countdown, clock)
    logger.info("CodeDeploy had its answer from elsewhere", status=settlement.status)
    count(GATE_SETTLED_ELSEWHERE)
    with countdown.until(RECORDED_BY):
        return Decided(table.settle(deciding.gate, settlement, clock()), Outcome.SETTLED)


def _unreported(
    deciding: Deciding, cause: CodeDeployError, table: GateTable
) -> DecisionUnreportedError:
    """Leaves the decision to the next click; where the table is down, the lease's end does that."""
    try:
        table.leave_unreported(deciding)
    except TableError as exc:
        logger.warning("The lease on the report is not given up", error=str(exc))
    return DecisionUnreportedError(deciding.gate, cause.operation, cause.reason)
