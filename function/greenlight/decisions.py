"""The use case of deciding a gate: once, by one approver, and carried to CodeDeploy."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from greenlight.codedeploy import CodeDeploy
from greenlight.errors import (
    CodeDeployDeniedError,
    CodeDeployError,
    DecisionDeniedError,
    DecisionMootError,
    DecisionUnreportedError,
    GateNotFoundError,
    GateReplacedError,
    HookRefusedError,
    SettlementUnrecordedError,
    TableError,
)
from greenlight.models import Decision, Gate, GateStatus, Hook, Via
from greenlight.network import Countdown
from greenlight.observability import DECISION_REPEATED, count, logger
from greenlight.reports import CLAIMED_BY, RECORDED_BY, record, report
from greenlight.table import REPORTING, GateTable, Held


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

    Whatever it is called with, the first approver's decision stands; but one of somebody whom
    CodeDeploy lets answer no hook is none. Raises GateNotFoundError, GateReplacedError,
    GateBusyError or TableError if nothing could be written down, DecisionDeniedError if the gate
    waits again, DecisionUnreportedError if CodeDeploy could not be told, DecisionMootError if it
    takes no answer and does not say why, SettlementUnrecordedError if what happened elsewhere could
    not be written down. After the last three, calling it again with the same verdict carries on
    there.
    """
    with countdown.until(CLAIMED_BY):
        held = table.decide(hook, decision, clock())
    gate = held.gate
    if held.try_id is None:
        logger.info("The gate does not wait for this decision", status=gate.status)
        count(DECISION_REPEATED)
        return Decided(gate, Outcome.STANDS)
    logger.info(
        "The gate is decided" if held.is_new else "A decision was left unreported: carrying on",
        status=gate.status,
        decided_by=gate.decided_by,
        decided_via=gate.decided_via,
    )
    try:
        settlement = report(held, codedeploy, countdown)
    except CodeDeployDeniedError as denied:
        if held.is_new and not denied.in_doubt:
            raise _given_back(held, denied, table, countdown, clock) from denied
        raise _unreported(held, denied, table) from denied
    except CodeDeployError as exc:
        raise _unreported(held, exc, table) from exc
    if settlement:
        try:
            gate = record(held, settlement, table, countdown, clock)
        except TableError as exc:
            raise SettlementUnrecordedError(exc.table, exc.operation, exc.reason) from exc
        is_elsewhere = gate.decided_via is Via.ELSEWHERE
        return Decided(gate, Outcome.SETTLED if is_elsewhere else Outcome.STANDS)
    outcome = Outcome.MADE if held.is_new else Outcome.FINISHED
    try:
        return Decided(record(held, None, table, countdown, clock), outcome)
    except (TableError, GateNotFoundError, GateReplacedError) as exc:
        # It is in force all the same.
        logger.warning("That CodeDeploy knows is not written down", error=str(exc))
        return Decided(replace(gate, reported_at=clock()), outcome)


def _given_back(
    held: Held,
    denied: CodeDeployDeniedError,
    table: GateTable,
    countdown: Countdown,
    clock: Callable[[], datetime],
) -> CodeDeployError:
    """Lets the gate wait again: CodeDeploy took nothing, so whoever may can still decide."""
    try:
        with countdown.until(RECORDED_BY):
            gate = table.give_back(held, denied.reason, clock())
    except TableError as exc:
        logger.warning("The gate is not given back", error=str(exc))
        return _unreported(held, denied, table)
    if gate.status is not GateStatus.WAITING:  # another try has taken it over meanwhile
        return _unreported(held, denied, table)
    return DecisionDeniedError(gate, denied.operation, denied.reason)


def _unreported(held: Held, cause: CodeDeployError, table: GateTable) -> DecisionUnreportedError:
    table.release(REPORTING, held)
    is_moot = isinstance(cause, HookRefusedError)
    error = DecisionMootError if is_moot else DecisionUnreportedError
    return error(held.gate, cause.operation, cause.reason)
