"""What is deployed keeps what people see true: by the table's stream, by schedules, by events.

The emulator delivers the stream and the schedules itself. It takes no events of AWS's own sources:
the function that hears of ended deployments is called with the event as CodeDeploy documents it.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from click.testing import CliRunner

from greenlight_cli.main import main as greenlight_cli
from stand_ins.aws import CREDENTIALS
from stand_ins.codedeploy import finish, state_change
from stand_ins.slack import BOT_TOKEN, CHANNEL, Shown, SlackStandIn
from tests.deployed import HOOK, STACK, Deployed, about, asked, eventually

CHANGES = f"GreenlightKeep_{STACK}"
CLOCK = f"GreenlightTime_{STACK}"
OUTCOME = f"GreenlightEnds_{STACK}"
TOKEN_PARAMETER = "/greenlight/slack-bot-token"


@contextmanager
def changed(deployed: Deployed, *functions: str, **variables: str | None) -> Iterator[None]:
    """Functions with other variables."""
    with ExitStack() as stack:
        for function in functions:
            stack.enter_context(deployed.changed(function, variables=variables))
        yield


@pytest.fixture
def bot(deployed: Deployed, slack: SlackStandIn) -> Iterator[None]:
    """A bot posts, whose token is in SSM; without a webhook."""
    deployed.client("ssm").put_parameter(
        Name=TOKEN_PARAMETER, Value=BOT_TOKEN, Type="SecureString", Overwrite=True
    )
    variables = {
        "SLACK_BOT_TOKEN": TOKEN_PARAMETER,
        "SLACK_CHANNEL": CHANNEL,
        "SLACK_API_URL": slack.api_url,
        "SLACK_WEBHOOK_URL": None,
    }
    with changed(deployed, HOOK, CHANGES, CLOCK, **variables):
        yield


@pytest.fixture
def machine(deployed: Deployed) -> Iterator[str]:
    """A queue of all that Greenlight says on the account's own bus, by its URL."""
    queue = deployed.client("sqs").create_queue(QueueName="machine")["QueueUrl"]
    arn = deployed.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])[
        "Attributes"
    ]["QueueArn"]
    events = deployed.client("events")
    events.put_rule(Name="machine", EventPattern=json.dumps({"source": ["greenlight"]}))
    events.put_targets(Rule="machine", Targets=[{"Id": "machine", "Arn": arn}])
    with changed(deployed, CHANGES, EVENT_BUS_NAME="default"):
        yield queue
    events.remove_targets(Rule="machine", Ids=["machine"])
    events.delete_rule(Name="machine")
    deployed.client("sqs").delete_queue(QueueUrl=queue)


def heard(deployed: Deployed, queue: str) -> list[dict[str, Any]]:
    """What has come to a queue since the last time."""
    answer = deployed.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    for message in answer.get("Messages", []):
        deployed.client("sqs").delete_message(
            QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"]
        )
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def decide(
    deployed: Deployed, event: dict[str, str], verdict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decides at a terminal."""
    environ = {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": deployed.endpoint_url,
        "AWS_ENDPOINT_URL_CODEDEPLOY": deployed.codedeploy.endpoint_url,
        "DYNAMODB_TABLE_NAME": deployed.output("TableName"),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    command = [verdict, event["DeploymentId"], "--reason", "seen <b>"]
    done = CliRunner().invoke(greenlight_cli, command, catch_exceptions=False)
    assert done.exit_code == 0, done.output


def message_of(event: dict[str, str], slack: SlackStandIn) -> Shown:
    """The one message that the channel shows of an event's gate."""
    message: Shown
    (message,) = about(event, slack.in_channel())
    return message


@pytest.mark.usefixtures("bot")
def test_people_are_reminded_and_then_the_gate_is_ended(
    deployed: Deployed, slack: SlackStandIn
) -> None:
    with (
        changed(deployed, HOOK, DECIDE_WITHIN_MINUTES="2"),
        changed(deployed, CHANGES, CLOCK, REMIND_MINUTES_BEFORE="1"),
    ):
        event = asked(deployed)
        asking = message_of(event, slack)
        eventually(lambda: moments(deployed, event) == {"reminder", "end", "watch"})

        reminder = eventually(lambda: slack.thread(asking), seconds=120)[0]
        assert reminder.is_broadcast
        assert deployed.gate(event)["status"] == "WAITING"

        assert eventually(lambda: deployed.report(event), seconds=120) == "Failed"

    gate = eventually(lambda: (item := deployed.gate(event)).get("shown") and item)
    assert (gate["status"], gate["decided_via"]) == ("EXPIRED", "clock")
    assert asking.edits >= 1
    assert asking.buttons == []
    assert "⌛" in asking.text
    # They delete themselves; one that was set while CodeDeploy was told comes after a minute, and
    # what watches the gate goes with CodeDeploy's hour.
    eventually(lambda: moments(deployed, event) == {"watch"}, seconds=180)


@pytest.mark.usefixtures("bot")
def test_what_somebody_answers_with_the_aws_cli_is_shown_soon(
    deployed: Deployed, slack: SlackStandIn
) -> None:
    event = asked(deployed)
    asking = message_of(event, slack)
    eventually(lambda: "watch" in moments(deployed, event))

    deployed.codedeploy.client("codedeploy").put_lifecycle_event_hook_execution_status(
        deploymentId=event["DeploymentId"],
        lifecycleEventHookExecutionId=event["LifecycleEventHookExecutionId"],
        status="Succeeded",
    )

    eventually(lambda: asking.edits, seconds=120)
    gate = deployed.gate(event)
    assert (gate["status"], gate["decided_via"]) == ("APPROVED", "elsewhere")
    assert "🚀" in asking.text
    assert asking.buttons == []


def moments(deployed: Deployed, event: dict[str, str]) -> set[str]:
    """The moments that are set for a gate, by what is due then."""
    group = f"Greenlight-{STACK}"
    found = deployed.client("scheduler").list_schedules(GroupName=group)["Schedules"]
    start = event["DeploymentId"] + "-"
    names = [one["Name"] for one in found if one["Name"].startswith(start)]
    return {name.removeprefix(start).partition("-")[0] for name in names}


@pytest.mark.usefixtures("bot")
def test_a_decision_at_a_terminal_closes_the_message_and_machines_hear_of_it(
    deployed: Deployed,
    slack: SlackStandIn,
    machine: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    event = asked(deployed)
    gate_id = event["DeploymentId"]
    asking = message_of(event, slack)

    decide(deployed, event, "approve", monkeypatch)

    eventually(lambda: asking.edits)
    assert "🚀" in asking.text
    assert "seen &lt;b&gt;" in asking.text
    assert asking.buttons == []
    events: list[dict[str, Any]] = []

    def has_heard() -> bool:
        own = (one for one in heard(deployed, machine) if one["detail"]["deployment_id"] == gate_id)
        events.extend(own)
        return any(one["detail"]["status"] == "APPROVED" for one in events)

    eventually(has_heard)
    assert {one["source"] for one in events} == {"greenlight"}
    assert events[0]["detail"]["status"] == "WAITING"


def test_where_only_a_webhook_posts_that_is_said_in_a_new_message(
    deployed: Deployed, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = asked(deployed)

    decide(deployed, event, "reject", monkeypatch)

    asking, news = eventually(lambda: len(said := about(event, slack.shown)) == 2 and said)
    assert asking.buttons
    assert "⛔" in news.text
    assert news.buttons == []


@pytest.mark.usefixtures("bot")
def test_what_became_of_a_release_is_told(
    deployed: Deployed, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = asked(deployed)
    asking = message_of(event, slack)
    # That it has not ended is looked up once; later, that could hear of it before the event does.
    eventually(lambda: has_logged("The deployment has not ended", CHANGES, deployed, event))
    decide(deployed, event, "approve", monkeypatch)
    eventually(lambda: asking.edits)
    finish(event["DeploymentId"])

    deployed.client("lambda").invoke(
        FunctionName=OUTCOME,
        InvocationType="Event",
        Payload=json.dumps(state_change(event["DeploymentId"], "SUCCESS")),
    )

    (answer,) = eventually(lambda: slack.thread(asking))
    assert not answer.is_broadcast, "all went well"
    assert deployed.gate(event)["outcome"] == "live"
    assert asking.edits == 2
    eventually(lambda: has_logged("The deployment has ended", OUTCOME, deployed, event))
    eventually(lambda: "ReleaseLive" in deployed.log(OUTCOME))


def has_logged(text: str, function: str, deployed: Deployed, event: dict[str, str]) -> bool:
    """Whether a function has written a line with a text about an event's gate."""
    gate = f'"correlation_id":"{event["DeploymentId"]}"'
    return any(text in line and gate in line for line in deployed.log(function).splitlines())
