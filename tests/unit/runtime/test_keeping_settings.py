"""The settings of a bot, of moments and of machines: right, wrong, and missing."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from greenlight.model.errors import SettingsError
from greenlight.runtime.settings import (
    BotSettings,
    KeepingSettings,
    ScheduleSettings,
    SecretSource,
    check_bot_token,
    load_failure_settings,
    load_keeping_settings,
    load_settings,
    load_table_name,
)

TOKEN = "xoxb-1111-2222-" + "verySecret"
WEBHOOK = "https://hooks.slack.com/services/T000/B000/very-secret"
ENVIRON = {
    "TEST_URL": "https://green.example.com",
    "DYNAMODB_TABLE_NAME": "gates",
    "SLACK_WEBHOOK_URL": WEBHOOK,
    "AWS_REGION": "ap-northeast-2",
}
BOT = {"SLACK_BOT_TOKEN": TOKEN, "SLACK_CHANNEL": "C0RELEASES"}
ROLE = "arn:aws:iam::123456789012:role/path/moments"
CLOCK = "arn:aws:lambda:ap-northeast-2:123456789012:function:clock"
MOMENTS = {"SCHEDULE_GROUP": "greenlight", "SCHEDULE_ROLE_ARN": ROLE, "CLOCK_FUNCTION_ARN": CLOCK}
SECRET = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:slack-AbCdEf"


@pytest.fixture(autouse=True)
def no_aws_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))


def keeping(**changes: str) -> KeepingSettings:
    return load_keeping_settings({**ENVIRON, **changes})


def problems(environ: Mapping[str, str], load: Any = load_keeping_settings) -> list[str]:
    with pytest.raises(SettingsError) as failed:
        load(environ)
    assert "very" not in str(failed.value)
    return list(failed.value.problems)


def test_without_any_of_it_there_is_a_webhook_and_a_reminder() -> None:
    settings = keeping()

    assert settings.slack.bot is None
    assert settings.slack.webhook is not None
    assert settings.reminders == (timedelta(minutes=15),)
    assert (settings.schedules, settings.event_bus) == (None, None)
    assert settings.approvers == frozenset()
    assert settings.look.has_buttons is False


def test_all_of_it_is_read() -> None:
    settings = keeping(**BOT, **MOMENTS, EVENT_BUS_NAME="default", APPROVERS="U0ALICE")

    assert settings.slack.bot is not None
    assert settings.slack.bot.channel == "C0RELEASES"
    assert settings.slack.bot.api_url == "https://slack.com/api"
    assert settings.slack.bot.token.value == TOKEN
    assert [one.variable for one in settings.slack.secrets] == [
        "SLACK_BOT_TOKEN",
        "SLACK_WEBHOOK_URL",
    ]
    assert settings.schedules == ScheduleSettings("greenlight", ROLE, CLOCK)
    assert settings.event_bus == "default"


def test_no_secret_is_shown() -> None:
    settings = keeping(**BOT)

    for text in (repr(settings), str(settings), *map(str, settings.slack.secrets)):
        assert "very" not in text


# A bot.


@pytest.mark.parametrize(
    ("value", "source"),
    [
        (TOKEN, SecretSource.VALUE),
        ("xoxe.xoxb-1-verySecret", SecretSource.VALUE),
        ("/greenlight/bot", SecretSource.SSM),
        ("arn:aws:ssm:eu-west-1:123456789012:parameter/bot", SecretSource.SSM),
        (SECRET, SecretSource.SECRETS_MANAGER),
    ],
)
def test_a_token_is_its_value_or_a_place(value: str, source: SecretSource) -> None:
    bot = keeping(**{**BOT, "SLACK_BOT_TOKEN": value}).slack.bot

    assert isinstance(bot, BotSettings)
    assert (bot.token.source, bot.token.value) == (source, value)


@pytest.mark.parametrize(
    "value", ["very-secret", "xoxb-very secret-1", "xoxb", "https://very.example.com", "xoxb-é" * 5]
)
def test_a_token_that_is_none_is_not_shown(value: str) -> None:
    (problem,) = problems({**ENVIRON, **BOT, "SLACK_BOT_TOKEN": value})

    assert problem.startswith("SLACK_BOT_TOKEN is neither a bot token (xoxb-...) nor")
    with pytest.raises(ValueError, match="must be a bot token"):
        check_bot_token(value)


@pytest.mark.parametrize("value", ["", "#releases", "releases", "U0ALICE", "c0", "C" * 40])
def test_a_bot_needs_the_id_of_a_channel(value: str) -> None:
    (problem,) = problems({**ENVIRON, **BOT, "SLACK_CHANNEL": value})

    assert problem.startswith("SLACK_CHANNEL ")


@pytest.mark.parametrize("value", ["C0RELEASES", "G0PRIVATE", "D0DIRECT"])
def test_a_channel_may_be_of_any_kind(value: str) -> None:
    bot = keeping(**{**BOT, "SLACK_CHANNEL": value}).slack.bot

    assert bot is not None
    assert bot.channel == value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("https://slack-gov.com/api/", "https://slack-gov.com/api"),
        ("http://127.0.0.1:8080/api", "http://127.0.0.1:8080/api"),
    ],
)
def test_the_web_api_may_be_elsewhere(value: str, expected: str) -> None:
    bot = keeping(**BOT, SLACK_API_URL=value).slack.bot

    assert bot is not None
    assert bot.api_url == expected


@pytest.mark.parametrize("value", ["http://slack.com/api", "slack.com/api", "https://a b"])
def test_the_web_api_is_asked_in_secret_only(value: str) -> None:
    (problem,) = problems({**ENVIRON, **BOT, "SLACK_API_URL": value})

    assert problem.startswith("SLACK_API_URL must be ")


def test_with_a_bot_no_webhook_is_needed() -> None:
    environ = {**ENVIRON, **BOT, "SLACK_WEBHOOK_URL": ""}

    for load in (load_settings, load_keeping_settings, load_failure_settings):
        settings: Any = load(environ)
        assert settings.slack.webhook is None
        assert settings.slack.bot is not None


def test_a_webhook_beside_a_bot_has_to_be_right() -> None:
    (problem,) = problems({**ENVIRON, **BOT, "SLACK_WEBHOOK_URL": "http://very.example.com"})

    assert problem.startswith("SLACK_WEBHOOK_URL ")


def test_without_a_bot_a_webhook_is_needed() -> None:
    (problem,) = problems({**ENVIRON, "SLACK_WEBHOOK_URL": "", "SLACK_CHANNEL": "C0"})

    assert problem == "SLACK_WEBHOOK_URL is not set"


@pytest.mark.parametrize("webhook", [WEBHOOK, ""])
def test_a_failure_is_told_by_what_there_is(webhook: str) -> None:
    environ = {**ENVIRON, **BOT, "SLACK_CHANNEL": "", "SLACK_WEBHOOK_URL": webhook}

    settings = load_failure_settings(environ)

    assert settings.slack.bot is None
    assert bool(settings.slack.webhook) is bool(webhook)
    assert settings.problems == ("SLACK_CHANNEL is not set",)


# Moments.


@pytest.mark.parametrize(
    ("value", "minutes"),
    [("15", [15]), ("5, 30,10", [30, 10, 5]), ("10,10", [10]), ("007", [7]), (" ", [15]), ("", [])],
)
def test_reminders_are_minutes_before_the_end_the_first_one_first(
    value: str, minutes: list[int]
) -> None:
    reminders = keeping(REMIND_MINUTES_BEFORE=value).reminders

    assert reminders == tuple(timedelta(minutes=one) for one in minutes)


@pytest.mark.parametrize(
    "value", ["soon", "0", "-5", "1.5", "5;10", "5,,10", ",", "20161", "1,2,3,4,5,6", "٣"]
)
def test_reminders_that_are_none_are_named(value: str) -> None:
    (problem,) = problems({**ENVIRON, "REMIND_MINUTES_BEFORE": value})

    assert problem.startswith("REMIND_MINUTES_BEFORE must be ")


@pytest.mark.parametrize(("value", "minutes"), [("30", 30), ("", None), ("20160", 20160)])
def test_how_long_people_have_is_minutes(value: str, minutes: int | None) -> None:
    environ = {**ENVIRON, "DECIDE_WITHIN_MINUTES": value}

    for load in (load_settings, load_failure_settings):
        settings: Any = load(environ)
        assert settings.decide_within == (minutes and timedelta(minutes=minutes))


@pytest.mark.parametrize("value", ["an hour", "0", "20161", "1e3"])
def test_how_long_people_have_cannot_be_anything(value: str) -> None:
    environ = {**ENVIRON, "DECIDE_WITHIN_MINUTES": value}

    (problem,) = problems(environ, load_settings)

    assert problem.startswith("DECIDE_WITHIN_MINUTES must be a whole number of minutes from 1 to ")
    settings = load_failure_settings(environ)
    assert (settings.decide_within, settings.problems) == (None, (problem,))


def test_a_gate_has_an_end_where_moments_are_set() -> None:
    for load in (load_settings, load_failure_settings):
        with_moments: Any = load({**ENVIRON, "SCHEDULE_GROUP": "greenlight"})
        without: Any = load({**ENVIRON, "SCHEDULE_GROUP": " "})
        assert (with_moments.ends_gates, without.ends_gates) == (True, False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SCHEDULE_GROUP", "a group"),
        ("SCHEDULE_GROUP", "g" * 65),
        ("SCHEDULE_ROLE_ARN", "moments"),
        ("SCHEDULE_ROLE_ARN", ""),
        ("CLOCK_FUNCTION_ARN", "clock"),
        ("CLOCK_FUNCTION_ARN", ""),
    ],
)
def test_moments_need_a_group_a_role_and_a_function(variable: str, value: str) -> None:
    (problem,) = problems({**ENVIRON, **MOMENTS, variable: value})

    assert problem.startswith(f"{variable} ")


# Machines, and the table.


@pytest.mark.parametrize(
    "value",
    ["default", "releases.of-shop_1", "arn:aws:events:eu-west-1:123456789012:event-bus/releases"],
)
def test_a_bus_is_a_name_or_an_arn(value: str) -> None:
    assert keeping(EVENT_BUS_NAME=value).event_bus == value


@pytest.mark.parametrize("value", ["a bus", "arn:aws:sns:eu-west-1:123456789012:topic", "b" * 257])
def test_a_bus_is_nothing_else(value: str) -> None:
    (problem,) = problems({**ENVIRON, "EVENT_BUS_NAME": value})

    assert problem == "EVENT_BUS_NAME must be the name or the ARN of an event bus"


def test_the_table_alone_is_enough_for_outcomes() -> None:
    region = {"AWS_REGION": "ap-northeast-2"}

    assert load_table_name({**region, "DYNAMODB_TABLE_NAME": "gates"}) == "gates"
    assert problems(region, load_table_name) == ["DYNAMODB_TABLE_NAME is not set"]
