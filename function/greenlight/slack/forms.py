"""What Slack posts when people do something: a form, whose fields are from outside."""

import re
from typing import Any, Final, TypeGuard
from urllib.parse import parse_qs, urlsplit

from greenlight.model.errors import ClickError
from greenlight.runtime.settings import is_loopback

# More than Slack's own ids have, and harmless in a message and a log line.
_ID: Final = re.compile(r"[A-Z0-9]{1,64}")
# No user, no space and no backslash: nothing that two readers could read in two ways.
_URL: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[!-\[\]-~]*)?")
_SLACK_DOMAINS: Final = ("slack.com", "slack-gov.com")

NAME_CHARACTERS: Final = 100


def fields_of(body: bytes) -> dict[str, str]:
    """The fields of a form, as far as they are filled in. Raises ClickError."""
    try:
        form = parse_qs(body.decode(), max_num_fields=100)
    except ValueError as exc:
        # The text of it would show what people typed.
        raise ClickError(f"it is no form ({type(exc).__name__})") from None
    return {name: values[0] for name, values in form.items()}


def is_command(fields: dict[str, str]) -> bool:
    """Whether a form is a slash command's: that of a click has a `payload` instead."""
    return "command" in fields and "payload" not in fields


def is_id(value: Any) -> TypeGuard[str]:
    """Whether a value can be an id of Slack's."""
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def text_of(value: Any, most: int) -> str | None:
    """A text from outside, without blanks around it, and cut; None if nothing is left."""
    if not isinstance(value, str):
        return None
    # A lone surrogate, which JSON can hold, is no text that could be stored.
    return value.encode(errors="replace").decode().strip()[:most] or None


def response_url_of(url: Any) -> str | None:
    """A URL that is Slack's; plain http, or another port, for a loopback host only."""
    if not isinstance(url, str) or not _URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if is_loopback(host):
        return url
    is_slacks = any(host == domain or host.endswith(f".{domain}") for domain in _SLACK_DOMAINS)
    return url if is_slacks and parts.scheme == "https" and port in (None, 443) else None
