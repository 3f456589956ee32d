"""A lease is one thing with one rule: who may begin, and who may write what it is for."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import requests

from greenlight.engines.codedeploy import CodeDeploy
from greenlight.gates.deciding import Effect, decide
from greenlight.gates.means import Means
from greenlight.model.errors import GateBusyError, TableError
from greenlight.model.gate import (
    Decision,
    Gate,
    GateState,
    GateStatus,
    Hook,
    NewGate,
    Settlement,
    Verdict,
    Via,
)
from greenlight.runtime.network import Countdown
from greenlight.storage.table import GateTable, Held
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.codedeploy import add_deployment
from tests.functional.helpers import NOW, events, plain

HOOK = Hook("d-LOCALTEST", "hook-local")
ELSEWHERE = Settlement(GateStatus.REJECTED, NOW, "somebody else")


def new_gate(now: datetime = NOW) -> NewGate:
    return NewGate(
        HOOK,
        test_url="https://green.example.com",
        created_at=now,
        deadline=now + timedelta(hours=1),
        expires_at=now + timedelta(days=90),
    )


def decision(verdict: Verdict, name: str = "U0ALICE") -> Decision:
    return Decision(verdict, name, Via.SLACK)


@pytest.fixture
def table(aws: AwsStandIn) -> GateTable:
    return GateTable(aws.client("dynamodb"), TABLE)


@pytest.fixture
def item(aws: AwsStandIn) -> Callable[[], dict[str, str]]:
    return lambda: plain(aws.items()[0])


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_try_gives_up_only_its_own_lease_on_telling(
    table: GateTable, item: Callable[[], dict[str, str]]
) -> None:
    first = table.open(new_gate())
    second = table.open(new_gate(after(50)))

    table.stop_telling(first)  # it fails late

    assert item()["try_id"] == second.try_id
    with pytest.raises(GateBusyError) as busy:
        table.open(new_gate(after(51)))
    assert busy.value.lease_until == after(95).isoformat()
    table.stop_telling(second)
    assert table.open(new_gate(after(52))).try_id


def test_a_try_gives_up_only_its_own_lease_on_a_report(
    table: GateTable, item: Callable[[], dict[str, str]]
) -> None:
    table.open(new_gate())
    first = table.decide(HOOK, decision(Verdict.APPROVE), NOW)
    second = table.decide(HOOK, decision(Verdict.APPROVE, "U0BOB"), after(16))

    table.stop_reporting(first)

    assert item()["report_try_id"] == second.try_id


def test_a_slow_clock_lets_nobody_overwrite_a_decision_that_another_try_took_over(
    table: GateTable, item: Callable[[], dict[str, str]]
) -> None:
    table.open(new_gate())
    slow = table.decide(HOOK, decision(Verdict.APPROVE), after(-30))
    quick = table.decide(HOOK, decision(Verdict.APPROVE, "U0BOB"), NOW)
    assert quick.try_id, "to it, the lease of the slow one is over"

    gate = table.settle(slow, ELSEWHERE, after(-29))

    assert (gate.status, gate.decided_by) == (GateStatus.APPROVED, "U0ALICE")
    gate, is_news = table.mark_reported(quick, after(1))
    assert is_news
    assert item()["decided_by"] == "U0ALICE"
    assert item()["status"] == "APPROVED"


def test_a_decision_that_was_sent_twice_and_given_back_is_not_made_again(
    aws: AwsStandIn, item: Callable[[], dict[str, str]]
) -> None:
    """Its first request has been on its way for long, and arrives last."""
    client = aws.client("dynamodb")
    table, sent = GateTable(client, TABLE), []
    table.open(new_gate())
    client.meta.events.register(
        "before-send.dynamodb.UpdateItem", lambda request, **_: sent.append(request)
    )
    held = table.decide(HOOK, decision(Verdict.APPROVE), NOW)
    table.give_back(held, "AccessDeniedException", NOW)

    late = requests.post(sent[0].url, sent[0].body, headers=dict(sent[0].headers), timeout=10)

    assert late.status_code == 400
    assert "ConditionalCheckFailed" in late.text
    assert item()["status"] == "WAITING"
    assert table.decide(HOOK, decision(Verdict.REJECT), after(1)).is_new


def test_a_decision_that_another_try_took_over_is_not_given_back(
    table: GateTable,
) -> None:
    table.open(new_gate())
    first = table.decide(HOOK, decision(Verdict.APPROVE), NOW)
    table.decide(HOOK, decision(Verdict.APPROVE, "U0BOB"), after(16))

    gate = table.give_back(first, "AccessDeniedException", after(17))

    assert gate.status is GateStatus.APPROVED


def test_a_gate_that_waits_again_is_not_marked_as_reported(
    table: GateTable, item: Callable[[], dict[str, str]]
) -> None:
    table.open(new_gate())
    held = table.decide(HOOK, decision(Verdict.APPROVE), NOW)
    table.give_back(held, "AccessDeniedException", after(1))

    gate, is_news = table.mark_reported(held, after(2))

    assert (gate.status, is_news) == (GateStatus.WAITING, False)
    assert "reported_at" not in item()


def test_a_report_is_news_once(table: GateTable, aws: AwsStandIn, sleeps: list[float]) -> None:
    table.open(new_gate())
    held = table.decide(HOOK, decision(Verdict.APPROVE), NOW)
    aws.lost_answers["UpdateItem"] = 1

    assert table.mark_reported(held, after(1))[1], "its answer was lost, and it was sent again"

    again = Held(held.gate, "another")
    assert not table.mark_reported(again, after(2))[1]
    assert events(aws) == ["opened", "decided", "reported"]


def test_a_put_that_is_sent_again_overwrites_nothing_that_came_between(
    table: GateTable, aws: AwsStandIn, sleeps: list[float]
) -> None:
    other = GateTable(aws.client("dynamodb"), TABLE)

    def decide_at_once(seconds: float) -> None:
        sleeps.append(seconds)
        other.decide(HOOK, decision(Verdict.APPROVE), NOW)

    aws.lost_answers["PutItem"] = 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("time.sleep", decide_at_once)
        held = table.open(new_gate())

    assert held.is_new
    assert held.gate.decided_by == "U0ALICE"
    assert events(aws) == ["opened", "decided"]


def test_a_decision_that_meets_a_gate_which_is_given_back_in_that_moment_is_tried_again(
    table: GateTable, aws: AwsStandIn
) -> None:
    table.open(new_gate())
    denied = table.decide(HOOK, decision(Verdict.APPROVE), NOW)
    given_back: list[Gate] = []

    def give_back(operation: str) -> None:
        if not given_back and aws.operations.count("UpdateItem") == 2:
            aws._one_at_a_time.release()
            given_back.append(table.give_back(denied, "AccessDeniedException", after(16)))
            aws._one_at_a_time.acquire()

    aws.after = give_back
    with pytest.raises(GateBusyError):
        table.decide(HOOK, decision(Verdict.APPROVE, "U0BOB"), after(16))

    aws.after = lambda _: None
    again = table.decide(HOOK, decision(Verdict.APPROVE, "U0BOB"), after(17))
    assert again.is_new
    assert again.gate.decided_by == "U0BOB"


def test_of_two_tries_that_write_down_a_report_in_the_same_second_one_has_written_it(
    table: GateTable,
) -> None:
    table.open(new_gate())
    first = table.decide(HOOK, decision(Verdict.APPROVE), NOW)
    second = table.take_over(first.gate, after(16))

    assert table.mark_reported(first, after(17))[1] is True, "late, and all the same"
    assert table.mark_reported(second, after(17))[1] is False, "so it counts nothing"


def test_nobody_has_to_press_again_because_a_decision_was_given_back_in_that_moment(
    table: GateTable, aws: AwsStandIn
) -> None:
    table.open(new_gate())
    denied = table.decide(HOOK, decision(Verdict.APPROVE), NOW)
    add_deployment(HOOK.deployment_id, aws.client("codedeploy"))

    def give_back(operation: str) -> None:
        if aws.operations.count("UpdateItem") == 2:
            aws.after = lambda _: None
            aws._one_at_a_time.release()
            table.give_back(denied, "AccessDeniedException", after(16))
            aws._one_at_a_time.acquire()

    aws.after = give_back
    codedeploy = CodeDeploy(aws.client("codedeploy"))
    means = Means(table, lambda _: codedeploy, Countdown(), clock=lambda: after(16))
    decided = decide(HOOK, decision(Verdict.APPROVE, "U0BOB"), means)

    assert decided.effect is Effect.MADE
    assert aws.reports == {(HOOK.deployment_id, HOOK.execution_id): "Succeeded"}
    assert events(aws) == ["opened", "decided", "denied", "decided", "reported"]


def test_what_was_given_back_in_this_very_moment_is_taken_over_by_nobody(
    table: GateTable,
) -> None:
    table.open(new_gate())
    denied = table.decide(HOOK, decision(Verdict.APPROVE), NOW)
    table.give_back(denied, "AccessDeniedException", after(1))

    with pytest.raises(GateBusyError):
        table.take_over(denied.gate, after(16))


def test_one_record_at_a_time_tells_people_that_a_hook_failed(table: GateTable) -> None:
    held = table.fail(new_gate(), "why")
    table.mark_reported(held, after(1))
    first = table.take_failure_message(held.gate, after(2))
    assert first.try_id

    with pytest.raises(GateBusyError):
        table.take_failure_message(held.gate, after(3))

    second = table.take_failure_message(held.gate, after(60))
    assert second.try_id, "the first was killed"
    table.mark_failure_notified(HOOK, after(61))
    assert table.take_failure_message(held.gate, after(120)).try_id is None


def test_a_failure_is_taken_over_when_its_lease_is_over(table: GateTable) -> None:
    table.fail(new_gate(), "why")

    gate = table.fail(new_gate(after(14)), "why").gate
    assert gate.state is GateState.FAILING
    with pytest.raises(GateBusyError):
        table.take_over(gate, after(14))

    held = table.take_over(gate, after(16))
    assert held.try_id
    assert not held.is_new


def test_a_failure_whose_answer_was_lost_is_its_own(
    table: GateTable, aws: AwsStandIn, sleeps: list[float]
) -> None:
    aws.lost_answers["UpdateItem"] = 1

    assert table.fail(new_gate(), "why").is_new
    assert events(aws) == ["failed"]


def test_what_was_reported_meanwhile_is_not_taken_over(table: GateTable) -> None:
    table.open(new_gate())
    held = table.decide(HOOK, decision(Verdict.REJECT), NOW)
    table.mark_reported(held, after(1))

    taken = table.take_over(held.gate, after(20))

    assert taken.try_id is None
    assert taken.gate.reported_at


def test_a_lease_that_cannot_be_given_up_is_no_error(table: GateTable, aws: AwsStandIn) -> None:
    held = table.open(new_gate())
    aws.failures["UpdateItem"] = ["AccessDeniedException"] * 2

    table.stop_telling(held)

    with pytest.raises(TableError):
        table.mark_notified(HOOK, NOW)
