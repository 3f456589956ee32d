"""The use case of a decision that its maker could not bring to the engine: the clock does."""

from greenlight.gates.deciding import Decided, Effect, carry
from greenlight.gates.means import Means
from greenlight.gates.reporting import CLAIMED_BY
from greenlight.model.errors import DecisionMootError
from greenlight.model.gate import Gate, GateState, GateStatus, Via
from greenlight.runtime.observability import logger
from greenlight.storage.table import Held


def is_left_over(gate: Gate) -> bool:
    """Whether a gate has a decision that its engine does not know, which any moment carries on.

    Whoever approves at a terminal needs the right to answer hooks. Whether they have it, the engine
    has not said; so their approval waits for somebody to press again, or for the end.
    """
    is_unproven = gate.status is GateStatus.APPROVED and gate.decided_via is Via.CLI
    return gate.state is GateState.DECIDED and not is_unproven


def carry_on(gate: Gate, means: Means) -> Decided:
    """Carries a decision that was left unreported to its engine. Raises as `finish` does."""
    with means.countdown.until(CLAIMED_BY):
        held = means.table.take_over(gate, means.clock())
    if held.try_id is None:
        return Decided(held.gate, Effect.STANDS)
    return finish(held, means)


def finish(held: Held, means: Means) -> Decided:
    """Carries what is this try's to do to the engine, and sees to it that this is on record.

    Raises as `decide` does, but not for a deployment that the engine does not know: somebody has
    tried the hook by hand. TableError also if the table did not take that the engine knows: calling
    it again carries on there.
    """
    try:
        decided = carry(held, means)
    except DecisionMootError as exc:
        if not exc.is_unknown:
            raise
        logger.info("The engine does not know it: somebody made it up", reason=exc.reason)
        return Decided(held.gate, Effect.STANDS)
    if decided.unrecorded:
        raise decided.unrecorded
    return decided
