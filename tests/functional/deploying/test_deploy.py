"""`make deploy` and its like: what cannot work is said first, and nothing is forgotten."""

import json
import re
import shutil
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from moto.backends import get_backend

from stand_ins.aws import ACCOUNT_SETTINGS, CREDENTIALS, AwsStandIn
from stand_ins.aws import TABLE as TABLE_NAME
from stand_ins.clicks import SIGNING_SECRET
from stand_ins.codedeploy import REGION
from stand_ins.slack import BOT_TOKEN, CHANNEL
from tests.conftest import ROOT
from tests.functional.helpers import WEBHOOK
from tests.template import ACCOUNT
from tools.deploy import main
from tools.preflight import SAMS_STACK
from tools.stack import defaults
from tools.template import load_template

PARAMETERS: dict[str, dict[str, Any]] = load_template(ROOT / "template.yaml")["Parameters"]
TEST_URL = "https://green.example.com"
WEBHOOK_NAME = "/greenlight/slack-webhook"
SIGNING_NAME = "/greenlight/slack-signing-secret"
BOT_NAME = "/greenlight/slack-bot-token"
SECRET_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:slack-AbCdEf"
PLACE = f"account {ACCOUNT} in region {REGION}"
BUCKET = "aws-sam-cli-managed-default-bucket"
DENIED = "AccessDeniedException"


@dataclass
class Desk:
    """A person's folder and machine: a deploy.toml, and a `sam` and a Python that only take notes.

    `ran` is what was run, a line each.
    """

    aws: AwsStandIn
    folder: Path

    def write(self, name: str = "deploy.toml", /, **values: object) -> None:
        """Fills a file in; with the secret of an app, unless told otherwise."""
        values = {
            "TestUrl": TEST_URL,
            "SlackSigningSecretParameter": SIGNING_NAME,
            **values,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        (self.folder / name).write_text("\n".join(lines), encoding="utf-8")

    def install(self, name: str, script: str = "exit 0") -> None:
        """Puts a command on the path, which notes how it was called."""
        path = self.folder / "bin" / name
        path.write_text(f'#!/bin/sh\necho {name} "$@" >> ran\n{script}\n')
        path.chmod(0o755)

    @property
    def ran(self) -> list[str]:
        path = self.folder / "ran"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line for line in lines if not line.endswith("-m pip --version")]

    def run(
        self, command: str, *options: str, file: str = "deploy.toml", piped: str = ""
    ) -> Result:
        """Runs a command; no test may find a secret in what it says."""
        result = CliRunner().invoke(main, [command, file, *options], input=piped)
        for secret in (WEBHOOK, "secret-path", SIGNING_SECRET, BOT_TOKEN):
            assert secret not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        return result

    def refused(self, command: str = "deploy", **options: str) -> list[str]:
        """Runs a command that cannot work; what it says is wrong. Nothing is built."""
        result = self.run(command, **options)
        assert (result.exit_code, self.ran) == (1, [])
        lines = result.stderr.splitlines()
        assert all(line.startswith("Error: ") for line in lines), lines
        return [line.removeprefix("Error: ") for line in lines]

    def store_secrets(self) -> None:
        """Has all secrets stored."""
        secrets = {WEBHOOK_NAME: WEBHOOK, SIGNING_NAME: SIGNING_SECRET, BOT_NAME: BOT_TOKEN}
        for name, value in secrets.items():
            self.aws.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString")

    def have_stack(
        self, status: str = "CREATE_COMPLETE", *, without: Sequence[str] = (), **parameters: str
    ) -> None:
        """Has the stack deployed, with some parameters that are not those of `write`.

        `without`: those that its template, of an older version, does not have.
        """
        values = {
            **defaults(PARAMETERS),
            "TestUrl": TEST_URL,
            "SlackSigningSecretParameter": SIGNING_NAME,
            **parameters,
        }
        known = values.keys() - set(without)
        self.have(
            "greenlight",
            Parameters={name: {"Type": "String", "Default": values[name]} for name in known},
            Resources={"Table": TABLE, "DeadLetters": {"Type": "AWS::SQS::Queue"}},
            Outputs={
                "TableName": {"Value": {"Ref": "Table"}},
                "DecisionUrl": {"Value": "https://abc.lambda-url.on.aws/"},
                "AppSpecHooks": {"Value": "Hooks: [{AfterAllowTestTraffic: a}]"},
            },
        )
        (stack,) = get_backend("cloudformation")[ACCOUNT][REGION].stacks.values()
        stack.status = status

    def have(self, name: str, **template: Any) -> None:
        """Has a stack made of a template."""
        body = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", **template})
        self.aws.client("cloudformation").create_stack(StackName=name, TemplateBody=body)
        self.aws.operations.clear()

    def table(self) -> str:
        """The name of the stack's table."""
        client = self.aws.client("cloudformation")
        outputs = client.describe_stacks(StackName="greenlight")["Stacks"][0]["Outputs"]
        return str(next(one["OutputValue"] for one in outputs if one["OutputKey"] == "TableName"))


TABLE = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "deployment_id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "deployment_id", "KeyType": "HASH"}],
    },
}

WHERE = "Interactivity & Shortcuts, and under Slash Commands for"


@pytest.fixture
def desk(aws: AwsStandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk with credentials, where all is ready, but for the file and the secrets."""
    environ = {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "AWS_CONFIG_FILE": str(tmp_path / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "aws-credentials"),
        "PATH": str(tmp_path / "bin"),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    desk = Desk(aws, tmp_path)
    desk.install("sam")
    desk.install("python3.13")
    return desk


# ── The file


def test_the_example_needs_a_test_url_and_nothing_else(desk: Desk) -> None:
    shutil.copy(ROOT / "deploy.example.toml", "deploy.toml")
    desk.store_secrets()

    (problem,) = desk.refused()

    assert problem.startswith("deploy.toml: TestUrl is not filled in: it must be an http or https")
    text = Path("deploy.toml").read_text(encoding="utf-8")
    Path("deploy.toml").write_text(text.replace('TestUrl = ""', f'TestUrl = "{TEST_URL}"'))
    assert desk.run("deploy").exit_code == 0


EXAMPLES = (
    "SlackSigningSecretParameter",
    "SlackBotTokenParameter",
    "SlackChannel",
    "Approvers",
    "SlackCommand",
)


def test_the_example_names_every_parameter_and_the_defaults() -> None:
    text = (ROOT / "deploy.example.toml").read_text(encoding="utf-8")
    values = tomllib.loads(re.sub(r"^# (?=\w+ = )", "", text, flags=re.MULTILINE))

    assert values.keys() == {*PARAMETERS, "stack_name", "region", "profile", "account"}
    for name, value in defaults(PARAMETERS).items():
        if name not in EXAMPLES:
            assert str(values[name]) == value, name


@pytest.mark.parametrize("command", ["deploy", "undeploy", "secrets"])
def test_without_a_file(command: str, desk: Desk) -> None:
    assert desk.refused(command, file="deploy-eu.toml") == [
        "There is no deploy-eu.toml. Run: cp deploy.example.toml deploy-eu.toml; then fill it in"
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"TestUrl = https://a-secret-path", 'deploy.toml is not TOML (name = "value", a line'),
        (b"\xff\xfe", "deploy.toml is not UTF-8: save it in that encoding"),
    ],
)
def test_a_file_that_cannot_be_understood(content: bytes, problem: str, desk: Desk) -> None:
    Path("deploy.toml").write_bytes(content)

    (said,) = desk.refused()

    assert said.startswith(problem)


def test_a_file_that_cannot_be_read(desk: Desk) -> None:
    Path("deploy.toml").mkdir()

    assert desk.refused() == ["deploy.toml cannot be read: Is a directory"]


def test_a_windows_editors_file_is_read(desk: Desk) -> None:
    Path("deploy.toml").write_bytes(b'\xef\xbb\xbfTestUrl = "https://green.example.com"\r\n')
    desk.store_secrets()

    assert desk.run("deploy").exit_code == 0


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("TestUrl", "https://{region}.secret-path", "an http or https URL"),
        ("MessageLanguage", "secret-path", "one of ko, en and ja, or two different ones, "),
        ("SlackSigningSecretParameter", SIGNING_SECRET, "an SSM parameter name that begins with /"),
        ("SlackWebhookParameter", "name", "an SSM parameter name that begins with /"),
        ("SlackChannel", "#deploys", "the id of a Slack channel, or nothing"),
        ("RemindMinutesBefore", "soon", "numbers of minutes up to 20160, separated by commas, or"),
        ("Approvers", "alice", PARAMETERS["Approvers"]["ConstraintDescription"]),
        ("Approvers", ["U0ALICE"], "one text in quotes, or one number: "),
        ("DecisionConcurrency", 101, "a whole number from 0 to 100"),
        ("DecisionConcurrency", True, "one text in quotes, or one number: a whole number from 0"),
        ("GateTtlDays", 0.5, "one text in quotes, or one number: a whole number of days"),
        ("LogRetentionDays", 2, "one of 1, 3, 5, 7"),
        ("Runtime", "python2.7", "one of python3.11, python3.12"),
        ("stack_name", "a" * 50, "1 to 49 letters, digits and hyphens"),
        ("stack_name", "my_stack", "1 to 49 letters, digits and hyphens"),
        ("region", "Seoul", 'an AWS region ("ap-northeast-2")'),
        ("profile", "", "a profile of the AWS CLI (aws configure list-profiles shows them)"),
        ("account", 123456789012, "an AWS account: twelve digits, in quotes"),
        ("account", "1234", "an AWS account: twelve digits, in quotes"),
    ],
)
def test_a_wrong_value_is_told_what_it_must_be_and_never_shown(
    name: str, value: object, wanted: str, desk: Desk
) -> None:
    desk.write(**{name: value})

    (problem,) = desk.refused()

    assert problem.startswith(f"deploy.toml: {name} must be {wanted}")
    assert desk.aws.operations == []


def test_a_text_that_is_too_long_is_told_its_limit(desk: Desk) -> None:
    desk.write(TestUrl="https://green.example.com/" + "a" * 1000)

    assert desk.refused()[0].endswith(", of at most 1000 characters")


def test_all_that_is_wrong_with_a_file_is_said_at_once(desk: Desk) -> None:
    desk.write(TestUrl="", Testurl=TEST_URL, zzz=1, account=1)

    misspelled, unknown, account, names, missing = desk.refused()

    assert misspelled == "deploy.toml: there is no Testurl; did you mean TestUrl?"
    assert unknown == "deploy.toml: there is no zzz"
    assert names.startswith("deploy.toml: the names that there are: stack_name, region, ")
    assert account.startswith("deploy.toml: account must be")
    assert missing.startswith("deploy.toml: TestUrl is not filled in")


@pytest.mark.parametrize(
    "line",
    [
        f'"{WEBHOOK}" = 1',
        f"[{SIGNING_SECRET}]",
        f'TestUrl = "{WEBHOOK}"',
        f'X = "{WEBHOOK}"',
        f'SlackBotTokenParameter = "{BOT_TOKEN}"',
        f"{BOT_TOKEN} = 1",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(line: str, desk: Desk) -> None:
    Path("deploy.toml").write_text(line, encoding="utf-8")

    said = "\n".join(desk.refused())

    for secret in (WEBHOOK, SIGNING_SECRET, BOT_TOKEN):
        assert secret not in said


def test_a_bot_token_in_the_file_is_said_to_be_a_secret(desk: Desk) -> None:
    desk.write(SlackBotTokenParameter=BOT_TOKEN)

    (problem,) = desk.refused()
    assert problem == (
        "deploy.toml: SlackBotTokenParameter holds the token of a Slack bot, which is a secret: "
        "make secrets asks for it"
    )


def test_the_settings_of_the_functions_are_told_their_names_in_the_file(desk: Desk) -> None:
    desk.write(MESSAGE_LANGUAGE="en")

    assert desk.refused()[0].endswith("no MESSAGE_LANGUAGE; did you mean MessageLanguage?")


@pytest.mark.parametrize(
    "places",
    [
        {"SlackSigningSecretParameter": WEBHOOK_NAME},
        {"SlackBotTokenParameter": WEBHOOK_NAME},
        {"SlackBotTokenParameter": SIGNING_NAME},
    ],
    ids=str,
)
def test_two_secrets_need_two_places(places: dict[str, str], desk: Desk) -> None:
    desk.write(SlackChannel=CHANNEL, **places)

    assert desk.refused()[0].endswith("must not be the same")


def test_a_slash_command_needs_the_signing_secret(desk: Desk) -> None:
    desk.write(SlackCommand="/greenlight", SlackSigningSecretParameter="")
    desk.store_secrets()

    (problem,) = desk.refused()
    assert problem == (
        "Nobody would answer the slash command: write SlackSigningSecretParameter into "
        "deploy.toml, or take SlackCommand out"
    )


# ── Who and where


def test_no_credentials(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write()
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")

    (problem,) = desk.refused()
    assert problem == (
        "AWS does not say whose credentials these are: NoCredentialsError. Run: aws configure sso "
        '(or name a profile with profile = "..." in deploy.toml)'
    )


def test_expired_credentials(desk: Desk) -> None:
    desk.write()
    desk.aws.failures["GetCallerIdentity"] = ["ExpiredToken"]

    assert "The credentials in the environment have expired: set new ones" in desk.refused()[0]


def test_no_region(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write()
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)

    assert desk.refused()[0].endswith('NoRegionError. Name one with region = "..." in deploy.toml')


def test_a_profile_that_there_is_not(desk: Desk) -> None:
    desk.write(profile="nobody")

    (problem,) = desk.refused()

    assert problem.endswith("See which there are. Run: aws configure list-profiles")


def test_the_profile_and_the_region_of_the_file_are_used(desk: Desk) -> None:
    Path("aws-config").write_text(
        "[profile team]\naws_access_key_id = of-the-team\naws_secret_access_key = x\n"
    )
    desk.write(profile="team", region="eu-west-1", SlackSigningSecretParameter="")

    (problem,) = desk.refused()

    assert f"SSM has no {WEBHOOK_NAME} for account {ACCOUNT} in region eu-west-1" in problem
    assert desk.aws.access_keys >= {"of-the-team"}


def test_another_account_than_the_files(desk: Desk) -> None:
    desk.write(account="999999999999")

    (problem,) = desk.refused()

    assert problem.startswith("deploy.toml is for account 999999999999, and you are arn:aws:")
    assert problem.endswith(
        "Sign in there (AWS_PROFILE, or profile in deploy.toml), or change account in the file"
    )


@pytest.mark.parametrize(
    "last", [{"account": "999999999999", "region": REGION}, {"account": ACCOUNT, "region": "x"}]
)
def test_another_account_or_region_than_last_time(last: dict[str, str], desk: Desk) -> None:
    desk.write()
    Path(".deploy.json").write_text(json.dumps(last))

    (problem,) = desk.refused()
    assert problem == (
        f"Last time deploy.toml went to account {last['account']} in region {last['region']}, and "
        f'now it would go to {PLACE}. If that is meant, write account = "{ACCOUNT}" and region = '
        f'"{REGION}" into it; if not, sign in there again (AWS_PROFILE, AWS_REGION)'
    )
    desk.write(account=ACCOUNT, region=REGION)
    desk.store_secrets()
    assert desk.run("deploy").exit_code == 0


# ── What is in the way


def test_secrets_that_are_not_stored(desk: Desk) -> None:
    desk.write("deploy-eu.toml")

    assert desk.refused(file="deploy-eu.toml") == [
        f"The {title} is not stored: SSM has no {name} for {PLACE}. "
        "Run: make secrets FILE=deploy-eu.toml"
        for title, name in (("webhook URL", WEBHOOK_NAME), ("signing secret", SIGNING_NAME))
    ]


def test_a_secret_that_is_not_in_secrets_manager(desk: Desk) -> None:
    desk.write(SlackWebhookSecretArn=SECRET_ARN, SlackSigningSecretParameter="")

    (problem,) = desk.refused()
    assert problem == (
        f"The webhook URL is not stored: Secrets Manager has no {SECRET_ARN} for {PLACE}. Make it "
        "there, or name another in deploy.toml"
    )
    made = desk.aws.client("secretsmanager").create_secret(Name="slack", SecretString=WEBHOOK)
    desk.write(SlackWebhookSecretArn=made["ARN"], SlackSigningSecretParameter="")
    assert desk.run("deploy").exit_code == 0
    assert "GetSecretValue" not in desk.aws.operations


def test_a_bot_without_a_channel(desk: Desk) -> None:
    desk.write(SlackBotTokenParameter=BOT_NAME)
    desk.store_secrets()

    assert desk.refused() == [
        "The bot has no channel: write SlackChannel, the channel's id, into deploy.toml"
    ]


def test_nothing_to_post_with(desk: Desk) -> None:
    desk.write(SlackWebhookParameter="")
    desk.store_secrets()

    (problem,) = desk.refused()

    assert problem.startswith("Nothing can post to Slack: write SlackWebhookParameter, or ")


def test_a_bot_alone(desk: Desk) -> None:
    desk.write(SlackWebhookParameter="", SlackBotTokenParameter=BOT_NAME, SlackChannel=CHANNEL)
    desk.store_secrets()

    assert desk.run("deploy").exit_code == 0


def test_a_table_of_ones_own_that_there_is_not(desk: Desk) -> None:
    desk.write(ExistingTableName="gone")
    desk.store_secrets()

    assert desk.refused() == [f"There is no table gone for {PLACE}: name another in deploy.toml"]


STREAM = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/gates/stream/2026-11-23T00:00:00.000"


def test_a_table_of_ones_own_is_told_how_to_get_the_stream_that_is_followed(desk: Desk) -> None:
    desk.store_secrets()
    desk.write(ExistingTableName=TABLE_NAME)
    assert desk.run("deploy").exit_code == 0, "nothing is followed there"
    Path("ran").unlink()
    desk.write(ExistingTableName=TABLE_NAME, ExistingTableStreamArn=STREAM)

    (no_stream,) = desk.refused()
    command = no_stream.partition("Run: ")[2].partition(";")[0].split()
    desk.aws.client("dynamodb").update_table(
        TableName=command[command.index("--table-name") + 1],
        StreamSpecification={
            name: {"true": True}.get(value, value)
            for name, value in (pair.split("=") for pair in command[-1].split(","))
        },
    )
    (another,) = desk.refused()

    latest = desk.aws.client("dynamodb").describe_table(TableName=TABLE_NAME)["Table"]
    arn = latest["LatestStreamArn"]
    assert another.endswith(f'Write ExistingTableStreamArn = "{arn}" into deploy.toml')
    desk.write(ExistingTableName=TABLE_NAME, ExistingTableStreamArn=arn)
    assert desk.run("deploy").exit_code == 0


def test_a_table_that_may_not_be_described_is_in_nobodys_way(desk: Desk) -> None:
    desk.write(ExistingTableName=TABLE_NAME, ExistingTableStreamArn=STREAM)
    desk.store_secrets()
    desk.aws.failures["DescribeTable"] = [DENIED]

    result = desk.run("deploy")

    assert result.exit_code == 0
    assert f"AWS does not say how the table {TABLE_NAME} is ({DENIED})" in result.stderr


@pytest.mark.parametrize(("unreserved", "free"), [(10, 0), (100, 0), (105, 5)])
def test_an_account_with_little_concurrency_is_told_what_to_write(
    unreserved: int, free: int, desk: Desk
) -> None:
    desk.write()
    desk.store_secrets()
    desk.aws.unreserved_concurrency = unreserved

    (problem,) = desk.refused()
    assert problem == (
        f"DecisionConcurrency is 10, and Lambda lets {PLACE} reserve {free} (100 have to stay "
        f"unreserved). Write DecisionConcurrency = {free} into deploy.toml, or have the quota "
        "raised (Service Quotas, Lambda, Concurrent executions)"
    )
    desk.write(DecisionConcurrency=free)
    assert desk.run("deploy").exit_code == 0


def test_what_the_stack_reserves_itself_is_free_for_it(desk: Desk) -> None:
    desk.write()
    desk.store_secrets()
    desk.aws.unreserved_concurrency = 100
    role = desk.aws.client("iam").create_role(RoleName="a", AssumeRolePolicyDocument="{}")
    desk.aws.client("lambda").create_function(
        FunctionName="GreenlightGate_greenlight",
        Role=role["Role"]["Arn"],
        Code={"ImageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/a:latest"},
        PackageType="Image",
    )
    desk.aws.client("lambda").put_function_concurrency(
        FunctionName="GreenlightGate_greenlight", ReservedConcurrentExecutions=10
    )

    assert desk.run("deploy").exit_code == 0


@pytest.mark.parametrize(
    "values", [{"SlackSigningSecretParameter": ""}, {"DecisionConcurrency": 0}], ids=str
)
def test_what_reserves_nothing_needs_no_concurrency(values: dict[str, Any], desk: Desk) -> None:
    desk.write(**values)
    desk.store_secrets()
    desk.aws.unreserved_concurrency = 10

    assert desk.run("deploy").exit_code == 0
    assert ACCOUNT_SETTINGS not in desk.aws.operations


CONTINUE = f"aws cloudformation continue-update-rollback --stack-name greenlight --region {REGION}"
REMOVE = "it can only be removed. Run: make undeploy"


@pytest.mark.parametrize(
    ("status", "what_to_do"),
    [
        ("ROLLBACK_COMPLETE", REMOVE),
        ("DELETE_FAILED", REMOVE),
        ("UPDATE_IN_PROGRESS", "wait until that has ended, then run this again"),
        (
            "UPDATE_ROLLBACK_FAILED",
            f"mend what its events in the CloudFormation console show. Then run: {CONTINUE}",
        ),
    ],
)
def test_a_stack_that_cannot_be_updated(status: str, what_to_do: str, desk: Desk) -> None:
    desk.write()
    desk.store_secrets()
    desk.have_stack(status)

    assert desk.refused() == [f"The stack greenlight is {status}: {what_to_do}"]


def test_a_stack_that_nobody_let_be_made_is_none(desk: Desk) -> None:
    desk.write()
    desk.store_secrets()
    desk.have_stack("REVIEW_IN_PROGRESS", MessageLanguage="en")

    result = desk.run("deploy")

    assert result.exit_code == 0
    assert "->" not in result.stdout


def test_what_the_stack_has_and_the_file_does_not_name_is_told_before_it_is_lost(
    desk: Desk,
) -> None:
    desk.write()
    desk.store_secrets()
    desk.have_stack(ExistingTableName="gates", Approvers="U0ALICE", Runtime="python3.12")

    approvers, table = desk.refused()

    assert approvers == (
        'The stack greenlight has Approvers = "U0ALICE", which deploy.toml does not name. Write '
        'that into it, or, to change it, Approvers = ""'
    )
    assert 'ExistingTableName = "gates"' in table
    desk.write(ExistingTableName="gates", Approvers="")
    result = desk.run("deploy")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:3] == [
        "  Approvers: U0ALICE -> (none)",
        "  Runtime: python3.12 -> python3.13",
    ]


def test_a_stack_that_does_not_know_ecs_begins_to_ask_about_pauses_only_where_the_file_says_so(
    desk: Desk,
) -> None:
    desk.write()
    desk.store_secrets()
    desk.have_stack(without=["EcsServices", "PauseFailure"])

    (problem,) = desk.refused()
    assert problem.startswith("The stack greenlight does not know ECS's own deployments yet.")
    assert f"every PAUSE hook of account {ACCOUNT} in region {REGION}" in problem
    assert 'EcsServices = "" to leave all as it was' in problem

    for services in ("", "*"):
        desk.write(EcsServices=services)
        assert desk.run("deploy").exit_code == 0


def test_what_aws_does_not_say_is_noted_and_in_nobodys_way(desk: Desk) -> None:
    desk.write(SlackWebhookSecretArn=SECRET_ARN)
    for operation in ("DescribeStacks", "DescribeSecret", "GetParameter", ACCOUNT_SETTINGS):
        desk.aws.failures[operation] = [DENIED] * 9

    result = desk.run("deploy")

    assert result.exit_code == 0
    for about in (
        "how the stack greenlight is",
        f"whether there is {SECRET_ARN}",
        f"whether SSM has {SIGNING_NAME}",
        "how much of Lambda's concurrency is free",
    ):
        assert f"AWS does not say {about} ({DENIED}); going on without.\n" in result.stderr


# ── The Python


def test_the_pythons_that_are_missing(desk: Desk) -> None:
    desk.write()
    (desk.folder / "bin" / "python3.13").unlink()
    desk.install("python3.14", "exit 127")  # a shim without a Python behind it

    (problem,) = desk.refused()
    assert problem == (
        "This machine has none of python3.11, python3.12, python3.13, python3.14 with pip. "
        "Install one"
    )


def test_the_python_of_the_file_is_missing(desk: Desk) -> None:
    desk.write(Runtime="python3.12")

    (problem,) = desk.refused()
    assert problem == (
        "This machine has no python3.12 with pip, which deploy.toml names as the Runtime and which "
        "builds the package. Install it, or name another of python3.11, python3.12, python3.13, "
        "python3.14"
    )
    desk.store_secrets()
    desk.install("python3.12")
    assert "Building for python3.12 on arm64" in desk.run("deploy").stdout


def test_another_python_is_used_and_that_is_said(desk: Desk) -> None:
    desk.write()
    desk.store_secrets()
    (desk.folder / "bin" / "python3.13").unlink()
    desk.install("python3.12")
    desk.install("python3.11")

    result = desk.run("deploy")

    assert result.stdout.startswith(
        "This machine has no python3.13 with pip: python3.12 builds and runs it.\n"
    )
    assert passed(desk)["Runtime"] == "python3.12"


# ── What is done


def passed(desk: Desk) -> Any:
    """The parameters that SAM is given."""
    return yaml.safe_load((desk.folder / ".aws-sam" / "parameters.yaml").read_text())


def test_every_parameter_is_passed_every_time_and_nothing_is_asked(desk: Desk) -> None:
    url = "https://{application}.블루.example.com/?a='b'&c=\"d\""
    desk.write(TestUrl=url, GateTtlDays=30, DecisionConcurrency=0)
    desk.store_secrets()

    result = desk.run("deploy")

    assert result.exit_code == 0
    assert passed(desk) == {
        **defaults(PARAMETERS),
        "TestUrl": url,
        "SlackSigningSecretParameter": SIGNING_NAME,
        "GateTtlDays": "30",
        "DecisionConcurrency": "0",
    }
    given = "--parameter-overrides file://.aws-sam/parameters.yaml"
    flags = (
        "--capabilities CAPABILITY_IAM --resolve-s3 --no-confirm-changeset "
        "--no-fail-on-empty-changeset"
    )
    assert desk.ran == [
        f"sam build --config-env make --template-file {ROOT}/template.yaml {given}",
        f"python3.13 {ROOT}/tools/slim.py .aws-sam/build",
        f"sam deploy --config-env make --stack-name greenlight --region {REGION} {given} {flags}",
    ]


def test_the_changes_are_said_before_they_are_made(desk: Desk) -> None:
    desk.have_stack(MessageLanguage="en", TestUrl="https://old.example.com")
    desk.write(MessageLanguage="ko", Approvers="U0ALICE")
    desk.store_secrets()

    result = desk.run("deploy")

    assert result.stdout.splitlines() == [
        f"Stack greenlight, {PLACE}",
        f"  TestUrl: https://old.example.com -> {TEST_URL}",
        "  MessageLanguage: en -> ko",
        "  Approvers: (none) -> U0ALICE",
        "Building for python3.13 on arm64, about a minute:",
        f"In the Slack app, under {WHERE} its command, if it has one, the Request URL is:",
        "  https://abc.lambda-url.on.aws/",
        "In the AppSpec of each service that CodeDeploy deploys:",
        "  Hooks: [{AfterAllowTestTraffic: a}]",
        "Services that ECS itself deploys (*) get a PAUSE hook: docs/ecs.md",
        "At a terminal, for the command greenlight:",
        f"  export AWS_REGION={REGION} DYNAMODB_TABLE_NAME={desk.table()}",
    ]


def test_who_takes_no_pauses_of_ecs_is_not_told_of_them(desk: Desk) -> None:
    desk.write(EcsServices="")
    desk.store_secrets()

    assert "PAUSE" not in desk.run("deploy").stdout


def test_where_the_url_of_the_slash_command_is_pasted_is_said_too(desk: Desk) -> None:
    desk.have_stack(SlackCommand="/ship-it")
    desk.write(SlackCommand="/ship-it")
    desk.store_secrets()

    said = desk.run("deploy").stdout

    assert f"In the Slack app, under {WHERE} /ship-it, the Request URL is:" in said


def test_another_file_is_another_stack(desk: Desk) -> None:
    Path("aws-config").write_text(
        "[profile eu]\naws_access_key_id = a\naws_secret_access_key = b\n"
    )
    desk.write("deploy-eu.toml", stack_name="gates-eu", profile="eu")
    desk.store_secrets()

    assert desk.run("deploy", file="deploy-eu.toml").exit_code == 0

    assert f"--stack-name gates-eu --region {REGION} --profile eu" in desk.ran[-1]
    assert json.loads(Path(".deploy-eu.json").read_text()) == {"account": ACCOUNT, "region": REGION}


@pytest.mark.parametrize(
    ("fails", "ran"), [("build", ["build"]), ("deploy", ["build", "deploy"])], ids=str
)
def test_where_sam_fails_it_ends_with_what_sam_says(fails: str, ran: list[str], desk: Desk) -> None:
    desk.write()
    desk.store_secrets()
    desk.install("sam", f'if [ "$1" = {fails} ]; then echo no such thing; exit 3; fi')

    result = desk.run("deploy")

    assert result.exit_code == 3
    assert [line.split()[1] for line in desk.ran if line.startswith("sam")] == ran
    assert ("no such thing" in result.stdout) == (fails == "build"), "deploy writes for itself"


def test_a_build_alone_needs_no_file_and_no_aws(desk: Desk) -> None:
    assert desk.run("build").exit_code == 0
    assert desk.ran[0].startswith("sam build ")
    assert desk.aws.operations == []
    desk.write(Architecture="x86_64")
    assert "Building for python3.13 on x86_64" in desk.run("build").stdout


# ── The end


def test_there_is_nothing_to_remove(desk: Desk) -> None:
    desk.write()

    assert desk.refused("undeploy") == [f"There is no stack greenlight in {PLACE}"]


@pytest.mark.parametrize("command", ["deploy", "undeploy"])
def test_a_stack_that_is_somebody_elses_is_left_alone(command: str, desk: Desk) -> None:
    desk.write()
    desk.store_secrets()
    desk.have("greenlight", Resources={"Queue": {"Type": "AWS::SQS::Queue"}})

    (problem,) = desk.refused(command)
    assert problem == (
        "The stack greenlight is none of Greenlight's: it has no parameter TestUrl. "
        "Write another stack_name into deploy.toml"
    )


@pytest.mark.parametrize(
    ("operation", "about"),
    [
        ("DescribeStacks", "the stack greenlight"),
        ("DescribeStackResources", "what the table is called"),
    ],
)
def test_what_cannot_be_seen_is_not_removed(operation: str, about: str, desk: Desk) -> None:
    desk.write()
    desk.have_stack()
    desk.aws.failures[operation] = [DENIED]

    assert desk.refused("undeploy") == [
        f"AWS does not say {about} ({DENIED}), so nothing is removed"
    ]


def test_a_stack_of_an_older_template_can_be_removed(desk: Desk) -> None:
    desk.write()
    parameters = {"TestUrl": {"Type": "String", "Default": TEST_URL}}
    desk.have("greenlight", Parameters=parameters, Resources={"Table": TABLE})

    assert desk.run("undeploy").exit_code == 0


def test_a_note_that_cannot_be_read(desk: Desk) -> None:
    desk.write()
    Path(".deploy.json").write_text("{", encoding="utf-8")

    assert desk.refused()[0].startswith(".deploy.json cannot be read. Remove it, and write")


def test_what_stays_is_said_with_the_commands_that_remove_it(desk: Desk) -> None:
    desk.write()
    desk.have_stack(SlackWebhookSecretArn=SECRET_ARN)
    output = {"SourceBucket": {"Value": BUCKET}}
    desk.have(SAMS_STACK, Resources={"B": TABLE}, Outputs=output)
    Path(".deploy.json").write_text(json.dumps({"account": ACCOUNT, "region": REGION}))

    result = desk.run("undeploy")

    table = desk.table()
    assert result.exit_code == 0
    assert desk.ran == [
        f"sam delete --config-env make --no-prompts --stack-name greenlight --region {REGION}"
    ]
    assert not Path(".deploy.json").exists()
    assert result.stdout.splitlines() == [
        f"Stack greenlight, {PLACE}",
        "",
        "The stack is gone: take CodeDeployHook_greenlight out of each AppSpec.",
        "Take the PAUSE hooks out of its ECS services, too: nobody hears of them any more.",
        "These stay, and this removes them:",
        f"- The table {table}: who let which release through. With ExistingTableName =",
        f'  "{table}" in deploy.toml, and its stream as ExistingTableStreamArn,',
        "  a new stack goes on with it.",
        f"    aws dynamodb delete-table --table-name {table} --region {REGION}",
        "- The webhook URL, in Secrets Manager.",
        f"    aws secretsmanager delete-secret --secret-id {SECRET_ARN} --region {REGION}",
        "- The signing secret, in SSM.",
        f"    aws ssm delete-parameter --name {SIGNING_NAME} --region {REGION}",
        f"- SAM's bucket {BUCKET}.",
        "  Other stacks may use it, too. Empty it first, in the S3 console.",
        f"    aws cloudformation delete-stack --stack-name {SAMS_STACK} --region {REGION}",
    ]


def test_where_no_service_of_ecs_was_served_nobody_is_told_of_its_hooks(desk: Desk) -> None:
    desk.write()
    desk.have_stack(EcsServices="")

    assert "PAUSE" not in desk.run("undeploy").stdout


def test_what_was_not_removed_is_not_said_to_be(desk: Desk) -> None:
    desk.write()
    desk.have_stack(SlackSigningSecretParameter="")
    desk.install("sam", "exit 1")

    result = desk.run("undeploy")

    assert result.exit_code == 1
    assert "gone" not in result.stdout


# ── Secrets


def value_of(desk: Desk, name: str) -> Any:
    ssm = desk.aws.client("ssm")
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]


def test_a_secret_is_stored_under_the_name_of_the_file(desk: Desk) -> None:
    desk.write(SlackSigningSecretParameter="", SlackWebhookParameter="/a/b")

    result = desk.run("secrets", piped=f"{WEBHOOK}\n")

    assert result.stdout.splitlines()[1:] == [
        "The webhook URL is stored in /a/b now.",
        "deploy.toml names no place for a signing secret: messages have no buttons.",
    ]
    assert value_of(desk, "/a/b") == WEBHOOK


def test_what_is_stored_is_asked_for_only_to_be_replaced(desk: Desk) -> None:
    desk.write()
    desk.store_secrets()

    again = desk.run("secrets", piped="ignored")
    replaced = desk.run("secrets", "--overwrite", "signing", piped="a0b1c2d3e4f5a0b1c2d3e4f5")

    assert again.stdout.splitlines()[1:] == [
        f"{name} holds a {title} already, which stays. To replace it: make secrets OVERWRITE={kind}"
        for title, name, kind in (
            ("webhook URL", WEBHOOK_NAME, "webhook"),
            ("signing secret", SIGNING_NAME, "signing"),
        )
    ]
    assert (
        replaced.stdout.splitlines()[-1] == f"The signing secret is stored in {SIGNING_NAME} now."
    )
    assert value_of(desk, SIGNING_NAME) == "a0b1c2d3e4f5a0b1c2d3e4f5"
    assert value_of(desk, WEBHOOK_NAME) == WEBHOOK


def test_what_was_typed_and_is_no_secret_is_said_at_once(desk: Desk) -> None:
    desk.write()

    (problem,) = desk.refused("secrets", piped=SIGNING_SECRET)
    assert problem == (
        "This is no webhook URL, and nothing is stored: it must be an absolute http or https URL"
        ", without spaces or control characters"
    )
    assert "PutParameter" not in desk.aws.operations


def test_a_secret_in_secrets_manager_is_stored_there(desk: Desk) -> None:
    desk.write(SlackWebhookSecretArn=SECRET_ARN, SlackSigningSecretParameter="")

    result = desk.run("secrets")

    assert f"The webhook URL is kept in Secrets Manager ({SECRET_ARN}): store it" in result.stdout


def test_a_secret_that_is_there_and_may_not_be_read_stays_and_the_other_is_asked_for(
    desk: Desk,
) -> None:
    desk.write()
    desk.store_secrets()
    desk.aws.failures["GetParameter"] = [DENIED]

    result = desk.run("secrets", piped=WEBHOOK)

    assert [line.split(" ")[0] for line in result.stdout.splitlines()[1:]] == [
        WEBHOOK_NAME,
        SIGNING_NAME,
    ]
    assert "To replace it: make secrets OVERWRITE=webhook" in result.stdout


def test_which_secret_to_replace_is_not_repeated_where_it_may_be_one(desk: Desk) -> None:
    desk.write()

    result = desk.run("secrets", "--overwrite", WEBHOOK)

    assert result.stderr == (
        "Error: OVERWRITE has to be one of webhook, signing, bot: which to replace\n"
    )


def test_the_bot_token_is_asked_for_where_the_file_names_it(desk: Desk) -> None:
    desk.store_secrets()
    desk.aws.client("ssm").delete_parameter(Name=BOT_NAME)
    desk.write(SlackBotTokenParameter=BOT_NAME, SlackChannel=CHANNEL)

    refused = desk.run("secrets", piped=WEBHOOK)
    stored = desk.run("secrets", piped=BOT_TOKEN)

    assert refused.stderr.startswith("Error: This is no bot token, and nothing is stored: it must")
    assert stored.stdout.splitlines()[-1] == f"The bot token is stored in {BOT_NAME} now."
    assert value_of(desk, BOT_NAME) == BOT_TOKEN
    assert desk.run("deploy").exit_code == 0


def test_without_anything_to_read_that_is_said(desk: Desk) -> None:
    desk.write()

    assert desk.refused("secrets") == ["This is no webhook URL, and nothing is stored: it is empty"]


def test_a_secret_that_ssm_does_not_take(desk: Desk) -> None:
    desk.write()
    desk.aws.failures["PutParameter"] = [DENIED]

    (problem,) = desk.refused("secrets", piped=WEBHOOK)

    assert problem.startswith(f"SSM PutParameter of {WEBHOOK_NAME} failed: {DENIED}. You asked")
    assert problem.endswith(
        'say so with region = "..." in deploy.toml or profile = "..." in deploy.toml'
    )
