"""Nobody could be asked at a pause of ECS's: what becomes of the release is told, and as it is."""

import pytest

from greenlight.model.errors import EngineError, SlackError
from stand_ins import ecs
from stand_ins.slack import Answer
from tests.functional.helpers import record, whole
from tests.functional.life.paused import ARN, HOOK_ID, ID, Paused

CONTINUE, DESCRIBE = "ContinueServiceDeployment", "DescribeServiceDeployments"
THROTTLED = ["ThrottlingException"] * 99


def never_asked(paused: Paused) -> None:
    """A try to ask people, of whom Slack takes nothing; the gate is on record."""
    paused.slack.script += [Answer(503)] * 99
    with pytest.raises(SlackError):
        paused.ask()
    paused.slack.script.clear()


def silence(paused: Paused) -> None:
    """Nobody answers in time, and ECS does what the hook says."""
    paused.later(minutes=1440)
    ecs.give_up(ARN, HOOK_ID)


def ignored_failover(paused: Paused, way: str) -> None:
    """Somebody has let the hook through, and ECS will take a second answer, and not say so."""
    paused.begin()
    ecs.deployments()[ARN].second_answer = "accepted"
    ecs.answer(ARN, HOOK_ID)
    paused.post_by(way)
    paused.aws.failures[DESCRIBE] = [*THROTTLED]


def fails_untold(paused: Paused) -> None:
    """The failure function fails the hook, and Slack takes nothing."""
    paused.slack.script += [Answer(503)] * 99
    with pytest.raises(SlackError):
        paused.call("failure", paused.failure_record())
    paused.slack.script.clear()
    paused.aws.failures.clear()


def fails_unaware(paused: Paused) -> None:
    """The failure function fails the hook, as far as ECS tells it."""
    assert paused.call("failure", paused.failure_record())["body"]["failed"] is True
    paused.aws.failures.clear()
    paused.follow()
    assert "❌" in paused.slack.shown[-1].text


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_a_failure_that_ecs_ignored_is_none_once_ecs_sends_word_of_it(
    paused: Paused, way: str, sleeps: list[float]
) -> None:
    ignored_failover(paused, way)
    fails_unaware(paused)

    paused.call("pause", paused.event("HOOK_SUCCEEDED"))
    paused.follow()
    assert (paused.item["status"], paused.item["decided_via"]) == ("APPROVED", "elsewhere")
    assert "🚀" in paused.messages[-1].text
    assert paused.messages[-1].buttons == []

    paused.go_live()
    paused.follow()
    assert "🟢" in paused.slack.shown[-1].text
    heard = len(paused.slack.shown)
    paused.call("pause", paused.event("HOOK_SUCCEEDED"))
    paused.follow()
    assert len(paused.slack.shown) == heard


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_it_is_none_once_the_release_is_live_though_the_word_came_too_early(
    paused: Paused, way: str, sleeps: list[float]
) -> None:
    ignored_failover(paused, way)
    paused.call("pause", paused.event("HOOK_SUCCEEDED"))
    fails_unaware(paused)

    assert paused.go_live() == "live"
    paused.follow()

    assert "🟢" in paused.slack.shown[-1].text
    assert (paused.item["status"], paused.item["outcome"]) == ("APPROVED", "live")
    assert paused.watches() == []


def test_what_is_live_has_gone_on_whatever_ecs_says_of_its_hook(
    paused: Paused, sleeps: list[float]
) -> None:
    ignored_failover(paused, "webhook")
    fails_unaware(paused)
    ecs.deployments()[ARN].hook(HOOK_ID).status = "FAILED"

    assert paused.go_live() == "live"

    assert paused.item["status"] == "APPROVED"


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_it_is_none_where_silence_had_shipped_the_release(
    paused: Paused, way: str, sleeps: list[float]
) -> None:
    paused.begin(action="CONTINUE")
    ecs.deployments()[ARN].second_answer = "accepted"
    silence(paused)
    paused.post_by(way)
    paused.aws.failures[DESCRIBE] = [*THROTTLED]
    fails_unaware(paused)

    paused.call("pause", paused.event("HOOK_TIMED_OUT"))
    paused.follow()

    assert (paused.item["status"], paused.item["timeout_action"]) == ("EXPIRED", "CONTINUE")
    assert "let the deployment go on" in whole(paused.slack.shown[-1].content)


@pytest.mark.parametrize("who", ["failover", "somebody", "clock"])
def test_what_silence_shipped_is_no_approval_though_ecs_took_an_answer(
    paused: Paused, who: str, sleeps: list[float]
) -> None:
    paused.begin(action="CONTINUE")
    ecs.deployments()[ARN].second_answer = "accepted"
    paused.post_by("webhook")
    if who == "failover":
        never_asked(paused)
    else:
        paused.open("webhook", **({"DECIDE_WITHIN_MINUTES": "1430"} if who == "clock" else {}))
    silence(paused)
    paused.aws.failures[DESCRIBE] = [*THROTTLED]
    if who == "failover":
        fails_unaware(paused)
    elif who == "somebody":
        paused.click("reject")
    else:
        for _, event in paused.moments("end"):
            paused.call("clock", event)
    paused.aws.failures.clear()
    paused.follow()
    paused.go_live()
    paused.follow()

    assert (paused.item["status"], paused.item["timeout_action"]) == ("EXPIRED", "CONTINUE")
    assert paused.item["outcome"] == "live"


def test_what_silence_shipped_is_no_approval_once_ecs_sends_word_of_its_time(
    paused: Paused, sleeps: list[float]
) -> None:
    ignored_failover(paused, "webhook")
    fails_unaware(paused)
    ecs.deployments()[ARN].hook(HOOK_ID).timeout_action = "CONTINUE"
    paused.aws.failures[DESCRIBE] = []
    paused.call("pause", paused.event("HOOK_SUCCEEDED"))
    ecs.deployments()[ARN].hook(HOOK_ID).status = "TIMED_OUT"
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))

    assert (paused.item["status"], paused.item["timeout_action"]) == ("EXPIRED", "CONTINUE")


def test_what_ecs_will_not_say_of_silence_is_no_failure(
    paused: Paused, sleeps: list[float]
) -> None:
    ignored_failover(paused, "bot")
    fails_unaware(paused)
    paused.aws.failures[DESCRIBE] = ["AccessDeniedException"] * 9

    assert paused.call("pause", paused.event("HOOK_TIMED_OUT"))["body"]["status"] == "FAILED"


def test_what_silence_did_is_left_open_where_nobody_can_say_it(
    paused: Paused, sleeps: list[float]
) -> None:
    ignored_failover(paused, "bot")
    ecs.deployments()[ARN].forgets_hooks = True
    fails_unaware(paused)

    paused.call("pause", paused.event("HOOK_TIMED_OUT"))

    assert paused.item["status"] == "FAILED"


def test_word_that_comes_while_the_failure_is_told_is_said_last(
    paused: Paused, sleeps: list[float]
) -> None:
    ignored_failover(paused, "webhook")

    def hear() -> None:
        paused.aws.failures.clear()
        paused.call("pause", paused.event("HOOK_SUCCEEDED"))
        paused.follow()

    paused.slack.meanwhile.append(hear)
    paused.call("failure", paused.failure_record())
    paused.follow()

    assert "🚀" in paused.slack.shown[-1].text


def test_word_that_comes_before_the_failure_is_told_is_the_only_one(
    paused: Paused, sleeps: list[float]
) -> None:
    ignored_failover(paused, "webhook")
    fails_untold(paused)
    paused.call("pause", paused.event("HOOK_SUCCEEDED"))
    paused.later(minutes=1)
    paused.call("failure", paused.failure_record())
    paused.follow()

    assert ["🚀" in one.text for one in paused.slack.shown] == [True]


def test_word_that_comes_just_before_the_failure_is_told_is_heeded(
    paused: Paused, sleeps: list[float]
) -> None:
    """The gate is corrected after it was reported, and before the lease on telling is taken."""
    ignored_failover(paused, "webhook")
    paused.aws.operations.clear()

    def correct(operation: str) -> None:
        if operation == "UpdateItem" and paused.aws.operations.count(operation) == 2:
            paused.aws.after = lambda _: None
            paused.meanwhile(status="APPROVED", decided_via="elsewhere")

    paused.aws.after = correct
    paused.call("failure", paused.failure_record())

    assert paused.slack.shown == []
    assert "lease_until" not in paused.item


@pytest.mark.parametrize("failing", [[], ["AccessDeniedException"] * 9], ids=["said", "denied"])
def test_a_release_that_is_live_is_no_failure_whether_ecs_says_why_or_not(
    paused: Paused, failing: list[str], sleeps: list[float]
) -> None:
    ignored_failover(paused, "webhook")
    fails_unaware(paused)

    def deny(operation: str) -> None:
        if operation == DESCRIBE:  # once the outcome is read
            paused.aws.failures[DESCRIBE] = [*failing]

    ecs.finish(ARN)
    event = ecs.state_change(ARN, "SERVICE_DEPLOYMENT_COMPLETED")
    paused.aws.operations.clear()
    paused.aws.before = lambda op: deny(op) if paused.aws.operations.count(DESCRIBE) == 3 else None
    assert paused.call("outcome", event)["body"]["outcome"] == "live"

    assert (paused.item["status"], paused.item["decided_via"]) == ("APPROVED", "elsewhere")


def test_word_of_the_opposite_ends_a_failure_that_ecs_could_not_be_told_of(
    paused: Paused, sleeps: list[float]
) -> None:
    ignored_failover(paused, "webhook")
    paused.aws.failures[CONTINUE] = [*THROTTLED]
    with pytest.raises(EngineError):
        paused.call("failure", paused.failure_record())
    assert paused.item["status"] == "FAILED"

    busy = {"report_until": "2026-11-23T03:01:00+00:00", "report_try_id": "another"}
    paused.meanwhile(**busy)  # ECS's echo of a failure that is being told
    assert paused.call("pause", paused.event("HOOK_FAILED"))["body"]["status"] == "FAILED"
    assert "reported_at" not in paused.item
    paused.aws.before = lambda _: None
    paused.aws.failures.clear()
    assert paused.call("pause", paused.event("HOOK_SUCCEEDED"))["body"]["status"] == "APPROVED"

    paused.later(minutes=1)
    assert paused.call("failure", paused.failure_record())["body"]["failed"] is False
    assert paused.item["decided_via"] == "elsewhere"


def test_what_has_gone_on_after_all_is_watched(paused: Paused, sleeps: list[float]) -> None:
    ignored_failover(paused, "bot")
    fails_unaware(paused)
    assert paused.watches() == []
    paused.aws.operations.clear()
    paused.call("pause", paused.event("HOOK_SUCCEEDED"))
    paused.follow()
    assert paused.aws.operations.count("CreateSchedule") == 1

    paused.roll_back()  # and no event of it

    assert paused.watch() == "learned"
    paused.follow()
    assert "↩" in paused.slack.shown[-1].text


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_what_silence_did_is_not_told_again_by_a_later_try(
    paused: Paused, way: str, sleeps: list[float]
) -> None:
    paused.begin(action="CONTINUE")
    ecs.deployments()[ARN].second_answer = "accepted"
    paused.post_by(way)
    never_asked(paused)
    silence(paused)
    paused.aws.failures[DESCRIBE] = [*THROTTLED]
    fails_untold(paused)

    paused.call("pause", paused.event("HOOK_TIMED_OUT"))
    paused.follow()
    paused.later(minutes=1)
    paused.call("failure", paused.failure_record())
    paused.follow()

    (message,) = paused.slack.shown
    assert "let the deployment go on" in whole(message.content)


# Where it was to be left waiting.


@pytest.fixture
def left(paused: Paused) -> Paused:
    paused.environ["PAUSE_FAILURE"] = "leave"
    return paused


@pytest.mark.parametrize("gate", ["none", "opened"])
def test_what_somebody_has_let_through_is_told(
    left: Paused, gate: str, sleeps: list[float]
) -> None:
    left.begin()
    left.post_by("webhook")
    if gate == "opened":
        never_asked(left)
    ecs.answer(ARN, HOOK_ID)
    answer = left.call("failure", left.failure_record())

    assert answer["body"]["failed"] is False
    assert "at ECS itself" in whole(left.messages[0].content)


@pytest.mark.parametrize("gate", ["none", "does not know what silence does"])
def test_what_silence_shipped_is_told_though_ecs_lists_its_hook_no_more(
    left: Paused, gate: str, sleeps: list[float]
) -> None:
    left.begin(action="CONTINUE")
    ecs.deployments()[ARN].forgets_hooks = True
    left.post_by("webhook")
    if gate != "none":
        left.aws.failures[DESCRIBE] = [*THROTTLED]
        never_asked(left)
        left.aws.failures.clear()
    silence(left)
    left.call("failure", left.failure_record())

    (message,) = left.messages
    assert "at ECS itself" in whole(message.content)
    assert message.buttons == []


@pytest.mark.parametrize("when", ["before it is taken", "before it is settled"])
def test_what_was_decided_here_just_now_is_not_told_as_ecss_own_doing(
    left: Paused, when: str, sleeps: list[float]
) -> None:
    left.begin()
    left.post_by("webhook")
    never_asked(left)
    silence(left)
    decided = {
        "status": "APPROVED",
        "decided_by": "U0ALICE",
        "decided_via": "slack",
        "decided_at": left.item["created_at"],
        "reported_at": left.item["created_at"],
    }

    def decide(_: str) -> None:
        left.aws.after = lambda _: None
        left.meanwhile(**decided)

    if when == "before it is taken":
        left.meanwhile(**decided)
    else:
        left.aws.after = lambda op: decide(op) if op == "UpdateItem" else None
    answer = left.call("failure", left.failure_record())

    assert answer["body"]["failed"] is False
    assert left.messages == []


def test_it_waits_as_long_as_ecs_says_so(left: Paused) -> None:
    left.begin(action="CONTINUE")
    left.post_by("webhook")
    left.later(minutes=1440)  # by our clock, and not yet by that of ECS
    left.call("failure", left.failure_record())

    assert "still waiting" in left.messages[0].text


SILENCE = [
    ("CONTINUE", "let the deployment go on"),
    ("ROLLBACK", "deployment was rolled back or stopped at ECS"),
]


@pytest.mark.parametrize("way", ["bot", "webhook"])
@pytest.mark.parametrize(("action", "said"), SILENCE)
def test_what_silence_did_is_told(left: Paused, action: ecs.Action, said: str, way: str) -> None:
    left.begin(action=action)
    left.post_by(way)
    silence(left)
    answer = left.call("failure", left.failure_record())

    assert answer["body"]["failed"] is (action == "ROLLBACK")
    (message,) = left.messages
    assert said in whole(message.content)
    assert message.buttons == []
    assert left.aws.items() == []


@pytest.mark.parametrize("hook", ["listed", "forgotten"])
@pytest.mark.parametrize(("action", "said"), SILENCE)
def test_it_is_told_once_where_there_is_a_gate(
    left: Paused, action: ecs.Action, said: str, hook: str, sleeps: list[float]
) -> None:
    left.begin(action=action)
    ecs.deployments()[ARN].forgets_hooks = hook == "forgotten"
    left.post_by("webhook")
    never_asked(left)
    silence(left)
    left.call("failure", left.failure_record())
    left.call("pause", left.event("HOOK_TIMED_OUT"))
    left.follow()
    left.call("failure", left.failure_record())

    (message,) = left.messages
    assert said in whole(message.content)


def test_it_is_not_said_to_wait_where_its_time_is_over_and_ecs_cannot_be_asked(
    left: Paused, sleeps: list[float]
) -> None:
    left.begin(action="CONTINUE")
    left.post_by("webhook")
    silence(left)
    left.aws.failures[DESCRIBE] = [*THROTTLED]

    with pytest.raises(EngineError):
        left.call("failure", left.failure_record())

    assert left.messages == []
    left.aws.failures.clear()
    left.call("failure", left.failure_record())
    assert "let the deployment go on" in whole(left.messages[0].content)


@pytest.mark.parametrize("how", ["alarm", "stopped", "another hook", "somebody"])
def test_a_deployment_that_has_ended_without_being_asked_about_is_told(
    left: Paused, how: str
) -> None:
    left.begin()
    left.post_by("webhook")
    other = ecs.hook_id_for("another")
    ecs.pause(ARN, other)
    {
        "alarm": lambda: ecs.roll_back(ARN),
        "stopped": lambda: ecs.stop(ARN),
        "another hook": lambda: ecs.answer(ARN, other, "ROLLBACK"),
        "somebody": lambda: ecs.answer(ARN, HOOK_ID, "ROLLBACK"),
    }[how]()
    left.call("failure", left.failure_record())

    assert "rolled back or stopped at ECS" in whole(left.messages[0].content)


def test_when_silence_shipped_it_is_not_told_as_a_time_to_come(left: Paused) -> None:
    left.begin(action="CONTINUE", minutes=5)
    left.post_by("webhook")
    event = left.event("HOOK_AWAITING_ACTION")
    del event["detail"]["expiresAt"]
    left.later(minutes=5)
    ecs.give_up(ARN, HOOK_ID)
    left.call("failure", record({"errorType": "SlackError", "errorMessage": "Slack: 503"}, event))

    told = whole(left.messages[0].content)
    assert "2026-11-23 03:05 UTC" in told
    assert "Slack: 503" not in told


def test_a_rejection_that_never_came_to_ecs_is_none_once_ecs_sends_word_of_its_time(
    paused: Paused, sleeps: list[float]
) -> None:
    paused.begin()
    ecs.deployments()[ARN].forgets_hooks = True
    paused.open()
    paused.later(minutes=1430)
    paused.aws.failures[CONTINUE] = [*THROTTLED]
    paused.click("reject")
    paused.later(minutes=10)
    ecs.give_up(ARN, HOOK_ID)
    paused.aws.failures.clear()
    paused.call("pause", paused.event("HOOK_TIMED_OUT"))

    assert paused.item["status"] == "EXPIRED"
    assert paused.item["deployment_id"] == ID
