"""The pieces of Slack messages (Block Kit), with whatever comes from outside escaped."""

import re
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

Block = dict[str, Any]

# What stays as it is in a link's address. `|`, which would end the address, does not.
_URL_CHARACTERS: Final = "%/:?#[]@!$&'()*+,;="
_SLACK_USER: Final = re.compile(r"[A-Z0-9]{1,64}")

HEADER_CHARACTERS: Final = 150
SECTION_CHARACTERS: Final = 3000
SHOWN_CHARACTERS: Final = 500  # of a text from outside; in two languages, one shows it twice
_CUT_ENTITY: Final = re.compile(r"&[a-z]*\Z")


def escape(text: str) -> str:
    """Escapes what Slack gives a meaning to: `&`, `<` and `>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def shown(text: str | None, most: int = SHOWN_CHARACTERS) -> str:
    """A text from outside, escaped and then shortened to at most so many characters."""
    escaped = escape(text or "")
    if len(escaped) <= most:
        return escaped
    return _CUT_ENTITY.sub("", escaped[: most - 1]) + "…"


def link(url: str, label: str) -> str:
    """A link; its address is percent-encoded where Slack would misread it."""
    address = quote(url, safe=_URL_CHARACTERS, errors="replace")
    return f"<{escape(address)}|{escape(label)}>"


def link_to(url: str) -> str:
    """A link that shows its address; none if that has a gap left in it, or is too long for one."""
    linked = link(url, url)
    return shown(url) if "{" in url or len(linked) > SECTION_CHARACTERS - 100 else linked


def moment(at: datetime) -> str:
    """A time in each reader's own time zone, in UTC where that cannot be shown."""
    fallback = f"{at:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def user(user_id: str | None) -> str:
    """A Slack user, as a mention if the id is one."""
    is_id = user_id and _SLACK_USER.fullmatch(user_id)
    return f"<@{user_id}>" if is_id else shown(user_id)


def header(text: str) -> Block:
    """A heading."""
    return {"type": "header", "text": plain(text)}


def plain(text: str) -> Block:
    """A text without markup."""
    return {"type": "plain_text", "text": text}


def code(command: str) -> str:
    """A command line as it is."""
    return f"```{escape(command)}```"


def section(text: str) -> Block:
    """A paragraph."""
    return {"type": "section", "text": mrkdwn(text)}


def mrkdwn(text: str) -> Block:
    """A text with markup; `@here` or `#channel` in what came from outside stays text."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}
