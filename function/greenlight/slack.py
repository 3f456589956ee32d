"""The Slack webhook client, and how a request is known to come from Slack."""

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import requests
from aws_lambda_powertools.metrics import MetricUnit

from greenlight.errors import SignatureError, SlackError, SlackRefusedError, SlackWebhookGoneError
from greenlight.models import Message
from greenlight.network import HTTP_TRY_SECONDS, LOOK_UP_SECONDS, Countdown
from greenlight.observability import SLACK_LATENCY, metrics, tracer

_GONE: Final = frozenset({401, 403, 404, 410})
_ERROR_CODE: Final = re.compile(r"[a-z_]{1,60}")

# Slack's own: a request that is older may be a replayed one.
MAX_AGE_SECONDS: Final = 5 * 60
_SIGNATURE: Final = re.compile(r"v0=[0-9a-f]{64}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")


def verify_signature(
    headers: Mapping[str, str], body: bytes, secret: Callable[[], str], now: float
) -> None:
    """Raises SignatureError unless a request is signed by Slack, now (seconds since 1970).

    `headers` are found in any case, `body` is as it was sent. The signing secret is asked for only
    if the rest is in order.
    """
    signature = headers.get("X-Slack-Signature")
    timestamp = headers.get("X-Slack-Request-Timestamp")
    if not isinstance(signature, str) or not isinstance(timestamp, str):
        raise SignatureError("it is not signed", signed=False)
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureError("its timestamp is no number", signed=True)
    if abs(now - int(timestamp)) > MAX_AGE_SECONDS:
        raise SignatureError("it was signed more than five minutes ago or ahead", signed=True)
    if not _SIGNATURE.fullmatch(signature):
        raise SignatureError("its signature is malformed", signed=True)
    signed = b"v0:" + timestamp.encode() + b":" + body
    expected = hmac.new(secret().encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v0={expected}", signature):
        raise SignatureError("its signature is not made with this signing secret", signed=True)


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

    def post(self, message: Message) -> None:
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

    def _send(self, url: str, message: Message) -> None:
        started = self._clock()
        with tracer.provider.in_subsegment("Slack", namespace="remote") as subsegment:
            try:
                answer = self._http.post(url, json=message, allow_redirects=False)
            except requests.RequestException as exc:
                self.in_doubt = True
                failure: SlackError | None = SlackError(type(exc).__name__)
            else:
                # Tries in place come before an answer, and one of them may have been taken.
                retries = answer.raw.retries
                self.in_doubt |= any(one.error for one in retries.history) if retries else False
                failure = _failure(answer)
                subsegment.put_annotation("slack_status", str(answer.status_code))
            milliseconds = (self._clock() - started) * 1000
            metrics.add_metric(SLACK_LATENCY, MetricUnit.Milliseconds, milliseconds)
            # Raised here, not where it was caught: requests' own exception holds the URL, and
            # what is raised inside `except` carries it along.
            if failure:
                raise failure


def _failure(answer: requests.Response) -> SlackError | None:
    """What is wrong with an answer. Slack's is `ok`; some relays for Slack say nothing."""
    text = answer.text.strip()
    if answer.status_code == requests.codes.ok and text in ("ok", ""):
        return None
    # Any other text may come from anywhere and may hold the URL.
    reason = text if _ERROR_CODE.fullmatch(text) else "not an answer of a Slack webhook"
    if answer.status_code == requests.codes.bad_request:
        return SlackRefusedError(reason, answer.status_code)
    if answer.status_code in _GONE:
        return SlackWebhookGoneError(reason, answer.status_code)
    return SlackError(reason, answer.status_code)
