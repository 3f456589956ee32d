"""Retries are exhausted: the hook is failed at CodeDeploy, whatever else is broken."""

import contextlib
import dataclasses
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests_mock
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from greenlight.gates.failing import Problem
from greenlight.handlers import failure
from greenlight.model.errors import (
    EngineError,
    EventError,
    GateBusyError,
    GateTakenError,
    GreenlightError,
    HookRefusedError,
    HookUnexplainedError,
    SettingsError,
    SlackError,
    TableError,
    ToldUnrecordedError,
)
from greenlight.model.gate import Hook
from greenlight.runtime.clients import Clients
from greenlight.runtime.network import (
    CHAIN_CONFIG,
    HTTP_TRY_SECONDS,
    LOOK_UP_SECONDS,
    TRY_SECONDS,
    Countdown,
)
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.codedeploy import add_deployment, deployments, fail, restart, stop
from stand_ins.slack import Answer, SlackStandIn
from tests.conftest import examples
from tests.functional.conftest import Clicker, Invoke, Output, Process, kill_in_the_middle
from tests.functional.helpers import (
    EVENT,
    FAILED,
    HOOK,
    LEFT_ALONE,
    NOW,
    RECORD,
    REPORT,
    answer_elsewhere,
    change,
    events,
    plain,
    put,
    record,
    whole,
)


@pytest.fixture(autouse=True)
def deployment(aws: AwsStandIn) -> None:
    add_deployment("d-LOCALTEST", aws.client("codedeploy"))


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
    forgotten = datetime.fromisoformat(item["deadline"]) + timedelta(days=90)
    assert item["expires_at"] == str(int(forgotten.timestamp()))
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
    forgotten = datetime.fromisoformat(item["deadline"]) + timedelta(days=90)
    assert item["expires_at"] == str(int(forgotten.timestamp()))
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


def test_a_second_record_that_cannot_be_written_tells_nobody_again_either(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    invoke_failure(RECORD)
    aws.failures["UpdateItem"] = ["AccessDeniedException"]

    with pytest.raises(TableError):
        invoke_failure(RECORD)

    assert len(slack.messages) == 1
    assert invoke_failure(RECORD)["body"] == FAILED


# CodeDeploy has an answer already.


def test_an_approval_that_somebody_gave_elsewhere_stands(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    answer_elsewhere(aws, "Succeeded")

    assert invoke_failure(RECORD)["body"] == LEFT_ALONE

    item = plain(aws.items()[0])
    assert (item["status"], item["decided_via"]) == ("APPROVED", "elsewhere")
    assert events(aws) == ["failed", "decided"]
    assert slack.messages == []


def test_a_try_that_was_overtaken_leaves_it_to_the_other_to_tell_people(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    answer_elsewhere(aws, "Succeeded")

    def overtake(operation: str) -> None:
        if operation == "GetDeploymentTarget":
            aws._one_at_a_time.release()
            change(aws, "SET report_try_id = :other", {":other": {"S": "other"}})
            aws._one_at_a_time.acquire()

    aws.after = overtake
    with pytest.raises(GateBusyError):
        invoke_failure(RECORD)

    assert slack.messages == [], "the deployment goes on"


@pytest.mark.parametrize(
    "end", [lambda aws: answer_elsewhere(aws, "Failed"), lambda _: stop("d-LOCALTEST")]
)
def test_people_hear_of_a_deployment_that_was_ended_elsewhere_before_they_were_asked(
    end: Callable[[AwsStandIn], None],
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> None:
    end(aws)

    assert invoke_failure(RECORD)["body"] == FAILED

    item = plain(aws.items()[0])
    assert (item["status"], item["decided_via"]) == ("REJECTED", "elsewhere")
    (message,) = slack.messages
    assert "CodeDeploy에서 실패했거나 중지되어" in whole(message)
    assert ("HookFailedOver", "service=greenlight") not in output().metrics, "that was somebody"


def test_an_answer_that_cannot_be_read_is_tried_again(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    answer_elsewhere(aws, "Failed")
    aws.failures["ListDeploymentTargets"] = ["AccessDeniedException"]

    with pytest.raises(HookUnexplainedError):
        invoke_failure(RECORD)

    assert invoke_failure(RECORD)["body"] == FAILED
    assert plain(aws.items()[0])["status"] == "FAILED", "as far as anybody can tell, it was ours"


def test_an_own_answer_whose_receipt_was_lost_is_own(
    invoke_failure: Invoke, aws: AwsStandIn, output: Callable[[], Output], sleeps: list[float]
) -> None:
    aws.lost_answers[REPORT] = 1

    assert invoke_failure(RECORD)["body"] == FAILED

    assert plain(aws.items()[0])["status"] == "FAILED"
    assert output().metrics["HookFailedOver", "service=greenlight"] == [1]


# People were told, or somebody has decided: nothing is failed.

ERRORS = [
    {"errorType": "SlackError", "errorMessage": "Slack did not take the message"},
    {"errorType": "SettingsError", "errorMessage": "Settings are wrong: TEST_URL is not set"},
    {"errorType": "GateBusyError", "errorMessage": "Another try is at work"},
    {"errorType": "Runtime.ImportModuleError", "errorMessage": "No module named 'lamda'"},
    {"errorMessage": "Task timed out after 30.00 seconds"},
    None,
]


@pytest.mark.parametrize("error", ERRORS)
def test_whatever_a_duplicate_failed_of_people_who_were_told_keep_their_release(
    error: Any,
    invoke: Invoke,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> None:
    invoke(EVENT)
    before = aws.items()

    assert invoke_failure(record(error))["body"] == LEFT_ALONE

    assert (aws.reports, aws.items()) == ({}, before)
    assert len(slack.messages) == 1
    assert output().metrics["HookLeftAlone", "service=greenlight"] == [1]


def test_what_the_table_did_not_take_of_telling_people_is_written_down_later(
    invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    def fail() -> None:
        aws.failures["UpdateItem"] = ["AccessDeniedException"]

    slack.script.append(Answer(pause=fail))
    with pytest.raises(ToldUnrecordedError) as failed:
        invoke(EVENT)
    error = {"errorType": type(failed.value).__name__, "errorMessage": str(failed.value)}
    aws.failures["UpdateItem"] = ["AccessDeniedException"]
    with pytest.raises(TableError):
        invoke_failure(record(error))

    assert invoke_failure(record(error))["body"] == LEFT_ALONE

    assert aws.reports == {}
    assert events(aws) == ["opened", "notified"]
    assert "lease_until" not in plain(aws.items()[0])
    assert len(slack.messages) == 1


def test_a_release_that_people_were_told_of_is_not_failed_for_want_of_a_tables_name(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    error = {"errorType": "ToldUnrecordedError", "errorMessage": "the table did not take it"}

    with pytest.raises(TableError, match="no table is named"):
        invoke_failure(record(error), DYNAMODB_TABLE_NAME=None)

    assert aws.reports == {}
    assert slack.messages == []


def test_a_gate_that_was_lost_after_people_were_told_is_failed(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    error = {"errorType": "ToldUnrecordedError", "errorMessage": "the table did not take it"}

    assert invoke_failure(record(error))["body"] == FAILED

    assert aws.reports == {HOOK: "Failed"}
    assert len(slack.messages) == 1


@pytest.mark.parametrize(
    ("verdict", "status", "reported"),
    [("approve", "APPROVED", "Succeeded"), ("reject", "REJECTED", "Failed")],
)
def test_a_decision_that_codedeploy_does_not_know_is_carried_to_its_end(
    verdict: str,
    status: str,
    reported: str,
    click: Clicker,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]
    click(verdict)
    output()

    assert invoke_failure(RECORD)["body"] == LEFT_ALONE

    assert aws.reports == {HOOK: reported}
    item = plain(aws.items()[0])
    assert (item["status"], item["decided_by"]) == (status, "U0ALICE")
    assert events(aws) == ["opened", "notified", "decided", "reported"]
    assert len(slack.messages) == 1
    assert output().metrics[f"Gate{status.title()}", "service=greenlight"] == [1]


def test_a_decision_that_cannot_be_carried_to_its_end_is_tried_again(
    click: Clicker, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"] * 2
    click("approve")

    with pytest.raises(EngineError):
        invoke_failure(RECORD)

    assert len(slack.messages) == 1, "it is not stuck for want of asking people"
    assert invoke_failure(RECORD)["body"] == LEFT_ALONE
    assert aws.reports == {HOOK: "Succeeded"}


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_decision_that_can_be_read_and_not_be_taken_over_is_not_failed_unread(
    verdict: str, click: Clicker, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]
    click(verdict)
    aws.operations.clear()

    def fail(operation: str) -> None:
        if operation == "UpdateItem" and aws.operations.count(operation) == 1:
            aws.failures["UpdateItem"] = ["AccessDeniedException"]

    aws.after = fail
    with pytest.raises(TableError):
        invoke_failure(RECORD)

    assert aws.reports == {}
    assert len(slack.messages) == 1


def test_a_decision_that_somebody_is_just_bringing_to_codedeploy_is_left_to_them(
    click: Clicker, invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]
    click("approve")
    until = (datetime.now(UTC) + timedelta(seconds=10)).isoformat(timespec="seconds")
    change(
        aws,
        "SET report_until = :until, report_try_id = :other",
        {":until": {"S": until}, ":other": {"S": "other"}},
    )

    with pytest.raises(GateBusyError):
        invoke_failure(RECORD)

    assert aws.reports == {}


def test_a_decided_gate_keeps_its_decision(
    click: Clicker, invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    click("reject")
    before = aws.items()

    assert invoke_failure(RECORD)["body"] == LEFT_ALONE

    assert aws.items() == before


def test_a_gate_that_was_decided_before_people_were_told_is_left_to_the_failure_function(
    click: Clicker, invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]
    click("approve")
    change(aws, "REMOVE notified_at")

    with pytest.raises(GateBusyError):
        invoke(EVENT)

    assert invoke_failure(RECORD)["body"] == LEFT_ALONE
    assert aws.reports == {HOOK: "Succeeded"}
    assert invoke(EVENT)["body"]["duplicate"] is True
    assert len(slack.messages) == 1


BUSY = record({"errorType": "GateBusyError", "errorMessage": "Another try is opening the gate"})


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
        assert invoke_failure(BUSY)["body"] == LEFT_ALONE, "people may have been told"
    assert aws.reports == {}
    assert len(slack.messages) == 1, "so they are asked"


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


NOTHING_SET = {"TEST_URL": None, "DYNAMODB_TABLE_NAME": None, "SLACK_WEBHOOK_URL": None}


def test_without_any_setting(
    invoke_failure: Invoke, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    with pytest.raises(SettingsError, match="SLACK_WEBHOOK_URL is not set"):
        invoke_failure(RECORD, **NOTHING_SET)

    assert aws.reports == {HOOK: "Failed"}, "CodeDeploy is told, and people by another try"
    written = output()
    wrong, unread, unwritten = [line for line in written.lines if line["level"] == "WARNING"]
    assert len(wrong["problems"]) == 3
    assert "no table is named" in unread["error"]
    assert "no table is named" in unwritten["error"]
    assert written.metrics["HookFailedOver", "service=greenlight"] == [1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"TEST_URL": None},
        {"TEST_URL": "https://{nobody}.example.com"},
        {"MESSAGE_LANGUAGE": "fr"},
        {"GATE_TTL_DAYS": "soon"},
        {"SLACK_IMAGE_URL": "cat.gif"},
        {"DYNAMODB_TABLE_NAME": None},
        {"DYNAMODB_TABLE_NAME": "no-such-table"},
    ],
)
def test_a_setting_that_has_nothing_to_do_with_it_keeps_nobody_from_hearing_of_it(
    wrong: dict[str, str | None],
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> None:
    assert invoke_failure(RECORD, **wrong)["body"] == FAILED

    assert aws.reports == {HOOK: "Failed"}
    assert len(slack.messages) == 1
    assert output().metrics["HookFailedOver", "service=greenlight"] == [1]


def test_a_failed_gate_without_a_test_url_can_be_shown(
    click: Clicker, invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    aws.client("dynamodb").delete_item(TableName=TABLE, Key={"deployment_id": {"S": HOOK[0]}})
    invoke_failure(RECORD, TEST_URL=None)

    replaced, _ = click("approve")

    assert "❌" in whole(replaced)
    assert "테스트 URL" not in whole(replaced)


def test_a_table_that_can_be_written_by_then_gets_what_was_done_unread(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    aws.failures["UpdateItem"] = ["AccessDeniedException"]

    assert invoke_failure(RECORD)["body"] == FAILED

    item = plain(aws.items()[0])
    assert item["status"] == "FAILED"
    assert {"failed_at", "reported_at", "failure_notified_at"} <= item.keys()
    assert invoke_failure(RECORD)["body"] == FAILED
    assert len(slack.messages) == 1, "a second record of it tells nobody again"


def test_what_is_on_record_unknown_to_the_one_who_wrote_it_is_told_once(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn, sleeps: list[float]
) -> None:
    def refuse(operation: str) -> None:
        if operation == "UpdateItem":
            aws.after = lambda _: None
            aws.failures["UpdateItem"] = ["AccessDeniedException"]

    aws.after = refuse
    aws.lost_answers["UpdateItem"] = 1
    assert invoke_failure(RECORD)["body"] == FAILED
    assert plain(aws.items()[0])["failure_notified_at"]

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=60), tick=False):
        assert invoke_failure(RECORD)["body"] == FAILED
    assert len(slack.messages) == 1


def test_what_was_done_unread_and_could_not_be_told_is_told_by_the_next_try(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    aws.failures["UpdateItem"] = ["AccessDeniedException"]
    slack.script.append(Answer(404, "no_service"))
    with pytest.raises(SlackError):
        invoke_failure(RECORD)
    output()

    assert invoke_failure(RECORD)["body"] == FAILED

    assert plain(aws.items()[0])["failure_notified_at"]
    assert ("HookFailedOver", "service=greenlight") not in output().metrics, "it was counted"


def test_without_the_table(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    assert invoke_failure(RECORD, DYNAMODB_TABLE_NAME="no-such-table")["body"] == FAILED

    assert aws.reports == {HOOK: "Failed"}
    assert len(slack.messages) == 1, "people are told all the same"
    assert "ResourceNotFoundException" in str(output().lines)


@pytest.mark.parametrize("answer", ["Failed", "Succeeded"])
def test_without_the_table_an_answer_from_elsewhere_stands(
    answer: str,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> None:
    answer_elsewhere(aws, answer)

    body = invoke_failure(RECORD, DYNAMODB_TABLE_NAME="no-such-table")["body"]

    assert body == (FAILED if answer == "Failed" else LEFT_ALONE)
    assert ["CodeDeploy에서 실패했거나 중지되어" in whole(one) for one in slack.messages] == (
        [True] if answer == "Failed" else []
    )
    assert ("HookFailedOver", "service=greenlight") not in output().metrics


def test_without_the_table_an_answer_that_cannot_be_looked_up_is_tried_again(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    answer_elsewhere(aws, "Failed")
    aws.failures["GetDeployment"] = ["AccessDeniedException"]

    with pytest.raises(HookUnexplainedError):
        invoke_failure(RECORD, DYNAMODB_TABLE_NAME=None)

    assert invoke_failure(RECORD)["body"] == FAILED
    assert "CodeDeploy에서 실패했거나 중지되어" in whole(slack.messages[-1])


def test_without_the_table_an_own_answer_whose_receipt_was_lost_is_own(
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> None:
    aws.lost_answers[REPORT] = 1

    assert invoke_failure(RECORD, DYNAMODB_TABLE_NAME=None)["body"] == FAILED

    assert output().metrics["HookFailedOver", "service=greenlight"] == [1]
    assert "CodeDeploy에서 실패했거나 중지되어" not in whole(slack.messages[-1])


def let_through_and_fail(aws: AwsStandIn) -> None:
    """Somebody lets a release through, which fails by itself later."""
    answer_elsewhere(aws, "Succeeded")
    fail("d-LOCALTEST", "HEALTH_CONSTRAINTS", "The new tasks do not stay up")


@pytest.mark.parametrize(
    ("end", "body", "told"),
    [
        (let_through_and_fail, LEFT_ALONE, []),
        (lambda _: stop("d-LOCALTEST"), FAILED, [True]),
    ],
    ids=["let through", "stopped"],
)
def test_without_the_table_what_others_ended_is_not_ours_though_our_answer_is_in_doubt(
    end: Callable[[AwsStandIn], None],
    body: str,
    told: list[bool],
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> None:
    end(aws)
    aws.failures[REPORT] = ["InternalFailure"]

    assert invoke_failure(RECORD, DYNAMODB_TABLE_NAME=None)["body"] == body

    assert ["CodeDeploy에서 실패했거나 중지되어" in whole(one) for one in slack.messages] == told
    assert ("HookFailedOver", "service=greenlight") not in output().metrics


def test_without_slack_for_a_moment_people_are_told_by_the_next_try(
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> None:
    slack.script += [Answer(503, "busy")] * 3

    with pytest.raises(SlackError):
        invoke_failure(RECORD)

    assert aws.reports == {HOOK: "Failed"}
    assert plain(aws.items()[0])["status"] == "FAILED"
    assert [line["stage"] for line in output().failures] == ["slack"]
    slack.posts.clear()
    assert invoke_failure(RECORD)["body"] == FAILED, "at once: the lease was given up"
    assert len(slack.messages) == 1
    assert events(aws) == ["failed", "reported", "failure_notified"]
    assert ("HookFailedOver", "service=greenlight") not in output().metrics, "it was counted"


def test_without_the_webhook_parameter_people_are_told_by_the_next_try(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        invoke_failure(RECORD, SLACK_WEBHOOK_URL="/no/such/parameter")

    assert aws.reports == {HOOK: "Failed"}
    assert plain(aws.items()[0])["status"] == "FAILED"
    assert invoke_failure(RECORD, SLACK_WEBHOOK_URL=slack.webhook_url)["body"] == FAILED
    assert len(slack.messages) == 1


def test_that_people_were_told_and_is_not_on_record_tells_them_once(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    def fail() -> None:
        aws.failures["UpdateItem"] = ["AccessDeniedException"]

    slack.script.append(Answer(pause=fail))

    assert invoke_failure(RECORD)["body"] == FAILED

    assert "failure_notified_at" not in plain(aws.items()[0])
    assert "That people were told is not written down" in str(output().lines)


def test_without_codedeploy_people_are_not_told_where_slack_fails_too(
    invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    aws.failures[REPORT] = ["AccessDeniedException"]
    slack.script.append(Answer(404, "no_service"))

    with pytest.raises(EngineError):
        invoke_failure(RECORD)

    assert "People are not told that it hangs" in str(output().lines)


@pytest.mark.parametrize("table", [TABLE, "no-such-table"])
@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_without_codedeploy_people_are_told_how_to_end_it_and_lambda_tries_again(
    code: str,
    table: str,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> None:
    aws.failures[REPORT] = [code] * 9

    with pytest.raises(EngineError) as failed:
        invoke_failure(RECORD, DYNAMODB_TABLE_NAME=table)

    assert failed.value.reason == code
    (message,) = slack.messages
    assert "⚠️ ECS 배포: 처리 실패, 확인 필요" in whole(message)
    assert "--lifecycle-event-hook-execution-id hook-local --status Failed" in whole(message)
    assert not any("failed_at" in item for item in aws.items()), "CodeDeploy does not know"
    written = output()
    assert [line["stage"] for line in written.failures] == ["codedeploy"]
    assert written.metrics["FailoverFailed", "service=greenlight"] == [1]
    assert written.metrics["FailoverFailed", "service=greenlight", "stage=codedeploy"] == [1]

    aws.failures.clear()
    assert invoke_failure(RECORD, DYNAMODB_TABLE_NAME=TABLE)["body"] == FAILED
    assert plain(aws.items()[0])["failed_at"]
    assert "❌" in whole(slack.messages[-1])


def test_a_click_on_a_gate_that_is_just_being_failed_changes_nothing(
    click: Clicker, invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    change(aws, "REMOVE notified_at")
    aws.failures[REPORT] = ["AccessDeniedException"]
    with pytest.raises(EngineError):
        invoke_failure(RECORD)

    (notice,) = click("approve")

    assert "실패로 처리하는 중입니다" in whole(notice)
    assert aws.reports == {}
    assert plain(aws.items()[0])["status"] == "FAILED"


# The key holds something else.


@pytest.mark.parametrize(
    "item",
    [
        {"owner": {"S": "another tool"}},
        {"hook_execution_id": {"S": "hook-local"}, "status": {"S": "PENDING"}},
    ],
)
def test_an_item_that_is_not_greenlights_is_replaced_and_people_are_told(
    item: dict[str, Any], invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    key = {"deployment_id": {"S": "d-LOCALTEST"}}
    aws.client("dynamodb").put_item(TableName=TABLE, Item={**key, **item})

    assert invoke_failure(RECORD)["body"] == FAILED

    assert plain(aws.items()[0])["status"] == "FAILED"
    assert len(slack.messages) == 1


def test_an_older_hooks_gate_is_replaced_and_stays_on_record(
    click: Clicker, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    click("approve")
    restart("d-LOCALTEST")
    newer = {**EVENT, "LifecycleEventHookExecutionId": "hook-2"}

    assert invoke_failure(record(event=newer))["body"] == FAILED

    item = plain(aws.items()[0])
    assert (item["hook_execution_id"], item["status"]) == ("hook-2", "FAILED")
    assert events(aws) == [
        *("opened", "notified", "decided", "reported"),
        *("failed", "reported", "failure_notified"),
    ]
    assert "decided_by" not in item
    assert len(slack.messages) == 2


def test_an_older_hooks_gate_that_waits_is_replaced_if_it_is_older_than_the_event(
    click: Clicker, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    change(aws, "SET created_at = :ago", {":ago": {"S": "2026-01-01T00:00:00+00:00"}})
    newer = {**EVENT, "LifecycleEventHookExecutionId": "hook-2"}

    assert invoke_failure(record(event=newer))["body"] == FAILED
    assert invoke_failure(record(event=newer))["body"] == FAILED

    item = plain(aws.items()[0])
    assert (item["hook_execution_id"], item["status"]) == ("hook-2", "FAILED")
    assert len(slack.messages) == 2, "one of each hook"


def test_two_records_that_replace_an_item_at_the_same_moment_fail_it_once(
    invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    aws.client("dynamodb").put_item(
        TableName=TABLE, Item={"deployment_id": {"S": "d-LOCALTEST"}, "owner": {"S": "x"}}
    )

    def other_comes_first(operation: str) -> None:
        if operation == "UpdateItem":
            aws.after = lambda _: None
            put("hook-local")

    aws.after = other_comes_first
    with pytest.raises(GateBusyError):
        invoke_failure(RECORD)

    assert aws.reports == {}


def test_a_gate_of_the_version_before_that_failed_is_left_as_it_is(
    invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    invoke(EVENT)
    change(
        aws,
        "SET #status = :failed, failed_at = :at, try_id = :try REMOVE notified_at",
        {":failed": {"S": "FAILED"}, ":at": {"S": NOW.isoformat()}, ":try": {"S": "x"}},
        {"#status": "status"},
    )

    assert invoke_failure(RECORD)["body"] == FAILED

    assert (aws.reports, len(slack.messages)) == ({}, 1), "people had been told"


# Somebody tries the function by hand, with the id of a deployment that is live.

BY_HAND = {**EVENT, "LifecycleEventHookExecutionId": "made-up"}


@pytest.fixture
def live(click: Clicker) -> Clicker:
    deployments()["d-LOCALTEST"].hook_execution_id = "hook-local"
    restart("d-LOCALTEST")
    return click


def test_an_event_that_is_not_codedeploys_takes_no_gate_over(
    live: Clicker, invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    change(aws, "SET created_at = :now", {":now": {"S": "2999-01-01T00:00:00+00:00"}})
    with pytest.raises(GateTakenError) as failed:
        invoke(BY_HAND)
    error = {"errorType": type(failed.value).__name__, "errorMessage": str(failed.value)}

    assert invoke_failure(record(error, BY_HAND))["body"] == LEFT_ALONE

    assert len(slack.messages) == 1
    live("approve")
    assert aws.reports == {HOOK: "Succeeded"}, "the real button works"


@pytest.mark.parametrize("unreadable", [[], ["AccessDeniedException"]])
def test_whatever_else_it_failed_of_it_takes_no_gate_over(
    unreadable: list[str],
    live: Clicker,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    aws.failures["ListDeploymentTargets"] = unreadable
    error = {"errorType": "SettingsError", "errorMessage": "Settings are wrong"}

    assert invoke_failure(record(error, BY_HAND))["body"] == LEFT_ALONE

    assert plain(aws.items()[0])["hook_execution_id"] == "hook-local"
    assert len(slack.messages) == 1
    live("approve")
    assert aws.reports == {HOOK: "Succeeded"}


@pytest.mark.parametrize("what", ["the event", "its record"])
def test_it_replaces_no_decision_that_codedeploy_does_not_know(
    what: str,
    live: Clicker,
    invoke: Invoke,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    sleeps: list[float],
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"] * 3
    live("approve")
    aws.failures.clear()

    if what == "the event":
        with pytest.raises(GateTakenError):
            invoke(BY_HAND)
    else:
        error = {"errorType": "SettingsError", "errorMessage": "Settings are wrong"}
        assert invoke_failure(record(error, BY_HAND))["body"] == LEFT_ALONE

    live("approve")
    assert aws.reports == {HOOK: "Succeeded"}


def test_it_takes_no_gate_that_waits_where_codedeploy_does_not_say_since_when(
    live: Clicker, invoke: Invoke, aws: AwsStandIn
) -> None:
    aws.failures["ListDeploymentTargets"] = ["AccessDeniedException"]

    with pytest.raises(GateTakenError):
        invoke(BY_HAND)

    live("approve")
    assert aws.reports == {HOOK: "Succeeded"}


def test_an_event_that_was_codedeploys_after_all_is_failed(
    invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    deployments()["d-LOCALTEST"].hook_execution_id = "hook-local"
    invoke(BY_HAND)  # it came first
    with pytest.raises(GateTakenError) as failed:
        invoke(EVENT)
    error = {"errorType": type(failed.value).__name__, "errorMessage": str(failed.value)}

    assert invoke_failure(record(error))["body"] == FAILED

    assert aws.reports == {HOOK: "Failed"}
    assert "테스트 요청 실패" in whole(slack.messages[-1])
    assert plain(aws.items()[0])["hook_execution_id"] == "made-up", "the key is another's"


def test_a_gate_that_is_no_other_hooks_any_more_is_failed_on_record_too(
    invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    error = {"errorType": "GateTakenError", "errorMessage": "another hook waits"}

    assert invoke_failure(record(error))["body"] == FAILED

    assert aws.reports == {HOOK: "Failed"}
    assert plain(aws.items()[0])["status"] == "FAILED"


# Killed in the middle: the call it is in the middle of, the how manyth of its kind, whether that
# has had its effect, and how many messages people have in the end.
CUTS = [
    ("UpdateItem", 1, "before", 1),
    ("UpdateItem", 1, "after", 1),
    (REPORT, 1, "before", 1),
    (REPORT, 1, "after", 1),
    ("UpdateItem", 2, "before", 1),
    ("UpdateItem", 2, "after", 1),
    ("UpdateItem", 3, "before", 1),
    ("UpdateItem", 3, "after", 1),
    ("Slack", 1, "after", 2),  # nobody can know that it arrived: telling twice beats silence
    ("UpdateItem", 4, "before", 2),
    ("UpdateItem", 4, "after", 1),
]


@pytest.mark.parametrize(("call", "number", "moment", "messages"), CUTS)
def test_a_failover_that_is_killed_is_finished_by_the_next_try(
    call: str,
    number: int,
    moment: str,
    messages: int,
    environ: dict[str, str],
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    module = "greenlight.handlers.failure"
    kill_in_the_middle(
        lambda: Process(RECORD, environ, module=module), aws, slack, call, number, moment
    )

    body, written = Process(RECORD, environ, later=60, module=module).finish()

    assert body == FAILED, written
    assert aws.reports == {HOOK: "Failed"}
    assert events(aws) == ["failed", "reported", "failure_notified"]
    assert len(slack.messages) == messages


@pytest.mark.parametrize("answer", [None, "Failed"])
def test_a_failover_that_is_killed_while_it_tells_people_has_not_asked_them(
    answer: str | None,
    environ: dict[str, str],
    aws: AwsStandIn,
    slack: SlackStandIn,
    invoke: Invoke,
) -> None:
    if answer:
        answer_elsewhere(aws, answer)
    module = "greenlight.handlers.failure"
    kill_in_the_middle(lambda: Process(RECORD, environ, module=module), aws, slack, "Slack")
    assert "lease_until" in plain(aws.items()[0])

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=60), tick=False):
        assert invoke(EVENT)["body"]["duplicate"]

    assert "notified" not in events(aws)


def test_a_deployment_that_somebody_stopped_after_a_try_was_killed_was_not_failed_by_us(
    environ: dict[str, str],
    aws: AwsStandIn,
    slack: SlackStandIn,
    invoke_failure: Invoke,
    output: Callable[[], Output],
) -> None:
    module = "greenlight.handlers.failure"
    kill_in_the_middle(
        lambda: Process(RECORD, environ, module=module), aws, slack, REPORT, moment="before"
    )
    stop("d-LOCALTEST")

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=60), tick=False):
        assert invoke_failure(RECORD)["body"] == FAILED

    item = plain(aws.items()[0])
    assert (item["status"], item["decided_via"]) == ("REJECTED", "elsewhere")
    (message,) = slack.messages
    assert "CodeDeploy에서 실패했거나 중지되어" in whole(message)
    assert ("HookFailedOver", "service=greenlight") not in output().metrics


def test_without_a_region_it_is_a_settings_error(
    invoke_failure: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    with pytest.raises(GreenlightError) as failed:
        invoke_failure(RECORD, AWS_REGION=None, AWS_DEFAULT_REGION=None)

    assert failed.value.stage == "settings"


def test_codedeploy_out_of_reach(invoke_failure: Invoke, sleeps: list[float]) -> None:
    with pytest.raises(EngineError) as failed:
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


@pytest.mark.unmeasured
@examples(40)
@given(error=values, context=values)
def test_any_error_in_a_record_fails_the_hook(
    error: Any, context: Any, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    aws.reports.clear()
    restart("d-LOCALTEST")
    aws.client("dynamodb").delete_item(TableName=TABLE, Key={"deployment_id": {"S": HOOK[0]}})

    answer = invoke_failure(
        {"requestPayload": EVENT, "requestContext": context, "responsePayload": error}
    )

    assert answer["body"] == FAILED
    assert aws.reports == {HOOK: "Failed"}


CALL_SECONDS = 3.0  # to connect and to read
LONGEST = {
    REPORT: CALL_SECONDS,
    "ListDeploymentTargets": CALL_SECONDS,
    "GetDeploymentTarget": CALL_SECONDS,
    "GetDeployment": CALL_SECONDS,
    "UpdateItem": CALL_SECONDS,
    "PutItem": CALL_SECONDS,
    "GetParameter": LOOK_UP_SECONDS,
}


def test_the_bounds_are_those_of_a_chain_of_calls(invoke_failure: Invoke) -> None:
    clients = failure._clients()

    for client in (clients.dynamodb, clients.codedeploy):
        config: Any = client.meta.config
        assert config.connect_timeout + config.read_timeout == CALL_SECONDS


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    "broken",
    [chosen for size in range(3) for chosen in itertools.combinations([*LONGEST, "Slack"], size)],
    ids="+".join,
)
@pytest.mark.parametrize("world", ["new", "settled", "another tool's item", "another hook's gate"])
def test_however_slow_everything_is_it_fits_in_the_time_of_the_function(
    world: str,
    broken: tuple[str, ...],
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]

    def pass_time(seconds: float) -> None:
        now[0] += seconds

    if world == "settled":
        answer_elsewhere(aws, "Failed")
    elif world == "another tool's item":
        key = {"deployment_id": {"S": "d-LOCALTEST"}}
        aws.client("dynamodb").put_item(TableName=TABLE, Item=key)
    elif world == "another hook's gate":
        invoke_failure(record(event={**EVENT, "LifecycleEventHookExecutionId": "hook-older"}))
        aws.reports.clear()
        restart("d-LOCALTEST")
        waiting = {":waiting": {"S": "WAITING"}, ":ago": {"S": "2026-01-01T00:00:00+00:00"}}
        change(aws, "SET #s = :waiting, created_at = :ago", waiting, {"#s": "status"})
    aws.client("ssm").put_parameter(Name="/slack", Value=slack.webhook_url, Type="String")
    monkeypatch.setenv("SLACK_WEBHOOK_URL", "/slack")
    monkeypatch.setattr("time.sleep", pass_time)
    aws.before = lambda operation: pass_time(LONGEST.get(operation, 0))
    aws.failures |= {one: ["InternalServerError"] * 9 for one in broken}
    answer = Answer(503, "busy") if "Slack" in broken else Answer()
    slack.script += [dataclasses.replace(answer, pause=lambda: pass_time(HTTP_TRY_SECONDS))] * 3

    clients = Clients(Countdown(lambda: now[0]), CHAIN_CONFIG)
    with contextlib.suppress(GreenlightError):
        failure.fail_with(clients, Hook(*HOOK), Problem("SlackError", "why"))

    assert now[0] <= TRY_SECONDS


def test_a_hook_that_codedeploy_never_knew_was_not_failed_by_us(
    invoke_failure: Invoke, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    aws.failures[REPORT] = ["InvalidLifecycleEventHookExecutionIdException"] * 2
    made_up = record({"errorType": "SettingsError"})
    with pytest.raises(HookRefusedError):
        invoke_failure(made_up)
    stop("d-LOCALTEST")
    output()

    assert invoke_failure(made_up)["body"]["failed"] is True

    assert ("HookFailedOver", "service=greenlight") not in output().metrics
    (item,) = aws.items()
    assert plain(item)["decided_via"] == "elsewhere"
