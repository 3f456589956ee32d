"""A click whose calls run into their timeouts fits in the function's 30 s, and its lease holds.

The clock is the test's: each call moves it by its connect and its read timeout.
"""

import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from greenlight.gates.reporting import CLAIMED_BY, EXPLAINED_BY, REPORTED_BY, SIGNED_BY
from greenlight.handlers import decision
from greenlight.model.errors import SettingsError
from greenlight.model.life import REPORTING
from greenlight.runtime.clients import Clients
from greenlight.runtime.network import (
    CHAIN_CONFIG,
    CLICK_HTTP_TIMEOUTS,
    LOOK_UP_SECONDS,
    TRY_SECONDS,
    Countdown,
)
from greenlight.runtime.observability import logger
from greenlight.runtime.settings import load_decision_settings
from stand_ins.aws import AwsStandIn
from stand_ins.clicks import SIGNING_SECRET, command_form, signed, url_event
from stand_ins.slack import Answer, SlackStandIn
from tests.functional.conftest import Clicker, Invoke, Output
from tests.functional.helpers import HOOK, REPORT, answer_elsewhere

pytestmark = pytest.mark.unmeasured

CALL_SECONDS = 3.0  # to connect and to read
LONGEST = {
    "GetParameter": LOOK_UP_SECONDS,
    "UpdateItem": CALL_SECONDS,
    REPORT: CALL_SECONDS,
    "ListDeploymentTargets": CALL_SECONDS,
    "GetDeploymentTarget": CALL_SECONDS,
    "GetDeployment": CALL_SECONDS,
    "Query": CALL_SECONDS,
}
OF_A_CLICK = [one for one in LONGEST if one not in ("GetParameter", "Query")]


class Slow:
    """A click in a world where everything takes as long as it can."""

    def __init__(
        self,
        click: Clicker,
        aws: AwsStandIn,
        slack: SlackStandIn,
        environ: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.now = 0.0
        self.click, self.slack, self.monkeypatch = click, slack, monkeypatch
        monkeypatch.setattr("time.sleep", self.sleep)
        self.environ = {**environ, "SLACK_SIGNING_SECRET": "/signing"}
        aws.client("ssm").put_parameter(Name="/signing", Value=SIGNING_SECRET, Type="String")
        aws.before = lambda operation: self.sleep(LONGEST[operation])

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def press(self, *answers: Answer) -> int:
        """Presses a button; the status of the answer."""
        return self._call(self.click.event("approve"), answers)

    def list_gates(self) -> int:
        """Types the command that lists what waits; the status of the answer."""
        body = command_form("list", self.slack.response_url)
        return self._call(url_event(body, signed(body)), ())

    def _call(self, event: dict[str, Any], answers: Sequence[Answer]) -> int:
        seconds = sum(CLICK_HTTP_TIMEOUTS)
        self.slack.script += [
            Answer(one.status, one.text, one.headers, lambda: self.sleep(seconds))
            for one in (answers or [Answer()] * 4)
        ]
        self.now = 0.0
        (log,) = logger.handlers
        self.monkeypatch.setattr(log, "stream", sys.stdout)
        clients = Clients(Countdown(lambda: self.now), CHAIN_CONFIG, CLICK_HTTP_TIMEOUTS)
        settings = load_decision_settings(self.environ)
        answer = decision._answer(event, clients, settings)
        self.slack.script.clear()
        return int(answer["statusCode"])


@pytest.fixture
def slow(
    click: Clicker,
    aws: AwsStandIn,
    slack: SlackStandIn,
    environ: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Slow:
    return Slow(click, aws, slack, environ, monkeypatch)


def test_the_bounds_are_those_of_a_click(invoke_decision: Invoke) -> None:
    clients = decision._clients()

    for client in (clients.dynamodb, clients.codedeploy):
        config: Any = client.meta.config
        assert config.connect_timeout + config.read_timeout == CALL_SECONDS
    adapter: Any = clients.http.get_adapter("https://hooks.slack.com")
    assert adapter._timeouts == CLICK_HTTP_TIMEOUTS


def test_a_slow_click_is_carried_out_and_the_message_replaced(
    slow: Slow, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    assert slow.press() == 200

    assert aws.reports == {HOOK: "Succeeded"}
    assert slack.responses[-1]["replace_original"] is True
    assert slow.now <= TRY_SECONDS


@pytest.mark.parametrize("lost", [0, 1])
def test_a_slow_list_is_answered_in_time(
    lost: int, slow: Slow, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    queries = itertools.count(1)

    def slowly(operation: str) -> bool:
        """All queries are answered, or every other one."""
        slow.sleep(LONGEST[operation])
        return operation == "Query" and next(queries) % 2 < lost

    aws.before = slowly
    known = len(slack.responses)

    assert slow.list_gates() == 200

    assert slow.now <= TRY_SECONDS
    assert len(slack.responses) == known + 1


def at_most_two_of(names: list[str]) -> list[tuple[str, ...]]:
    return [chosen for size in (1, 2) for chosen in itertools.combinations(names, size)]


@pytest.mark.parametrize("failures", [1, 9])
@pytest.mark.parametrize("broken", at_most_two_of(["UpdateItem", REPORT, "Slack"]), ids="+".join)
def test_slow_failures_are_tried_again_only_in_time(
    broken: tuple[str, ...], failures: int, slow: Slow, aws: AwsStandIn
) -> None:
    slow.press(*fail(broken, failures, aws))

    assert slow.now <= TRY_SECONDS


@pytest.mark.parametrize("broken", at_most_two_of([*OF_A_CLICK, "Slack"]), ids="+".join)
def test_a_slow_explanation_fits_too(broken: tuple[str, ...], slow: Slow, aws: AwsStandIn) -> None:
    settle(aws)

    slow.press(*fail(broken, 9, aws))

    assert slow.now <= TRY_SECONDS


@pytest.mark.parametrize(
    ("operation", "second"),
    [("UpdateItem", CLAIMED_BY), (REPORT, REPORTED_BY), ("GetDeployment", EXPLAINED_BY)],
)
def test_each_step_leaves_the_time_of_the_later_ones(
    operation: str, second: float, slow: Slow, aws: AwsStandIn
) -> None:
    ends: list[float] = []

    def note_end(called: str) -> None:
        slow.sleep(LONGEST[called])
        if called == operation:
            ends.append(slow.now)

    if operation == "GetDeployment":
        settle(aws)
    aws.failures[operation] = ["InternalServerError"] * 9
    aws.before = note_end

    slow.press()

    assert ends[0] <= ends[-1] <= second


def fail(broken: tuple[str, ...], failures: int, aws: AwsStandIn) -> list[Answer]:
    """Lets AWS fail so often; what Slack is to answer."""
    aws.failures |= {one: ["InternalServerError"] * failures for one in broken}
    return [*([Answer(503, "busy")] * failures if "Slack" in broken else []), *[Answer()] * 4]


def settle(aws: AwsStandIn) -> None:
    """Answers the hook elsewhere, in no time."""
    aws.before, slowly = lambda _: None, aws.before
    answer_elsewhere(aws, "Failed")
    aws.before = slowly


@pytest.mark.parametrize("failures", [1, 9])
def test_a_secret_that_is_not_to_be_had_in_time_is_an_error(
    failures: int, slow: Slow, aws: AwsStandIn
) -> None:
    aws.failures["GetParameter"] = ["InternalServerError"] * failures

    with pytest.raises(SettingsError, match="SLACK_SIGNING_SECRET"):
        slow.press()

    assert slow.now < SIGNED_BY + 2, "no more than a pause longer"


def test_what_took_all_the_time_is_not_told_late(
    slow: Slow, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]
    slow.press()
    settle(aws)
    known = len(slack.responses)
    output()

    slow.press()

    assert slow.now <= TRY_SECONDS
    assert [one.get("replace_original") for one in slack.responses[known:]] == [True]
    (warning,) = [line for line in output().lines if line["level"] == "WARNING"]
    assert warning["message"] == "There is no time to say in Slack what became of it"


def test_the_lease_on_a_report_outlives_it() -> None:
    assert REPORTING.lasts.total_seconds() > REPORTED_BY
