"""A release at its gate, in the environment of a whole stack."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine

from stand_ins.aws import AwsStandIn
from stand_ins.clicks import SIGNING_SECRET
from stand_ins.codedeploy import REGION, add_deployment
from stand_ins.slack import SlackStandIn
from tests.functional.conftest import invoking
from tests.functional.life.release import GROUP, HANDLERS, HOOK_ID, ID, NOW, Release


@pytest.fixture
def release(
    aws: AwsStandIn,
    slack: SlackStandIn,
    environ: dict[str, str],
    described: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Release]:
    """A release that is about to come to its gate, and a stack with all that there is."""
    environ |= {
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "MESSAGE_LANGUAGE": "en",
        "SCHEDULE_GROUP": GROUP,
        "SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/moments",
        "CLOCK_FUNCTION_ARN": f"arn:aws:lambda:{REGION}:123456789012:function:clock",
        "EVENT_BUS_NAME": "default",
    }
    with time_machine.travel(NOW, tick=False) as time:
        add_deployment(ID, aws.client("codedeploy"), hook_execution_id=HOOK_ID)
        aws.client("scheduler").create_schedule_group(Name=GROUP)
        running = {
            name: invoking(handler, environ, described, monkeypatch)
            for name, handler in HANDLERS.items()
        }
        functions = {name: next(one) for name, one in running.items()}
        aws.operations.clear()
        yield Release(aws, slack, time, functions, monkeypatch)
        for one in running.values():
            assert next(one, None) is None
