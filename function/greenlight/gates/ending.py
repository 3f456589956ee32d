"""The use case of ending a gate that nobody has decided in time."""

from typing import Final

from greenlight.gates.carrying import carry_on, finish
from greenlight.gates.deciding import Decided, Effect
from greenlight.gates.means import Means
from greenlight.gates.reporting import CLAIMED_BY
from greenlight.model.errors import TooEarlyError
from greenlight.model.gate import Gate, GateState
from greenlight.runtime.observability import logger
from greenlight.storage.table import CLOCKS_DIFFER_BY

REASON: Final = "nobody decided in time"


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
