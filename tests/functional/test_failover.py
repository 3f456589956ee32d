"""Retries are exhausted: the hook is failed at CodeDeploy, whatever else is broken."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests_mock
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from greenlight.clients import Clients
from greenlight.errors import (
    CodeDeployError,
    EventError,
    GateBusyError,
    GreenlightError,
    SlackError,
)
from greenlight.handlers import failure
from greenlight.models import Hook
from greenlight.network import (
    AWS_CONNECT_SECONDS,
    AWS_READ_SECONDS,
    HTTP_TRY_SECONDS,
    LOOK_UP_SECONDS,
    TRY_SECONDS,
    Countdown,
)
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.codedeploy import add_deployment, set_status
from stand_ins.slack import Answer, SlackStandIn
from tests.conftest import load_event
from tests.functional.conftest import Invoke, Output
from tests.functional.test_open import plain, whole

EVENT = load_event("documented_example")
RECORD = load_event("on_failure_record")
HOOK = ("d-LOCALTEST", "hook-local")
FAILED = {"deployment_id": "d-LOCALTEST", "failed": True}
LEFT_ALONE = {"deployment_id": "d-LOCALTEST", "failed": False}
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def deployment(aws: AwsStandIn) -> None:
    with time_machine.travel(NOW):
        add_deployment("d-LOCALTEST", aws.client("codedeploy"))


def record(error: Any = None, event: Any = EVENT) -> dict[str, Any]:
    return {**RECORD, "requestPayload": event, "responsePayload": error}


def test_a_hook_that_slack_failed_is_failed_and_the_gate_says_why(
    invoke: Invoke,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> None:
    slack.script.append(Answer(500, "rollup_error"))
    slack.script += [Answer(500, "rollup_error")] * 2
    with time_machine.travel(NOW, tick=False), pytest.raises(SlackError):
        invoke(EVENT)
    output()

    with time_machine.travel(NOW + timedelta(minutes=4), tick=False):
        answer = invoke_failure(RECORD)

    assert answer == {"statusCode": 200, "body": FAILED}
    assert aws.reports == {HOOK: "Failed"}
    item = plain(aws.items()[0])
    assert item["status"] == "FAILED"
    assert item["reason"] == ("SlackError: Slack did not take the message: HTTP 500, rollup_error")
    assert item["failed_at"] == "2026-11-23T03:04:00+00:00"
    assert item["created_at"] == "2026-11-23T03:00:00+00:00"
    assert item["test_url"] == "https://shop.green.example.com/?release=d-LOCALTEST"
    assert item["expires_at"] == str(int((NOW + timedelta(days=90)).timestamp()))
    assert "lease_until" not in item
    text = whole(slack.messages[-1])
    assert "❌ ECS 배포: 테스트 요청 실패" in text
    assert "rollup_error" in text
    written = output()
    assert written.metrics["HookFailedOver", "service=greenlight"] == [1]
    assert {line["correlation_id"] for line in written.lines} == {"d-LOCALTEST"}


def test_people_are_told_in_english_too(invoke_failure: Invoke, slack: SlackStandIn) -> None:
    invoke_failure(RECORD, MESSAGE_LANGUAGE="en")

    assert "❌ ECS deployment: could not ask for a test" in whole(slack.messages[0])


def test_a_hook_that_never_reached_the_table_leaves_a_failed_gate(
    invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    error = {"errorType": "Runtime.ImportModuleError", "errorMessage": "Unable to import 'lamda'"}

    with time_machine.travel(NOW, tick=False):
        invoke_failure(record(error))

    item = plain(aws.items()[0])
    assert (item["status"], item["hook_execution_id"]) == ("FAILED", "hook-local")
    assert item["reason"] == "Runtime.ImportModuleError: Unable to import 'lamda'"
    assert item["expires_at"] == str(int((NOW + timedelta(days=90)).timestamp()))
    assert len(slack.messages) == 1
    body = invoke(EVENT)["body"]
    assert body == {"deployment_id": "d-LOCALTEST", "status": "FAILED", "duplicate": True}
    assert len(slack.messages) == 1, "a late duplicate of the event asks nobody"


def test_a_second_record_of_the_same_failure_tells_nobody_again(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    invoke_failure(RECORD)
    before = aws.items()

    assert invoke_failure(RECORD)["body"] == FAILED

    assert aws.reports == {HOOK: "Failed"}
    assert aws.items() == before
    assert len(slack.messages) == 1


def test_an_answer_that_somebody_gave_elsewhere_stands(
    invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    invoke(EVENT)
    aws.reports[HOOK] = "Succeeded"

    assert invoke_failure(RECORD)["body"] == LEFT_ALONE

    assert plain(aws.items()[0])["status"] == "WAITING"
    assert len(slack.messages) == 1


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_a_gate_whose_deployment_has_ended_by_now_is_marked(
    status: str, invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    invoke(EVENT)
    aws.reports[HOOK] = "Failed"
    set_status("d-LOCALTEST", status)

    assert invoke_failure(RECORD)["body"] == FAILED

    assert plain(aws.items()[0])["status"] == "FAILED"


def test_an_answer_that_cannot_be_looked_up_stands(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    aws.reports[HOOK] = "Failed"
    aws.failures["GetDeployment"] = ["AccessDeniedException"]

    assert invoke_failure(RECORD)["body"] == LEFT_ALONE
    assert (aws.items(), slack.messages) == ([], [])


@pytest.mark.parametrize("status", ["APPROVED", "REJECTED"])
def test_a_decided_gate_keeps_its_decision(
    status: str, invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    invoke(EVENT)
    aws.client("dynamodb").update_item(
        TableName=TABLE,
        Key={"deployment_id": {"S": "d-LOCALTEST"}},
        UpdateExpression="SET #status = :status",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":status": {"S": status}},
    )

    invoke_failure(RECORD)

    assert plain(aws.items()[0])["status"] == status


BUSY = record({"errorType": "GateBusyError", "errorMessage": "Another try is opening the gate"})


def test_a_duplicate_that_met_another_try_which_told_people_fails_nothing(
    invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    invoke(EVENT)

    assert invoke_failure(BUSY)["body"] == LEFT_ALONE

    assert aws.reports == {}
    assert plain(aws.items()[0])["status"] == "WAITING"
    assert output().metrics["HookLeftAlone", "service=greenlight"] == [1]


def test_a_duplicate_that_met_a_try_which_is_still_at_work_is_looked_at_again(
    invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    with requests_mock.Mocker() as http, time_machine.travel(NOW, tick=False):
        http.post(slack.webhook_url, exc=MemoryError)  # it ends without giving up its lease
        with pytest.raises(MemoryError):
            invoke(EVENT)

        with pytest.raises(GateBusyError):
            invoke_failure(BUSY)
    assert aws.reports == {}

    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        assert invoke_failure(BUSY)["body"] == FAILED, "a try that died leaves nothing hanging"
    assert aws.reports == {HOOK: "Failed"}


def test_a_duplicate_that_met_a_try_which_failed_is_failed(
    invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    slack.script.append(Answer(404, "no_service"))
    with pytest.raises(SlackError):
        invoke(EVENT)

    assert invoke_failure(BUSY)["body"] == FAILED
    assert aws.reports == {HOOK: "Failed"}


@pytest.mark.parametrize("change", [{"DYNAMODB_TABLE_NAME": "gone"}, {"TEST_URL": None}])
def test_a_duplicate_whose_gate_cannot_be_read_is_failed(
    change: dict[str, str | None], invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    assert invoke_failure(BUSY, **change)["body"] == FAILED
    assert aws.reports == {HOOK: "Failed"}


def test_a_duplicate_of_a_hook_that_has_no_gate_is_failed(
    invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    assert invoke_failure(BUSY)["body"] == FAILED
    assert aws.reports == {HOOK: "Failed"}


def test_people_are_told_though_the_answer_of_the_table_was_lost(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn, sleeps: list[float]
) -> None:
    aws.lost_answers["UpdateItem"] = 1

    assert invoke_failure(RECORD)["body"] == FAILED

    assert plain(aws.items()[0])["status"] == "FAILED"
    assert len(slack.messages) == 1


def test_an_event_that_grew_too_old_is_failed_too(invoke_failure: Invoke, aws: AwsStandIn) -> None:
    aged = {**RECORD, "requestContext": {"condition": "EventAgeExceeded"}}
    del aged["responsePayload"]

    assert invoke_failure(aged)["body"] == FAILED
    assert plain(aws.items()[0])["reason"] == "EventAgeExceeded"


def test_what_an_unknown_error_says_is_not_repeated(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    invoke_failure(record({"errorType": "ValueError", "errorMessage": "very-secret"}))

    assert plain(aws.items()[0])["reason"] == "ValueError"
    assert "very-secret" not in whole(slack.messages)


def test_a_timeout_which_lambda_gives_no_type_is_named(
    invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    invoke_failure(record({"errorMessage": "Task timed out after 30.00 seconds"}))

    assert plain(aws.items()[0])["reason"] == "Task timed out after 30.00 seconds"


# Whatever is broken besides: the hook is failed, and what can be noted is noted.


def test_without_any_setting(
    invoke_failure: Invoke, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    answer = invoke_failure(RECORD, TEST_URL=None, DYNAMODB_TABLE_NAME=None, SLACK_WEBHOOK_URL=None)

    assert answer["body"] == FAILED
    assert aws.reports == {HOOK: "Failed"}
    (warning,) = [line for line in output().lines if line["level"] == "WARNING"]
    assert warning["stage"] == "settings"


def test_without_the_table(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    assert invoke_failure(RECORD, DYNAMODB_TABLE_NAME="no-such-table")["body"] == FAILED

    assert aws.reports == {HOOK: "Failed"}
    assert len(slack.messages) == 1, "people are told all the same"
    assert "ResourceNotFoundException" in str(output().lines)


def test_without_slack(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    slack.webhook_paths = set()

    assert invoke_failure(RECORD)["body"] == FAILED

    assert aws.reports == {HOOK: "Failed"}
    assert plain(aws.items()[0])["status"] == "FAILED"
    (warning,) = [line for line in output().lines if line["level"] == "WARNING"]
    assert warning["stage"] == "slack"


def test_without_the_webhook_parameter(invoke_failure: Invoke, aws: AwsStandIn) -> None:
    assert invoke_failure(RECORD, SLACK_WEBHOOK_URL="/no/such/parameter")["body"] == FAILED

    assert aws.reports == {HOOK: "Failed"}
    assert plain(aws.items()[0])["status"] == "FAILED"


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_without_codedeploy_people_are_told_how_to_end_it_and_lambda_tries_again(
    code: str,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> None:
    aws.failures["PutLifecycleEventHookExecutionStatus"] = [code] * 9

    with pytest.raises(CodeDeployError) as failed:
        invoke_failure(RECORD)

    assert failed.value.reason == code
    (message,) = slack.messages
    assert "⚠️ ECS 배포: 멈춰 있음" in whole(message)
    assert "--lifecycle-event-hook-execution-id hook-local --status Failed" in whole(message)
    assert aws.items() == [], "the gate is not failed as long as CodeDeploy does not know"
    written = output()
    assert [line["stage"] for line in written.failures] == ["codedeploy"]
    assert written.metrics["FailoverFailed", "service=greenlight"] == [1]
    assert written.metrics["FailoverFailed", "service=greenlight", "stage=codedeploy"] == [1]

    aws.failures.clear()
    assert invoke_failure(RECORD)["body"] == FAILED
    assert plain(aws.items()[0])["status"] == "FAILED"


def test_without_a_region_it_is_a_settings_error(
    invoke_failure: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    with pytest.raises(GreenlightError) as failed:
        invoke_failure(RECORD, AWS_REGION=None, AWS_DEFAULT_REGION=None)

    assert failed.value.stage == "settings"


def test_codedeploy_out_of_reach(invoke_failure: Invoke, sleeps: list[float]) -> None:
    with pytest.raises(CodeDeployError) as failed:
        invoke_failure(RECORD, AWS_ENDPOINT_URL_CODEDEPLOY="http://127.0.0.1:1")

    assert failed.value.reason == "EndpointConnectionError"


@pytest.mark.parametrize(
    "event",
    [None, [], {}, EVENT, {"requestPayload": {}}, {"requestPayload": [], "requestContext": 5}],
)
def test_what_is_no_record_of_a_hook_is_refused(
    event: Any, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    with pytest.raises(EventError):
        invoke_failure(event)

    assert (aws.reports, slack.messages) == ({}, [])


values = (
    st.none()
    | st.integers()
    | st.text()
    | st.lists(st.text())
    | st.dictionaries(
        st.sampled_from(["errorType", "errorMessage", "condition"]), st.text() | st.integers()
    )
)


@settings(max_examples=40)
@given(error=values, context=values)
def test_any_error_in_a_record_fails_the_hook(
    error: Any, context: Any, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    aws.reports.clear()

    answer = invoke_failure(
        {"requestPayload": EVENT, "requestContext": context, "responsePayload": error}
    )

    assert answer["body"] == FAILED
    assert aws.reports == {HOOK: "Failed"}


LONGEST = {
    "PutLifecycleEventHookExecutionStatus": AWS_CONNECT_SECONDS + AWS_READ_SECONDS,
    "GetDeployment": AWS_CONNECT_SECONDS + AWS_READ_SECONDS,
    "UpdateItem": AWS_CONNECT_SECONDS + AWS_READ_SECONDS,
    "GetItem": AWS_CONNECT_SECONDS + AWS_READ_SECONDS,
    "GetParameter": LOOK_UP_SECONDS,
}


@pytest.mark.parametrize(
    "broken",
    [chosen for size in range(4) for chosen in itertools.combinations([*LONGEST, "settled"], size)],
    ids="+".join,
)
@pytest.mark.parametrize("error", ["SlackError", "GateBusyError"])
def test_however_slow_everything_is_it_fits_in_the_time_of_the_function(
    error: str,
    broken: tuple[str, ...],
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]

    def pass_time(seconds: float) -> None:
        now[0] += seconds

    if "settled" in broken:  # by an earlier try, which got no further
        invoke_failure(RECORD)
        aws.client("dynamodb").delete_item(
            TableName=TABLE, Key={"deployment_id": {"S": "d-LOCALTEST"}}
        )
    aws.client("ssm").put_parameter(Name="/slack", Value=slack.webhook_url, Type="String")
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "/slack")
    monkeypatch.setattr("time.sleep", pass_time)
    aws.before = lambda operation: pass_time(LONGEST.get(operation, 0))
    aws.failures |= {one: ["InternalServerError"] * 9 for one in broken}
    slack.script.append(Answer(pause=lambda: pass_time(HTTP_TRY_SECONDS)))

    clients = Clients(Countdown(lambda: now[0]))
    try:
        failure.fail_with(clients, Hook(*HOOK), {"errorType": error})
    except GreenlightError as exc:
        assert exc.stage == "codedeploy"

    assert now[0] <= TRY_SECONDS
