"""The secrets of the Slack app: read unseen, kept in SSM, encrypted, and never shown."""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import click
from botocore.exceptions import BotoCoreError, ClientError

from greenlight.model.errors import GreenlightError
from greenlight.runtime.settings import check_bot_token, check_signing_secret, check_webhook_url


class SecretRefusedError(GreenlightError):
    """What was given is no secret of its kind; the sentence says why, without it."""

    stage = "secret"

    def __init__(self, title: str, problem: str) -> None:
        super().__init__(f"This is no {title}, and nothing is stored: it {problem}")


class SecretKeptError(GreenlightError):
    """There is a parameter of this name in SSM already, and it stays as it is."""

    stage = "secret"

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"SSM has {name} already, and it stays as it is. To replace it, add --overwrite"
        )


class SecretNotStoredError(GreenlightError):
    """SSM did not take a secret; `reason` is its error code. What was sent is nowhere in it."""

    stage = "secret"

    def __init__(self, name: str, reason: str) -> None:
        self.name = name
        self.reason = reason
        super().__init__(f"SSM PutParameter of {name} failed: {reason}")


_SLACKS: Final = re.compile(r"https://hooks\.slack\.com/services/\w+/\w+/[\w-]+")


@dataclass(frozen=True)
class Kind:
    """A kind of secret: its title, where it is kept unless told otherwise, and its check.

    `check` returns the secret, or raises a ValueError whose sentence is without it.
    """

    title: str
    parameter: str
    check: Callable[[str], str]


def _check_webhook(text: str) -> str:
    """As the functions do; and of Slack's pages, only a webhook's URL is one."""
    url = check_webhook_url(text)
    host = urlsplit(url).hostname or ""
    if f".{host}".endswith(".slack.com") and not _SLACKS.fullmatch(url):
        raise ValueError("must be https://hooks.slack.com/services/T.../B.../... of the Slack app")
    return url


KINDS: Final[dict[str, Kind]] = {
    "webhook": Kind("webhook URL", "/greenlight/slack-webhook", _check_webhook),
    "signing": Kind("signing secret", "/greenlight/slack-signing-secret", check_signing_secret),
    "bot": Kind("bot token", "/greenlight/slack-bot-token", check_bot_token),
}


def read(kind: Kind) -> str:
    """Asks for a secret, unseen; without a terminal, it is all of standard input.

    Raises SecretRefusedError.
    """
    if sys.stdin.isatty():
        text = click.prompt(f"{kind.title} (not shown)", hide_input=True, err=True)
    else:
        text = sys.stdin.buffer.read().decode(errors="surrogateescape")
    if not text.strip():
        raise SecretRefusedError(kind.title, "is empty")
    try:
        return kind.check(text.strip())
    except ValueError as exc:
        raise SecretRefusedError(kind.title, str(exc)) from None


def store(ssm: Any, name: str, secret: str, key: str | None, *, overwrite: bool) -> int:
    """Stores a secret in a parameter of SSM, and gives the parameter's version.

    `key`: the KMS key (id, ARN or alias) to encrypt it with; without, the account's own for SSM.
    Raises SecretKeptError and SecretNotStoredError.
    """
    options = {"KeyId": key} if key else {}
    try:
        answer = ssm.put_parameter(
            Name=name, Value=secret, Type="SecureString", Overwrite=overwrite, **options
        )
    except ClientError as exc:
        code = exc.response["Error"]["Code"]
        if code == "ParameterAlreadyExists":
            raise SecretKeptError(name) from None
        # AWS's own sentence may quote what it was sent.
        wordless = ClientError({"Error": {"Code": code}}, exc.operation_name)
        raise SecretNotStoredError(name, code) from wordless
    except BotoCoreError as exc:
        raise SecretNotStoredError(name, type(exc).__name__) from exc
    return int(answer["Version"])
