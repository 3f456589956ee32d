"""The template and the code agree: metrics, log fields, time and permissions."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests_mock
import time_machine
import yaml
from moto.iam.access_control import IAMPolicy, PermissionResult

from greenlight.engines.codedeploy import CodeDeploy
from greenlight.engines.ecs import SWEEP, gate_id_of
from greenlight.handlers import changes, clock, hook, outcome, pause
from greenlight.model.errors import GreenlightError, SettingsError
from greenlight.model.gate import Hook
from greenlight.runtime.network import TRY_SECONDS
from greenlight.runtime.settings import load_settings
from greenlight.storage.table import STATUS_INDEX
from stand_ins import ecs
from stand_ins.aws import ACTIONS, TABLE, AwsStandIn
from stand_ins.clicks import BOB, SIGNING_SECRET, command_form, signed, url_event
from stand_ins.codedeploy import (
    add_deployment,
    begin_rollback,
    complete_hook,
    finish,
    go_on,
    restart,
    state_change,
    stop,
)
from stand_ins.slack import CHANNEL, Answer, SlackStandIn
from tests.conftest import ROOT, load_event
from tests.functional.conftest import Clicker, Invoke, Output, invoking
from tests.functional.helpers import ARNS as SHARED_ARNS
from tests.functional.helpers import EVENT, HOOK, ON_NO_RESOURCE, RECORD
from tests.template import ACCOUNT, REGION, Resolved
from tools.slim import OPERATIONS
from tools.template import load_template

TEMPLATE = load_template(ROOT / "template.yaml")
RESOURCES = TEMPLATE["Resources"]
SECRET_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:slack-AbCdEf"
SIGNING_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:signing-AbCdEf"
BOT_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:bot-AbCdEf"
# What a stack is deployed with that takes clicks.
CLICKS = {"SlackSigningSecretParameter": "/greenlight/slack-signing-secret"}
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"
STREAM_ARN = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/mine/stream/2026-11-23T00:00:00.000"
# A table of one's own that nobody has given a stream.
NO_STREAM = {"ExistingTableName": "mine"}
BUS = {"EventBusName": "default"}

SERVICE_ARN = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{ecs.CLUSTER}/{ecs.SERVICE}"
PAUSE_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:GreenlightWait_greenlight"
# Where a call goes: what the policy has to allow it on.
ARNS = {
    "lambda": PAUSE_ARN,
    **SHARED_ARNS,
    "scheduler": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/Moments/d-1-end-0123456789abcdef",
    "events": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default",
}
SSM_ARN = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/"
# The same, of ECS: what AWS's service authorization reference has for its actions.
ECS_ARNS = {
    "ecs:ContinueServiceDeployment": [SERVICE_ARN, ecs.deployment_arn()],
    "ecs:DescribeServiceDeployments": [SERVICE_ARN, ecs.deployment_arn()],
    "ecs:DescribeServices": [SERVICE_ARN],
    "ecs:ListClusters": ["*"],
    "ecs:ListServiceDeployments": [SERVICE_ARN],
    "ecs:ListServices": ["*"],
}
# What Lambda itself does in the functions' name.
BY_LAMBDA = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "lambda:InvokeFunction",
    "sqs:SendMessage",
    "dynamodb:DescribeStream",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:ListStreams",
}
# What a call takes besides its own action.
WITH_A_CALL = {"iam:PassRole"}


def of_type(*types: str) -> dict[str, Any]:
    return {
        name: resource["Properties"]
        for name, resource in RESOURCES.items()
        if resource["Type"] in types
    }


def merged(function: str) -> dict[str, Any]:
    """A function's properties with the ones that all functions have."""
    return {**TEMPLATE["Globals"]["Function"], **RESOURCES[function]["Properties"]}


FUNCTIONS = of_type("AWS::Serverless::Function")
ROLES = {
    "HookFunction": "HookRole",
    "PauseFunction": "PauseRole",
    "FailureFunction": "FailureRole",
    "DecisionFunction": "DecisionRole",
    "ChangesFunction": "ChangesRole",
    "ClockFunction": "ClockRole",
    "OutcomeFunction": "OutcomeRole",
}
# The secrets that each function reads: the parameters that name them, and one's value there.
TO_POST = {"SlackWebhookParameter": SECRET_ARN, "SlackBotTokenParameter": BOT_ARN}
SECRETS = {
    "HookFunction": TO_POST,
    "PauseFunction": TO_POST,
    "FailureFunction": TO_POST,
    "DecisionFunction": {"SlackSigningSecretParameter": SIGNING_ARN},
    "ChangesFunction": TO_POST,
    "ClockFunction": TO_POST,
    "OutcomeFunction": {},
}
READ_SECRETS = [function for function, secrets in SECRETS.items() if secrets]
CALL_CODEDEPLOY = [one for one in ROLES if one not in ("ChangesFunction", "PauseFunction")]
CALL_ECS = [function for function in ROLES if function != "HookFunction"]
# What a stack is deployed with that has all that there is.
WHOLE = {**CLICKS, **BUS, "SlackBotTokenParameter": "/bot", "SlackChannel": CHANNEL}
# The settings of the functions that keep what people see true, in a stack that has all.
KEEPING = {
    "SCHEDULE_GROUP": "default",
    "SCHEDULE_ROLE_ARN": f"arn:aws:iam::{ACCOUNT}:role/moments",
    "CLOCK_FUNCTION_ARN": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:clock",
    "EVENT_BUS_NAME": "default",
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_has_a_log_group_and_time_for_all_its_calls(function: str) -> None:
    properties = merged(function)
    group = properties["LoggingConfig"]["LogGroup"]["Ref"]

    assert RESOURCES[group]["Type"] == "AWS::Logs::LogGroup"
    assert RESOURCES[group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
    assert RESOURCES[group]["Properties"]["LogGroupName"]["Fn::Sub"] == (
        "/aws/lambda/" + properties["FunctionName"]["Fn::Sub"]
    )
    assert properties["Timeout"] > TRY_SECONDS
    assert properties["Tracing"] == "Active"


@pytest.mark.parametrize("function", ["HookFunction", "PauseFunction"])
def test_a_hook_that_fails_three_times_or_waits_for_five_minutes_is_handed_over(
    function: str,
) -> None:
    config = FUNCTIONS[function]["EventInvokeConfig"]

    assert config["MaximumRetryAttempts"] == 2
    three_tries = 3 * merged(function)["Timeout"]
    pauses_of_lambda = 60 + 120
    assert three_tries + pauses_of_lambda <= config["MaximumEventAgeInSeconds"] <= 300
    assert config["DestinationConfig"]["OnFailure"] == {
        "Type": "Lambda",
        "Destination": {"Fn::GetAtt": ["FailureFunction", "Arn"]},
    }


def test_function_names_stay_in_lambdas_limit_for_the_longest_stack_name() -> None:
    for properties in FUNCTIONS.values():
        name = properties["FunctionName"]["Fn::Sub"].replace("${AWS::StackName}", "x" * 49)
        assert len(name) <= 64


@dataclass
class Keeper:
    """The functions that keep what people see of gates true; the time of each event is given."""

    aws: AwsStandIn
    functions: dict[str, Invoke]

    def call(self, function: str, event: Any, **place: str | None) -> None:
        """Calls a function, whether that works or not; its name is that of the template."""
        with suppress(GreenlightError):
            self.functions[function](event, **place)

    def open(self, deployment_id: str, **place: str | None) -> None:
        """Opens a gate, and follows that."""
        self.ask(deployment_id, **place)
        self.follow(**place)

    def ask(self, deployment_id: str, **place: str | None) -> None:
        """Opens a gate."""
        add_deployment(deployment_id, self.aws.client("codedeploy"), application=deployment_id)
        self.call("HookFunction", {**EVENT, "DeploymentId": deployment_id}, **place)

    def follow(self, **place: str | None) -> None:
        """Follows the changes of the table, a write a call."""
        while self.aws.changes:
            self.call("ChangesFunction", {"Records": [self.aws.changes.pop(0)]}, **place)

    def moment(
        self,
        due: str,
        deployment_id: str,
        minutes: int,
        hook_id: str = HOOK[1],
        **place: str | None,
    ) -> None:
        """Lets a moment come, so many minutes from now."""
        ids = {"deployment_id": deployment_id, "hook_execution_id": hook_id}
        with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes)):
            self.call("ClockFunction", {**load_event(f"clock/{due}"), **ids}, **place)

    def end(self, deployment_id: str) -> None:
        """Says that a deployment has ended, however."""
        self.call("OutcomeFunction", state_change(deployment_id, "SUCCESS"))

    def pause(self, deployment_id: str, **place: str | None) -> "Pause":
        """Has a deployment of ECS's wait, asks people, and follows that."""
        paused = Pause.begun(deployment_id)
        self.call("PauseFunction", paused.event("HOOK_AWAITING_ACTION"), **place)
        self.follow(**place)
        return paused


@dataclass(frozen=True)
class Pause:
    """A deployment of ECS's, by its ARN, that waits at a PAUSE hook."""

    arn: str
    hook_id: str

    @classmethod
    def begun(cls, deployment_id: str) -> "Pause":
        """A deployment that waits from now on, for an hour."""
        paused = cls(ecs.deployment_arn(deployment_id), ecs.hook_id_for(deployment_id))
        ecs.add_deployment(paused.arn)
        ecs.pause(paused.arn, paused.hook_id, minutes=60)
        return paused

    @property
    def gate_id(self) -> str:
        """The id of its gate."""
        return gate_id_of(self.arn, self.hook_id)

    def event(self, name: str) -> dict[str, Any]:
        """ECS's event of its hook."""
        return ecs.hook_event(self.arn, self.hook_id, name)


@pytest.fixture
def keeper(
    aws: AwsStandIn, environ: dict[str, str], described: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Keeper]:
    handlers = {
        "HookFunction": hook,
        "PauseFunction": pause,
        "ChangesFunction": changes,
        "ClockFunction": clock,
        "OutcomeFunction": outcome,
    }
    running = {
        name: invoking(handler, environ | KEEPING, described, monkeypatch)
        for name, handler in handlers.items()
    }
    yield Keeper(aws, {name: next(one) for name, one in running.items()})
    for one in running.values():
        assert next(one, None) is None


@pytest.fixture
def kept(
    keeper: Keeper, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> Output:
    """All that is written while gates are followed to their ends, with failures of every kind."""
    no_bot = {"SLACK_BOT_TOKEN": "xoxb-" + "revoked" * 3, "SLACK_CHANNEL": CHANNEL}
    aws.failures["CreateSchedule"] = ["ServiceQuotaExceededException"]
    aws.refused_entries.append("ThrottlingException")
    keeper.open("d-EXPIRES", SLACK_API_URL=slack.api_url, **no_bot)
    keeper.moment("reminder", "d-EXPIRES", 43)
    keeper.call("ClockFunction", {})
    slack.script += [Answer(404, "no_service")] * 4
    keeper.moment("end", "d-EXPIRES", 57)
    keeper.follow()
    slack.script.clear()
    for deployment_id in ("d-LIVE", "d-STOPPED", "d-FAILED"):
        keeper.open(deployment_id, SLACK_BOT_TOKEN=None)
    finish("d-LIVE")
    stop("d-STOPPED")
    complete_hook("d-FAILED", "Failed")
    for deployment_id in ("d-LIVE", "d-STOPPED", "d-FAILED"):
        keeper.end(deployment_id)
    begin_rollback("d-FAILED", "d-ROLLBACK", aws.client("codedeploy"), application="rollback")
    finish("d-ROLLBACK")
    keeper.end("d-ROLLBACK")
    keeper.call("OutcomeFunction", {})
    slack.posts.clear()
    return output()


@pytest.fixture
def of_pauses(
    kept: Output,  # Slack is as it was, after it
    keeper: Keeper,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> Output:
    """All that is written of pauses that are not opened, answered or read."""
    keeper.functions["FailureFunction"] = invoke_failure
    unseen = Pause.begun("e-UNSEEN")
    keeper.call("PauseFunction", SWEEP)
    aws.failures["ListClusters"] = ["AccessDeniedException"]
    keeper.call("PauseFunction", SWEEP)
    aws.failures["ContinueServiceDeployment"] = ["AccessDeniedException"]
    record = {**RECORD, "requestPayload": unseen.event("HOOK_AWAITING_ACTION")}
    keeper.call("FailureFunction", record)
    paused = keeper.pause("e-DENIED")
    ecs.answer(paused.arn, paused.hook_id)

    def deny_the_next(operation: str) -> None:
        if operation == "DescribeServiceDeployments":
            aws.after = lambda _: None
            aws.failures[operation] = ["AccessDeniedException"]

    aws.after = deny_the_next
    keeper.call("PauseFunction", paused.event("HOOK_SUCCEEDED"))
    slack.posts.clear()
    return output()


@pytest.fixture
def emitted(
    kept: Output,
    of_pauses: Output,
    invoke: Invoke,
    invoke_failure: Invoke,
    click: Clicker,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> Output:
    """All that the handlers write in a life of successes and failures of every stage."""
    aws.failures["UpdateItem"] = ["AccessDeniedException"]
    click("approve")
    aws.reports["d-LOCALTEST", "hook-local"] = "Succeeded"
    complete_hook("d-LOCALTEST", "Succeeded")
    click("reject")
    click("approve")
    click("approve", BOB, APPROVERS="U0ALICE")
    body = command_form("list", slack.response_url)
    click.call(url_event(body, signed(body)))
    for verdict in ("approve", "reject"):
        go_on("d-LOCALTEST")
        invoke({**EVENT, "LifecycleEventHookExecutionId": f"hook-{verdict}"})
        click.message = slack.messages[-1]
        click(verdict, APPROVERS="")
    slack.script.append(Answer(404, "used_url"))
    click("reject")
    click.call({"headers": {"x-slack-signature": "x", "x-slack-request-timestamp": "1"}})
    click.call({})
    with pytest.raises(GreenlightError):
        click.call({}, APPROVERS="@alice")
    aws.reports.clear()
    restart("d-LOCALTEST")
    aws.client("dynamodb").delete_item(TableName=TABLE, Key={"deployment_id": {"S": "d-LOCALTEST"}})

    def fail(call: Invoke, event: Any, **changes: str | None) -> None:
        with pytest.raises((GreenlightError, MemoryError)):
            call(event, **changes)

    with requests_mock.Mocker() as http:
        http.post(slack.webhook_url, exc=MemoryError)
        fail(invoke, {**EVENT, "DeploymentId": "d-UNKNOWN"})
    slack.script.append(Answer(404, "no_service"))
    fail(invoke, EVENT)
    invoke(EVENT)
    invoke(EVENT)
    fail(invoke, {})
    invoke_failure(RECORD)
    aws.failures["PutItem"] = ["AccessDeniedException"]
    fail(invoke, EVENT)
    unknown = {**EVENT, "DeploymentId": "d-UNSEEN"}
    add_deployment("d-UNSEEN", aws.client("codedeploy"), application="unseen")
    aws.failures["PutLifecycleEventHookExecutionStatus"] = ["AccessDeniedException"]
    fail(invoke_failure, {**RECORD, "requestPayload": unknown})
    invoke_failure({**RECORD, "requestPayload": unknown})
    add_deployment("d-OVER", aws.client("codedeploy"))
    stop("d-OVER")
    aws.failures["GetDeploymentTarget"] = ["AccessDeniedException"] * 2
    fail(invoke, {**EVENT, "DeploymentId": "d-OVER"})
    fail(invoke, EVENT, TEST_URL=None)
    return Output(kept.text + of_pauses.text + output().text)


def test_every_metric_of_an_alarm_or_a_widget_is_emitted(emitted: Output) -> None:
    service = "service=greenlight"
    found = {
        (name, *(one for one in dimensions if not one.startswith("service=")), service)
        for name, *dimensions in emitted.metrics
    }

    wanted = {*alarm_metrics(), *dashboard_metrics()}
    assert len(wanted) > 8
    assert {
        (name, *sorted(set(dimensions) - {service}), service) for name, *dimensions in wanted
    } <= found


def alarm_metrics() -> Iterator[tuple[str, ...]]:
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        if alarm["Namespace"] == "Greenlight":
            (dimension,) = alarm["Dimensions"]
            assert dimension == {"Name": "service", "Value": {"Ref": "AWS::StackName"}}
            yield alarm["MetricName"], "service=greenlight"


def dashboard() -> list[dict[str, Any]]:
    resolved = Resolved(TEMPLATE, **WHOLE)
    body = resolved.value(of_type("AWS::CloudWatch::Dashboard")["Dashboard"])
    widgets: list[dict[str, Any]] = json.loads(body["DashboardBody"])["widgets"]
    return widgets


def dashboard_metrics() -> Iterator[tuple[str, ...]]:
    for widget in dashboard():
        before: list[str] = []
        for row in widget["properties"].get("metrics", []):
            names = [one for one in row if isinstance(one, str)]
            if names[:1] == ["..."]:
                names = before[: len(before) - len(names) + 1] + names[1:]
            elif not names:
                names = before
            names = [before[n] if one == "." else one for n, one in enumerate(names)]
            before = names
            namespace, metric, *dimensions = names
            assert namespace == "Greenlight"
            pairs = zip(dimensions[::2], dimensions[1::2], strict=True)
            yield metric, *(f"{name}={value}" for name, value in pairs)


def test_alarms_on_aws_metrics_watch_resources_of_the_template() -> None:
    for name, alarm in of_type("AWS::CloudWatch::Alarm").items():
        assert len(alarm["AlarmDescription"]) > 100, f"{name} says what to do"
        (dimension,) = alarm["Dimensions"]
        value = dimension["Value"]
        target = value.get("Ref") or value["Fn::GetAtt"][0]
        assert target in RESOURCES or target == "AWS::StackName"
        assert alarm["AlarmActions"]["Fn::If"][0] == "HasAlarmTopic"


def test_the_function_of_pauses_is_watched_as_the_hook_is() -> None:
    watched: dict[str, set[str]] = {}
    for alarm in of_type("AWS::CloudWatch::Alarm").values():
        if alarm["Namespace"] == "AWS/Lambda":
            (dimension,) = alarm["Dimensions"]
            watched.setdefault(dimension["Value"]["Ref"], set()).add(alarm["MetricName"])

    assert watched["PauseFunction"] == watched["HookFunction"]
    assert {"Errors", "Throttles", "Duration"} < watched["HookFunction"]


def queries() -> list[str]:
    saved = [query["QueryString"] for query in of_type("AWS::Logs::QueryDefinition").values()]
    return saved + [
        widget["properties"]["query"] for widget in dashboard() if widget["type"] == "log"
    ]


def test_every_log_field_and_message_of_a_query_is_emitted(emitted: Output) -> None:
    assert len(queries()) == 5
    keys = {key for line in emitted.lines for key in line}
    messages = {line["message"] for line in emitted.lines if isinstance(line["message"], str)}
    for query in queries():
        for fields in re.findall(r"fields ([^|]+)", query):
            named = {name.strip() for name in fields.split(",")} - {"@timestamp"}
            assert named <= keys, query
        for listed in re.findall(r"message in \[([^\]]+)\]", query):
            assert set(json.loads(f"[{listed}]")) <= messages
        for listed in re.findall(r"level in \[([^\]]+)\]", query):
            assert set(json.loads(f"[{listed}]")) <= {"ERROR", "WARNING"}


def in_region(region: str, partition: str = "aws") -> Resolved:
    """The template as it is deployed in a region."""
    return Resolved(TEMPLATE, **{"AWS::Region": region, "AWS::Partition": partition})


def test_dashboards_of_two_regions_have_two_names() -> None:
    # CloudWatch's dashboards are global to an account.
    seoul, tokyo = (
        in_region(region).value(of_type("AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardName"])
        for region in ("ap-northeast-2", "ap-northeast-1")
    )

    assert seoul != tokyo


@pytest.mark.parametrize(
    ("region", "partition"),
    [("ap-northeast-2", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_the_dashboard_is_at_the_console_that_messages_link_to(region: str, partition: str) -> None:
    url = in_region(region, partition).value(TEMPLATE["Outputs"]["DashboardUrl"]["Value"])

    client = boto3.client("codedeploy", region, aws_access_key_id="x", aws_secret_access_key="x")
    pointers = CodeDeploy(client).pointers(Hook("d-1", "h"), "gates")
    assert urlsplit(url).hostname == urlsplit(pointers.console_url).hostname


@pytest.fixture
def called(
    keeper: Keeper,
    invoke_failure: Invoke,
    invoke_decision: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> dict[str, set[str]]:
    """The actions that each function needs, over all that it can meet with."""
    needed: dict[str, set[str]] = {function: set() for function in FUNCTIONS}

    def noting(function: str, call: Invoke) -> Invoke:
        def run(event: Any, **place: str | None) -> dict[str, Any]:
            aws.actions.clear()
            try:
                return call(event, **place)
            finally:
                needed[function] |= aws.actions

        return run

    keeper.functions |= {"FailureFunction": invoke_failure, "DecisionFunction": invoke_decision}
    keeper.functions = {name: noting(name, call) for name, call in keeper.functions.items()}
    secrets = {"SLACK_WEBHOOK_URL": slack.webhook_url, "SLACK_SIGNING_SECRET": SIGNING_SECRET}
    for name, value in secrets.items():
        aws.client("ssm").put_parameter(Name=f"/{name}", Value=value, Type="SecureString")
    arn = aws.client("secretsmanager").create_secret(
        Name="slack", SecretString=json.dumps(secrets)
    )["ARN"]
    for number, place in enumerate(
        ({name: f"/{name}" for name in secrets}, dict.fromkeys(secrets, arn))
    ):
        live_through(keeper, slack, f"d-{number}", place)
        live_through_pauses(keeper, slack, f"e-{number}", place)
    return needed


def live_through(keeper: Keeper, slack: SlackStandIn, start: str, place: dict[str, str]) -> None:
    """Has each function do all that it does, with gates whose names begin alike."""
    aws = keeper.aws

    def event(name: str) -> dict[str, str]:
        return {**EVENT, "DeploymentId": start + name}

    slack.script.append(Answer(404, "no_service"))
    keeper.open(start + "OPENED", **place)
    keeper.call("HookFunction", event("OPENED"))
    go_on(start + "OPENED")
    keeper.call("HookFunction", {**event("OPENED"), "LifecycleEventHookExecutionId": "hook-2"})

    add_deployment(start + "FAILED", aws.client("codedeploy"), application=start)
    key = {"deployment_id": {"S": start + "FAILED"}}
    aws.client("dynamodb").put_item(TableName=TABLE, Item=key)  # another tool's
    keeper.call("FailureFunction", {**RECORD, "requestPayload": event("FAILED")})
    aws.client("dynamodb").delete_item(TableName=TABLE, Key=key)
    keeper.call("FailureFunction", {**RECORD, "requestPayload": event("FAILED")})

    def answer_elsewhere(name: str) -> None:
        aws.client("codedeploy").put_lifecycle_event_hook_execution_status(
            deploymentId=start + name,
            lifecycleEventHookExecutionId=EVENT["LifecycleEventHookExecutionId"],
            status="Failed",
        )

    keeper.open(start + "CLICKED")
    answer_elsewhere("CLICKED")
    clicker = Clicker(keeper.functions["DecisionFunction"], slack, slack.messages[-1])
    clicker.call(clicker.event("approve"))
    for text in ("list", f"show {start}CLICKED"):
        body = command_form(text, slack.response_url)
        keeper.call("DecisionFunction", url_event(body, signed(body)))

    keeper.open(start + "EXPIRED")
    keeper.moment("reminder", start + "EXPIRED", 43)
    answer_elsewhere("EXPIRED")
    keeper.moment("end", start + "EXPIRED", 57)

    keeper.ask(start + "SOON")
    stop(start + "SOON")
    keeper.follow()

    keeper.open(start + "ENDED")
    answer_elsewhere("ENDED")
    keeper.end(start + "ENDED")
    keeper.follow()


def live_through_pauses(
    keeper: Keeper, slack: SlackStandIn, start: str, place: dict[str, str]
) -> None:
    """The same, with deployments of ECS's own."""
    aws = keeper.aws

    slack.script.append(Answer(404, "no_service"))
    opened = keeper.pause(start + "OPENED", **place)
    keeper.call("PauseFunction", opened.event("HOOK_AWAITING_ACTION"))
    ecs.answer(opened.arn, opened.hook_id)
    keeper.call("PauseFunction", opened.event("HOOK_SUCCEEDED"))

    taken = Pause.begun(start + "TAKEN")
    key = {"deployment_id": {"S": taken.gate_id}}
    aws.client("dynamodb").put_item(TableName=TABLE, Item=key)  # another tool's
    keeper.call("PauseFunction", taken.event("HOOK_AWAITING_ACTION"))

    failed = Pause.begun(start + "FAILED")
    record = {**RECORD, "requestPayload": failed.event("HOOK_AWAITING_ACTION")}
    keeper.call("FailureFunction", record, PAUSE_FAILURE="leave")
    keeper.call("FailureFunction", record, PAUSE_FAILURE="rollback")
    keeper.follow()

    clicked = keeper.pause(start + "CLICKED")
    ecs.answer(clicked.arn, clicked.hook_id, "ROLLBACK")
    clicker = Clicker(keeper.functions["DecisionFunction"], slack, slack.messages[-1])
    clicker.call(clicker.event("approve"))

    expired = keeper.pause(start + "EXPIRED")
    keeper.moment("watch", expired.gate_id, 5, expired.hook_id)
    keeper.moment("end", expired.gate_id, 61, expired.hook_id)

    ended = keeper.pause(start + "ENDED")
    ecs.finish(ended.arn)
    keeper.call("OutcomeFunction", ecs.state_change(ended.arn, "SERVICE_DEPLOYMENT_COMPLETED"))
    keeper.follow()

    Pause.begun(start + "UNSEEN")
    keeper.call("PauseFunction", SWEEP)


def policies(function: str, **parameters: str) -> list[dict[str, Any]]:
    role = Resolved(TEMPLATE, **parameters).value(RESOURCES[ROLES[function]]["Properties"])
    assert "ManagedPolicyArns" not in role
    return [policy["PolicyDocument"] for policy in role["Policies"]]


def listed(one_or_more: Any) -> list[str]:
    """What a policy has as one text or as a list of them."""
    return [one_or_more] if isinstance(one_or_more, str) else list(one_or_more)


def may(function: str, action: str, resource: str, **parameters: str) -> bool:
    return any(
        IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)
        is PermissionResult.PERMITTED
        for policy in policies(function, **parameters)
    )


def places(function: str) -> Iterator[dict[str, str]]:
    """The parameters that say where a function's secrets are: in SSM, and in Secrets Manager."""
    yield {in_ssm: f"/{in_ssm}" for in_ssm in SECRETS[function]}
    yield {in_ssm_not(in_ssm): arn for in_ssm, arn in SECRETS[function].items()}


def in_ssm_not(parameter: str) -> str:
    """The parameter for a secret in Secrets Manager, of that for the same one in SSM."""
    return parameter.removesuffix("Parameter").removesuffix("Secret") + "SecretArn"


def resources(function: str, action: str) -> list[str]:
    """What a function's call goes to."""
    service = action.partition(":")[0]
    if action == "dynamodb:Query":
        return [f"{ARNS['dynamodb']}/index/{STATUS_INDEX}"]
    if service == "ecs":
        return ECS_ARNS[action]
    named = {
        "ssm": [SSM_ARN + in_ssm for in_ssm in SECRETS[function]],
        "secretsmanager": list(SECRETS[function].values()),
    }
    return ["*"] if action in ON_NO_RESOURCE else named.get(service) or [ARNS[service]]


def test_every_call_is_permitted_and_every_permission_is_needed(
    called: dict[str, set[str]],
) -> None:
    for function, actions in called.items():
        assert actions, function
        granted = set()
        permitted = set()
        for place in places(function):
            for policy in policies(function, **BUS, **place):
                for statement in policy["Statement"]:
                    granted |= set(listed(statement["Action"]))
            permitted |= {
                action
                for action in actions
                if all(
                    may(function, action, one, **BUS, **place)
                    for one in resources(function, action)
                )
            }
        assert permitted == actions, function
        assert granted - (BY_LAMBDA - actions) - WITH_A_CALL == actions, function


def test_the_package_describes_what_is_called_and_nothing_else(called: dict[str, set[str]]) -> None:
    described = {
        f"{service}:{ACTIONS.get(one, one)}"
        for service, names in OPERATIONS.items()
        for one in names
    }

    assert described == set().union(*called.values())


@pytest.mark.parametrize("function", CALL_CODEDEPLOY)
def test_what_happened_at_codedeploy_can_be_read_whatever_the_groups(function: str) -> None:
    for action in ON_NO_RESOURCE:
        assert may(function, action, "*", DeploymentGroups="shop/*")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_else_is_permitted(function: str) -> None:
    other_table = ARNS["dynamodb"].replace("Table", "other")

    assert not may(function, "dynamodb:UpdateItem", other_table, **WHOLE)
    assert not may(function, "dynamodb:DeleteItem", ARNS["dynamodb"], **WHOLE)
    assert not may(function, "ssm:GetParameter", SSM_ARN + "secret", **WHOLE)
    for arn in (SECRET_ARN, SIGNING_ARN, BOT_ARN):
        assert not may(function, "secretsmanager:GetSecretValue", arn, **WHOLE)
    assert not may(function, "kms:Decrypt", KEY_ARN, **WHOLE)
    for other in (ARNS["dynamodb"], f"{ARNS['dynamodb']}/index/other"):
        assert not may(function, "dynamodb:Query", other, **WHOLE)
    assert not may(function, "dynamodb:Scan", ARNS["dynamodb"], **WHOLE)
    assert not may(function, "events:PutEvents", ARNS["events"]), "no bus is named"
    assert not may(function, "events:PutEvents", ARNS["events"] + "2", **WHOLE)
    assert not may(function, "scheduler:CreateSchedule", ARNS["scheduler"].replace("Mom", "m"))
    assert not may(function, "scheduler:DeleteSchedule", ARNS["scheduler"])
    assert not may(function, "iam:PassRole", f"arn:{ROLES[function]}")


@pytest.mark.parametrize("function", CALL_CODEDEPLOY)
def test_the_deployment_groups_narrow_what_is_permitted(function: str) -> None:
    other_group = ARNS["codedeploy"].replace("shop/", "other/")
    shop = {"DeploymentGroups": "shop/*"}

    assert may(function, "codedeploy:GetDeployment", other_group)
    assert not may(function, "codedeploy:GetDeployment", other_group, **shop)
    assert may(function, "codedeploy:GetDeployment", ARNS["codedeploy"], **shop)


@pytest.mark.parametrize("function", CALL_ECS)
def test_the_services_narrow_what_is_permitted(function: str) -> None:
    production = {"EcsServices": f"{ecs.CLUSTER}/*"}
    action = "ecs:DescribeServiceDeployments"

    for arn in ECS_ARNS[action]:
        other = arn.replace(f"/{ecs.CLUSTER}/", "/staging/")
        assert may(function, action, other)
        assert may(function, action, arn, **production)
        assert not may(function, action, other, **production)
    for beyond in ("ecs:StopServiceDeployment", "ecs:UpdateService", "ecs:DescribeClusters"):
        assert not may(function, beyond, SERVICE_ARN, **WHOLE), beyond


def matches(pattern: Any, event: Any) -> bool:
    """Whether EventBridge takes an event for one of a pattern, as far as ours go."""
    if isinstance(pattern, dict):
        return all(name in event and matches(one, event[name]) for name, one in pattern.items())
    return any(
        fnmatchcase(value, one["wildcard"]) if isinstance(one, dict) else one == value
        for one in pattern
        for value in listed(event)
    )


def rule(name: str, **parameters: str) -> Any:
    """What a rule asks for, in the region of AWS's own samples."""
    resolved = Resolved(TEMPLATE, **{"AWS::Region": "us-west-2", **parameters})
    return resolved.value(RESOURCES[name]["Properties"]["EventPattern"])


@pytest.mark.parametrize("services", ["*", "*/*", "my-cluster/*", "*/my-service", "my-*/my-*"])
def test_pauses_are_heard_of(services: str) -> None:
    pattern = rule("PauseChanges", EcsServices=services)
    event = load_event("pause/awaiting_action")

    assert matches(pattern, event)
    assert matches(pattern, load_event("pause/continued"))
    without_resources = {name: one for name, one in event.items() if name != "resources"}
    assert matches(pattern, without_resources), "not every documented sample has them"
    for name in ("HOOK_FAILED", "HOOK_TIMED_OUT"):
        assert matches(pattern, {**event, "detail": {**event["detail"], "eventName": name}})


@pytest.mark.parametrize(
    "changes",
    [
        {"hookType": "AWS_LAMBDA"},
        {"eventName": "HOOK_IN_PROGRESS"},
        {"serviceArn": "arn:aws:ecs:us-west-2:123456789012:service/staging/my-service"},
        {"serviceArn": "arn:aws:ecs:us-west-2:123456789012:service/my-cluster/yours"},
    ],
    ids=str,
)
def test_what_is_no_pause_of_ours_is_not_heard_of(changes: dict[str, str]) -> None:
    event = load_event("pause/awaiting_action")

    other = {**event, "detail": {**event["detail"], **changes}}
    assert not matches(rule("PauseChanges", EcsServices="my-cluster/my-*"), other)


def test_ends_are_heard_of_the_services_whose_pauses_are() -> None:
    paused = Pause.begun("ended")
    for services in ("*", f"{ecs.CLUSTER}/*", f"{ecs.CLUSTER}/{ecs.SERVICE}"):
        pattern = rule("ServiceDeploymentEnds", EcsServices=services, **{"AWS::Region": REGION})

        for name in ecs.STATES:
            event = ecs.state_change(paused.arn, name)
            assert matches(pattern, event) is (name != ecs.BEGUN)
        assert not matches(
            rule("ServiceDeploymentEnds", EcsServices="staging/*", **{"AWS::Region": REGION}), event
        )


def test_each_hour_pauses_are_looked_for_that_no_event_told_of() -> None:
    sweep = RESOURCES["PauseSweep"]["Properties"]

    assert sweep["ScheduleExpression"] == "rate(1 hour)"
    (target,) = sweep["Targets"]
    assert json.loads(target["Input"]) == SWEEP


def test_every_rule_may_call_its_function() -> None:
    permitted = {
        (one["SourceArn"]["Fn::GetAtt"][0], one["FunctionName"]["Ref"])
        for one in of_type("AWS::Lambda::Permission").values()
        if one["Principal"] == "events.amazonaws.com"
    }

    rules = of_type("AWS::Events::Rule")
    assert permitted == {
        (name, target["Arn"]["Fn::GetAtt"][0])
        for name, one in rules.items()
        for target in one["Targets"]
    }
    assert len(permitted) == len(rules) == 4


def test_who_answers_ecs() -> None:
    action = "ecs:ContinueServiceDeployment"

    for arn in ECS_ARNS[action]:
        may_answer = {one for one in FUNCTIONS if may(one, action, arn)}
        assert may_answer == {"DecisionFunction", "FailureFunction", "ClockFunction"}


def test_a_function_calls_itself_or_hands_over_and_nothing_else() -> None:
    called = {
        (function, resource)
        for function in FUNCTIONS
        for policy in policies(function, **WHOLE)
        for statement in policy["Statement"]
        if "lambda:InvokeFunction" in statement["Action"]
        for resource in listed(statement["Resource"])
    }

    assert called == {
        ("HookFunction", "arn:FailureFunction"),
        ("PauseFunction", "arn:FailureFunction"),
        ("PauseFunction", PAUSE_ARN),
    }
    name = Resolved(TEMPLATE).value(FUNCTIONS["PauseFunction"]["FunctionName"])
    assert PAUSE_ARN.endswith(f":function:{name}"), "by its name: it is made after its role"


def test_where_no_service_is_served_nothing_is_made_for_ecs() -> None:
    resolved = Resolved(TEMPLATE, **{**WHOLE, "EcsServices": ""})
    made = {
        name: resolved.value(one["Properties"])
        for name, one in RESOURCES.items()
        if ("Condition" not in one or resolved.holds(one["Condition"]))
        and one["Type"] != "AWS::CloudWatch::Alarm"
    }

    assert not [name for name in made if "Pause" in name or name.startswith("Service")]
    text = json.dumps(made)
    for of_ecs in ('"ecs:', "aws.ecs", ":ecs:", "Pause", "HookFound", '\\"ecs\\"'):
        assert of_ecs not in text, of_ecs
    assert len(made) > 25


def test_ends_are_heard_of_the_deployments_that_may_be_described() -> None:
    for groups in ("*", "shop/*", "shop/shop-blue-green"):
        pattern = rule("DeploymentEnds", DeploymentGroups=groups, **{"AWS::Region": REGION})
        event = load_event("outcome/documented_example")

        assert event["source"] in pattern["source"]
        assert event["detail-type"] in pattern["detail-type"]
        assert pattern["detail"] == {"state": ["SUCCESS", "FAILURE", "STOP"]}
        (matched,) = pattern["resources"]
        (described,) = [
            one["Resource"]
            for policy in policies("OutcomeFunction", DeploymentGroups=groups)
            for one in policy["Statement"]
            if one["Action"] == "codedeploy:GetDeployment"
        ]
        assert matched == {"wildcard": described}
        kind = described.rpartition(":")[0].split(":")[-1]
        assert any(f":{kind}:" in one for one in event["resources"])


def test_who_tells_codedeploy() -> None:
    action = "codedeploy:PutLifecycleEventHookExecutionStatus"

    may_answer = {one for one in FUNCTIONS if may(one, action, ARNS["codedeploy"])}
    assert may_answer == {"DecisionFunction", "FailureFunction", "ClockFunction"}


@pytest.mark.parametrize("function", READ_SECRETS)
def test_a_key_of_ones_own_may_be_used(function: str) -> None:
    assert may(function, "kms:Decrypt", KEY_ARN, SlackWebhookKeyArn=KEY_ARN)


@pytest.mark.parametrize("function", [one for one in SECRETS if SECRETS[one] is TO_POST])
def test_only_the_secrets_that_parameters_name_may_be_read(function: str) -> None:
    for parameters, named in (
        ({}, {"ReadWebhook"}),
        (WHOLE, {"ReadWebhook", "ReadBotToken"}),
        ({**WHOLE, "SlackWebhookParameter": ""}, {"ReadBotToken"}),
    ):
        (policy,) = policies(function, **parameters)
        known = {"ReadWebhook", "ReadBotToken"}
        assert {one["Sid"] for one in policy["Statement"]} & known == named


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_existing_table_can_be_named(function: str) -> None:
    mine = ARNS["dynamodb"].replace("Table", "mine")

    assert may(function, "dynamodb:UpdateItem", mine, ExistingTableName="mine")
    assert not may(function, "dynamodb:UpdateItem", ARNS["dynamodb"], ExistingTableName="mine")


def test_the_decision_function_may_list_what_waits_and_nobody_else() -> None:
    for table, parameters in (("Table", {}), ("mine", {"ExistingTableName": "mine"})):
        index = f"{ARNS['dynamodb'].replace('Table', table)}/index/{STATUS_INDEX}"
        listing = {one for one in FUNCTIONS if may(one, "dynamodb:Query", index, **parameters)}
        assert listing == {"DecisionFunction"}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_key_of_an_existing_table_may_be_used_through_dynamodb_only(function: str) -> None:
    mine = {"ExistingTableName": "mine", "ExistingTableKeyArn": KEY_ARN}

    # What DynamoDB's developer guide asks for; CreateGrant is for who gives the table its key.
    for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom"):
        assert may(function, f"kms:{action}", KEY_ARN, **mine), action
        assert not may(function, f"kms:{action}", KEY_ARN, ExistingTableName="mine")
        assert not may(function, f"kms:{action}", KEY_ARN + "5", **mine)
    assert not may(function, "kms:CreateGrant", KEY_ARN, **mine)
    (policy,) = policies(function, **mine)
    (statement,) = [one for one in policy["Statement"] if one["Sid"] == "UseTableKey"]
    assert statement["Condition"] == {
        "StringLike": {"kms:ViaService": f"dynamodb.{REGION}.amazonaws.*"}
    }


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_wildcard_is_a_known_one(function: str) -> None:
    wildcards = {
        (statement["Sid"], resource)
        for policy in policies(function, **WHOLE)
        for statement in policy["Statement"]
        for resource in listed(statement["Resource"])
        if "*" in resource + json.dumps(statement["Action"])
    }

    on_groups = {
        "HookFunction": "DescribeDeployments",
        "FailureFunction": "FailHooks",
        "DecisionFunction": "AnswerHooks",
        "ChangesFunction": "DescribeDeployments",
        "ClockFunction": "EndHooks",
        "OutcomeFunction": "DescribeDeployments",
    }
    on_services = {
        "PauseFunction": "DescribeServiceDeployments",
        "FailureFunction": "AnswerPauses",
        "DecisionFunction": "AnswerPauses",
        "ChangesFunction": "DescribeServiceDeployments",
        "ClockFunction": "AnswerPauses",
        "OutcomeFunction": "FindServiceDeployments",
    }
    every_group = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:*"
    every_service = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/*"
    every_service_deployment = f"arn:aws:ecs:{REGION}:{ACCOUNT}:service-deployment/*/*"
    known = {("WriteTraces", "*")}
    if function in on_groups:
        known |= {(on_groups[function], every_group), ("ReadLifecycleEvents", "*")}
    if function in on_services:
        known |= {(on_services[function], every_service)}
        known |= {(on_services[function], every_service_deployment)}
    if function == "PauseFunction":
        known |= {("DescribeServices", every_service), ("ListServices", "*")}
    if function == "ChangesFunction":
        every_moment = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/Moments/*"
        known |= {("SetMoments", every_moment), ("ListStreams", "*")}
    assert wildcards == known


# ── What is followed, and when what is due is done


def test_moments_call_the_clock_and_nothing_else() -> None:
    role = Resolved(TEMPLATE).value(RESOURCES["MomentsRole"]["Properties"])

    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "scheduler.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
    ]
    ((statement,),) = [policy["PolicyDocument"]["Statement"] for policy in role["Policies"]]
    assert (statement["Action"], statement["Resource"]) == (
        "lambda:InvokeFunction",
        "arn:ClockFunction",
    )


def test_only_that_role_is_passed_and_only_to_scheduler() -> None:
    passed = [
        (function, statement["Resource"], statement["Condition"])
        for function in FUNCTIONS
        for policy in policies(function, **WHOLE)
        for statement in policy["Statement"]
        if "iam:PassRole" in statement["Action"]
    ]

    condition = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    assert passed == [("ChangesFunction", "arn:MomentsRole", condition)]


@pytest.mark.parametrize("function", ["ClockFunction", "OutcomeFunction"])
def test_what_is_due_is_tried_again_and_kept_if_it_fails(function: str) -> None:
    config = FUNCTIONS[function]["EventInvokeConfig"]

    assert config["MaximumRetryAttempts"] == 2
    assert config["DestinationConfig"]["OnFailure"] == {
        "Type": "SQS",
        "Destination": {"Fn::GetAtt": ["DeadLetters", "Arn"]},
    }


def test_every_write_is_followed_by_itself_for_an_hour_and_kept_if_that_fails() -> None:
    mapping = Resolved(TEMPLATE).value(RESOURCES["Changes"]["Properties"])

    assert mapping["EventSourceArn"] == "Table.StreamArn"
    assert mapping["BatchSize"] == 1
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert "MaximumRetryAttempts" not in mapping, "time ends it, and not how often it was tried"
    assert mapping["MaximumRecordAgeInSeconds"] == 3600
    (pattern,) = [json.loads(one["Pattern"]) for one in mapping["FilterCriteria"]["Filters"]]
    assert pattern == {"eventName": ["INSERT", "MODIFY"]}
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == "arn:DeadLetters"


def test_the_stream_has_what_a_gate_was_like_before() -> None:
    table = RESOURCES["Table"]["Properties"]

    assert table["StreamSpecification"] == {"StreamViewType": "NEW_AND_OLD_IMAGES"}


def test_the_stream_of_an_existing_table_is_followed() -> None:
    mine = {"ExistingTableName": "mine", "ExistingTableStreamArn": STREAM_ARN}
    mapping = Resolved(TEMPLATE, **mine).value(RESOURCES["Changes"]["Properties"])

    assert mapping["EventSourceArn"] == STREAM_ARN
    assert may("ChangesFunction", "dynamodb:GetRecords", STREAM_ARN, **mine)
    assert not may("ChangesFunction", "dynamodb:GetRecords", STREAM_ARN)


def test_without_a_stream_nothing_is_followed_and_no_gate_has_an_end_of_our_own() -> None:
    only_with_a_stream = {
        name for name, one in RESOURCES.items() if one.get("Condition") == "Follows"
    }
    hook_of = RESOURCES["HookFunction"]["Properties"]["Environment"]["Variables"]

    assert {"ChangesFunction", "Changes", "ClockFunction", "Moments"} <= only_with_a_stream
    for parameters, follows in (
        ({}, True),
        (NO_STREAM, False),
        ({**NO_STREAM, "ExistingTableStreamArn": STREAM_ARN}, True),
        ({"ExistingTableStreamArn": STREAM_ARN}, True),
    ):
        resolved = Resolved(TEMPLATE, **parameters)
        assert resolved.holds("Follows") is follows
        assert bool(resolved.value(hook_of)["SCHEDULE_GROUP"]) is follows
    assert (
        Resolved(TEMPLATE, ExistingTableStreamArn=STREAM_ARN).value(
            RESOURCES["Changes"]["Properties"]["EventSourceArn"]
        )
        == "Table.StreamArn"
    ), "the stack's own table is the one that is written to"


# ── What the functions are told, and what a stack cannot be deployed with


@pytest.mark.parametrize(
    ("parameters", "refused"),
    [
        ({}, ""),
        ({"SlackWebhookParameter": ""}, "the bot token"),
        ({"SlackWebhookParameter": "", "SlackWebhookSecretArn": SECRET_ARN}, ""),
        ({"SlackBotTokenParameter": "/bot"}, "SlackChannel"),
        ({"SlackBotTokenSecretArn": BOT_ARN}, "SlackChannel"),
        ({"SlackBotTokenParameter": "/bot", "SlackChannel": CHANNEL}, ""),
        ({**WHOLE, "SlackWebhookParameter": ""}, ""),
    ],
)
def test_without_a_way_to_post_nothing_is_deployed(
    parameters: dict[str, str], refused: str
) -> None:
    resolved = Resolved(TEMPLATE, TestUrl="https://green.example.com", **parameters)
    variables = resolved.value(TEMPLATE["Globals"]["Function"]["Environment"])["Variables"]

    if refused:
        (said,) = resolved.refusals()
        assert refused in said
        with pytest.raises(SettingsError):
            load_settings({"AWS_REGION": REGION, **variables})
    else:
        assert resolved.refusals() == []
        load_settings({"AWS_REGION": REGION, **variables})


# What a stack of the version before has, and the names that it is known by.
BEFORE = {
    "HookFunction": "CodeDeployHook_${AWS::StackName}",
    "FailureFunction": "GreenlightFail_${AWS::StackName}",
    "DecisionFunction": "GreenlightGate_${AWS::StackName}",
    "DecisionFunctionUrl": None,
    "DecisionFunctionUrlPublicPermissions": None,
    "DecisionFunctionURLInvokeAllowPublicAccess": None,
    "DeadLetters": None,
    "Table": None,
}


def test_a_stack_of_the_version_before_keeps_its_functions_its_url_and_its_table() -> None:
    for name, called in BEFORE.items():
        properties = RESOURCES[name]["Properties"]
        names = [one for one in properties if one.endswith("Name") and one != "FunctionName"]
        assert not names, "a name of our own would make another"
        if called:
            assert properties["FunctionName"] == {"Fn::Sub": called}
    table = RESOURCES["Table"]
    assert table["Properties"]["KeySchema"] == [
        {"AttributeName": "deployment_id", "KeyType": "HASH"}
    ]
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_a_stack_that_names_nothing_new_posts_as_before() -> None:
    new = ("SlackBotToken", "SlackChannel", "DecideWithin", "EventBus", "ExistingTableStream")
    for name, parameter in TEMPLATE["Parameters"].items():
        if name.startswith(new):
            assert parameter["Default"] == "", name
    resolved = Resolved(TEMPLATE)
    assert not resolved.holds("HasBot")
    assert not resolved.holds("HasBus")
    assert resolved.holds("HasWebhook")


def test_the_environment_has_every_setting_and_no_secret() -> None:
    def variables(**parameters: str) -> Any:
        environment = TEMPLATE["Globals"]["Function"]["Environment"]
        return Resolved(TEMPLATE, **parameters).value(environment)["Variables"]

    assert variables()["SLACK_WEBHOOK_URL"] == "/greenlight/slack-webhook"
    assert variables(SlackWebhookSecretArn=SECRET_ARN)["SLACK_WEBHOOK_URL"] == SECRET_ARN
    assert variables()["SLACK_SIGNING_SECRET"] == ""
    assert variables(**CLICKS)["SLACK_SIGNING_SECRET"] == "/greenlight/slack-signing-secret"
    assert variables(SlackSigningSecretArn=SIGNING_ARN)["SLACK_SIGNING_SECRET"] == SIGNING_ARN
    assert variables()["SLACK_COMMAND"] == ""
    assert variables(SlackCommand="/greenlight")["SLACK_COMMAND"] == "/greenlight"
    assert variables()["SLACK_BOT_TOKEN"] == ""
    assert variables(**WHOLE)["SLACK_BOT_TOKEN"] == "/bot"
    assert variables(**WHOLE)["SLACK_CHANNEL"] == CHANNEL
    assert variables(SlackBotTokenSecretArn=BOT_ARN)["SLACK_BOT_TOKEN"] == BOT_ARN


def test_what_is_asked_of_pauses_is_told_to_whom_it_concerns() -> None:
    def variables(function: str, **parameters: str) -> Any:
        environment = RESOURCES[function]["Properties"]["Environment"]
        return Resolved(TEMPLATE, **parameters).value(environment)["Variables"]

    assert variables("PauseFunction")["ECS_SERVICES"] == "*"
    assert variables("PauseFunction", EcsServices="shop/*")["ECS_SERVICES"] == "shop/*"
    assert variables("FailureFunction")["PAUSE_FAILURE"] == "rollback"
    assert variables("FailureFunction", PauseFailure="leave")["PAUSE_FAILURE"] == "leave"
    shared = ("SCHEDULE_GROUP", "DECIDE_WITHIN_MINUTES")
    for parameters in ({"DecideWithinMinutes": "30"}, NO_STREAM):
        one, *others = (
            [variables(function, **parameters)[name] for name in shared]
            for function in ("HookFunction", "PauseFunction", "FailureFunction")
        )
        assert others == [one, one]


def test_without_a_signing_secret_nothing_is_open_to_the_internet() -> None:
    doors = [
        one
        for one in RESOURCES.values()
        if one["Type"] == "AWS::Lambda::Url" or one["Properties"].get("Principal") == "*"
    ]
    assert {one["Type"] for one in doors} == {"AWS::Lambda::Url", "AWS::Lambda::Permission"}
    for door in doors:
        to = door["Properties"].get("FunctionName") or door["Properties"]["TargetFunctionArn"]
        assert (door["Condition"], to) == ("TakesClicks", {"Ref": "DecisionFunction"})
    assert RESOURCES["DecisionFunction"]["Condition"] == "TakesClicks"
    for function in FUNCTIONS.values():
        assert not {"FunctionUrlConfig", "Events"} & function.keys(), "SAM would ask about it"
    for parameters, takes_clicks in (
        ({}, False),
        (CLICKS, True),
        ({"SlackSigningSecretArn": SIGNING_ARN}, True),
    ):
        said = {"Fn::If": ["TakesClicks", "yes", "no"]}
        assert Resolved(TEMPLATE, **parameters).value(said) == ("yes" if takes_clicks else "no")


def test_the_index_of_the_table_is_the_one_that_is_listed_by() -> None:
    (index,) = RESOURCES["Table"]["Properties"]["GlobalSecondaryIndexes"]

    assert index["IndexName"] == STATUS_INDEX
    assert [key["AttributeName"] for key in index["KeySchema"]] == ["status", "deadline"]
    assert index["Projection"] == {"ProjectionType": "ALL"}


def test_the_slack_app_has_a_webhook_and_buttons() -> None:
    app = yaml.safe_load((ROOT / "slack-app.yaml").read_text(encoding="utf-8"))

    assert app["oauth_config"]["scopes"]["bot"] == ["incoming-webhook", "chat:write", "commands"]
    assert app["settings"]["interactivity"]["is_enabled"] is True
    assert app["settings"]["interactivity"]["request_url"].startswith("https://")
    (command,) = app["features"]["slash_commands"]
    assert re.fullmatch(
        TEMPLATE["Parameters"]["SlackCommand"]["AllowedPattern"], command["command"]
    )
    assert command["url"] == app["settings"]["interactivity"]["request_url"], "one function"
    assert command["should_escape"] is False, "a reason keeps its text"
    assert {*re.findall(r"\w+", command["usage_hint"])} >= {"approve", "reject", "show", "list"}
