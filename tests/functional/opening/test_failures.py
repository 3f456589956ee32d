"""Every way in which the hook can fail, seen failing well.

Each failure is logged once with its stage, counted in all and by stage, and raised, so that Lambda
tries again; and none of them shows the webhook URL.
"""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import requests
import requests_mock

from greenlight.model.errors import (
    EventError,
    GateBusyError,
    GreenlightError,
    SettingsError,
    SlackError,
    SlackRefusedError,
    SlackWebhookGoneError,
    TableError,
)
from stand_ins.aws import AwsStandIn
from stand_ins.codedeploy import add_deployment
from stand_ins.slack import WEBHOOK_PATH, Answer, SlackStandIn
from tests.conftest import load_event
from tests.functional.conftest import Invoke, Output
from tests.functional.helpers import EVENT

SECRET = WEBHOOK_PATH.rpartition("/")[2]


@pytest.fixture(autouse=True)
def deployment(aws: AwsStandIn) -> None:
    add_deployment("d-LOCALTEST", aws.client("codedeploy"))


@pytest.fixture
def fails(
    invoke: Invoke,
    output: Callable[[], Output],
    caplog: pytest.LogCaptureFixture,
    sleeps: list[float],
) -> Callable[..., GreenlightError]:
    """Invokes the hook, which must fail well; gives the error."""

    def call(
        stage: str, error: type[GreenlightError], event: Any = EVENT, **changes: str | None
    ) -> GreenlightError:
        with caplog.at_level(logging.DEBUG), pytest.raises(error) as failed:
            invoke(event, **changes)
        written = output()
        (line,) = written.failures
        assert line["stage"] == stage
        assert line["error"] == str(failed.value)
        if isinstance(event, dict) and "DeploymentId" in event:
            assert line["correlation_id"] == event["DeploymentId"]
        assert written.metrics["HookFailed", "service=greenlight"] == [1]
        assert written.metrics["HookFailed", "service=greenlight", f"stage={stage}"] == [1]
        assert ("SlackNotified", "service=greenlight") not in written.metrics
        assert failed.value.stage == stage
        assert SECRET not in written.text
        assert SECRET not in "".join(chain(failed.value))
        assert SECRET not in caplog.text
        assert sum(sleeps) < 15
        return failed.value

    return call


def chain(error: BaseException | None) -> list[str]:
    """All that an exception and those behind it could show."""
    if error is None:
        return []
    shown = [str(error), repr(error), repr(vars(error))]
    return shown + chain(error.__cause__) + chain(error.__context__)


Fails = Callable[..., GreenlightError]


def test_missing_settings_are_all_named_and_nothing_is_written(
    fails: Fails, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    error = fails("settings", SettingsError, TEST_URL=None, DYNAMODB_TABLE_NAME="")

    assert "TEST_URL is not set; DYNAMODB_TABLE_NAME is not set" in str(error)
    assert (aws.items(), slack.messages) == ([], [])


def test_a_missing_region_is_a_settings_error(
    fails: Fails, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    error = fails("settings", SettingsError, AWS_REGION=None, AWS_DEFAULT_REGION=None, TEST_URL="")

    assert "TEST_URL is not set; AWS_REGION is not set" in str(error)
    assert slack.messages == []


@pytest.mark.parametrize(
    "name", ["broken_empty_object", "broken_not_an_object", "broken_number_for_deployment_id"]
)
def test_an_event_that_is_no_hook_event(
    name: str, fails: Fails, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    fails("event", EventError, load_event(f"hook/{name}"))

    assert (aws.items(), slack.messages) == ([], [])


def test_a_table_that_does_not_exist(fails: Fails, slack: SlackStandIn) -> None:
    error = fails("table", TableError, DYNAMODB_TABLE_NAME="no-such-table")

    assert "no-such-table" in str(error)
    assert "ResourceNotFoundException" in str(error)
    assert slack.messages == []


@pytest.mark.parametrize(
    ("code", "tries"),
    [("AccessDeniedException", 1), ("ThrottlingException", 3), ("InternalServerError", 3)],
)
def test_a_table_that_cannot_be_written(
    code: str, tries: int, fails: Fails, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    aws.failures["PutItem"] = [code] * 9

    error = fails("table", TableError)

    assert isinstance(error, TableError)
    assert error.reason == code
    assert aws.operations.count("PutItem") == tries
    assert (aws.items(), slack.messages) == ([], [])


def test_a_table_that_is_throttled_for_a_moment_is_no_failure(
    invoke: Invoke, aws: AwsStandIn, sleeps: list[float]
) -> None:
    aws.failures["PutItem"] = ["ThrottlingException"]

    assert invoke(EVENT)["body"]["duplicate"] is False


def test_a_table_that_cannot_be_reached(fails: Fails, slack: SlackStandIn) -> None:
    error = fails("table", TableError, AWS_ENDPOINT_URL="http://127.0.0.1:1")

    assert isinstance(error, TableError)
    assert error.reason == "EndpointConnectionError"
    assert slack.messages == []


def test_missing_credentials(
    fails: Fails, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")

    error = fails("table", TableError, AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)

    assert isinstance(error, TableError)
    assert error.reason == "NoCredentialsError"
    assert slack.messages == []


def test_a_table_that_fails_after_people_were_told_is_tried_again(
    invoke: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> None:
    slack.script.append(
        Answer(pause=lambda: aws.failures.update({"UpdateItem": ["InternalServerError"] * 3}))
    )

    with pytest.raises(TableError):
        invoke(EVENT)

    (line,) = output().failures
    assert line["stage"] == "table"
    assert "notified_at" not in aws.items()[0], "so a retry will tell people again"


def test_another_try_that_is_still_running(
    fails: Fails, invoke: Invoke, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    with requests_mock.Mocker() as http:
        http.post(slack.webhook_url, exc=MemoryError)
        with pytest.raises(MemoryError):
            invoke(EVENT)
    output()

    fails("table", GateBusyError)


@pytest.mark.parametrize(
    ("answer", "error", "reason", "posts"),
    [
        (Answer(403, "action_prohibited"), SlackWebhookGoneError, "action_prohibited", 1),
        (Answer(404, "channel_not_found"), SlackWebhookGoneError, "channel_not_found", 1),
        (Answer(404, "no_service"), SlackWebhookGoneError, "no_service", 1),
        (Answer(410, "channel_is_archived"), SlackWebhookGoneError, "channel_is_archived", 1),
        (Answer(400, "invalid_payload"), SlackRefusedError, "invalid_payload", 2),
        (Answer(500, "rollup_error"), SlackError, "rollup_error", 3),
        (Answer(503, "<html>"), SlackError, "not an answer of a Slack webhook", 3),
        (Answer(429, "rate_limited", {"Retry-After": "1"}), SlackError, "rate_limited", 3),
        (Answer(429, "rate_limited", {"Retry-After": "300"}), SlackError, "rate_limited", 1),
        (Answer(302, "", {"Location": "/elsewhere"}), SlackError, "not an answer", 1),
        (Answer(200, "<html>Log in</html>"), SlackError, "not an answer", 1),
        (Answer(404, f"Cannot POST {WEBHOOK_PATH}"), SlackWebhookGoneError, "not an answer", 1),
        (Answer(None), SlackError, "ConnectionError", 3),
    ],
)
def test_slack_does_not_take_the_message(
    answer: Answer,
    error: type[SlackError],
    reason: str,
    posts: int,
    fails: Fails,
    aws: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    slack.script += [answer] * 9

    failed = fails("slack", error)

    assert isinstance(failed, SlackError)
    assert reason in failed.reason
    assert failed.status == answer.status
    assert len(slack.posts) == posts
    (item,) = aws.items()
    assert "notified_at" not in item, "a retry carries on"


def test_a_message_refused_without_image_too_is_not_sent_a_third_time(
    fails: Fails, slack: SlackStandIn
) -> None:
    slack.script += [Answer(400, "invalid_blocks")] * 9

    fails("slack", SlackRefusedError, SLACK_IMAGE_URL="")

    assert len(slack.posts) == 1, "there was no image to leave out"


@pytest.mark.parametrize(
    "cause", [requests.ReadTimeout, requests.ConnectTimeout, requests.exceptions.SSLError]
)
def test_slack_does_not_answer(
    cause: type[Exception], fails: Fails, slack: SlackStandIn, aws: AwsStandIn
) -> None:
    with requests_mock.Mocker() as http:
        http.post(slack.webhook_url, exc=cause(f"Max retries exceeded with url: {WEBHOOK_PATH}"))

        failed = fails("slack", SlackError)

    assert isinstance(failed, SlackError)
    assert failed.reason == cause.__name__
    assert len(aws.items()) == 1


def test_slack_cannot_be_reached(fails: Fails) -> None:
    fails("slack", SlackError, SLACK_WEBHOOK_URL="http://127.0.0.1:1" + WEBHOOK_PATH)


def test_an_error_that_nobody_thought_of_is_reported_like_the_others(
    invoke: Invoke, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    with requests_mock.Mocker() as http:
        http.post(slack.webhook_url, exc=MemoryError)
        with pytest.raises(MemoryError):
            invoke(EVENT)

    written = output()
    assert [line["stage"] for line in written.failures] == ["unknown"]
    assert written.metrics["HookFailed", "service=greenlight", "stage=unknown"] == [1]


def test_a_failure_leaves_nothing_behind_for_the_next_invocation(
    invoke: Invoke, output: Callable[[], Output]
) -> None:
    with pytest.raises(EventError):
        invoke({"DeploymentId": "d-OTHER"})
    output()

    invoke(EVENT)

    written = output()
    assert written.failures == []
    assert {line["correlation_id"] for line in written.lines} == {"d-LOCALTEST"}
    assert not [name for name in written.metrics if name[0] == "HookFailed"]
