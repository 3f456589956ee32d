"""One request to Slack: timed, traced, and without the URL in what goes wrong."""

import time
from collections.abc import Callable, Mapping

import requests
from aws_lambda_powertools.metrics import MetricUnit

from greenlight.model.errors import SlackError
from greenlight.model.message import Message
from greenlight.runtime.network import was_sent
from greenlight.runtime.observability import SLACK_LATENCY, metrics, tracer


def send(
    http: requests.Session,
    url: str,
    message: Message,
    headers: Mapping[str, str] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> requests.Response:
    """Sends JSON to a URL of Slack's; the answer, whatever it says. Raises SlackError for none."""
    started = clock()
    with tracer.provider.in_subsegment("Slack", namespace="remote") as subsegment:
        try:
            answer = http.post(url, json=message, headers=headers, allow_redirects=False)
        except requests.RequestException as exc:
            failure: SlackError | None = SlackError(type(exc).__name__, in_doubt=was_sent(exc))
        else:
            failure = None
            subsegment.put_annotation("slack_status", str(answer.status_code))
        milliseconds = (clock() - started) * 1000
        metrics.add_metric(SLACK_LATENCY, MetricUnit.Milliseconds, milliseconds)
        # Raised here, not where it was caught: requests' own exception holds the URL, and
        # what is raised inside `except` carries it along.
        if failure:
            raise failure
    return answer
