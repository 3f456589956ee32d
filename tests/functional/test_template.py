"""The template and the code agree: metrics, log fields, time and permissions."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests_mock
import yaml
from moto.iam.access_control import IAMPolicy, PermissionResult

from greenlight.codedeploy import CodeDeploy
from greenlight.errors import GreenlightError
from greenlight.network import TRY_SECONDS
from greenlight.table import STATUS_INDEX
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.clicks import BOB, SIGNING_SECRET
from stand_ins.codedeploy import add_deployment, complete_hook, go_on, restart
from stand_ins.slack import Answer, SlackStandIn
from tests.conftest import load_event
from tests.functional.conftest import Clicker, Invoke, Output
from tests.functional.test_decide import answer_elsewhere
from tests.template import ACCOUNT, REGION, Resolved
from tools.template import load_template

ROOT = Path(__file__).parents[2]
TEMPLATE = load_template(ROOT / "template.yaml")
RESOURCES = TEMPLATE["Resources"]
EVENT = load_event("documented_example")
RECORD = load_event("on_failure_record")
SECRET_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:slack-AbCdEf"
SIGNING_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:signing-AbCdEf"
# What a stack is deployed with that takes clicks.
CLICKS = {"SlackSigningSecretParameter": "/greenlight/slack-signing-secret"}
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234"

# Where a call goes: what the policy has to allow it on.
ARNS = {
    "dynamodb": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/Table",
    "codedeploy": f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:shop/shop-blue-green",
}
# Actions without a resource type in AWS's service authorization reference: asked of `*`.
ON_NO_RESOURCE = {"codedeploy:ListDeploymentTargets", "codedeploy:GetDeploymentTarget"}
SSM_ARN = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/secret"
# What Lambda itself does in the functions' name.
BY_LAMBDA = {
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "lambda:InvokeFunction",
    "sqs:SendMessage",
}


# What the version before this one does, while a stack is updated: roles change before code.
FOR_AN_UPDATE = {"dynamodb:GetItem"}


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
    "FailureFunction": "FailureRole",
    "DecisionFunction": "DecisionRole",
}
# The secret that each function reads: the parameters that name it, and its value there.
SECRETS = {
    "HookFunction": ("SlackWebhookParameter", "SlackWebhookSecretArn", SECRET_ARN),
    "FailureFunction": ("SlackWebhookParameter", "SlackWebhookSecretArn", SECRET_ARN),
    "DecisionFunction": ("SlackSigningSecretParameter", "SlackSigningSecretArn", SIGNING_ARN),
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


def test_a_hook_that_fails_three_times_or_waits_for_five_minutes_is_handed_over() -> None:
    config = FUNCTIONS["HookFunction"]["EventInvokeConfig"]

    assert config["MaximumRetryAttempts"] == 2
    three_tries = 3 * merged("HookFunction")["Timeout"]
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


@pytest.fixture
def emitted(
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
    resolved = Resolved(TEMPLATE, **CLICKS)
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
    assert urlsplit(url).hostname == urlsplit(CodeDeploy(client).console_url("d-1")).hostname


@pytest.fixture
def called(
    invoke: Invoke,
    invoke_failure: Invoke,
    invoke_decision: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> dict[str, set[str]]:
    """The actions that each function needs, over all that it can meet with."""
    add_deployment("d-LOCALTEST", aws.client("codedeploy"))
    secrets = {"SLACK_WEBHOOK_URL": slack.webhook_url, "SLACK_SIGNING_SECRET": SIGNING_SECRET}
    for name, value in secrets.items():
        aws.client("ssm").put_parameter(Name=f"/{name}", Value=value, Type="SecureString")
    arn = aws.client("secretsmanager").create_secret(
        Name="slack", SecretString=json.dumps(secrets)
    )["ARN"]
    places: tuple[dict[str, str], ...] = (
        {name: f"/{name}" for name in secrets},
        dict.fromkeys(secrets, arn),
    )
    needed: dict[str, set[str]] = {}

    def hook(**place: str) -> None:
        slack.script.append(Answer(404, "no_service"))
        with pytest.raises(GreenlightError):
            invoke(EVENT, **place)
        invoke(EVENT)
        go_on("d-LOCALTEST")
        invoke({**EVENT, "LifecycleEventHookExecutionId": "hook-2"})

    def failure(**place: str) -> None:
        key = {"deployment_id": {"S": "d-LOCALTEST"}}
        aws.client("dynamodb").put_item(TableName=TABLE, Item=key)  # another tool's
        invoke_failure(RECORD, **place)
        aws.client("dynamodb").delete_item(TableName=TABLE, Key=key)
        aws.actions.discard("dynamodb:DeleteItem")
        invoke_failure(RECORD)

    def decision(**place: str) -> None:
        before = set(aws.actions)
        invoke(EVENT, **place)
        answer_elsewhere(aws, "Failed")
        aws.actions.clear()
        aws.actions.update(before)
        clicker = Clicker(invoke_decision, slack, slack.messages[-1])
        clicker.call(clicker.event("approve"), **place)

    scenarios = {"HookFunction": hook, "FailureFunction": failure, "DecisionFunction": decision}
    for function, scenario in scenarios.items():
        aws.actions.clear()
        for place in places:
            aws.client("dynamodb").delete_item(
                TableName=TABLE, Key={"deployment_id": {"S": "d-LOCALTEST"}}
            )
            aws.reports.clear()
            restart("d-LOCALTEST")
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
            in_ssm, in_secrets_manager, arn = SECRETS[function]
            place = {in_ssm: "/secret"}
            if service == "secretsmanager":
                place[in_secrets_manager] = arn
            arns = {**ARNS, "ssm": SSM_ARN, "secretsmanager": arn}
            resource = "*" if action in ON_NO_RESOURCE else arns[service]
            assert may(function, action, resource, **place), action
        granted = set()
        for parameters in ({}, {SECRETS[function][1]: SECRETS[function][2]}):
            for policy in policies(function, **parameters):
                for statement in policy["Statement"]:
                    actions_of = statement["Action"]
                    granted |= {actions_of} if isinstance(actions_of, str) else set(actions_of)
        assert granted - BY_LAMBDA - FOR_AN_UPDATE == actions


@pytest.mark.parametrize("function", FUNCTIONS)
def test_what_happened_at_codedeploy_can_be_read_whatever_the_groups(function: str) -> None:
    for action in ON_NO_RESOURCE:
        assert may(function, action, "*", DeploymentGroups="shop/*")


@pytest.mark.parametrize("function", FUNCTIONS)
def test_nothing_else_is_permitted(function: str) -> None:
    other_table = ARNS["dynamodb"].replace("Table", "other")
    other_group = ARNS["codedeploy"].replace("shop/", "other/")

    assert not may(function, "dynamodb:UpdateItem", other_table)
    assert not may(function, "dynamodb:DeleteItem", ARNS["dynamodb"])
    assert not may(function, "ssm:GetParameter", SSM_ARN, **CLICKS)
    for _, _, arn in SECRETS.values():
        assert not may(function, "secretsmanager:GetSecretValue", arn, **CLICKS)
    assert not may(function, "kms:Decrypt", KEY_ARN)
    assert may(function, "codedeploy:GetDeployment", other_group)
    assert not may(function, "codedeploy:GetDeployment", other_group, DeploymentGroups="shop/*"), (
        "the parameter narrows it"
    )
    assert may(function, "codedeploy:GetDeployment", ARNS["codedeploy"], DeploymentGroups="shop/*")


def test_the_hook_cannot_answer_codedeploy() -> None:
    action = "codedeploy:PutLifecycleEventHookExecutionStatus"

    assert may("DecisionFunction", action, ARNS["codedeploy"])
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
def test_the_key_of_an_existing_table_may_be_used_through_dynamodb_only(function: str) -> None:
    mine = {"ExistingTableName": "mine", "ExistingTableKeyArn": KEY_ARN}

    # What DynamoDB's developer guide asks for; CreateGrant is for who gives the table its key.
    for action in ("Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom"):
        assert may(function, f"kms:{action}", KEY_ARN, **mine), action
        assert not may(function, f"kms:{action}", KEY_ARN, ExistingTableName="mine")
        assert not may(function, f"kms:{action}", KEY_ARN + "5", **mine)
    assert not may(function, "kms:CreateGrant", KEY_ARN, **mine)
    (policy,) = policies(function, **mine)
    (condition,) = [one["Condition"] for one in policy["Statement"] if "Condition" in one]
    assert condition == {"StringLike": {"kms:ViaService": f"dynamodb.{REGION}.amazonaws.*"}}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_wildcard_is_a_known_one(function: str) -> None:
    wildcards = {
        (statement["Sid"], statement["Resource"])
        for policy in policies(function)
        for statement in policy["Statement"]
        if "*" in json.dumps(statement["Resource"]) + json.dumps(statement["Action"])
    }

    every_group = f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:deploymentgroup:*"
    on_groups = {
        "HookFunction": "DescribeDeployments",
        "FailureFunction": "FailHooks",
        "DecisionFunction": "AnswerHooks",
    }
    assert wildcards == {
        (on_groups[function], every_group),
        ("ReadLifecycleEvents", "*"),
        ("WriteTraces", "*"),
    }


def test_the_environment_has_every_setting_and_no_secret() -> None:
    def variables(**parameters: str) -> Any:
        environment = TEMPLATE["Globals"]["Function"]["Environment"]
        return Resolved(TEMPLATE, **parameters).value(environment)["Variables"]

    assert variables()["SLACK_WEBHOOK_URL"] == "/greenlight/slack-webhook"
    assert variables(SlackWebhookSecretArn=SECRET_ARN)["SLACK_WEBHOOK_URL"] == SECRET_ARN
    assert variables()["SLACK_SIGNING_SECRET"] == ""
    assert variables(**CLICKS)["SLACK_SIGNING_SECRET"] == "/greenlight/slack-signing-secret"
    assert variables(SlackSigningSecretArn=SIGNING_ARN)["SLACK_SIGNING_SECRET"] == SIGNING_ARN


def test_without_a_signing_secret_nothing_is_open_to_the_internet() -> None:
    doors = [
        one
        for one in RESOURCES.values()
        if one["Type"].startswith(("AWS::Lambda::U", "AWS::Lambda::P"))
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

    assert app["oauth_config"]["scopes"]["bot"] == ["incoming-webhook"]
    assert app["settings"]["interactivity"]["is_enabled"] is True
    assert app["settings"]["interactivity"]["request_url"].startswith("https://")
