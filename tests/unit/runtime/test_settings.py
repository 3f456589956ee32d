"""Settings: what is accepted, and that everything wrong is said at once."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenlight.model.errors import SettingsError
from greenlight.model.gate import Deployment
from greenlight.model.message import Language
from greenlight.runtime.settings import (
    DecisionSettings,
    SecretSource,
    Settings,
    fill_test_url,
    load_decision_settings,
    load_failure_settings,
    load_keeping_settings,
    load_settings,
)

SECRET_URL = "https://hooks.slack.com/services/T000/B000/very-secret"
ENVIRON = {
    "TEST_URL": "https://green.example.com",
    "DYNAMODB_TABLE_NAME": "gates",
    "SLACK_WEBHOOK_URL": SECRET_URL,
    "AWS_REGION": "ap-northeast-2",
}


@pytest.fixture(autouse=True)
def aws_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The only AWS config file there is."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return tmp_path / "config"


def test_three_variables_and_a_region_are_enough() -> None:
    settings = load_settings(ENVIRON)

    assert settings.test_url == "https://green.example.com"
    assert settings.table_name == "gates"
    (webhook,) = settings.slack.secrets
    assert (webhook.source, webhook.value) == (SecretSource.VALUE, SECRET_URL)
    assert settings.languages == (Language.KOREAN,)
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

    assert settings.languages == (Language.ENGLISH,)
    assert settings.image_url == "https://example.com/cat.gif"
    assert settings.gate_ttl == timedelta(days=7)


@pytest.mark.parametrize("text", ["ko,ja", " KO , ja", "ko,\tJa"])
def test_two_languages_are_read_in_their_order(text: str) -> None:
    environ = {**ENVIRON, **DECISION_ENVIRON, "MESSAGE_LANGUAGE": text}

    for load in (load_settings, load_decision_settings, load_failure_settings):
        assert load(environ).languages == (Language.KOREAN, Language.JAPANESE)


@pytest.mark.parametrize("text", ["fr", "ja,ja", "ko,en,ja"])
def test_a_failure_is_told_in_the_usual_language_where_the_setting_is_wrong(text: str) -> None:
    settings = load_failure_settings({**ENVIRON, "MESSAGE_LANGUAGE": text})

    assert settings.languages == (Language.KOREAN,)
    (problem,) = settings.problems
    assert problem.startswith("MESSAGE_LANGUAGE must be one of ko, en, ja, or two different ones")


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
        "AWS_REGION",
    ]
    for problem in failed.value.problems:
        assert problem in str(failed.value)


def without_region(environ: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name != "AWS_REGION"}


def test_a_region_may_be_set_for_boto3_or_in_the_aws_config_file(aws_config: Path) -> None:
    for load, environ in (
        (load_settings, ENVIRON),
        (load_decision_settings, DECISION_ENVIRON),
    ):
        expected = load(environ)
        nowhere = without_region(environ)
        assert load({**nowhere, "AWS_DEFAULT_REGION": "us-east-1"}) == expected
        aws_config.write_text("[default]\nregion = us-east-1\n")
        assert load(nowhere) == expected
        aws_config.unlink()
        with pytest.raises(SettingsError) as failed:
            load(nowhere)
        assert [problem.split()[0] for problem in failed.value.problems] == ["AWS_REGION"]


def test_an_aws_config_file_that_cannot_be_read_for_a_region_is_said_to_be_broken(
    aws_config: Path,
) -> None:
    aws_config.write_text("this is no config")

    with pytest.raises(SettingsError) as failed:
        load_settings({**without_region(ENVIRON), "TEST_URL": ""})

    not_set, region = failed.value.problems
    assert not_set == "TEST_URL is not set"
    assert f"Unable to parse config file: {aws_config}" in region


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("TEST_URL", "ftp://green.example.com", "http or https"),
        ("TEST_URL", "https://", "http or https"),
        ("TEST_URL", "https://green.example.com:port", "http or https"),
        ("TEST_URL", "https://green.example.com/a b", "without spaces"),
        ("TEST_URL", "https://green.example.com/\x00", "without spaces"),
        ("TEST_URL", "https://green.example.com/\u202e", "without spaces"),
        ("TEST_URL", "https://green.example.com/\udc80", "without spaces"),
        ("TEST_URL", "https://[green", "http or https"),
        ("TEST_URL", "https://{nobody}.example.com", "{application}"),
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
        ("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/a b", "without spaces"),
        ("SLACK_WEBHOOK_URL", "https://hooks.slack.com:port/services/x", "absolute"),
        ("SLACK_WEBHOOK_URL", "slack-webhook", "SSM parameter name"),
        ("SLACK_WEBHOOK_URL", "arn:aws:s3:::bucket", "SSM parameter name"),
        *(
            ("MESSAGE_LANGUAGE", wrong, "must be one of ko, en, ja, or two different ones")
            for wrong in ("fr", "ko,fr", "ja,ja", "ko,en,ja", "ko,", ",", "ko en", "ko;ja")
        ),
        ("SLACK_IMAGE_URL", "cat.gif", "http or https"),
        ("SLACK_IMAGE_URL", "https://example.com/" + "a" * 3000, "3000 characters"),
        ("GATE_TTL_DAYS", "0", "1 to 3650"),
        ("GATE_TTL_DAYS", "-1", "1 to 3650"),
        ("GATE_TTL_DAYS", "3651", "1 to 3650"),
        ("GATE_TTL_DAYS", "1.5", "1 to 3650"),
        ("GATE_TTL_DAYS", "9" * 5000, "1 to 3650"),
        ("GATE_TTL_DAYS", "0000000019999", "1 to 3650"),
        ("GATE_TTL_DAYS", "000000001" + "9" * 15, "1 to 3650"),
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
    (reference,) = load_settings({**ENVIRON, "SLACK_WEBHOOK_URL": value}).slack.secrets

    assert (reference.source, reference.value) == (source, value)


@pytest.mark.parametrize("value", ["http://hooks.slack.com/very-secret", "very-secret", SECRET_URL])
def test_the_webhook_url_is_in_no_error_and_no_repr(value: str) -> None:
    environ = {"SLACK_WEBHOOK_URL": value}

    with pytest.raises(SettingsError) as failed:
        load_settings(environ)

    assert "very-secret" not in str(failed.value)
    settings = load_settings(ENVIRON)
    assert "very-secret" not in repr(settings)
    assert "very-secret" not in str(settings.slack.webhook)


def test_placeholders_are_filled_percent_encoded() -> None:
    template = "https://green.example.com/{application}/{deployment_group}?d={deployment_id}"

    url = fill_test_url(template, "d-1", Deployment("shop & more", "블루/그린"))

    assert url == (
        "https://green.example.com/shop%20%26%20more/%EB%B8%94%EB%A3%A8%2F%EA%B7%B8%EB%A6%B0?d=d-1"
    )


def test_a_placeholder_with_nothing_to_fill_it_stays_to_be_seen() -> None:
    url = fill_test_url("https://{application}.example.com/{deployment_id}", "d-1", Deployment())

    assert url == "https://{application}.example.com/d-1"


DECISION_ENVIRON = {
    "DYNAMODB_TABLE_NAME": "gates",
    "SLACK_SIGNING_SECRET": "verysecretverysecretverysecret12",
    "AWS_REGION": "ap-northeast-2",
}


def test_a_click_needs_two_variables_and_a_region() -> None:
    settings = load_decision_settings(DECISION_ENVIRON)

    assert settings.table_name == "gates"
    assert settings.signing_secret.value == DECISION_ENVIRON["SLACK_SIGNING_SECRET"]
    assert settings.approvers == frozenset()
    assert settings.languages == (Language.KOREAN,)
    assert "verysecret" not in repr(settings)
    assert "verysecret" not in str(settings.signing_secret)


@pytest.mark.parametrize("text", ["U1,W2", " U1 , W2 ", "U1 W2", "U1\nW2,", "U1,W2,U1"])
def test_approvers_are_slack_user_ids(text: str) -> None:
    settings = load_decision_settings({**DECISION_ENVIRON, "APPROVERS": text})

    assert settings.approvers == {"U1", "W2"}


@pytest.mark.parametrize("text", ["@alice", "alice", "U1;W2", "<@U1>", ",", "u1", "U1, *"])
def test_approvers_that_are_no_ids_are_an_error(text: str) -> None:
    with pytest.raises(SettingsError, match="APPROVERS must be Slack user ids"):
        load_decision_settings({**DECISION_ENVIRON, "APPROVERS": text})


@pytest.mark.parametrize(
    ("value", "source"),
    [
        ("verysecretverysecretverysecret12", SecretSource.VALUE),
        ("/greenlight/slack-signing-secret", SecretSource.SSM),
        ("arn:aws:ssm:ap-northeast-2:123456789012:parameter/slack", SecretSource.SSM),
        (
            "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:slack/signing-AbCdEf",
            SecretSource.SECRETS_MANAGER,
        ),
    ],
)
def test_a_signing_secret_is_a_value_or_a_reference(value: str, source: SecretSource) -> None:
    environ = {**DECISION_ENVIRON, "SLACK_SIGNING_SECRET": value}

    assert load_decision_settings(environ).signing_secret.source is source
    assert load_settings({**ENVIRON, **environ}).takes_clicks is True


@pytest.mark.parametrize(
    "value", ["short", "very-secret-very-secret", "verysecretverysecret 12", "arn:aws:s3:::bucket"]
)
def test_a_malformed_signing_secret_is_an_error_of_both_functions(value: str) -> None:
    environ = {**ENVIRON, "SLACK_SIGNING_SECRET": value}

    for load in (load_settings, load_decision_settings):
        with pytest.raises(SettingsError) as failed:
            load(environ)
        assert "SLACK_SIGNING_SECRET is neither a signing secret" in str(failed.value)
        assert value not in str(failed.value)


def test_without_a_signing_secret_no_clicks_are_taken() -> None:
    assert load_settings(ENVIRON).takes_clicks is False
    assert load_settings({**ENVIRON, "SLACK_SIGNING_SECRET": " "}).takes_clicks is False


@pytest.mark.parametrize("name", ["/greenlight", "/x", "/ship-it_2", "/" + "a" * 31])
def test_a_slash_command_is_named_where_clicks_are_taken(name: str) -> None:
    environ = {**ENVIRON, "SLACK_COMMAND": name}
    takes_clicks = {**DECISION_ENVIRON, **environ}

    assert load_decision_settings(takes_clicks).look.command == name
    assert load_keeping_settings(takes_clicks).look.command == name
    assert load_failure_settings(takes_clicks).look.command == name
    assert load_settings(takes_clicks).look.command == name
    assert load_settings(environ).look.command is None, "nobody would answer it"
    assert load_failure_settings(environ).look.command is None


def test_without_a_name_there_is_no_slash_command() -> None:
    for environ in ({}, {"SLACK_COMMAND": ""}, {"SLACK_COMMAND": " "}):
        assert load_settings({**ENVIRON, **DECISION_ENVIRON, **environ}).look.command is None


@pytest.mark.parametrize(
    "name", ["greenlight", "/", "/Greenlight", "/green light", "/초록", "/a.b", "/" + "a" * 32]
)
def test_a_name_that_is_none_is_an_error_and_costs_a_failure_nothing(name: str) -> None:
    environ = {**ENVIRON, **DECISION_ENVIRON, "SLACK_COMMAND": name}

    for load in (load_settings, load_decision_settings, load_keeping_settings):
        with pytest.raises(SettingsError, match="SLACK_COMMAND must be a slash command's name"):
            load(environ)
    settings = load_failure_settings(environ)
    assert settings.look.command is None
    assert settings.table_name == "gates"
    assert len(settings.problems) == 1


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
                "SLACK_SIGNING_SECRET",
                "APPROVERS",
                "SLACK_COMMAND",
                "AWS_REGION",
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
    try:
        assert isinstance(load_decision_settings(environ), DecisionSettings)
    except SettingsError as failed:
        assert failed.problems
