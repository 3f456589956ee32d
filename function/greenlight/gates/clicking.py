"""The use case of a click in Slack: whether it counts, what it does, and what is said of it."""

from collections.abc import Callable
from typing import Final

from greenlight.gates.answering import MOOT, decisions_counted, may_decide, why_not
from greenlight.gates.deciding import Decided, Effect, decide
from greenlight.gates.means import Means
from greenlight.gates.reporting import CLAIMED_BY
from greenlight.model.errors import GateNotFoundError, GateReplacedError, GreenlightError
from greenlight.model.gate import Gate, GateState
from greenlight.model.life import News
from greenlight.model.message import Look, Message
from greenlight.runtime.network import CHAIN_SECONDS
from greenlight.runtime.observability import (
    DECISION_FAILED,
    annotate,
    failures_reported,
    logger,
)
from greenlight.runtime.settings import DecisionSettings
from greenlight.slack import messages
from greenlight.slack.clicks import Click
from greenlight.slack.words import words_in

# How often a message is replaced again, because the gate has changed meanwhile.
_TIMES: Final = 3


def take_click(
    click: Click, settings: DecisionSettings, means: Means, say: Callable[[Message], bool]
) -> None:
    """Does what a click asks for, and says in Slack what became of it.

    First, what the gate is like takes the place of the message that was clicked; then the one who
    clicked is told what they have to know. `say` answers a click, and gives whether Slack took it.
    Nothing is raised: a failure is logged and counted, and said in the notice.
    """
    words = words_in(settings.languages, click.hook.engine)
    if click.decision and not may_decide(click.user_id, settings):
        say(messages.not_approver_notice(settings.approvers, words))
        return
    try:
        decided = _do(click, means)
    except GreenlightError as exc:
        say(why_not(exc, words))
        return
    annotate(outcome=decided.effect.name.lower())
    if decided.gate.state is GateState.CLOSED or decided.effect is Effect.CLAIMED:
        _replace(decided.gate, settings.look, means, say)
    if decided.effect in (Effect.STANDS, Effect.SETTLED):
        is_settled = decided.effect is Effect.SETTLED
        say(messages.standing_notice(decided.gate, words, settled=is_settled))


def _do(click: Click, means: Means) -> Decided:
    """Decides, or writes down who is testing."""
    if click.decision is None:
        return _claim(click, means)
    with decisions_counted():
        return decide(click.hook, click.decision, means)


def _claim(click: Click, means: Means) -> Decided:
    """Writes down that somebody is testing: whoever may see the message may say so."""
    with (
        failures_reported("Who is testing is not written down", DECISION_FAILED, but=MOOT),
        means.countdown.until(CLAIMED_BY),
    ):
        gate = means.table.claim(click.hook, click.user_id, means.clock())
    is_claimed = gate.state is GateState.WAITING
    return Decided(gate, Effect.CLAIMED if is_claimed else Effect.STANDS)


def _replace(gate: Gate, look: Look, means: Means, say: Callable[[Message], bool]) -> None:
    """Puts what a gate is like in the place of the message that was clicked.

    It may be changed by somebody else meanwhile, so the gate is looked at again, also where nobody
    knows whether Slack took it; what became of a webhook's message is written down, so that nobody
    says it once more.
    """
    pointers = means.pointers(gate.hook)
    for _ in range(_TIMES):
        is_closed = gate.state is GateState.CLOSED
        message = messages.render(gate, News.CLOSED if is_closed else News.WAITING, pointers, look)
        is_taken = say({**message, "replace_original": True})
        if not means.countdown.allows(CHAIN_SECONDS):
            return
        known = gate
        try:
            if gate.place or not is_closed:
                gate = means.table.get(gate.deployment_id)
            elif is_taken and gate.shown is None:
                gate = means.table.mark_replaced(gate)
        except (GateNotFoundError, GateReplacedError) as exc:
            logger.info("The gate is not there any more", reason=str(exc))
            return
        except GreenlightError as exc:
            logger.warning("What the message shows is not known", stage=exc.stage, error=str(exc))
            return
        # What its engine knows may not be on record yet; the message is not given its buttons back.
        is_unrecorded = is_closed and gate.state is GateState.DECIDED
        if gate.hook != known.hook or gate.appearance == known.appearance or is_unrecorded:
            return
