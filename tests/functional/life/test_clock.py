"""Moments: people are reminded while they can still decide, and what nobody decides is ended."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from greenlight.model.errors import (
    DecisionDeniedError,
    DecisionMootError,
    DecisionUnreportedError,
    EngineError,
    EventError,
    GateBusyError,
    SettingsError,
    SlackError,
    TableError,
    TooEarlyError,
)
from stand_ins.clicks import ALICE, BOB, form, payload, signed, url_event
from stand_ins.codedeploy import REGION, deployments
from stand_ins.slack import CHANNEL, Answer, broken_limits, refusal
from tests.conftest import load_event
from tests.functional.conftest import Output
from tests.functional.helpers import change
from tests.functional.life.release import (
    EVENT,
    GROUP,
    HOOK,
    ID,
    NOW,
    REPORT,
    Release,
)

REMINDER, END = load_event("clock/reminder"), load_event("clock/end")
WATCH = load_event("clock/watch")
DECIDE_BY = NOW + timedelta(minutes=57)


def lose_updates(release: Release, when: Callable[[list[str]], bool]) -> None:
    """Has updates of the table be lost, once what was called is so."""
    seen: list[str] = []

    def is_lost(operation: str) -> bool:
        seen.append(operation)
        return operation == "UpdateItem" and when(seen)

    release.aws.before = is_lost


def after(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


# Which moments are set.


def test_moments_are_set_once_people_were_told(release: Release) -> None:
    release.open()

    assert release.moments() == [(after(42), REMINDER), (after(57), END)]
    assert release.watches() == [(after(60), WATCH)]
    for schedule in release.aws.schedules():
        assert schedule["GroupName"] == GROUP
        assert schedule["ScheduleExpressionTimezone"] == "UTC"
        assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
        assert schedule["ActionAfterCompletion"] == "DELETE"
        target = schedule["Target"]
        assert target["Arn"] == f"arn:aws:lambda:{REGION}:123456789012:function:clock"
        assert target["RoleArn"] == "arn:aws:iam::123456789012:role/moments"
        assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] <= 600
    assert release.item["decide_by"] == DECIDE_BY.isoformat()
    assert "Greenlight rejects the deployment" in release.messages[0].text


def test_a_gate_that_nobody_was_told_of_has_no_moments(release: Release) -> None:
    release.post_by("bot")
    release.slack.script += [refusal("service_unavailable")]
    with pytest.raises(SlackError):
        release.call("hook", EVENT)

    release.follow()

    assert release.aws.schedules() == []


@pytest.mark.parametrize(
    ("within", "before", "expected"),
    [
        ("30", "15", [(15, "reminder"), (30, "end")]),
        ("30", "20, 5,10", [(10, "reminder"), (20, "reminder"), (25, "reminder"), (30, "end")]),
        ("30", "30,31,60", [(30, "end")]),
        ("30", "", [(30, "end")]),
        ("2", "1", [(1, "reminder"), (2, "end")]),
        ("600", "15", [(42, "reminder"), (57, "end")]),
    ],
    ids=["sooner", "several", "past ones", "none", "at once", "later than the engine"],
)
def test_moments_are_those_of_the_settings_that_are_ahead(
    within: str, before: str, expected: list[tuple[int, str]], release: Release
) -> None:
    release.open(DECIDE_WITHIN_MINUTES=within, REMIND_MINUTES_BEFORE=before)

    found = [(at, event["due"]) for at, event in release.moments()]
    assert found == [(after(minutes), due) for minutes, due in expected]


@pytest.mark.parametrize("within", ["", "2"])
def test_a_hook_that_came_so_late_that_nobody_has_time_is_left_to_codedeploy(
    within: str, release: Release
) -> None:
    deployments()[ID].hook["startTime"] = after(-55)

    release.open(DECIDE_WITHIN_MINUTES=within, REMIND_MINUTES_BEFORE="1")

    assert [(at, event["due"]) for at, event in release.moments()] == [(after(4), "reminder")]
    assert "CodeDeploy fails the deployment" in release.messages[0].text


def test_moments_are_the_same_however_often_they_are_set(
    release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    names = [one["Name"] for one in release.aws.schedules()]
    output()

    for record in release.aws.changes:
        release.call("changes", {"Records": [record]})

    assert [one["Name"] for one in release.aws.schedules()] == names
    assert "MomentNotSet" not in str(output().metrics)
    assert len(set(names)) == 3
    assert all(name.startswith(ID) and len(name) <= 64 for name in names)


@pytest.mark.parametrize("code", ["ServiceQuotaExceededException", "AccessDeniedException"])
def test_moments_that_cannot_be_set_cost_nothing_else(
    code: str, release: Release, output: Callable[[], Output]
) -> None:
    release.aws.failures["CreateSchedule"] = [code] * 2

    release.open()

    written = output()
    assert '"MomentNotSet":[1.0,1.0]' in written.text
    assert code in written.text
    assert written.failures == []
    assert [one["Detail"] for one in release.aws.published], "machines hear of it all the same"
    release.greenlight("approve", ID)
    release.follow()
    assert release.messages[0].buttons == []


def test_moments_that_are_over_when_a_change_is_followed_come_soon(release: Release) -> None:
    """Scheduler may refuse them; reminders that are over are none."""
    release.post_by("bot")
    release.call("hook", EVENT)
    release.at(after(58))

    release.follow()

    assert release.moments() == [(after(57) + timedelta(seconds=70), END)]


def test_a_decision_that_is_followed_late_is_looked_at_soon(release: Release) -> None:
    release.open()
    release.aws.failures[REPORT] = ["ThrottlingException"] * 9
    release.click("approve")
    release.later(minutes=5)

    release.follow()

    assert [at for at, _ in release.moments("look")] == [NOW + timedelta(seconds=560)]


def test_a_scheduler_that_cannot_be_reached_costs_nothing_else(
    release: Release, output: Callable[[], Output]
) -> None:
    release.open(AWS_ENDPOINT_URL_SCHEDULER="http://127.0.0.1:9")

    assert "MomentNotSet" in output().text
    assert release.messages[0].buttons


def test_where_no_moments_are_set_up_nothing_is_promised(
    release: Release, output: Callable[[], Output]
) -> None:
    release.open(SCHEDULE_GROUP=None)

    assert release.moments() == []
    assert "decide_by" not in release.item
    assert "CodeDeploy fails the deployment" in release.messages[0].text
    assert "CreateSchedule" not in release.aws.operations
    assert output().failures == []


def test_a_click_without_moments_is_shown_by_what_comes_next(release: Release) -> None:
    release.open("webhook", SCHEDULE_GROUP=None)
    release.slack.script += [Answer(500, "oops")] * 3
    release.click("approve")
    release.follow()

    assert release.moments() == []
    assert len(release.messages) == 1


# People are reminded.


@pytest.mark.parametrize("way", ["bot", "webhook", "failing", "lost"])
def test_people_are_reminded_once(way: str, release: Release, output: Callable[[], Output]) -> None:
    asked = release.open(way, APPROVERS="U0ALICE,U0BOB")
    output()

    assert release.moment("reminder") == "reminded"

    assert output().metrics["GateReminded", "service=greenlight"] == [1]
    said = release.slack.shown[-1]
    assert said is not asked
    assert "*15 min* left to decide" in said.text
    assert "2026-11-23 03:57 UTC" in said.text
    assert "For <@U0ALICE>, <@U0BOB>" in said.text
    assert "still waiting" in said.content["text"], "it is what a notification shows"
    assert broken_limits(said.content) == []
    if way == "bot":
        assert (said.under, said.is_broadcast) == (asked.ts, True)
    else:
        assert said.under is None
    assert way != "webhook" or len(said.buttons) == 3
    assert release.item["reminded_for"] == after(42).isoformat()
    assert release.history[-1] == "reminded"
    assert "show_until" not in release.item
    release.follow()

    assert release.call("clock", REMINDER)["body"]["outcome"] == "nothing"
    assert release.slack.shown[-1] is said, "a moment that comes twice reminds once"


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_a_reminder_can_be_decided_by_too(way: str, release: Release) -> None:
    asked = release.open(way)
    release.moment("reminder")
    release.follow()

    release.click("approve", release.messages[-1])
    release.follow()

    assert release.messages[-1].buttons == []
    assert (asked.buttons == []) is (way == "bot")


def test_each_of_several_reminders_says_how_long_is_left(release: Release) -> None:
    asked = release.open(REMIND_MINUTES_BEFORE="30,10,1")
    moments = release.moments("reminder")
    assert len(moments) == 3

    for at, event in moments:
        release.at(at)
        assert release.call("clock", event)["body"]["outcome"] == "reminded"

    left = [
        one.text.partition(" min*")[0].rpartition("*")[2] for one in release.slack.thread(asked)
    ]
    assert left == ["30", "10", "1"]


def test_a_reminder_that_comes_after_the_next_one_is_not_said(release: Release) -> None:
    asked = release.open(REMIND_MINUTES_BEFORE="30,10")
    (_, first), (at, second) = release.moments("reminder")
    release.at(at)

    done = [release.call("clock", event)["body"]["outcome"] for event in (second, first)]

    assert done == ["reminded", "nothing"]
    assert len(release.slack.thread(asked)) == 1


@pytest.mark.parametrize("early", [10, 11])
def test_a_reminder_before_its_time_is_none(early: int, release: Release) -> None:
    """The clocks of AWS and of a function differ by seconds."""
    release.open()
    release.at(after(42) - timedelta(seconds=early))

    done = release.call("clock", REMINDER)["body"]["outcome"]

    assert done == ("reminded" if early == 10 else "nothing")


def test_people_who_were_told_after_that_moment_are_not_reminded(release: Release) -> None:
    release.post_by("bot")
    release.slack.script += [refusal("service_unavailable")]
    with pytest.raises(SlackError):
        release.call("hook", EVENT)
    release.later(minutes=43)
    release.call("hook", EVENT)
    release.follow()
    assert release.moments("reminder") == []

    assert release.call("clock", REMINDER)["body"]["outcome"] == "nothing"


@pytest.mark.parametrize(
    "end", ["decided", "over", "none set", "gone", "replaced", "answered elsewhere"]
)
def test_nobody_is_reminded_of_what_does_not_wait(
    end: str, release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.at(after(42))
    if end == "decided":
        release.greenlight("approve", ID)
    if end == "over":
        release.at(DECIDE_BY)
    if end == "answered elsewhere":
        release.answer_elsewhere("Succeeded")
    if end == "none set":
        release.environ["REMIND_MINUTES_BEFORE"] = ""
    if end == "gone":
        key = {"deployment_id": {"S": ID}}
        release.aws.client("dynamodb").delete_item(TableName="gates", Key=key)
    event = {**REMINDER, "hook_execution_id": "another"} if end == "replaced" else REMINDER
    said = len(release.slack.shown)
    output()

    assert release.call("clock", event)["body"]["outcome"] == "nothing"

    assert len(release.slack.shown) == said
    assert output().failures == []


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_what_was_answered_with_the_aws_cli_is_shown_when_people_would_be_reminded(
    way: str, release: Release
) -> None:
    release.open(way)
    release.answer_elsewhere("Succeeded")

    assert release.moment("reminder") == "nothing"
    release.follow()

    item = release.item
    assert (item["status"], item["decided_via"]) == ("APPROVED", "elsewhere")
    assert "🚀" in release.messages[-1].text
    assert release.messages[-1].buttons == []


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_what_was_answered_with_the_aws_cli_is_shown_within_a_minute(
    way: str, release: Release
) -> None:
    release.open(way)
    assert release.watch() == "watched"
    release.answer_elsewhere("Succeeded")

    assert release.watch() == "settled"
    release.follow()

    item = release.item
    assert (item["status"], item["decided_via"]) == ("APPROVED", "elsewhere")
    assert "🚀" in release.messages[-1].text
    assert release.messages[-1].buttons == []
    assert release.watch() == "watched"
    assert release.follow() == 0


def test_what_was_decided_at_a_terminal_and_answered_with_the_aws_cli_is_shown_within_a_minute(
    release: Release,
) -> None:
    """CodeDeploy took no answer of the terminal's, and somebody helped themselves."""
    release.open("bot")
    release.aws.failures[REPORT] = ["ThrottlingException"] * 9
    assert release.greenlight("approve", ID).exit_code == 5
    release.aws.failures.clear()
    release.answer_elsewhere("Succeeded")

    release.later(minutes=1)
    assert release.watch() == "settled"
    release.follow()

    assert release.item["status"] == "APPROVED"
    assert release.history[-1] == "reported"
    assert "🚀" in release.messages[-1].text
    assert release.messages[-1].buttons == []


@pytest.mark.parametrize(
    ("code", "level"),
    [("AccessDeniedException", "WARNING"), ("DeploymentDoesNotExistException", "INFO")],
    ids=["denied", "tried by hand"],
)
def test_that_the_watch_may_not_look_is_in_the_log(
    code: str, level: str, release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.aws.failures["ListDeploymentTargets"] = [code]
    output()

    assert release.watch() == "watched"

    told = [one for one in output().lines if "cannot be read" in str(one.get("message"))]
    assert [one["level"] for one in told] == [level]


@pytest.mark.parametrize("refused", ["ListDeploymentTargets", "GetDeploymentTarget"])
def test_what_codedeploy_does_not_say_is_asked_again_a_minute_later(
    refused: str, release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.answer_elsewhere("Succeeded")
    release.aws.failures[refused] = ["ThrottlingException"] * 9
    output()

    assert release.watch() == "watched"
    assert output().failures == []

    release.aws.failures.clear()
    assert release.watch() == "settled"


@pytest.mark.parametrize("refused", ["GetItem", "UpdateItem"])
def test_what_the_table_refuses_of_a_watched_gate_is_tried_again_a_minute_later(
    refused: str, release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.answer_elsewhere("Succeeded")
    release.aws.failures[refused] = ["InternalServerError"] * 9
    output()

    assert release.watch() == "nothing"
    assert output().failures == []

    release.aws.failures.clear()
    assert release.watch() == "settled"


def test_a_gate_that_is_gone_is_watched_by_nobody(release: Release) -> None:
    release.open()
    event = {**WATCH, "hook_execution_id": "another"}

    assert release.call("clock", event)["body"]["outcome"] == "watched"

    assert release.item["status"] == "WAITING"


def test_a_decision_that_is_on_its_way_is_none_of_the_watch(release: Release) -> None:
    release.open()
    release.aws.failures[REPORT] = ["ThrottlingException"] * 3
    release.click("approve")

    assert release.watch() == "watched"

    assert release.aws.reports == {}
    assert release.item["status"] == "APPROVED"


def test_a_gate_that_codedeploy_has_given_up_is_not_watched(release: Release) -> None:
    release.call("hook", EVENT)
    release.later(minutes=61)

    release.follow()

    assert release.watches() == []


def test_where_codedeploy_does_not_say_people_are_reminded(release: Release) -> None:
    release.open()
    release.aws.failures["ListDeploymentTargets"] = ["ThrottlingException"] * 9

    assert release.moment("reminder") == "reminded"


@pytest.mark.parametrize("way", ["bot", "webhook"])
@pytest.mark.parametrize(
    ("approvers", "is_alone"),
    [(None, True), ("U0ALICE,U0BOB", True), ("U0ALICE", False)],
    ids=["anybody", "an approver", "no approver"],
)
def test_who_is_testing_is_reminded_alone_if_they_can_decide(
    approvers: str | None,
    is_alone: bool,  # noqa: FBT001
    way: str,
    release: Release,
) -> None:
    release.open(way, APPROVERS=approvers)
    release.click("claim", user=BOB)
    release.follow()

    release.moment("reminder")

    said = release.slack.shown[-1]
    assert "<@U0BOB>" in said.text
    assert ("<@U0ALICE>" in said.text) is not is_alone
    if way == "bot":
        assert said.is_broadcast is not is_alone


def test_a_decision_that_comes_while_people_are_reminded_is_shown(release: Release) -> None:
    asked = release.open()
    release.slack.meanwhile.append(lambda: release.greenlight("approve", ID))

    assert release.moment("reminder") == "reminded"
    release.follow()

    assert "approved" in asked.text
    assert release.history == ["opened", "notified", "decided", "reported", "reminded"]


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_what_a_webhook_said_last_is_true_where_somebody_decides_about_when_it_reminds(
    verdict: str, moment: str, release: Release
) -> None:
    """A click changes the message that was clicked, and there are two."""
    asked = release.open("webhook")
    if moment == "before":
        release.slack.meanwhile.append(lambda: release.click(verdict, asked))
    assert release.moment("reminder") == "reminded"
    if moment == "after":
        release.click(verdict, asked)

    release.follow()

    assert asked.buttons == []
    last = release.slack.shown[-1]
    assert last.buttons == []
    assert ("approved" if verdict == "approve" else "rejected") in last.content["text"]
    assert len(release.slack.shown) == 3


def test_a_reminder_that_another_try_has_said_meanwhile_is_not_said_again(
    release: Release,
) -> None:
    release.open()
    release.meanwhile(reminded_for=after(42).isoformat())

    assert release.moment("reminder") == "nothing"

    assert len(release.slack.shown) == 1
    assert "show_until" not in release.item


def test_a_reminder_that_slack_does_not_take_is_tried_again(
    release: Release, output: Callable[[], Output]
) -> None:
    asked = release.open()
    release.slack.channels[CHANNEL] = "is_archived"
    with pytest.raises(SlackError):
        release.moment("reminder")
    assert "ClockFailed" in str(output().metrics)

    release.slack.channels[CHANNEL] = None
    assert release.call("clock", REMINDER)["body"]["outcome"] == "reminded"

    assert len(release.slack.thread(asked)) == 1


def test_a_reminder_that_slack_may_have_taken_is_said_again_after_its_lease(
    release: Release,
) -> None:
    asked = release.open()
    release.slack.script += [Answer(None)] * 3
    with pytest.raises(SlackError):
        release.moment("reminder")
    with pytest.raises(GateBusyError):
        release.call("clock", REMINDER)

    release.later(minutes=1)
    assert release.call("clock", REMINDER)["body"]["outcome"] == "reminded"

    assert len(release.slack.thread(asked)) == 1


def test_a_reminder_that_slack_refuses_with_its_image_is_plainer(release: Release) -> None:
    release.open("webhook")
    release.slack.script.append(Answer(400, "invalid_blocks"))

    assert release.moment("reminder") == "reminded"

    assert "image" not in {block["type"] for block in release.messages[-1].content["blocks"]}


def test_a_reminder_under_a_message_that_was_deleted_stands_by_itself(release: Release) -> None:
    asked = release.open()
    release.slack.shown.remove(asked)

    release.moment("reminder")

    (said,) = release.slack.shown
    assert said.under is None


# What somebody decided, and CodeDeploy does not know, is carried there.


@pytest.mark.parametrize(
    ("by", "verdict"), [("click", "approve"), ("click", "reject"), ("command", "reject")]
)
@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_a_decision_that_nobody_presses_again_is_carried_on_a_minute_later(
    by: str, way: str, verdict: str, release: Release, output: Callable[[], Output]
) -> None:
    asked = release.open(way)
    release.aws.failures[REPORT] = ["ThrottlingException"] * 9
    release.click(verdict) if by == "click" else release.greenlight(verdict, ID, "--reason", "-")
    assert "reported_at" not in release.item
    release.aws.failures.clear()

    release.follow()
    release.follow()  # also of a change of its lease
    assert [at for at, _ in release.moments("look")] == [NOW + timedelta(seconds=70)]
    output()
    assert release.moment("look") == "finished"

    is_approved = verdict == "approve"
    assert release.aws.reports == {HOOK: "Succeeded" if is_approved else "Failed"}
    counted = "GateApproved" if is_approved else "GateRejected"
    assert output().metrics[counted, "service=greenlight"] == [1]
    assert release.history == ["opened", "notified", "decided", "reported"]
    if way == "bot":
        release.follow()
        assert asked.buttons == []
        assert "U0ALICE" in asked.text or by == "command"


def test_a_webhook_s_message_says_it_when_no_click_can_be_at_it_any_more(release: Release) -> None:
    release.open("webhook")
    release.aws.failures[REPORT] = ["ThrottlingException"] * 9
    release.click("approve")
    release.aws.failures.clear()
    release.follow()

    assert release.moment("look") == "finished"
    release.follow()

    assert len(release.messages) == 2
    assert "🚀" in release.messages[-1].text
    assert release.messages[-1].buttons == []
    assert len(release.moments("look")) == 1, "no click has to be waited for"


def test_where_the_table_does_not_take_that_it_is_said_a_minute_later(release: Release) -> None:
    release.open("webhook")
    release.aws.failures[REPORT] = ["ThrottlingException"] * 9
    release.click("approve")
    release.aws.failures.clear()
    release.follow()
    lose_updates(release, lambda seen: seen.count("UpdateItem") > 2)  # the lease, and the report

    assert release.moment("look") == "finished"
    release.aws.before = lambda _: None
    release.follow()

    assert len(release.messages) == 1
    _, (at, event) = release.moments("look")
    release.at(at)
    assert release.call("clock", event)["body"]["outcome"] == "looked"
    assert at == NOW + timedelta(seconds=140)
    assert len(release.messages) == 2


@pytest.mark.parametrize("due", ["look", "reminder", "end"])
def test_each_moment_that_comes_carries_it_on(due: str, release: Release) -> None:
    release.open()
    release.aws.failures[REPORT] = ["ThrottlingException"] * 9
    release.click("approve")
    release.follow()
    said = len(release.slack.shown)
    with pytest.raises(DecisionUnreportedError):
        release.moment("look")
    release.aws.failures.clear()
    release.later(minutes=1)

    assert release.moment(due) == "finished"

    release.follow()
    assert release.aws.reports == {HOOK: "Succeeded"}
    assert len(release.slack.shown) == said, "nobody is reminded of what is decided"


def test_a_decision_that_is_still_being_carried_is_left_to_who_does(release: Release) -> None:
    release.open()
    release.aws.failures[REPORT] = ["ThrottlingException"] * 9
    release.click("approve")
    release.follow()
    release.aws.failures.clear()
    ((at, event),) = release.moments("look")
    release.at(at)
    release.meanwhile(report_until=(at + timedelta(seconds=30)).isoformat(), report_holder="other")

    with pytest.raises(GateBusyError):
        release.call("clock", event)

    assert release.aws.reports == {}
    release.later(minutes=1)
    assert release.call("clock", event)["body"]["outcome"] == "finished"


def test_one_that_was_carried_meanwhile_is_not_carried_again(release: Release) -> None:
    release.open()
    release.aws.failures[REPORT] = ["ThrottlingException"] * 9
    release.click("approve")
    release.follow()
    release.aws.failures.clear()
    ((at, event),) = release.moments("look")
    release.at(at)
    release.meanwhile(reported_at=at.isoformat())

    assert release.call("clock", event)["body"]["outcome"] == "stands"

    assert REPORT not in release.aws.operations[-3:]


@pytest.mark.parametrize("due", ["reminder", "end"])
def test_an_approval_at_a_terminal_is_carried_on_by_the_end_only(
    due: str, release: Release
) -> None:
    """Whether its maker may answer hooks, CodeDeploy has not said yet."""
    release.open()
    release.aws.failures[REPORT] = ["AccessDeniedException"]
    lose_updates(release, lambda seen: REPORT in seen)
    assert release.greenlight("approve", ID).exit_code == 5
    release.aws.before = lambda _: None
    release.follow()

    assert release.moments("look") == []
    assert release.moment(due) == ("finished" if due == "end" else "nothing")
    assert release.aws.reports == ({HOOK: "Succeeded"} if due == "end" else {})


def test_that_codedeploy_knows_and_the_table_does_not_is_written_down_by_the_next_try(
    release: Release,
) -> None:
    asked = release.open()
    release.aws.failures[REPORT] = ["ThrottlingException"] * 9
    release.click("approve")
    release.aws.failures.clear()
    release.follow()
    lose_updates(release, lambda seen: REPORT in seen)
    with pytest.raises(TableError):
        release.moment("look")
    assert release.aws.reports == {HOOK: "Succeeded"}
    release.aws.before = lambda _: None
    release.later(minutes=1)
    ((_, event),) = release.moments("look")

    assert release.call("clock", event)["body"]["outcome"] == "finished"
    release.follow()

    assert release.history == ["opened", "notified", "decided", "reported"]
    assert asked.buttons == []


def test_a_hook_that_was_tried_by_hand_ends_in_silence(
    release: Release, output: Callable[[], Output]
) -> None:
    """CodeDeploy does not know it, and nobody has to be woken up."""
    deployments().clear()
    release.open()
    release.click("approve")
    release.follow()

    done = [release.moment(due) for due in ("look", "reminder", "end")]

    assert done == ["stands"] * 3
    assert "ClockFailed" not in output().text


def test_an_answer_that_cannot_be_read_at_the_end_is_read_by_the_next_try(
    release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.answer_elsewhere("Succeeded")
    release.aws.failures["GetDeploymentTarget"] = ["ThrottlingException"] * 9
    with pytest.raises(DecisionMootError):
        release.moment("end")
    assert "ClockFailed" in str(output().metrics)
    release.aws.failures.clear()
    release.later(minutes=1)

    assert release.call("clock", END)["body"]["outcome"] == "settled"

    assert (release.item["status"], release.item["decided_via"]) == ("APPROVED", "elsewhere")


def test_what_takes_long_sets_few_moments(release: Release) -> None:
    """A change that cannot be followed is tried again for an hour."""
    release.post_by("bot")
    release.call("hook", EVENT)
    release.aws.failures["GetDeployment"] = ["ThrottlingException"] * 999
    release.aws.failures[REPORT] = ["ThrottlingException"] * 999
    release.click("approve")
    for _ in range(50):
        release.later(minutes=1)
        with pytest.raises(EngineError):
            release.follow()

    seconds = [(at - NOW).total_seconds() for at, _ in release.moments("look")]
    assert seconds == [70, 140, 280, 560, 1120, 2240, 4480]


# What nobody decides is ended.


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_what_nobody_has_decided_is_rejected_once(
    way: str, release: Release, output: Callable[[], Output]
) -> None:
    release.open(way)
    output()

    assert release.moment("end") == "made"
    assert release.call("clock", END)["body"]["outcome"] == "stands"
    release.follow()
    assert release.call("clock", END)["body"]["outcome"] == "stands"

    assert release.aws.reports == {HOOK: "Failed"}
    assert release.aws.operations.count(REPORT) == 1
    item = release.item
    assert (item["status"], item["decided_via"]) == ("EXPIRED", "clock")
    assert item["decided_at"] == DECIDE_BY.isoformat()
    assert "decided_by" not in item
    assert release.history == ["opened", "notified", "expired", "reported"]
    assert output().text.count('"GateExpired":[1.0]') == 1
    news = [one for one in release.slack.shown if "not decided in time" in one.text]
    assert len(news) == (2 if way == "bot" else 1), "in the message, and in its thread"
    assert "Greenlight rejected the deployment" in news[-1].text


def test_the_command_says_what_the_clock_did(release: Release) -> None:
    release.open()
    release.moment("end")

    shown = release.greenlight("show", ID)
    again = release.greenlight("approve", ID)

    assert "EXPIRED" in shown.stdout
    assert again.exit_code == 4


@pytest.mark.parametrize("early", [10, 11])
def test_nothing_is_ended_too_early(
    early: int, release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.at(DECIDE_BY - timedelta(seconds=early))

    if early == 10:
        assert release.call("clock", END)["body"]["outcome"] == "made"
        return
    with pytest.raises(TooEarlyError) as failed:
        release.call("clock", END)

    assert failed.value.stage == "clock"
    assert DECIDE_BY.isoformat() in str(failed.value)
    assert output().metrics["ClockFailed", "service=greenlight", "stage=clock"] == [1]
    assert (release.item["status"], release.aws.reports) == ("WAITING", {})


def test_where_greenlight_ends_no_gate_codedeploy_s_time_is_kept(release: Release) -> None:
    """A moment that was set before the setting was taken away."""
    release.open(SCHEDULE_GROUP=None)
    release.at(DECIDE_BY)

    with pytest.raises(TooEarlyError):
        release.call("clock", END)


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_click_in_the_second_of_the_end_has_one_winner(verdict: str, release: Release) -> None:
    asked = release.open()
    body = form(payload(asked.content, f"greenlight_{verdict}", release.slack.url_of_click(asked)))
    release.at(DECIDE_BY)
    click = url_event(body, signed(body))
    both_ready = threading.Barrier(2)
    answers: list[Any] = []

    def call(function: str, event: Any) -> None:
        both_ready.wait()
        try:
            answers.append(release.call(function, event))
        except GateBusyError as exc:  # the other one is at it
            answers.append(exc)

    threads = [
        threading.Thread(target=call, args=one) for one in (("decision", click), ("clock", END))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 2
    release.follow()
    release.later(minutes=1)
    release.call("clock", END)
    release.follow()
    statuses = {"approve": "APPROVED", "reject": "REJECTED"}
    status = release.item["status"]
    assert status in ("EXPIRED", statuses[verdict])
    assert release.aws.operations.count(REPORT) == 1
    is_approved = status == "APPROVED"
    assert release.aws.reports == {HOOK: "Succeeded" if is_approved else "Failed"}
    assert release.history in (
        ["opened", "notified", "decided", "reported"],
        ["opened", "notified", "expired", "reported"],
    )
    assert ("U0ALICE" in asked.text) is (status != "EXPIRED")
    assert asked.buttons == []


def test_an_end_that_codedeploy_did_not_take_is_brought_there_by_the_next_try(
    release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.aws.failures[REPORT] = ["ServiceUnavailableException"]
    with pytest.raises(DecisionUnreportedError):
        release.moment("end")
    written = output()
    assert written.metrics["ClockFailed", "service=greenlight", "stage=codedeploy"] == [1]
    assert release.item["status"] == "EXPIRED"
    release.follow()
    assert len(release.messages[0].buttons) == 3, "what CodeDeploy does not know is not shown"
    release.later(minutes=1)

    assert release.call("clock", END)["body"]["outcome"] == "finished"
    release.follow()

    assert release.aws.reports == {HOOK: "Failed"}
    assert "reported_at" in release.item
    assert "not decided in time" in release.messages[0].text


def test_a_click_while_the_end_is_on_its_way_is_told_so(release: Release) -> None:
    asked = release.open()
    release.aws.failures[REPORT] = ["ServiceUnavailableException"]
    with pytest.raises(DecisionUnreportedError):
        release.moment("end")

    release.click("approve", asked)

    (notice,) = release.slack.responses
    assert notice["response_type"] == "ephemeral"
    assert release.aws.reports == {}
    assert release.item["status"] == "EXPIRED"


def test_an_end_that_may_not_be_reported_lets_the_gate_wait(release: Release) -> None:
    release.open()
    release.aws.failures[REPORT] = ["AccessDeniedException"]
    with pytest.raises(DecisionDeniedError):
        release.moment("end")
    assert release.item["status"] == "WAITING"

    release.click("approve")

    assert release.item["status"] == "APPROVED"
    assert release.history == ["opened", "notified", "expired", "denied", "decided", "reported"]


@pytest.mark.parametrize(("answer", "status"), [("Succeeded", "APPROVED"), ("Failed", "REJECTED")])
def test_a_gate_that_was_answered_elsewhere_is_brought_in_line(
    answer: str, status: str, release: Release
) -> None:
    asked = release.open()
    release.answer_elsewhere(answer)

    assert release.moment("end") == "settled"
    release.follow()

    assert (release.item["status"], release.item["decided_via"]) == (status, "elsewhere")
    assert release.aws.reports == {HOOK: answer}
    assert "CodeDeploy itself" in asked.text


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_decision_that_was_left_unreported_is_carried_to_codedeploy(
    verdict: str, release: Release
) -> None:
    asked = release.open()
    release.aws.failures[REPORT] = ["ServiceUnavailableException"]
    release.click(verdict, reason="why not")
    release.follow()
    assert release.aws.reports == {}

    assert release.moment("end") == "finished"
    release.follow()

    assert release.aws.reports == {HOOK: "Succeeded" if verdict == "approve" else "Failed"}
    assert release.item["decided_by"] == ALICE[0]
    assert "<@U0ALICE>" in asked.text
    assert asked.buttons == []


def test_a_decision_that_is_on_its_way_to_codedeploy_is_left_alone(
    release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.at(DECIDE_BY)
    release.aws.failures[REPORT] = ["ThrottlingException"] * 3
    release.click("approve")
    lease = {":until": {"S": after(57.25).isoformat()}, ":holder": {"S": "another try"}}
    change(release.aws, "SET report_until = :until, report_try_id = :holder", lease)
    output()

    with pytest.raises(GateBusyError):
        release.call("clock", END)

    assert output().failures == [], "it is tried again, and may well be there by then"
    assert release.item["status"] == "APPROVED"
    release.later(minutes=1)
    assert release.call("clock", END)["body"]["outcome"] == "finished"


@pytest.mark.parametrize("due", ["look", "end"])
def test_a_click_that_came_just_now_by_some_clock_is_looked_at_again(
    due: str, release: Release, output: Callable[[], Output]
) -> None:
    """Who reported it has a clock that is ahead; and the click died before it was shown."""
    release.open("webhook")
    release.slack.script += [Answer(500, "error")] * 6
    release.click("approve")
    release.slack.script.clear()
    release.follow()
    ((at, event),) = release.moments(due)
    ahead = (at + timedelta(seconds=10)).isoformat()
    change(release.aws, "SET reported_at = :at REMOVE shown", {":at": {"S": ahead}})
    release.at(at)
    output()

    with pytest.raises(GateBusyError):
        release.call("clock", event)

    assert output().failures == [], "Lambda tries again"
    release.later(seconds=75)
    release.call("clock", event)
    assert "🚀" in release.messages[-1].text
    assert len(release.messages) == 2


# What is no moment.


@pytest.mark.parametrize(
    ("event", "named"),
    [
        (None, ["event"]),
        ([], ["event"]),
        ({}, ["due", "deployment_id", "hook_execution_id"]),
        ({**END, "due": "later"}, ["due"]),
        ({**END, "due": None}, ["due"]),
        ({**END, "deployment_id": "<!channel>"}, ["deployment_id"]),
        ({**END, "hook_execution_id": "$(id)"}, ["hook_execution_id"]),
    ],
)
def test_what_is_no_moment_is_refused(
    event: Any, named: list[str], release: Release, output: Callable[[], Output]
) -> None:
    release.post_by("bot")

    with pytest.raises(EventError) as failed:
        release.call("clock", event)

    assert list(failed.value.keys) == named
    assert output().metrics["ClockFailed", "service=greenlight", "stage=event"] == [1]
    assert release.slack.calls == []


def test_a_moment_of_what_is_gone_does_nothing(release: Release) -> None:
    release.post_by("bot")

    for due in ("reminder", "end", "look"):
        assert release.call("clock", load_event(f"clock/{due}"))["body"]["outcome"] == "nothing"

    assert release.aws.reports == {}


def test_a_moment_of_an_older_hook_leaves_the_gate_alone(release: Release) -> None:
    release.open()
    release.at(DECIDE_BY)

    done = release.call("clock", {**END, "hook_execution_id": "hook-before"})

    assert done["body"]["outcome"] == "nothing"
    assert release.item["status"] == "WAITING"


@pytest.mark.parametrize("function", ["clock", "changes"])
def test_settings_that_are_wrong_are_all_named(
    function: str, release: Release, output: Callable[[], Output]
) -> None:
    release.post_by("bot")
    release.environ |= {"SLACK_CHANNEL": "#releases", "REMIND_MINUTES_BEFORE": "soon"}

    with pytest.raises(SettingsError) as failed:
        release.call(function, END)

    assert [one.split()[0] for one in failed.value.problems] == [
        "SLACK_CHANNEL",
        "REMIND_MINUTES_BEFORE",
    ]
    assert "stage=settings" in str(output().metrics)
