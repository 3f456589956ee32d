"""The use case of reminding people of a gate that still waits."""

import functools
from datetime import datetime, timedelta
from typing import Final

from greenlight.gates.asking import say_plainer
from greenlight.gates.means import Means
from greenlight.model.errors import GreenlightError
from greenlight.model.gate import Gate, GateState
from greenlight.runtime.observability import GATE_REMINDED, count, count_by, logger
from greenlight.runtime.settings import KeepingSettings
from greenlight.slack.messages import reminder
from greenlight.slack.ways import Way
from greenlight.storage.table import CLOCKS_DIFFER_BY

_WORKING_DAY: Final = timedelta(hours=8)
_DAY: Final = timedelta(days=1)


def remind(gate: Gate, settings: KeepingSettings, means: Means, slack: Way) -> bool:
    """Reminds people of a gate; whether they were reminded now.

    Nothing is said if no reminder is due, or people had it, or they are deciding. Who says that
    they are testing is reminded alone, if they may decide. Raises GateBusyError, SlackError,
    SettingsError or TableError; calling it again carries on there.
    """
    now = means.clock()
    due = _due(gate, settings.reminders, now)
    if due is None:
        logger.info("No reminder is due", state=gate.state.name)
        return False
    held = means.table.take_message(gate.hook, now)
    gate = held.gate
    if _due(gate, settings.reminders, now) is None:
        means.table.stop_showing(held)
        return False
    message = reminder(gate, settings.approvers, now, means.pointers(gate.hook), settings.look)
    is_for_all = not _is_alone(gate, settings)
    post = functools.partial(slack.post, under=gate.place, broadcast=is_for_all)
    try:
        say_plainer(post, message, means.countdown)
    except GreenlightError:
        if not slack.in_doubt:
            means.table.stop_showing(held)
        raise
    means.table.mark_reminded(held, due, means.clock())
    logger.info("People were reminded", due=due.isoformat())
    count_by(gate.engine)
    count(GATE_REMINDED)
    return True


def reminders_of(gate: Gate, reminders: tuple[timedelta, ...]) -> list[datetime]:
    """The moments at which people are reminded of a gate: before its end, and while it is long.

    Where they have days, they are reminded when it has been open for a working day, and then at
    that time of each day. Nobody is, who wants no reminders.
    """
    moments = [gate.ends_at - before for before in reminders]
    at = gate.created_at + _WORKING_DAY
    while reminders and at < gate.ends_at - _WORKING_DAY:
        moments.append(at)
        at += _DAY
    return moments


def _is_alone(gate: Gate, settings: KeepingSettings) -> bool:
    """Whether only the one who is testing is reminded: somebody who may decide."""
    return bool(gate.claimed_by) and (
        not settings.approvers or gate.claimed_by in settings.approvers
    )


def _due(gate: Gate, reminders: tuple[timedelta, ...], now: datetime) -> datetime | None:
    """The moment of the last reminder that people should have had by now; None if they had it."""
    if gate.state is not GateState.WAITING or not gate.notified_at or gate.ends_at <= now:
        return None
    moments = reminders_of(gate, reminders)
    due = max((one for one in moments if one <= now + CLOCKS_DIFFER_BY), default=None)
    is_had = due and gate.reminded_for and gate.reminded_for >= due
    # People who were told after that moment know how long is left.
    return None if due is None or is_had or due <= gate.notified_at else due
