"""A release at its gate, at either engine, in the environment of a whole stack."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine

from stand_ins.aws import AwsStandIn
from stand_ins.clicks import SIGNING_SECRET
from stand_ins.codedeploy import REGION, add_deployment
from stand_ins.slack import SlackStandIn
from tests.functional.conftest import Invoke, invoking
from tests.functional.life.paused import Paused
from tests.functional.life.release import GROUP, HANDLERS, HOOK_ID, ID, NOW, Release


@pytest.fixture
def stack(
    aws: AwsStandIn,
    slack: SlackStandIn,
    environ: dict[str, str],
    described: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[tuple[Any, dict[str, Invoke]]]:
    """A stack with all that there is: the time, which stands still, and its functions."""
    environ |= {
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "MESSAGE_LANGUAGE": "en",
        "SCHEDULE_GROUP": GROUP,
        "SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/moments",
        "CLOCK_FUNCTION_ARN": f"arn:aws:lambda:{REGION}:123456789012:function:clock",
        "EVENT_BUS_NAME": "default",
    }
    with time_machine.travel(NOW, tick=False) as time:
        aws.client("scheduler").create_schedule_group(Name=GROUP)
        running = {
            name: invoking(handler, environ, described, monkeypatch)
            for name, handler in HANDLERS.items()
        }
        yield time, {name: next(one) for name, one in running.items()}
        for one in running.values():
            assert next(one, None) is None


@pytest.fixture
def release(
    aws: AwsStandIn,
    slack: SlackStandIn,
    stack: tuple[Any, dict[str, Invoke]],
    monkeypatch: pytest.MonkeyPatch,
) -> Release:
    """A release of CodeDeploy's that is about to come to its gate."""
    add_deployment(ID, aws.client("codedeploy"), hook_execution_id=HOOK_ID)
    aws.operations.clear()
    return Release(aws, slack, *stack, monkeypatch)


@pytest.fixture
def paused(
    aws: AwsStandIn,
    slack: SlackStandIn,
    stack: tuple[Any, dict[str, Invoke]],
    monkeypatch: pytest.MonkeyPatch,
) -> Paused:
    """A deployment of ECS's own that has begun, and comes to a PAUSE hook when a test says so."""
    aws.client("ecs").list_clusters()  # the stand-in learns what moto does not know
    return Paused(aws, slack, *stack, monkeypatch)


@pytest.fixture(params=["codedeploy", "ecs"])
def either(request: pytest.FixtureRequest) -> Release:
    """A release that waits, at either engine."""
    if request.param == "codedeploy":
        release: Release = request.getfixturevalue("release")
        return release
    paused: Paused = request.getfixturevalue("paused")
    paused.begin()
    return paused
