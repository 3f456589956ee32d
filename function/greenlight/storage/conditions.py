"""The one condition of each step's write, joined from the clauses of its row in `model/life.py`.

It names attributes as `#name` and values as `:name`: `:hook`, the statuses (`:WAITING`), `:seen`,
`:now`, `:try_id` and `:spared_try_id`.
"""

from typing import Any, Final

from greenlight.model.life import ANY, Lease, Step

# The item is the gate of this hook, and not another tool's item or an older hook's gate.
_IS_MINE: Final = "#hook_execution_id = :hook AND attribute_exists(deadline)"
_IS_ANOTHERS: Final = (
    "(attribute_not_exists(hook_execution_id) OR #hook_execution_id <> :hook"
    " OR attribute_not_exists(deadline))"
)
_IS_NEW: Final = "attribute_not_exists(deployment_id)"


def condition(step: Step) -> str:
    """What must hold for a step to be made."""
    statuses = [status for status in step.starts_from if status]
    if not statuses:
        return _IS_NEW
    clauses = [_IS_MINE]
    if step.as_seen:
        clauses.append("#status = :seen")
    elif step.starts_from != ANY:
        clauses.append(f"#status IN ({', '.join(f':{status}' for status in statuses)})")
    clauses += [f"attribute_not_exists({name})" for name in step.absent]
    clauses += [f"(attribute_not_exists({one}) OR #{one} <> :{one})" for one in step.changes]
    if step.takes:
        clauses.append(_is_free(step.takes))
    if step.takes and step.leads_to:
        # What was sent twice, and given back in between, is not done once more.
        holder = step.takes.holder
        clauses.append(f"(attribute_not_exists({holder}) OR #{holder} <> :try_id)")
    if step.holds:
        clauses.append(f"#{step.holds.holder} = :try_id")
    if step.spares:
        holder = step.spares.holder
        clauses.append(f"(attribute_not_exists({holder}) OR #{holder} = :spared_try_id)")
    joined = " AND ".join(clauses)
    return f"{_IS_NEW} OR ({joined})" if None in step.starts_from else joined


def replaceable(held: dict[str, Any]) -> str:
    """What must hold for an item of another hook, or of another tool, to be replaced: no step."""
    is_as_seen = "#history = :history" if "history" in held else "attribute_not_exists(#history)"
    return f"{_IS_ANOTHERS} AND {is_as_seen}"


def _is_free(lease: Lease) -> str:
    return (
        f"(attribute_not_exists({lease.until}) OR #{lease.until} <= :now"
        f" OR #{lease.holder} = :try_id)"
    )
