"""Calls that run into their timeouts, all of one invocation, fit in the function's 30 seconds.

The clock is the test's: each call moves it by its connect and its read timeout.
"""

import itertools
from typing import Any

import pytest

from greenlight.gates.opening import Opened
from greenlight.handlers.hook import open_with
from greenlight.model.errors import GreenlightError
from greenlight.model.gate import Hook
from greenlight.model.life import TELLING
from greenlight.runtime.clients import Clients
from greenlight.runtime.network import (
    AWS_CONNECT_SECONDS,
    AWS_READ_SECONDS,
    HTTP_TRY_SECONDS,
    LOOK_UP_SECONDS,
    TRY_SECONDS,
    Countdown,
)
from greenlight.runtime.settings import load_settings
from stand_ins.aws import AwsStandIn
from stand_ins.codedeploy import add_deployment, go_on, stop
from stand_ins.slack import Answer, SlackStandIn
from tests.functional.conftest import Invoke

pytestmark = pytest.mark.unmeasured

LONGEST = {
    "GetParameter": LOOK_UP_SECONDS,
    "GetDeployment": LOOK_UP_SECONDS,
    "ListDeploymentTargets": LOOK_UP_SECONDS,
    "GetDeploymentTarget": LOOK_UP_SECONDS,
    "UpdateItem": AWS_CONNECT_SECONDS + AWS_READ_SECONDS,
    "PutItem": AWS_CONNECT_SECONDS + AWS_READ_SECONDS,
}
HOOK = Hook("d-LOCALTEST", "hook-local")


class World:
    """Everything outside, on one clock."""

    def __init__(self, aws: AwsStandIn, slack: SlackStandIn, environ: dict[str, str]) -> None:
        self.now = 0.0
        self.aws, self.slack, self.environ = aws, slack, environ
        add_deployment("d-LOCALTEST", aws.client("codedeploy"))
        aws.client("ssm").put_parameter(Name="/slack", Value=slack.webhook_url, Type="SecureString")
        aws.operations.clear()

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def run(self, hook: Hook = HOOK) -> Opened | GreenlightError:
        clients = Clients(Countdown(lambda: self.now))
        settings = load_settings({**self.environ, "SLACK_WEBHOOK_URL": "/slack"})
        try:
            return open_with(clients, hook, settings)
        except GreenlightError as exc:
            return exc


@pytest.fixture
def world(
    aws: AwsStandIn,
    slack: SlackStandIn,
    environ: dict[str, str],
    invoke: Invoke,  # for its environment
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    made = World(aws, slack, environ)
    monkeypatch.setattr("time.sleep", made.sleep)
    return made


def slow(world: World, *operations: str) -> None:
    def take_longest(operation: str) -> None:
        if operation in operations:
            world.now += LONGEST[operation]

    world.aws.before = take_longest


def slow_answers(world: World, *answers: Answer) -> None:
    def take_longest() -> None:
        world.now += HTTP_TRY_SECONDS

    world.slack.script += [
        Answer(answer.status, answer.text, answer.headers, take_longest) for answer in answers
    ]


OPERATIONS = [*LONGEST, "Slack"]


@pytest.mark.parametrize(
    "slow_ones",
    [chosen for size in (0, 1, 2, 7) for chosen in itertools.combinations(OPERATIONS, size)],
    ids="+".join,
)
def test_slow_answers_are_waited_for_and_fit(slow_ones: tuple[str, ...], world: World) -> None:
    slow(world, *slow_ones)
    if "Slack" in slow_ones:
        slow_answers(world, Answer())

    opened = world.run()

    assert isinstance(opened, Opened)
    assert world.now <= TRY_SECONDS
    assert "notified_at" in world.aws.items()[0]


@pytest.mark.parametrize(
    "failing_ones",
    [chosen for size in (1, 2, 7) for chosen in itertools.combinations(OPERATIONS, size)],
    ids="+".join,
)
@pytest.mark.parametrize("failures", [1, 2, 9])
def test_slow_failures_are_tried_again_only_in_time(
    failures: int, failing_ones: tuple[str, ...], world: World
) -> None:
    slow(world, *OPERATIONS)
    for operation in failing_ones:
        world.aws.failures[operation] = ["InternalServerError"] * failures
    if "Slack" in failing_ones:
        slow_answers(world, *[Answer(503, "busy")] * failures)
    slow_answers(world, Answer())

    world.run()

    assert world.now <= TRY_SECONDS


@pytest.mark.parametrize("failures", [0, 1, 9])
@pytest.mark.parametrize("failing_one", [*LONGEST])
def test_a_hook_that_is_over_is_written_down_in_time(
    failing_one: str, failures: int, world: World
) -> None:
    stop("d-LOCALTEST")
    slow(world, *OPERATIONS)
    world.aws.failures[failing_one] = ["InternalServerError"] * failures

    world.run()

    assert world.now <= TRY_SECONDS


def test_quick_failures_are_tried_again(world: World, sleeps: list[float]) -> None:
    for operation in LONGEST:
        world.aws.failures[operation] = ["InternalServerError"] * 2
    world.slack.script += [Answer(503, "busy")] * 2

    assert isinstance(world.run(), Opened)

    operations = world.aws.operations
    assert {operations.count(one) for one in LONGEST} == {3}
    assert len(world.slack.posts) == 3


def test_a_slow_parameter_store_leaves_no_time_to_describe_the_deployment(world: World) -> None:
    slow(world, "GetParameter")

    assert isinstance(world.run(), Opened)
    assert not {"GetDeployment", "ListDeploymentTargets"} & set(world.aws.operations)


def test_a_rotated_webhook_and_a_refused_image_fit_too(world: World) -> None:
    slow(world, *OPERATIONS)
    world.slack.webhook_paths = set()
    slow_answers(world, Answer(404, "no_service"))

    assert isinstance(world.run(), GreenlightError)
    assert world.now <= TRY_SECONDS


def test_a_slow_look_up_leaves_no_time_for_the_next(world: World) -> None:
    slow(world, "ListDeploymentTargets")

    assert isinstance(world.run(), Opened)
    assert "GetDeploymentTarget" not in world.aws.operations


def test_an_image_is_left_out_only_in_time(world: World) -> None:
    slow(world, *OPERATIONS)
    slow_answers(world, Answer(400, "invalid_blocks"), Answer())

    outcome: Any = world.run()

    assert isinstance(outcome, GreenlightError)
    assert len(world.slack.posts) == 1
    assert world.now <= TRY_SECONDS


def test_replacing_the_gate_of_an_older_hook_fits_too(world: World) -> None:
    assert isinstance(world.run(), Opened)
    go_on(HOOK.deployment_id)
    slow(world, *LONGEST)
    slow_answers(world, Answer())
    world.now = 0.0

    outcome = world.run(Hook(HOOK.deployment_id, "hook-newer"))

    assert isinstance(outcome, GreenlightError)
    assert len(world.slack.posts) == 1, "there was no time to post a second message"
    assert world.now <= TRY_SECONDS


def test_a_lease_outlives_the_try_and_ends_before_lambda_tries_again() -> None:
    assert TRY_SECONDS < TELLING.lasts.total_seconds() < 60
