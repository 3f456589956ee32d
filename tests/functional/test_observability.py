"""What is to be seen of an invocation: log lines, metrics and traces, and no secret in any."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine

from greenlight.model.errors import SlackWebhookGoneError
from stand_ins.aws import AwsStandIn
from stand_ins.clicks import SIGNING_SECRET, url_event
from stand_ins.codedeploy import add_deployment
from stand_ins.slack import WEBHOOK_PATH, Answer, SlackStandIn
from tests.conftest import load_event
from tests.functional.conftest import Clicker, Invoke, Output, Process, XRayDaemon
from tests.functional.helpers import EVENT, change

SECRET = WEBHOOK_PATH.rpartition("/")[2]


@pytest.fixture(autouse=True)
def deployment(aws: AwsStandIn) -> None:
    add_deployment("d-LOCALTEST", aws.client("codedeploy"))


def test_every_line_of_the_log_has_the_deployment_id(
    invoke: Invoke, output: Callable[[], Output]
) -> None:
    invoke(EVENT)

    lines = output().lines
    assert lines[0]["message"] == EVENT, "the event itself comes first"
    assert len(lines) > 1
    assert {line["correlation_id"] for line in lines} == {"d-LOCALTEST"}
    assert {line["service"] for line in lines} == {"greenlight"}


def test_the_service_is_named_as_powertools_is_told(environ: dict[str, str]) -> None:
    _, written = Process(EVENT, {**environ, "POWERTOOLS_SERVICE_NAME": "shop-hook"}).finish()

    assert '"service":"shop-hook"' in written
    assert '"service":"greenlight"' not in written


def test_an_opened_gate_is_counted_and_slack_is_timed(
    invoke: Invoke, output: Callable[[], Output]
) -> None:
    invoke(EVENT)

    metrics = output().metrics
    assert metrics["GateOpened", "service=greenlight"] == [1]
    assert metrics["SlackNotified", "service=greenlight"] == [1]
    (milliseconds,) = metrics["SlackLatency", "service=greenlight"]
    assert 0 < milliseconds < 5000
    assert ("GateDuplicate", "service=greenlight") not in metrics


def test_a_duplicate_is_counted_as_one(invoke: Invoke, output: Callable[[], Output]) -> None:
    invoke(EVENT)
    output()

    invoke(EVENT)

    assert output().metrics == {
        ("GateDuplicate", "service=greenlight"): [1],
        ("GateDuplicate", "engine=codedeploy", "service=greenlight"): [1],
    }


def test_a_retry_does_not_count_the_gate_again(
    environ: dict[str, str], slack: SlackStandIn
) -> None:
    slack.script.append(Answer(404, "no_service"))
    Process(EVENT, environ).finish()

    _, written = Process(EVENT, environ, later=60).finish()

    assert '"SlackNotified"' in written
    assert '"GateOpened"' not in written


def test_a_retry_in_the_same_second_does_not_count_the_gate_again(
    invoke: Invoke, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    slack.script.append(Answer(404, "no_service"))
    with time_machine.travel(datetime.now(UTC), tick=False):
        with pytest.raises(SlackWebhookGoneError):
            invoke(EVENT)
        assert output().metrics["GateOpened", "service=greenlight"] == [1]

        invoke(EVENT)

    written = output()
    assert written.metrics["SlackNotified", "service=greenlight"] == [1]
    assert ("GateOpened", "service=greenlight") not in written.metrics


def test_failures_are_counted_with_the_deployment_as_metadata(
    invoke: Invoke, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    slack.script.append(Answer(404, "no_service"))

    with pytest.raises(SlackWebhookGoneError):
        invoke(EVENT)

    written = output()
    assert written.metrics["HookFailed", "service=greenlight", "stage=slack"] == [1]
    blobs = [json.loads(line) for line in written.text.splitlines() if '"HookFailed"' in line]
    assert [blob["deployment_id"] for blob in blobs] == ["d-LOCALTEST", "d-LOCALTEST"]


def test_every_outside_call_has_a_subsegment(in_lambda: dict[str, str], xray: XRayDaemon) -> None:
    body, written = Process(EVENT, in_lambda).finish()

    assert body, written
    segments = xray.segments()
    assert {"## lambda_handler", "Slack", "dynamodb", "codedeploy"} <= segments.keys()
    annotations = segments["## lambda_handler"]["annotations"]
    assert annotations["deployment_id"] == "d-LOCALTEST"
    assert annotations["outcome"] == "opened"
    assert segments["Slack"]["annotations"]["slack_status"] == "200"
    assert segments["Slack"]["namespace"] == "remote"
    assert segments["dynamodb"]["aws"]["operation"] == "UpdateItem"


def test_the_outcome_of_a_duplicate_and_of_a_failure_is_annotated(
    in_lambda: dict[str, str], xray: XRayDaemon, slack: SlackStandIn
) -> None:
    slack.script.append(Answer(404, "no_service"))

    outcomes = []
    for later in (0, 60, 120):
        Process(EVENT, in_lambda, later=later).finish()
        outcomes.append(xray.segments()["## lambda_handler"]["annotations"]["outcome"])

    assert outcomes == ["failed", "opened", "duplicate"]


@pytest.mark.parametrize(
    "answers",
    [
        [Answer()],
        [Answer(503, "busy"), Answer(None), Answer()],
        [Answer(404, f"no {WEBHOOK_PATH}")],
        [Answer(None)] * 3,
    ],
    ids=["taken", "retried", "gone", "unreachable"],
)
@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
def test_no_log_line_metric_or_trace_shows_the_webhook_url(
    answers: list[Answer],
    level: str,
    in_lambda: dict[str, str],
    xray: XRayDaemon,
    slack: SlackStandIn,
) -> None:
    slack.script += answers

    levels = {"POWERTOOLS_LOG_LEVEL": level, "AWS_LAMBDA_LOG_LEVEL": level}
    _, written = Process(EVENT, {**in_lambda, **levels}).finish()

    assert xray.segments()
    assert re.search(r'"level":"INFO"', written)
    assert SECRET not in written
    assert SECRET not in xray.text


def test_tracing_that_lambda_has_turned_off_changes_nothing(in_lambda: dict[str, str]) -> None:
    del in_lambda["_X_AMZN_TRACE_ID"]

    body, written = Process(EVENT, in_lambda).finish()

    assert body, written


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
@pytest.mark.parametrize("answers", [[], [Answer(404, "used_url")], [Answer(None)] * 3])
def test_no_log_line_metric_or_trace_of_a_click_shows_a_secret(
    answers: list[Answer],
    level: str,
    click: Clicker,
    in_lambda: dict[str, str],
    xray: XRayDaemon,
    slack: SlackStandIn,
) -> None:
    slack.script += answers
    environ = {
        **in_lambda,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
        "POWERTOOLS_LOG_LEVEL": level,
        "AWS_LAMBDA_LOG_LEVEL": level,
    }
    event = click.event("approve", reason="what somebody typed")

    _, written = Process(event, environ, module="greenlight.handlers.decision").finish()

    segments = xray.segments()
    assert {"## lambda_handler", "Slack", "dynamodb", "codedeploy"} <= segments.keys()
    assert segments["## lambda_handler"]["annotations"]["outcome"] == "made"
    assert segments["## lambda_handler"]["annotations"]["deployment_id"] == "d-LOCALTEST"
    assert '"Somebody clicked"' in written
    for secret in (SIGNING_SECRET, "/actions/", event["headers"]["x-slack-signature"]):
        assert secret not in written
        assert secret not in xray.text


HANDLERS = ["lamda", "greenlight.handlers.failure", "greenlight.handlers.decision"]


@pytest.mark.parametrize("module", HANDLERS)
def test_no_secret_is_logged_where_everything_is(
    module: str, click: Clicker, in_lambda: dict[str, str], aws: AwsStandIn, slack: SlackStandIn
) -> None:
    secrets = {"/webhook": slack.webhook_url, "/signing": SIGNING_SECRET}
    for name, value in secrets.items():
        aws.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString")
    environ = {
        **in_lambda,
        "SLACK_WEBHOOK_URL": "/webhook",
        "SLACK_SIGNING_SECRET": "/signing",
        "AWS_SECRET_ACCESS_KEY": "key-of-the-session",
        "AWS_SESSION_TOKEN": "token-of-the-session",
        "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
    }
    request = click.event("approve")
    if module == "greenlight.handlers.failure":
        change(aws, "REMOVE notified_at")
    event = {
        "lamda": {**EVENT, "DeploymentId": "d-ANOTHER"},
        "greenlight.handlers.failure": load_event("failure/on_failure_record"),
        "greenlight.handlers.decision": request,
    }[module]
    posts = len(slack.posts)

    _, written = Process(event, environ, module=module).finish()

    assert "GetParameter" in aws.operations, written
    assert len(slack.posts) == posts + 1, written
    assert "DEBUG" in written, "all that the libraries say is there"
    for secret in (
        SECRET,
        SIGNING_SECRET,
        environ["AWS_SECRET_ACCESS_KEY"],
        environ["AWS_SESSION_TOKEN"],
        "/actions/",
        request["headers"]["x-slack-signature"],
    ):
        assert secret not in written


@pytest.mark.parametrize("sender", ["Slack", "a stranger"])
def test_no_setting_makes_the_request_of_a_click_be_logged(
    sender: str, click: Clicker, environ: dict[str, str]
) -> None:
    event = click.event("approve", reason="what somebody typed")
    if sender == "a stranger":
        event = url_event(b"what a stranger sent", event["headers"], encoded=False)
    environ = {**environ, "POWERTOOLS_LOGGER_LOG_EVENT": "true"}

    _, written = Process(event, environ, module="greenlight.handlers.decision").finish()

    assert '"service":"greenlight"' in written
    assert event["body"] not in written
    assert event["headers"]["x-slack-signature"] not in written
