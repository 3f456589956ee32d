"""Which step of a gate's life a write was: read from the item before and after it alone.

The rows say what may be written; how they are read here is not how `storage` reads them. They are
those of this checkout, whichever is simulated.
"""

import functools
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greenlight.model.life import Lease, Step

Item = dict[str, Any]

LIFE = Path(__file__).parents[2] / "function/greenlight/model/life.py"


@functools.cache
def life() -> tuple["Step", ...]:
    """The rows; none where the checkout that is simulated has no such model yet."""
    spec = importlib.util.spec_from_file_location("life_of_this_checkout", LIFE)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError:
        return ()
    rows: tuple[Step, ...] = module.LIFE
    return rows


def unexplained(before: Item, after: Item) -> str | None:
    """What is wrong with a write that is not exactly one step; one that changed nothing is none."""
    steps = [step.name for step in life() if _explains(step, before, after)]
    return None if before == after or len(steps) == 1 or not life() else f"{steps}"


def _explains(step: "Step", before: Item, after: Item) -> bool:
    is_own = "deadline" in before and before["hook_execution_id"] == after["hook_execution_id"]
    start = before if is_own else {}
    return (
        start.get("status") in step.starts_from
        and _ends_well(step, start, after)
        and not set(step.absent) & set(start)
        and all(after.get(name) != start.get(name) for name in step.changes)
        and _has_lease(step, start, after)
        and _sets_no_more(step, start, after)
        and _tells(step, before, after)
    )


def _ends_well(step: "Step", start: Item, after: Item) -> bool:
    to = step.leads_to or (start.get("status"),)
    return after["status"] in to


def _has_lease(step: "Step", start: Item, after: Item) -> bool:
    if step.takes:
        return _is_new(step.takes, start, after)
    if step.holds is None:
        return True
    # What ends under a lease gives it up.
    return step.holds.holder in start and step.holds.until not in after


def _is_new(lease: "Lease", start: Item, after: Item) -> bool:
    holder = after.get(lease.holder)
    return holder is not None and holder != start.get(lease.holder)


def _sets_no_more(step: "Step", start: Item, after: Item) -> bool:
    """Whether nothing has changed that is no business of the step's, and nothing has gone."""
    lease = {step.takes.until, step.takes.holder} if step.takes else set()
    known = {"deployment_id", "status", "history"} | lease
    changed = {name for name, value in after.items() if value != start.get(name)} - known
    gone = set(start) - set(after)
    is_kept = not changed & set(step.keeps) & set(start)
    return changed <= set(step.sets) and gone <= set(step.removes) and is_kept


def _tells(step: "Step", before: Item, after: Item) -> bool:
    """Whether the history has the step's entry, after what was there."""
    old = before.get("history", []) if "deadline" in before else []
    new = after["history"][len(old) :]
    if not step.events:
        return not new
    return len(new) == 1 and new[0]["event"] in step.events
