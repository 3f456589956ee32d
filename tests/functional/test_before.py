"""What the version before this one left in the table and in the channel goes on working."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from greenlight.model.errors import GateBusyError
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.clicks import form, signed, url_event
from stand_ins.codedeploy import add_deployment
from stand_ins.slack import SlackStandIn
from tests.conftest import load_event
from tests.functional.conftest import Invoke
from tests.functional.helpers import EVENT, HOOK, RECORD, events, gate

CLICK = load_event("decision/slack_click")
NOW = datetime.now(UTC)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat(timespec="seconds")


def put(aws: AwsStandIn, happened: tuple[str, ...], **attributes: str) -> None:
    """An item as version 0.1.0 wrote it, a minute ago."""
    texts = {
        "deployment_id": HOOK[0],
        "hook_execution_id": HOOK[1],
        "status": "WAITING",
        "application": "shop",
        "deployment_group": "shop-blue-green",
        "test_url": "https://green.example.com",
        "created_at": ago(60),
        "deadline": ago(-3540),
        **attributes,
    }
    item: dict[str, Any] = {name: {"S": text} for name, text in texts.items()}
    history = [{"M": {"event": {"S": one}, "at": {"S": ago(60)}}} for one in happened]
    aws.client("dynamodb").put_item(
        TableName=TABLE,
        Item={**item, "expires_at": {"N": "2000000000"}, "history": {"L": history}},
    )


@pytest.fixture(autouse=True)
def deployment(aws: AwsStandIn) -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        add_deployment("d-LOCALTEST", aws.client("codedeploy"))
        yield


def press(invoke_decision: Invoke, verdict: str) -> None:
    """Presses a button of a message that hangs in the channel."""
    action = CLICK["actions"][0]
    pressed = {**action, "action_id": f"greenlight_{verdict}", "value": json.dumps(EVENT)}
    body = form({**CLICK, "actions": [pressed]})
    assert invoke_decision(url_event(body, signed(body)))["statusCode"] == 200


def test_a_gate_that_was_left_half_open_is_opened(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    put(aws, ("opened",), lease_until=ago(30), try_id="before")

    assert invoke(EVENT)["body"]["duplicate"] is False

    assert len(slack.messages) == 1
    assert events(aws) == ["opened", "notified"]
    assert gate(aws)["created_at"] == ago(60)


def test_a_gate_that_a_try_is_just_opening_is_left_to_it(
    invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    put(aws, ("opened",), lease_until=ago(-40), try_id="before")

    with pytest.raises(GateBusyError):
        invoke(EVENT)
    with pytest.raises(GateBusyError):
        invoke_failure(RECORD)

    assert aws.reports == {}


def test_a_gate_that_waits_is_decided_with_the_button_of_its_message(
    invoke_decision: Invoke, invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    put(aws, ("opened", "notified"), notified_at=ago(59))

    assert invoke_failure(RECORD)["body"]["failed"] is False
    press(invoke_decision, "approve")

    assert aws.reports == {HOOK: "Succeeded"}
    assert events(aws) == ["opened", "notified", "decided", "reported"]


def test_a_decision_that_codedeploy_does_not_know_is_finished(
    invoke_decision: Invoke, aws: AwsStandIn
) -> None:
    put(
        aws,
        ("opened", "notified", "decided"),
        status="REJECTED",
        decided_by="U0BOB",
        decided_via="slack",
        decided_at=ago(20),
        notified_at=ago(59),
        report_until=ago(5),
        report_try_id="before",
    )

    press(invoke_decision, "reject")

    assert aws.reports == {HOOK: "Failed"}
    assert gate(aws)["decided_by"] == "U0BOB"
    assert gate(aws)["reported_at"]
