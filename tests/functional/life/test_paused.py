"""What only a PAUSE hook of ECS's has: days, several at once, and silence that may ship."""

import functools
import socket
from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from moto.core.exceptions import AWSError

from greenlight.engines.ecs import gate_id_of
from greenlight.handlers import changes, pause
from greenlight.model.errors import (
    EngineError,
    EventError,
    GateBusyError,
    NotEndedError,
    ReleaseUnseenError,
    SettingsError,
    SlackError,
)
from greenlight.runtime.clients import Clients
from greenlight.runtime.network import AWS_CONFIG, CHAIN_CONFIG, Countdown
from stand_ins import ecs
from stand_ins.clicks import BOB
from stand_ins.slack import Answer, broken_limits
from tests.functional.conftest import Output
from tests.functional.helpers import plain, record, whole
from tests.functional.life.paused import ARN, HOOK_ID, ID, Paused
from tests.functional.life.release import NOW

CONTINUE = "ContinueServiceDeployment"
DESCRIBE = "DescribeServiceDeployments"
# What the hourly look asks ECS.
LOOKS = ("ListClusters", "ListServices", "DescribeServices", DESCRIBE)
OTHER = ecs.hook_id_for("another")
A_DAY = timedelta(days=1)
SECOND_ANSWERS: list[ecs.SecondAnswer] = ["accepted", "refused", "client_error", "server_error"]


def items(paused: Paused) -> dict[str, dict[str, Any]]:
    """All gates, by id."""
    found = [plain(item) for item in paused.aws.items()]
    return {item["deployment_id"]: item for item in found}


def take_long(
    paused: Paused, monkeypatch: pytest.MonkeyPatch, handler: ModuleType, **seconds: float
) -> None:
    """Has calls of AWS take so long, by the clock of a handler: each operation as it says."""
    passed = [0.0]
    config = CHAIN_CONFIG if handler is changes else AWS_CONFIG
    clients = Clients(Countdown(lambda: passed[0]), config)
    monkeypatch.setattr(handler, "_clients", functools.cache(lambda: clients))

    def after(operation: str) -> None:
        passed[0] += seconds.get(operation, 0.0)

    paused.aws.after = after


def test_the_message_says_what_is_to_be_decided_until_when_and_how(paused: Paused) -> None:
    paused.begin()
    message = paused.open(SLACK_SIGNING_SECRET=None)
    told = whole(message.content)

    assert paused.item["engine"] == "ecs"
    assert paused.item["service_deployment_arn"] == ARN
    assert paused.item["stage"] == "POST_TEST_TRAFFIC_SHIFT"
    assert paused.item["timeout_action"] == "ROLLBACK"
    assert paused.item["deadline"] == (NOW + A_DAY).isoformat()
    assert "decide_by" not in paused.item
    assert "*Cluster*\\nproduction" in told
    assert "*Service*\\nshop" in told
    assert "*Stage*\\nPOST_TEST_TRAFFIC_SHIFT" in told
    assert "ECS rolls the deployment back." in told
    command = f"aws ecs continue-service-deployment --region ap-northeast-2 {ARN}"
    for action in ("CONTINUE", "ROLLBACK"):
        assert f"--service-deployment-arn {ARN} --hook-id {HOOK_ID} --action {action}" in told
    assert command.split(" arn", maxsplit=1)[0] in told
    assert "CodeDeploy" not in told
    assert broken_limits(message.content) == []


def test_who_is_silent_ships_the_release_where_the_hook_says_so(paused: Paused) -> None:
    paused.begin(action="CONTINUE")
    message = paused.open()

    assert "🔴 *Without a decision by then, ECS lets the deployment go on*" in whole(
        message.content
    )

    paused.later(minutes=1440)
    ecs.give_up(ARN, HOOK_ID)
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))
    paused.follow()

    assert paused.item["status"] == "EXPIRED"
    assert paused.item["decided_via"] == "elsewhere"
    told = whole(paused.messages[0].content)
    assert "Without a decision, ECS let the deployment go on" in told

    assert paused.go_live() == "live"
    paused.follow()
    assert "ECS deployment: live" in whole(paused.messages[0].content)


def test_a_hook_that_nobody_decided_is_rolled_back_by_ecs(paused: Paused) -> None:
    paused.begin()
    paused.open()
    paused.later(minutes=1440)
    ecs.give_up(ARN, HOOK_ID)
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))
    paused.follow()

    assert paused.item["status"] == "EXPIRED"
    assert "Without a decision, ECS rolled the deployment back" in whole(paused.messages[0].content)


def test_what_cannot_be_rolled_back_is_said(paused: Paused) -> None:
    paused.begin(first=True)
    message = paused.open()

    assert "first deployment of the service" in whole(message.content)
    assert paused.item["is_first"] is True


@pytest.mark.parametrize(
    ("strategy", "traffic"), [("CANARY", "CANARY 5 %"), ("LINEAR", "LINEAR 10 %")]
)
def test_each_step_of_a_canary_asks_anew(
    paused: Paused, strategy: ecs.Strategy, traffic: str
) -> None:
    ecs.add_deployment(ARN, strategy)
    ids = []
    paused.post_by("bot")
    for step in range(3):
        hook_id = ecs.hook_id_for(f"step {step}")
        ids.append(gate_id_of(ARN, hook_id))
        ecs.pause(ARN, hook_id, stage="PRE_PRODUCTION_TRAFFIC_SHIFT")
        paused.call("pause", paused.event("HOOK_AWAITING_ACTION", hook_id))
        paused.follow()
        message = paused.messages[-1]
        assert traffic in whole(message.content)
        assert "waiting at the stage `PRE_PRODUCTION_TRAFFIC_SHIFT`" in whole(message.content)
        paused.click("approve", on=message)
        paused.follow()
        assert ecs.deployments()[ARN].hook(hook_id).status == "SUCCEEDED"

    assert paused.go_live() == "live"
    assert {name: item["outcome"] for name, item in items(paused).items()} == dict.fromkeys(
        ids, "live"
    )


def test_two_hooks_of_a_deployment_wait_at_once(paused: Paused) -> None:
    paused.begin()
    ecs.pause(ARN, OTHER)
    first = paused.open()
    paused.call("pause", paused.event("HOOK_AWAITING_ACTION", OTHER))
    paused.follow()
    second = paused.messages[-1]
    paused.click("approve", on=first)
    paused.click("reject", on=second, user=BOB)
    paused.follow()

    other = gate_id_of(ARN, OTHER)
    assert {name: item["status"] for name, item in items(paused).items()} == {
        ID: "APPROVED",
        other: "REJECTED",
    }
    assert ecs.deployments()[ARN].hook(OTHER).status == "FAILED"
    paused.roll_back()
    assert paused.wake_up("SERVICE_DEPLOYMENT_FAILED") == "rolled_back"
    assert {item["outcome"] for item in items(paused).values()} == {"rolled_back"}


def test_a_hook_whose_deployment_another_one_has_rolled_back_is_brought_in_line(
    paused: Paused,
) -> None:
    paused.begin()
    ecs.pause(ARN, OTHER)
    paused.open()
    ecs.answer(ARN, OTHER, "ROLLBACK")

    assert paused.watch() == "settled"
    paused.follow()
    assert paused.item["status"] == "REJECTED"
    assert paused.item["decided_via"] == "elsewhere"
    told = whole(paused.messages[0].content)
    assert "*Rolled back or stopped* at ECS itself" in told
    assert "actions" not in [block["type"] for block in paused.messages[0].content["blocks"]]


@pytest.mark.parametrize("second", SECOND_ANSWERS)
@pytest.mark.parametrize(
    ("before", "verdict", "found"),
    [("CONTINUE", "reject", "APPROVED"), ("ROLLBACK", "approve", "REJECTED")],
)
def test_whatever_ecs_says_to_a_second_answer_the_first_one_stands(
    paused: Paused,
    second: ecs.SecondAnswer,
    before: ecs.Action,
    verdict: str,
    found: str,
    sleeps: list[float],
) -> None:
    paused.begin()
    paused.open()
    ecs.deployments()[ARN].second_answer = second
    ecs.answer(ARN, HOOK_ID, before)
    paused.click(verdict)

    assert paused.item["status"] == found
    assert paused.item["decided_via"] == "elsewhere"
    assert "already had an answer from elsewhere" in whole(paused.slack.responses[-1])


@pytest.mark.parametrize("second", SECOND_ANSWERS)
@pytest.mark.parametrize(("before", "verdict"), [("CONTINUE", "approve"), ("ROLLBACK", "reject")])
def test_who_wanted_what_ecs_was_told_is_not_shown_anything_untrue(
    paused: Paused,
    second: ecs.SecondAnswer,
    before: ecs.Action,
    verdict: str,
    sleeps: list[float],
) -> None:
    paused.begin()
    paused.open()
    ecs.deployments()[ARN].second_answer = second
    ecs.answer(ARN, HOOK_ID, before)
    paused.click(verdict)

    assert paused.item["status"] == {"approve": "APPROVED", "reject": "REJECTED"}[verdict]
    assert paused.item["reported_at"]


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_deployment_that_was_stopped_takes_no_decision(paused: Paused, verdict: str) -> None:
    paused.begin()
    paused.open()
    ecs.stop(ARN)
    paused.click(verdict)
    paused.follow()

    assert paused.item["status"] == "REJECTED"
    if verdict == "approve":
        assert paused.item["decided_via"] == "elsewhere"


def test_the_action_is_always_sent(paused: Paused) -> None:
    paused.begin()
    paused.open()
    paused.aws.failures[CONTINUE] = ["ServerException"]
    paused.click("reject")

    assert ecs.deployments()[ARN].hook(HOOK_ID).status == "FAILED"


@pytest.mark.parametrize(
    ("event", "action", "status"),
    [("HOOK_SUCCEEDED", "CONTINUE", "APPROVED"), ("HOOK_FAILED", "ROLLBACK", "REJECTED")],
)
def test_an_answer_in_the_console_is_shown_at_once(
    paused: Paused, event: str, action: ecs.Action, status: str
) -> None:
    paused.begin()
    paused.open()
    ecs.answer(ARN, HOOK_ID, action)
    answer = paused.call("pause", paused.event(event))
    paused.follow()

    assert answer["body"] == {"deployment_id": ID, "status": status}
    assert "at ECS itself" in whole(paused.messages[0].content)


def test_the_echo_of_a_decision_changes_nothing(paused: Paused) -> None:
    paused.begin()
    paused.open()
    paused.click("approve")
    before = paused.item
    paused.call("pause", paused.event("HOOK_SUCCEEDED"))
    paused.call("pause", paused.event("HOOK_SUCCEEDED"))

    assert paused.item == before


def test_an_end_that_comes_before_ecs_shows_it_is_tried_again(paused: Paused) -> None:
    paused.begin()
    paused.open()

    with pytest.raises(NotEndedError, match="ECS does not say yet"):
        paused.call("pause", paused.event("HOOK_SUCCEEDED"))


def test_an_end_of_a_hook_that_was_never_opened_is_nobodys(paused: Paused) -> None:
    paused.begin()
    ecs.answer(ARN, HOOK_ID)

    answer = paused.call("pause", paused.event("HOOK_SUCCEEDED"))

    assert answer["body"] == {"deployment_id": ID}
    assert paused.aws.items() == []


def test_nobody_is_asked_about_a_hook_that_was_answered_before(paused: Paused) -> None:
    paused.begin()
    ecs.answer(ARN, HOOK_ID)
    paused.post_by("bot")
    answer = paused.ask()

    assert answer["body"] == {"deployment_id": ID, "status": "APPROVED", "duplicate": False}
    assert paused.slack.messages == []


def test_people_are_reminded_after_a_working_day_and_then_once_a_day(paused: Paused) -> None:
    paused.begin(minutes=4 * 1440)
    paused.open()

    due = [at - NOW for at, _ in paused.moments("reminder")]
    hours = [8, 8 + 24, 8 + 48, 8 + 72, 4 * 24 - 0.25]
    assert due == [timedelta(hours=each) for each in hours]

    for at, event in paused.moments("reminder")[:2]:
        paused.at(at)
        assert paused.call("clock", event)["body"]["outcome"] == "reminded"
    assert "*64 h* left" in whole(paused.slack.in_channel()[-1].content)


def test_who_wants_no_reminders_gets_none(paused: Paused) -> None:
    paused.begin(minutes=4 * 1440)
    paused.open(REMIND_MINUTES_BEFORE="")

    assert paused.moments("reminder") == []


def test_a_pause_is_looked_at_until_its_deployment_has_ended(paused: Paused) -> None:
    paused.begin()
    paused.open()
    ((until, _),) = paused.watches()
    assert until == NOW + timedelta(days=3)

    assert paused.watch() == "watched"
    paused.click("reject")
    paused.follow()
    assert paused.watch() == "watched"
    paused.roll_back()  # and no event of it
    assert paused.watch() == "learned"
    paused.follow()
    assert paused.item["outcome"] == "rolled_back"
    assert paused.watch() == "watched"


def test_the_outcome_is_written_down_though_ecs_lists_no_hooks_any_more(paused: Paused) -> None:
    paused.begin()
    paused.open()
    paused.click("approve")
    ecs.finish(ARN)
    ecs.deployments()[ARN].hooks.clear()

    assert paused.watch() == "learned"
    assert paused.item["outcome"] == "live"


@pytest.mark.parametrize("told", ["leaves the deployment waiting", None], ids=["untold", "told"])
def test_a_pause_can_be_left_waiting_when_nobody_can_be_asked(
    paused: Paused, told: str | None
) -> None:
    paused.begin()
    paused.post_by("bot")
    if told is None:
        paused.open()
    paused.environ["PAUSE_FAILURE"] = "leave"
    answer = paused.call("failure", paused.failure_record())

    assert answer["body"] == {"deployment_id": ID, "failed": False}
    assert paused.answer is None
    assert len(paused.messages) == 1
    if told:
        assert told in whole(paused.messages[0].content)
        assert whole(paused.messages[0].content).count("continue-service-deployment") == 2


def test_a_hook_of_codedeploys_is_not_left_waiting(release: Any) -> None:
    release.post_by("bot")
    release.environ["PAUSE_FAILURE"] = "leave"
    answer = release.call("failure", release.failure_record())

    assert answer["body"]["failed"] is True


def test_a_wrong_wish_for_failures_is_said_and_the_hook_is_failed(
    paused: Paused, output: Callable[[], Output]
) -> None:
    paused.begin()
    paused.post_by("bot")
    paused.environ["PAUSE_FAILURE"] = "maybe"
    answer = paused.call("failure", paused.failure_record())

    assert answer["body"]["failed"] is True
    assert "PAUSE_FAILURE must be rollback or leave" in output().text


def test_an_event_that_cannot_be_understood_is_refused_with_every_reason(paused: Paused) -> None:
    paused.begin()
    event = paused.event("HOOK_AWAITING_ACTION")
    event["detail"] |= {"serviceDeploymentArn": "x", "hookId": "", "hookType": "AWS_LAMBDA"}

    with pytest.raises(EventError) as raised:
        paused.call("pause", event)

    for name in ("serviceDeploymentArn", "hookId", "hookType"):
        assert f"detail.{name}" in str(raised.value)


def test_slack_that_is_down_leaves_the_gate_for_the_next_try(
    paused: Paused, sleeps: list[float]
) -> None:
    paused.begin()
    paused.post_by("webhook")
    paused.slack.script += [Answer(status=503)] * 9
    with pytest.raises(SlackError):
        paused.ask()
    paused.slack.script.clear()

    assert paused.ask()["body"]["duplicate"] is False
    assert paused.history == ["opened", "notified"]


def test_a_lost_event_is_made_up_for(paused: Paused, output: Callable[[], Output]) -> None:
    paused.begin()
    paused.post_by("bot")
    answer = paused.call("pause", {"due": "sweep"})

    assert answer["body"] == {"found": 1}
    assert ("HookFound", "service=greenlight") in output().metrics
    ((function, event),) = paused.aws.called
    assert function == "by-hand"
    assert paused.call("pause", event)["body"]["status"] == "WAITING"
    assert paused.item["deadline"] == (NOW + A_DAY).isoformat()
    assert paused.call("pause", {"due": "sweep"})["body"] == {"found": 0}


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("*", 1), ("production/*", 1), ("production/shop", 1), ("staging/*", 0), ("*/other", 0)],
)
def test_the_sweep_looks_where_it_is_set_up_to(paused: Paused, pattern: str, found: int) -> None:
    paused.begin()
    paused.environ["ECS_SERVICES"] = pattern
    answer = paused.call("pause", {"due": "sweep"})

    assert answer["body"] == {"found": found}


@pytest.mark.parametrize("failing", ["ListClusters", "DescribeServices", "GetItem", "Invoke"])
def test_a_sweep_that_fails_is_counted_and_not_tried_again(
    paused: Paused, failing: str, output: Callable[[], Output], sleeps: list[float]
) -> None:
    paused.begin()
    paused.aws.failures[failing] = ["AccessDeniedException"]

    assert paused.call("pause", {"due": "sweep"})["body"] == {}
    assert output().metrics["SweepFailed", "service=greenlight"] == [1.0]


def test_wrong_settings_are_an_error_of_the_invocation(paused: Paused) -> None:
    paused.begin()
    paused.environ["TEST_URL"] = "{nothing}"

    with pytest.raises(SettingsError, match="TEST_URL"):
        paused.ask()


def test_a_wake_up_of_another_service_is_nobodys(paused: Paused) -> None:
    other = ecs.deployment_arn("1EYSiB0qap8xf0N76FsbE", service="other")
    ecs.add_deployment(other)
    ecs.finish(other)

    answer = paused.call("outcome", ecs.state_change(other, "SERVICE_DEPLOYMENT_COMPLETED"))

    assert answer["body"] == {"outcome": None}


def test_a_wake_up_of_a_service_that_never_pauses_costs_two_calls(paused: Paused) -> None:
    for number in range(5):
        arn = ecs.deployment_arn(f"{number}EYSiB0qap8xf0N76FsbE", service="other")
        ecs.add_deployment(arn)
        ecs.finish(arn)
    paused.aws.operations.clear()

    paused.call("outcome", ecs.state_change(arn, "SERVICE_DEPLOYMENT_COMPLETED"))
    assert paused.aws.operations == ["ListServiceDeployments", DESCRIBE]


@pytest.mark.parametrize(
    "error", ["ServiceNotFoundException", "ClusterNotFoundException", "AccessDeniedException"]
)
def test_a_wake_up_of_a_service_that_is_gone_or_may_not_be_read_is_no_failure(
    paused: Paused, output: Callable[[], Output], error: str
) -> None:
    paused.begin()
    ecs.finish(ARN)
    paused.aws.failures["ListServiceDeployments"] = [error]

    assert paused.wake_up("SERVICE_DEPLOYMENT_COMPLETED") is None
    assert "OutcomeFailed" not in output().text


def test_a_wake_up_of_a_service_without_deployments_is_no_failure(paused: Paused) -> None:
    paused.begin()
    event = ecs.state_change(ARN, "SERVICE_DEPLOYMENT_COMPLETED")
    ecs.deployments().clear()

    assert paused.call("outcome", event)["body"] == {"outcome": None}


def test_a_deployment_that_goes_on_has_no_outcome(paused: Paused) -> None:
    paused.begin()
    paused.open()

    assert paused.wake_up("SERVICE_DEPLOYMENT_IN_PROGRESS") is None
    assert paused.wake_up("SERVICE_DEPLOYMENT_COMPLETED") is None
    assert "outcome" not in paused.item


def test_two_tries_at_once_ask_once(paused: Paused) -> None:
    paused.begin()
    paused.post_by("webhook")

    def second() -> None:
        with pytest.raises(GateBusyError):
            paused.ask()

    paused.slack.script.append(Answer(pause=second))
    paused.ask()

    assert len(paused.slack.messages) == 1


def test_the_word_of_an_end_that_could_not_be_taken_fails_nothing(paused: Paused) -> None:
    paused.begin()
    paused.open()
    answer = paused.call("failure", record(None, paused.event("HOOK_SUCCEEDED")))

    assert answer["body"] == {"deployment_id": ID, "failed": False}
    assert paused.answer is None
    assert paused.item["status"] == "WAITING"


def test_an_approval_that_ecs_ignored_is_none_though_it_lists_its_hook_no_more(
    paused: Paused,
) -> None:
    paused.begin()
    deployment = ecs.deployments()[ARN]
    deployment.forgets_hooks, deployment.second_answer = True, "accepted"
    paused.open()
    ecs.answer(ARN, HOOK_ID, "ROLLBACK")
    paused.later(minutes=1)
    paused.click("approve")

    assert paused.item["status"] == "REJECTED"
    assert paused.item["decided_via"] == "elsewhere"


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_an_approval_that_ecs_ignored_is_none_once_ecs_sends_word_of_it(
    paused: Paused, way: str
) -> None:
    paused.begin()
    deployment = ecs.deployments()[ARN]
    deployment.forgets_hooks, deployment.second_answer = True, "accepted"
    paused.open(way)
    ecs.answer(ARN, HOOK_ID, "ROLLBACK")
    paused.click("approve")
    paused.follow()
    assert paused.item["status"] == "APPROVED"  # nobody can say yet that it is not

    paused.call("pause", paused.event("HOOK_FAILED"))
    paused.follow()
    assert paused.item["status"] == "REJECTED"
    assert paused.item["decided_via"] == "elsewhere"
    assert "decided_by" not in paused.item
    assert [one.get("by") for one in paused.item["history"] if one["event"] == "decided"] == [
        "U0ALICE",
        None,
    ]
    assert "rejected" in "".join(whole(one.content) for one in paused.slack.shown[-2:])

    heard = len(paused.slack.shown)
    paused.call("pause", paused.event("HOOK_FAILED"))
    paused.follow()
    assert len(paused.slack.shown) == heard


def test_an_approval_stands_whose_release_fails_in_the_same_moment(paused: Paused) -> None:
    paused.begin()
    ecs.deployments()[ARN].forgets_hooks = True
    paused.open()

    def fail(operation: str) -> bool:
        if operation == DESCRIBE:
            ecs.roll_back(ARN)
        return False

    paused.aws.before = fail
    paused.click("approve")
    paused.aws.before = lambda _: None
    assert (paused.item["status"], paused.item["decided_by"]) == ("APPROVED", "U0ALICE")

    paused.call("pause", paused.event("HOOK_SUCCEEDED"))
    assert (paused.item["status"], paused.item["decided_by"]) == ("APPROVED", "U0ALICE")


def test_a_rejection_is_none_of_a_release_that_is_live(paused: Paused) -> None:
    paused.begin()
    deployment = ecs.deployments()[ARN]
    deployment.forgets_hooks, deployment.second_answer = True, "accepted"
    paused.open()
    ecs.answer(ARN, HOOK_ID, "CONTINUE")
    ecs.finish(ARN)
    paused.click("reject")

    assert (paused.item["status"], paused.item["decided_via"]) == ("APPROVED", "elsewhere")


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_the_word_of_an_end_does_not_say_what_silence_did_where_nobody_knows(
    paused: Paused, verdict: str
) -> None:
    paused.begin()
    paused.post_by("bot")
    paused.aws.failures[DESCRIBE] = ["ThrottlingException"] * 9
    paused.ask()
    paused.aws.failures.clear()
    paused.click(verdict)
    decided = paused.item
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))

    assert paused.item == decided


def test_a_rejection_that_ecs_ignored_is_none_though_it_lists_its_hook_no_more(
    paused: Paused,
) -> None:
    paused.begin()
    deployment = ecs.deployments()[ARN]
    deployment.forgets_hooks, deployment.second_answer = True, "accepted"
    paused.open()
    ecs.answer(ARN, HOOK_ID, "CONTINUE")
    paused.click("reject")

    assert "could not be told" in whole(paused.slack.responses[-1])
    assert paused.watch() == "settled"
    assert paused.item["status"] == "APPROVED"
    assert paused.item["decided_via"] == "elsewhere"


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_decision_is_one_though_ecs_lists_its_hook_no_more(paused: Paused, verdict: str) -> None:
    paused.begin()
    ecs.deployments()[ARN].forgets_hooks = True
    paused.open()
    paused.click(verdict)
    paused.follow()

    assert paused.answer == paused.answers[verdict]
    assert paused.item["decided_by"] == "U0ALICE"
    assert paused.item["reported_at"]
    assert [one for one in paused.slack.responses if one.get("response_type")] == []


@pytest.mark.parametrize(("action", "status"), [("CONTINUE", "APPROVED"), ("ROLLBACK", "REJECTED")])
@pytest.mark.parametrize("way", ["event", "watch", "click"])
def test_an_answer_from_elsewhere_is_found_though_ecs_lists_its_hook_no_more(
    paused: Paused, action: ecs.Action, status: str, way: str
) -> None:
    paused.begin()
    ecs.deployments()[ARN].forgets_hooks = True
    paused.open()
    ecs.answer(ARN, HOOK_ID, action)
    if way == "event":
        ended = "HOOK_SUCCEEDED" if action == "CONTINUE" else "HOOK_FAILED"
        paused.call("pause", paused.event(ended))
    elif way == "watch":
        assert paused.watch() == "settled"
    else:
        paused.click("reject" if action == "CONTINUE" else "approve")

    assert paused.item["status"] == status
    assert paused.item["decided_via"] == "elsewhere"


def test_silence_that_ships_is_known_though_ecs_lists_its_hook_no_more(paused: Paused) -> None:
    paused.begin(action="CONTINUE")
    ecs.deployments()[ARN].forgets_hooks = True
    paused.open()
    paused.later(minutes=1440)
    ecs.give_up(ARN, HOOK_ID)
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))

    assert paused.item["status"] == "EXPIRED"
    assert paused.item["timeout_action"] == "CONTINUE"


@pytest.mark.parametrize("name", ["-0EYSiB0qap8xf0N76Fsb", "_0EYSiB0qap8xf0N76Fsb", "--__-"])
def test_a_deployment_may_be_called_what_a_command_takes_for_an_option(
    paused: Paused, name: str
) -> None:
    arn = ecs.deployment_arn(name)
    ecs.add_deployment(arn)
    ecs.pause(arn, HOOK_ID)
    paused.post_by("bot")
    paused.call("pause", ecs.hook_event(arn, HOOK_ID, "HOOK_AWAITING_ACTION"))
    gate_id = paused.item["deployment_id"]

    assert gate_id[0] not in "-_"
    done = paused.greenlight("approve", gate_id)
    assert done.exit_code == 0, done.output
    assert ecs.deployments()[arn].hook(HOOK_ID).status == "SUCCEEDED"


@pytest.mark.parametrize("action", ["CONTINUE", "ROLLBACK"])
def test_what_is_not_known_of_silence_is_not_said(
    paused: Paused, action: ecs.Action, sleeps: list[float]
) -> None:
    paused.begin(action=action)
    paused.post_by("bot")
    paused.aws.failures[DESCRIBE] = ["ThrottlingException"] * 9
    paused.ask()
    paused.aws.failures.clear()

    told = whole(paused.messages[0].content)
    assert "ECS does what the hook says" in told
    assert paused.item["deadline"] == (NOW + A_DAY).isoformat(), "its event has said that"
    paused.follow()
    paused.later(minutes=1440)
    ecs.give_up(ARN, HOOK_ID)
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))
    paused.follow()
    went_on = "let the deployment go on" in whole(paused.messages[0].content)
    assert went_on is (action == "CONTINUE")


def test_a_release_that_went_on_by_itself_is_not_told_as_rolled_back(paused: Paused) -> None:
    paused.begin(action="CONTINUE")
    paused.post_by("bot")
    paused.later(minutes=1440)
    ecs.give_up(ARN, HOOK_ID)
    answer = paused.call("failure", paused.failure_record())

    assert answer["body"]["failed"] is False
    assert paused.slack.messages == []


def test_who_is_told_that_it_is_left_waiting_hears_what_silence_does(paused: Paused) -> None:
    paused.begin(action="CONTINUE")
    paused.post_by("bot")
    paused.environ["PAUSE_FAILURE"] = "leave"
    paused.call("failure", paused.failure_record())

    assert "lets the deployment go on" in whole(paused.messages[0].content)


def test_a_hook_in_progress_is_no_news(paused: Paused) -> None:
    paused.begin()
    paused.open()
    before = paused.item

    answer = paused.call("pause", paused.event("HOOK_IN_PROGRESS"))

    assert answer["body"] == {"deployment_id": ID}
    assert paused.item == before


def test_a_look_that_was_cut_off_fails_nothing(paused: Paused) -> None:
    answer = paused.call("failure", record(None, {"due": "sweep"}))

    assert answer["body"] == {"deployment_id": None, "failed": False}


def test_what_ecs_sent_word_of_counts_where_it_does_not_say_it_any_more(paused: Paused) -> None:
    paused.begin()
    ecs.deployments()[ARN].forgets_hooks = True
    paused.open()
    ecs.answer(ARN, HOOK_ID, "CONTINUE")
    ecs.roll_back(ARN, "an alarm rang")
    paused.call("pause", paused.event("HOOK_SUCCEEDED"))

    assert paused.item["status"] == "APPROVED"
    assert "reason" not in paused.item, "why it was rolled back is not why it was let through"


def test_an_approval_stands_of_a_release_that_was_rolled_back_later(paused: Paused) -> None:
    paused.begin()
    ecs.deployments()[ARN].forgets_hooks = True
    paused.open()
    paused.aws.before = lambda operation: (
        operation == "UpdateItem" and CONTINUE in paused.aws.operations
    )
    paused.click("approve")
    paused.aws.before = lambda _: None
    assert "reported_at" not in paused.item
    ecs.roll_back(ARN)

    assert paused.watch() == "settled"
    assert paused.item["status"] == "APPROVED"
    assert paused.item["decided_by"] == "U0ALICE"


def test_an_end_of_greenlights_own_is_its_own_though_ecs_lists_its_hook_no_more(
    paused: Paused,
) -> None:
    paused.begin()
    ecs.deployments()[ARN].forgets_hooks = True
    paused.open(DECIDE_WITHIN_MINUTES="30")

    assert paused.moment("end") == "made"
    assert paused.item["status"] == "EXPIRED"
    assert paused.item["decided_via"] == "clock"


def test_a_failover_is_counted_though_ecs_lists_its_hook_no_more(
    paused: Paused, output: Callable[[], Output]
) -> None:
    paused.begin()
    ecs.deployments()[ARN].forgets_hooks = True
    paused.post_by("bot")
    assert paused.call("failure", paused.failure_record())["body"]["failed"] is True

    assert paused.item["status"] == "FAILED"
    assert output().metrics["HookFailedOver", "service=greenlight"] == [1.0]


@pytest.mark.parametrize("action", ["CONTINUE", "ROLLBACK"])
def test_silence_is_told_by_what_became_of_the_deployment_where_nothing_else_is_known(
    paused: Paused, action: ecs.Action, sleeps: list[float]
) -> None:
    paused.begin(action=action)
    ecs.deployments()[ARN].forgets_hooks = True
    paused.post_by("bot")
    paused.aws.failures[DESCRIBE] = ["ThrottlingException"] * 9
    paused.ask()
    paused.aws.failures.clear()
    paused.later(minutes=1440)
    ecs.give_up(ARN, HOOK_ID)
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))

    assert paused.item["status"] == "EXPIRED"
    assert paused.item["timeout_action"] == action


@pytest.mark.parametrize("verdict", ["approve", "reject"])
def test_a_deployment_that_ecs_does_not_know_is_decided_once_and_said_so(
    paused: Paused, verdict: str
) -> None:
    paused.begin()
    paused.open()
    del ecs.deployments()[ARN]
    paused.click(verdict)

    assert "ECS does not know this deployment or its hook" in whole(paused.slack.responses[-1])
    paused.later(minutes=3)
    assert paused.watch() == "stands"


def test_an_answer_counts_though_ecs_does_not_say_where_the_hook_stands(
    paused: Paused, sleeps: list[float]
) -> None:
    paused.begin()
    paused.open()
    paused.aws.failures[DESCRIBE] = ["ThrottlingException"] * 9
    paused.click("approve")

    assert paused.answer == "SUCCEEDED"
    assert paused.item["reported_at"]


def test_a_hook_in_the_middle_of_an_answer_is_asked_again(
    paused: Paused, sleeps: list[float]
) -> None:
    paused.begin()
    paused.open()
    ecs.deployments()[ARN].hook(HOOK_ID).status = "IN_PROGRESS"
    paused.click("approve")

    assert "could not read it" in whole(paused.slack.responses[-1])
    assert "reported_at" not in paused.item
    ecs.deployments()[ARN].hook(HOOK_ID).status = "SUCCEEDED"
    paused.later(minutes=2)
    paused.click("approve")
    assert paused.item["status"] == "APPROVED"
    assert paused.item["reported_at"]


def test_a_sweep_reads_all_pages_of_clusters_and_services(paused: Paused) -> None:
    paused.begin()
    client = paused.aws.client("ecs")
    for number in range(101):
        client.create_service(cluster="production", serviceName=f"s{number}", desiredCount=1)

    assert paused.call("pause", {"due": "sweep"})["body"] == {"found": 1}


def test_a_sweep_ends_where_no_time_is_left(
    paused: Paused, output: Callable[[], Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    paused.begin()
    ecs.pause(ARN, OTHER)
    take_long(paused, monkeypatch, pause, Invoke=27.0)

    assert paused.call("pause", {"due": "sweep"})["body"] == {"found": 1}
    assert "There may have been no time to look at all hooks" in output().text


def test_a_sweep_of_more_services_than_there_is_time_for_is_no_failure(
    paused: Paused, output: Callable[[], Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services that never pause are looked at, too, and cost no alarm."""
    for number in range(25):
        ecs.add_deployment(ecs.deployment_arn(service=f"shop-{number}"))
    take_long(paused, monkeypatch, pause, **dict.fromkeys(LOOKS, 5.0))
    paused.aws.operations.clear()

    assert paused.call("pause", {"due": "sweep"})["body"] == {"found": 0}
    assert paused.aws.operations.count("DescribeServices") == 2  # of three pages
    assert "There may have been no time to look at all hooks" in output().text
    assert "SweepFailed" not in output().text


def test_a_sweep_of_more_clusters_than_there_is_time_for_is_no_failure(
    paused: Paused, output: Callable[[], Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        paused.aws.client("ecs").create_cluster(clusterName=f"empty-{number}")
    take_long(paused, monkeypatch, pause, **dict.fromkeys(LOOKS, 5.0))
    paused.aws.operations.clear()

    assert paused.call("pause", {"due": "sweep"})["body"] == {"found": 0}
    assert paused.aws.operations.count("ListServices") < 9
    assert "There may have been no time to look at all hooks" in output().text
    assert "SweepFailed" not in output().text


def test_a_call_that_lambda_cannot_be_asked_for_is_counted(
    paused: Paused, output: Callable[[], Output], monkeypatch: pytest.MonkeyPatch
) -> None:
    paused.begin()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", url)

        assert paused.call("pause", {"due": "sweep"})["body"] == {}

    assert output().metrics["SweepFailed", "service=greenlight", "stage=call"] == [1.0]


def test_its_watch_is_set_though_there_is_no_time_for_all_reminders(
    paused: Paused, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_long(paused, monkeypatch, changes, CreateSchedule=2.0)
    paused.begin(minutes=14 * 1440)
    paused.open()

    assert len(paused.watches()) == 1
    assert len(paused.moments("reminder")) < 14


@pytest.mark.parametrize("action", ["CONTINUE", "ROLLBACK"])
@pytest.mark.parametrize("listed", [True, False], ids=["listed", "forgotten"])
def test_a_deployment_that_is_being_stopped_takes_no_decision(
    paused: Paused, action: ecs.Action, listed: object
) -> None:
    paused.begin(action=action)
    paused.open()
    deployment = ecs.deployments()[ARN]
    deployment.status = "STOP_REQUESTED"
    if not listed:
        deployment.hooks.clear()

    assert paused.watch() == "settled"
    assert paused.item["status"] == "REJECTED"
    assert paused.item["decided_via"] == "elsewhere"


@pytest.mark.parametrize("status", ["STOPPED", "STOP_REQUESTED", "ROLLBACK_IN_PROGRESS"])
def test_a_hook_in_progress_of_a_release_that_is_over_does_not_wait(
    paused: Paused, status: str
) -> None:
    paused.begin()
    paused.open()
    deployment = ecs.deployments()[ARN]
    deployment.status = status
    deployment.hook(HOOK_ID).status = "IN_PROGRESS"

    assert paused.watch() == "settled"
    assert (paused.item["status"], paused.item["decided_via"]) == ("REJECTED", "elsewhere")


def test_a_hook_in_progress_of_a_release_that_is_live_was_let_through(paused: Paused) -> None:
    paused.begin()
    paused.open()
    ecs.finish(ARN)
    ecs.deployments()[ARN].hook(HOOK_ID).status = "IN_PROGRESS"
    assert paused.wake_up("SERVICE_DEPLOYMENT_COMPLETED") == "live"

    assert paused.item["status"] == "APPROVED"


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_what_became_of_a_release_that_silence_has_shipped_is_told(
    paused: Paused, way: str
) -> None:
    paused.begin(action="CONTINUE")
    paused.open(way)
    paused.later(minutes=1440)
    ecs.give_up(ARN, HOOK_ID)
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))
    paused.follow()
    told = len(paused.slack.in_channel())
    paused.later(minutes=30)
    paused.roll_back()
    assert paused.watch() == "learned"
    paused.follow()

    assert len(paused.slack.in_channel()) > told
    assert "rolled back" in whole(paused.slack.in_channel()[-1].content)


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_a_rollback_that_has_failed_is_told(paused: Paused, way: str) -> None:
    paused.begin(first=True)
    paused.open(way)
    paused.click("reject")
    paused.follow()
    paused.later(minutes=3)
    told = len(paused.slack.in_channel())
    paused.roll_back()
    assert paused.watch() == "learned"
    paused.follow()

    assert len(paused.slack.in_channel()) > told
    assert "🔴 ECS deployment: failed" in whole(paused.slack.in_channel()[-1].content)


def test_a_release_that_silence_has_shipped_unseen_is_told_once(
    paused: Paused, sleeps: list[float]
) -> None:
    paused.begin(action="CONTINUE", minutes=5)
    paused.post_by("webhook")
    paused.slack.script += [Answer(503)] * 9
    with pytest.raises(SlackError):
        paused.ask()
    paused.slack.script.clear()
    paused.later(minutes=5)
    ecs.give_up(ARN, HOOK_ID)
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))
    for _ in range(2):
        answer = paused.call("failure", paused.failure_record())

    assert answer["body"]["failed"] is False
    (message,) = paused.slack.messages[-1:]
    assert "Without a decision, ECS let the deployment go on" in whole(message)
    assert (
        len([one for one in paused.slack.messages if "let the deployment go on" in whole(one)]) == 1
    )


@pytest.mark.parametrize("tries", [0, 1])
def test_a_release_that_went_on_unseen_is_left_to_the_failure_function(
    paused: Paused, sleeps: list[float], tries: int
) -> None:
    paused.begin(action="CONTINUE", minutes=1)
    paused.post_by("webhook")
    paused.slack.script += [Answer(503)] * 9
    for _ in range(tries):
        with pytest.raises(SlackError):
            paused.ask()
    paused.slack.script.clear()
    paused.later(minutes=1)
    ecs.give_up(ARN, HOOK_ID)
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))
    for _ in range(2):
        with pytest.raises(ReleaseUnseenError, match="go on before anybody could be asked"):
            paused.ask()
    assert paused.call("failure", paused.failure_record())["body"]["failed"] is False
    assert "ECS let the deployment go on" in whole(paused.slack.messages[-1])

    assert paused.ask()["body"]["duplicate"] is True


def test_a_deployment_that_may_not_be_read_is_no_end_of_its_gate(paused: Paused) -> None:
    paused.begin()
    paused.open()
    paused.aws.failures[DESCRIBE] = ["AccessDeniedException"]

    assert paused.watch() == "watched"
    paused.click("approve")
    ecs.finish(ARN)
    paused.aws.failures[DESCRIBE] = ["AccessDeniedException"]
    assert paused.watch() == "watched"
    assert paused.watch() == "learned"


def test_a_stage_that_is_not_known_is_not_said_to_take_test_traffic(paused: Paused) -> None:
    paused.begin()
    paused.post_by("bot")
    event = paused.event("HOOK_AWAITING_ACTION")
    del event["detail"]["lifecycleStage"]
    paused.call("pause", event)

    assert "taking test traffic" not in whole(paused.messages[0].content)


def test_a_failover_of_a_deployment_that_was_stopped_is_none_of_ours(
    paused: Paused, output: Callable[[], Output]
) -> None:
    paused.begin()
    ecs.deployments()[ARN].second_answer = "accepted"
    ecs.stop(ARN)
    paused.post_by("bot")
    paused.call("failure", paused.failure_record())

    assert ("HookFailedOver", "service=greenlight") not in output().metrics
    assert paused.item["decided_via"] == "elsewhere"
    assert "rolled back or stopped at ECS" in whole(paused.messages[0].content)


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ("HOOK_SUCCEEDED", "APPROVED"),
        ("HOOK_FAILED", "REJECTED"),
        ("HOOK_TIMED_OUT", "EXPIRED"),
    ],
)
def test_what_ecs_sent_word_of_counts_where_it_cannot_be_asked(
    paused: Paused, event: str, status: str, sleeps: list[float]
) -> None:
    paused.begin()
    paused.open()
    paused.aws.failures[DESCRIBE] = ["ThrottlingException"] * 9
    paused.call("pause", paused.event(event))

    assert paused.item["status"] == status
    assert paused.item["decided_via"] == "elsewhere"


@pytest.mark.parametrize(
    ("minutes", "left"),
    [(2, "2 min"), (119, "119 min"), (120, "2 h"), (1440, "24 h"), (20160, "14 d")],
)
def test_a_terminal_lists_how_long_a_pause_waits_yet(
    paused: Paused, minutes: int, left: str
) -> None:
    paused.begin(minutes=minutes)
    paused.open()

    waiting = paused.greenlight("list").stdout.splitlines()[1]
    assert waiting.split() == [ID, "WAITING", *left.split(), "production/shop"]


@pytest.mark.parametrize(
    ("action", "said"),
    [("CONTINUE", "lets the release go on"), ("ROLLBACK", "rolls the release back")],
)
def test_a_terminal_shows_the_stage_and_what_silence_does(
    paused: Paused, action: ecs.Action, said: str
) -> None:
    paused.begin(action=action)
    paused.open()
    story = paused.greenlight("show", ID).stdout
    assert "POST_TEST_TRAFFIC_SHIFT" in story
    assert said in story

    paused.click("approve")
    assert said not in paused.greenlight("show", ID).stdout


def test_a_terminal_does_not_say_what_ecs_does_to_a_pause_that_greenlight_ends(
    paused: Paused,
) -> None:
    paused.begin(action="CONTINUE")
    paused.open(DECIDE_WITHIN_MINUTES="30")

    assert "silence" not in paused.greenlight("show", ID).stdout


def test_what_silence_did_is_not_guessed_where_ecs_cannot_be_asked(
    paused: Paused, sleeps: list[float]
) -> None:
    paused.begin(action="CONTINUE")
    paused.post_by("bot")
    paused.aws.failures[DESCRIBE] = ["ThrottlingException"] * 9
    paused.ask()
    paused.later(minutes=1440)
    ecs.give_up(ARN, HOOK_ID)
    paused.aws.failures[DESCRIBE] = ["ThrottlingException"] * 9
    with pytest.raises(EngineError):
        paused.call("pause", paused.event("HOOK_TIMED_OUT"))
    paused.aws.failures.clear()
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))

    assert (paused.item["status"], paused.item["timeout_action"]) == ("EXPIRED", "CONTINUE")


@pytest.mark.parametrize("who", ["click", "failover"])
def test_a_rejection_that_ecs_has_taken_and_does_not_show_yet_is_none_of_others(
    paused: Paused, monkeypatch: pytest.MonkeyPatch, sleeps: list[float], who: str
) -> None:
    """Its answer is lost, the second try is refused, and what is read is a moment old."""
    paused.begin()
    deployment = ecs.deployments()[ARN]
    deployment.forgets_hooks = True
    answer, tries = ecs.answer, []

    def take_and_fail(arn: str, hook_id: str, action: ecs.Action = "CONTINUE") -> None:
        tries.append(action)
        if len(tries) > 1:
            raise AWSError("it awaits no action", "InvalidParameterException", 400)
        answer(arn, hook_id, action)
        deployment.status = "IN_PROGRESS"
        raise AWSError("it has failed", "ServerException", 500)

    if who == "click":
        paused.open()
        monkeypatch.setattr(ecs, "answer", take_and_fail)
        paused.click("reject")
        assert "could not be told" in whole(paused.slack.responses[-1])
    else:
        paused.post_by("bot")
        monkeypatch.setattr(ecs, "answer", take_and_fail)
        with pytest.raises(EngineError, match="goes on, as far as it shows"):
            paused.call("failure", paused.failure_record())
    deployment.status = "ROLLBACK_IN_PROGRESS"
    if who == "click":
        paused.click("reject")
        assert (paused.item["status"], paused.item["decided_by"]) == ("REJECTED", "U0ALICE")
    else:
        assert paused.call("failure", paused.failure_record())["body"]["failed"] is True
        assert paused.item["status"] == "FAILED"
    assert paused.item["reported_at"]


def test_an_approval_that_never_came_to_ecs_is_none_of_a_pause_that_has_timed_out(
    paused: Paused, sleeps: list[float]
) -> None:
    paused.begin()
    ecs.deployments()[ARN].forgets_hooks = True
    paused.open()
    paused.aws.failures[CONTINUE] = ["ThrottlingException"] * 9
    paused.click("approve")
    paused.aws.failures.clear()
    paused.later(minutes=1440)
    ecs.give_up(ARN, HOOK_ID)

    assert paused.watch() == "settled"
    assert (paused.item["status"], paused.item["decided_via"]) == ("EXPIRED", "elsewhere")
    assert paused.item["timeout_action"] == "ROLLBACK"


def test_the_last_minutes_of_a_pause_are_looked_at_whatever_moment_is_lost(
    paused: Paused, sleeps: list[float]
) -> None:
    paused.begin(action="CONTINUE", minutes=60)
    paused.later(seconds=8)
    paused.open(DECIDE_WITHIN_MINUTES="20160")
    done = [paused.watch() for _ in range(59)]

    assert done.count("made") == 1
    assert (paused.item["status"], paused.answer) == ("EXPIRED", "FAILED")


def test_a_service_whose_arn_does_not_say_its_cluster_is_left_to_the_watch(paused: Paused) -> None:
    paused.begin()
    paused.open()
    paused.click("approve")
    event = ecs.state_change(ARN, "SERVICE_DEPLOYMENT_COMPLETED")
    event["resources"] = [f"{event['resources'][0].partition('/')[0]}/shop"]
    ecs.finish(ARN)
    paused.aws.operations.clear()

    assert paused.call("outcome", event)["body"] == {"outcome": None}
    assert paused.aws.operations == []
    assert paused.watch() == "learned"


def test_a_terminal_says_that_silence_has_shipped_a_release(paused: Paused) -> None:
    paused.begin(action="CONTINUE")
    paused.open()
    paused.later(minutes=1440)
    ecs.give_up(ARN, HOOK_ID)
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))

    assert "EXPIRED (the release went on)" in paused.greenlight("show", ID).stdout
    approved = paused.greenlight("approve", ID)
    assert approved.stdout.startswith(f"{ID} was EXPIRED (the release went on) elsewhere")
    assert approved.exit_code == 0
    assert paused.greenlight("reject", ID, "--reason", "no").exit_code == 4


def test_a_terminal_says_that_greenlight_has_ended_a_gate(paused: Paused) -> None:
    paused.begin()
    paused.open(DECIDE_WITHIN_MINUTES="30")
    paused.moment("end")

    assert ") by Greenlight, " in paused.greenlight("approve", ID).stdout
