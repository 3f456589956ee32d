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

from greenlight.model.errors import SettingsError
from greenlight.model.gate import Deployment
from greenlight.model.message import Language, Look

DEFAULT_SERVICE: Final = "greenlight"
DEFAULT_IMAGE_URL: Final = "https://github.githubassets.com/images/mona-loading-default.gif"
MAX_LANGUAGES: Final = 2
DEFAULT_LANGUAGES: Final = (Language.KOREAN,)
DEFAULT_GATE_TTL_DAYS: Final = 90
MAX_GATE_TTL_DAYS: Final = 3650
MAX_TEST_URL_CHARACTERS: Final = 1000
MAX_IMAGE_URL_CHARACTERS: Final = 3000  # Slack's limit for an image block
DEFAULT_SLACK_API_URL: Final = "https://slack.com/api"
DEFAULT_REMINDERS: Final = (timedelta(minutes=15),)
MAX_MINUTES: Final = 20_160  # 14 days: no engine waits longer
MAX_REMINDERS: Final = 5

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

_PLACEHOLDERS = ("application", "cluster", "deployment_group", "deployment_id", "service")
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
# With its slash, it has 32 characters at most, as Slack has it.
_SLACK_COMMAND = re.compile(r"/[a-z0-9_-]{1,31}")
_SLACK_CHANNEL = re.compile(r"[CDG][A-Z0-9]{1,30}")
_BOT_TOKEN = re.compile(r"xox[A-Za-z0-9.-]{10,500}")
_MINUTES = re.compile(r"0*[0-9]{1,5}")
_NAME = re.compile(r"[0-9A-Za-z_.-]{1,64}")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:[A-Za-z0-9+=,.@_/:-]{1,256}")
_SERVICES = re.compile(r"\*|[A-Za-z0-9_*-]{1,255}/[A-Za-z0-9_*-]{1,255}")
_BUS = re.compile(r"(arn:aws[a-z-]*:events:[a-z0-9-]+:\d{12}:event-bus/)?[A-Za-z0-9._/-]{1,256}")

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
class BotSettings:
    """A bot that posts to a channel, by its id, through Slack's Web API."""

    token: SecretReference
    channel: str
    api_url: str


@dataclass(frozen=True)
class SlackSettings:
    """How people are told: by a webhook, a bot, or the bot with the webhook as its way out."""

    webhook: SecretReference | None
    bot: BotSettings | None

    @property
    def secrets(self) -> list[SecretReference]:
        """The secrets that posting takes, the bot's first."""
        token = self.bot and self.bot.token
        return [one for one in (token, self.webhook) if one]


@dataclass(frozen=True)
class ScheduleSettings:
    """Where moments are set: a group of EventBridge Scheduler's, and whom it calls in which role.

    `role_arn` and `function_arn` are those of the role and of the function that the moments call.
    """

    group: str
    role_arn: str
    function_arn: str


@dataclass(frozen=True)
class Settings:
    """What the environment asks of the functions that open and fail hooks, checked.

    `test_url` is a template: see `fill_test_url`. `image_url` is None for a message without image.
    `takes_clicks`: a signing secret is set, so the message may have buttons. `slash_command`: its
    name, if one is set up; it decides where clicks are taken. `ends_gates`: moments
    are set, so that a gate has an end of Greenlight's own, `decide_within` after it was opened if
    that is earlier.
    """

    test_url: str
    table_name: str
    slack: SlackSettings
    languages: tuple[Language, ...]
    image_url: str | None
    gate_ttl: timedelta
    takes_clicks: bool
    slash_command: str | None
    ends_gates: bool
    decide_within: timedelta | None

    @property
    def look(self) -> Look:
        """How messages look."""
        return _look(self, self.image_url)


@dataclass(frozen=True)
class FailureSettings:
    """What the environment asks of the function that fails hooks, as far as it can be understood.

    A deployment must not hang because of a setting that has nothing to do with it: `table_name` is
    None, `slack` has no way, and `test_url` is empty, where they are missing or malformed; the rest
    has its default. `leaves`: a hook that can wait for days is not failed. `problems` has a
    sentence for each.
    """

    table_name: str | None
    slack: SlackSettings
    test_url: str
    languages: tuple[Language, ...]
    gate_ttl: timedelta
    takes_clicks: bool
    slash_command: str | None
    ends_gates: bool
    decide_within: timedelta | None
    leaves: bool
    problems: tuple[str, ...]

    @property
    def look(self) -> Look:
        """How messages look: without the image, which a setting could have wrong."""
        return _look(self, None)


@dataclass(frozen=True)
class DecisionSettings:
    """What the environment asks of the function that takes clicks, checked.

    `approvers` are the Slack user ids that may decide; none means whoever sees the message.
    """

    table_name: str
    signing_secret: SecretReference
    approvers: frozenset[str]
    languages: tuple[Language, ...]
    image_url: str | None
    slash_command: str | None

    @property
    def look(self) -> Look:
        """How messages look."""
        return Look(self.languages, self.image_url, has_buttons=True, command=self.slash_command)


@dataclass(frozen=True)
class KeepingSettings:
    """What the environment asks of the functions that keep what people see true, checked.

    `reminders`: how long before a gate's end people are reminded. `schedules` is None where no
    moments are set, `event_bus` where no machine is told.
    """

    table_name: str
    slack: SlackSettings
    approvers: frozenset[str]
    languages: tuple[Language, ...]
    image_url: str | None
    takes_clicks: bool
    slash_command: str | None
    reminders: tuple[timedelta, ...]
    schedules: ScheduleSettings | None
    event_bus: str | None

    @property
    def look(self) -> Look:
        """How messages look."""
        return _look(self, self.image_url)


def _look(settings: Settings | FailureSettings | KeepingSettings, image_url: str | None) -> Look:
    """How messages look; without a signing secret, nobody takes a click or a command."""
    command = settings.slash_command if settings.takes_clicks else None
    return Look(settings.languages, image_url, settings.takes_clicks, command)


def load_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Reads the settings of a hook. Raises one SettingsError that names all that are wrong."""
    reader = _Reader(environ)
    return reader.checked(
        Settings(
            test_url=reader.read("TEST_URL", _test_url),
            table_name=reader.read("DYNAMODB_TABLE_NAME", _table_name),
            slack=reader.slack(),
            languages=reader.read("MESSAGE_LANGUAGE", _languages, DEFAULT_LANGUAGES),
            image_url=reader.image_url(),
            gate_ttl=reader.read("GATE_TTL_DAYS", _days, timedelta(days=DEFAULT_GATE_TTL_DAYS)),
            takes_clicks=reader.read("SLACK_SIGNING_SECRET", _is_signing_secret, default=False),
            slash_command=reader.optional("SLACK_COMMAND", _slash_command),
            ends_gates=reader.has("SCHEDULE_GROUP"),
            decide_within=reader.optional("DECIDE_WITHIN_MINUTES", _minutes),
        )
    )


def load_failure_settings(environ: Mapping[str, str] = os.environ) -> FailureSettings:
    """Reads the settings of a failure, each by itself."""
    reader = _Reader(environ)
    ttl = timedelta(days=DEFAULT_GATE_TTL_DAYS)
    return FailureSettings(
        table_name=reader.read("DYNAMODB_TABLE_NAME", _table_name),
        slack=reader.slack(),
        test_url=reader.read("TEST_URL", _test_url) or "",
        languages=reader.read("MESSAGE_LANGUAGE", _languages, DEFAULT_LANGUAGES),
        gate_ttl=reader.read("GATE_TTL_DAYS", _days, ttl),
        takes_clicks=reader.read("SLACK_SIGNING_SECRET", _is_signing_secret, default=False),
        slash_command=reader.optional("SLACK_COMMAND", _slash_command),
        ends_gates=reader.has("SCHEDULE_GROUP"),
        decide_within=reader.optional("DECIDE_WITHIN_MINUTES", _minutes),
        leaves=reader.read("PAUSE_FAILURE", _leaves, default=False),
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
            languages=reader.read("MESSAGE_LANGUAGE", _languages, DEFAULT_LANGUAGES),
            image_url=reader.image_url(),
            slash_command=reader.optional("SLACK_COMMAND", _slash_command),
        )
    )


def load_keeping_settings(environ: Mapping[str, str] = os.environ) -> KeepingSettings:
    """Reads the settings of what is kept true. Raises one SettingsError for all that are wrong."""
    reader = _Reader(environ)
    return reader.checked(
        KeepingSettings(
            table_name=reader.read("DYNAMODB_TABLE_NAME", _table_name),
            slack=reader.slack(),
            approvers=reader.read("APPROVERS", _approvers, frozenset()),
            languages=reader.read("MESSAGE_LANGUAGE", _languages, DEFAULT_LANGUAGES),
            image_url=reader.image_url(),
            takes_clicks=reader.read("SLACK_SIGNING_SECRET", _is_signing_secret, default=False),
            slash_command=reader.optional("SLACK_COMMAND", _slash_command),
            reminders=()
            if environ.get("REMIND_MINUTES_BEFORE") == ""
            else reader.read("REMIND_MINUTES_BEFORE", _reminders, DEFAULT_REMINDERS),
            schedules=reader.schedules(),
            event_bus=reader.optional("EVENT_BUS_NAME", _event_bus),
        )
    )


def load_services(environ: Mapping[str, str] = os.environ) -> str:
    """The pattern (`cluster/service`, `*` is anything) of ECS's services. Raises SettingsError."""
    reader = _Reader(environ)
    return reader.checked(reader.read("ECS_SERVICES", _services, "*"))


def load_table_name(environ: Mapping[str, str] = os.environ) -> str:
    """The table of gates. Raises SettingsError."""
    reader = _Reader(environ)
    return reader.checked(reader.read("DYNAMODB_TABLE_NAME", _table_name))


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

    def has(self, name: str) -> bool:
        """Whether a variable is set."""
        return bool(self._environ.get(name, "").strip())

    def optional(self, name: str, parse: Callable[[str], T]) -> T | None:
        """A variable's value; None for one that is not set."""
        return self.read(name, parse) if self.has(name) else None

    def image_url(self) -> str | None:
        """The image of a message; None where the variable is set to nothing."""
        if self._environ.get("SLACK_IMAGE_URL") == "":
            return None
        return self.read("SLACK_IMAGE_URL", _image_url, DEFAULT_IMAGE_URL)

    def slack(self) -> SlackSettings:
        """The ways to tell people: without a bot, there has to be a webhook."""
        if not self.has("SLACK_BOT_TOKEN"):
            return SlackSettings(self.read("SLACK_WEBHOOK_URL", _webhook_reference), None)
        token = self.read("SLACK_BOT_TOKEN", _bot_token)
        channel = self.read("SLACK_CHANNEL", _channel)
        api_url = self.read("SLACK_API_URL", _api_url, DEFAULT_SLACK_API_URL)
        bot = BotSettings(token, channel, api_url) if token and channel else None
        return SlackSettings(self.optional("SLACK_WEBHOOK_URL", _webhook_reference), bot)

    def schedules(self) -> ScheduleSettings | None:
        """Where moments are set; None where nothing says so."""
        if not self.has("SCHEDULE_GROUP"):
            return None
        return ScheduleSettings(
            group=self.read("SCHEDULE_GROUP", _schedule_group),
            role_arn=self.read("SCHEDULE_ROLE_ARN", _arn),
            function_arn=self.read("CLOCK_FUNCTION_ARN", _arn),
        )

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
        "cluster": deployment.cluster,
        "service": deployment.service,
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


def check_bot_token(text: str) -> str:
    """Returns a usable bot token; a ValueError says what is wrong, without the token."""
    if not _BOT_TOKEN.fullmatch(text):
        raise ValueError("must be a bot token (xoxb-...)")
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


def _bot_token(text: str) -> SecretReference:
    source = _place(text)
    if source is None:
        if not _BOT_TOKEN.fullmatch(text):
            raise ValueError(f"is neither a bot token (xoxb-...) nor {_PLACES}")
        source = SecretSource.VALUE
    return SecretReference("SLACK_BOT_TOKEN", source, text)


def _channel(text: str) -> str:
    if not _SLACK_CHANNEL.fullmatch(text):
        raise ValueError("must be the id of a Slack channel (C0123ABCD)")
    return text


def _slash_command(text: str) -> str:
    if not _SLACK_COMMAND.fullmatch(text):
        raise ValueError(
            "must be a slash command's name: / and 1 to 31 lowercase letters, digits, - and _"
        )
    return text


def _api_url(text: str) -> str:
    return check_webhook_url(text).rstrip("/")


def _schedule_group(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be the name of a schedule group")
    return text


def _arn(text: str) -> str:
    if not _ARN.fullmatch(text):
        raise ValueError("must be an ARN")
    return text


def _event_bus(text: str) -> str:
    if not _BUS.fullmatch(text):
        raise ValueError("must be the name or the ARN of an event bus")
    return text


def _minutes(text: str) -> timedelta:
    if not _MINUTES.fullmatch(text) or not 1 <= int(text) <= MAX_MINUTES:
        raise ValueError(f"must be a whole number of minutes from 1 to {MAX_MINUTES}")
    return timedelta(minutes=int(text))


def _reminders(text: str) -> tuple[timedelta, ...]:
    """Moments before the end, the first one first."""
    found = {_minutes(one.strip()) for one in text.strip(", ").split(",")}
    if len(found) > MAX_REMINDERS:
        raise ValueError(f"must be at most {MAX_REMINDERS} numbers of minutes")
    return tuple(sorted(found, reverse=True))


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


def _languages(text: str) -> tuple[Language, ...]:
    names = [name.strip() for name in text.lower().split(",")]
    if not (set(names) <= set(Language) and len(set(names)) == len(names) <= MAX_LANGUAGES):
        raise ValueError(
            f"must be one of {', '.join(Language)}, or two different ones, separated by a comma"
        )
    return tuple(map(Language, names))


def _image_url(text: str) -> str:
    if len(text) > MAX_IMAGE_URL_CHARACTERS:
        raise ValueError(f"is longer than {MAX_IMAGE_URL_CHARACTERS} characters")
    _check_url(text)
    return text


def _leaves(text: str) -> bool:
    if text not in ("rollback", "leave"):
        raise ValueError("must be rollback or leave")
    return text == "leave"


def _services(text: str) -> str:
    if not _SERVICES.fullmatch(text):
        raise ValueError("must be cluster/service, in which * is anything, or * alone")
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
