"""What clicks and slash commands share: who may decide, and how a failure is counted and said."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from greenlight.model.errors import (
    DecisionDeniedError,
    DecisionMootError,
    DecisionUnreportedError,
    GateBusyError,
    GateNotFoundError,
    GateReplacedError,
    GreenlightError,
    SettlementUnrecordedError,
)
from greenlight.model.message import Message
from greenlight.runtime.observability import (
    APPROVER_REFUSED,
    DECISION_FAILED,
    DECISION_REPEATED,
    annotate,
    count,
    failures_reported,
    logger,
)
from greenlight.runtime.settings import DecisionSettings
from greenlight.slack import messages
from greenlight.slack.words import Words

# A decision about what does not wait, as far as anybody knows.
MOOT: Final = (
    DecisionMootError,
    GateNotFoundError,
    GateReplacedError,
    SettlementUnrecordedError,
)


def may_decide(user_id: str, settings: DecisionSettings) -> bool:
    """Whether a Slack user may decide; that somebody may not is logged and counted."""
    if not settings.approvers or user_id in settings.approvers:
        return True
    logger.warning("Not an approver", user_id=user_id)
    annotate(outcome="not_approver")
    count(APPROVER_REFUSED)
    return False


@contextmanager
def decisions_counted() -> Iterator[None]:
    """Counts a failure to decide where a deployment waits though somebody has decided."""
    try:
        with failures_reported(
            "The decision could not be carried out", DECISION_FAILED, but=(*MOOT, GateBusyError)
        ):
            yield
    except GateBusyError as exc:
        logger.info("Another try is at work: nothing is decided", error=str(exc))
        annotate(outcome="busy")
        raise
    except MOOT as exc:
        logger.warning("Nothing waits for this decision", stage=exc.stage, error=str(exc))
        annotate(outcome="moot")
        count(DECISION_REPEATED)
        raise


def why_not(error: GreenlightError, words: Words, command: str | None = None) -> Message:
    """What only the one who decided sees of a decision that could not be carried out.

    `command`: the slash command's name, where no button was pressed.
    """
    notice = messages.not_done_notice(str(error), words)
    match error:
        case DecisionMootError(is_unknown=True):
            notice = messages.unknown_notice(error.reason, words)
        case DecisionMootError():
            notice = messages.answered_notice(error.gate, error.reason, words, command)
        case DecisionUnreportedError():
            notice = messages.unreported_notice(error.gate, error.reason, words, command)
        case DecisionDeniedError():
            notice = messages.denied_notice(error.permission, words)
        case GateNotFoundError():
            notice = messages.not_found_notice(words)
        case GateReplacedError():
            notice = messages.replaced_notice(words)
    return notice
