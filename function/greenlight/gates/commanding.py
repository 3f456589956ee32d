"""The use case of a slash command in Slack: what it does, and what is said of it."""

from collections.abc import Callable

from greenlight.gates.answering import decisions_counted, may_decide, why_not
from greenlight.gates.deciding import Effect, decide, leave_message
from greenlight.gates.means import Means
from greenlight.gates.reporting import LOOKED_BY
from greenlight.model.errors import (
    GateNotFoundError,
    GreenlightError,
    IndexMissingError,
)
from greenlight.model.gate import Decision, Gate, Verdict, is_gate_id
from greenlight.model.message import Message
from greenlight.runtime.observability import CLICK_FAILED, annotate, failures_reported
from greenlight.runtime.settings import DecisionSettings
from greenlight.slack import messages
from greenlight.slack.commands import Command, Verb
from greenlight.slack.words import words_in


def take_command(
    command: Command, settings: DecisionSettings, means: Means, say: Callable[[Message], bool]
) -> None:
    """Does what a slash command asks for, and answers whoever typed it, privately.

    `say` takes the answer, and gives whether Slack took it. Nothing is raised: a failure is logged
    and counted, and said in the answer.
    """
    words = words_in(settings.languages)
    if command.decision:
        say(_decide(command, command.decision, settings, means))
    elif command.verb in (Verb.HELP, None):
        is_asked = command.verb is Verb.HELP
        say(messages.help_notice(command.name, words, is_asked=is_asked))
    else:
        say(_look(command, settings, means))


def _decide(
    command: Command,
    decision: Decision,
    settings: DecisionSettings,
    means: Means,
) -> Message:
    """Decides the gate as it is now, and gives what is to be said of that."""
    words = words_in(settings.languages)
    if not may_decide(command.user_id, settings):
        return messages.not_approver_notice(settings.approvers, words)
    if decision.verdict is Verdict.REJECT and not decision.reason:
        return messages.needs_reason_notice(command.name, command.gate_id, words)
    try:
        with decisions_counted():
            hook = _find(command, means).hook
            words = words_in(settings.languages, hook.engine)
            decided = decide(hook, decision, means)
    except GateNotFoundError:
        return messages.unknown_id_notice(command.name, command.gate_id, words)
    except GreenlightError as exc:
        return why_not(exc, words, command.name)
    annotate(outcome=decided.effect.name.lower())
    gate = decided.gate
    if decided.effect in (Effect.STANDS, Effect.SETTLED):
        is_settled = decided.effect is Effect.SETTLED
        notice = messages.standing_notice(gate, words, settled=is_settled, command=command.name)
    else:
        notice = messages.decided_notice(gate, means.pointers(gate.hook), words)
    leave_message(decided, means)
    return notice


def _look(command: Command, settings: DecisionSettings, means: Means) -> Message:
    """What waits, or how one gate stands."""
    words = words_in(settings.languages)
    try:
        with failures_reported(
            "What a command asks for could not be looked up", CLICK_FAILED, but=(GateNotFoundError,)
        ):
            if command.verb is Verb.LIST:
                with means.countdown.until(LOOKED_BY):
                    gates = means.table.unanswered(means.clock())
                pages = [means.pointers(gate.hook).console_url for gate in gates]
                return messages.list_notice(gates, pages, settings.languages)
            gate = _find(command, means)
            words = words_in(settings.languages, gate.engine)
            return messages.gate_notice(gate, means.pointers(gate.hook), words, command.name)
    except GateNotFoundError:
        return messages.unknown_id_notice(command.name, command.gate_id, words)
    except IndexMissingError as exc:
        return messages.no_index_notice(exc.table, exc.index, words)
    except GreenlightError as exc:
        return messages.not_looked_up_notice(str(exc), words)


def _find(command: Command, means: Means) -> Gate:
    """The gate that is meant. Raises GateNotFoundError, also for what is no id, or TableError."""
    if not is_gate_id(command.gate_id):
        raise GateNotFoundError("what was typed for an id", means.table.name)
    with means.countdown.until(LOOKED_BY):
        return means.table.get(command.gate_id)
