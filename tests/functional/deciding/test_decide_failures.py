"""Every way in which a click can go wrong: it is answered truthfully, and can be made good."""

import base64
import functools
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from queue import Queue
from typing import Any

import pytest
import requests
import requests_mock
import time_machine
from botocore.config import Config
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from greenlight.gates.clicking import take_click
from greenlight.gates.means import Means
from greenlight.model.errors import SettingsError
from greenlight.model.message import Message
from greenlight.runtime.clients import Clients
from greenlight.runtime.network import CHAIN_CONFIG, Countdown
from greenlight.runtime.settings import load_decision_settings
from greenlight.slack.clicks import parse_click
from greenlight.slack.forms import fields_of
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.clicks import BOB, form, payload, signed, url_event
from stand_ins.codedeploy import REGION, deployments
from stand_ins.slack import Answer, SlackStandIn
from tests.functional.conftest import Clicker, Invoke, Output
from tests.functional.helpers import (
    HOOK,
    REPORT,
    answer_elsewhere,
    change,
    events,
    gate,
    is_notice,
    put,
    whole,
)

LEASE = timedelta(seconds=16)


def later(time: timedelta = LEASE) -> Any:
    return time_machine.travel(datetime.now(UTC) + time)


# CodeDeploy.


@pytest.mark.parametrize(
    "code",
    ["ThrottlingException", "ServiceUnavailableException", "InternalFailure"],
)
def test_codedeploy_cannot_be_told(
    code: str,
    click: Clicker,
    aws: AwsStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> None:
    aws.failures[REPORT] = [code] * 9

    (notice,) = click("approve")

    assert is_notice(notice)
    assert f"CodeDeploy에 전달하지 못했습니다({code})" in whole(notice)
    assert "*승인* 버튼을 다시 눌러" in whole(notice)
    item = gate(aws)
    assert (item["status"], item["decided_by"]) == ("APPROVED", "U0ALICE")
    assert "reported_at" not in item
    written = output()
    (line,) = written.failures
    assert (line["stage"], line["reason"], line["gate"]) == ("codedeploy", code, "APPROVED")
    assert written.metrics["DecisionFailed", "service=greenlight"] == [1]
    assert written.metrics["DecisionFailed", "service=greenlight", "stage=codedeploy"] == [1]

    aws.failures.clear()
    (replaced,) = click("approve", BOB, "me too")

    assert aws.reports == {HOOK: "Succeeded"}, "anybody may finish it, at once"
    item = gate(aws)
    assert (item["decided_by"], item.get("reason")) == ("U0ALICE", None)
    assert item["reported_at"]
    assert events(aws) == ["opened", "notified", "decided", "reported"]
    assert "*승인*: <@U0ALICE>" in whole(replaced)


def test_codedeploy_out_of_reach(
    click: Clicker, aws: AwsStandIn, sleeps: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CODEDEPLOY", "http://127.0.0.1:1")

    (notice,) = click("reject")

    assert "EndpointConnectionError" in whole(notice)
    assert gate(aws)["status"] == "REJECTED"


def _put(said: Queue[Message], message: Message) -> bool:
    said.put(message)
    return True


def test_codedeploy_times_out(
    click: Clicker, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch, sleeps: list[float]
) -> None:
    pressed = parse_click(fields_of(base64.b64decode(click.event("approve")["body"])))
    assert pressed
    hasty = Clients(Countdown(), CHAIN_CONFIG.merge(Config(read_timeout=0.05)))
    vars(hasty)["dynamodb"] = Clients(Countdown(), CHAIN_CONFIG).dynamodb  # waits as usual
    with socket.socket() as deaf:  # it takes calls and answers none
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        endpoint_url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_CODEDEPLOY", endpoint_url)

        settings = load_decision_settings()
        means = Means.of(hasty, settings.table_name)
        said: Queue[Message] = Queue()
        take_click(pressed, settings, means, functools.partial(_put, said))

    notice = said.get_nowait()
    assert said.empty()
    assert "CodeDeploy에 전달하지 못했습니다(ReadTimeoutError)" in whole(notice)
    assert "reported_at" not in gate(aws)
    monkeypatch.delenv("AWS_ENDPOINT_URL_CODEDEPLOY")
    click("approve", BOB)
    assert aws.reports == {HOOK: "Succeeded"}
    assert gate(aws)["decided_by"] == "U0ALICE"


@pytest.mark.parametrize(
    ("language", "unknown", "waiting"),
    [
        ("ko", "CodeDeploy에는 이 배포나 이 배포의 훅이 없습니다(", "기다리고"),
        ("en", "CodeDeploy does not know this deployment or its hook (", "waiting"),
    ],
)
def test_codedeploy_does_not_know_the_deployment(
    language: str,
    unknown: str,
    waiting: str,
    click: Clicker,
    aws: AwsStandIn,
    output: Callable[[], Output],
) -> None:
    del deployments()["d-LOCALTEST"]

    (notice,) = click("approve", MESSAGE_LANGUAGE=language)

    assert f"{unknown}DeploymentDoesNotExistException)" in whole(notice)
    assert waiting not in whole(notice), "nothing waits for a decision there"
    assert "reported_at" not in gate(aws)
    assert ("DecisionFailed", "service=greenlight") not in output().metrics


@pytest.mark.parametrize("operation", ["ListDeploymentTargets", "GetDeploymentTarget"])
def test_codedeploy_has_an_answer_that_cannot_be_read(
    operation: str, click: Clicker, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    answer_elsewhere(aws, "Failed")
    aws.failures[operation] = ["AccessDeniedException"]

    (notice,) = click("approve")

    assert is_notice(notice)
    assert "그 내용을 읽지 못했습니다(AccessDeniedException)" in whole(notice)
    assert "*승인* 버튼을 다시" in whole(notice)
    written = output()
    assert operation in str(written.lines)
    assert ("DecisionFailed", "service=greenlight") not in written.metrics, "nothing waits"
    aws.failures.clear()
    click("approve")
    assert gate(aws)["status"] == "REJECTED"


def test_codedeploy_does_not_say_yet_what_became_of_the_hook(
    click: Clicker, aws: AwsStandIn
) -> None:
    aws.reports[HOOK] = "Succeeded"  # and its lifecycle event does not know of it yet

    (notice,) = click("approve")

    assert "AfterAllowTestTraffic has no result yet" in whole(notice)
    assert "reported_at" not in gate(aws)


def test_codedeploy_has_no_such_event(click: Clicker, aws: AwsStandIn) -> None:
    aws.reports[HOOK] = "Succeeded"
    deployments()["d-LOCALTEST"].hook["lifecycleEventName"] = "BeforeAllowTraffic"

    (notice,) = click("approve")

    assert "has no result yet" in whole(notice)


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_an_answer_whose_receipt_was_lost_is_ours(
    verdict: str, click: Clicker, aws: AwsStandIn, sleeps: list[float]
) -> None:
    aws.lost_answers[REPORT] = 1

    (replaced,) = click(verdict)

    assert aws.operations.count(REPORT) == 2
    item = gate(aws)
    assert (item["decided_by"], item["decided_via"]) == ("U0ALICE", "slack")
    assert events(aws) == ["opened", "notified", "decided", "reported"]
    assert "<@U0ALICE>" in whole(replaced)


# The table.


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_the_table_cannot_be_written(
    code: str,
    click: Clicker,
    aws: AwsStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> None:
    aws.failures["UpdateItem"] = [code] * 9

    (notice,) = click("approve")

    assert is_notice(notice)
    assert "결정을 처리하지 못했습니다" in whole(notice)
    assert code in whole(notice)
    assert aws.reports == {}
    (line,) = output().failures
    assert line["stage"] == "table"
    aws.failures.clear()
    click("approve")
    assert aws.reports == {HOOK: "Succeeded"}


@pytest.mark.parametrize("write", [1, 2])
def test_a_write_whose_answer_is_lost_is_not_another_persons(
    write: int, click: Clicker, aws: AwsStandIn, sleeps: list[float]
) -> None:
    def lose(operation: str) -> None:
        if operation == "UpdateItem" and aws.operations.count(operation) == write:
            aws.lost_answers[operation] = 1

    aws.after = lose

    (replaced,) = click("approve")

    assert aws.operations.count("UpdateItem") == 4, "and that the click has shown it"
    assert events(aws) == ["opened", "notified", "decided", "reported"]
    assert "<@U0ALICE>" in whole(replaced)


def test_a_lost_answer_while_taking_over_is_not_another_persons(
    click: Clicker, aws: AwsStandIn, sleeps: list[float]
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]
    click("approve")
    aws.failures.clear()
    aws.operations.clear()

    def lose(operation: str) -> None:
        if operation == "UpdateItem" and aws.operations.count(operation) == 2:
            aws.lost_answers[operation] = 1

    aws.after = lose

    click("approve", BOB)

    assert aws.reports == {HOOK: "Succeeded"}
    assert gate(aws)["decided_by"] == "U0ALICE"


def test_the_table_fails_after_codedeploy_was_told(
    click: Clicker, aws: AwsStandIn, output: Callable[[], Output], sleeps: list[float]
) -> None:
    def fail(operation: str) -> None:
        if operation == REPORT:
            aws.failures["UpdateItem"] = ["InternalServerError"] * 3

    aws.after = fail

    (replaced,) = click("approve")

    assert "*승인*: <@U0ALICE>" in whole(replaced), "the decision is in force"
    assert "reported_at" not in gate(aws)
    assert any("not written down" in str(line["message"]) for line in output().lines)
    aws.after = lambda _: None
    with later():
        (replaced,) = click("approve", BOB)
    assert gate(aws)["reported_at"]
    assert gate(aws)["decided_by"] == "U0ALICE"
    assert aws.reports == {HOOK: "Succeeded"}


def test_what_happened_elsewhere_cannot_be_written_down(
    click: Clicker, aws: AwsStandIn, output: Callable[[], Output], sleeps: list[float]
) -> None:
    def fail(operation: str) -> None:
        if operation == "GetDeployment":
            aws.failures["UpdateItem"] = ["InternalServerError"] * 3

    answer_elsewhere(aws, "Failed")
    aws.before = fail

    (notice,) = click("approve")

    assert is_notice(notice)
    assert "결정을 처리하지 못했습니다" in whole(notice)
    written = output()
    assert [line["stage"] for line in written.lines if line["level"] == "WARNING"] == ["table"]
    assert ("DecisionFailed", "service=greenlight") not in written.metrics, "nothing waits for it"
    assert aws.reports == {HOOK: "Failed"}
    aws.before = lambda _: None
    with later():
        click("approve")
    assert (gate(aws)["status"], gate(aws)["decided_via"]) == ("REJECTED", "elsewhere")
    assert "decided_by" not in gate(aws)


def test_a_lease_that_cannot_be_given_up_ends_by_itself(
    click: Clicker, aws: AwsStandIn, sleeps: list[float]
) -> None:
    def fail(operation: str) -> None:
        if operation == REPORT:
            aws.failures["UpdateItem"] = ["InternalServerError"] * 3

    aws.failures[REPORT] = ["ThrottlingException"] * 3
    aws.before = fail
    (notice,) = click("reject")
    assert "ThrottlingException" in whole(notice)
    aws.before = lambda _: None
    aws.failures.clear()

    (notice,) = click("reject")

    assert "아직 전달되지 않았습니다" in whole(notice)
    assert "*거부* 버튼을 다시" in whole(notice)
    assert aws.reports == {}
    with later():
        click("reject")
    assert aws.reports == {HOOK: "Failed"}


def test_the_opposite_of_an_unreported_decision_is_told_how_to_finish_it(
    click: Clicker, aws: AwsStandIn
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]
    click("approve")
    aws.failures.clear()

    (notice,) = click("reject", BOB)

    assert "*승인* 버튼을 다시 눌러" in whole(notice)
    assert "*승인*: <@U0ALICE>" in whole(notice)
    assert aws.reports == {}
    assert gate(aws)["status"] == "APPROVED"


@pytest.mark.parametrize("loss", ["forgotten", "replaced"])
def test_a_gate_that_is_lost_while_codedeploy_is_told_is_decided_all_the_same(
    loss: str, click: Clicker, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    def lose(operation: str) -> None:
        if operation == REPORT:
            moto = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_table(TABLE)
            moto.delete_item(DynamoType({"S": "d-LOCALTEST"}), None)
            if loss == "replaced":
                put("hook-2")

    aws.after = lose

    (replaced,) = click("approve")

    assert aws.reports == {HOOK: "Succeeded"}
    assert "*승인*: <@U0ALICE>" in whole(replaced)
    (warning,) = [line for line in output().lines if line["level"] == "WARNING"]
    assert "not written down" in warning["message"]


def test_a_report_that_another_has_taken_over_meanwhile_is_left_to_it(
    click: Clicker, aws: AwsStandIn
) -> None:
    def take_over(operation: str) -> None:
        if operation == REPORT:  # past the stand-in's lock, in the middle of the call
            moto = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_table(TABLE)
            item = moto.get_item(DynamoType({"S": "d-LOCALTEST"}), None)
            assert item
            item.attrs["report_try_id"] = DynamoType({"S": "another"})

    aws.before = take_over
    aws.failures[REPORT] = ["ServiceUnavailableException"]

    click("approve")

    assert gate(aws)["report_try_id"] == "another", "its lease is not given up for it"


def test_a_gate_that_was_decided_by_hand_in_the_table_is_carried_on(
    click: Clicker, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    change(aws, "SET #status = :status", {":status": {"S": "APPROVED"}}, {"#status": "status"})

    click("approve")

    assert aws.reports == {HOOK: "Succeeded"}
    assert ("TimeToDecision", "service=greenlight") not in output().metrics, "nobody knows it"


# Slack.


@pytest.mark.parametrize(
    "answer", [Answer(404, "used_url"), Answer(500, "fatal"), Answer(None), Answer(200, "<html>")]
)
def test_a_message_that_cannot_be_replaced_leaves_the_decision_as_it_is(
    answer: Answer,
    click: Clicker,
    slack: SlackStandIn,
    aws: AwsStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> None:
    slack.script += [answer] * 9

    click("approve")

    assert aws.reports == {HOOK: "Succeeded"}
    assert gate(aws)["reported_at"]
    written = output()
    (warning,) = [line for line in written.lines if line["level"] == "WARNING"]
    assert warning["stage"] == "slack"
    assert written.metrics["MessageNotReplaced", "service=greenlight"] == [1]
    assert "/actions/" not in written.text, "the response_url is a secret too"


def test_slack_that_does_not_answer_leaves_the_decision_as_it_is(
    click: Clicker, slack: SlackStandIn, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    with requests_mock.Mocker() as http:
        http.post(slack.response_url, exc=requests.ReadTimeout(f"url: {slack.response_url}"))

        click("approve")

    assert aws.reports == {HOOK: "Succeeded"}
    written = output()
    assert written.metrics["MessageNotReplaced", "service=greenlight"] == [1]
    assert "/actions/" not in written.text


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/actions/T0000/1",
        "https://hooks.slack.com.evil.example/actions",
        "https://evil-slack.com/actions",
        "http://hooks.slack.com/actions",
        "https://hooks.slack.com:8443/actions",
        "https://hooks.slack.com@evil.example/actions",
        "https://evil.example\\@hooks.slack.com/actions",
        "https://hooks.slack.com:port/",
        "https://[hooks.slack.com/",
        "file:///etc/passwd",
        "",
        None,
        5,
        ["https://hooks.slack.com/"],
    ],
)
def test_nothing_is_posted_to_a_response_url_that_is_not_slacks(
    url: Any,
    click: Clicker,
    invoke_decision: Invoke,
    aws: AwsStandIn,
    output: Callable[[], Output],
) -> None:
    body = form({**payload(click.message, "greenlight_approve", "x"), "response_url": url})

    with requests_mock.Mocker() as http:
        http.register_uri(requests_mock.ANY, requests_mock.ANY, text="ok")
        assert invoke_decision(url_event(body, signed(body)))["statusCode"] == 200
        assert http.request_history == []

    assert aws.reports == {HOOK: "Succeeded"}, "the decision stands"
    assert output().metrics["MessageNotReplaced", "service=greenlight"] == [1]


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.slack.com/actions/T0000/1/abc",
        "https://hooks.slack.com:443/actions/T0000/1/abc",
        "https://hooks.slack-gov.com/actions/T0000/1/abc",
    ],
)
def test_a_response_url_of_slacks_is_posted_to(
    url: str, click: Clicker, invoke_decision: Invoke
) -> None:
    body = form({**payload(click.message, "greenlight_approve", "x"), "response_url": url})

    with requests_mock.Mocker() as http:
        http.post(url, text="ok")
        invoke_decision(url_event(body, signed(body)))

        (request,) = http.request_history
        assert request.json()["replace_original"] is True


# Settings.


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"SLACK_SIGNING_SECRET": None}, "SLACK_SIGNING_SECRET is not set"),
        ({"SLACK_SIGNING_SECRET": "/no/such/parameter"}, "ParameterNotFound"),
        ({"DYNAMODB_TABLE_NAME": None}, "DYNAMODB_TABLE_NAME is not set"),
    ],
)
def test_a_click_without_settings_is_an_error_that_names_them(
    changes: dict[str, str | None],
    problem: str,
    click: Clicker,
    invoke_decision: Invoke,
    aws: AwsStandIn,
    output: Callable[[], Output],
) -> None:
    with pytest.raises(SettingsError):
        invoke_decision(click.event("approve"), **changes)

    assert aws.reports == {}
    written = output()
    (line,) = written.failures
    assert line["stage"] == "settings"
    assert problem in line["error"]
    assert written.metrics["ClickFailed", "service=greenlight", "stage=settings"] == [1]
    assert ("DecisionFailed", "service=greenlight") not in written.metrics, "nobody is known to"


def test_an_error_that_nobody_thought_of_is_reported_and_raised(
    click: Clicker, slack: SlackStandIn, invoke_decision: Invoke, output: Callable[[], Output]
) -> None:
    with requests_mock.Mocker() as http:
        http.post(slack.response_url, exc=MemoryError)
        with pytest.raises(MemoryError):
            invoke_decision(click.event("approve"))

    (line,) = output().failures
    assert line["stage"] == "unknown"
