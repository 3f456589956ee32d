"""`greenlight secrets`: what is typed is stored, encrypted, and seen nowhere."""

import json
import os
import pty
import subprocess
import sys
import traceback
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from greenlight.model.errors import GreenlightError
from greenlight_cli import secrets
from greenlight_cli.main import main
from stand_ins.aws import AwsStandIn
from stand_ins.clicks import SIGNING_SECRET
from stand_ins.codedeploy import REGION
from tests.conftest import ROOT
from tests.functional.helpers import ARN, WEBHOOK

WEBHOOK_NAME = "/greenlight/slack-webhook"
SIGNING_NAME = "/greenlight/slack-signing-secret"
KEY = "alias/greenlight"

Run = Callable[..., Result]


@pytest.fixture
def greenlight(aws: AwsStandIn, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command, with what a pipe holds; no test may find a secret in what it says."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DYNAMODB_TABLE_NAME")

    def run(*arguments: str, piped: str | bytes = "") -> Result:
        result = CliRunner().invoke(main, ["secrets", *arguments], input=piped)
        for secret in (WEBHOOK, SIGNING_SECRET, "secret-path"):
            assert secret not in result.output
        return result

    return run


def stored(aws: AwsStandIn, name: str) -> Any:
    return aws.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]


def encrypted_with(aws: AwsStandIn, name: str) -> str:
    (parameter,) = aws.client("ssm").describe_parameters(
        ParameterFilters=[{"Key": "Name", "Values": [name]}]
    )["Parameters"]
    return str(parameter["KeyId"])


@pytest.mark.parametrize(
    ("kind", "name", "title", "secret"),
    [
        ("webhook", WEBHOOK_NAME, "webhook URL", WEBHOOK),
        ("signing", SIGNING_NAME, "signing secret", SIGNING_SECRET),
    ],
)
def test_what_a_pipe_holds_is_stored_encrypted_under_the_name_of_the_template(
    kind: str, name: str, title: str, secret: str, greenlight: Run, aws: AwsStandIn
) -> None:
    result = greenlight(kind, piped=f" {secret}\n")

    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"The {title} is stored in {name} (version 1) in {REGION}, by {ARN}.\n"
    parameter = stored(aws, name)
    assert (parameter["Value"], parameter["Type"]) == (secret, "SecureString")
    assert encrypted_with(aws, name) == "alias/aws/ssm"


def test_json_is_for_scripts(greenlight: Run) -> None:
    result = greenlight("webhook", "--json", piped=WEBHOOK)

    assert json.loads(result.stdout) == {
        "name": WEBHOOK_NAME,
        "version": 1,
        "region": REGION,
        "caller": ARN,
    }


def test_a_name_and_a_key_of_ones_own(greenlight: Run, aws: AwsStandIn) -> None:
    assert (
        greenlight("signing", "--name", "/a/b", "--key", KEY, piped=SIGNING_SECRET).exit_code == 0
    )

    assert stored(aws, "/a/b")["Value"] == SIGNING_SECRET
    assert encrypted_with(aws, "/a/b") == KEY


def test_what_is_stored_is_replaced_only_when_told_to(greenlight: Run, aws: AwsStandIn) -> None:
    greenlight("webhook", piped="https://hooks.slack.com/services/T0/B0/first")

    again = greenlight("webhook", piped=WEBHOOK)

    assert again.exit_code == 1
    assert again.stderr == (
        f"greenlight: SSM has {WEBHOOK_NAME} already, and it stays as it is. "
        "To replace it, add --overwrite\n"
    )
    assert stored(aws, WEBHOOK_NAME)["Value"] == "https://hooks.slack.com/services/T0/B0/first"
    assert "(version 2)" in greenlight("webhook", "--overwrite", piped=WEBHOOK).stdout
    assert stored(aws, WEBHOOK_NAME)["Value"] == WEBHOOK


@pytest.mark.parametrize(
    ("kind", "piped", "problem"),
    [
        ("webhook", "", "it is empty"),
        ("webhook", SIGNING_SECRET, "it must be an absolute http or https URL"),
        ("webhook", WEBHOOK.replace("https:", "http:"), "it must be https"),
        ("webhook", f"{WEBHOOK}\n{WEBHOOK}", "it must be an absolute http or https URL"),
        ("webhook", WEBHOOK.encode() + b"\xff", "it must be an absolute http or https URL"),
        ("signing", "", "it is empty"),
        (
            "webhook",
            "https://hooks.slack.com/services/",
            "it must be https://hooks.slack.com/services/T",
        ),
        ("signing", WEBHOOK, "it must be a signing secret: 16 to 128 letters and digits"),
        ("signing", SIGNING_SECRET[:15], "it must be a signing secret"),
        ("signing", SIGNING_SECRET.encode() + b"\xff", "it must be a signing secret"),
    ],
)
def test_what_is_no_secret_of_its_kind_is_not_stored(
    kind: str, piped: str | bytes, problem: str, greenlight: Run, aws: AwsStandIn
) -> None:
    result = greenlight(kind, piped=piped)

    title = secrets.KINDS[kind].title
    assert result.exit_code == 1
    assert result.stderr.startswith(
        f"greenlight: This is no {title}, and nothing is stored: {problem}"
    )
    assert result.stderr.count("\n") == 1
    assert "PutParameter" not in aws.operations


@pytest.mark.parametrize(
    "arguments",
    [[], [WEBHOOK], ["webhook", WEBHOOK], ["signing", "--name", WEBHOOK], ["webhook", "signing"]],
    ids=str,
)
def test_a_wrong_command_line_stores_nothing_and_repeats_no_secret(
    arguments: list[str], greenlight: Run, aws: AwsStandIn
) -> None:
    result = greenlight(*arguments, piped=WEBHOOK)

    assert result.exit_code == 2
    assert "Say which: webhook, signing, bot." in result.stderr or "begins with /" in result.stderr
    assert aws.operations == []


def test_who_is_not_known_to_aws_is_told_before_anything_is_asked(
    greenlight: Run, aws: AwsStandIn
) -> None:
    aws.failures["GetCallerIdentity"] = ["ExpiredToken"]

    result = greenlight("webhook", piped="")

    assert result.exit_code == 1
    assert "The credentials in the environment have expired" in result.stderr


def test_what_ssm_does_not_take_is_an_error_with_what_to_do(
    greenlight: Run, aws: AwsStandIn
) -> None:
    aws.failures["PutParameter"] = ["AccessDeniedException"]

    result = greenlight("webhook", piped=WEBHOOK)

    assert result.exit_code == 1
    assert result.stderr.startswith(
        f"greenlight: SSM PutParameter of {WEBHOOK_NAME} failed: AccessDeniedException. "
        "You asked account 123456789012"
    )


def test_a_lost_answer_is_no_reason_to_say_that_it_was_there_before(
    greenlight: Run, aws: AwsStandIn
) -> None:
    aws.lost_answers["PutParameter"] = 1

    result = greenlight("webhook", piped=WEBHOOK)

    assert result.exit_code == 1
    assert f"SSM PutParameter of {WEBHOOK_NAME} failed" in result.stderr
    assert aws.operations.count("PutParameter") == 1


@pytest.mark.parametrize("code", ["ValidationException", "ParameterAlreadyExists"])
def test_no_traceback_has_the_secret_though_aws_may_quote_it(code: str) -> None:
    class Ssm:
        def put_parameter(self, **parameters: Any) -> None:
            sentence = f"Value '{parameters['Value']}' failed"
            raise ClientError({"Error": {"Code": code, "Message": sentence}}, "PutParameter")

    with pytest.raises(GreenlightError) as caught:
        secrets.store(Ssm(), WEBHOOK_NAME, WEBHOOK, None, overwrite=False)

    assert "secret-path" not in "".join(traceback.format_exception(caught.value))
    assert "secret-path" not in repr(caught.value)


def test_a_terminal_does_not_show_what_is_typed(aws: AwsStandIn, environ: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from greenlight_cli.main import main; main()",
            "secrets",
            "webhook",
        ],
        env={
            **{name: value for name, value in os.environ.items() if name.startswith("COV")},
            **environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "function"), str(ROOT / "cli")]),
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        shown = b""
        while b"(not shown)" not in shown:
            shown += os.read(ours, 1000)
        os.write(ours, f"{WEBHOOK}\n".encode())
        while b"is stored in" not in shown:
            shown += os.read(ours, 1000)
    os.close(ours)

    assert process.returncode == 0
    assert b"webhook URL (not shown): " in shown
    assert b"secret-path" not in shown
    assert stored(aws, WEBHOOK_NAME)["Value"] == WEBHOOK
