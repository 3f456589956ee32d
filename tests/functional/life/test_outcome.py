"""CodeDeploy says that a deployment has ended: its gate, and people, hear what became of it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from greenlight.model.errors import (
    EngineError,
    EventError,
    GateBusyError,
    NotEndedError,
    TableError,
)
from greenlight.model.message import Language
from greenlight.slack.words import words_in
from stand_ins.codedeploy import (
    add_deployment,
    begin_rollback,
    deployments,
    fail,
    finish,
    give_up,
    set_status,
    state_change,
    stop,
)
from tests.conftest import load_event
from tests.functional.conftest import Output
from tests.functional.helpers import change
from tests.functional.life.release import ARN, EVENT, ID, NOW, RECORD, REPORT, Release

ROLLBACK = "d-ROLLBACK1"


def goes_live(release: Release) -> None:
    set_status(ID, "Succeeded")


def fails(release: Release) -> None:
    fail(ID, "ALARM_ACTIVE", "an alarm <!channel> went off")


def is_stopped(release: Release) -> None:
    fail(ID, "MANUAL_STOP", "the deployment was stopped by a user", "Stopped")


# How a deployment ends, CodeDeploy's state, and what it is called.
ENDS: dict[str, tuple[Callable[[Release], None], str, str]] = {
    "live": (goes_live, "SUCCESS", "ReleaseLive"),
    "failed": (fails, "FAILURE", "ReleaseFailed"),
    "stopped": (is_stopped, "STOP", "ReleaseStopped"),
}


@pytest.mark.parametrize("way", ["bot", "webhook"])
@pytest.mark.parametrize("outcome", ENDS)
def test_what_became_of_a_release_is_on_record_and_people_see_it(
    outcome: str, way: str, release: Release, output: Callable[[], Output]
) -> None:
    ends, state, metric = ENDS[outcome]
    asked = release.open(way)
    release.later(minutes=10)
    release.click("approve", reason="tried it")
    release.follow()
    release.later(minutes=5)
    ends(release)
    output()

    assert release.ends(state) == outcome

    assert output().metrics[metric, "service=greenlight"] == [1]
    release.follow()
    item = release.item
    assert (item["status"], item["outcome"]) == ("APPROVED", outcome)
    assert item["outcome_at"] == (NOW + timedelta(minutes=15)).isoformat()
    assert release.history == ["opened", "notified", "decided", "reported", "ended"]
    shown = release.messages[-1]
    assert (shown is asked) is (way == "bot")
    assert len(release.messages) == (1 if way == "bot" else 2)
    for expected in ("<@U0ALICE>", "tried it", "15 min since people were asked"):
        assert expected in shown.text
    assert shown.buttons == []
    assert ("an alarm &lt;!channel&gt; went off" in shown.text) is (outcome == "failed")
    if way == "bot":
        (answer,) = release.slack.thread(asked)
        is_live = outcome == "live"
        assert answer.is_broadcast is not is_live, "bad news is shown to all"
        assert ("did not stay live" in answer.text) is not is_live
        assert ("<@U0ALICE>" in answer.text) is not is_live


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("outcome", ENDS)
def test_it_is_said_in_each_language(outcome: str, language: Language, release: Release) -> None:
    ends, state, _ = ENDS[outcome]
    asked = release.open(MESSAGE_LANGUAGE=language)
    release.greenlight("approve", ID)
    ends(release)
    release.ends(state)
    release.follow()

    words = words_in((language,))
    header = {
        "live": words.live_header,
        "failed": words.broken_header,
        "stopped": words.stopped_header,
    }[outcome]
    assert asked.content["blocks"][0]["text"]["text"] == header
    (answer,) = release.slack.thread(asked)
    assert answer.text.startswith(f'{{"text": "{header} · {ID}"')
    assert (f"`{ARN}`" in answer.text) is (outcome != "live")


def test_a_rollback_is_that_of_the_deployment_that_it_rolls_back(
    release: Release, output: Callable[[], Output]
) -> None:
    asked = release.open()
    release.click("approve")
    fails(release)
    begin_rollback(ID, ROLLBACK, release.aws.client("codedeploy"))
    assert release.ends("FAILURE") == "failed"
    release.follow()
    assert "Failed" in asked.text
    release.later(minutes=5)
    set_status(ROLLBACK, "Succeeded")
    output()

    assert release.ends("SUCCESS", ROLLBACK) == "rolled_back"

    assert output().metrics["ReleaseRolledBack", "service=greenlight"] == [1]
    release.follow()
    assert release.item["outcome"] == "rolled_back"
    assert release.item["outcome_at"] == (NOW + timedelta(minutes=5)).isoformat()
    assert release.history[-2:] == ["ended", "rolled_back"]
    assert "*Rolled back*" in asked.text
    failed, rolled_back = release.slack.thread(asked)
    assert "<@U0ALICE>" in failed.text
    assert "<@U0ALICE>" in rolled_back.text


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_a_rollback_whose_gate_cannot_be_found_out_is_tried_again(
    code: str, release: Release
) -> None:
    """Its own deployment may be read, so it is one of ours."""
    release.open()
    release.click("approve")
    fails(release)
    begin_rollback(ID, ROLLBACK, release.aws.client("codedeploy"))
    release.ends("FAILURE")
    set_status(ROLLBACK, "Succeeded")
    release.aws.after = lambda operation: release.aws.failures.update(
        {operation: [code] * 9} if operation == "GetDeployment" else {}
    )

    with pytest.raises(EngineError):
        release.ends("SUCCESS", ROLLBACK)

    release.aws.after = lambda _: None
    release.aws.failures.clear()
    assert release.ends("SUCCESS", ROLLBACK) == "rolled_back"


@pytest.mark.parametrize("order", ["rollback first", "failure never"])
def test_events_that_come_out_of_order_say_the_same(order: str, release: Release) -> None:
    asked = release.open()
    release.click("approve")
    fails(release)
    begin_rollback(ID, ROLLBACK, release.aws.client("codedeploy"))
    set_status(ROLLBACK, "Succeeded")

    assert release.ends("SUCCESS", ROLLBACK) == "rolled_back"
    if order == "rollback first":
        assert release.ends("FAILURE") == "rolled_back"
    release.follow()

    assert release.item["outcome"] == "rolled_back"
    assert "*Rolled back*" in asked.text


def test_an_end_that_is_read_before_the_rollback_does_not_undo_it(release: Release) -> None:
    """Of two calls at once, the one that has read less writes last."""
    release.open()
    release.click("approve")
    fails(release)
    begin_rollback(ID, ROLLBACK, release.aws.client("codedeploy"))
    set_status(ROLLBACK, "Succeeded")
    release.ends("SUCCESS", ROLLBACK)
    deployments()[ID].rollback = {}

    assert release.ends("FAILURE") == "rolled_back"

    assert release.item["outcome"] == "rolled_back"


def test_a_rollback_that_fails_leaves_a_release_that_failed(release: Release) -> None:
    release.open()
    release.click("approve")
    fails(release)
    begin_rollback(ID, ROLLBACK, release.aws.client("codedeploy"))
    fail(ROLLBACK, "HEALTH_CONSTRAINTS", "too few are healthy")

    assert release.ends("FAILURE", ROLLBACK) == "failed"

    assert release.item["outcome_reason"].startswith("ALARM_ACTIVE")


def test_an_event_that_comes_twice_is_counted_and_said_once(
    release: Release, output: Callable[[], Output]
) -> None:
    asked = release.open()
    release.click("approve")
    fails(release)
    release.ends("FAILURE")
    release.follow()
    output()

    assert release.ends("FAILURE") == "failed"

    assert "ReleaseFailed" not in str(output().metrics)
    release.follow()
    assert len(release.slack.thread(asked)) == 1
    assert release.history.count("ended") == 1


@pytest.mark.parametrize("state", ["START", "READY"])
def test_a_deployment_that_goes_on_has_no_outcome(state: str, release: Release) -> None:
    release.open()

    assert release.ends(state) is None

    assert "outcome" not in release.item
    assert release.item["status"] == "WAITING"


# A gate that was still open is settled first.


@pytest.mark.parametrize(
    ("happens", "state", "status", "header"),
    [
        (finish, "SUCCESS", "APPROVED", "live"),
        (stop, "STOP", "REJECTED", "rejected"),
        (give_up, "FAILURE", "EXPIRED", "not decided in time"),
    ],
    ids=["approved", "stopped", "given up"],
)
@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_a_gate_that_waits_is_brought_in_line(
    happens: Callable[[str], None],
    state: str,
    status: str,
    header: str,
    way: str,
    release: Release,
    output: Callable[[], Output],
) -> None:
    release.open(way)
    release.later(minutes=5)
    happens(ID)
    output()

    release.ends(state)

    assert output().metrics["GateSettledElsewhere", "service=greenlight"] == [1]
    release.follow()
    item = release.item
    assert (item["status"], item["decided_via"]) == (status, "elsewhere")
    assert "reported_at" in item
    assert "report_until" not in item
    shown = release.messages[-1]
    assert header in shown.content["text"]
    assert shown.buttons == []


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_an_event_before_the_receipt_of_our_report_keeps_the_decision(
    verdict: str, release: Release
) -> None:
    """The click was killed after CodeDeploy took its answer."""
    asked = release.open()
    release.click(verdict, reason="my own")
    lose_receipt(release)
    set_status(ID, "Succeeded" if verdict == "approve" else "Failed")

    release.ends("SUCCESS" if verdict == "approve" else "FAILURE")
    release.follow()

    item = release.item
    assert (item["decided_by"], item["decided_via"]) == ("U0ALICE", "slack")
    assert item["reason"] == "my own"
    assert "reported_at" in item
    assert "<@U0ALICE>" in asked.text


def test_an_event_before_the_receipt_of_the_end_keeps_who_ended_it(release: Release) -> None:
    release.open()
    release.moment("end")
    lose_receipt(release)

    release.ends("FAILURE")

    assert (release.item["status"], release.item["decided_via"]) == ("EXPIRED", "clock")
    assert "reported_at" in release.item


def test_an_event_before_the_receipt_of_a_failure_keeps_that_nobody_could_be_asked(
    release: Release,
) -> None:
    release.post_by("bot")
    release.call("failure", RECORD)
    lose_receipt(release)

    release.ends("FAILURE")
    release.follow()

    assert release.item["status"] == "FAILED"
    assert "failed_at" in release.item
    assert len(release.messages) == 1


def lose_receipt(release: Release) -> None:
    """Takes from the item that CodeDeploy knows, as if the try had died before it wrote that."""
    assert release.aws.reports
    change(release.aws, "REMOVE reported_at, failed_at")


@pytest.mark.parametrize(("answer", "status"), [("Succeeded", "APPROVED"), ("Failed", "REJECTED")])
def test_a_decision_that_codedeploy_never_took_gives_way_to_the_answer_that_it_has(
    answer: str, status: str, release: Release
) -> None:
    release.open()
    release.aws.failures[REPORT] = ["ThrottlingException"] * 3
    release.click("approve" if answer == "Failed" else "reject")
    release.answer_elsewhere(answer)
    set_status(ID, answer)

    release.ends("SUCCESS" if answer == "Succeeded" else "FAILURE")

    assert (release.item["status"], release.item["decided_via"]) == (status, "elsewhere")
    assert "decided_by" not in release.item


def test_an_end_that_codedeploy_never_took_gives_way_to_whoever_stopped_the_deployment(
    release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.aws.failures[REPORT] = ["ThrottlingException"] * 3
    with pytest.raises(EngineError):
        release.moment("end")
    assert release.item["status"] == "EXPIRED"
    stop(ID)
    output()

    release.ends("STOP")

    assert (release.item["status"], release.item["decided_via"]) == ("REJECTED", "elsewhere")
    assert ("GateExpired", "service=greenlight") not in output().metrics


def test_a_report_that_is_on_its_way_is_waited_for(
    release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.click("reject")
    lose_receipt(release)
    lease = {":until": {"S": (NOW + timedelta(seconds=15)).isoformat()}}
    change(release.aws, "SET report_until = :until", lease)
    output()

    with pytest.raises(GateBusyError):
        release.ends("FAILURE")

    assert output().failures == []
    release.later(minutes=1)
    assert release.ends("FAILURE") == "failed"
    assert release.item["decided_by"] == "U0ALICE"


def test_a_click_while_the_end_is_written_down_has_failed_nothing(
    release: Release, output: Callable[[], Output]
) -> None:
    """Nothing waits any more: nobody has to be woken up."""
    release.open()
    lease = {":until": {"S": (NOW + timedelta(seconds=15)).isoformat()}}
    change(release.aws, "SET report_until = :until", lease)
    output()

    release.click("approve")

    assert release.item["status"] == "WAITING"
    written = output()
    assert "DecisionFailed" not in written.text
    assert "Another try is at work" in written.text
    assert release.slack.responses, "whoever clicked is told to try again"


def test_a_receipt_that_comes_meanwhile_is_as_good(release: Release) -> None:
    release.open()
    release.click("reject")
    at = release.item["reported_at"]
    lose_receipt(release)
    release.meanwhile(reported_at=at)

    assert release.ends("FAILURE") == "failed"

    assert (release.item["decided_by"], release.item["reported_at"]) == ("U0ALICE", at)


def test_a_rejected_gate_says_that_it_was_rejected_and_no_more(release: Release) -> None:
    release.open("webhook")
    release.click("reject", reason="no")
    release.follow()

    release.ends("FAILURE")
    release.follow()

    (shown,) = release.messages
    assert "rejected" in shown.text, "what is expected is not said once more"
    assert release.item["outcome"] == "failed"


def open_while_it_ends(release: Release, way: str) -> None:
    """Opens a gate whose deployment ends after it was looked at: its event finds no gate."""

    def end(operation: str) -> None:
        if operation == "PutItem":
            is_stopped(release)

    release.post_by(way)
    release.aws.before = end
    release.call("hook", EVENT)
    release.aws.before = lambda _: None


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_a_deployment_that_ends_while_its_gate_is_opened_is_found_out(
    way: str, release: Release
) -> None:
    open_while_it_ends(release, way)
    assert release.messages[-1].buttons

    release.follow()

    assert (release.item["status"], release.item["outcome"]) == ("REJECTED", "stopped")
    assert release.history == ["opened", "notified", "decided", "ended"]
    assert release.item["decided_via"] == "elsewhere"
    assert release.messages[-1].buttons == []
    assert len(release.messages) == (1 if way == "bot" else 2)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("GetDeployment", "ThrottlingException"),
        ("GetDeploymentTarget", "ThrottlingException"),
        ("GetDeploymentTarget", "AccessDeniedException"),
    ],
)
def test_an_engine_that_cannot_be_asked_whether_it_has_ended_is_asked_again(
    operation: str, code: str, release: Release
) -> None:
    open_while_it_ends(release, "bot")
    release.aws.failures[operation] = [code] * 3

    with pytest.raises(EngineError):
        release.follow()
    release.aws.failures.clear()
    release.later(minutes=1)
    release.follow()

    assert release.item["outcome"] == "stopped"


@pytest.mark.parametrize("code", ["AccessDeniedException", "DeploymentDoesNotExistException"])
def test_a_gate_whose_deployment_may_not_be_read_waits_as_usual(
    code: str, release: Release, output: Callable[[], Output]
) -> None:
    release.post_by("bot")
    release.call("hook", EVENT)
    release.aws.failures["GetDeployment"] = [code]
    output()

    release.follow()

    assert output().failures == []
    assert release.item["status"] == "WAITING"


# What is none of ours, or goes wrong.


def test_a_deployment_without_a_gate_is_none_of_ours(
    release: Release, output: Callable[[], Output]
) -> None:
    finish(ID)

    assert release.ends("SUCCESS") is None

    written = output()
    assert (release.aws.items(), written.failures) == ([], [])
    assert "OutcomeFailed" not in str(written.metrics)


@pytest.mark.parametrize("code", ["AccessDeniedException", "DeploymentDoesNotExistException"])
def test_a_deployment_of_a_group_that_may_not_be_read_is_none_of_ours(
    code: str, release: Release, output: Callable[[], Output]
) -> None:
    finish(ID)
    release.aws.failures["GetDeployment"] = [code]

    assert release.ends("SUCCESS") is None

    assert output().failures == []


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException"])
def test_what_cannot_be_read_of_a_gate_s_deployment_is_tried_again(
    code: str, release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    release.click("approve")
    set_status(ID, "Succeeded")
    release.aws.failures["GetDeployment"] = [code] * 3
    output()

    with pytest.raises(EngineError):
        release.ends("SUCCESS")

    assert "stage=codedeploy" in str(output().metrics)
    release.aws.failures.clear()
    assert release.ends("SUCCESS") == "live"


def test_a_table_that_fails_is_tried_again(release: Release, output: Callable[[], Output]) -> None:
    release.open()
    release.click("approve")
    set_status(ID, "Succeeded")
    release.aws.failures["UpdateItem"] = ["ThrottlingException"] * 3
    output()

    with pytest.raises(TableError):
        release.ends("SUCCESS")

    assert output().metrics["OutcomeFailed", "service=greenlight", "stage=table"] == [1]
    assert release.ends("SUCCESS") == "live"


def test_an_outcome_whose_answer_was_lost_is_written_once(release: Release) -> None:
    release.open()
    release.click("approve")
    set_status(ID, "Succeeded")
    release.aws.lost_answers["UpdateItem"] = 1

    assert release.ends("SUCCESS") == "live"

    assert release.history.count("ended") == 1


def test_an_end_that_codedeploy_does_not_show_yet_is_asked_for_again(
    release: Release, output: Callable[[], Output]
) -> None:
    release.open()
    output()

    with pytest.raises(NotEndedError):
        release.ends("SUCCESS")

    written = output()
    assert written.failures == []
    assert "OutcomeFailed" not in str(written.metrics), "it is tried again"
    finish(ID)
    assert release.ends("SUCCESS") == "live"


def test_a_rollback_that_codedeploy_does_not_show_yet_is_asked_for_again(release: Release) -> None:
    release.open()
    release.click("approve")
    fails(release)
    begin_rollback(ID, ROLLBACK, release.aws.client("codedeploy"))
    release.ends("FAILURE")

    with pytest.raises(NotEndedError):
        release.ends("SUCCESS", ROLLBACK)
    set_status(ROLLBACK, "Succeeded")
    release.ends("SUCCESS", ROLLBACK)

    assert release.item["outcome"] == "rolled_back"


def test_the_documented_event_is_understood(release: Release, output: Callable[[], Output]) -> None:
    event = load_event("outcome/documented_example")
    add_deployment("d-123456789", release.aws.client("codedeploy"), application="myApplication")
    finish("d-123456789")

    answer = release.call("outcome", event)

    assert answer == {"statusCode": 200, "body": {"outcome": None}}
    assert {line["correlation_id"] for line in output().lines} == {"d-123456789"}
    assert state_change("d-123456789", "SUCCESS").keys() == event.keys()
    assert state_change("d-123456789", "SUCCESS")["detail"].keys() == event["detail"].keys()


@pytest.mark.parametrize(
    "event", [None, [], {}, {"detail": None}, {"detail": {"deploymentId": "<!here>"}}]
)
def test_what_is_no_state_change_is_refused(
    event: Any, release: Release, output: Callable[[], Output]
) -> None:
    with pytest.raises(EventError, match="Not a CodeDeploy deployment state change"):
        release.call("outcome", event)

    assert output().metrics["OutcomeFailed", "service=greenlight", "stage=event"] == [1]
