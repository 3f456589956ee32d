"""Whatever ends a gate, people see it within seconds: who, when and why, and nothing to press."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from greenlight.model.errors import (
    EventError,
    GateBusyError,
    SettingsError,
    SlackBotError,
    SlackError,
    SlackRefusedError,
    TableError,
)
from greenlight.model.message import Language
from greenlight.runtime.network import Countdown
from greenlight.slack.words import words_in
from stand_ins.aws import change_record
from stand_ins.clicks import BOB
from stand_ins.codedeploy import fail, stop
from stand_ins.slack import Answer, broken_limits, refusal
from tests.conftest import load_event
from tests.functional.conftest import Output
from tests.functional.helpers import change, whole
from tests.functional.life.release import (
    ARN,
    EVENT,
    HOOK,
    ID,
    RECORD,
    REPORT,
    WAYS,
    Release,
)


def by_click(release: Release) -> None:
    release.click("reject", reason="looks <bad>")


def by_command(release: Release) -> None:
    assert release.greenlight("reject", "d-LOCALTEST", "--reason", "looks <bad>").exit_code == 0


def by_slash_command(release: Release) -> None:
    release.type("reject d-LOCALTEST looks <bad>")


def by_console(release: Release) -> None:
    release.answer_elsewhere("Failed")
    assert release.ends("FAILURE") == "failed"


def by_aws_cli(release: Release) -> None:
    release.answer_elsewhere("Failed")
    assert release.watch() == "settled"


def by_the_clock(release: Release) -> None:
    assert release.moment("end") == "made"


# How a gate ends, what the message is headed with then, who has ended it, and why.
ENDS: dict[str, tuple[Callable[[Release], None], str, str, str]] = {
    "click": (by_click, "rejected_header", "<@U0ALICE>", "looks &lt;bad&gt;"),
    "command": (by_command, "rejected_header", f"`{ARN}`", "looks &lt;bad&gt;"),
    "slash command": (by_slash_command, "rejected_header", "<@U0ALICE>", "looks &lt;bad&gt;"),
    "console": (by_console, "rejected_header", "", "HOOK_EXECUTION_FAILURE"),
    "AWS CLI": (by_aws_cli, "rejected_header", "", "HOOK_EXECUTION_FAILURE"),
    "clock": (by_the_clock, "expired_header", "Greenlight", ""),
}


def when(release: Release) -> str:
    """The time at which the gate was decided, as a message shows it."""
    at = release.item["decided_at"]
    return f"{at[:10]} {at[11:16]} UTC"


# Each way in English, and each language by a bot and by a webhook.
SHOWN = [
    *((way, Language.ENGLISH) for way in WAYS),
    *((way, one) for way in ("bot", "webhook") for one in (Language.KOREAN, Language.JAPANESE)),
]


@pytest.mark.parametrize(("way", "language"), SHOWN)
@pytest.mark.parametrize("end", ENDS)
def test_people_see_how_a_gate_ended_and_have_nothing_to_press(
    end: str, way: str, language: Language, release: Release, output: Callable[[], Output]
) -> None:
    act, header, who, why = ENDS[end]
    asked = release.open(way, MESSAGE_LANGUAGE=language)
    assert len(asked.buttons) == 3
    release.later(minutes=5)
    output()

    act(release)
    assert release.follow()

    shown = release.messages[-1]
    words = words_in((language,))
    assert shown.content["blocks"][0]["text"]["text"] == getattr(words, header)
    assert shown.buttons == []
    for expected in (who, why, when(release)):
        assert expected in shown.text
    assert broken_limits(shown.content) == []
    assert release.aws.reports == {HOOK: "Failed"}
    is_in_place = way == "bot" or (end == "click" and way != "lost")
    assert (shown is asked) is is_in_place
    assert len(release.messages) == (1 if is_in_place else 2), "and it is said once"
    is_bot_asked = way == "lost" or (way == "failing" and end != "click")
    assert ("BotFailed" in str(output().metrics)) is is_bot_asked


@pytest.mark.parametrize("way", WAYS)
def test_a_gate_that_failed_because_nobody_could_be_asked_is_told_of_once(
    way: str, release: Release
) -> None:
    release.post_by(way)
    if way == "lost":
        release.slack.scopes.clear()
    release.slack.script += [Answer(500, "rollup_error")] * 6
    with pytest.raises(SlackError):
        release.call("hook", EVENT)
    release.slack.script.clear()
    release.follow()

    assert release.call("failure", RECORD)["body"]["failed"] is True
    release.follow()

    (told,) = release.messages
    assert "could not ask for a test" in told.text
    assert told.buttons == []
    assert release.aws.reports == {HOOK: "Failed"}
    assert release.moments() == [], "there is nothing to remind of, and nothing to end"


@pytest.mark.parametrize("way", WAYS)
def test_what_changes_nothing_that_people_see_says_nothing(
    way: str, release: Release, output: Callable[[], Output]
) -> None:
    release.open(way)
    output()
    posts = len(release.slack.posts) + len(release.slack.calls)

    change(release.aws, "SET lease_until = :x", {":x": {"S": "2026-11-23T03:00:00+00:00"}})
    assert release.follow() == 1

    assert len(release.slack.posts) + len(release.slack.calls) == posts
    written = output()
    assert (written.failures, written.metrics) == ([], {})


def test_a_failure_before_a_deployment_is_known_has_not_that_of_the_call_before(
    release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    change(release.aws, "SET lease_until = :x", {":x": {"S": "2026-11-23T03:00:00+00:00"}})
    release.follow()
    output()

    with pytest.raises(EventError):
        release.call("changes", {"Records": [{"eventName": "MODIFY"}]})

    written = output()
    assert ("ChangeFailed", "service=greenlight") in written.metrics
    blobs = [line for line in written.text.splitlines() if '"ChangeFailed"' in line]
    assert "d-LOCALTEST" not in blobs[0]


def test_each_change_is_followed_however_often_it_is_delivered(release: Release) -> None:
    asked = release.open()
    release.greenlight("approve", "d-LOCALTEST")
    release.follow()
    edits, said = asked.edits, len(release.slack.shown)

    for record in release.aws.changes:
        release.call("changes", {"Records": [record]})

    assert (asked.edits, len(release.slack.shown)) == (edits, said)


def test_a_record_that_comes_late_shows_what_is_so_by_now(release: Release) -> None:
    release.post_by("bot")
    release.call("hook", EVENT)
    release.greenlight("approve", "d-LOCALTEST")

    release.call("changes", {"Records": [release.aws.changes[1]]})

    (shown,) = release.messages
    assert "approved" in shown.text
    assert shown.buttons == []


# A click changes what a webhook posted by itself; but only where Slack takes that.


@pytest.mark.parametrize("way", ["webhook", "failing"])
def test_a_click_that_slack_did_not_show_is_said_in_a_new_message_after_a_minute(
    way: str, release: Release
) -> None:
    asked = release.open(way)
    release.slack.script += [Answer(500, "oops")] * 3
    release.click("approve")
    release.follow()
    assert release.messages == [asked], "the click may be changing it just now"

    assert release.moment("look") == "looked"
    release.follow()

    assert len(release.messages) == 2
    assert "approved" in release.messages[1].text
    assert "<@U0ALICE>" in release.messages[1].text


@pytest.mark.parametrize("ahead", [-9, 0, 9])
def test_the_second_look_does_not_depend_on_whose_clock_is_ahead(
    ahead: int, release: Release
) -> None:
    release.open("webhook")
    release.slack.script += [Answer(500, "oops")] * 3
    release.later(seconds=ahead)
    release.click("approve")
    release.later(seconds=-ahead)
    release.follow()

    release.moment("look")

    assert len(release.messages) == 2


def test_a_second_look_is_one_however_often_its_change_is_delivered(release: Release) -> None:
    release.open("webhook")
    release.slack.script += [Answer(500, "oops")] * 3
    release.click("approve")
    release.follow()

    release.later(seconds=5)
    release.call("changes", {"Records": [release.aws.changes[-1]]})

    assert len(release.moments("look")) == 1


def test_a_click_that_slack_showed_is_not_looked_at_again(release: Release) -> None:
    release.open("webhook")
    release.click("approve")
    release.follow()

    assert release.moments("look") == []
    release.later(minutes=2)
    release.call("clock", load_event("clock/look"))
    assert len(release.messages) == 1


# A slash command has no message to change.


@pytest.mark.parametrize(
    ("text", "said"), [("approve d-LOCALTEST", "approved"), ("reject d-LOCALTEST no", "rejected")]
)
@pytest.mark.parametrize("way", ["webhook", "failing"])
def test_what_a_command_decides_is_said_at_once_in_a_new_message(
    way: str, text: str, said: str, release: Release
) -> None:
    asked = release.open(way)

    release.type(text)
    release.follow()

    first, second = release.messages
    assert first is asked
    assert said in second.text
    assert "<@U0ALICE>" in second.text
    release.later(minutes=2)
    release.call("clock", load_event("clock/look"))
    release.follow()
    assert len(release.messages) == 2, "once"


def test_what_a_command_decides_is_shown_in_a_bots_message(release: Release) -> None:
    asked = release.open("bot")

    release.type("reject d-LOCALTEST broken")
    release.follow()

    assert release.messages == [asked]
    assert "rejected" in asked.text
    assert asked.buttons == []


def test_a_command_that_finishes_a_click_has_it_said_at_once_too(release: Release) -> None:
    release.open("webhook")
    release.aws.failures[REPORT] = ["ServiceUnavailableException"]
    release.click("approve")
    release.follow()

    release.type("approve d-LOCALTEST", BOB)
    release.follow()

    assert "<@U0ALICE>" in release.messages[1].text


def test_a_command_too_late_leaves_the_message_to_the_click_that_was_first(
    release: Release,
) -> None:
    release.open("webhook")
    release.slack.script += [Answer(500, "oops")] * 3
    release.click("approve")

    release.type("approve d-LOCALTEST", BOB)
    release.follow()

    assert len(release.messages) == 1, "the click may be changing it just now"


def test_a_command_whose_note_the_table_does_not_take_is_said_after_a_minute(
    release: Release,
) -> None:
    asked = release.open("webhook")
    release.aws.operations.clear()

    def fail(operation: str) -> None:
        # After that it is decided and that CodeDeploy knows.
        if operation == "UpdateItem" and release.aws.operations.count(operation) == 3:
            release.aws.failures[operation] = ["AccessDeniedException"]

    release.aws.before = fail
    release.type("approve d-LOCALTEST")
    release.follow()
    assert release.messages == [asked]

    assert release.moment("look") == "looked"
    release.follow()

    assert "<@U0ALICE>" in release.messages[1].text


# Somebody is testing.


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_who_is_testing_is_seen_and_the_buttons_stay(way: str, release: Release) -> None:
    asked = release.open(way)

    release.click("claim", user=BOB)
    release.follow()

    assert release.messages == [asked]
    assert "*Testing now*: <@U0BOB>" in asked.text
    assert len(asked.buttons) == 3


def test_a_message_that_slack_refuses_with_its_image_is_changed_to_a_plainer_one(
    release: Release,
) -> None:
    release.post_by("bot")
    release.slack.script.append(refusal("invalid_blocks"))
    release.call("hook", EVENT)
    release.follow()
    (asked,) = release.messages
    assert "image" not in {block["type"] for block in asked.content["blocks"]}

    release.click("claim", user=BOB)
    release.slack.script.append(refusal("invalid_blocks"))
    release.follow()

    assert "*Testing now*: <@U0BOB>" in asked.text
    assert "image" not in {block["type"] for block in asked.content["blocks"]}
    assert release.item["shown"] == "WAITING U0BOB"


# Slack does not do what it is asked.


def test_without_a_webhook_a_bot_that_fails_is_tried_again_until_it_works(
    release: Release, output: Callable[[], Output]
) -> None:
    asked = release.open("bot")
    release.greenlight("approve", "d-LOCALTEST")
    output()
    release.slack.channels[asked.channel] = "not_in_channel"

    with pytest.raises(SlackBotError):
        release.follow()

    written = output()
    assert "invite the app to SLACK_CHANNEL" in written.failures[0]["error"]
    assert written.metrics["MessageNotShown", "service=greenlight"] == [1]
    assert written.metrics["ChangeFailed", "service=greenlight", "stage=slack"] == [1]
    assert "show_until" not in release.item, "the next try need not wait"
    release.slack.channels[asked.channel] = None
    release.follow()
    assert asked.buttons == []


def test_an_answer_that_does_not_come_leaves_the_lease_until_its_end(
    release: Release, output: Callable[[], Output]
) -> None:
    asked = release.open("bot")
    release.greenlight("approve", "d-LOCALTEST")
    release.slack.script += [Answer(None)] * 3

    with pytest.raises(SlackError):
        release.follow()
    output()
    with pytest.raises(GateBusyError):
        release.follow()

    written = output()
    assert written.failures == [], "that somebody else is at it is no failure"
    assert "ChangeFailed" not in str(written.metrics)
    release.later(seconds=46)
    release.follow()
    assert asked.buttons == []
    assert len(release.messages) == 1


def test_a_message_that_was_deleted_is_said_anew(release: Release) -> None:
    asked = release.open("bot")
    release.slack.shown.remove(asked)

    release.greenlight("approve", "d-LOCALTEST")
    release.follow()

    (anew,) = release.messages
    assert "approved" in anew.text
    assert release.item["message_ts"] == anew.ts


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_two_who_show_a_change_at_the_same_moment_say_it_once(
    way: str, release: Release, output: Callable[[], Output]
) -> None:
    """The end comes twice, and shows what it finds; the table's stream comes meanwhile."""
    release.open(way)
    ((_, end),) = release.moments("end")
    assert release.moment("end") == "made"
    met: list[type] = []

    def follow_meanwhile() -> None:
        try:
            release.follow()
        except GateBusyError:
            met.append(GateBusyError)

    release.slack.meanwhile.append(follow_meanwhile)
    assert release.call("clock", end)["body"]["outcome"] == "stands"

    assert met == [GateBusyError]
    assert output().failures == []
    release.follow()
    assert "not decided in time" in release.messages[-1].text


def test_what_another_try_has_shown_meanwhile_is_not_shown_again(release: Release) -> None:
    asked = release.open()
    release.greenlight("approve", "d-LOCALTEST")
    release.meanwhile(shown=f"APPROVED cli {ARN}")

    release.follow()

    assert asked.edits == 0
    assert "show_until" not in release.item


def test_a_gate_that_changes_while_it_is_shown_is_shown_again(release: Release) -> None:
    asked = release.open()
    release.slack.meanwhile += [
        partial(change, release.aws, "SET claimed_by = :who", {":who": {"S": who}})
        for who in ("U0ONE", "U0TWO", "U0THREE", "U0FOUR")
    ]
    values = {":who": {"S": "U0ZERO"}, ":at": {"S": "2026-11-23T03:00:00+00:00"}}

    change(release.aws, "SET claimed_by = :who, claimed_at = :at", values)
    release.call("changes", {"Records": [release.aws.changes[-1]]})
    assert asked.edits == 3, "the rest is left to the changes that are still to come"
    assert "<@U0TWO>" in asked.text
    release.follow()

    assert "<@U0FOUR>" in asked.text


def test_a_change_that_cannot_be_shown_leads_to_no_further_ones(release: Release) -> None:
    release.open()
    release.click("approve")
    release.environ["SLACK_BOT_TOKEN"] = "/no/such/parameter"
    release.environ["SLACK_WEBHOOK_URL"] = None
    known = len(release.aws.changes)
    with pytest.raises(SettingsError):
        release.follow()
    leases = release.aws.changes[known:]
    assert leases, "a try writes down that it is at work"

    for record in leases:
        release.call("changes", {"Records": [record]})

    assert release.aws.changes[known:] == leases


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_a_decision_that_comes_while_people_are_asked_is_shown(way: str, release: Release) -> None:
    release.post_by(way)
    release.slack.meanwhile.append(lambda: release.greenlight("approve", "d-LOCALTEST"))

    release.call("hook", EVENT)
    release.follow()

    assert release.history == ["opened", "decided", "reported", "notified"]
    assert "approved" in release.messages[-1].text
    assert release.messages[-1].buttons == []
    assert release.moments() == []


def test_who_is_testing_is_not_said_anew_where_the_bot_is_out(release: Release) -> None:
    asked = release.open("lost")

    release.click("claim", user=BOB)
    release.follow()

    assert release.messages == [asked]
    assert "<@U0BOB>" in asked.text, "the click has shown it"


def test_a_change_that_slack_refuses_altogether_is_tried_again(release: Release) -> None:
    asked = release.open("both")
    release.greenlight("approve", "d-LOCALTEST")
    release.slack.script.append(refusal("invalid_blocks"))

    with pytest.raises(SlackRefusedError):
        release.follow()
    release.follow()

    assert release.messages == [asked], "a webhook would refuse it, too"
    assert asked.buttons == []


# What is not a gate's change.


def test_a_gate_that_is_gone_by_now_is_passed_over(
    release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.greenlight("approve", "d-LOCALTEST")
    key = {"deployment_id": {"S": "d-LOCALTEST"}}
    release.aws.client("dynamodb").delete_item(TableName="gates", Key=key)
    output()

    for record in release.aws.changes[-3:]:
        release.call("changes", {"Records": [record]})

    assert output().failures == []


def test_an_older_hook_s_change_shows_the_gate_that_there_is(release: Release) -> None:
    release.open()
    release.greenlight("approve", "d-LOCALTEST")
    release.follow()
    asked = release.messages[0]
    older = copy.deepcopy(release.aws.changes[1])
    for image in ("OldImage", "NewImage"):
        older["dynamodb"][image]["hook_execution_id"] = {"S": "hook-before"}

    release.call("changes", {"Records": [older]})

    assert "approved" in asked.text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"deployment_id": {"S": "x"}, "deadline": {"S": "?"}}, None),
        (None, {"deployment_id": {"S": "x"}, "of": {"S": "another tool"}}),
        (None, {"deployment_id": {"S": "x"}, "deadline": {"S": "no time"}}),
    ],
    ids=["deleted", "another tool's", "cannot be read"],
)
def test_what_is_no_gate_is_passed_over(
    before: Any, after: Any, release: Release, output: Callable[[], Output]
) -> None:
    release.post_by("bot")

    release.call("changes", {"Records": [change_record(before, after)]})

    assert output().failures == []
    assert release.slack.calls == []


def test_the_sample_event_is_one_of_a_gate_that_was_decided(release: Release) -> None:
    """What it holds is what our own writes make of the item."""
    release.open()
    release.greenlight("approve", "d-LOCALTEST")
    sample = load_event("changes/gate_reported")
    (record,), ours = sample["Records"], release.aws.changes[-1]

    release.call("changes", sample)

    assert record.keys() == ours.keys()
    assert record["dynamodb"].keys() == ours["dynamodb"].keys()
    for image in ("OldImage", "NewImage"):
        assert record["dynamodb"][image].keys() == ours["dynamodb"][image].keys()
    assert release.messages[0].buttons == []


# Two at once, and what is not on record.


def fail_the_second_write(release: Release, operation: str) -> None:
    """Has the table not take the second write from now on, however often it is tried."""
    if operation == "UpdateItem" and release.aws.operations.count(operation) == 2:
        release.aws.failures[operation] = ["ThrottlingException"] * 3


def test_a_decision_while_who_is_testing_is_shown_is_not_overwritten(release: Release) -> None:
    asked = release.open("webhook")
    release.slack.meanwhile.append(lambda: release.click("reject"))

    release.click("claim", user=BOB)

    assert asked.buttons == []


def test_what_becomes_of_a_release_while_a_click_shows_its_decision_is_not_overwritten(
    release: Release,
) -> None:
    asked = release.open("webhook")

    def go_live() -> None:
        release.go_live()
        release.follow()

    release.slack.meanwhile.append(go_live)
    release.click("approve")

    assert "🟢" in asked.text


def test_a_decision_is_not_overwritten_though_slack_does_not_say_that_it_took_a_claim(
    release: Release,
) -> None:
    asked = release.open("bot")
    answer = release.slack.answer

    def lose(path: str, body: bytes, headers: Any = None) -> Answer:
        release.slack.answer = answer  # type: ignore[method-assign]  # for this one only
        release.greenlight("approve", ID)
        release.follow()
        assert asked.buttons == []
        answer(path, body, headers)
        release.slack.script += [Answer(None)] * 2  # nor that of the tries after it
        return Answer(None)

    release.slack.answer = lose  # type: ignore[method-assign]

    release.click("claim", user=BOB)

    assert asked.buttons == []
    assert "approved" in asked.text


def test_a_decision_that_is_not_on_record_as_reported_leaves_no_live_buttons(
    release: Release,
) -> None:
    asked = release.open("bot")
    release.aws.operations.clear()
    release.aws.before = partial(fail_the_second_write, release)

    release.click("approve")

    assert "reported_at" not in release.item
    assert asked.buttons == []


@pytest.mark.parametrize("by", ["click", "slash command", "terminal"])
def test_who_decides_while_the_end_of_a_deployment_is_written_down_is_told_to_wait(
    by: str, release: Release
) -> None:
    release.open("bot")
    stop(ID)
    release.aws.operations.clear()
    release.aws.before = partial(fail_the_second_write, release)
    with pytest.raises(TableError):
        release.ends("STOP")
    release.aws.before = lambda _: None
    known = len(release.slack.responses)

    if by == "terminal":
        assert "Another try is at work" in release.greenlight("approve", ID).output
        return
    if by == "click":
        release.click("approve")
    else:
        release.type(f"approve {ID}")

    (notice,) = release.slack.responses[known:]
    assert "at work" in whole(notice)


def test_an_answer_under_a_message_that_has_no_time_is_given_by_the_next_try(
    release: Release,
) -> None:
    asked = release.open("bot")
    release.click("approve")
    release.follow()
    fail(ID, "ALARM_ACTIVE", "an alarm went off")
    release.ends("FAILURE")
    allows = Countdown.allows

    def not_after_an_update(self: Countdown, seconds: float) -> bool:
        is_updated = [method for method, _ in release.slack.calls][-1:] == ["chat.update"]
        return not is_updated and allows(self, seconds)

    with release.monkeypatch.context() as slow:
        slow.setattr(Countdown, "allows", not_after_an_update)
        with pytest.raises(SlackError):
            release.follow()
    release.slack.calls.clear()
    release.follow()

    assert len(release.slack.thread(asked)) == 1
