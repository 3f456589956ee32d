"""A click on a button of a message: what Slack sends of it, checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from greenlight.model.errors import ClickError
from greenlight.model.gate import Decision, Hook, Verdict, Via
from greenlight.slack.buttons import (
    ACTIONS,
    CLAIM_ACTION,
    REASON_ACTION,
    REASON_BLOCK,
    REASON_CHARACTERS,
    hook_of,
)
from greenlight.slack.forms import NAME_CHARACTERS, is_id, response_url_of, text_of


@dataclass(frozen=True)
class Click:
    """Who clicked, on what and where; without a verdict, they say that they are testing.

    `response_url`, where Slack takes what becomes of the message, is as good as a secret; None if
    it is not Slack's.
    """

    verdict: Verdict | None
    hook: Hook
    user_id: str
    user_name: str | None
    team_id: str | None
    reason: str | None
    response_url: str | None = field(repr=False)

    @property
    def decision(self) -> Decision | None:
        """The decision that the click asks for."""
        if self.verdict is None:
            return None
        return Decision(
            verdict=self.verdict,
            approver=self.user_id,
            via=Via.SLACK,
            reason=self.reason,
            name=self.user_name,
            team=self.team_id,
        )


def parse_click(fields: Mapping[str, str]) -> Click | None:
    """Reads the form of a request that Slack signed, whose `payload` is JSON.

    None for what is no business of Greenlight's, such as another button of the same app. Raises
    ClickError for a click on one of its buttons that cannot be understood.
    """
    payload = _payload(fields)
    if payload.get("type") != "block_actions":
        return None
    action = _first(payload.get("actions"))
    name = str(action.get("action_id"))
    verdict = ACTIONS.get(name)
    if verdict is None and name != CLAIM_ACTION:
        return None
    user = _object(payload.get("user"))
    if not is_id(user.get("id")):
        raise ClickError("it does not say who clicked (user.id)")
    team = _object(payload.get("team"))
    return Click(
        verdict=verdict,
        hook=hook_of(action.get("value")),
        user_id=user["id"],
        user_name=text_of(user.get("username") or user.get("name"), NAME_CHARACTERS),
        team_id=team["id"] if is_id(team.get("id")) else None,
        reason=_reason(payload),
        response_url=response_url_of(payload.get("response_url")),
    )


def _payload(fields: Mapping[str, str]) -> dict[str, Any]:
    try:
        payload = json.loads(fields["payload"])
    except (KeyError, ValueError, RecursionError) as exc:
        # The text of these would show what people typed.
        raise ClickError(f"its form has no JSON payload ({type(exc).__name__})") from None
    if not isinstance(payload, dict):
        raise ClickError("its payload is no JSON object")
    return payload


def _reason(payload: dict[str, Any]) -> str | None:
    """What was typed beside the button, if anything was."""
    values = _object(_object(payload.get("state")).get("values"))
    typed = _object(_object(values.get(REASON_BLOCK)).get(REASON_ACTION)).get("value")
    return text_of(typed, REASON_CHARACTERS)


def _first(values: Any) -> dict[str, Any]:
    return _object(values[0]) if isinstance(values, list) and values else {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
