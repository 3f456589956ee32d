"""Slack may have taken a message whose answer nobody got: people are asked again, nothing fails."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import requests_mock
import time_machine

from greenlight.handlers import failure
from greenlight.model.errors import (
    EngineError,
    GateBusyError,
    GreenlightError,
    NoTimeToTellError,
    SlackError,
    TableError,
)
from greenlight.model.gate import Decision, Hook, Verdict, Via
from greenlight.runtime.clients import Clients
from greenlight.runtime.network import CHAIN_CONFIG, Countdown
from greenlight.storage.table import GateTable
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.codedeploy import add_deployment
from stand_ins.slack import Answer, SlackStandIn
from tests.functional.conftest import Clicker, Invoke, Output, Process, kill_in_the_middle
from tests.functional.helpers import (
    EVENT,
    FAILED,
    HOOK,
    LEFT_ALONE,
    NOW,
    answer_elsewhere,
    events,
    gate,
    record,
    whole,
)

TRIES = (0, 1, 3)
THEN = 4
WRITES = ("PutItem", "UpdateItem")


@pytest.fixture(autouse=True)
def deployment(aws: AwsStandIn) -> None:
    with time_machine.travel(NOW, tick=False):
        add_deployment("d-LOCALTEST", aws.client("codedeploy"))


@contextlib.contextmanager
def minute(number: float) -> Iterator[None]:
    """So many minutes after CodeDeploy called the hook."""
    with time_machine.travel(NOW + timedelta(minutes=number), tick=False):
        yield


def of(failed: "pytest.ExceptionInfo[GreenlightError]") -> dict[str, Any]:
    """The record of a hook whose last try failed like that."""
    return record({"errorType": type(failed.value).__name__, "errorMessage": str(failed.value)})


def out_of_order(aws: AwsStandIn) -> None:
    """The table takes nothing from now on."""
    aws.failures |= {operation: ["AccessDeniedException"] * 99 for operation in WRITES}


@pytest.fixture
def silent(slack: SlackStandIn) -> Callable[[], Any]:
    """Slack takes a message, and its answer does not come."""

    @contextlib.contextmanager
    def be_silent() -> Iterator[None]:
        with requests_mock.Mocker(real_http=True) as http:
            http.post(slack.webhook_url, exc=requests.exceptions.ReadTimeout)
            yield

    return be_silent


@pytest.fixture
def unheard(silent: Callable[[], Any], invoke: Invoke) -> dict[str, Any]:
    """The record of a hook whose only try may have told people: Slack did not say so."""
    with minute(0), silent(), pytest.raises(SlackError) as failed:
        invoke(EVENT)
    return of(failed)


def test_where_slack_never_answers_people_are_asked_by_the_failure_function(
    silent: Callable[[], Any],
    invoke: Invoke,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> None:
    for number in TRIES:
        with minute(number), silent(), pytest.raises(SlackError) as failed:
            invoke(EVENT)
    output()

    with minute(THEN):
        assert invoke_failure(of(failed))["body"] == LEFT_ALONE

    assert aws.reports == {}
    (message,) = slack.messages
    assert "테스트 대기" in whole(message)
    assert events(aws) == ["opened", "notified"]
    assert gate(aws)["notified_at"] == "2026-11-23T03:04:00+00:00"
    metrics = output().metrics
    assert metrics["SlackNotified", "service=greenlight"] == [1]
    assert metrics["HookLeftAlone", "service=greenlight"] == [1]


def test_they_are_asked_with_buttons_that_work(
    unheard: dict[str, Any],
    invoke_decision: Invoke,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    with minute(THEN):
        invoke_failure(unheard)
        Clicker(invoke_decision, slack, slack.messages[-1])("approve")

    assert aws.reports == {HOOK: "Succeeded"}


def test_they_are_not_asked_while_the_try_may_still_be_at_it(
    unheard: dict[str, Any], invoke_failure: Invoke, slack: SlackStandIn
) -> None:
    with minute(0.5), pytest.raises(GateBusyError):
        invoke_failure(unheard)

    assert slack.messages == []


@pytest.mark.parametrize("first", ["the table", "Slack"])
def test_where_the_table_went_out_of_order_once_they_were_told_nothing_is_failed(
    first: str, invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    slack.script.append(Answer(pause=lambda: out_of_order(aws)))
    with minute(0), pytest.raises(TableError):
        invoke(EVENT)
    if first == "Slack":  # the table works again, and Slack does not
        aws.failures.clear()
        slack.script += [Answer(404, "no_service")] * 2
    for number in TRIES[1:]:
        with minute(number), pytest.raises(GreenlightError) as failed:
            invoke(EVENT)
    aws.failures.clear()

    with minute(THEN):
        assert invoke_failure(of(failed))["body"] == LEFT_ALONE

    assert aws.reports == {}
    assert gate(aws)["notified_at"]
    assert "테스트 대기" in whole(slack.messages[-1])


def test_a_try_that_was_killed_once_slack_had_its_message_fails_nothing(
    environ: dict[str, str], invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    kill_in_the_middle(lambda: Process(EVENT, environ), aws, slack, "Slack")
    assert len(slack.messages) == 1

    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=1), tick=False):
        body = invoke_failure(record({"errorMessage": "Task timed out after 30.00 seconds"}))

    assert body["body"] == LEFT_ALONE
    assert aws.reports == {}
    headers = [message["blocks"][0] for message in slack.messages]
    assert headers == [headers[0]] * 2, "asked twice"


def test_where_slack_takes_nothing_more_the_hook_is_failed_and_that_is_told_once_it_can_be(
    unheard: dict[str, Any],
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    slack.script += [Answer(404, "no_service")] * 2

    with minute(THEN), pytest.raises(SlackError):
        invoke_failure(unheard)
    assert aws.reports == {HOOK: "Failed"}
    with minute(THEN + 1):
        assert invoke_failure(unheard)["body"] == FAILED

    assert "테스트 요청 실패" in whole(slack.messages[-1])
    assert events(aws) == ["opened", "failed", "reported", "failure_notified"]


@pytest.mark.parametrize("last", [Answer(404, "no_service"), Answer(400, "invalid_blocks")])
def test_a_connection_that_was_lost_before_slack_refused_may_have_told_them(
    last: Answer,
    invoke: Invoke,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    sleeps: list[float],
) -> None:
    slack.script += [Answer(None), last, last]
    with minute(0), pytest.raises(SlackError) as failed:
        invoke(EVENT)
    slack.script.clear()

    with minute(THEN):
        assert invoke_failure(of(failed))["body"] == LEFT_ALONE

    assert aws.reports == {}
    assert gate(aws)["notified_at"] == "2026-11-23T03:04:00+00:00"


def test_want_of_time_is_no_reason_to_fail_what_they_may_know_of(
    unheard: dict[str, Any],
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seconds = [0.0]
    clients = Clients(Countdown(lambda: seconds[0]), CHAIN_CONFIG)
    monkeypatch.setattr(failure, "_clients", functools.cache(lambda: clients))

    def trickle(operation: str) -> None:
        if operation == "GetDeploymentTarget":
            seconds[0] = 25.0

    aws.after = trickle
    with minute(THEN), pytest.raises(NoTimeToTellError):
        invoke_failure(unheard)

    assert aws.reports == {}
    assert gate(aws)["status"] == "WAITING"
    aws.after = lambda _: None
    with minute(THEN + 1):
        assert invoke_failure(unheard)["body"] == LEFT_ALONE
    assert gate(aws)["notified_at"]
    assert "테스트 대기" in whole(slack.messages[-1])


def test_they_are_asked_with_the_deadline_that_codedeploy_has(
    silent: Callable[[], Any],
    invoke: Invoke,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    aws.failures["ListDeploymentTargets"] = ["AccessDeniedException"]
    with minute(3), silent(), pytest.raises(SlackError) as failed:
        invoke(EVENT)
    assert gate(aws)["deadline"] == "2026-11-23T04:03:00+00:00", "as far as it knew"

    with minute(THEN):
        invoke_failure(of(failed))

    assert gate(aws)["deadline"] == "2026-11-23T04:00:00+00:00"
    assert "2026-11-23 04:00 UTC" in whole(slack.messages[0])


@pytest.mark.parametrize(
    ("answer", "status", "body", "told"),
    [
        ("Succeeded", "APPROVED", LEFT_ALONE, []),
        ("Failed", "REJECTED", FAILED, ["테스트 요청 실패"]),
    ],
)
def test_nobody_is_asked_about_a_hook_that_was_answered_meanwhile(
    answer: str,
    status: str,
    body: dict[str, Any],
    told: list[str],
    unheard: dict[str, Any],
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    with minute(2):
        answer_elsewhere(aws, answer)

    with minute(THEN):
        assert invoke_failure(unheard)["body"] == body

    assert (gate(aws)["status"], gate(aws)["decided_via"]) == (status, "elsewhere")
    headers = [message["blocks"][0]["text"]["text"] for message in slack.messages]
    assert len(headers) == len(told)
    assert all(text in header for text, header in zip(told, headers, strict=True))


def test_that_they_may_know_is_not_forgotten_where_codedeploy_does_not_say_what_it_has(
    unheard: dict[str, Any],
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    with minute(2):
        answer_elsewhere(aws, "Succeeded")

    def deny_what_follows(operation: str) -> None:
        if operation == "GetDeploymentTarget":
            aws.failures["ListDeploymentTargets"] = ["AccessDeniedException"]
            aws.after = lambda _: None

    aws.after = deny_what_follows
    with minute(THEN), pytest.raises(EngineError):
        invoke_failure(unheard)
    assert "try_id" in gate(aws)
    with minute(THEN + 1):
        assert invoke_failure(unheard)["body"] == LEFT_ALONE

    assert (gate(aws)["status"], gate(aws)["decided_via"]) == ("APPROVED", "elsewhere")
    assert slack.messages == []


def test_what_somebody_decided_meanwhile_is_carried_to_its_end(
    unheard: dict[str, Any],
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    def decide(operation: str) -> None:
        if operation == "UpdateItem" and aws.operations.count(operation) == before + 1:
            aws._one_at_a_time.release()
            approval = Decision(Verdict.APPROVE, "U0ALICE", Via.SLACK)
            GateTable(aws.client("dynamodb"), TABLE).decide(Hook(*HOOK), approval, NOW)
            aws._one_at_a_time.acquire()

    before = aws.operations.count("UpdateItem")
    aws.after = decide
    with minute(THEN), pytest.raises(GateBusyError):
        invoke_failure(unheard)
    with minute(THEN + 1):
        assert invoke_failure(unheard)["body"] == LEFT_ALONE

    assert aws.reports == {HOOK: "Succeeded"}
    assert slack.messages == []
