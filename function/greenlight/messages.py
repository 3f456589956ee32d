"""Slack messages as pure functions: gate in, Block Kit out.

Text from outside is escaped; whatever it holds, a message stays within Slack's limits.
"""

import re
import shlex
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

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

Block = dict[str, Any]

# What stays as it is in a link's address. `|`, which would end the address, does not.
_URL_CHARACTERS: Final = "%/:?#[]@!$&'()*+,;="

SECTION_CHARACTERS: Final = 3000
SHOWN_CHARACTERS: Final = 300  # of a text from outside: 1,500 at the most once it is escaped


# What tells Greenlight's buttons and its reason from whatever else an app of Slack's has.
ACTIONS: Final = {f"greenlight_{verdict}": verdict for verdict in Verdict}
REASON_BLOCK: Final = "greenlight_reason"
REASON_ACTION: Final = "reason"
REASON_CHARACTERS: Final = 300

# Blocks that a message can do without, where Slack refuses it with them.
_OPTIONAL_BLOCKS: Final = frozenset({"image", "input"})
_SLACK_USER: Final = re.compile(r"[A-Z0-9]{1,64}")
_MAX_APPROVERS_SHOWN: Final = 50


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
        _header(words.header),
        _facts(gate, words, console_url, creator=deployment.creator),
        _section(f"*{words.test_url}*\n{_test_link(gate.test_url)}"),
    ]
    if deployment.description:
        blocks.append(_section(f"*{words.description}*\n{_shown(deployment.description)}"))
    if not gate.application:
        blocks.append(_section(f"_{words.unknown_deployment}_"))
    blocks += [
        _section(f"*{words.deadline}*\n{_moment(gate.deadline)}\n{words.after_deadline}"),
        _section(words.what_to_press if button_value else words.what_to_do),
    ]
    if button_value:
        blocks += [_reason_input(words), _buttons(button_value, words)]
    terminal = [
        shlex.join(["greenlight", verdict, gate.deployment_id, *terminal_options, *reason])
        for verdict, reason in (
            (Verdict.APPROVE, ()),
            (Verdict.REJECT, ("--reason", words.reason_example)),
        )
    ]
    blocks += [
        _section(f"{words.terminal}\n{_code(chr(10).join(terminal))}"),
        _section(f"{words.approve}\n{_code(commands.approve)}"),
        _section(f"{words.reject}\n{_code(commands.reject)}"),
    ]
    if image_url:
        blocks.append({"type": "image", "image_url": image_url, "alt_text": words.image})
    text = f"{words.header} · {gate.deployment_id} · {_shown(gate.test_url)}"
    return {"text": text, "blocks": blocks}


def settled_message(gate: Gate, *, console_url: str, language: Language) -> Message:
    """What takes the place of the notice once a gate does not wait any more: no buttons."""
    words = WORDS[language]
    header = {
        GateStatus.APPROVED: words.approved_header,
        GateStatus.REJECTED: words.rejected_header,
        GateStatus.EXPIRED: words.expired_header,
    }.get(gate.status, words.failed_header)
    blocks = [
        _header(header),
        _facts(gate, words, console_url),
        _section(f"*{words.test_url}*\n{_test_link(gate.test_url)}"),
        *map(_section, _what_happened(gate, words)),
    ]
    return {"text": f"{header} · {gate.deployment_id}", "blocks": blocks}


def standing_notice(gate: Gate, *, settled: bool, language: Language) -> Message:
    """Tells one person that a click changed nothing, and what happened instead.

    `settled`: CodeDeploy had its answer from elsewhere, which nobody here knew before the click.
    """
    words = WORDS[language]
    if gate.is_unreported:
        sentence = words.still_unreported.format(button=_button_name(gate, words))
    else:
        sentence = words.settled_elsewhere if settled else words.nothing_changed
    return _notice(sentence, *_what_happened(gate, words))


def unreported_notice(gate: Gate, problem: str, *, language: Language) -> Message:
    """Tells one person that a decision is recorded, and how to bring it to CodeDeploy."""
    words = WORDS[language]
    button = _button_name(gate, words)
    return _notice(words.unreported.format(problem=_shown(problem), button=button))


def not_approver_notice(approvers: Collection[str], *, language: Language) -> Message:
    """Tells one person who may decide."""
    shown = sorted(approvers)[:_MAX_APPROVERS_SHOWN]
    who = ", ".join(map(_user, shown)) + (" …" if len(shown) < len(approvers) else "")
    return _notice(WORDS[language].not_approver.format(who=who))


def not_found_notice(language: Language) -> Message:
    """Tells one person that nothing is known of the deployment."""
    return _notice(WORDS[language].not_found)


def replaced_notice(language: Language) -> Message:
    """Tells one person that the button belongs to an older hook of the deployment."""
    return _notice(WORDS[language].replaced)


def not_done_notice(problem: str, *, language: Language) -> Message:
    """Tells one person that a decision could not be carried out."""
    return _notice(WORDS[language].not_done.format(problem=_shown(problem)))


def failure_message(
    deployment_id: str,
    reason: str,
    *,
    console_url: str,
    commands: Commands,
    reported: bool,
    language: Language,
) -> Message:
    """The notice that nobody could be asked; `reported`: CodeDeploy knows that it failed."""
    words = WORDS[language]
    header = words.failed_header if reported else words.stuck_header
    blocks: list[Block] = [
        _header(header),
        _section(f"*{words.deployment}*\n{_link(console_url, deployment_id)}"),
        _section(f"*{words.reason}*\n{_shown(reason)}"),
        _section(words.failed if reported else words.stuck),
    ]
    if not reported:
        blocks.append(_section(_code(commands.reject)))
    return {"text": f"{header} · {deployment_id}", "blocks": blocks}


def plainer(message: Message) -> Message:
    """The same message without the blocks that it can do without."""
    kept = [block for block in message["blocks"] if block["type"] not in _OPTIONAL_BLOCKS]
    return {**message, "blocks": kept}


def escape(text: str) -> str:
    """Escapes what Slack gives a meaning to: `&`, `<` and `>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shown(text: str | None) -> str:
    """A text from outside, shortened and escaped."""
    if text is None:
        return ""
    if len(text) > SHOWN_CHARACTERS:
        text = text[: SHOWN_CHARACTERS - 1] + "…"
    return escape(text)


def _link(url: str, label: str) -> str:
    address = quote(url, safe=_URL_CHARACTERS, errors="replace")
    return f"<{escape(address)}|{escape(label)}>"


def _test_link(url: str) -> str:
    """A link, unless a placeholder in it could not be filled or it is too long to be one."""
    link = _link(url, url)
    return _shown(url) if "{" in url or len(link) > SECTION_CHARACTERS - 100 else link


def _moment(moment: datetime) -> str:
    """A time in each reader's own time zone, in UTC where that cannot be shown."""
    fallback = f"{moment:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(moment.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def _what_happened(gate: Gate, words: Words) -> list[str]:
    """How a gate that does not wait any more came to its end, by whom and when; and why."""
    elsewhere = gate.decided_via is Via.ELSEWHERE
    sentence, moment = {
        GateStatus.APPROVED: (
            words.approved_elsewhere if elsewhere else words.approved_by,
            gate.decided_at,
        ),
        GateStatus.REJECTED: (
            words.rejected_elsewhere if elsewhere else words.rejected_by,
            gate.decided_at,
        ),
        GateStatus.EXPIRED: (words.expired, gate.decided_at),
    }.get(gate.status, (words.failed_at, gate.failed_at))
    who = (
        _user(gate.decided_by) if gate.decided_via is Via.SLACK else f"`{_shown(gate.decided_by)}`"
    )
    happened = sentence.format(who=who, when=_moment(moment or gate.created_at))
    return [happened, f"*{words.why}*: {_shown(gate.reason)}"] if gate.reason else [happened]


def _user(user_id: str | None) -> str:
    """A Slack user, as a mention if the id is one."""
    is_id = user_id and _SLACK_USER.fullmatch(user_id)
    return f"<@{user_id}>" if is_id else _shown(user_id)


def _button_name(gate: Gate, words: Words) -> str:
    """The button that was pressed for a gate to be decided as it is."""
    approved = gate.status is GateStatus.APPROVED
    return words.approve_button if approved else words.reject_button


def _facts(gate: Gate, words: Words, console_url: str, creator: str | None = None) -> Block:
    fields = {
        words.deployment: _link(console_url, gate.deployment_id),
        words.application: _shown(gate.application),
        words.deployment_group: _shown(gate.deployment_group),
        words.creator: _shown(creator),
    }
    shown = [_mrkdwn(f"*{name}*\n{value}") for name, value in fields.items() if value]
    return {"type": "section", "fields": shown}


def _reason_input(words: Words) -> Block:
    return {
        "type": "input",
        "block_id": REASON_BLOCK,
        "optional": True,
        "label": _plain(words.reason_input),
        "element": {
            "type": "plain_text_input",
            "action_id": REASON_ACTION,
            "max_length": REASON_CHARACTERS,
        },
    }


def _buttons(value: str, words: Words) -> Block:
    looks: dict[Verdict, Block] = {
        Verdict.APPROVE: {"text": _plain(words.approve_button), "style": "primary"},
        Verdict.REJECT: {
            "text": _plain(words.reject_button),
            "style": "danger",
            "confirm": {
                "title": _plain(words.confirm_title),
                "text": _plain(words.confirm_text),
                "confirm": _plain(words.reject_button),
                "deny": _plain(words.confirm_no),
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
        "blocks": [_section(text) for text in texts],
    }


def _header(text: str) -> Block:
    return {"type": "header", "text": _plain(text)}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def _code(command: str) -> str:
    return f"```{escape(command)}```"


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Block:
    # Verbatim: `@here` or `#channel` in a text from outside stays text.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
