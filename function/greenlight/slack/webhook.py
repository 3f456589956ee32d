"""A Slack webhook, which messages are posted to."""

import re
import time
from collections.abc import Callable
from typing import Final, Protocol

import requests

from greenlight.model.errors import (
    SlackError,
    SlackRefusedError,
    SlackWebhookGoneError,
)
from greenlight.model.gate import Place
from greenlight.model.message import Message
from greenlight.runtime.network import HTTP_TRY_SECONDS, LOOK_UP_SECONDS, Countdown, may_be_sent
from greenlight.slack.http import send

_GONE: Final = frozenset({401, 403, 404, 410})
_ERROR_CODE: Final = re.compile(r"[a-z_]{1,60}")


class WebhookUrl(Protocol):
    """Gives the webhook URL; `fresh` asks for it past any cache."""

    def __call__(self, *, fresh: bool = False) -> str:
        """Returns the URL. Raises SettingsError when there is none."""


class SlackWebhook:
    """A Slack channel that messages are posted to."""

    def __init__(
        self,
        http: requests.Session,
        url: WebhookUrl,
        countdown: Countdown,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._http = http
        self._url = url
        self._countdown = countdown
        self._clock = clock
        # Whether Slack may have taken a message whose answer did not come.
        self.in_doubt = False

    def check(self) -> None:
        """Raises SettingsError if there is no URL to post to."""
        self._url()

    def post(
        self,
        message: Message,
        under: Place | None = None,  # noqa: ARG002  # a webhook knows no threads
        *,
        broadcast: bool = False,  # noqa: ARG002
    ) -> None:
        """Posts a Block Kit message; a webhook that is gone is looked up afresh, once.

        Raises SlackRefusedError when Slack will not have this message, SlackWebhookGoneError when
        the webhook is no longer honoured, SlackError for everything else.
        """
        url = self._url()
        try:
            self._send(url, message)
        except SlackWebhookGoneError:
            if not self._countdown.allows(LOOK_UP_SECONDS + HTTP_TRY_SECONDS):
                raise
            fresh_url = self._url(fresh=True)
            if fresh_url == url:
                raise
            self._send(fresh_url, message)

    def update(self, place: Place, message: Message) -> bool:  # noqa: ARG002
        """Changes nothing: a webhook cannot."""
        return False

    def _send(self, url: str, message: Message) -> None:
        try:
            post_to(self._http, url, message, self._clock)
        except SlackError as exc:
            self.in_doubt |= exc.in_doubt
            raise


def post_to(
    http: requests.Session,
    url: str,
    message: Message,
    clock: Callable[[], float] = time.perf_counter,
) -> None:
    """Posts a message to a URL of Slack's: a webhook, or a click's `response_url`.

    Raises SlackRefusedError, SlackWebhookGoneError or SlackError; the URL is in none of them.
    """
    failure = _failure(send(http, url, message, clock=clock))
    if failure:
        raise failure


def _failure(answer: requests.Response) -> SlackError | None:
    """What is wrong with an answer. Slack's is `ok`; some relays for Slack say nothing."""
    text = answer.content.decode(errors="replace").strip()  # no guess at what encoding it has
    if answer.status_code == requests.codes.ok and text in ("ok", ""):
        return None
    # Any other text may come from anywhere and may hold the URL.
    reason = text if _ERROR_CODE.fullmatch(text) else "not an answer of a Slack webhook"
    kind = SlackWebhookGoneError if answer.status_code in _GONE else SlackError
    if answer.status_code == requests.codes.bad_request:
        kind = SlackRefusedError
    return kind(reason, answer.status_code, in_doubt=may_be_sent(answer))
