"""A click on a button of a message: what Slack sends of it, checked."""

import json
import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from greenlight.codedeploy import parse_hook
from greenlight.errors import ClickError, EventError
from greenlight.messages import ACTIONS, REASON_ACTION, REASON_BLOCK, REASON_CHARACTERS
from greenlight.models import Decision, Hook, Verdict, Via
from greenlight.settings import is_loopback

# More than Slack's own ids have, and harmless in a message and a log line.
_ID: Final = re.compile(r"[A-Z0-9]{1,64}")
# No user, no space and no backslash: nothing that two readers could read in two ways.
_URL: Final = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(/[!-\[\]-~]*)?")
_SLACK_DOMAINS: Final = ("slack.com", "slack-gov.com")
_NAME_CHARACTERS: Final = 100


@dataclass(frozen=True)
class Click:
    """Who clicked, on what and where.

    `response_url`, where Slack takes what becomes of the message, is as good as a secret; None if
    it is not Slack's.
    """

    verdict: Verdict
    hook: Hook
    user_id: str
    user_name: str | None
    team_id: str | None
    reason: str | None
    response_url: str | None = field(repr=False)

    @property
    def decision(self) -> Decision:
        """The decision that the click asks for."""
        return Decision(
            verdict=self.verdict,
            approver=self.user_id,
            via=Via.SLACK,
            reason=self.reason,
            name=self.user_name,
            team=self.team_id,
        )


def parse_click(body: bytes) -> Click | None:
    """Reads the body of a request that Slack signed: a form whose `payload` is JSON.

    None for what is no business of Greenlight's, such as another button of the same app. Raises
    ClickError for a click on one of its buttons that cannot be understood.
    """
    payload = _payload(body)
    if payload.get("type") != "block_actions":
        return None
    action = _first(payload.get("actions"))
    verdict = ACTIONS.get(str(action.get("action_id")))
    if verdict is None:
        return None
    user = _object(payload.get("user"))
    if not _is_id(user.get("id")):
        raise ClickError("it does not say who clicked (user.id)")
    team = _object(payload.get("team"))
    return Click(
        verdict=verdict,
        hook=_hook(action.get("value")),
        user_id=user["id"],
        user_name=_text(user.get("username") or user.get("name"), _NAME_CHARACTERS),
        team_id=team["id"] if _is_id(team.get("id")) else None,
        reason=_reason(payload),
        response_url=_response_url(payload.get("response_url")),
    )


def _payload(body: bytes) -> dict[str, Any]:
    try:
        form = parse_qs(body.decode(), max_num_fields=100)
        payload = json.loads(form["payload"][0])
    except (KeyError, ValueError, RecursionError) as exc:
        # The text of these would show what people typed.
        raise ClickError(f"its form has no JSON payload ({type(exc).__name__})") from None
    if not isinstance(payload, dict):
        raise ClickError("its payload is no JSON object")
    return payload


def _hook(value: Any) -> Hook:
    try:
        return parse_hook(json.loads(value))
    except (TypeError, ValueError, RecursionError, EventError):
        raise ClickError("the value of its button is no hook") from None


def _reason(payload: dict[str, Any]) -> str | None:
    """What was typed beside the button, if anything was."""
    values = _object(_object(payload.get("state")).get("values"))
    typed = _object(_object(values.get(REASON_BLOCK)).get(REASON_ACTION)).get("value")
    return _text(typed, REASON_CHARACTERS)


def _response_url(url: Any) -> str | None:
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


def _first(values: Any) -> dict[str, Any]:
    return _object(values[0]) if isinstance(values, list) and values else {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def _text(value: Any, most: int) -> str | None:
    """A text from outside, without blanks around it, and cut; None if nothing is left."""
    if not isinstance(value, str):
        return None
    # A lone surrogate, which JSON can hold, is no text that could be stored.
    return value.encode(errors="replace").decode().strip()[:most] or None
