"""People are told once: retries, duplicates, tries at the same time, and killed processes."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests_mock
import time_machine
from boto3.dynamodb.types import TypeSerializer
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from greenlight.model.errors import (
    EngineError,
    GateBusyError,
    GateNotFoundError,
    SlackError,
    TableError,
)
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.codedeploy import REGION, add_deployment, complete_hook, fail, go_on
from stand_ins.slack import Answer, SlackStandIn
from tests.functional.conftest import Invoke, Process, kill_in_the_middle
from tests.functional.helpers import EVENT, NOW, change, plain, put

A_MINUTE = timedelta(minutes=1)
OK = {"deployment_id": "d-LOCALTEST", "status": "WAITING", "duplicate": False}
DUPLICATE = {**OK, "duplicate": True}


@pytest.fixture(autouse=True)
def deployment(aws: AwsStandIn) -> None:
    with time_machine.travel(NOW, tick=False):
        add_deployment("d-LOCALTEST", aws.client("codedeploy"))


def test_a_duplicate_of_a_finished_try_posts_nothing(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    invoke(EVENT)
    before = aws.items()

    assert invoke(EVENT)["body"] == DUPLICATE

    assert len(slack.messages) == 1
    assert aws.items() == before


def test_people_who_were_told_are_not_told_again_whatever_lease_is_left(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    invoke(EVENT)
    change(aws, "SET lease_until = :past", {":past": {"S": "2026-01-01T00:00:00+00:00"}})

    assert invoke(EVENT)["body"] == DUPLICATE
    assert len(slack.messages) == 1


@pytest.mark.parametrize("status", ["APPROVED", "REJECTED", "FAILED"])
def test_a_duplicate_says_where_the_gate_stands_by_now(
    status: str, invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    invoke(EVENT)
    change(aws, "SET #status = :status", {":status": {"S": status}}, {"#status": "status"})

    assert invoke(EVENT)["body"] == {**DUPLICATE, "status": status}
    assert len(slack.messages) == 1


def test_a_gate_that_failed_before_people_were_told_is_not_opened_again(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    slack.script.append(Answer(404, "no_service"))
    with pytest.raises(SlackError):
        invoke(EVENT)
    change(aws, "SET #status = :status", {":status": {"S": "FAILED"}}, {"#status": "status"})

    with time_machine.travel(datetime.now(UTC) + A_MINUTE):
        assert invoke(EVENT)["body"] == {**DUPLICATE, "status": "FAILED"}
    assert len(slack.messages) == 1


def test_a_retry_finishes_a_try_that_slack_failed_and_keeps_its_times(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    slack.script.append(Answer(404, "no_service"))
    with time_machine.travel(NOW, tick=False), pytest.raises(SlackError):
        invoke(EVENT)
    assert "notified_at" not in aws.items()[0]

    with time_machine.travel(NOW + A_MINUTE, tick=False):
        assert invoke(EVENT)["body"] == OK

    item = plain(aws.items()[0])
    assert item["created_at"] == "2026-11-23T03:00:00+00:00"
    assert item["deadline"] == "2026-11-23T04:00:00+00:00"
    assert item["notified_at"] == "2026-11-23T03:01:00+00:00"
    assert "lease_until" not in item
    deadline = int((NOW + timedelta(hours=1)).timestamp())
    assert f"<!date^{deadline}^" in str(slack.messages[-1]), "the hour began with the first try"


def test_a_try_that_failed_leaves_the_gate_to_the_next_at_once(
    invoke: Invoke, slack: SlackStandIn
) -> None:
    slack.script.append(Answer(404, "no_service"))
    with time_machine.travel(NOW, tick=False):
        with pytest.raises(SlackError):
            invoke(EVENT)

        assert invoke(EVENT)["body"] == OK


def test_a_lease_that_cannot_be_given_up_ends_by_itself(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    slack.script.append(
        Answer(
            404,
            "no_service",
            pause=lambda: aws.failures.update({"UpdateItem": ["AccessDeniedException"]}),
        )
    )
    with time_machine.travel(NOW, tick=False):
        with pytest.raises(SlackError):
            invoke(EVENT)
        with pytest.raises(GateBusyError):
            invoke(EVENT)

    with time_machine.travel(NOW + A_MINUTE, tick=False):
        assert invoke(EVENT)["body"] == OK


def test_a_failed_try_does_not_touch_a_gate_that_ended_meanwhile(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    def end() -> None:
        failed = {":status": {"S": "FAILED"}}
        change(aws, "SET #status = :status REMOVE lease_until", failed, {"#status": "status"})

    slack.script.append(Answer(404, "no_service", pause=end))
    with pytest.raises(SlackError):
        invoke(EVENT)

    assert "lease_until" not in aws.items()[0]


def test_a_failed_try_does_not_touch_a_gate_that_was_replaced_meanwhile(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    slack.script.append(Answer(404, "no_service", pause=lambda: put("hook-2")))

    with pytest.raises(SlackError):
        invoke(EVENT)

    assert plain(aws.items()[0])["hook_execution_id"] == "hook-2"
    assert plain(aws.items()[0])["lease_until"] == (NOW + A_MINUTE).isoformat()


def test_a_retry_that_knows_less_of_the_deployment_forgets_nothing(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    slack.script.append(Answer(404, "no_service"))
    with time_machine.travel(NOW, tick=False), pytest.raises(SlackError):
        invoke(EVENT)
    aws.failures["GetDeployment"] = ["AccessDeniedException"]

    with time_machine.travel(NOW + A_MINUTE, tick=False):
        invoke(EVENT)

    item = plain(aws.items()[0])
    assert item["application"] == "shop"
    assert item["test_url"] == "https://shop.green.example.com/?release=d-LOCALTEST"
    assert "https://shop.green.example.com/" in str(slack.messages[-1])


def test_a_retry_that_knows_more_of_the_deployment_says_so(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    aws.failures["GetDeployment"] = ["AccessDeniedException"]
    slack.script.append(Answer(404, "no_service"))
    with time_machine.travel(NOW, tick=False), pytest.raises(SlackError):
        invoke(EVENT)

    with time_machine.travel(NOW + A_MINUTE, tick=False):
        invoke(EVENT)

    assert plain(aws.items()[0])["test_url"].startswith("https://shop.green.example.com/")
    assert "https://shop.green.example.com/" in str(slack.messages[-1])


def test_a_duplicate_of_an_unfinished_try_leaves_it_alone_and_can_be_tried_again(
    invoke: Invoke, slack: SlackStandIn
) -> None:
    with requests_mock.Mocker() as http, time_machine.travel(NOW, tick=False):
        http.post(slack.webhook_url, exc=MemoryError)  # the try has no chance to clean up
        with pytest.raises(MemoryError):
            invoke(EVENT)

    with (
        time_machine.travel(NOW + timedelta(seconds=44), tick=False),
        pytest.raises(GateBusyError) as failed,
    ):
        invoke(EVENT)

    assert failed.value.lease_until == "2026-11-23T03:00:45+00:00"
    assert slack.messages == []
    with time_machine.travel(NOW + A_MINUTE, tick=False):
        assert invoke(EVENT)["body"] == OK


def test_people_are_not_asked_again_about_a_hook_that_was_answered_since(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    def fail() -> None:
        aws.failures["UpdateItem"] = ["AccessDeniedException"]

    slack.script.append(Answer(pause=fail))
    with time_machine.travel(NOW, tick=False), pytest.raises(TableError):
        invoke(EVENT)
    with time_machine.travel(NOW + A_MINUTE, tick=False):
        complete_hook("d-LOCALTEST", "Succeeded")  # by the command in the message
        answer = invoke(EVENT)

    assert answer["body"]["status"] == "APPROVED"
    assert len(slack.messages) == 1


@pytest.mark.parametrize("failures", [1, 2])
def test_what_became_of_a_hook_is_not_guessed_from_how_its_deployment_ended(
    failures: int, invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    complete_hook("d-LOCALTEST", "Succeeded")
    fail("d-LOCALTEST", "HEALTH_CONSTRAINTS", "The new tasks do not stay up")
    aws.failures["GetDeploymentTarget"] = ["AccessDeniedException"] * failures
    if failures == 2:
        with pytest.raises(EngineError):
            invoke(EVENT)

    answer = invoke(EVENT)

    assert answer["body"]["status"] == "APPROVED"
    assert slack.messages == []


def test_a_new_hook_execution_replaces_the_gate_of_an_older_one(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    with time_machine.travel(NOW, tick=False):
        invoke(EVENT)
    set_to = "SET #status = :status, reported_at = :now"
    values = {":status": {"S": "REJECTED"}, ":now": {"S": NOW.isoformat()}}
    change(aws, set_to, values, {"#status": "status"})

    with time_machine.travel(NOW + A_MINUTE, tick=False):
        answer = invoke({**EVENT, "LifecycleEventHookExecutionId": "hook-2"})

    assert answer["body"] == OK
    item = plain(aws.items()[0])
    assert (item["hook_execution_id"], item["status"]) == ("hook-2", "WAITING")
    assert item["created_at"] == "2026-11-23T03:01:00+00:00"
    assert len(slack.messages) == 2


@pytest.mark.parametrize("first", [None, "an older hook"])
def test_a_try_is_not_in_its_own_way_when_the_answer_of_the_table_is_lost(
    first: str | None, invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn, sleeps: list[float]
) -> None:
    if first:
        invoke({**EVENT, "LifecycleEventHookExecutionId": "hook-older"})
        go_on("d-LOCALTEST")

    # The older hook's put, and the one that finds its gate, come before the one that counts.
    number = 3 if first else 1

    def lose_what_is_put(operation: str) -> None:
        if operation == "PutItem" and aws.operations.count(operation) == number:
            aws.lost_answers[operation] = 1

    aws.after = lose_what_is_put

    assert invoke(EVENT)["body"] == OK

    assert plain(aws.items()[0])["hook_execution_id"] == "hook-local"
    assert len(slack.messages) == (2 if first else 1)


def test_that_people_were_told_is_on_record_once_though_the_answer_was_lost(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn, sleeps: list[float]
) -> None:
    slack.script.append(Answer(pause=lambda: aws.lost_answers.update({"UpdateItem": 1})))

    assert invoke(EVENT)["body"] == OK

    item = plain(aws.items()[0])
    assert [entry["event"] for entry in item["history"]] == ["opened", "notified"]


def test_a_gate_that_another_try_replaces_at_the_same_moment_is_left_to_it(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    invoke(EVENT)
    go_on("d-LOCALTEST")
    newer = {**EVENT, "LifecycleEventHookExecutionId": "hook-2"}

    def other_try_comes_first(operation: str) -> None:
        if operation == "PutItem":
            aws.after = lambda _: None
            put("hook-2")

    aws.after = other_try_comes_first
    with pytest.raises(GateBusyError):
        invoke(newer)

    assert len(slack.messages) == 1


def put_between(aws: AwsStandIn, **attributes: Any) -> None:
    """Lets another write come past the stand-in's lock, in the middle of the next PutItem."""

    def come(operation: str) -> None:
        if operation == "PutItem":
            aws.after = lambda _: None
            table = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_table(TABLE)
            item = table.get_item(DynamoType({"S": "d-LOCALTEST"}), None)
            assert item
            for name, value in attributes.items():
                item.attrs[name] = DynamoType({**TypeSerializer().serialize(value)})

    aws.after = come


def test_what_happens_to_an_older_gate_while_it_is_replaced_stays_on_record(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    invoke(EVENT)
    go_on("d-LOCALTEST")
    newer = {**EVENT, "LifecycleEventHookExecutionId": "hook-2"}

    put_between(aws, history=[{"event": "reported", "at": NOW.isoformat()}])
    with pytest.raises(GateBusyError):
        invoke(newer)

    assert invoke(newer)["body"] == OK
    events = [entry["event"] for entry in plain(aws.items()[0])["history"]]
    assert events == ["reported", "opened", "notified"]


def test_a_gate_that_takes_the_place_of_another_tools_item_first_stays_on_record(
    invoke: Invoke, aws: AwsStandIn
) -> None:
    """Two hooks of a deployment come at once, and their key is another tool's."""
    aws.client("dynamodb").put_item(
        TableName=TABLE, Item={"deployment_id": {"S": "d-LOCALTEST"}, "owner": {"S": "another"}}
    )

    opened = [{"event": "opened", "at": NOW.isoformat()}]
    put_between(aws, hook_execution_id="hook-2", history=opened)
    with pytest.raises(GateBusyError):
        invoke(EVENT)

    (item,) = aws.items()
    assert plain(item)["hook_execution_id"] == "hook-2"


def test_a_gate_that_is_lost_while_people_are_told_is_an_error(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    key = {"deployment_id": {"S": "d-LOCALTEST"}}
    dynamodb = aws.client("dynamodb")
    slack.script.append(Answer(pause=lambda: dynamodb.delete_item(TableName=TABLE, Key=key)))

    with pytest.raises(GateNotFoundError):
        invoke(EVENT)

    assert aws.items() == [], "nothing is half-written"
    assert invoke(EVENT)["body"] == OK


def test_a_damaged_item_is_an_error_that_names_it(invoke: Invoke, aws: AwsStandIn) -> None:
    invoke(EVENT)
    change(aws, "SET created_at = :text", {":text": {"S": "yesterday"}})

    with pytest.raises(TableError, match="the item d-LOCALTEST is not a gate"):
        invoke(EVENT)


def test_several_at_once_tell_people_once(
    environ: dict[str, str], aws: AwsStandIn, slack: SlackStandIn
) -> None:
    tries = 5
    all_have_tried = threading.Event()

    def count_tries(_: str) -> None:
        if aws.operations.count("PutItem") >= tries:
            all_have_tried.set()

    aws.before = count_tries
    slack.script.append(Answer(pause=lambda: all_have_tried.wait(timeout=30)))

    processes = [Process(EVENT, environ) for _ in range(tries)]
    results = [process.finish() for process in processes]

    assert len(slack.messages) == 1
    bodies = [body for body, _ in results if body]
    assert bodies.count(OK) == 1
    failures = [written for body, written in results if body is None]
    assert all("GateBusyError" in written for written in failures)
    assert len(bodies) + len(failures) == tries


# Where a try can be cut short: the call it is in the middle of, the how manyth of its kind,
# whether the call has had its effect, and how many messages people have in the end.
CUTS = [
    ("GetDeployment", 1, "before", 1),
    ("ListDeploymentTargets", 1, "before", 1),
    ("PutItem", 1, "before", 1),
    ("PutItem", 1, "after", 1),
    ("Slack", 1, "after", 2),  # nobody can know that it arrived: telling twice beats silence
    ("UpdateItem", 1, "before", 2),
    ("UpdateItem", 1, "after", 1),
]


@pytest.mark.parametrize(("call", "number", "moment", "messages"), CUTS)
def test_a_killed_try_loses_nothing(
    call: str,
    number: int,
    moment: str,
    messages: int,
    environ: dict[str, str],
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    started = datetime.now(UTC)
    kill_in_the_middle(lambda: Process(EVENT, environ), aws, slack, call, number, moment)

    body, written = Process(EVENT, environ, later=60).finish()

    assert body is not None, written
    assert body["status"] == "WAITING"
    item = plain(aws.items()[0])
    assert item["notified_at"]
    assert "lease_until" not in item
    assert len(slack.messages) == messages
    assert all(message == slack.messages[0] for message in slack.messages)
    if moment == "after" or call == "UpdateItem":
        age = datetime.fromisoformat(item["created_at"]) - started.replace(microsecond=0)
        assert age < timedelta(seconds=55), "the deadline counts from the first try"


def test_a_killed_try_is_left_alone_until_its_lease_is_over(
    environ: dict[str, str], aws: AwsStandIn, slack: SlackStandIn
) -> None:
    kill_in_the_middle(lambda: Process(EVENT, environ), aws, slack, "Slack")

    body, written = Process(EVENT, environ, later=20).finish()

    assert body is None
    assert "GateBusyError" in written
    assert len(slack.messages) == 1
