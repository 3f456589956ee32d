"""A slash command decides a gate, shows it or lists what waits; only who typed it is answered."""
# ruff: noqa: RUF001  # the quotes are what keyboards make of them

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st

from greenlight.model.errors import SettingsError
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.clicks import ALICE, BOB, command_form, signed, url_event
from stand_ins.codedeploy import deployments, go_on
from stand_ins.slack import Answer, SlackStandIn
from tests.block_kit import refused
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
    without_index,
)

A_MINUTE = timedelta(minutes=1)


@dataclass
class Typist:
    """People who type slash commands."""

    call: Invoke
    slack: SlackStandIn

    def __call__(
        self, text: str, user: tuple[str, str] = ALICE, **changes: str | None
    ) -> dict[str, Any]:
        """Types a command; the one answer that only they see."""
        known = len(self.slack.responses)
        answer = self.call(self.event(text, user), **changes)
        assert (answer["statusCode"], answer["body"]) == (200, None)
        (notice,) = self.slack.responses[known:]
        assert is_notice(notice)
        assert refused(notice) == []
        found: dict[str, Any] = notice
        return found

    def event(self, text: str, user: tuple[str, str] = ALICE) -> dict[str, Any]:
        """The event that a command becomes."""
        body = command_form(text, self.slack.response_url, user)
        return url_event(body, signed(body))


@pytest.fixture
def type_(click: Clicker) -> Typist:
    """An open gate, and people who know its id."""
    return Typist(click.call, click.slack)


# What a command does.


@pytest.mark.parametrize(
    ("text", "status", "reported", "reason", "said"),
    [
        ("approve d-LOCALTEST", "APPROVED", "Succeeded", None, "🚀 ECS 배포: 승인됨"),
        (
            "approve “d-LOCALTEST” it’s <ok>",
            "APPROVED",
            "Succeeded",
            "it’s <ok>",
            "it’s &lt;ok&gt;",
        ),
        ("reject d-LOCALTEST too slow", "REJECTED", "Failed", "too slow", "⛔ ECS 배포: 거부됨"),
    ],
)
def test_a_command_decides_the_gate_and_tells_codedeploy(
    text: str,
    status: str,
    reported: str,
    reason: str | None,
    said: str,
    type_: Typist,
    aws: AwsStandIn,
    output: Callable[[], Output],
) -> None:
    opened = datetime.fromisoformat(gate(aws)["notified_at"])

    with time_machine.travel(opened + A_MINUTE, tick=False):
        notice = type_(text)

    assert aws.reports == {HOOK: reported}
    item = gate(aws)
    assert (item["status"], item["decided_by"], item["decided_via"]) == (status, "U0ALICE", "slack")
    assert item.get("reason") == reason
    decided = item["history"][2]
    assert (decided["event"], decided["name"], decided["team"]) == ("decided", "alice", "T0000")
    assert events(aws) == ["opened", "notified", "decided", "reported"]
    assert said in whole(notice)
    assert "d-LOCALTEST" in whole(notice)
    assert "<@U0ALICE>" in whole(notice)
    written = output()
    metric = "GateApproved" if status == "APPROVED" else "GateRejected"
    assert written.metrics[metric, "service=greenlight"] == [1]
    assert written.metrics["TimeToDecision", "service=greenlight"] == [60]
    assert {line.get("correlation_id") for line in written.lines} == {"d-LOCALTEST"}
    assert written.failures == []
    assert "/actions/" not in written.text, "the response_url is a secret"
    assert "too slow" not in written.text, "nor is logged what people typed"


def test_it_comes_in_english_too(type_: Typist) -> None:
    notice = type_("approve d-LOCALTEST", MESSAGE_LANGUAGE="en")

    assert "🚀 ECS deployment: approved" in whole(notice)
    assert "*Approved* by <@U0ALICE>" in whole(notice)


@pytest.mark.parametrize("name", ["slash_command", "slash_command_smart_quotes"])
def test_the_sample_events_decide(
    name: str, click: Clicker, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    fields = load_event(f"decision/{name}")
    user = (fields["user_id"], fields["user_name"])
    body = command_form(fields["text"], slack.response_url, user)

    assert click.call(url_event(body, signed(body)))["statusCode"] == 200

    assert gate(aws)["decided_by"] == fields["user_id"]
    assert len(aws.reports) == 1


@pytest.mark.parametrize("second", ["approve d-LOCALTEST", "reject d-LOCALTEST no"])
def test_a_second_command_says_who_decided_and_changes_nothing(
    second: str, type_: Typist, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    type_("approve d-LOCALTEST")
    before, tries = aws.items(), aws.operations.count(REPORT)
    output()

    notice = type_(second, BOB)

    assert aws.items() == before
    assert aws.operations.count(REPORT) == tries == 1
    assert "이미 결정되었거나 끝난 배포입니다. 바뀐 것은 없습니다." in whole(notice)
    assert "*승인*: <@U0ALICE>" in whole(notice)
    assert output().metrics["DecisionRepeated", "service=greenlight"] == [1]


def test_a_click_after_a_command_shows_what_the_command_decided(
    click: Clicker, type_: Typist
) -> None:
    type_("reject d-LOCALTEST broken")

    replaced, notice = click("approve", BOB)

    assert replaced["replace_original"] is True
    assert "*거부*: <@U0ALICE>" in whole(replaced)
    assert "이미 결정되었거나 끝난 배포입니다" in whole(notice)


def test_a_newer_hook_of_the_deployment_is_the_one_that_is_decided(
    type_: Typist, invoke: Invoke, aws: AwsStandIn
) -> None:
    go_on("d-LOCALTEST")
    invoke({**load_event("hook/documented_example"), "LifecycleEventHookExecutionId": "hook-2"})

    type_("approve d-LOCALTEST")

    assert aws.reports == {("d-LOCALTEST", "hook-2"): "Succeeded"}


def test_a_gate_that_is_replaced_between_reading_and_writing_is_left_alone(
    type_: Typist, aws: AwsStandIn
) -> None:
    def replace(operation: str) -> None:
        if operation == "GetItem":
            aws.after = lambda _: None
            aws._one_at_a_time.release()
            change(aws, "SET hook_execution_id = :hook", {":hook": {"S": "hook-2"}})
            aws._one_at_a_time.acquire()

    aws.after = replace

    notice = type_("approve d-LOCALTEST")

    assert "새 메시지에서 결정해 주세요" in whole(notice)
    assert (gate(aws)["status"], aws.reports) == ("WAITING", {})


# Who may, and what is missing.


@pytest.mark.parametrize("text", ["approve d-LOCALTEST", "reject d-LOCALTEST no"])
def test_only_approvers_may_decide_and_the_others_are_told_who_may(
    text: str, type_: Typist, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    before = aws.items()

    notice = type_(text, BOB, APPROVERS="U0ALICE, U0CAROL")

    assert "<@U0ALICE>, <@U0CAROL>" in whole(notice)
    assert (aws.items(), aws.reports) == (before, {})
    assert output().metrics["ApproverRefused", "service=greenlight"] == [1]
    type_("approve d-LOCALTEST", ALICE)
    assert aws.reports == {HOOK: "Succeeded"}


@pytest.mark.parametrize("text", ["show d-LOCALTEST", "list"])
def test_who_may_not_decide_may_look(text: str, type_: Typist) -> None:
    notice = type_(text, BOB, APPROVERS="U0ALICE")

    assert "d-LOCALTEST" in whole(notice)
    assert "권한이 없습니다" not in whole(notice)


def test_rejecting_needs_a_reason(type_: Typist, aws: AwsStandIn) -> None:
    before = aws.items()

    notice = type_("reject d-LOCALTEST ", MESSAGE_LANGUAGE="en")

    assert "Rejecting needs a reason" in whole(notice)
    assert "`/greenlight reject d-LOCALTEST why not`" in whole(notice)
    assert (aws.items(), aws.reports) == (before, {})


@pytest.mark.parametrize("text", ["approve d-NOBODY", "reject d-NOBODY no", "show d-NOBODY"])
def test_an_id_that_nobody_knows_is_said_to_be_unknown(
    text: str, type_: Typist, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    before = aws.items()

    notice = type_(text, MESSAGE_LANGUAGE="en")

    assert "There is no record of a deployment `d-NOBODY`." in whole(notice)
    assert "`/greenlight list` shows what waits" in whole(notice)
    assert (aws.items(), aws.reports) == (before, {})
    assert output().failures == [], "nobody is alarmed"


@pytest.mark.parametrize("text", ["approve d!LOCALTEST", "show " + "d" * 101, "show d`<!here>`x"])
def test_what_can_be_no_id_is_not_looked_for(
    text: str, type_: Typist, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    notice = type_(text, MESSAGE_LANGUAGE="en")

    assert "There is no record of a deployment" in whole(notice)
    assert "<!here>" not in whole(notice)
    assert aws.operations == []
    assert "LOCALTEST" not in output().text


@pytest.mark.parametrize(
    ("text", "begins"),
    [("", "`/greenlight list`"), ("help", "`/greenlight list`"), ("ship it", "This command was")],
)
def test_help_says_what_there_is(text: str, begins: str, type_: Typist, aws: AwsStandIn) -> None:
    notice = type_(text, MESSAGE_LANGUAGE="en")

    assert notice["text"].startswith(begins)
    for command in ("list`", "show ID`", "approve ID [reason]`", "reject ID reason`"):
        assert f"`/greenlight {command}" in whole(notice)
    assert aws.operations == []


def test_help_names_the_command_as_it_was_typed(click: Clicker, slack: SlackStandIn) -> None:
    body = command_form("help", slack.response_url, command="/ship-it")

    click.call(url_event(body, signed(body)))

    assert "`/ship-it list`" in whole(slack.responses[-1])


# What a command shows.


def test_a_gate_that_waits_is_shown(click: Clicker, type_: Typist) -> None:
    click("claim", BOB)

    notice = type_("show d-LOCALTEST", MESSAGE_LANGUAGE="en")

    text = whole(notice)
    assert "✅ ECS deployment: waiting to be tested" in text
    assert "|d-LOCALTEST>* · shop/shop-blue-green" in text
    assert "*Test URL*" in text
    assert "*Decide by*" in text
    assert "*Testing now*: <@U0BOB>" in text
    assert text.index("`opened`") < text.index("`notified`") < text.index("`claimed` <@U0BOB>")


def test_a_gate_that_has_ended_is_shown(type_: Typist, output: Callable[[], Output]) -> None:
    type_("reject d-LOCALTEST too slow")
    output()

    notice = type_("show d-LOCALTEST", MESSAGE_LANGUAGE="en")

    text = whole(notice)
    assert "⛔ ECS deployment: rejected" in text
    assert "*Rejected* by <@U0ALICE>" in text
    assert "*Reason*: too slow" in text
    assert "`decided` <@U0ALICE>" in text
    assert output().metrics == {("SlackLatency", "service=greenlight"): pytest.approx([1], abs=1e6)}


def test_a_decision_that_codedeploy_does_not_know_is_shown_with_what_to_type(
    type_: Typist, aws: AwsStandIn
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]
    type_("approve d-LOCALTEST")

    shown = type_("show d-LOCALTEST", MESSAGE_LANGUAGE="en")
    listed = type_("list")

    assert "CodeDeploy does not know yet" in whole(shown)
    assert "`/greenlight approve d-LOCALTEST`" in whole(shown)
    assert r"approved\nCodeDeploy does not know yet" in whole(listed)


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"status": "FAILED"}, "Greenlight is failing this deployment"),
        ({"status": "EXPIRED", "decided_via": "clock"}, "Greenlight is rejecting this deployment"),
    ],
)
def test_a_gate_that_is_being_ended_is_shown(
    attributes: dict[str, str], said: str, type_: Typist, aws: AwsStandIn
) -> None:
    for name, value in attributes.items():
        change(aws, "SET #name = :value", {":value": {"S": value}}, {"#name": name})

    assert said in whole(type_("show d-LOCALTEST", MESSAGE_LANGUAGE="en"))
    title = {"FAILED": "could not ask for a test", "EXPIRED": "not decided in time"}
    listed = whole(type_("list"))
    assert rf"{title[attributes['status']]}\nCodeDeploy does not know yet" in listed


def test_a_long_history_is_shown_as_far_as_there_is_room(type_: Typist, aws: AwsStandIn) -> None:
    entries = [
        {
            "M": {
                "event": {"S": "claimed"},
                "at": {"S": "2026-11-23T03:00:00+00:00"},
                "by": {"S": by},
            }
        }
        for by in ["U0FIRST", *["<" * 500] * 200, "U0LAST"]
    ]
    change(aws, "SET history = :history", {":history": {"L": entries}})

    text = whole(type_("show d-LOCALTEST"))

    assert "U0LAST" in text
    assert "U0FIRST" not in text


def put_gates(aws: AwsStandIn, number: int) -> None:
    """So many gates more that wait; the later ones have to be decided first."""
    item = aws.items()[0]
    deadline = datetime.fromisoformat(item["deadline"]["S"])
    for one in range(number):
        own = {
            "deployment_id": {"S": f"d-{one:03}"},
            "deadline": {"S": (deadline - one * timedelta(seconds=10)).isoformat()},
            "application": {"S": "<shop>" * 60},
        }
        aws.client("dynamodb").put_item(TableName=TABLE, Item={**item, **own})


def test_what_waits_is_listed_soonest_deadline_first(type_: Typist, aws: AwsStandIn) -> None:
    put_gates(aws, 2)
    type_("approve d-LOCALTEST")

    text = whole(type_("list", MESSAGE_LANGUAGE="en"))

    assert "Waiting: *2*, soonest deadline first" in text
    assert text.index("d-001") < text.index("d-000")
    assert "d-LOCALTEST" not in text
    assert "Decide by: <!date^" in text


def test_nothing_that_waits_is_said(type_: Typist) -> None:
    type_("approve d-LOCALTEST")

    assert "결정을 기다리는 배포가 없습니다." in whole(type_("list"))


def test_a_long_list_is_cut_and_says_how_many_more_there_are(
    type_: Typist, aws: AwsStandIn
) -> None:
    put_gates(aws, 60)

    notice = type_("list", MESSAGE_LANGUAGE="en,ko")

    assert len(notice["blocks"]) == 22
    assert "Waiting: *61*" in whole(notice)
    assert "and 41 more" in whole(notice)
    assert "d-059" in whole(notice)
    assert "d-010" not in whole(notice)


# What goes wrong.


def test_a_forged_command_is_refused_and_touches_nothing(
    type_: Typist, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    posted = len(slack.posts)
    forged = type_.event("approve d-LOCALTEST")
    forged["headers"]["x-slack-signature"] = "v0=" + "0" * 64
    stale = command_form("approve d-LOCALTEST", slack.response_url)

    for event in (forged, url_event(stale, signed(stale, at=1_600_000_000))):
        assert type_.call(event)["statusCode"] == 401
        written = output()
        assert written.metrics == {("ClickRefused", "service=greenlight"): [1]}
        assert "d-LOCALTEST" not in written.text
    assert (aws.operations, aws.reports, len(slack.posts)) == ([], {}, posted)


def test_a_command_that_does_not_say_who_typed_it_is_refused(
    type_: Typist, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    body = b"command=%2Fgreenlight&text=approve+d-LOCALTEST"

    assert type_.call(url_event(body, signed(body)))["statusCode"] == 400

    assert aws.reports == {}
    written = output()
    assert [line["stage"] for line in written.lines] == ["click"]
    assert written.metrics == {("ClickIgnored", "service=greenlight"): [1]}


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("approve d-LOCALTEST", "`/greenlight approve d-LOCALTEST`"),
        ("reject d-LOCALTEST no", "`/greenlight reject d-LOCALTEST why not`"),
    ],
)
def test_codedeploy_cannot_be_told_and_the_same_command_finishes_it(
    text: str, again: str, type_: Typist, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]

    notice = type_(text, MESSAGE_LANGUAGE="en")

    assert "The decision is recorded, but CodeDeploy could not be told" in whole(notice)
    assert f"Type this again in a moment: {again}" in whole(notice)
    assert "Press" not in whole(notice)
    assert output().metrics["DecisionFailed", "service=greenlight"] == [1]
    notice = type_(text, BOB)
    assert gate(aws)["decided_by"] == "U0ALICE"
    assert gate(aws)["reported_at"]
    assert "<@U0ALICE>" in whole(notice)


def test_the_opposite_of_an_unreported_decision_is_told_how_to_finish_it(
    type_: Typist, aws: AwsStandIn
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]
    type_("approve d-LOCALTEST")

    notice = type_("reject d-LOCALTEST no", BOB)

    assert "`/greenlight approve d-LOCALTEST`" in whole(notice)
    assert "버튼" not in whole(notice)
    assert gate(aws)["status"] == "APPROVED"


def test_an_answer_that_was_given_elsewhere_is_found_out(type_: Typist, aws: AwsStandIn) -> None:
    answer_elsewhere(aws, "Failed")

    notice = type_("approve d-LOCALTEST", MESSAGE_LANGUAGE="en")

    assert "CodeDeploy already had an answer from elsewhere" in whole(notice)
    assert "Your decision had no effect" in whole(notice)
    assert (gate(aws)["status"], gate(aws)["decided_via"]) == ("REJECTED", "elsewhere")


def test_an_answer_that_cannot_be_read_is_read_by_the_same_command(
    type_: Typist, aws: AwsStandIn
) -> None:
    answer_elsewhere(aws, "Failed")
    aws.failures["ListDeploymentTargets"] = ["AccessDeniedException"]

    notice = type_("approve d-LOCALTEST")

    assert "그 내용을 읽지 못했습니다(AccessDeniedException)" in whole(notice)
    assert "`/greenlight approve d-LOCALTEST`" in whole(notice)
    type_("approve d-LOCALTEST")
    assert gate(aws)["status"] == "REJECTED"


def test_codedeploy_does_not_know_the_deployment(type_: Typist) -> None:
    del deployments()["d-LOCALTEST"]

    notice = type_("approve d-LOCALTEST", MESSAGE_LANGUAGE="en")

    assert "Trying again changes nothing" in whole(notice)


def test_greenlight_that_may_not_tell_codedeploy_decides_nothing(
    type_: Typist, aws: AwsStandIn
) -> None:
    aws.failures[REPORT] = ["AccessDeniedException"]

    notice = type_("approve d-LOCALTEST")

    assert "codedeploy:PutLifecycleEventHookExecutionStatus" in whole(notice)
    assert gate(aws)["status"] == "WAITING"


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem"])
def test_the_table_that_cannot_be_used_decides_nothing(
    operation: str, type_: Typist, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    aws.failures[operation] = ["AccessDeniedException"] * 9

    notice = type_("approve d-LOCALTEST")

    assert "결정을 처리하지 못했습니다" in whole(notice)
    assert "AccessDeniedException" in whole(notice)
    assert aws.reports == {}
    written = output()
    assert [line["stage"] for line in written.failures] == ["table"]
    assert written.metrics["DecisionFailed", "service=greenlight"] == [1]


@pytest.mark.parametrize(
    ("text", "operation"), [("show d-LOCALTEST", "GetItem"), ("list", "Query")]
)
def test_what_cannot_be_looked_up_is_said(
    text: str, operation: str, type_: Typist, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    aws.failures[operation] = ["AccessDeniedException"] * 9

    notice = type_(text, MESSAGE_LANGUAGE="en")

    assert "This could not be looked up (DynamoDB" in whole(notice)
    assert "AccessDeniedException" in whole(notice)
    written = output()
    assert [line["stage"] for line in written.failures] == ["table"]
    assert written.metrics["ClickFailed", "service=greenlight", "stage=table"] == [1]
    assert ("DecisionFailed", "service=greenlight") not in written.metrics


def test_a_table_without_the_index_cannot_list_and_says_what_to_do(
    type_: Typist, aws: AwsStandIn
) -> None:
    without_index(aws)

    notice = type_("list", MESSAGE_LANGUAGE="en")

    assert f"The table `{TABLE}` has no index `status-deadline`" in whole(notice)
    assert "update the stack, or add the index as docs/deploy.md says" in whole(notice)
    assert "d-LOCALTEST" in whole(type_("show d-LOCALTEST"))
    type_("approve d-LOCALTEST")
    assert aws.reports == {HOOK: "Succeeded"}


def test_slack_that_does_not_take_the_answer_leaves_the_decision_as_it_is(
    type_: Typist, slack: SlackStandIn, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    slack.script.append(Answer(404, "used_url"))

    type_("approve d-LOCALTEST")

    assert aws.reports == {HOOK: "Succeeded"}
    assert output().metrics["MessageNotReplaced", "service=greenlight"] == [1]


def test_a_command_without_settings_is_an_error_that_names_them(
    type_: Typist, aws: AwsStandIn
) -> None:
    with pytest.raises(SettingsError, match="APPROVERS must be Slack user ids"):
        type_.call(type_.event("approve d-LOCALTEST"), APPROVERS="@alice")

    assert aws.reports == {}


def test_a_decision_of_a_killed_command_is_finished_by_the_next(
    type_: Typist, aws: AwsStandIn
) -> None:
    change(
        aws,
        "SET #status = :status, decided_by = :by, decided_via = :via",
        {":status": {"S": "APPROVED"}, ":by": {"S": "U0BOB"}, ":via": {"S": "slack"}},
        {"#status": "status"},
    )

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=16)):
        notice = type_("approve d-LOCALTEST")

    assert aws.reports == {HOOK: "Succeeded"}
    assert "<@U0BOB>" in whole(notice)


@settings(max_examples=100)
@given(text=st.text(), name=st.text(max_size=50))
def test_whatever_is_typed_is_answered_with_what_slack_takes(
    text: str, name: str, type_: Typist, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    body = command_form(
        text.encode(errors="replace").decode(),
        type_.slack.response_url,
        command=f"/{name.encode(errors='replace').decode()}",
    )
    known = len(type_.slack.responses)

    assert type_.call(url_event(body, signed(body)))["statusCode"] == 200

    (notice,) = type_.slack.responses[known:]
    assert refused(notice) == []
    assert aws.reports == {}
    output()
