"""A moment, or a change, whose calls run into their timeouts fits in the function's 30 s.

The clock is the test's: each call moves it by its connect and its read timeout.
"""

import contextlib
import dataclasses
import itertools

import pytest
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from greenlight.handlers import changes, clock
from greenlight.model.errors import GreenlightError
from greenlight.model.gate import Due, Hook
from greenlight.runtime.clients import Clients
from greenlight.runtime.network import (
    CHAIN_CONFIG,
    HTTP_TRY_SECONDS,
    LOOK_UP_SECONDS,
    TRY_SECONDS,
    Countdown,
)
from greenlight.runtime.settings import load_keeping_settings
from stand_ins.slack import Answer
from tests.functional.life.release import EVENT, HOOK, REPORT, Release

pytestmark = pytest.mark.unmeasured

CALL_SECONDS = 3.0  # to connect and to read
SECONDS = {"GetParameter": LOOK_UP_SECONDS, "Slack": HTTP_TRY_SECONDS}
READ = ("GetItem", "UpdateItem", "ListDeploymentTargets", "GetDeploymentTarget", "GetDeployment")
CALLED_BY_CLOCK = (*READ, REPORT, "GetParameter", "Slack")
CALLED_ONCE_TOLD = (*READ, "PutEvents", "CreateSchedule")


def some(services: tuple[str, ...]) -> list[tuple[str, ...]]:
    """None of some services, each one, and each two."""
    return [chosen for size in range(3) for chosen in itertools.combinations(services, size)]


@pytest.mark.parametrize("broken", some(CALLED_BY_CLOCK), ids="+".join)
@pytest.mark.parametrize(
    ("due", "world"),
    [
        ("reminder", "waiting"),
        ("reminder", "answered elsewhere"),
        ("look", "left over"),
        ("watch", "waiting"),
        ("watch", "answered elsewhere"),
        ("end", "waiting"),
        ("end", "answered elsewhere"),
    ],
)
def test_however_slow_everything_is_it_fits_in_the_time_of_the_function(
    due: str,
    world: str,
    broken: tuple[str, ...],
    release: Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    release.aws.client("ssm").put_parameter(
        Name="/slack", Value=release.slack.webhook_url, Type="String"
    )
    release.open("webhook", SLACK_WEBHOOK_URL="/slack")
    if world == "answered elsewhere":
        release.answer_elsewhere("Succeeded")
    if world == "left over":
        release.aws.failures[REPORT] = ["ThrottlingException"] * 9
        release.click("approve")
        release.aws.failures.clear()
        release.follow()
    if due == "watch":
        release.later(minutes=1)
    else:
        ((at, _),) = release.moments(due)
        release.at(at)
    now = slow(release, broken, monkeypatch)
    clients = Clients(Countdown(lambda: now[0]), CHAIN_CONFIG)

    with contextlib.suppress(GreenlightError):
        clock.act(clients, Due(due), Hook(*HOOK), load_keeping_settings())

    assert now[0] <= TRY_SECONDS


@pytest.mark.parametrize("broken", some(CALLED_ONCE_TOLD), ids="+".join)
def test_however_slow_everything_is_moments_are_set_in_time(
    broken: tuple[str, ...], release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    release.environ["REMIND_MINUTES_BEFORE"] = "5,10,15,20,30"
    release.call("hook", EVENT)
    opened, told = (changes._change(DynamoDBRecord(one)) for one in release.aws.changes)
    assert opened
    assert told
    for name, value in release.environ.items():
        monkeypatch.setenv(name, str(value))
    now = slow(release, broken, monkeypatch)
    clients = Clients(Countdown(lambda: now[0]), CHAIN_CONFIG)

    with contextlib.suppress(GreenlightError):
        changes.follow_with(clients, told, load_keeping_settings())

    assert now[0] <= TRY_SECONDS
    due = {event["due"] for _, event in release.moments()}
    assert "CreateSchedule" in broken or "end" in due, "what matters most is set first"


def slow(release: Release, broken: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Lets each call take as long as it may, and some fail; how many seconds have passed."""
    now = [0.0]

    def pass_time(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr("time.sleep", pass_time)
    release.aws.before = lambda operation: pass_time(SECONDS.get(operation, CALL_SECONDS))
    release.aws.failures |= {one: ["InternalServerError"] * 9 for one in broken}
    answer = Answer(503, "busy") if "Slack" in broken else Answer()
    release.slack.script += [
        dataclasses.replace(answer, pause=lambda: pass_time(SECONDS["Slack"]))
    ] * 3
    return now
