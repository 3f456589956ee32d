"""The use case of a gate that has changed: moments are set, people see it, machines hear of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from greenlight.gates.carrying import is_left_over
from greenlight.gates.closing import LOOK_AFTER, keep_true
from greenlight.gates.means import Means
from greenlight.gates.outcomes import learn_of
from greenlight.gates.reminding import reminders_of
from greenlight.model.errors import (
    GateNotFoundError,
    MomentError,
    PublishError,
)
from greenlight.model.gate import Due, Gate, GateState, as_json
from greenlight.runtime.bus import Bus
from greenlight.runtime.network import CHAIN_SECONDS
from greenlight.runtime.observability import (
    EVENT_NOT_PUBLISHED,
    MOMENT_NOT_SET,
    count,
    logger,
)
from greenlight.runtime.schedules import Schedules
from greenlight.runtime.settings import KeepingSettings
from greenlight.slack.ways import Way

# The second of an invocation by which moments are set, the most important ones first.
_MOMENTS_BY: Final = 9.0
# People do not see for longer than this what is not so any more, whatever event is lost.
_WATCHED_EVERY: Final = timedelta(minutes=1)


@dataclass(frozen=True)
class Change:
    """A gate before a write to the table and after it; None where there was no such gate."""

    before: Gate | None
    after: Gate


@dataclass(frozen=True)
class Machines:
    """Where moments are set, and where machines hear of changes; None where that is not set up."""

    schedules: Schedules | None
    bus: Bus | None


def follow(
    change: Change,
    settings: KeepingSettings,
    means: Means,
    slack: Way,
    machines: Machines,
) -> None:
    """Does what a change of a gate asks for. Raises as `keep_true` or `learn` does, at its end."""
    after = change.after
    if change.before == after:
        return  # a lease has changed hands; to follow that would change the gate again, without end
    is_told = bool(after.notified_at) and not (change.before and change.before.notified_at)
    if is_told:
        _set_moments(after, settings, means, machines.schedules)
    if machines.bus and _is_news(change):
        _announce(after, machines.bus)
    # What the change was is known; what is shown is what the gate is like by now.
    try:
        gate = means.table.get(after.deployment_id)
    except GateNotFoundError as exc:
        logger.info("There is nothing to show any more", reason=str(exc))
        return
    if _has_gone_on(change) and not gate.outcome:
        _set_watch(gate, means, machines.schedules)
    if is_left_over(gate):  # whoever decided it may never come to report it
        _set_look(gate, gate.decided_at, means, machines.schedules)
    if not keep_true(gate, settings.look, means, slack):
        _set_look(gate, gate.reported_at, means, machines.schedules)
    if is_told:
        # Where its deployment had ended before it was there, the event of that has found no gate.
        learn_of(gate, means)


def _is_news(change: Change) -> bool:
    """Whether a gate stands elsewhere than before, and not only its leases have changed."""
    before, after = change.before, change.after
    return (
        before is None
        or before.hook != after.hook
        or (before.state, before.appearance) != (after.state, after.appearance)
    )


def _has_gone_on(change: Change) -> bool:
    """Whether a gate that was failed is not any more: nobody has watched it until now."""
    return change.after.was_failed and not (change.before and change.before.was_failed)


def _announce(gate: Gate, bus: Bus) -> None:
    """Tells machines; at best."""
    try:
        bus.publish(as_json(gate))
    except PublishError as exc:
        logger.warning("No machine hears of the change", stage=exc.stage, error=str(exc))
        count(EVENT_NOT_PUBLISHED)


def _set_moments(
    gate: Gate, settings: KeepingSettings, means: Means, schedules: Schedules | None
) -> None:
    """Sets the moments of a gate that waits: its end, its reminders, and a look now and then.

    Of an answer that people give the engine themselves, there is no event, or it may be lost. So
    the engine is asked again and again.
    """
    if gate.state is GateState.CLOSED:
        return
    if schedules is None:
        logger.info("No moments are set: nobody is reminded, and the engine ends the gate")
        return
    now = means.clock()
    moments = [(Due.END, _ahead(gate.decide_by, now))] if gate.decide_by else []
    reminders = sorted(at for at in reminders_of(gate, settings.reminders) if at > now)
    with means.countdown.until(_MOMENTS_BY):
        for due, at in moments:
            _set(due, gate, at, means, schedules)
        _set_watch(gate, means, schedules)
        for at in reminders:
            _set(Due.REMINDER, gate, at, means, schedules)


def _set_watch(gate: Gate, means: Means, schedules: Schedules | None) -> None:
    """Has a gate looked at each minute, as long as its engine asks for that."""
    until = gate.deadline + means.engine(gate.hook).watched_for
    if schedules and until > means.clock():
        _set(Due.WATCH, gate, until, means, schedules, every=_WATCHED_EVERY)


def _set_look(
    gate: Gate, since: datetime | None, means: Means, schedules: Schedules | None
) -> None:
    """Has a gate looked at when whoever is at work on it has ended.

    A change that is delivered twice sets one moment; one that is tried for an hour, a few.
    """
    now = means.clock()
    if schedules:
        _set(Due.LOOK, gate, _ahead((since or now) + LOOK_AFTER, now), means, schedules)


def _ahead(at: datetime, now: datetime) -> datetime:
    """A time, or where a change is followed after it, one to come: Scheduler may refuse another.

    Each pause is twice as long as the one before: what is tried again and again for an hour sets
    few moments.
    """
    pause = LOOK_AFTER
    while at <= now:
        at += pause
        pause *= 2
    return at


def _set(
    due: Due,
    gate: Gate,
    at: datetime,
    means: Means,
    schedules: Schedules,
    *,
    every: timedelta | None = None,
) -> None:
    """Sets a moment; one that cannot be set, or not in time, costs the gate nothing else."""
    try:
        if not means.countdown.allows(CHAIN_SECONDS):
            raise MomentError(due, "no time is left")
        schedules.set_moment(due, gate.hook, at, every)
    except MomentError as exc:
        logger.warning("A moment is not set", due=due, stage=exc.stage, error=str(exc))
        count(MOMENT_NOT_SET)
