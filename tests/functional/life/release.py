"""A release at its gate, and all that keeps what people see of it true: what its tests share.

Time stands still, and goes on when a test says so. Nothing calls a function by itself: a test
delivers the changes of the table (`follow`), the moments (`moment`) and CodeDeploy's events.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from click.testing import CliRunner, Result
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from greenlight.handlers import changes, clock, decision, failure, hook, outcome, pause
from greenlight_cli.main import main
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.clicks import ALICE, command_form, form, payload, signed, url_event
from stand_ins.codedeploy import REGION, finish, state_change
from stand_ins.slack import BOT_TOKEN, CHANNEL, Shown, SlackStandIn
from tests.conftest import load_event
from tests.functional.conftest import Invoke
from tests.functional.helpers import plain

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
EVENT = load_event("hook/documented_example")
RECORD = load_event("failure/on_failure_record")
ID, HOOK_ID = "d-LOCALTEST", "hook-local"
HOOK = (ID, HOOK_ID)
REPORT = "PutLifecycleEventHookExecutionStatus"
ARN = "arn:aws:sts::123456789012:user/moto"
GROUP = "greenlight"
A_MINUTE = timedelta(minutes=1)

# The ways to post, besides `both`: with `failing`, Slack never honours the bot, with `lost` not any
# more, and there is a webhook.
WAYS = ["bot", "webhook", "failing", "lost"]


@dataclass
class Release:
    """A deployment that waits at its gate, in the environment of a whole stack."""

    aws: AwsStandIn
    slack: SlackStandIn
    time: Any
    functions: dict[str, Invoke]
    monkeypatch: pytest.MonkeyPatch
    followed: int = 0
    gate_id: ClassVar[str] = ID
    answers: ClassVar[dict[str, str]] = {"approve": "Succeeded", "reject": "Failed"}
    environ: dict[str, str | None] = field(default_factory=dict)

    def post_by(self, way: str) -> None:
        """Chooses the way to post, for all functions."""
        bot = {"SLACK_BOT_TOKEN": BOT_TOKEN, "SLACK_CHANNEL": CHANNEL}
        self.environ |= {"SLACK_API_URL": self.slack.api_url, **bot}
        if way == "webhook":
            self.environ |= dict.fromkeys(bot)
        if way == "bot":
            self.environ["SLACK_WEBHOOK_URL"] = None
        if way == "failing":
            self.slack.scopes.clear()

    def open(self, way: str = "bot", **changes: str | None) -> Shown:
        """Opens the gate and asks people; the message that asks them."""
        self.post_by(way)
        self.environ |= changes
        self.ask()
        self.follow()
        if way == "lost":
            self.slack.scopes.clear()
        return self.slack.shown[-1]

    def call(self, function: str, event: Any) -> dict[str, Any]:
        """Calls a function."""
        return self.functions[function](event, **self.environ)

    def follow(self) -> int:
        """Delivers what the table's stream has, in calls of a record each; how many there were."""
        known = self.followed
        while self.followed < len(self.aws.changes):
            record = self.aws.changes[self.followed]
            self.call("changes", {"Records": [record]})
            self.followed += 1
        return self.followed - known

    def watches(self) -> list[tuple[datetime, dict[str, str]]]:
        """Until when the clock function is called each minute, and with what."""
        return [
            (schedule["EndDate"], json.loads(schedule["Target"]["Input"]))
            for schedule in self.aws.schedules()
            if schedule["ScheduleExpression"] == "rate(1 minute)"
        ]

    def watch(self) -> str:
        """Lets the next minute come in which the clock function is called; what it has done."""
        ((_, event),) = self.watches()
        self.later(minutes=1)
        done: str = self.call("clock", event)["body"]["outcome"]
        return done

    def moments(self, due: str | None = None) -> list[tuple[datetime, dict[str, str]]]:
        """When which moments are set, and with what the clock function is called then."""
        found = []
        for schedule in self.aws.schedules():
            if schedule["ScheduleExpression"] == "rate(1 minute)":
                continue
            at = datetime.strptime(f"{schedule['ScheduleExpression']}Z", "at(%Y-%m-%dT%H:%M:%S)%z")
            event = json.loads(schedule["Target"]["Input"])
            if due in (None, event["due"]):
                found.append((at, event))
        return found

    def moment(self, due: str) -> str:
        """Lets the one moment of a kind come, at its time; what the clock function has done."""
        ((at, event),) = self.moments(due)
        self.at(at)
        done: str = self.call("clock", event)["body"]["outcome"]
        return done

    def at(self, moment: datetime) -> None:
        """Lets it be this time."""
        self.time.move_to(moment)

    def later(self, minutes: float = 0, seconds: float = 0) -> None:
        """Lets time go on."""
        self.time.shift(timedelta(minutes=minutes, seconds=seconds))

    def click(
        self,
        verdict: str,
        on: Shown | None = None,
        user: tuple[str, str] = ALICE,
        reason: str | None = None,
    ) -> None:
        """Somebody presses a button of a message; without one, of the first that there is."""
        message = on or self.slack.shown[0]
        url = self.slack.url_of_click(message)
        body = form(payload(message.content, f"greenlight_{verdict}", url, user, reason))
        assert self.call("decision", url_event(body, signed(body)))["statusCode"] == 200

    def type(self, text: str, user: tuple[str, str] = ALICE) -> None:
        """Somebody types a slash command."""
        body = command_form(text, self.slack.response_url, user)
        assert self.call("decision", url_event(body, signed(body)))["statusCode"] == 200

    def greenlight(self, *arguments: str) -> Result:
        """Somebody runs the command at a terminal."""
        self.monkeypatch.setenv("DYNAMODB_TABLE_NAME", TABLE)
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    def answer_elsewhere(self, status: str) -> None:
        """Somebody answers the hook with the AWS CLI."""
        self.aws.client("codedeploy").put_lifecycle_event_hook_execution_status(
            deploymentId=ID, lifecycleEventHookExecutionId=HOOK_ID, status=status
        )

    def ask(self) -> dict[str, Any]:
        """CodeDeploy calls the hook."""
        return self.call("hook", EVENT)

    def failure_record(self, error: Any = None) -> dict[str, Any]:
        """What the failure function gets, when all tries to open the gate have failed."""
        return {**RECORD, "requestPayload": EVENT, "responsePayload": error}

    def go_live(self) -> str | None:
        """The deployment ends well, and CodeDeploy says so."""
        finish(ID)
        return self.ends("SUCCESS")

    @property
    def answer(self) -> str | None:
        """What the engine was answered; None while it waits."""
        return self.aws.reports.get(HOOK)

    def ends(self, state: str, deployment_id: str = ID) -> str | None:
        """CodeDeploy says that a deployment has ended; what the gate has for its outcome."""
        found: str | None = self.call("outcome", state_change(deployment_id, state))["body"][
            "outcome"
        ]
        return found

    def meanwhile(self, **attributes: str) -> None:
        """Has another try write these to the gate, just before the next update of the item."""

        def write(operation: str) -> None:
            if operation == "UpdateItem":
                self.aws.before = lambda _: None
                item = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables[TABLE].items
                held: Any = item[DynamoType({"S": self.gate_id})]
                held.attrs |= {name: DynamoType({"S": text}) for name, text in attributes.items()}

        self.aws.before = write

    @property
    def item(self) -> dict[str, Any]:
        """The gate as it is in the table."""
        (item,) = self.aws.items()
        return plain(item)

    @property
    def history(self) -> list[str]:
        """What the gate's history says happened."""
        return [entry["event"] for entry in self.item["history"]]

    @property
    def messages(self) -> list[Shown]:
        """The messages of the channel, without those that stand under another, too."""
        return [one for one in self.slack.in_channel() if not one.under]


def following(event: Any, context: Any) -> dict[str, Any]:
    """The function of changes, which answers nothing."""
    assert changes.lambda_handler(event, context) is None
    return {"body": ""}


HANDLERS: dict[str, Any] = {
    "hook": hook,
    "pause": pause,
    "failure": failure,
    "decision": decision,
    "clock": clock,
    "outcome": outcome,
    "changes": SimpleNamespace(lambda_handler=following, _clients=changes._clients),
}
