"""A click decides a gate: once, by one approver, and CodeDeploy, the table and Slack agree."""

import gc
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from greenlight.engines.codedeploy import CodeDeploy
from greenlight.model.errors import SettingsError
from greenlight.storage.table import GateTable
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.clicks import ALICE, BOB, button
from stand_ins.codedeploy import deployments, give_up, go_on, set_status, stop
from stand_ins.slack import Answer, SlackStandIn, broken_limits
from tests.conftest import load_event
from tests.functional.conftest import Clicker, Invoke, Output
from tests.functional.helpers import (
    HOOK,
    REPORT,
    answer_elsewhere,
    change,
    events,
    gate,
    is_notice,
    whole,
)

A_MINUTE = timedelta(minutes=1)


# What the message looks like.


def test_the_message_has_buttons_beside_the_commands(click: Clicker) -> None:
    approve = button(click.message, "greenlight_approve")
    reject = button(click.message, "greenlight_reject")

    assert (approve["style"], approve["text"]["text"]) == ("primary", "승인")
    assert (reject["style"], reject["text"]["text"]) == ("danger", "거부")
    assert approve["confirm"]["title"]["text"] == "배포를 승인할까요?"
    assert "shop/shop-blue-green (d-LOCALTEST)" in approve["confirm"]["text"]["text"]
    assert reject["confirm"]["title"]["text"] == "배포를 거부할까요?"
    assert json.loads(approve["value"]) == {
        "gate": HOOK[0],
        "hook": HOOK[1],
        "engine": "codedeploy",
    }
    text = whole(click.message)
    assert "aws deploy put-lifecycle-event-hook-execution-status" in text
    assert "greenlight approve d-LOCALTEST --region ap-northeast-2 --table gates" in text
    assert broken_limits(click.message) == []


def test_without_a_signing_secret_there_are_no_buttons(
    click: Clicker, invoke: Invoke, slack: SlackStandIn
) -> None:
    go_on("d-LOCALTEST")
    invoke(
        {**load_event("hook/documented_example"), "LifecycleEventHookExecutionId": "hook-2"},
        SLACK_SIGNING_SECRET="",
    )

    kinds = {block["type"] for block in slack.messages[-1]["blocks"]}
    assert kinds == {"header", "section", "image"}
    assert "버튼" not in whole(slack.messages[-1])


def test_a_message_refused_with_its_input_is_sent_with_its_buttons(
    click: Clicker, invoke: Invoke, slack: SlackStandIn
) -> None:
    slack.script.append(Answer(400, "invalid_blocks"))
    go_on("d-LOCALTEST")
    invoke({**load_event("hook/documented_example"), "LifecycleEventHookExecutionId": "hook-2"})

    refused, sent = (
        {block["type"] for block in message["blocks"]} for message in slack.messages[-2:]
    )
    assert refused - sent == {"input", "image"}
    assert "actions" in sent


# What a click does.


@pytest.mark.parametrize(
    ("verdict", "status", "reported", "header", "sentence"),
    [
        ("approve", "APPROVED", "Succeeded", "🚀 ECS 배포: 승인됨", "*승인*: <@U0ALICE>"),
        ("reject", "REJECTED", "Failed", "⛔ ECS 배포: 거부됨", "*거부*: <@U0ALICE>"),
    ],
)
def test_a_click_decides_the_gate_and_tells_codedeploy_and_slack(
    verdict: str,
    status: str,
    reported: str,
    header: str,
    sentence: str,
    click: Clicker,
    aws: AwsStandIn,
    output: Callable[[], Output],
) -> None:
    opened = datetime.fromisoformat(gate(aws)["notified_at"])

    with time_machine.travel(opened + A_MINUTE, tick=False):
        (replaced,) = click(verdict, ALICE, "looks right <!channel>")

    assert aws.reports == {HOOK: reported}
    item = gate(aws)
    decided_at = (opened + A_MINUTE).isoformat()
    assert item["status"] == status
    assert item["decided_by"] == "U0ALICE"
    assert item["decided_via"] == "slack"
    assert item["decided_at"] == item["reported_at"] == decided_at
    assert item["reason"] == "looks right <!channel>"
    assert not {"report_until", "lease_until", "try_id"} & item.keys()
    assert item["history"][2:] == [
        {
            "event": "decided",
            "at": decided_at,
            "status": status,
            "by": "U0ALICE",
            "name": "alice",
            "team": "T0000",
            "via": "slack",
            "reason": "looks right <!channel>",
        },
        {"event": "reported", "at": decided_at, "status": status},
    ]
    assert replaced["replace_original"] is True
    assert broken_limits(replaced) == []
    text = whole(replaced)
    assert header in text
    assert sentence in text
    assert f"<!date^{int((opened + A_MINUTE).timestamp())}^" in text
    assert "looks right &lt;!channel&gt;" in text
    assert not [block for block in replaced["blocks"] if block["type"] in ("actions", "input")]
    written = output()
    metric = "GateApproved" if verdict == "approve" else "GateRejected"
    assert written.metrics[metric, "service=greenlight"] == [1]
    assert written.metrics["TimeToDecision", "service=greenlight"] == [60]
    assert {line.get("correlation_id") for line in written.lines} == {"d-LOCALTEST"}
    assert written.failures == []


def test_the_replaced_message_comes_in_english_too(click: Clicker) -> None:
    (replaced,) = click("approve", MESSAGE_LANGUAGE="en")

    assert "🚀 ECS deployment: approved" in whole(replaced)
    assert "*Approved* by <@U0ALICE>" in whole(replaced)


def test_who_clicks_is_told_in_both_languages_too(click: Clicker) -> None:
    click("approve", MESSAGE_LANGUAGE="ja,ko")

    replaced, notice = click("reject", BOB, "too late", MESSAGE_LANGUAGE="ja,ko")

    assert "*承認*: <@U0ALICE>" in whole(replaced)
    assert "*승인*: <@U0ALICE>" in whole(replaced)
    assert is_notice(notice)
    assert "何も変わっていません。" in whole(notice)
    assert "바뀐 것은 없습니다." in whole(notice)


def test_the_time_to_decision_counts_from_when_people_were_told(
    click: Clicker, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    opened = datetime.fromisoformat(gate(aws)["created_at"])
    told = (opened + 2 * A_MINUTE).isoformat()  # by the third try
    change(aws, "SET notified_at = :told", {":told": {"S": told}})

    with time_machine.travel(opened + 9 * A_MINUTE, tick=False):
        click("reject")

    assert output().metrics["TimeToDecision", "service=greenlight"] == [420]


@pytest.mark.parametrize("second", ["approve", "reject"])
def test_a_second_click_says_who_decided_and_changes_nothing(
    second: str, click: Clicker, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    click("approve")
    before, tries = aws.items(), aws.operations.count(REPORT)
    output()

    replaced, notice = click(second, BOB, "too late")

    assert aws.items() == before
    assert aws.operations.count(REPORT) == tries == 1
    assert aws.reports == {HOOK: "Succeeded"}
    assert replaced["replace_original"] is True
    assert "*승인*: <@U0ALICE>" in whole(replaced)
    assert is_notice(notice)
    assert "이미 결정되었거나 끝난 배포입니다" in whole(notice)
    assert "*승인*: <@U0ALICE>" in whole(notice)
    assert output().metrics["DecisionRepeated", "service=greenlight"] == [1]


def test_a_replayed_request_changes_nothing(
    click: Clicker, invoke_decision: Invoke, aws: AwsStandIn
) -> None:
    event = click.event("reject")
    invoke_decision(event)
    before = aws.items()

    assert invoke_decision(event)["statusCode"] == 200

    assert aws.items() == before
    assert aws.reports == {HOOK: "Failed"}
    assert aws.operations.count(REPORT) == 1


def test_a_request_that_is_refused_is_not_logged_as_the_one_before(
    click: Clicker, output: Callable[[], Output]
) -> None:
    click("approve")
    output()

    click.call({})

    (line,) = output().lines
    assert "correlation_id" not in line
    assert line["service"] == "greenlight"


def test_what_is_wrongly_signed_is_counted_apart_from_what_is_not_signed(
    click: Clicker, output: Callable[[], Output]
) -> None:
    forged = click.event("approve")
    forged["headers"]["x-slack-signature"] = "v0=" + "0" * 64

    for event, metric in ((forged, "ClickRefused"), ({}, "ClickIgnored")):
        click.call(event)
        assert output().metrics == {(metric, "service=greenlight"): [1]}


# What happened elsewhere.


@pytest.mark.parametrize("verdict", ["approve", "reject"])
@pytest.mark.parametrize(
    ("answer", "status", "sentence"),
    [
        ("Succeeded", "APPROVED", "*승인*: CodeDeploy에서 직접"),
        ("Failed", "REJECTED", "*실패 또는 중지*: 여기서 내린 결정이 아니라"),
    ],
)
def test_an_answer_that_was_given_elsewhere_is_found_out_and_written_down(
    answer: str,
    status: str,
    sentence: str,
    verdict: str,
    click: Clicker,
    aws: AwsStandIn,
    output: Callable[[], Output],
) -> None:
    answer_elsewhere(aws, answer)

    replaced, notice = click(verdict)

    assert aws.reports == {HOOK: answer}
    item = gate(aws)
    assert (item["status"], item["decided_via"]) == (status, "elsewhere")
    assert "decided_by" not in item, "nobody knows who it was"
    assert item["reported_at"]
    assert events(aws) == ["opened", "notified", "decided", "decided"]
    assert [entry["via"] for entry in item["history"][2:]] == ["slack", "elsewhere"]
    assert sentence in whole(replaced)
    assert "CodeDeploy에는 이미 다른 곳에서 보낸 응답이 있었습니다" in whole(notice)
    written = output()
    assert written.metrics["GateSettledElsewhere", "service=greenlight"] == [1]
    assert ("TimeToDecision", "service=greenlight") not in written.metrics


def test_a_deployment_that_failed_after_it_was_approved_elsewhere_was_approved(
    click: Clicker, aws: AwsStandIn
) -> None:
    answer_elsewhere(aws, "Succeeded")
    set_status("d-LOCALTEST", "Failed")

    click("reject")

    assert gate(aws)["status"] == "APPROVED"


def test_a_click_after_codedeploy_gave_up_says_so(click: Clicker, aws: AwsStandIn) -> None:
    give_up("d-LOCALTEST")
    aws.reports[HOOK] = "Failed"

    replaced, notice = click("approve")

    item = gate(aws)
    assert (item["status"], item["decided_via"]) == ("EXPIRED", "elsewhere")
    assert item["reason"] == "HOOK_EXECUTION_FAILURE: the hook did not answer in time"
    assert events(aws)[-1] == "expired"
    assert "⌛ ECS 배포: 결정 기한 지남" in whole(replaced)
    assert "결정이 없어 CodeDeploy에서 배포를 실패로 처리했습니다" in whole(notice)
    replaced, notice = click("reject")
    assert "⌛ ECS 배포: 결정 기한 지남" in whole(replaced)
    assert "이미 결정되었거나 끝난 배포입니다" in whole(notice)


def test_a_click_after_somebody_stopped_the_deployment_says_so(
    click: Clicker, aws: AwsStandIn
) -> None:
    stop("d-LOCALTEST")
    aws.failures[REPORT] = ["InvalidLifecycleEventHookExecutionIdException"]

    replaced, _ = click("approve")

    item = gate(aws)
    assert (item["status"], item["decided_via"]) == ("REJECTED", "elsewhere")
    assert item["reason"] == "MANUAL_STOP: the deployment was stopped by a user"
    assert "MANUAL_STOP" in whole(replaced)


def test_a_deployment_of_cloudformation_is_read_back_too(click: Clicker, aws: AwsStandIn) -> None:
    deployments()["d-LOCALTEST"].target = "cloudFormationTarget"
    answer_elsewhere(aws, "Succeeded")

    click("reject")

    assert gate(aws)["status"] == "APPROVED"


def test_a_gate_that_failed_says_so(
    click: Clicker, invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    # The try that told people was killed before it could write that down, and so were the others.
    change(aws, "REMOVE notified_at")
    invoke_failure(load_event("failure/on_failure_record"))
    (before,) = aws.items()

    replaced, notice = click("approve")

    assert aws.items() == [{**before, "shown": {"S": "FAILED"}}]
    assert "❌ ECS 배포: 테스트 요청 실패" in whole(replaced)
    assert "Greenlight가 배포를 실패로 보고했습니다" in whole(notice)
    assert "rollup_error" in whole(notice)


def test_a_gate_that_is_forgotten_says_so(
    click: Clicker, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    key = {"deployment_id": {"S": "d-LOCALTEST"}}
    aws.client("dynamodb").delete_item(TableName=TABLE, Key=key)

    (notice,) = click("approve")

    assert is_notice(notice)
    assert "기록을 찾을 수 없어" in whole(notice)
    assert (aws.items(), aws.reports) == ([], {})
    written = output()
    assert written.failures == [], "nothing waits, so nobody is alarmed"
    assert written.metrics["DecisionRepeated", "service=greenlight"] == [1]
    assert ("DecisionFailed", "service=greenlight") not in written.metrics


def test_a_decision_that_another_try_has_finished_meanwhile_is_counted_by_that_one(
    click: Clicker, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    def finish(operation: str) -> None:
        if operation == REPORT:
            aws._one_at_a_time.release()
            table = GateTable(aws.client("dynamodb"), TABLE)
            later = datetime.now(UTC) + timedelta(seconds=20)  # when the lease is over
            other = table.take_over(table.get("d-LOCALTEST"), later)
            assert table.mark_reported(other, later)[1]
            aws._one_at_a_time.acquire()

    aws.after = finish
    click("approve")

    assert events(aws) == ["opened", "notified", "decided", "reported"]
    assert ("GateApproved", "service=greenlight") not in output().metrics


def test_a_warm_environment_keeps_nothing_of_the_clicks_before(click: Clicker) -> None:
    click("approve")
    click("approve", BOB)

    gc.collect()
    assert [one for one in gc.get_objects() if type(one) is CodeDeploy] == []


@pytest.mark.parametrize("seconds", [20, 55])  # and when it may have been CodeDeploy's own end
def test_a_rejection_in_the_last_minute_stays_that_persons_though_its_receipt_is_lost(
    seconds: int, click: Clicker, aws: AwsStandIn, sleeps: list[float]
) -> None:
    opened = datetime.fromisoformat(gate(aws)["created_at"])
    aws.lost_answers[REPORT] = 1

    with time_machine.travel(opened + timedelta(minutes=59, seconds=seconds), tick=False):
        click("reject", ALICE, "broken")

    item = gate(aws)
    assert (item["status"], item["decided_by"], item["reason"]) == ("REJECTED", "U0ALICE", "broken")


def test_an_approval_that_may_have_come_before_a_stop_at_the_end_of_the_hour_is_none(
    click: Clicker, aws: AwsStandIn, sleeps: list[float]
) -> None:
    opened = datetime.fromisoformat(gate(aws)["created_at"])

    def stop_it(operation: str) -> bool:
        is_report = operation == REPORT
        if is_report:
            aws.before = lambda _: None
            stop("d-LOCALTEST")
        return is_report

    aws.before = stop_it
    with time_machine.travel(opened + timedelta(minutes=59, seconds=55), tick=False):
        click("approve")

    assert gate(aws)["decided_via"] == "elsewhere"


def test_a_button_of_an_older_hook_decides_nothing(
    click: Clicker, invoke: Invoke, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    go_on("d-LOCALTEST")
    invoke({**load_event("hook/documented_example"), "LifecycleEventHookExecutionId": "hook-2"})

    (notice,) = click("approve")

    assert "새 메시지에서 결정해 주세요" in whole(notice)
    assert gate(aws)["status"] == "WAITING"
    assert aws.reports == {}
    assert ("DecisionFailed", "service=greenlight") not in output().metrics


def test_what_happened_to_an_older_hook_stays_on_record(
    click: Clicker, invoke: Invoke, aws: AwsStandIn
) -> None:
    click("approve")

    go_on("d-LOCALTEST")
    invoke({**load_event("hook/documented_example"), "LifecycleEventHookExecutionId": "hook-2"})

    item = gate(aws)
    assert events(aws) == ["opened", "notified", "decided", "reported", "opened", "notified"]
    assert item["status"] == "WAITING"
    assert not {"decided_by", "decided_at", "decided_via", "reported_at"} & item.keys()


# Who may.


def test_only_approvers_may_decide_and_the_others_are_told_who_may(
    click: Clicker, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    before = aws.items()

    (notice,) = click("approve", BOB, APPROVERS="U0ALICE, U0CAROL")

    assert is_notice(notice)
    assert "<@U0ALICE>, <@U0CAROL>" in whole(notice)
    assert (aws.items(), aws.reports) == (before, {})
    assert output().metrics["ApproverRefused", "service=greenlight"] == [1]
    click("approve", ALICE)
    assert aws.reports == {HOOK: "Succeeded"}


def test_a_malformed_list_of_approvers_lets_nobody_through(
    click: Clicker, invoke_decision: Invoke, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    with pytest.raises(SettingsError, match="APPROVERS must be Slack user ids"):
        invoke_decision(click.event("approve"), APPROVERS="@alice")

    assert aws.reports == {}
    (line,) = output().failures
    assert "APPROVERS must be Slack user ids" in line["error"]
