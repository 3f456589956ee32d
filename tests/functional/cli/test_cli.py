"""The command `greenlight`: the same use cases, from a terminal, in a way that scripts can use."""

import json
import shlex
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner, Result
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.dynamo_type import DynamoType

from greenlight.model.errors import EngineError
from greenlight_cli.main import main
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.clicks import BOB
from stand_ins.codedeploy import REGION, add_deployment, deployments, give_up, set_status, stop
from tests.conftest import ROOT, load_event
from tests.functional.conftest import Clicker, Invoke
from tests.functional.helpers import (
    ARN,
    EVENT,
    HOOK,
    REPORT,
    answer_elsewhere,
    change,
    events,
    gate,
    whole,
    without_index,
)

Run = Callable[..., Result]


@pytest.fixture
def greenlight(click: Clicker, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command, while a gate waits; its exit code, output and error output."""
    monkeypatch.setenv("DYNAMODB_TABLE_NAME", TABLE)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments, catch_exceptions=False)

    return run


@pytest.fixture
def aws_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only AWS config file there is."""
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return tmp_path / "config"


@pytest.mark.parametrize(
    ("verdict", "status", "reported"),
    [("approve", "APPROVED", "Succeeded"), ("reject", "REJECTED", "Failed")],
)
def test_a_gate_is_decided_by_the_caller(
    verdict: str, status: str, reported: str, greenlight: Run, aws: AwsStandIn
) -> None:
    result = greenlight(verdict, "d-LOCALTEST", "--reason", "  tried it all  ")

    assert result.exit_code == 0
    assert result.stdout == f"d-LOCALTEST is {status} (tried it all); CodeDeploy knows.\n"
    assert result.stderr == ""
    assert aws.reports == {HOOK: reported}
    item = gate(aws)
    assert (item["status"], item["decided_by"], item["decided_via"]) == (status, ARN, "cli")
    assert item["reason"] == "tried it all"
    assert item["reported_at"]
    assert events(aws) == ["opened", "notified", "decided", "reported"]


def test_the_command_in_the_message_works_as_it_is(
    click: Clicker, greenlight: Run, aws: AwsStandIn
) -> None:
    approve, reject = (
        block["text"]["text"].split("```")[1]
        for block in click.message["blocks"]
        if "```greenlight" in whole(block)
    )

    assert shlex.split(reject)[-2:] == ["--reason", "거부 이유"]
    assert greenlight(*shlex.split(approve)[1:]).exit_code == 0
    assert aws.reports == {HOOK: "Succeeded"}


def test_the_message_in_slack_says_who_decided_at_a_terminal(
    click: Clicker, greenlight: Run
) -> None:
    greenlight("reject", "d-LOCALTEST", "--reason", "no <b>")

    replaced, notice = click("approve", BOB)

    for message in (replaced, notice):
        assert f"*거부*: `{ARN}`" in whole(message)
        assert "no &lt;b&gt;" in whole(message)


def test_deciding_twice_is_done_and_deciding_otherwise_is_not(
    greenlight: Run, aws: AwsStandIn
) -> None:
    greenlight("approve", "d-LOCALTEST")

    again = greenlight("approve", "d-LOCALTEST")
    otherwise = greenlight("reject", "d-LOCALTEST", "--reason", "no")

    assert (again.exit_code, otherwise.exit_code) == (0, 4)
    for result in (again, otherwise):
        assert result.stdout.startswith(f"d-LOCALTEST was APPROVED by {ARN} (cli), ")
        assert result.stdout.endswith("; nothing has changed.\n")
    assert aws.operations.count(REPORT) == 1


def test_json_is_for_scripts(greenlight: Run) -> None:
    decided = json.loads(greenlight("approve", "d-LOCALTEST", "--json").stdout)
    shown = json.loads(greenlight("show", "d-LOCALTEST", "--json").stdout)

    assert decided.pop("effect") == "made"
    assert decided == shown
    assert shown["status"] == "APPROVED"
    assert shown["decided_by"] == ARN
    assert shown["failed_at"] is None
    assert datetime.fromisoformat(shown["reported_at"]).tzinfo is not None
    assert [entry["event"] for entry in shown["history"]] == [
        "opened",
        "notified",
        "decided",
        "reported",
    ]


def test_what_happened_elsewhere_is_found_out(greenlight: Run, aws: AwsStandIn) -> None:
    answer_elsewhere(aws, "Failed")

    result = greenlight("approve", "d-LOCALTEST")

    assert result.exit_code == 4
    assert "CodeDeploy had its answer to d-LOCALTEST from elsewhere: it is REJECTED" in (
        result.stdout
    )


def test_a_deadline_that_passed_is_found_out(greenlight: Run, aws: AwsStandIn) -> None:
    give_up("d-LOCALTEST")
    aws.reports[HOOK] = "Failed"

    assert greenlight("approve", "d-LOCALTEST").exit_code == 4
    result = greenlight("show", "d-LOCALTEST")
    assert "EXPIRED" in result.stdout


def test_a_gate_that_failed_is_said_to_have(
    greenlight: Run, invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    change(aws, "REMOVE notified_at")
    invoke_failure(load_event("failure/on_failure_record"))

    result = greenlight("approve", "d-LOCALTEST")

    assert result.exit_code == 4
    assert "was FAILED" in result.stdout
    assert "by Greenlight" in result.stdout


def test_codedeploy_that_cannot_be_told_is_an_exit_code_of_its_own(
    greenlight: Run, aws: AwsStandIn
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]

    result = greenlight("approve", "d-LOCALTEST", "--json")

    assert result.exit_code == 5
    assert result.stdout == ""
    error = json.loads(result.stderr)
    assert error["type"] == "DecisionUnreportedError"
    assert error["reason"] == "ServiceUnavailableException"
    assert "run this again" in error["error"]
    aws.failures.clear()
    assert greenlight("approve", "d-LOCALTEST").exit_code == 0
    assert aws.reports == {HOOK: "Succeeded"}


@pytest.mark.parametrize(
    "reason",
    [
        "DeploymentDoesNotExistException",
        "InvalidDeploymentIdException",
        "InvalidLifecycleEventHookExecutionIdException",
    ],
)
def test_a_deployment_that_codedeploy_does_not_know_is_not_said_to_wait(
    reason: str, greenlight: Run, aws: AwsStandIn
) -> None:
    aws.failures[REPORT] = [reason]

    result = greenlight("approve", "d-LOCALTEST")

    assert result.exit_code == 5
    assert "d-LOCALTEST is APPROVED, but CodeDeploy does not know the deployment" in result.stderr
    assert reason in result.stderr
    assert "waiting" not in result.stderr


def test_an_answer_that_cannot_be_read_is_to_be_asked_for_again(
    greenlight: Run, aws: AwsStandIn
) -> None:
    answer_elsewhere(aws, "Failed")
    aws.failures["GetDeploymentTarget"] = ["AccessDeniedException"]

    result = greenlight("approve", "d-LOCALTEST")

    assert result.exit_code == 5
    assert "CodeDeploy has an answer already, and does not say which: run this" in result.stderr


def test_who_decides_in_a_wrong_region_or_account_is_told_where(
    greenlight: Run, aws: AwsStandIn
) -> None:
    del deployments()["d-LOCALTEST"]

    result = greenlight("approve", "d-LOCALTEST")

    assert result.exit_code == 5
    assert f"You asked account 123456789012 in region {REGION}, as {ARN}" in result.stderr


def test_an_unreported_decision_is_shown_and_listed_as_one(
    greenlight: Run, aws: AwsStandIn
) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]
    greenlight("approve", "d-LOCALTEST")

    assert "APPROVED, not reported" in greenlight("show", "d-LOCALTEST").stdout
    assert "APPROVED, not reported" in greenlight("list").stdout
    otherwise = greenlight("reject", "d-LOCALTEST", "--reason", "no")
    assert otherwise.exit_code == 5
    assert "run this again with the same decision" in otherwise.stdout


def test_a_deployment_that_nobody_knows(greenlight: Run) -> None:
    for command in (["show"], ["approve"], ["reject", "--reason", "no"]):
        result = greenlight(*command, "d-NOBODY")

        assert result.exit_code == 3
        assert result.stdout == ""
        assert result.stderr.startswith("greenlight: There is no gate of d-NOBODY in the table")
    assert "\x1b" not in greenlight("show", "d-\x1b[31m").stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["reject", "d-LOCALTEST"], "Missing option '--reason'"),
        (["reject", "d-LOCALTEST", "--reason", " "], "a reason has 1 to 1000 characters"),
        (["approve", "d-LOCALTEST", "--reason", "x" * 1001], "a reason has 1 to 1000 characters"),
        (["approve", "d-LOCALTEST", "--reason", "\udcec\udca2"], "in this terminal's encoding"),
        (["approve"], "Missing argument 'DEPLOYMENT_ID'"),
        (["undo", "d-LOCALTEST"], "No such command 'undo'"),
    ],
)
def test_a_wrong_command_line_changes_nothing(
    arguments: list[str], problem: str, greenlight: Run, aws: AwsStandIn
) -> None:
    result = greenlight(*arguments)

    assert result.exit_code == 2
    assert problem in result.stderr
    assert aws.operations == []


def test_without_a_table_it_says_what_to_set(
    greenlight: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DYNAMODB_TABLE_NAME")

    result = greenlight("list")

    assert result.exit_code == 2
    assert "Missing option '--table' (env var: 'DYNAMODB_TABLE_NAME')" in result.stderr
    malformed = greenlight("list", "--table", "gates!")
    assert malformed.exit_code == 1
    assert "is not a DynamoDB table name or ARN" in malformed.stderr


@pytest.mark.parametrize(
    ("options", "variables", "access_key"),
    [
        ([], {"AWS_PROFILE": "shop"}, "stand-in"),
        (["--profile", "shop"], {}, "of-shop"),
        (["--profile", "shop"], {"AWS_PROFILE": "nobody"}, "of-shop"),
        ([], {"AWS_PROFILE": "shop", "AWS_ACCESS_KEY_ID": ""}, "of-shop"),
    ],
    ids=str,
)
def test_credentials_in_the_environment_come_before_aws_profile_and_after_profile(
    options: list[str],
    variables: dict[str, str],
    access_key: str,
    greenlight: Run,
    aws: AwsStandIn,
    aws_config: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws_config.write_text(
        "[profile shop]\naws_access_key_id = of-shop\naws_secret_access_key = secret\n"
    )
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    aws.access_keys.clear()

    assert greenlight("show", "d-LOCALTEST", *options).exit_code == 0

    assert aws.access_keys == {access_key}


SSO = """\
[profile {}]
sso_session = greenlight-test
sso_account_id = 123456789012
sso_role_name = approver
[sso-session greenlight-test]
sso_region = ap-northeast-2
sso_start_url = https://greenlight-test.awsapps.com/start
"""


@pytest.mark.parametrize(
    ("options", "variables", "profile", "command"),
    [
        (["--profile", "my shop"], {}, "my shop", "aws sso login --profile 'my shop'"),
        ([], {"AWS_PROFILE": "shop"}, "shop", "aws sso login --profile shop"),
        ([], {}, "default", "aws sso login"),
    ],
)
def test_who_is_not_signed_in_is_told_how(
    options: list[str],
    variables: dict[str, str],
    profile: str,
    command: str,
    greenlight: Run,
    aws_config: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws_config.write_text(SSO.format(shlex.quote(profile)).replace("profile default", "default"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    for arguments in (["list"], ["show", "d-LOCALTEST"], ["approve", "d-LOCALTEST"]):
        result = greenlight(*arguments, *options)

        assert result.exit_code == 1
        assert "SSOTokenLoadError" in result.stderr
        assert result.stderr.endswith(f"Run: {command}\n")
        assert result.stderr.count("\n") == 1


def test_who_has_no_credentials_is_told_how_to_get_some(
    greenlight: Run, aws_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    result = greenlight("list")

    assert result.exit_code == 1
    assert "NoCredentialsError. Run: aws configure sso (or name a profile" in result.stderr


@pytest.mark.parametrize(
    ("options", "code", "advice"),
    [
        ([], "ExpiredTokenException", "in the environment have expired: set new ones"),
        (["--profile", "shop"], "ExpiredTokenException", "say by: aws sso login --profile shop"),
        ([], "UnrecognizedClientException", "Run: aws sts get-caller-identity\n"),
    ],
)
def test_credentials_that_aws_does_not_take_any_more_are_said_to_be_so(
    options: list[str], code: str, advice: str, greenlight: Run, aws: AwsStandIn, aws_config: Path
) -> None:
    aws_config.write_text("[profile shop]\naws_access_key_id = a\naws_secret_access_key = b\n")
    aws.failures["GetItem"] = [code]

    result = greenlight("show", "d-LOCALTEST", *options)

    assert result.exit_code == 1
    assert code in result.stderr
    assert advice in result.stderr


def test_a_wrong_region_or_account_is_told_where_it_asked(greenlight: Run, aws: AwsStandIn) -> None:
    for arguments in (["list"], ["show", "d-LOCALTEST"], ["approve", "d-LOCALTEST"]):
        result = greenlight(*arguments, "--region", "us-east-1")

        assert result.exit_code == 1
        assert "ResourceNotFoundException. You asked account 123456789012" in result.stderr
        assert f"in region us-east-1, as {ARN}. If it is elsewhere" in result.stderr
        assert "--region or --profile" in result.stderr


def test_where_aws_does_not_say_who_asks_the_region_is_told(
    greenlight: Run, aws: AwsStandIn
) -> None:
    aws.failures |= {"GetItem": ["AccessDeniedException"], "GetCallerIdentity": ["AccessDenied"]}

    result = greenlight("show", "d-LOCALTEST")

    assert result.exit_code == 1
    assert f"You asked region {REGION} (as whom, is not known: AccessDenied)" in result.stderr


@pytest.mark.parametrize("file", ["config", "credentials"])
def test_a_broken_aws_config_file_is_named(file: str, greenlight: Run, aws_config: Path) -> None:
    broken = aws_config.with_name(file)
    broken.write_text("this is no config")
    aws_config.touch()

    result = greenlight("list", "--profile", "default")

    assert result.exit_code == 1
    assert f"Unable to parse config file: {broken}. Mend that file" in result.stderr


@pytest.mark.parametrize(
    ("config", "variables", "problem"),
    [
        ("credential_process = /no/such/program", {}, "No such file or directory"),
        ("credential_process = sh -c 'echo no >&2; false'", {}, "custom-process: no"),
        ("credential_process = echo", {}, "Expecting value"),
        ("sso_account_id = 123456789012", {}, "missing required configuration"),
        ("", {"AWS_ENDPOINT_URL": "nowhere"}, "Invalid endpoint: nowhere"),
        ("", {"AWS_REGION": "no region"}, "doesn't match a supported format"),
    ],
)
def test_an_aws_configuration_that_does_not_work_is_one_line(
    config: str,
    variables: dict[str, str],
    problem: str,
    greenlight: Run,
    aws_config: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws_config.write_text(f"[default]\n{config}\n")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    result = greenlight("list", "--profile", "default")

    assert result.exit_code == 1
    assert result.stderr.startswith("greenlight: Settings are wrong: no AWS client can be made: ")
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_a_region_or_with_an_unknown_profile_it_says_so(
    greenlight: Run, aws_config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = greenlight("list", "--profile", "nobody")
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    region = greenlight("list")

    assert (profile.exit_code, region.exit_code) == (1, 1)
    assert "(nobody) could not be found. See which there are. Run: aws configure" in profile.stderr
    assert "no AWS region is set (AWS_REGION). Name one with --region" in region.stderr


@pytest.mark.parametrize("code", ["ExpiredToken", "InternalFailure"])
def test_a_caller_that_aws_does_not_know_decides_nothing(
    code: str, greenlight: Run, aws: AwsStandIn, sleeps: list[float]
) -> None:
    aws.failures["GetCallerIdentity"] = [code] * 9

    result = greenlight("approve", "d-LOCALTEST")

    assert result.exit_code == 1
    assert f"AWS does not say whose credentials these are: {code}" in result.stderr
    assert gate(aws)["status"] == "WAITING"


def test_aws_out_of_reach(
    greenlight: Run, monkeypatch: pytest.MonkeyPatch, aws: AwsStandIn, sleeps: list[float]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")

    result = greenlight("approve", "d-LOCALTEST", "--json")

    assert result.exit_code == 1
    error = json.loads(result.stderr)
    assert error["reason"] == "EndpointConnectionError"
    assert f"is {REGION} the region (--region)?" in error["error"]
    assert gate(aws)["status"] == "WAITING"


def test_a_gate_can_be_shown(greenlight: Run) -> None:
    greenlight("reject", "d-LOCALTEST", "--reason", "[red]broken[/red] \x1b[31m")

    shown = greenlight("show", "d-LOCALTEST").stdout

    for text in ("d-LOCALTEST", "shop/shop-blue-green", "REJECTED", ARN, "opened", "reported"):
        assert text in shown
    assert "https://shop.green.example.com/?release=d-LOCALTEST" in shown
    assert "[red]broken[/red] �[31m" in shown, "no markup, and nothing a terminal obeys"
    assert "\x1b" not in shown


def test_what_happened_to_a_gate_is_shown_once_and_when(greenlight: Run, aws: AwsStandIn) -> None:
    greenlight("approve", "d-LOCALTEST", "--reason", "tried it all")

    shown = greenlight("show", "d-LOCALTEST").stdout

    decided = f"decided (status: APPROVED, by: {ARN}, via: cli, reason: tried it all)"
    for text in ("decided", ARN, "tried it all", "deadline"):
        assert shown.count(text) == 1
    story = [line.strip() for line in shown.partition("\n\n")[2].splitlines()]
    assert [line.split("  ")[1] for line in story] == [
        "opened",
        "notified",
        decided,
        "reported (status: APPROVED)",
    ]
    times = [datetime.fromisoformat(entry["at"]).astimezone() for entry in gate(aws)["history"]]
    assert [line.split("  ")[0] for line in story] == [
        f"{time:%Y-%m-%d %H:%M:%S %Z}" for time in times
    ]


def test_a_gate_of_which_codedeploy_said_nothing_is_shown_and_listed_without(
    greenlight: Run, aws: AwsStandIn
) -> None:
    change(aws, "REMOVE application, deployment_group")

    assert "service" not in greenlight("show", "d-LOCALTEST").stdout
    assert greenlight("list").stdout.splitlines()[1].split()[:2] == ["d-LOCALTEST", "WAITING"]
    assert "None" not in greenlight("list").stdout


def open_gates(invoke: Invoke, aws: AwsStandIn, *minutes_ago: int) -> None:
    now = datetime.now(UTC)
    for minutes in minutes_ago:
        with time_machine.travel(now - timedelta(minutes=minutes), tick=False):
            name = f"shop-{minutes}"
            add_deployment(f"d-{minutes}", aws.client("codedeploy"), application=name)
            invoke({**EVENT, "DeploymentId": f"d-{minutes}"})


def listed(result: Result) -> list[str]:
    return [one["deployment_id"] for one in json.loads(result.stdout)]


def test_what_waits_is_listed_soonest_deadline_first(
    greenlight: Run, invoke: Invoke, aws: AwsStandIn
) -> None:
    open_gates(invoke, aws, 20, 40, 61, 30)
    greenlight("approve", "d-30")
    aws.operations.clear()

    result = greenlight("list")

    assert result.exit_code == 0
    rows = [line for line in result.stdout.splitlines() if "d-" in line and "WAITING" in line]
    assert [row.split()[0] for row in rows] == ["d-40", "d-20", "d-LOCALTEST"]
    assert rows[0].split() == ["d-40", "WAITING", "19", "min", "shop-40/shop-blue-green"]
    assert rows[1].split() == ["d-20", "WAITING", "39", "min", "shop-20/shop-blue-green"]
    assert listed(greenlight("list", "--json")) == ["d-40", "d-20", "d-LOCALTEST"]
    assert "Scan" not in aws.operations


def test_what_is_decided_and_not_reported_is_listed_by_its_deadline_too(
    greenlight: Run, invoke: Invoke, aws: AwsStandIn
) -> None:
    open_gates(invoke, aws, 20, 40)
    aws.failures[REPORT] = ["ServiceUnavailableException"]
    greenlight("approve", "d-40")

    assert listed(greenlight("list", "--json")) == ["d-40", "d-20", "d-LOCALTEST"]


def test_a_hook_that_could_not_be_failed_yet_is_listed_too(
    greenlight: Run, invoke_failure: Invoke, aws: AwsStandIn
) -> None:
    change(aws, "REMOVE notified_at")
    aws.failures[REPORT] = ["AccessDeniedException"]
    with pytest.raises(EngineError):
        invoke_failure(load_event("failure/on_failure_record"))

    assert "FAILED, not reported" in greenlight("list").stdout
    invoke_failure(load_event("failure/on_failure_record"))
    assert greenlight("list").stdout == "Nothing waits.\n"


def test_a_gate_that_is_decided_while_the_list_is_made_is_in_it_once(
    greenlight: Run, aws: AwsStandIn
) -> None:
    def decide(operation: str) -> None:
        if operation == "Query":  # past the stand-in's lock, in the middle of the call
            moto = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_table(TABLE)
            item = moto.get_item(DynamoType({"S": "d-LOCALTEST"}), None)
            assert item
            item.attrs["status"] = DynamoType({"S": "APPROVED"})

    aws.after = decide

    (found,) = json.loads(greenlight("list", "--json").stdout)

    assert (found["deployment_id"], found["status"]) == ("d-LOCALTEST", "APPROVED")


def test_what_codedeploy_has_ended_does_not_wait(
    greenlight: Run, invoke: Invoke, aws: AwsStandIn
) -> None:
    open_gates(invoke, aws, 10, 15, 20, 25, 30, 40)
    give_up("d-10")
    stop("d-15")
    set_status("d-20", "Failed")
    set_status("d-25", "Succeeded")
    set_status("d-30", "Ready")
    aws.operations.clear()

    result = greenlight("list", "--json")

    assert listed(result) == ["d-40", "d-30", "d-LOCALTEST"]
    assert result.stderr == ""
    assert aws.operations.count("GetDeployment") == 7, "once for each"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_gate_that_codedeploy_says_nothing_of_is_shown_as_it_is_and_said_to_be(
    options: list[str], greenlight: Run, invoke: Invoke, aws: AwsStandIn
) -> None:
    open_gates(invoke, aws, 20, 40)
    del deployments()["d-20"]
    aws.failures["GetDeployment"] = ["AccessDeniedException"]

    result = greenlight("list", *options)

    assert result.exit_code == 0
    for deployment_id in ("d-20", "d-40", "d-LOCALTEST"):
        assert deployment_id in result.stdout
    note = json.loads(result.stderr)["note"] if options else result.stderr
    assert (
        "CodeDeploy does not say whether 2 of these have ended (AccessDeniedException, "
        "DeploymentDoesNotExistException): they are shown as the table has them"
    ) in note
    assert result.stderr.count("\n") == 1


def test_codedeploy_is_asked_about_a_list_only_as_long_as_there_is_time(
    greenlight: Run, invoke: Invoke, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("greenlight_cli.main.ASKED_BY", 0.0)
    aws.operations.clear()

    result = greenlight("list")

    assert "d-LOCALTEST" in result.stdout
    assert "(no time was left): they are shown as the table has them" in result.stderr
    assert "GetDeployment" not in aws.operations


def test_a_list_of_many_pages_is_whole(
    greenlight: Run, invoke: Invoke, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("moto.dynamodb.models.table.RESULT_SIZE_LIMIT", 1000)
    open_gates(invoke, aws, *range(1, 9))

    assert len(listed(greenlight("list", "--json"))) == 9
    assert aws.operations.count("Query") > 3


def test_an_empty_list_is_said_to_be_empty(greenlight: Run) -> None:
    greenlight("approve", "d-LOCALTEST")

    result = greenlight("list")

    assert (result.exit_code, result.stdout) == (0, "Nothing waits.\n")
    assert json.loads(greenlight("list", "--json").stdout) == []


def test_a_table_without_the_index_cannot_list_and_does_everything_else(
    greenlight: Run, aws: AwsStandIn
) -> None:
    without_index(aws)
    aws.operations.clear()

    result = greenlight("list")

    assert result.exit_code == 1
    assert f"The table {TABLE} has no index status-deadline" in result.stderr
    assert "Scan" not in aws.operations
    assert greenlight("show", "d-LOCALTEST").exit_code == 0
    assert greenlight("approve", "d-LOCALTEST").exit_code == 0


def test_an_index_that_is_not_ready_yet_is_as_good_as_none(
    greenlight: Run, aws: AwsStandIn
) -> None:
    (index,) = dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].get_table(TABLE).global_indexes
    index.status = "CREATING"

    assert "has no index status-deadline" in greenlight("list").stderr


def test_a_list_that_may_not_be_read_is_another_error(greenlight: Run, aws: AwsStandIn) -> None:
    aws.failures["Query"] = ["AccessDeniedException"]

    result = greenlight("list", "--json")

    assert result.exit_code == 1
    assert json.loads(result.stderr)["type"] == "TableError"


def test_its_version_is_that_of_what_is_installed(
    greenlight: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    installed = tmp_path / f"{project['name'].replace('-', '_')}-7.8.9.dist-info"
    installed.mkdir()
    installed.joinpath("METADATA").write_text(f"Name: {project['name']}\nVersion: 7.8.9\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert greenlight("--version").stdout == "main, version 7.8.9\n"


def test_help_names_the_exit_codes(greenlight: Run) -> None:
    text = greenlight("--help").stdout

    assert "approve" in text
    assert "Exit codes: 0 done" in text
    assert "DYNAMODB_TABLE_NAME" in greenlight("approve", "--help").stdout


def test_what_went_wrong_on_the_way_is_said_on_standard_error(
    greenlight: Run, aws: AwsStandIn, sleeps: list[float]
) -> None:
    def fail(operation: str) -> Any:
        if operation == REPORT:
            aws.failures["UpdateItem"] = ["InternalServerError"] * 3

    aws.after = fail

    result = greenlight("approve", "d-LOCALTEST")

    assert result.exit_code == 0
    assert result.stderr == "greenlight: That the engine knows is not written down\n"
