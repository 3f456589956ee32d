"""Settings: what is accepted, and that everything wrong is said at once."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenlight.errors import SettingsError
from greenlight.models import Deployment, Language
from greenlight.settings import SecretSource, Settings, fill_test_url, load_settings

SECRET_URL = "https://hooks.slack.com/services/T000/B000/very-secret"
ENVIRON = {
    "TEST_URL": "https://green.example.com",
    "DYNAMODB_TABLE_NAME": "gates",
    "SLACK_WEBHOOK_URL": SECRET_URL,
}


def test_three_variables_are_enough() -> None:
    settings = load_settings(ENVIRON)

    assert settings.test_url == "https://green.example.com"
    assert settings.table_name == "gates"
    assert settings.slack_webhook.source is SecretSource.VALUE
    assert settings.slack_webhook.value == SECRET_URL
    assert settings.language is Language.KOREAN
    assert settings.image_url is not None
    assert settings.image_url.startswith("https://github")
    assert settings.gate_ttl == timedelta(days=90)


def test_optional_variables_are_read() -> None:
    settings = load_settings(
        {
            **ENVIRON,
            "MESSAGE_LANGUAGE": "EN",
            "SLACK_IMAGE_URL": "https://example.com/cat.gif",
            "GATE_TTL_DAYS": "7",
        }
    )

    assert settings.language is Language.ENGLISH
    assert settings.image_url == "https://example.com/cat.gif"
    assert settings.gate_ttl == timedelta(days=7)


def test_an_empty_image_url_means_no_image() -> None:
    assert load_settings({**ENVIRON, "SLACK_IMAGE_URL": ""}).image_url is None


def test_blank_optional_variables_mean_their_defaults() -> None:
    assert load_settings({**ENVIRON, "MESSAGE_LANGUAGE": "", "GATE_TTL_DAYS": " "}) == (
        load_settings(ENVIRON)
    )


def test_all_that_is_missing_or_malformed_is_named_in_one_error() -> None:
    with pytest.raises(SettingsError) as failed:
        load_settings({"TEST_URL": "green", "MESSAGE_LANGUAGE": "fr", "GATE_TTL_DAYS": "soon"})

    assert [problem.split()[0] for problem in failed.value.problems] == [
        "TEST_URL",
        "DYNAMODB_TABLE_NAME",
        "SLACK_WEBHOOK_URL",
        "MESSAGE_LANGUAGE",
        "GATE_TTL_DAYS",
    ]
    for problem in failed.value.problems:
        assert problem in str(failed.value)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("TEST_URL", "ftp://green.example.com", "http or https"),
        ("TEST_URL", "https://", "http or https"),
        ("TEST_URL", "https://green.example.com:port", "http or https"),
        ("TEST_URL", "https://green.example.com/a b", "without spaces"),
        ("TEST_URL", "https://green.example.com/\x00", "without spaces"),
        ("TEST_URL", "https://[green", "http or https"),
        ("TEST_URL", "https://{service}.example.com", "{application}"),
        ("TEST_URL", "https://{}.example.com", "{application}"),
        ("TEST_URL", "https://{application.example.com", "stray brace"),
        ("TEST_URL", "https://{application.__class__}.example.com", "unknown placeholder"),
        ("TEST_URL", "https://{{application}}.example.com", "stray brace"),
        ("TEST_URL", "https://green.example.com/" + "a" * 1000, "1000 characters"),
        ("DYNAMODB_TABLE_NAME", "a", "table name"),
        ("DYNAMODB_TABLE_NAME", "gates!", "table name"),
        ("SLACK_WEBHOOK_URL", "http://hooks.slack.com/services/x", "https"),
        ("SLACK_WEBHOOK_URL", "http://127.0.0.1.example.com/x", "https"),
        ("SLACK_WEBHOOK_URL", "https:///services/x", "absolute"),
        ("SLACK_WEBHOOK_URL", "slack-webhook", "SSM parameter name"),
        ("SLACK_WEBHOOK_URL", "arn:aws:s3:::bucket", "SSM parameter name"),
        ("MESSAGE_LANGUAGE", "fr", "ko, en"),
        ("SLACK_IMAGE_URL", "cat.gif", "http or https"),
        ("SLACK_IMAGE_URL", "https://example.com/" + "a" * 3000, "3000 characters"),
        ("GATE_TTL_DAYS", "0", "1 to 3650"),
        ("GATE_TTL_DAYS", "-1", "1 to 3650"),
        ("GATE_TTL_DAYS", "3651", "1 to 3650"),
        ("GATE_TTL_DAYS", "1.5", "1 to 3650"),
        ("GATE_TTL_DAYS", "9" * 5000, "1 to 3650"),
        ("GATE_TTL_DAYS", "٣", "1 to 3650"),
    ],
)
def test_a_malformed_variable_is_said_with_what_it_should_be(
    variable: str, value: str, expected: str
) -> None:
    with pytest.raises(SettingsError) as failed:
        load_settings({**ENVIRON, variable: value})

    (problem,) = failed.value.problems
    assert problem.startswith(variable)
    assert expected in problem


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("https://hooks.slack.com/services/T/B/x", SecretSource.VALUE),
        ("http://localhost:8080/hook", SecretSource.VALUE),
        ("http://127.0.0.1:8080/hook", SecretSource.VALUE),
        ("http://[::1]:8080/hook", SecretSource.VALUE),
        ("/greenlight/slack-webhook", SecretSource.SSM),
        ("arn:aws:ssm:ap-northeast-2:123456789012:parameter/slack", SecretSource.SSM),
        ("arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/a/b", SecretSource.SSM),
        (
            "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:slack/webhook-AbCdEf",
            SecretSource.SECRETS_MANAGER,
        ),
    ],
)
def test_a_webhook_is_a_url_or_a_reference(value: str, source: SecretSource) -> None:
    reference = load_settings({**ENVIRON, "SLACK_WEBHOOK_URL": value}).slack_webhook

    assert (reference.source, reference.value) == (source, value)


@pytest.mark.parametrize("value", ["http://hooks.slack.com/very-secret", "very-secret", SECRET_URL])
def test_the_webhook_url_is_in_no_error_and_no_repr(value: str) -> None:
    environ = {"SLACK_WEBHOOK_URL": value}

    with pytest.raises(SettingsError) as failed:
        load_settings(environ)

    assert "very-secret" not in str(failed.value)
    settings = load_settings(ENVIRON)
    assert "very-secret" not in repr(settings)
    assert "very-secret" not in str(settings.slack_webhook)


def test_placeholders_are_filled_percent_encoded() -> None:
    template = "https://green.example.com/{application}/{deployment_group}?d={deployment_id}"

    url = fill_test_url(template, "d-1", Deployment("shop & more", "블루/그린"))

    assert url == (
        "https://green.example.com/shop%20%26%20more/%EB%B8%94%EB%A3%A8%2F%EA%B7%B8%EB%A6%B0?d=d-1"
    )


def test_a_placeholder_with_nothing_to_fill_it_stays_to_be_seen() -> None:
    url = fill_test_url("https://{application}.example.com/{deployment_id}", "d-1", Deployment())

    assert url == "https://{application}.example.com/d-1"


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.text(st.characters(exclude_characters="\0"))
            | st.from_regex(r"\Ahttps?://[{}\w.:\[\]@/?#-]*\Z")
            for name in (
                "TEST_URL",
                "DYNAMODB_TABLE_NAME",
                "SLACK_WEBHOOK_URL",
                "MESSAGE_LANGUAGE",
                "SLACK_IMAGE_URL",
                "GATE_TTL_DAYS",
            )
        },
    )
)
def test_any_environment_is_settings_or_one_settings_error(environ: dict[str, str]) -> None:
    try:
        settings = load_settings(environ)
    except SettingsError as failed:
        assert failed.problems
    else:
        assert isinstance(settings, Settings)
        assert "{" not in fill_test_url(settings.test_url, "d-1", Deployment("a", "b"))
