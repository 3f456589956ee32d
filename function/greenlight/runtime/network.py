"""The bounds that every outside call shares: timeouts, tries, and the seconds that are left.

A retry, a post to Slack, or a step that is only nice to have, starts only if its timeouts fit in
the time that is left; the first tries of the others always do. So all the calls of one invocation
fit in `TRY_SECONDS` where each connects at its first attempt or fails, and is answered in one go
or not at all.

More than that cannot be promised: the timeouts bound each attempt to connect (a host with several
addresses is tried at one after the other) and each silence of an answer (one that trickles is
never silent for long). What takes longer is ended by Lambda after 30 s. That is a killed try like
any other: nothing is lost, and the next try goes on.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

import boto3
import requests
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry
from urllib3.util.retry import RequestHistory

from greenlight.runtime.settings import aws_region

# Lambda's own log level (AWS_LAMBDA_LOG_LEVEL) is that of every library. Below INFO, botocore logs
# what it sends and gets: the session token, and secrets as SSM decrypts them.
logging.getLogger("botocore").setLevel(logging.INFO)
# urllib3 logs the path of the URL when it retries, and the path of a Slack webhook is the secret.
logging.getLogger("urllib3").setLevel(logging.ERROR)

# Under the function's timeout of 30 s, which our own work takes a part of too.
TRY_SECONDS: Final = 29.0

AWS_CONNECT_SECONDS: Final = 2.0
AWS_READ_SECONDS: Final = 5.0
AWS_CONFIG: Final = Config(
    connect_timeout=AWS_CONNECT_SECONDS,
    read_timeout=AWS_READ_SECONDS,
    retries={"mode": "standard", "total_max_attempts": 3},
)
# For what is looked up before the writes: better asked again than waited for.
LOOK_UP_READ_SECONDS: Final = 2.0
LOOK_UP_CONFIG: Final = AWS_CONFIG.merge(Config(read_timeout=LOOK_UP_READ_SECONDS))
LOOK_UP_SECONDS: Final = AWS_CONNECT_SECONDS + LOOK_UP_READ_SECONDS

HTTP_TIMEOUTS: Final = (3.0, 5.0)
HTTP_TRY_SECONDS: Final = sum(HTTP_TIMEOUTS)
# Where many calls follow one another.
CHAIN_CONNECT_SECONDS: Final = 1.0
CHAIN_READ_SECONDS: Final = 2.0
CHAIN_SECONDS: Final = CHAIN_CONNECT_SECONDS + CHAIN_READ_SECONDS
CHAIN_CONFIG: Final = AWS_CONFIG.merge(
    Config(connect_timeout=CHAIN_CONNECT_SECONDS, read_timeout=CHAIN_READ_SECONDS)
)
CLICK_HTTP_TIMEOUTS: Final = (1.0, 2.0)
HTTP_RETRIES: Final = 2
HTTP_RETRY_STATUSES: Final = frozenset({429, 500, 502, 503, 504})
MAX_RETRY_AFTER_SECONDS: Final = 5.0


# Before a connection is made, nothing is sent.
_UNSENT: Final = (ConnectTimeoutError, NewConnectionError)


class OutOfTimeError(BotoCoreError):
    """An AWS call is not tried, or not once more, because that could not end in time."""

    fmt = "no time is left to try {operation}"


class Countdown:
    """The seconds that one invocation has for its outside calls.

    Kept with the clients, which outlive an invocation, and restarted at the start of each.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.restart()

    def restart(self) -> None:
        """Starts a new invocation's time."""
        self._started = self._clock()
        self._ends = TRY_SECONDS

    @contextmanager
    def until(self, second: float) -> Iterator[None]:
        """Gives a step the time until this second of the invocation."""
        self._ends, before = second, self._ends
        try:
            yield
        finally:
            self._ends = before

    def allows(self, seconds: float) -> bool:
        """Whether something that takes this long can still end in time."""
        return self._clock() - self._started + seconds <= self._ends


def aws_session(countdown: Countdown, **where: str | None) -> boto3.Session:
    """An AWS session whose clients do not start a retry that cannot end in time.

    `where`: `profile_name` and `region_name`, as boto3 takes them; without the latter, the region
    is the one that is set, or that of the AWS config file.
    """
    region = where.get("region_name") or aws_region()
    session = boto3.Session(profile_name=where.get("profile_name"), region_name=region)
    session.events.register("request-created", late_tries_refused(countdown, after=1))
    return session


def late_tries_refused(countdown: Countdown, *, after: int) -> Callable[..., None]:
    """For botocore's event `request-created`: no try starts that cannot end in time.

    The first tries, as many as `after`, start all the same.
    """

    def refuse(request: AWSRequest, operation_name: str, **_: Any) -> None:
        config = request.context["client_config"]
        is_bound = request.context["retries"]["attempt"] > after
        if is_bound and not countdown.allows(config.connect_timeout + config.read_timeout):
            raise OutOfTimeError(operation=operation_name)

    return refuse


def http_session(
    countdown: Countdown, timeouts: tuple[float, float] = HTTP_TIMEOUTS
) -> requests.Session:
    """An HTTP session that retries connection errors, 429 and 5xx, in the time there is.

    `timeouts`: seconds to connect and to read, for each of its requests.
    """
    session = requests.Session()
    retry = PatientRetry(
        countdown=countdown,
        try_seconds=sum(timeouts),
        total=HTTP_RETRIES,
        redirect=False,
        status_forcelist=HTTP_RETRY_STATUSES,
        allowed_methods=frozenset({"POST"}),
        backoff_factor=0.5,
        raise_on_status=False,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, TimedAdapter(timeouts, max_retries=retry))
    return session


class UnsentError(MaxRetryError):
    """None of the tries of a request has reached the server."""


def was_sent(error: requests.RequestException) -> bool:
    """Whether a try of a request that failed may have reached the server."""
    return not any(isinstance(cause, UnsentError) for cause in error.args)


def may_be_sent(answer: requests.Response) -> bool:
    """Whether a try before this answer, whose own did not come, may have reached the server."""
    retries = answer.raw.retries
    return retries is not None and any(map(_may_be_sent, retries.history))


def _may_be_sent(one: RequestHistory) -> bool:
    return one.error is not None and not isinstance(one.error, _UNSENT)


class TimedAdapter(HTTPAdapter):
    """Sends each request with the same timeouts, whoever makes it."""

    def __init__(self, timeouts: tuple[float, float], *, max_retries: Retry) -> None:
        self._timeouts = timeouts
        super().__init__(max_retries=max_retries)

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        """Sends a request, as in requests."""
        return super().send(*args, **{**kwargs, "timeout": self._timeouts})


class PatientRetry(Retry):
    """Retries unless the server may have acted, asks for a long pause, or time is short.

    A read timeout is not retried: the message may well have arrived. A `Retry-After` beyond
    MAX_RETRY_AFTER_SECONDS is not slept through: Lambda's own retry comes after a minute.
    """

    def __init__(self, *args: Any, countdown: Countdown, try_seconds: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._countdown = countdown
        self._try_seconds = try_seconds

    def new(self, **kwargs: Any) -> Self:
        """A copy with other numbers, as urllib3 makes one for every try."""
        return super().new(countdown=self._countdown, try_seconds=self._try_seconds, **kwargs)

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> Self:
        """The retry after this one, or the error that ends them, as in urllib3."""
        if isinstance(error, ReadTimeoutError):
            raise error
        try:
            after = super().increment(method, url, response, error, *args, **kwargs)
            pause = (response and self.get_retry_after(response)) or after.get_backoff_time()
            is_short = pause <= MAX_RETRY_AFTER_SECONDS
            if is_short and self._countdown.allows(pause + self._try_seconds):
                return after
            raise MaxRetryError(kwargs["_pool"], url or "", error)
        except MaxRetryError as exc:
            if isinstance(error, _UNSENT) and not any(map(_may_be_sent, self.history)):
                raise UnsentError(exc.pool, exc.url or "", exc.reason) from None
            raise
