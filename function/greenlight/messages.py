"""Slack messages as pure functions: gate in, Block Kit out.

Text from outside is escaped; whatever it holds, a message stays within Slack's limits.
"""

import shlex
from collections.abc import Collection, Sequence
from enum import Enum
from typing import Final

from greenlight.blocks import (
    Block,
    code,
    header,
    link,
    link_to,
    moment,
    mrkdwn,
    plain,
    section,
    shown,
    user,
)
from greenlight.models import (
    Commands,
    Deployment,
    Gate,
    GateStatus,
    Language,
    Message,
    Verdict,
    Via,
)
from greenlight.words import WORDS, Words

# What tells Greenlight's buttons and its reason from whatever else an app of Slack's has.
ACTIONS: Final = {f"greenlight_{verdict}": verdict for verdict in Verdict}
REASON_BLOCK: Final = "greenlight_reason"
REASON_ACTION: Final = "reason"
REASON_CHARACTERS: Final = 300

# Blocks that a message can do without, where Slack refuses it with them.
_OPTIONAL_BLOCKS: Final = frozenset({"image", "input"})
_MAX_APPROVERS_SHOWN: Final = 50


class FailureNews(Enum):
    """What became of a deployment that nobody could be asked about."""

    FAILED = "CodeDeploy knows from Greenlight that it failed"
    ENDED = "CodeDeploy ended it by itself, or somebody else did"
    STUCK = "CodeDeploy could not be told"


def waiting_message(
    gate: Gate,
    deployment: Deployment,
    *,
    console_url: str,
    commands: Commands,
    terminal_options: Sequence[str],
    button_value: str | None,
    language: Language,
    image_url: str | None,
) -> Message:
    """The notice that a gate waits: what to test, where, until when, and how to decide.

    `commands` are the AWS CLI's, `terminal_options` those of `greenlight`. With a `button_value`,
    of 2,000 characters at most, it has buttons that bring it back.
    """
    words = WORDS[language]
    blocks: list[Block] = [
        header(words.header),
        _facts(gate, words, console_url, creator=deployment.creator),
        section(f"*{words.test_url}*\n{link_to(gate.test_url)}"),
    ]
    if deployment.description:
        blocks.append(section(f"*{words.description}*\n{shown(deployment.description)}"))
    if not gate.application:
        blocks.append(section(f"_{words.unknown_deployment}_"))
    blocks += [
        section(f"*{words.deadline}*\n{moment(gate.deadline)}\n{words.after_deadline}"),
        section(words.what_to_press if button_value else words.what_to_do),
    ]
    if button_value:
        blocks += [
            _reason_input(words),
            _buttons(button_value, words),
            section(words.or_type),
        ]
    options = (gate.deployment_id, *terminal_options)
    why_not = ("--reason", words.reason_example)
    approve = shlex.join(("greenlight", Verdict.APPROVE, *options))
    reject = shlex.join(("greenlight", Verdict.REJECT, *options, *why_not))
    blocks += [
        # Each by itself: what is copied as one is run as one. First what everybody has.
        section(f"{words.aws_approve}\n{code(commands.approve)}"),
        section(f"{words.aws_reject}\n{code(commands.reject)}"),
        section(words.get_greenlight),
        section(f"{words.greenlight_approve}\n{code(approve)}"),
        section(f"{words.greenlight_reject}\n{code(reject)}"),
    ]
    if image_url:
        blocks.append({"type": "image", "image_url": image_url, "alt_text": words.image})
    text = f"{words.header} · {gate.deployment_id} · {shown(gate.test_url)}"
    return {"text": text, "blocks": blocks}


def settled_message(gate: Gate, *, console_url: str, language: Language) -> Message:
    """What takes the place of the notice once a gate does not wait any more: no buttons."""
    words = WORDS[language]
    title = {
        GateStatus.APPROVED: words.approved_header,
        GateStatus.REJECTED: words.rejected_header,
        GateStatus.EXPIRED: words.expired_header,
    }.get(gate.status, words.failed_header)
    blocks = [header(title), _facts(gate, words, console_url)]
    if gate.test_url:
        blocks.append(section(f"*{words.test_url}*\n{link_to(gate.test_url)}"))
    blocks += map(section, _what_happened(gate, words))
    return {"text": f"{title} · {gate.deployment_id}", "blocks": blocks}


def standing_notice(gate: Gate, *, settled: bool, language: Language) -> Message:
    """Tells one person that a click changed nothing, and what happened instead.

    `settled`: CodeDeploy had its answer from elsewhere, which nobody here knew before the click.
    """
    words = WORDS[language]
    if gate.is_failing:
        return _notice(words.failing)
    if gate.is_unreported:
        sentence = words.still_unreported.format(button=_button_name(gate, words))
    else:
        sentence = words.settled_elsewhere if settled else words.nothing_changed
    return _notice(sentence, *_what_happened(gate, words))


def unreported_notice(gate: Gate, problem: str, *, language: Language) -> Message:
    """Tells one person that a decision is recorded, and how to bring it to CodeDeploy."""
    words = WORDS[language]
    button = _button_name(gate, words)
    return _notice(words.unreported.format(problem=shown(problem), button=button))


def unknown_notice(problem: str, *, language: Language) -> Message:
    """Tells one person that CodeDeploy does not know the deployment or its hook."""
    return _notice(WORDS[language].unknown.format(problem=shown(problem)))


def answered_notice(gate: Gate, problem: str, *, language: Language) -> Message:
    """Tells one person that CodeDeploy has an answer that could not be read."""
    words = WORDS[language]
    button = _button_name(gate, words)
    return _notice(words.answered.format(problem=shown(problem), button=button))


def denied_notice(permission: str, *, language: Language) -> Message:
    """Tells one person that CodeDeploy takes no decision from Greenlight: it lacks a permission."""
    return _notice(WORDS[language].denied.format(permission=shown(permission)))


def not_approver_notice(approvers: Collection[str], *, language: Language) -> Message:
    """Tells one person who may decide."""
    named = sorted(approvers)[:_MAX_APPROVERS_SHOWN]
    who = ", ".join(map(user, named)) + (" …" if len(named) < len(approvers) else "")
    return _notice(WORDS[language].not_approver.format(who=who))


def not_found_notice(language: Language) -> Message:
    """Tells one person that nothing is known of the deployment."""
    return _notice(WORDS[language].not_found)


def replaced_notice(language: Language) -> Message:
    """Tells one person that the button belongs to an older hook of the deployment."""
    return _notice(WORDS[language].replaced)


def not_done_notice(problem: str, *, language: Language) -> Message:
    """Tells one person that a decision could not be carried out."""
    return _notice(WORDS[language].not_done.format(problem=shown(problem)))


def failure_message(
    deployment_id: str,
    reason: str,
    *,
    console_url: str,
    commands: Commands,
    news: FailureNews,
    language: Language,
) -> Message:
    """The notice that nobody could be asked about a deployment."""
    words = WORDS[language]
    title = words.stuck_header if news is FailureNews.STUCK else words.failed_header
    sentence = {
        FailureNews.FAILED: words.failed,
        FailureNews.ENDED: words.ended,
        FailureNews.STUCK: words.stuck,
    }[news]
    blocks: list[Block] = [
        header(title),
        section(f"*{words.deployment}*\n{link(console_url, deployment_id)}"),
        section(f"*{words.reason}*\n{shown(reason)}"),
        section(sentence),
    ]
    if news is FailureNews.STUCK:
        blocks.append(section(code(commands.reject)))
    return {"text": f"{title} · {deployment_id}", "blocks": blocks}


def plainer(message: Message) -> Message:
    """The same message without the blocks that it can do without."""
    kept = [block for block in message["blocks"] if block["type"] not in _OPTIONAL_BLOCKS]
    return {**message, "blocks": kept}


def _what_happened(gate: Gate, words: Words) -> list[str]:
    """How a gate that does not wait any more came to its end, by whom and when; and why."""
    is_known = gate.decided_by is not None
    sentence, at = {
        GateStatus.APPROVED: (
            words.approved_by if is_known else words.approved_elsewhere,
            gate.decided_at,
        ),
        GateStatus.REJECTED: (
            words.rejected_by if is_known else words.rejected_elsewhere,
            gate.decided_at,
        ),
        GateStatus.EXPIRED: (words.expired, gate.decided_at),
    }.get(gate.status, (words.failed_at, gate.failed_at))
    who = user(gate.decided_by) if gate.decided_via is Via.SLACK else f"`{shown(gate.decided_by)}`"
    happened = sentence.format(who=who, when=moment(at or gate.created_at))
    return [happened, f"*{words.why}*: {shown(gate.reason)}"] if gate.reason else [happened]


def _button_name(gate: Gate, words: Words) -> str:
    """The button that was pressed for a gate to be decided as it is."""
    approved = gate.status is GateStatus.APPROVED
    return words.approve_button if approved else words.reject_button


def _facts(gate: Gate, words: Words, console_url: str, creator: str | None = None) -> Block:
    fields = {
        words.deployment: link(console_url, gate.deployment_id),
        words.application: shown(gate.application),
        words.deployment_group: shown(gate.deployment_group),
        words.creator: shown(creator),
    }
    known = [mrkdwn(f"*{name}*\n{value}") for name, value in fields.items() if value]
    return {"type": "section", "fields": known}


def _reason_input(words: Words) -> Block:
    return {
        "type": "input",
        "block_id": REASON_BLOCK,
        "optional": True,
        "label": plain(words.reason_input),
        "element": {
            "type": "plain_text_input",
            "action_id": REASON_ACTION,
            "max_length": REASON_CHARACTERS,
        },
    }


def _buttons(value: str, words: Words) -> Block:
    looks: dict[Verdict, Block] = {
        Verdict.APPROVE: {"text": plain(words.approve_button), "style": "primary"},
        Verdict.REJECT: {
            "text": plain(words.reject_button),
            "style": "danger",
            "confirm": {
                "title": plain(words.confirm_title),
                "text": plain(words.confirm_text),
                "confirm": plain(words.reject_button),
                "deny": plain(words.confirm_no),
                "style": "danger",
            },
        },
    }
    buttons = [
        {"type": "button", "action_id": action, "value": value, **looks[verdict]}
        for action, verdict in ACTIONS.items()
    ]
    return {"type": "actions", "elements": buttons}


def _notice(*texts: str) -> Message:
    """A message for the one who clicked only."""
    return {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": " ".join(texts),
        "blocks": [section(text) for text in texts],
    }
