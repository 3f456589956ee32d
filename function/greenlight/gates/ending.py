"""The use case of ending a gate that nobody has decided in time."""

from datetime import timedelta
from typing import Final

from greenlight.gates.carrying import carry_on, finish, is_left_over
from greenlight.gates.deciding import Decided, Effect
from greenlight.gates.looking import TIME_TO_END
from greenlight.gates.means import Means
from greenlight.gates.reporting import CLAIMED_BY
from greenlight.model.errors import TooEarlyError
from greenlight.model.gate import Gate, GateState
from greenlight.runtime.observability import logger
from greenlight.storage.table import CLOCKS_DIFFER_BY

REASON: Final = "nobody decided in time"
# Whoever is at work on a decision has ended by then.
LEFT_AFTER: Final = timedelta(minutes=3)
# A moment that was set has come by then; its end is set three minutes before an engine gives up.
_COMES_WITHIN: Final = timedelta(minutes=1)


def finish_in_time(gate: Gate, means: Means) -> Decided | None:
    """Carries a gate to its end that nobody else does; None where there is nothing to do yet.

    Before its engine gives up, that is to be done of a decision which was left over for longer than
    anybody is at work on it; of one whose maker may have had no right to it, where the time is
    nearly over; and of a gate whose end never came. Raises as `finish` does.
    """
    now = means.clock()
    if gate.state is GateState.DECIDED:
        is_old = now - (gate.decided_at or now) > LEFT_AFTER
        is_late = now > gate.deadline - TIME_TO_END
        if not (is_old and (is_left_over(gate) or is_late)):
            return None
        return carry_on(gate, means)
    if gate.state is GateState.WAITING and gate.decide_by and now > gate.decide_by + _COMES_WITHIN:
        return end(gate, means)
    return None


def end(gate: Gate, means: Means) -> Decided:
    """Rejects a gate whose time to decide is over, unless somebody has decided it.

    A decision that its engine does not know yet is carried there, whoever made it. Raises
    TooEarlyError, or as `finish` does; calling it again carries on there.
    """
    now = means.clock()
    if now < gate.ends_at - CLOCKS_DIFFER_BY:
        raise TooEarlyError(gate.deployment_id, gate.ends_at)
    with means.countdown.until(CLAIMED_BY):
        held = means.table.expire(gate.hook, REASON, now)
    if held.try_id is None and held.gate.state is GateState.DECIDED:
        return carry_on(held.gate, means)
    if held.try_id is None:
        logger.info("The gate has ended before", status=held.gate.status)
        return Decided(held.gate, Effect.STANDS)
    return finish(held, means)
