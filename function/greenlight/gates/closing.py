"""The use case of keeping a message true: it shows what became of a gate, whoever ended it."""

import functools
from datetime import datetime, timedelta
from typing import Final

from greenlight.gates.asking import say_plainer
from greenlight.gates.means import Means
from greenlight.model.errors import GreenlightError, NoTimeToTellError
from greenlight.model.gate import Gate, GateState, GateStatus, Outcome, Place, Via
from greenlight.model.life import News
from greenlight.model.message import Look, Message
from greenlight.runtime.network import HTTP_TRY_SECONDS
from greenlight.runtime.observability import MESSAGE_NOT_SHOWN, count, logger
from greenlight.slack.messages import answer_to, render
from greenlight.slack.ways import Way
from greenlight.storage.table import CLOCKS_DIFFER_BY

# Whoever clicks changes the message within this time, or has failed to.
CLICK_TAKES: Final = timedelta(seconds=60)
# By any clock, that is over then.
LOOK_AFTER: Final = CLICK_TAKES + CLOCKS_DIFFER_BY
# How often a message is changed again, because the gate has changed meanwhile.
_TIMES: Final = 3


def keep_true(gate: Gate, look: Look, means: Means, slack: Way) -> bool:
    """Shows people what a gate has come to, unless they see it already.

    A bot changes its message; what a webhook posted is followed by a new one. False if a click may
    be changing the message just now: then it is to be looked at again in a minute. Raises
    GateBusyError, SlackError, SettingsError or TableError; calling it again carries on there.
    """
    for _ in range(_TIMES):
        if not _is_news(gate):
            return True
        if _is_left_to_click(gate, means.clock()):
            return False
        gate = _show(gate, look, means, slack)
    return True


def _is_news(gate: Gate) -> bool:
    """Whether a gate's message does not show yet what it should."""
    are_told = gate.notified_at or gate.was_failed
    if not are_told or (gate.shown or "WAITING") == gate.appearance:
        return False
    if gate.place:
        return True
    # A webhook says only what people do not know, or do not expect.
    is_told_by_failover = gate.status is GateStatus.FAILED
    is_known = gate.shown is not None and gate.shown.split()[0] == gate.status
    is_expected = is_known and not (gate.goes_on or gate.is_stranded)
    return gate.state is GateState.CLOSED and not is_told_by_failover and not is_expected


def _is_left_to_click(gate: Gate, now: datetime) -> bool:
    """Whether somebody has clicked just now, whose click changes the message where no bot can."""
    may_be_clicked = gate.decided_via is Via.SLACK and not (gate.place or gate.is_left)
    return may_be_clicked and not gate.outcome and now - (gate.reported_at or now) < CLICK_TAKES


def _show(gate: Gate, look: Look, means: Means, slack: Way) -> Gate:
    """Shows what a gate is like now, under the lease on that; the gate as it is then."""
    held = means.table.take_message(gate.hook, means.clock())
    if not _is_news(held.gate):
        means.table.stop_showing(held)
        return held.gate
    try:
        place = _say(held.gate, look, means, slack)
    except GreenlightError as exc:
        logger.warning("People do not see what is so", stage=exc.stage, error=str(exc))
        count(MESSAGE_NOT_SHOWN)
        if not slack.in_doubt:
            means.table.stop_showing(held)
        raise
    logger.info("People see what is so", shown=held.gate.appearance)
    return means.table.mark_shown(held, place)


def _say(gate: Gate, look: Look, means: Means, slack: Way) -> Place | None:
    """Changes the message, or says it anew; where it is then, if that is new."""
    pointers = means.pointers(gate.hook)
    is_closed = gate.state is GateState.CLOSED
    message = render(gate, News.CLOSED if is_closed else News.WAITING, pointers, look)
    if gate.place and _change(gate.place, message, means, slack):
        answer = answer_to(gate, look)
        if answer:
            if not means.countdown.allows(HTTP_TRY_SECONDS):
                raise NoTimeToTellError
            slack.post(answer, under=gate.place, broadcast=gate.outcome is not Outcome.LIVE)
        return None
    return slack.post(message) if is_closed else None


def _change(place: Place, message: Message, means: Means, slack: Way) -> bool:
    """Changes a message in place; False where that cannot be done."""
    return say_plainer(functools.partial(slack.update, place), message, means.countdown)
