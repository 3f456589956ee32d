"""The same gate at either engine: what happens to it, the engine and what people see agree."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from greenlight.model.errors import EngineDeniedError, EngineError
from stand_ins.clicks import BOB
from tests.functional.conftest import Output
from tests.functional.helpers import whole
from tests.functional.life.release import ARN, Release

ANSWERS = {"codedeploy": "PutLifecycleEventHookExecutionStatus", "ecs": "ContinueServiceDeployment"}


def answering(either: Release) -> str:
    """The operation that answers a hook of its engine."""
    return ANSWERS[either.item["engine"]]


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_people_are_asked_once_however_often_the_engine_says_that_it_waits(
    either: Release, way: str
) -> None:
    message = either.open(way)
    answer = either.ask()

    assert answer["body"] == {
        "deployment_id": either.gate_id,
        "status": "WAITING",
        "duplicate": True,
    }
    assert len(either.messages) == 1
    assert either.history == ["opened", "notified"]
    assert either.gate_id in whole(message.content)
    assert either.answer is None


@pytest.mark.parametrize("way", ["bot", "webhook"])
@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_click_decides(either: Release, verdict: str, way: str) -> None:
    either.open(way)
    either.click(verdict, reason="seen")
    either.follow()

    assert either.answer == either.answers[verdict]
    assert either.item["decided_by"] == "U0ALICE"
    assert either.history == ["opened", "notified", "decided", "reported"]
    shown = either.messages[0].content
    assert "<@U0ALICE>" in whole(shown)
    assert "actions" not in [block["type"] for block in shown["blocks"]]


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_the_command_decides(either: Release, verdict: str) -> None:
    either.open()
    done = either.greenlight(verdict, either.gate_id, "--reason", "seen")
    either.follow()

    assert done.exit_code == 0, done.output
    assert either.answer == either.answers[verdict]
    assert either.item["decided_by"] == ARN
    assert f"`{ARN}`" in whole(either.messages[0].content)


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_slash_command_decides(either: Release, verdict: str) -> None:
    either.open(SLACK_COMMAND="/greenlight")
    either.type(f"{verdict} {either.gate_id} seen")
    either.follow()

    assert either.answer == either.answers[verdict]
    assert either.item["decided_by"] == "U0ALICE"
    assert "<@U0ALICE>" in whole(either.messages[0].content)


@pytest.mark.parametrize(
    ("status", "verdict", "found"),
    [("Succeeded", "approve", "APPROVED"), ("Failed", "reject", "REJECTED")],
)
def test_an_answer_from_elsewhere_is_found_and_shown(
    either: Release, status: str, verdict: str, found: str
) -> None:
    either.open()
    either.answer_elsewhere(status)

    assert either.watch() == "settled"
    either.follow()

    assert either.answer == either.answers[verdict]
    assert either.item["status"] == found
    assert either.item["decided_via"] == "elsewhere"
    assert "decided_by" not in either.item
    assert "actions" not in [block["type"] for block in either.messages[0].content["blocks"]]


@pytest.mark.parametrize("status", ["Succeeded", "Failed"])
def test_who_clicks_after_an_answer_from_elsewhere_is_told_so(either: Release, status: str) -> None:
    either.open()
    either.answer_elsewhere(status)
    either.click("reject" if status == "Succeeded" else "approve")

    notice = whole(either.slack.responses[-1])
    assert "already had an answer from elsewhere" in notice
    assert either.item["decided_via"] == "elsewhere"
    assert either.item["status"] == ("APPROVED" if status == "Succeeded" else "REJECTED")


def test_who_says_that_they_are_testing_is_shown(either: Release) -> None:
    either.open()
    either.click("claim")
    either.follow()

    assert "*Testing now*: <@U0ALICE>" in whole(either.messages[0].content)
    assert either.answer is None


def test_people_are_reminded_and_then_the_gate_is_ended(either: Release) -> None:
    either.open(DECIDE_WITHIN_MINUTES="40")

    assert either.moment("reminder") == "reminded"
    assert "*15 min* left" in whole(either.slack.in_channel()[-1].content)
    assert either.moment("end") == "made"
    either.follow()

    assert either.answer == either.answers["reject"]
    assert either.item["status"] == "EXPIRED"
    assert "Nobody decided in time" in whole(either.messages[0].content)


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_whom_the_engine_denies_decides_nothing(either: Release, verdict: str) -> None:
    either.open()
    either.aws.failures[answering(either)] = ["AccessDeniedException"]
    either.click(verdict)

    assert either.item["status"] == "WAITING"
    assert either.history == ["opened", "notified", "decided", "denied"]
    permission = f"{either.item['engine']}:{answering(either)}"
    assert permission in whole(either.slack.responses[-1])
    either.click("reject", user=BOB)
    assert either.answer == either.answers["reject"]


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_decision_that_the_engine_does_not_take_is_carried_there_by_the_clock(
    either: Release, verdict: str, sleeps: list[float]
) -> None:
    either.open()
    either.aws.failures[answering(either)] = ["ThrottlingException"] * 9
    either.click(verdict)
    either.aws.failures.clear()

    assert "reported_at" not in either.item
    either.follow()
    either.later(minutes=2)
    assert either.moment("look") == "finished"
    assert either.answer == either.answers[verdict]
    assert either.item["decided_by"] == "U0ALICE"


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_an_answer_that_was_taken_and_whose_receipt_was_lost_is_ours(
    either: Release, verdict: str, sleeps: list[float]
) -> None:
    either.open()
    either.aws.lost_answers[answering(either)] = 1
    either.click(verdict)

    assert either.answer == either.answers[verdict]
    assert either.item["decided_by"] == "U0ALICE"
    assert either.item["decided_via"] == "slack"
    assert either.item["reported_at"]


def test_what_became_of_an_approved_release_is_told(either: Release) -> None:
    either.open()
    either.click("approve")
    either.follow()
    either.later(minutes=5)

    assert either.go_live() == "live"
    either.follow()

    assert either.item["outcome"] == "live"
    assert "ECS deployment: live" in whole(either.messages[0].content)


def test_a_hook_that_could_not_be_opened_is_failed_and_people_are_told(either: Release) -> None:
    either.post_by("bot")
    answer = either.call("failure", either.failure_record())

    assert answer["body"] == {"deployment_id": either.gate_id, "failed": True}
    assert either.answer == either.answers["reject"]
    assert either.item["status"] == "FAILED"
    assert "could not ask for a test" in whole(either.messages[0].content)


@pytest.mark.parametrize("verdict", [None, "approve"])
def test_a_release_that_people_know_of_is_not_failed(either: Release, verdict: str | None) -> None:
    either.open()
    if verdict:
        either.click(verdict)

    answer = either.call("failure", either.failure_record())

    assert answer["body"] == {"deployment_id": either.gate_id, "failed": False}
    assert either.answer == (either.answers[verdict] if verdict else None)


def test_what_hangs_is_told_with_the_command_that_ends_it(
    either: Release, sleeps: list[float]
) -> None:
    either.post_by("bot")
    either.aws.failures["ContinueServiceDeployment"] = ["ThrottlingException"] * 9
    either.aws.failures["PutLifecycleEventHookExecutionStatus"] = ["ThrottlingException"] * 9

    with pytest.raises(EngineError):
        either.call("failure", either.failure_record())

    told = whole(either.messages[0].content)
    assert "stuck" in told
    assert "aws deploy put-lifecycle" in told or "aws ecs continue-service-deployment" in told


def test_an_engine_that_says_nothing_costs_the_gate_only_its_details(
    either: Release, sleeps: list[float]
) -> None:
    for operation in ("GetDeployment", "ListDeploymentTargets", "DescribeServiceDeployments"):
        either.aws.failures[operation] = ["ThrottlingException"] * 9

    either.post_by("bot")
    either.ask()

    message = either.messages[0]
    assert "could not be asked about this deployment" in whole(message.content)
    assert either.item["status"] == "WAITING"


def test_the_gate_is_listed_and_shown(either: Release) -> None:
    either.open()

    assert either.gate_id in either.greenlight("list").output
    assert "WAITING" in either.greenlight("show", either.gate_id).output


def test_a_state_of_the_gate_is_said_to_machines(either: Release) -> None:
    either.open()
    either.click("approve")
    either.follow()

    assert len(either.aws.published) >= 2
    assert either.item["engine"] in str(either.aws.published[-1])


def test_a_failover_that_the_engine_denies_is_raised(either: Release) -> None:
    either.post_by("bot")
    either.aws.failures["ContinueServiceDeployment"] = ["AccessDeniedException"]
    either.aws.failures["PutLifecycleEventHookExecutionStatus"] = ["AccessDeniedException"]

    with pytest.raises(EngineDeniedError):
        either.call("failure", either.failure_record())


def test_how_long_people_have_had_is_counted(either: Release, output: Callable[[], Output]) -> None:
    either.open()
    output()
    either.later(minutes=4)
    either.click("approve")

    assert output().metrics["TimeToDecision", "service=greenlight"] == [240.0]


def test_what_is_counted_of_gates_comes_by_the_engine_too(
    either: Release, output: Callable[[], Output]
) -> None:
    either.open()
    either.click("approve")
    either.go_live()
    counted = output().metrics

    for name in ("GateOpened", "SlackNotified", "GateApproved", "ReleaseLive"):
        assert counted[name, "service=greenlight"] == [1.0]
        assert counted[name, f"engine={either.item['engine']}", "service=greenlight"] == [1.0]


def test_a_failover_is_counted_by_the_engine_too(
    either: Release, output: Callable[[], Output]
) -> None:
    either.post_by("bot")
    either.call("failure", either.failure_record())
    counted = output().metrics

    engine = f"engine={either.item['engine']}"
    assert counted["HookFailedOver", "service=greenlight"] == [1.0]
    assert counted["HookFailedOver", engine, "service=greenlight"] == [1.0]


def test_an_approval_at_a_terminal_that_the_engine_was_not_told_of_is_carried_before_it_gives_up(
    either: Release, sleeps: list[float]
) -> None:
    either.open()
    either.aws.failures[answering(either)] = ["ThrottlingException"] * 9
    either.greenlight("approve", either.gate_id)
    either.aws.failures.clear()

    assert either.watch() == "watched", "somebody may press again"
    either.at(datetime.fromisoformat(either.item["deadline"]) - timedelta(minutes=2, seconds=30))
    assert either.watch() == "finished"
    assert either.answer == either.answers["approve"]
    assert either.item["decided_by"] == ARN


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_decision_whose_looks_have_all_failed_is_carried_by_the_watch(
    either: Release, verdict: str, sleeps: list[float]
) -> None:
    either.open(REMIND_MINUTES_BEFORE="")
    either.aws.failures[answering(either)] = ["ThrottlingException"] * 9
    either.click(verdict)
    either.aws.failures.clear()

    either.later(minutes=6)
    assert either.watch() == "finished"
    assert either.answer == either.answers[verdict]
    assert either.item["decided_by"] == "U0ALICE"


def test_a_gate_whose_end_never_came_is_ended_by_the_watch(either: Release) -> None:
    either.open(DECIDE_WITHIN_MINUTES="20", REMIND_MINUTES_BEFORE="")

    either.later(minutes=15)
    assert either.watch() == "watched"
    either.later(minutes=8)
    assert either.watch() == "made"
    assert either.item["status"] == "EXPIRED"
    assert either.answer == either.answers["reject"]


def test_a_gate_is_not_forgotten_while_it_waits(either: Release) -> None:
    either.open(GATE_TTL_DAYS="1")

    forgotten = datetime.fromtimestamp(int(either.item["expires_at"]), UTC)
    assert forgotten - datetime.fromisoformat(either.item["deadline"]) == timedelta(days=1)
