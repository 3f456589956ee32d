"""Environment variables -> one frozen Settings. The only reader of os.environ."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import Final, TypeVar
from urllib.parse import quote, urlsplit

import boto3
from aws_lambda_powertools.shared.constants import LAMBDA_TASK_ROOT_ENV
from botocore.exceptions import BotoCoreError

from greenlight.errors import SettingsError
from greenlight.models import Deployment, Language

DEFAULT_SERVICE: Final = "greenlight"
DEFAULT_IMAGE_URL: Final = "https://github.githubassets.com/images/mona-loading-default.gif"
DEFAULT_GATE_TTL_DAYS: Final = 90
MAX_GATE_TTL_DAYS: Final = 3650
MAX_TEST_URL_CHARACTERS: Final = 1000
MAX_IMAGE_URL_CHARACTERS: Final = 3000  # Slack's limit for an image block

# The URLs that people see: a regular expression, because the template's parameters say the same
# with one; in code points, because CloudFormation reads it as Java does, whose \s is not Python's.
# No gaps: spaces, and what controls a text or turns it around unseen.
_GAPS = (
    r"\u0000-\u0020\u007f-\u00a0\u00ad\u061c\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f"
    r"\u3000\ufeff\ud800-\udfff"
)
_URL = re.compile(
    rf"(?i:https?)://([^{_GAPS}\[\]/?#]*@)?"
    rf"([^{_GAPS}\[\]/?#@:]+|\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[0-9A-Za-z._~-]+)?\])"
    r"(:0*([1-5]?[0-9]{0,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?"
    rf"([/?#][^{_GAPS}]*)?"
)
_URL_WANTED = "must be an absolute http or https URL, without spaces or control characters"

_PLACEHOLDERS = ("application", "deployment_group", "deployment_id")
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_TABLE = re.compile(
    r"[A-Za-z0-9_.-]{3,255}|arn:aws[a-z-]*:dynamodb:[a-z0-9-]+:\d{12}:table/[A-Za-z0-9_.-]{3,255}"
)
_SSM = re.compile(r"(?:arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:parameter)?/[A-Za-z0-9_./-]{1,1010}")
_SECRETS_MANAGER = re.compile(
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[A-Za-z0-9/_+=.@-]{1,519}"
)

_PLACES = "an SSM parameter name (/path/name), an SSM parameter ARN or a Secrets Manager secret ARN"
_SECRET_VALUE = re.compile(r"[A-Za-z0-9]{16,128}")
_DAYS = re.compile(r"0*[0-9]{1,4}")
_SLACK_USER = re.compile(r"[UW][A-Z0-9]{1,30}")

T = TypeVar("T")


class SecretSource(StrEnum):
    """Where a secret's value is kept."""

    VALUE = "the variable itself"
    SSM = "SSM parameter"
    SECRETS_MANAGER = "Secrets Manager secret"


@dataclass(frozen=True)
class SecretReference:
    """A secret setting: its value, or the place that holds it. Never shown by `repr`."""

    variable: str
    source: SecretSource
    value: str = field(repr=False)

    def __str__(self) -> str:
        """Where to look when the secret is wrong, without the secret."""
        place = "" if self.source is SecretSource.VALUE else f" {self.value}"
        return f"{self.variable} ({self.source}{place})"


@dataclass(frozen=True)
class Settings:
    """What the environment asks of the functions that open and fail hooks, checked.

    `test_url` is a template: see `fill_test_url`. `image_url` is None for a message without image.
    `takes_clicks`: a signing secret is set, so the message may have buttons.
    """

    test_url: str
    table_name: str
    slack_webhook: SecretReference
    language: Language
    image_url: str | None
    gate_ttl: timedelta
    takes_clicks: bool


@dataclass(frozen=True)
class FailureSettings:
    """What the environment asks of the function that fails hooks, as far as it can be understood.

    A deployment must not hang because of a setting that has nothing to do with it: `table_name` and
    `slack_webhook` are None, and `test_url` is empty, where they are missing or malformed; the rest
    has its default. `problems` has a sentence for each.
    """

    table_name: str | None
    slack_webhook: SecretReference | None
    test_url: str
    language: Language
    gate_ttl: timedelta
    takes_clicks: bool
    problems: tuple[str, ...]
    image_url: None = None


@dataclass(frozen=True)
class DecisionSettings:
    """What the environment asks of the function that takes clicks, checked.

    `approvers` are the Slack user ids that may decide; none means whoever sees the message.
    """

    table_name: str
    signing_secret: SecretReference
    approvers: frozenset[str]
    language: Language


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads the settings of a hook. Raises one SettingsError that names all that are wrong."""
    reader = _Reader(environ)
    return reader.checked(
        Settings(
            test_url=reader.read("TEST_URL", _test_url),
            table_name=reader.read("DYNAMODB_TABLE_NAME", _table_name),
            slack_webhook=reader.read("SLACK_WEBHOOK_URL", _webhook_reference),
            language=reader.read("MESSAGE_LANGUAGE", _language, Language.KOREAN),
            image_url=None
            if environ.get("SLACK_IMAGE_URL") == ""
            else reader.read("SLACK_IMAGE_URL", _image_url, DEFAULT_IMAGE_URL),
            gate_ttl=reader.read("GATE_TTL_DAYS", _days, timedelta(days=DEFAULT_GATE_TTL_DAYS)),
            takes_clicks=reader.read("SLACK_SIGNING_SECRET", _is_signing_secret, default=False),
        )
    )


def load_failure_settings(environ: Mapping[str, str] = os.environ) -> FailureSettings:
    """Reads the settings of a failure, each by itself."""
    reader = _Reader(environ)
    ttl = timedelta(days=DEFAULT_GATE_TTL_DAYS)
    return FailureSettings(
        table_name=reader.read("DYNAMODB_TABLE_NAME", _table_name),
        slack_webhook=reader.read("SLACK_WEBHOOK_URL", _webhook_reference),
        test_url=reader.read("TEST_URL", _test_url) or "",
        language=reader.read("MESSAGE_LANGUAGE", _language, Language.KOREAN),
        gate_ttl=reader.read("GATE_TTL_DAYS", _days, ttl),
        takes_clicks=reader.read("SLACK_SIGNING_SECRET", _is_signing_secret, default=False),
        problems=tuple(reader.problems),
    )


def load_decision_settings(environ: Mapping[str, str] = os.environ) -> DecisionSettings:
    """Reads the settings of a click. Raises one SettingsError that names all that are wrong."""
    reader = _Reader(environ)
    return reader.checked(
        DecisionSettings(
            table_name=reader.read("DYNAMODB_TABLE_NAME", _table_name),
            signing_secret=reader.read("SLACK_SIGNING_SECRET", _signing_secret),
            approvers=reader.read("APPROVERS", _approvers, frozenset()),
            language=reader.read("MESSAGE_LANGUAGE", _language, Language.KOREAN),
        )
    )


def named_table(text: str) -> str:
    """A table's name or ARN that somebody gave by hand. Raises SettingsError if it is neither."""
    try:
        return _table_name(text)
    except ValueError as exc:
        raise SettingsError(f"the table {exc}") from None


class _Reader:
    """Reads one variable after the other, and keeps what is wrong with them for the end."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def read(self, name: str, parse: Callable[[str], T], default: T | None = None) -> T:
        """A variable's value; the default, or a problem, for one that is unset or blank."""
        text = self._environ.get(name, "").strip()
        try:
            if text:
                return parse(text)
            if default is None:
                raise ValueError("is not set")
        except ValueError as exc:
            self.problems.append(f"{name} {exc}")
        return default  # type: ignore[return-value]  # None only where `checked` will raise

    def checked(self, settings: T) -> T:
        """The settings, if nothing was wrong and there is an AWS region. Raises SettingsError."""
        if not aws_region(self._environ):
            self.problems += _without_region()
        if self.problems:
            raise SettingsError(*self.problems)
        return settings


def fill_test_url(template: str, deployment_id: str, deployment: Deployment) -> str:
    """Puts percent-encoded names into the placeholders of a test URL.

    A placeholder whose value is not known stays as it is, so that a reader sees what is missing.
    """
    known = {
        "deployment_id": deployment_id,
        "application": deployment.application,
        "deployment_group": deployment.deployment_group,
    }

    def fill(match: re.Match[str]) -> str:
        value = known[match[1]]
        return match[0] if value is None else quote(value, safe="")

    return _PLACEHOLDER.sub(fill, template)


def check_webhook_url(text: str) -> str:
    """Returns a usable webhook URL; a ValueError says what is wrong, without the URL."""
    host = _host(text)
    if not text.startswith("https:") and not is_loopback(host):
        raise ValueError("must be https (plain http only for a loopback host)")
    return text


def check_signing_secret(text: str) -> str:
    """Returns a usable signing secret; a ValueError says what is wrong, without the secret."""
    if not _SECRET_VALUE.fullmatch(text):
        raise ValueError("must be a signing secret: 16 to 128 letters and digits")
    return text


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def aws_region(environ: Mapping[str, str] = os.environ) -> str | None:
    """The region that is set. Lambda sets both variables; boto3 reads the second one only."""
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or None


def service_name() -> str:
    """The `service` of logs, traces and metrics: POWERTOOLS_SERVICE_NAME, or Greenlight's own."""
    return os.environ.get("POWERTOOLS_SERVICE_NAME") or DEFAULT_SERVICE


def is_in_lambda() -> bool:
    """Whether this process is a Lambda function's, as Powertools tells it."""
    return bool(os.environ.get(LAMBDA_TASK_ROOT_ENV))


def _without_region() -> list[str]:
    """What is wrong where no region is set: nothing if the AWS config file has one."""
    try:
        if boto3.Session().region_name:
            return []
    except BotoCoreError as exc:
        return [f"AWS_REGION is not set, and no AWS config file has it: {exc}"]
    return ["AWS_REGION is not set, nor AWS_DEFAULT_REGION, and no AWS config file has a region"]


def _test_url(text: str) -> str:
    unknown = [name for name in _PLACEHOLDER.findall(text) if name not in _PLACEHOLDERS]
    sample = _PLACEHOLDER.sub("x", text)
    allowed = ", ".join(f"{{{name}}}" for name in _PLACEHOLDERS)
    if unknown or "{" in sample or "}" in sample:
        raise ValueError(f"has an unknown placeholder or a stray brace; it may hold {allowed}")
    if len(text) > MAX_TEST_URL_CHARACTERS:
        raise ValueError(f"is longer than {MAX_TEST_URL_CHARACTERS} characters")
    _check_url(sample)
    return text


def _table_name(text: str) -> str:
    if not _TABLE.fullmatch(text):
        raise ValueError("is not a DynamoDB table name or ARN")
    return text


def _webhook_reference(text: str) -> SecretReference:
    source = _place(text)
    if source is None and text.startswith(("https:", "http:")):
        check_webhook_url(text)
        source = SecretSource.VALUE
    if source is None:
        raise ValueError(f"is neither an https URL nor {_PLACES}")
    return SecretReference("SLACK_WEBHOOK_URL", source, text)


def _signing_secret(text: str) -> SecretReference:
    source = _place(text)
    if source is None:
        if not _SECRET_VALUE.fullmatch(text):
            raise ValueError(f"is neither a signing secret (letters and digits) nor {_PLACES}")
        source = SecretSource.VALUE
    return SecretReference("SLACK_SIGNING_SECRET", source, text)


def _is_signing_secret(text: str) -> bool:
    return bool(_signing_secret(text))


def _place(text: str) -> SecretSource | None:
    """Where a secret is kept, if the text says so."""
    if _SSM.fullmatch(text):
        return SecretSource.SSM
    return SecretSource.SECRETS_MANAGER if _SECRETS_MANAGER.fullmatch(text) else None


def _approvers(text: str) -> frozenset[str]:
    ids = re.split(r"[\s,]+", text.strip(", "))
    if not all(_SLACK_USER.fullmatch(one) for one in ids):
        raise ValueError("must be Slack user ids (U0123ABCD), separated by commas")
    return frozenset(ids)


def _language(text: str) -> Language:
    try:
        return Language(text.lower())
    except ValueError:
        raise ValueError(f"must be one of {', '.join(Language)}") from None


def _image_url(text: str) -> str:
    if len(text) > MAX_IMAGE_URL_CHARACTERS:
        raise ValueError(f"is longer than {MAX_IMAGE_URL_CHARACTERS} characters")
    _check_url(text)
    return text


def _days(text: str) -> timedelta:
    if not _DAYS.fullmatch(text) or not 1 <= int(text) <= MAX_GATE_TTL_DAYS:
        raise ValueError(f"must be a whole number of days from 1 to {MAX_GATE_TTL_DAYS}")
    return timedelta(days=int(text))


def _check_url(url: str) -> None:
    """Raises a ValueError that says what is wrong with a URL that people will see."""
    if not _URL.fullmatch(url):
        raise ValueError(_URL_WANTED)


def _host(url: str) -> str:
    """The host of an absolute http(s) URL; a ValueError says what is wrong, without the URL."""
    if not url.isprintable() or " " in url:
        raise ValueError(_URL_WANTED)
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # reading it checks it
    except ValueError:
        raise ValueError(_URL_WANTED) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(_URL_WANTED)
    return parts.hostname
