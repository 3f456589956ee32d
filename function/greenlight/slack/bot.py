"""A Slack bot: posts, changes its messages in place, and answers in their threads."""

import re
from typing import Any, Final, Protocol

import requests

from greenlight.model.errors import (
    SlackBotError,
    SlackError,
    SlackRefusedError,
    SlackTokenError,
)
from greenlight.model.gate import Place
from greenlight.model.message import Message
from greenlight.runtime.network import HTTP_TRY_SECONDS, LOOK_UP_SECONDS, Countdown, may_be_sent
from greenlight.slack.http import send

_CODE: Final = re.compile(r"[a-z_]{1,60}")

_RENEW: Final = "put the app's bot token (xoxb-...) where SLACK_BOT_TOKEN says"
_NOT_HONOURED: Final = frozenset(
    {
        "account_inactive",
        "invalid_auth",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "token_expired",
        "token_revoked",
    }
)
_ADVICE: Final = {
    "channel_not_found": "SLACK_CHANNEL is to be a channel's id, and a private channel has to "
    "invite the app",
    "ekm_access_denied": "the organisation's administrators have suspended posting",
    "is_archived": "SLACK_CHANNEL is archived: name another, or restore it",
    "missing_scope": "give the app the scope chat:write, and install it again",
    "not_in_channel": "invite the app to SLACK_CHANNEL, or give it the scope chat:write.public",
    "restricted_action": "the workspace lets the app post nothing there: ask its administrators",
    "team_access_not_granted": "install the app in the workspace of SLACK_CHANNEL",
}
# The message itself is what Slack does not like.
_REFUSALS: Final = frozenset(
    {
        "invalid_arguments",
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
    }
)
# Slack says of these that a part may have succeeded before the error.
_IN_PART: Final = frozenset({"fatal_error", "internal_error"})
# A message that was deleted, or that is not the bot's, or not any more.
_LOST: Final = frozenset(
    {
        "cannot_reply_to_message",
        "cant_update_message",
        "edit_window_closed",
        "message_not_found",
        "thread_not_found",
    }
)


class BotToken(Protocol):
    """Gives the bot's token; `fresh` asks for it past any cache."""

    def __call__(self, *, fresh: bool = False) -> str:
        """Returns the token. Raises SettingsError when there is none."""


class SlackBot:
    """A channel that a bot posts to; `api_url` is that of Slack's Web API."""

    def __init__(
        self,
        http: requests.Session,
        token: BotToken,
        channel: str,
        api_url: str,
        countdown: Countdown,
    ) -> None:
        self._http = http
        self._token = token
        self._channel = channel
        self._api_url = api_url
        self._countdown = countdown
        # Whether Slack may have taken a message whose answer did not come.
        self.in_doubt = False

    def check(self) -> None:
        """Raises SettingsError if there is no token."""
        self._token()

    def post(
        self, message: Message, under: Place | None = None, *, broadcast: bool = False
    ) -> Place:
        """Posts a Block Kit message, or an answer under one, which `broadcast` shows all.

        An answer to a message that is gone stands by itself. Raises SlackRefusedError when Slack
        will not have this message, SlackBotError when it lets the bot post none, else SlackError.
        """
        if under:
            where = {"channel": under.channel, "thread_ts": under.ts, "reply_broadcast": broadcast}
            answer = self._call("chat.postMessage", {**where, **message}, but=_LOST)
            if answer:
                return self._place(answer)
        content = {"channel": self._channel, **message}
        return self._place(self._call("chat.postMessage", content))

    def update(self, place: Place, message: Message) -> bool:
        """Changes a message in place; False for one that cannot be changed any more.

        Raises as `post` does.
        """
        content = {"channel": place.channel, "ts": place.ts, **message}
        return bool(self._call("chat.update", content, but=_LOST))

    def _place(self, answer: dict[str, Any]) -> Place:
        channel, ts = answer.get("channel"), answer.get("ts")
        if not (isinstance(channel, str) and isinstance(ts, str)):
            self.in_doubt = True
            raise SlackError("it does not say where the message is", in_doubt=True)
        return Place(channel, ts)

    def _call(
        self, method: str, content: dict[str, Any], but: frozenset[str] = frozenset()
    ) -> dict[str, Any]:
        """Calls a method; its answer, empty for an error of `but`. A new token is tried, once."""
        token = self._token()
        try:
            return self._send(method, content, token, but)
        except SlackTokenError:
            if not self._countdown.allows(LOOK_UP_SECONDS + HTTP_TRY_SECONDS):
                raise
            fresh = self._token(fresh=True)
            if fresh == token:
                raise
            return self._send(method, content, fresh, but)

    def _send(
        self, method: str, content: dict[str, Any], token: str, but: frozenset[str]
    ) -> dict[str, Any]:
        try:
            headers = {"Authorization": f"Bearer {token}"}
            http_answer = send(self._http, f"{self._api_url}/{method}", content, headers)
            answer = _read(http_answer)
            code = answer.get("error")
            if answer.get("ok") is True:
                return answer
            if code in but:
                return {}
            raise _failure(code, http_answer)
        except SlackError as exc:
            self.in_doubt |= exc.in_doubt
            raise


def _read(answer: requests.Response) -> dict[str, Any]:
    """Slack's answer as JSON; empty for what is none of Slack's."""
    try:
        held = answer.json()
    except requests.exceptions.JSONDecodeError:
        held = None
    return held if isinstance(held, dict) else {}


def _failure(code: object, answer: requests.Response) -> SlackError:
    """What is wrong with an answer that is not ok."""
    status = answer.status_code
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        # Any other text may come from anywhere.
        reason = "not an answer of Slack's Web API"
        return SlackError(reason, status, in_doubt=may_be_sent(answer))
    if code in _NOT_HONOURED:
        return SlackTokenError(code, _RENEW, status)
    if code in _ADVICE:
        return SlackBotError(code, _ADVICE[code], status)
    kind = SlackRefusedError if code in _REFUSALS else SlackError
    return kind(code, status, in_doubt=code in _IN_PART or may_be_sent(answer))
