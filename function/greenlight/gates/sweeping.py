"""The use case of hooks that wait and of which nobody knows: the event of them was lost."""

from collections.abc import Callable, Iterable

from greenlight.gates.means import Means
from greenlight.model.errors import GateNotFoundError
from greenlight.model.gate import Hook
from greenlight.runtime.network import CHAIN_SECONDS
from greenlight.runtime.observability import HOOK_FOUND, count, logger


def is_time_left(means: Means) -> bool:
    """Whether there is time to look at one more hook: to read its gate, and to call for it."""
    return means.countdown.allows(2 * CHAIN_SECONDS)


def sweep(waiting: Iterable[Hook], means: Means, open_again: Callable[[Hook], None]) -> int:
    """Has the gate opened of each hook that waits and of which nobody was told; how many those are.

    As far as there is time: the next sweep finds the rest. Raises EngineError, TableError or what
    `open_again` does.
    """
    found = 0
    for hook in waiting:
        if not is_time_left(means):
            break
        if _is_known(hook, means):
            continue
        logger.warning("A hook waits, and nobody was told", deployment_id=hook.deployment_id)
        count(HOOK_FOUND)
        open_again(hook)
        found += 1
    if not is_time_left(means):
        logger.warning("There may have been no time to look at all hooks", found=found)
    return found


def _is_known(hook: Hook, means: Means) -> bool:
    """Whether people were told of a hook, or it was decided."""
    try:
        return means.table.get(hook.deployment_id).is_known
    except GateNotFoundError:
        return False
