"""The use case of deciding a gate: once, by one approver, and carried to the engine."""

from dataclasses import dataclass, replace
from enum import Enum

from greenlight.gates.means import Means
from greenlight.gates.reporting import CLAIMED_BY, RECORDED_BY, record, report
from greenlight.model.errors import (
    DecisionDeniedError,
    DecisionMootError,
    DecisionUnreportedError,
    EngineDeniedError,
    EngineError,
    GateBusyError,
    GateNotFoundError,
    GateReplacedError,
    GreenlightError,
    HookRefusedError,
    SettlementUnrecordedError,
    TableError,
)
from greenlight.model.gate import Decision, Gate, GateStatus, Hook, Via
from greenlight.runtime.network import CHAIN_SECONDS
from greenlight.runtime.observability import DECISION_REPEATED, count, logger
from greenlight.storage.table import Held


class Effect(Enum):
    """What somebody's wish to decide a gate has done."""

    MADE = "the decision is made"
    FINISHED = "an earlier decision, which the engine did not know yet, is carried to its end"
    STANDS = "the gate was decided, or had ended, before: nothing has changed"
    CLAIMED = "somebody is testing, and the gate waits"
    SETTLED = "the engine had its answer from elsewhere: the gate is brought in line"


@dataclass(frozen=True)
class Decided:
    """The gate as it is now, whoever decided it, and what this wish to decide it did.

    `unrecorded`: why the table did not take that the engine knows.
    """

    gate: Gate
    effect: Effect
    unrecorded: TableError | None = None


def decide(hook: Hook, decision: Decision, means: Means) -> Decided:
    """Decides a gate, unless somebody has, and tells its engine.

    Whatever it is called with, the first approver's decision stands; but one of somebody whom
    the engine lets answer no hook is none. Raises GateNotFoundError, GateReplacedError,
    GateBusyError or TableError if nothing could be written down, DecisionDeniedError if the gate
    waits again, DecisionUnreportedError if the engine could not be told, DecisionMootError if it
    takes no answer and does not say why, SettlementUnrecordedError if what happened elsewhere could
    not be written down. After the last three, calling it again with the same verdict carries on
    there.
    """
    with means.countdown.until(CLAIMED_BY):
        held = _claim(hook, decision, means)
    if held.try_id is None:
        logger.info("The gate does not wait for this decision", status=held.gate.status)
        count(DECISION_REPEATED)
        return Decided(held.gate, Effect.STANDS)
    return carry(held, means)


def carry(held: Held, means: Means) -> Decided:
    """Carries to the engine what a gate's status says, which is this try's to do.

    Raises as `decide` does.
    """
    gate = held.gate
    logger.info(
        "The gate is decided" if held.is_new else "A decision was left unreported: carrying on",
        status=gate.status,
        decided_by=gate.decided_by,
        decided_via=gate.decided_via,
    )
    try:
        settlement = report(held, means)
    except EngineDeniedError as denied:
        if held.is_new and not denied.in_doubt:
            raise _given_back(held, denied, means) from denied
        raise _unreported(held, denied, means) from denied
    except EngineError as exc:
        raise _unreported(held, exc, means) from exc
    if settlement:
        try:
            gate = record(held, settlement, means)
        except TableError as exc:
            raise SettlementUnrecordedError(exc.table, exc.operation, exc.reason) from exc
        is_elsewhere = gate.decided_via is Via.ELSEWHERE
        return Decided(gate, Effect.SETTLED if is_elsewhere else Effect.STANDS)
    effect = Effect.MADE if held.is_new else Effect.FINISHED
    try:
        return Decided(record(held, None, means), effect)
    except (TableError, GateNotFoundError, GateReplacedError) as exc:
        # It is in force all the same.
        logger.warning("That the engine knows is not written down", error=str(exc))
        unrecorded = exc if isinstance(exc, TableError) else None
        return Decided(replace(gate, reported_at=means.clock()), effect, unrecorded)


def leave_message(decided: Decided, means: Means) -> None:
    """Writes down that the message of a gate that no click has brought to its end is as it was.

    Whoever presses a button changes the message; a command or the clock cannot, and so it is said
    in a new one, at once, and not only when a click has had its time. A bot changes its message
    anyway.
    """
    gate = decided.gate
    is_ours = decided.effect in (Effect.MADE, Effect.FINISHED) and gate.decided_via is Via.SLACK
    if not is_ours or gate.place or gate.shown:
        return
    try:
        means.table.mark_left(gate)
    except GreenlightError as exc:
        logger.warning("The message is looked at in a minute", stage=exc.stage, error=str(exc))


def _claim(hook: Hook, decision: Decision, means: Means) -> Held:
    """Writes the decision down, unless there is one; the gate as it is then."""
    try:
        return means.table.decide(hook, decision, means.clock())
    except GateBusyError:  # an earlier decision was given back just now, so that the gate waits
        if not means.countdown.allows(2 * CHAIN_SECONDS):
            raise
        return means.table.decide(hook, decision, means.clock())


def _given_back(held: Held, denied: EngineDeniedError, means: Means) -> EngineError:
    """Lets the gate wait again: the engine took nothing, so whoever may can still decide."""
    try:
        with means.countdown.until(RECORDED_BY):
            gate = means.table.give_back(held, denied.reason, means.clock())
    except TableError as exc:
        logger.warning("The gate is not given back", error=str(exc))
        return _unreported(held, denied, means)
    if gate.status is not GateStatus.WAITING:  # another try has taken it over meanwhile
        return _unreported(held, denied, means)
    return DecisionDeniedError(gate, denied)


def _unreported(held: Held, cause: EngineError, means: Means) -> DecisionUnreportedError:
    means.table.stop_reporting(held)
    is_moot = isinstance(cause, HookRefusedError)
    error = DecisionMootError if is_moot else DecisionUnreportedError
    return error(held.gate, cause)
