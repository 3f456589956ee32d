"""Nobody has written down that people were told: they keep their release, and hear how it ends."""

from typing import Any

import pytest

from greenlight.model.errors import GreenlightError, SlackError, TableError, ToldUnrecordedError
from stand_ins.codedeploy import fail, stop
from stand_ins.slack import CHANNEL, Answer
from tests.functional.helpers import record
from tests.functional.life.release import EVENT, HOOK, ID, REPORT, Release

NAMED = {"deployment_id": HOOK[0], "hook_execution_id": HOOK[1]}


def throttle_writes(release: Release) -> None:
    """The table's write capacity is used up; it can still be read."""
    throttled = ["ThrottlingException"] * 99
    release.aws.failures |= {"PutItem": throttled, "UpdateItem": throttled}


def asked_without_knowing(release: Release, way: str) -> None:
    """The first try of the hook: people were asked, and Slack's answer is lost."""
    release.post_by(way)
    answer = release.slack.answer

    def lose(path: str, body: bytes, headers: Any = None) -> Answer:
        release.slack.answer = answer  # type: ignore[method-assign]
        answer(path, body, headers)
        release.slack.script += [Answer(None)] * 2  # to the tries in place
        return Answer(None)

    release.slack.answer = lose  # type: ignore[method-assign]
    with pytest.raises(SlackError):
        release.call("hook", EVENT)
    release.slack.script.clear()
    release.later(seconds=30)


def failed_tries(release: Release) -> GreenlightError:
    """The other tries of the hook, which find a table that takes no write; what they fail of."""
    for minutes in (1, 2):
        release.later(minutes=minutes)
        with pytest.raises(TableError) as failed:
            release.call("hook", EVENT)
    return failed.value


def exhausted(release: Release, error: GreenlightError) -> None:
    """The failure function hears of it, and is to hear of it again."""
    kind, message = type(error).__name__, str(error)
    with pytest.raises(TableError):
        release.call("failure", record({"errorType": kind, "errorMessage": message}, EVENT))


def test_people_who_may_have_been_asked_keep_their_release_where_that_can_be_read(
    release: Release,
) -> None:
    release.post_by("bot")
    release.slack.meanwhile.append(lambda: throttle_writes(release))
    with pytest.raises(ToldUnrecordedError):
        release.call("hook", EVENT)

    exhausted(release, failed_tries(release))

    assert release.aws.reports == {}
    assert len(release.slack.shown) == 1


def test_people_who_were_asked_keep_their_release_where_that_can_be_read(release: Release) -> None:
    release.open()
    throttle_writes(release)

    exhausted(release, TableError("gates", "update_item", "ThrottlingException"))

    assert release.aws.reports == {}
    assert len(release.slack.shown) == 1


def test_an_approval_that_can_be_read_is_not_failed(release: Release) -> None:
    asked_without_knowing(release, "bot")
    release.aws.failures[REPORT] = ["ThrottlingException"] * 9
    release.click("approve")
    release.aws.failures.clear()
    throttle_writes(release)

    exhausted(release, failed_tries(release))

    assert release.aws.reports == {}
    assert (release.item["status"], release.item["decided_by"]) == ("APPROVED", "U0ALICE")


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_who_approved_what_nobody_knows_they_were_asked_hears_what_became_of_it(
    way: str, release: Release
) -> None:
    asked_without_knowing(release, way)
    release.click("approve")
    assert release.aws.reports == {HOOK: "Succeeded"}
    release.later(seconds=30)

    again = release.call("hook", EVENT)
    release.follow()
    assert len(release.slack.shown) == 1, "the click has shown it"
    fail(ID, "ALARM_ACTIVE", "an alarm went off")
    release.ends("FAILURE")
    release.follow()

    assert again["body"]["duplicate"]
    assert "🔴" in release.slack.shown[-1].text


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_a_deployment_that_was_stopped_is_not_the_last_thing_shown_as_waiting(
    way: str, release: Release
) -> None:
    asked_without_knowing(release, way)
    stop(ID)
    release.ends("STOP")
    release.later(seconds=30)

    release.call("hook", EVENT)
    release.follow()

    assert "⛔" in release.slack.shown[-1].text
    assert release.slack.shown[-1].buttons == []
    assert len(release.slack.shown) == 2


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_who_decides_on_a_message_that_came_late_does_not_leave_the_last_one_as_it_is(
    way: str, release: Release
) -> None:
    """Slack took the first question so late that people were asked again."""
    asked_without_knowing(release, way)
    release.later(seconds=30)
    release.slack.meanwhile.append(lambda: release.click("approve"))

    release.call("hook", EVENT)
    release.follow()

    assert release.history == ["opened", "decided", "reported", "notified"]
    assert len(release.messages) == (2 if way == "bot" else 3)
    for message in (release.messages[0], release.messages[-1]):
        assert "🚀" in message.text
        assert message.buttons == []


def test_a_click_does_not_say_that_a_message_of_the_bots_shows_what_another_one_shows(
    release: Release,
) -> None:
    asked_without_knowing(release, "bot")
    told = {"notified_at": "2026-11-23T03:00:40+00:00", "message_channel": CHANNEL}
    release.slack.meanwhile.append(lambda: release.meanwhile(**told, message_ts="1700000000.2"))

    release.click("reject")

    assert release.item["message_ts"] == "1700000000.2"
    assert "shown" not in release.item


def test_a_try_that_is_still_telling_people_says_itself_that_it_has(release: Release) -> None:
    release.post_by("bot")

    def meanwhile() -> None:
        release.answer_elsewhere("Succeeded")
        release.call("clock", {"due": "watch", **NAMED})
        assert release.item["status"] == "APPROVED"
        release.call("hook", EVENT)
        assert "notified_at" not in release.item

    release.slack.meanwhile.append(meanwhile)
    release.call("hook", EVENT)

    assert release.history.count("notified") == 1
    assert "message_ts" in release.item
