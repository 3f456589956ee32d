"""A bot: what Slack says to it, whose token is honoured, and that nobody ever sees the token."""

import json
import re
from collections.abc import Callable
from datetime import UTC
from typing import Any

import pytest
import time_machine

from greenlight.model.errors import (
    SettingsError,
    SlackBotError,
    SlackError,
    SlackRefusedError,
    SlackTokenError,
)
from stand_ins.clicks import SIGNING_SECRET
from stand_ins.codedeploy import set_status
from stand_ins.slack import BOT_TOKEN, CHANNEL, RATE_LIMITED, Answer, refusal
from tests.functional.conftest import Output, Process, XRayDaemon
from tests.functional.life.release import EVENT, HOOK, ID, RECORD, Release

PARAMETER = "/greenlight/bot-token"
RENEWED = BOT_TOKEN.replace("1111", "3333")


# What is asked for.


def test_a_bot_posts_to_its_channel_and_the_gate_says_where(release: Release) -> None:
    asked = release.open()

    ((method, content),) = release.slack.calls
    assert (method, content["channel"]) == ("chat.postMessage", CHANNEL)
    assert release.slack.posts == []
    assert (release.item["message_channel"], release.item["message_ts"]) == (CHANNEL, asked.ts)


def test_a_bot_s_answer_is_under_its_message_in_whatever_channel_that_is(release: Release) -> None:
    """The channel of the setting is another one by now."""
    asked = release.open()
    release.slack.channels["C0NEW"] = None
    release.environ["SLACK_CHANNEL"] = "C0NEW"

    release.moment("reminder")
    release.follow()
    release.click("approve")
    release.follow()

    assert release.slack.in_channel("C0NEW") == []
    (reminder,) = release.slack.thread(asked)
    assert reminder.channel == CHANNEL
    assert asked.buttons == []


# Slack lets the bot do nothing.


@pytest.mark.parametrize(
    ("error", "kind", "advice"),
    [
        ("not_in_channel", SlackBotError, "invite the app to SLACK_CHANNEL"),
        ("channel_not_found", SlackBotError, "SLACK_CHANNEL is to be a channel's id"),
        ("is_archived", SlackBotError, "SLACK_CHANNEL is archived"),
        ("missing_scope", SlackBotError, "chat:write"),
        ("restricted_action", SlackBotError, "administrators"),
        ("invalid_auth", SlackTokenError, "bot token"),
        ("token_revoked", SlackTokenError, "bot token"),
        ("account_inactive", SlackTokenError, "bot token"),
        ("service_unavailable", SlackError, ""),
        ("a_code_of_tomorrow", SlackError, ""),
    ],
)
def test_what_a_bot_may_not_do_is_said_with_what_to_do_about_it(
    error: str,
    kind: type[SlackError],
    advice: str,
    release: Release,
    output: Callable[[], Output],
) -> None:
    release.post_by("bot")
    release.slack.script.append(refusal(error))

    with pytest.raises(kind) as failed:
        release.call("hook", EVENT)

    assert type(failed.value) is kind
    assert error in str(failed.value)
    assert advice in str(failed.value)
    written = output()
    assert written.metrics["HookFailed", "service=greenlight", "stage=slack"] == [1]
    assert written.failures[0]["reason"] == error
    release.call("hook", EVENT)
    assert len(release.messages) == 1


def test_the_stand_in_knows_what_slack_knows(release: Release) -> None:
    """Its own errors, without a script."""
    release.post_by("bot")
    answers = []
    for channel, scopes, problem in (
        (CHANNEL, {}, None),
        (CHANNEL, {BOT_TOKEN: set()}, None),
        ("C0NOWHERE", {BOT_TOKEN: {"chat:write"}}, None),
        (CHANNEL, {BOT_TOKEN: {"chat:write"}}, "not_in_channel"),
        (CHANNEL, {BOT_TOKEN: {"chat:write"}}, "is_archived"),
    ):
        release.environ["SLACK_CHANNEL"] = channel
        release.slack.scopes, release.slack.channels = dict(scopes), {CHANNEL: problem}
        with pytest.raises(SlackError) as failed:
            release.call("hook", EVENT)
        answers.append(failed.value.reason)

    assert answers == [
        "invalid_auth",
        "missing_scope",
        "channel_not_found",
        "not_in_channel",
        "is_archived",
    ]


def test_people_are_told_of_a_failure_by_the_webhook_where_the_bot_is_the_cause(
    release: Release,
) -> None:
    release.post_by("bot")
    release.slack.channels[CHANNEL] = "not_in_channel"
    with pytest.raises(SlackBotError):
        release.call("hook", EVENT)
    release.environ["SLACK_WEBHOOK_URL"] = release.slack.webhook_url

    assert release.call("failure", RECORD)["body"]["failed"] is True

    (told,) = release.messages
    assert (told.by, told.buttons) == (None, [])
    assert release.aws.reports == {HOOK: "Failed"}


# The webhook is the way out.


@pytest.mark.parametrize(
    "answers",
    [
        [refusal("not_in_channel")],
        [refusal("invalid_auth")],
        [RATE_LIMITED],
        [Answer(200, "<html>a proxy's</html>")],
        [refusal("service_unavailable", 503)] * 3,
    ],
    ids=["not in channel", "invalid token", "rate limited", "no answer", "down"],
)
def test_a_webhook_takes_over_where_the_bot_cannot(
    answers: list[Answer], release: Release, output: Callable[[], Output], sleeps: list[float]
) -> None:
    release.slack.script += answers

    release.open("both")

    (asked,) = release.messages
    assert asked.by is None
    assert len(asked.buttons) == 3
    written = output()
    assert '"BotFailed":[1.0]' in written.text
    assert written.failures == []
    assert "message_ts" not in release.item


@pytest.mark.parametrize("code", ["fatal_error", "internal_error"])
def test_what_slack_may_have_posted_in_spite_of_its_error_is_not_posted_again_at_once(
    code: str, release: Release
) -> None:
    release.post_by("both")
    answer = release.slack.answer

    def partly(path: str, body: bytes, headers: Any = None) -> Answer:
        taken = answer(path, body, headers)
        return refusal(code) if path.startswith("/api/") else taken

    release.monkeypatch.setattr(release.slack, "answer", partly)

    with pytest.raises(SlackError) as caught:
        release.call("hook", EVENT)

    assert caught.value.in_doubt
    assert len(release.messages) == 1
    assert release.item["try_id"], "nobody says it again before its lease is over"


@pytest.mark.parametrize("way", ["both", "bot"])
def test_a_bot_that_cannot_be_reached_has_posted_nothing(
    way: str, release: Release, output: Callable[[], Output], sleeps: list[float]
) -> None:
    """Say, where only hooks.slack.com may be reached."""
    release.post_by(way)
    release.environ["SLACK_API_URL"] = "http://127.0.0.1:9/api"

    if way == "bot":
        with pytest.raises(SlackError) as failed:
            release.call("hook", EVENT)
        assert not failed.value.in_doubt
        assert "lease_until" not in release.item
    else:
        release.call("hook", EVENT)
        assert len(release.messages) == 1
        assert '"BotFailed":[1.0]' in output().text


def test_what_the_bot_may_have_posted_the_webhook_does_not_post_again(
    release: Release, sleeps: list[float]
) -> None:
    release.post_by("both")
    release.slack.script += [Answer(None)] * 3

    with pytest.raises(SlackError):
        release.call("hook", EVENT)

    assert release.slack.posts == []


@pytest.mark.parametrize("text", ['{"ok": true}', '{"ok": true, "ts": 5, "channel": "C0"}'])
def test_an_answer_that_does_not_say_where_the_message_is_leaves_it_in_doubt(
    text: str, release: Release
) -> None:
    release.post_by("both")
    release.slack.script.append(Answer(200, text))

    with pytest.raises(SlackError) as failed:
        release.call("hook", EVENT)

    assert failed.value.in_doubt
    assert release.slack.posts == [], "Slack has it"
    assert "lease_until" in release.item


def test_a_bot_whose_token_cannot_be_read_is_one_that_cannot(
    release: Release, output: Callable[[], Output]
) -> None:
    release.post_by("both")
    release.environ["SLACK_BOT_TOKEN"] = "/nowhere"

    release.call("hook", EVENT)
    release.follow()

    assert [one.by for one in release.messages] == [None]
    assert output().failures == []
    release.environ["SLACK_WEBHOOK_URL"] = "/nowhere-either"
    with pytest.raises(SettingsError, match="SLACK_WEBHOOK_URL"):
        release.call("hook", {**EVENT, "DeploymentId": "d-2"})


def test_a_bot_that_is_back_changes_its_message(release: Release) -> None:
    asked = release.open("lost")
    release.greenlight("approve", ID)
    release.follow()
    assert len(release.messages) == 2
    assert len(asked.buttons) == 3, "nobody can change it"
    release.slack.scopes[BOT_TOKEN] = {"chat:write"}
    set_status(ID, "Succeeded")

    release.ends("SUCCESS")
    release.follow()

    assert "live" in asked.text
    assert asked.buttons == []
    assert len(release.messages) == 2


def test_a_bot_that_fails_for_a_moment_leaves_no_live_buttons(
    release: Release, sleeps: list[float]
) -> None:
    asked = release.open("both")
    release.greenlight("approve", ID)
    release.slack.script += [refusal("service_unavailable", 503)] * 3

    with pytest.raises(SlackError, match="service_unavailable"):
        release.follow()
    assert asked.buttons, "it is not said beside a message that keeps its buttons"

    release.follow()  # Lambda tries again

    assert asked.buttons == []
    assert "approved" in asked.text
    assert release.messages == [asked]


# Slack does not like the message.


def test_a_message_that_slack_refuses_is_posted_plainer(release: Release) -> None:
    release.slack.script.append(refusal("invalid_blocks"))

    asked = release.open("both")

    refused, plain = (content for _, content in release.slack.calls)
    kinds = [{block["type"] for block in content["blocks"]} for content in (refused, plain)]
    assert kinds[0] - kinds[1] == {"input", "image"}
    assert asked.by == BOT_TOKEN
    assert release.slack.posts == []


@pytest.mark.parametrize("error", ["invalid_blocks", "msg_too_long", "invalid_arguments"])
def test_a_message_that_slack_refuses_altogether_is_an_error(error: str, release: Release) -> None:
    release.post_by("both")
    release.slack.script += [refusal(error)] * 2

    with pytest.raises(SlackRefusedError, match=error):
        release.call("hook", EVENT)

    assert len(release.slack.calls) == 2
    assert release.slack.posts == [], "a webhook would refuse it, too"


# The token.


def keep_token(release: Release, token: str, place: str = "ssm") -> str:
    """Keeps a token elsewhere; what the setting says then."""
    if place == "ssm":
        ssm = release.aws.client("ssm")
        ssm.put_parameter(Name=PARAMETER, Value=f"{token}\n", Type="SecureString", Overwrite=True)
        return PARAMETER
    secret = release.aws.client("secretsmanager")
    value = token if place == "secret" else json.dumps({"SLACK_BOT_TOKEN": token})
    arn: str = secret.create_secret(Name=place, SecretString=value)["ARN"]
    return arn


@pytest.mark.parametrize("place", ["ssm", "secret", "secret as JSON"])
def test_a_token_may_be_kept_elsewhere(place: str, release: Release) -> None:
    name = keep_token(release, BOT_TOKEN, place.replace(" ", "-"))

    asked = release.open(SLACK_BOT_TOKEN=name)

    assert asked.by == BOT_TOKEN


def test_a_token_that_was_renewed_is_read_afresh_once(release: Release) -> None:
    asked = release.open(SLACK_BOT_TOKEN=keep_token(release, BOT_TOKEN))
    release.click("claim")
    release.follow()
    release.slack.scopes = {RENEWED: {"chat:write"}}
    asked.by = RENEWED  # it is the same bot
    keep_token(release, RENEWED)
    release.aws.operations.clear()

    release.greenlight("approve", ID)
    release.follow()

    assert asked.buttons == []
    assert release.aws.operations.count("GetParameter") == 1, "past the cache"
    set_status(ID, "Succeeded")
    release.ends("SUCCESS")
    release.follow()
    assert release.aws.operations.count("GetParameter") == 1, "the new one is cached in its turn"


def test_a_token_that_is_revoked_for_good_is_read_once_more_only(release: Release) -> None:
    release.post_by("bot")
    release.environ["SLACK_BOT_TOKEN"] = keep_token(release, BOT_TOKEN)
    release.slack.scopes.clear()
    release.aws.operations.clear()

    with pytest.raises(SlackTokenError):
        release.call("hook", EVENT)

    assert release.aws.operations.count("GetParameter") == 2
    assert len(release.slack.calls) == 1, "the same token would be refused the same way"


@pytest.mark.parametrize(
    "value",
    [
        "very-secret",
        "xoxb-very secret",
        '{"TOKEN": "xoxb-very-secret-1"}',
        '{"SLACK_BOT_TOKEN": "xoxb-very-secret-1"',
        "xoxb-very-sécret-1",
    ],
)
def test_a_parameter_that_holds_no_token_is_an_error_without_it(
    value: str, release: Release, output: Callable[[], Output]
) -> None:
    release.post_by("bot")
    release.environ["SLACK_BOT_TOKEN"] = keep_token(release, value)

    with pytest.raises(SettingsError) as failed:
        release.call("hook", EVENT)

    assert "SLACK_BOT_TOKEN (SSM parameter /greenlight/bot-token)" in str(failed.value)
    written = output()
    assert [line["stage"] for line in written.failures] == ["settings"]
    assert "very" not in written.text
    assert release.aws.items() == [], "nothing is half-written"


FUNCTIONS = ["hook", "failure", "changes", "clock"]


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
@pytest.mark.parametrize(
    "answers",
    [
        [],
        [refusal("invalid_auth")],
        [refusal("invalid_blocks")] * 2,
        [Answer(200, f"<html>{BOT_TOKEN}</html>")],
        [refusal(BOT_TOKEN)],
        [Answer(None)] * 3,
    ],
    ids=["taken", "not honoured", "refused", "odd", "an odd error", "unreachable"],
)
def test_no_log_line_metric_or_trace_shows_the_token(
    answers: list[Answer],
    level: str,
    release: Release,
    environ: dict[str, str],
    in_lambda: dict[str, str],
    xray: XRayDaemon,
) -> None:
    release.post_by("bot")
    release.slack.script += answers
    changed = {name: value for name, value in release.environ.items() if value}
    levels = {"POWERTOOLS_LOG_LEVEL": level, "AWS_LAMBDA_LOG_LEVEL": level}

    _, written = Process(EVENT, {**environ, **in_lambda, **changed, **levels}).finish()

    assert xray.segments()
    assert re.search(r'"level":"INFO"', written)
    assert release.slack.calls
    for text in (written, xray.text):
        assert BOT_TOKEN not in text
        assert BOT_TOKEN.rpartition("-")[2] not in text


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_secret_is_logged_where_everything_is(
    function: str,
    release: Release,
    environ: dict[str, str],
    in_lambda: dict[str, str],
) -> None:
    release.open("both")
    release.environ["SLACK_BOT_TOKEN"] = keep_token(release, BOT_TOKEN)
    ((at, reminder),) = release.moments("reminder")
    if function == "changes":
        release.greenlight("approve", ID)
    events = {
        "hook": {**EVENT, "DeploymentId": "d-2"},
        "failure": {**RECORD, "requestPayload": {**EVENT, "DeploymentId": "d-2"}},
        "changes": {"Records": [release.aws.changes[-1]]},
        "clock": reminder,
    }
    module = "lamda" if function == "hook" else f"greenlight.handlers.{function}"
    changed = {name: value for name, value in release.environ.items() if value}
    secrets = {
        "AWS_SECRET_ACCESS_KEY": "key-of-the-session",
        "AWS_SESSION_TOKEN": "token-of-the-session",
    }
    calls = len(release.slack.calls)
    everything = {**environ, **in_lambda, **changed, **secrets, "AWS_LAMBDA_LOG_LEVEL": "DEBUG"}

    # A process has the machine's own time.
    later = at - time_machine.escape_hatch.datetime.datetime.now(UTC)

    process = Process(events[function], everything, later.total_seconds(), module)
    written = "".join(process.communicate())

    assert len(release.slack.calls) > calls, written
    assert "DEBUG" in written
    assert "GetParameter" in release.aws.operations
    for secret in (
        *secrets.values(),
        BOT_TOKEN.rpartition("-")[2],
        SIGNING_SECRET,
        release.slack.webhook_url.rpartition("/")[2],
    ):
        assert secret not in written


def test_no_error_holds_the_token_or_its_cause(release: Release) -> None:
    release.post_by("bot")
    release.environ["SLACK_API_URL"] = "http://127.0.0.1:9/api"

    with pytest.raises(SlackError) as failed:
        release.call("hook", EVENT)

    error: BaseException | None = failed.value
    while error:
        assert BOT_TOKEN not in repr(error)
        assert BOT_TOKEN not in str(vars(error))
        error = error.__cause__ or error.__context__
