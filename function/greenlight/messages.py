"""Slack messages as pure functions: gate in, Block Kit out.

Text from outside is escaped; whatever it holds, a message stays within Slack's limits.
"""

from typing import Any, Final
from urllib.parse import quote

from greenlight.models import Deployment, Gate, Language, Message
from greenlight.words import WORDS

Block = dict[str, Any]

# What stays as it is in a link's address. `|`, which would end the address, does not.
_URL_CHARACTERS: Final = "%/:?#[]@!$&'()*+,;="

SECTION_CHARACTERS: Final = 3000
SHOWN_CHARACTERS: Final = 300  # of a text from outside: 1,500 at the most once it is escaped


def waiting_message(
    gate: Gate,
    deployment: Deployment,
    *,
    console_url: str,
    approve_command: str,
    reject_command: str,
    language: Language,
    image_url: str | None,
) -> Message:
    """The notice that a gate waits: what to test, where, until when, and how to decide."""
    words = WORDS[language]
    fields = {
        words.deployment: _link(console_url, gate.deployment_id),
        words.application: _shown(gate.application),
        words.deployment_group: _shown(gate.deployment_group),
        words.creator: _shown(deployment.creator),
    }
    blocks: list[Block] = [
        {"type": "header", "text": {"type": "plain_text", "text": words.header}},
        {
            "type": "section",
            "fields": [_mrkdwn(f"*{name}*\n{value}") for name, value in fields.items() if value],
        },
        _section(f"*{words.test_url}*\n{_test_link(gate.test_url)}"),
    ]
    if deployment.description:
        blocks.append(_section(f"*{words.description}*\n{_shown(deployment.description)}"))
    if not gate.application:
        blocks.append(_section(f"_{words.unknown_deployment}_"))
    blocks += [
        _section(f"*{words.deadline}*\n{_moment(gate)}\n{words.after_deadline}"),
        _section(words.what_to_do),
        _section(f"{words.approve}\n{_code(approve_command)}"),
        _section(f"{words.reject}\n{_code(reject_command)}"),
    ]
    if image_url:
        blocks.append({"type": "image", "image_url": image_url, "alt_text": words.image})
    text = f"{words.header} · {gate.deployment_id} · {_shown(gate.test_url)}"
    return {"text": text, "blocks": blocks}


def failure_message(
    deployment_id: str,
    reason: str,
    *,
    console_url: str,
    reject_command: str,
    reported: bool,
    language: Language,
) -> Message:
    """The notice that nobody could be asked; `reported`: CodeDeploy knows that it failed."""
    words = WORDS[language]
    header = words.failed_header if reported else words.stuck_header
    blocks: list[Block] = [
        {"type": "header", "text": {"type": "plain_text", "text": header}},
        _section(f"*{words.deployment}*\n{_link(console_url, deployment_id)}"),
        _section(f"*{words.reason}*\n{_shown(reason)}"),
        _section(words.failed if reported else words.stuck),
    ]
    if not reported:
        blocks.append(_section(_code(reject_command)))
    return {"text": f"{header} · {deployment_id}", "blocks": blocks}


def without_image(message: Message) -> Message:
    """The same message with its images left out."""
    return {**message, "blocks": [block for block in message["blocks"] if block["type"] != "image"]}


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


def _moment(gate: Gate) -> str:
    """The deadline in each reader's own time zone, in UTC where that cannot be shown."""
    fallback = f"{gate.deadline:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(gate.deadline.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def _code(command: str) -> str:
    return f"```{escape(command)}```"


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Block:
    # Verbatim: `@here` or `#channel` in a text from outside stays text.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
