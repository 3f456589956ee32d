"""The webhook URL is kept elsewhere: found, cached, rotated, and never shown."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from greenlight.model.errors import SettingsError, SlackWebhookGoneError
from stand_ins.aws import AwsStandIn
from stand_ins.clicks import SIGNING_SECRET, signed, url_event
from stand_ins.codedeploy import add_deployment
from stand_ins.slack import SlackStandIn
from tests.functional.conftest import Invoke, Output
from tests.functional.helpers import EVENT

PARAMETER = "/greenlight/slack-webhook"


@pytest.fixture(autouse=True)
def deployment(aws: AwsStandIn) -> None:
    add_deployment("d-LOCALTEST", aws.client("codedeploy"))


def event(number: int) -> dict[str, Any]:
    return {**EVENT, "DeploymentId": f"d-{number}"}


def put_parameter(aws: AwsStandIn, value: str) -> str:
    ssm = aws.client("ssm")
    ssm.put_parameter(Name=PARAMETER, Value=value, Type="SecureString", Overwrite=True)
    arn: str = ssm.get_parameter(Name=PARAMETER)["Parameter"]["ARN"]
    aws.operations.clear()
    return arn


def create_secret(aws: AwsStandIn, **value: Any) -> str:
    arn: str = aws.client("secretsmanager").create_secret(**{"Name": "slack", **value})["ARN"]
    return arn


def test_an_ssm_parameter_by_name_is_decrypted(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    put_parameter(aws, slack.webhook_url + "\n")

    invoke(EVENT, SLACK_WEBHOOK_URL=PARAMETER)

    assert len(slack.messages) == 1


def test_an_ssm_parameter_by_arn(invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn) -> None:
    arn = put_parameter(aws, slack.webhook_url)

    invoke(EVENT, SLACK_WEBHOOK_URL=arn)

    assert len(slack.messages) == 1


def test_a_secret_that_is_the_url(invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn) -> None:
    arn = create_secret(aws, SecretString=slack.webhook_url)

    invoke(EVENT, SLACK_WEBHOOK_URL=arn)

    assert len(slack.messages) == 1


def test_a_secret_that_is_a_json_object(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    secret = {"SLACK_WEBHOOK_URL": slack.webhook_url, "OTHER": "x"}
    arn = create_secret(aws, SecretString=json.dumps(secret))

    invoke(EVENT, SLACK_WEBHOOK_URL=arn)

    assert len(slack.messages) == 1


def test_a_secret_is_read_once_in_five_minutes(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    put_parameter(aws, slack.webhook_url)
    start = datetime.now(UTC)

    for number, minute in enumerate([0, 1, 4]):
        with time_machine.travel(start + timedelta(minutes=minute)):
            invoke(event(number), SLACK_WEBHOOK_URL=PARAMETER)
    assert aws.operations.count("GetParameter") == 1

    with time_machine.travel(start + timedelta(minutes=6)):
        invoke(event(9), SLACK_WEBHOOK_URL=PARAMETER)
    assert aws.operations.count("GetParameter") == 2


def test_a_rotated_webhook_is_found_at_once(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    put_parameter(aws, slack.webhook_url)
    invoke(event(1), SLACK_WEBHOOK_URL=PARAMETER)
    slack.webhook_paths = {"/services/T0000/B0000/rotated"}
    put_parameter(aws, slack.base_url + "/services/T0000/B0000/rotated")

    assert invoke(event(2), SLACK_WEBHOOK_URL=PARAMETER)["body"]["duplicate"] is False

    assert [path.rpartition("/")[2] for path, _ in slack.posts] == [
        "stand-in-for-a-secret",
        "stand-in-for-a-secret",
        "rotated",
    ]
    invoke(event(3), SLACK_WEBHOOK_URL=PARAMETER)
    assert aws.operations.count("GetParameter") == 1, "the new one is cached in its turn"


def test_a_webhook_that_is_gone_for_good_is_looked_up_once_more_only(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    put_parameter(aws, slack.webhook_url)
    slack.webhook_paths = set()

    with pytest.raises(SlackWebhookGoneError):
        invoke(EVENT, SLACK_WEBHOOK_URL=PARAMETER)

    assert aws.operations.count("GetParameter") == 2
    assert len(slack.posts) == 1, "the same URL would be refused the same way"


def refused(
    invoke: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
    reference: str,
) -> str:
    """Invokes with a webhook reference that leads to nothing; the error's text."""
    with pytest.raises(SettingsError) as failed:
        invoke(EVENT, SLACK_WEBHOOK_URL=reference)
    written = output()
    assert [line["stage"] for line in written.failures] == ["settings"]
    assert "very-secret" not in written.text
    assert (aws.items(), slack.messages) == ([], []), "nothing is half-written"
    assert reference in str(failed.value), "it says where to look"
    return str(failed.value)


def test_a_parameter_that_does_not_exist(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    assert "ParameterNotFound" in refused(invoke, aws, slack, output, PARAMETER)


def test_a_parameter_that_may_not_be_read(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    put_parameter(aws, slack.webhook_url)
    aws.failures["GetParameter"] = ["AccessDeniedException"]

    assert "AccessDeniedException" in refused(invoke, aws, slack, output, PARAMETER)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("very-secret", "absolute http or https URL"),
        ("http://hooks.slack.com/very-secret", "must be https"),
        ('{"URL": "https://hooks.slack.com/very-secret"}', '"SLACK_WEBHOOK_URL"'),
        ('{"SLACK_WEBHOOK_URL": 5, "x": "very-secret"}', '"SLACK_WEBHOOK_URL"'),
        ('{"SLACK_WEBHOOK_URL": "very-secret"', '"SLACK_WEBHOOK_URL"'),
    ],
)
def test_a_parameter_that_holds_no_webhook_url(
    value: str,
    problem: str,
    invoke: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> None:
    put_parameter(aws, value)

    assert problem in refused(invoke, aws, slack, output, PARAMETER)


def test_a_binary_secret(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    arn = create_secret(aws, SecretBinary=b"very-secret")

    assert "must be text" in refused(invoke, aws, slack, output, arn)


# The signing secret, likewise.


def test_a_signing_secret_may_be_kept_in_ssm_or_in_secrets_manager(
    invoke_decision: Invoke, aws: AwsStandIn
) -> None:
    arn = put_parameter(aws, SIGNING_SECRET + "\n")
    places = [
        PARAMETER,
        arn,
        create_secret(aws, SecretString=SIGNING_SECRET),
        create_secret(
            aws, SecretString=json.dumps({"SLACK_SIGNING_SECRET": SIGNING_SECRET}), Name="both"
        ),
    ]

    for place in places:
        request = url_event(b"payload={}", signed(b"payload={}"))
        answer = invoke_decision(request, SLACK_SIGNING_SECRET=place, DYNAMODB_TABLE_NAME="gates")
        assert answer["statusCode"] == 200, place


def test_a_signing_secret_is_read_once_in_five_minutes_however_many_come(
    invoke_decision: Invoke, aws: AwsStandIn
) -> None:
    put_parameter(aws, SIGNING_SECRET)
    request = url_event(b"payload={}", signed(b"payload={}", "of-somebody-else-entirely"))

    for _ in range(5):
        assert invoke_decision(request, SLACK_SIGNING_SECRET=PARAMETER)["statusCode"] == 401

    assert aws.operations.count("GetParameter") == 1


@pytest.mark.parametrize("value", ["very-secret", "very secret", "", '{"X": "very-secret"}'])
def test_a_parameter_that_holds_no_signing_secret_is_an_error_without_it(
    value: str, invoke_decision: Invoke, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    put_parameter(aws, value or " ")

    with pytest.raises(SettingsError):
        invoke_decision(url_event(b"x", signed(b"x")), SLACK_SIGNING_SECRET=PARAMETER)

    written = output()
    (line,) = written.failures
    assert line["stage"] == "settings"
    assert "SLACK_SIGNING_SECRET (SSM parameter /greenlight/slack-webhook)" in line["error"]
    assert "very" not in written.text
