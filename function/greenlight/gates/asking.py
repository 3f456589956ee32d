"""People are asked: the notice of a gate that waits, and that they have it."""

from collections.abc import Callable
from typing import TypeVar

from greenlight.gates.means import Means
from greenlight.model.errors import (
    GreenlightError,
    NoTimeToTellError,
    SlackRefusedError,
    TableError,
    ToldUnrecordedError,
)
from greenlight.model.gate import Gate
from greenlight.model.life import News
from greenlight.model.message import Look, Message
from greenlight.runtime.network import HTTP_TRY_SECONDS, Countdown
from greenlight.runtime.observability import SLACK_NOTIFIED, count, logger
from greenlight.slack.messages import plainer, render
from greenlight.slack.ways import Way
from greenlight.storage.table import Held

T = TypeVar("T")


def ask(held: Held, look: Look, means: Means, slack: Way, *, told_by: float) -> Gate:
    """Tells people of a gate, under the lease on that; the gate as it is then.

    A try that may have told them, and does not know, keeps its lease: what is left of that says so.
    Raises SlackError or SettingsError if they could not be told by this second of the invocation,
    ToldUnrecordedError if they were, GateReplacedError or GateNotFoundError if the gate was lost.
    """
    hook = held.gate.hook
    message = render(held.gate, News.WAITING, means.pointers(hook), look)
    try:
        with means.countdown.until(told_by):
            if not means.countdown.allows(HTTP_TRY_SECONDS):
                raise NoTimeToTellError
            place = say_plainer(slack.post, message, means.countdown)
    except GreenlightError:
        if not (slack.in_doubt or held.may_be_told):
            means.table.stop_telling(held)
        raise
    try:
        gate = means.table.mark_notified(hook, means.clock(), place, again=held.may_be_told)
    except TableError as exc:
        raise ToldUnrecordedError(exc.table, exc.operation, exc.reason) from exc
    logger.info("People were told")
    count(SLACK_NOTIFIED)
    return gate


def say_plainer(say: Callable[[Message], T], message: Message, countdown: Countdown) -> T:
    """Says a message; without what it can do without where Slack refuses it with."""
    try:
        return say(message)
    except SlackRefusedError as exc:
        plain = plainer(message)
        if plain == message or not countdown.allows(HTTP_TRY_SECONDS):
            raise
        logger.warning("Slack refused the message: trying a plainer one", reason=exc.reason)
        return say(plain)
