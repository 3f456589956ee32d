"""The template and the code agree: metrics, log fields, time and permissions."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests_mock
from moto.iam.access_control import IAMPolicy, PermissionResult

from greenlight.errors import GreenlightError
from greenlight.network import TRY_SECONDS
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.codedeploy import add_deployment
from stand_ins.slack import Answer, SlackStandIn
from tests.conftest import load_event
from tests.functional.conftest import Invoke, Output
from tests.template import ACCOUNT, REGION, Resolved, load_template

ROOT = Path(__file__).parents[2]
TEMPLATE = load_template(ROOT / "template.yaml")
RESOURCES = TEMPLATE["Resources"]
EVENT = load_event("documented_example")
RECORD = load_event("on_failure_record")
SECRET_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:slack-AbCdEf"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"

# Where a call goes: what the policy has to allow it on.
ARNS = {
    "dynamodb": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Table",
    "codedeploy": f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:shop/shop-blue-green",
    "ssm": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/greenlight/slack-webhook",
    "secretsmanager": SECRET_ARN,
}
# What Lambda itself does in the functions' name.
BY_LAMBDA = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "lambda:InvokeFunction",
    "sqs:SendMessage",
}


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
ROLES = {"HookFunction": "HookRole", "FailureFunction": "FailureRole"}


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


def test_a_failed_hook_is_handed_over_well_within_codedeploys_hour() -> None:
    config = FUNCTIONS["HookFunction"]["EventInvokeConfig"]

    assert config["MaximumRetryAttempts"] == 2
    assert config["MaximumEventAgeInSeconds"] < 3600
    assert config["DestinationConfig"]["OnFailure"] == {
        "Type": "Lambda",
        "Destination": {"Fn::GetAtt": ["FailureFunction", "Arn"]},
    }


def test_function_names_stay_in_lambdas_limit_for_the_longest_stack_name() -> None:
    for properties in FUNCTIONS.values():
        name = properties["FunctionName"]["Fn::Sub"].replace("${AWS::StackName}", "x" * 49)
        assert len(name) <= 64


@pytest.fixture
def emitted(
    invoke: Invoke,
    invoke_failure: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> Output:
    """All that the handlers write in a life of successes and failures of every stage."""
    add_deployment("d-LOCALTEST", aws.client("codedeploy"))

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
    aws.failures["UpdateItem"] = ["AccessDeniedException"]
    fail(invoke, EVENT)
    aws.failures["PutLifecycleEventHookExecutionStatus"] = ["AccessDeniedException"]
    fail(invoke_failure, RECORD)
    invoke_failure(RECORD)
    fail(invoke, EVENT, TEST_URL=None)
    return output()


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
    body = Resolved(TEMPLATE).value(of_type("AWS::CloudWatch::Dashboard")["Dashboard"])
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


def queries() -> list[str]:
    saved = [query["QueryString"] for query in of_type("AWS::Logs::QueryDefinition").values()]
    return saved + [
        widget["properties"]["query"] for widget in dashboard() if widget["type"] == "log"
    ]


def test_every_log_field_and_message_of_a_query_is_emitted(emitted: Output) -> None:
    assert len(queries()) == 4
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


@pytest.fixture
def called(
    invoke: Invoke, invoke_failure: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> dict[str, set[str]]:
    """The actions that each function needs, over all that it can meet with."""
    add_deployment("d-LOCALTEST", aws.client("codedeploy"))
    for service, make in (
        ("ssm", {"Name": "/slack", "Value": slack.webhook_url, "Type": "SecureString"}),
        ("secretsmanager", {"Name": "slack", "SecretString": slack.webhook_url}),
    ):
        client = aws.client(service)
        client.put_parameter(**make) if service == "ssm" else client.create_secret(**make)
    secret = aws.client("secretsmanager").list_secrets()["SecretList"][0]["ARN"]
    places = {"SLACK_WEBHOOK_URL": "/slack"}, {"SLACK_WEBHOOK_URL": secret}
    needed: dict[str, set[str]] = {}

    def hook(**place: str) -> None:
        slack.script.append(Answer(404, "no_service"))
        with pytest.raises(GreenlightError):
            invoke(EVENT, **place)
        invoke(EVENT)
        invoke({**EVENT, "LifecycleEventHookExecutionId": "hook-2"})

    def failure(**place: str) -> None:
        invoke_failure(RECORD, **place)
        invoke_failure(RECORD)
        invoke_failure({**RECORD, "responsePayload": {"errorType": "GateBusyError"}})

    for function, scenario in (("HookFunction", hook), ("FailureFunction", failure)):
        aws.actions.clear()
        for place in places:
            aws.client("dynamodb").delete_item(
                TableName=TABLE, Key={"deployment_id": {"S": "d-LOCALTEST"}}
            )
            aws.reports.clear()
            aws.actions.discard("dynamodb:DeleteItem")
            scenario(**place)
        needed[function] = set(aws.actions)
    return needed


def policies(function: str, **parameters: str) -> list[dict[str, Any]]:
    role = Resolved(TEMPLATE, **parameters).value(RESOURCES[ROLES[function]]["Properties"])
    assert "ManagedPolicyArns" not in role
    return [policy["PolicyDocument"] for policy in role["Policies"]]


def may(function: str, action: str, resource: str, **parameters: str) -> bool:
    return any(
        IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)
        is PermissionResult.PERMITTED
        for policy in policies(function, **parameters)
    )


def test_every_call_is_permitted_and_every_permission_is_needed(
    called: dict[str, set[str]],
) -> None:
    for function, actions in called.items():
        assert actions, function
        for action in actions:
            service = action.partition(":")[0]
            secret = SECRET_ARN if service == "secretsmanager" else ""
            assert may(function, action, ARNS[service], SlackWebhookSecretArn=secret), action
        granted = set()
        for parameters in ({}, {"SlackWebhookSecretArn": SECRET_ARN}):
            for policy in policies(function, **parameters):
                for statement in policy["Statement"]:
                    actions_of = statement["Action"]
                    granted |= {actions_of} if isinstance(actions_of, str) else set(actions_of)
        assert granted - BY_LAMBDA == actions


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_else_is_permitted(function: str) -> None:
    other_table = ARNS["dynamodb"].replace("Table", "other")
    other_group = ARNS["codedeploy"].replace("shop/", "other/")

    assert not may(function, "dynamodb:UpdateItem", other_table)
    assert not may(function, "dynamodb:DeleteItem", ARNS["dynamodb"])
    assert not may(function, "ssm:GetParameter", ARNS["ssm"] + "-other")
    assert not may(function, "secretsmanager:GetSecretValue", SECRET_ARN)
    assert not may(function, "kms:Decrypt", KEY_ARN)
    assert may(function, "codedeploy:GetDeployment", other_group)
    assert not may(function, "codedeploy:GetDeployment", other_group, DeploymentGroups="shop/*"), (
        "the parameter narrows it"
    )
    assert may(function, "codedeploy:GetDeployment", ARNS["codedeploy"], DeploymentGroups="shop/*")


def test_the_hook_cannot_answer_codedeploy() -> None:
    action = "codedeploy:PutLifecycleEventHookExecutionStatus"

    assert may("FailureFunction", action, ARNS["codedeploy"])
    assert not may("HookFunction", action, ARNS["codedeploy"])


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_key_of_ones_own_may_be_used(function: str) -> None:
    assert may(function, "kms:Decrypt", KEY_ARN, SlackWebhookKeyArn=KEY_ARN)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_existing_table_can_be_named(function: str) -> None:
    mine = ARNS["dynamodb"].replace("Table", "mine")

    assert may(function, "dynamodb:UpdateItem", mine, ExistingTableName="mine")
    assert not may(function, "dynamodb:UpdateItem", ARNS["dynamodb"], ExistingTableName="mine")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_wildcard_is_a_known_one(function: str) -> None:
    wildcards = {
        (statement["Sid"], statement["Resource"])
        for policy in policies(function)
        for statement in policy["Statement"]
        if "*" in json.dumps(statement["Resource"]) + json.dumps(statement["Action"])
    }

    every_group = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:*"
    describes = "DescribeDeployments" if function == "HookFunction" else "FailHooks"
    assert wildcards == {(describes, every_group), ("WriteTraces", "*")}


def test_the_environment_has_every_setting_and_no_secret() -> None:
    variables = Resolved(TEMPLATE).value(TEMPLATE["Globals"]["Function"]["Environment"])

    assert variables["Variables"]["SLACK_WEBHOOK_URL"] == "/greenlight/slack-webhook"
    with_secret = Resolved(TEMPLATE, SlackWebhookSecretArn=SECRET_ARN)
    variables = with_secret.value(TEMPLATE["Globals"]["Function"]["Environment"])
    assert variables["Variables"]["SLACK_WEBHOOK_URL"] == SECRET_ARN
