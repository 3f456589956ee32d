"""A stack as the file describes it that a person fills in (deploy.toml)."""

import difflib
import itertools
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from tools.template import takes, wanted

USUAL_FILE: Final = "deploy.toml"
EXAMPLE: Final = "deploy.example.toml"

# The longest function name is `CodeDeployHook_` and the stack's: 64 characters, as Lambda allows.
_PLACES: Final = {
    "stack_name": (
        r"[A-Za-z][A-Za-z0-9-]{0,48}",
        "1 to 49 letters, digits and hyphens, the first of them a letter",
    ),
    "region": (r"[a-z0-9-]+", 'an AWS region ("ap-northeast-2")'),
    "profile": (r".+", "a profile of the AWS CLI (aws configure list-profiles shows them)"),
    "account": (r"[0-9]{12}", "an AWS account: twelve digits, in quotes"),
}


# What is a secret, wherever it stands.
_SECRETS: Final = {
    "hooks.slack.com/": "the URL of a Slack webhook",
    "xoxb-": "the token of a Slack bot",
}
# Where secrets are kept in SSM: each in a place of its own.
_PLACES_OF_SECRETS: Final = (
    "SlackWebhookParameter",
    "SlackSigningSecretParameter",
    "SlackBotTokenParameter",
)


class Refused(click.ClickException):
    """What cannot work: a line for each problem, which says what to do about it."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))

    def show(self, file: Any = None) -> None:
        """Says it on standard error, as click does of any of its errors."""
        for problem in self.problems:
            click.echo(f"Error: {problem}", err=True, file=file)


@dataclass(frozen=True)
class Stack:
    """A stack: where it goes, and a value for every parameter of the template.

    `region`, `profile` and `account` are None where the file leaves them to the AWS CLI's settings.
    `chosen` are the parameters that the file names; the others have the template's default.
    """

    file: Path
    name: str
    region: str | None
    profile: str | None
    account: str | None
    parameters: dict[str, str]
    chosen: frozenset[str]

    @property
    def takes_clicks(self) -> bool:
        """Whether messages have buttons: as the template's condition of this name."""
        return bool(
            self.parameters["SlackSigningSecretParameter"]
            or self.parameters["SlackSigningSecretArn"]
        )

    @property
    def note(self) -> Path:
        """Where it is noted which account and region the file went to the last time."""
        return self.file.with_name(f".{self.file.stem}.json")

    def make(self, target: str) -> str:
        """The command that a person types for this file."""
        return f"make {target}" + (f" FILE={self.file}" if str(self.file) != USUAL_FILE else "")


def defaults(parameters: dict[str, Any]) -> dict[str, str]:
    """The default of each parameter of the template that has one."""
    return {name: str(one["Default"]) for name, one in parameters.items() if "Default" in one}


def read(file: Path, parameters: dict[str, Any]) -> Stack:
    """Reads a file against the template's parameters. Raises Refused, with all that is wrong."""
    values = _values(file)
    problems = list(_problems(values, parameters))
    if problems:
        raise Refused(*(f"{file}: {problem}" for problem in problems))
    texts = {name: str(value) for name, value in values.items()}
    places = {name: texts.pop(name, None) for name in _PLACES}
    all_values = defaults(parameters) | texts
    return Stack(
        file,
        places["stack_name"] or "greenlight",
        places["region"],
        places["profile"],
        places["account"],
        {name: all_values[name] for name in parameters},
        frozenset(texts),
    )


def _values(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise Refused(f"There is no {file}. Run: cp {EXAMPLE} {file}; then fill it in") from None
    except UnicodeDecodeError:
        raise Refused(f"{file} is not UTF-8: save it in that encoding") from None
    except OSError as exc:
        raise Refused(f"{file} cannot be read: {exc.strerror}") from None
    except tomllib.TOMLDecodeError as exc:
        raise Refused(
            f'{file} is not TOML (name = "value", a line each, texts in quotes): {exc}'
        ) from None


def _problems(values: dict[str, Any], parameters: dict[str, Any]) -> Iterator[str]:
    """What is wrong, without the values: one of them may be a secret in the wrong place."""
    known = [*_PLACES, *parameters]
    for name, value in values.items():
        if name not in known:
            yield _unknown(name, known)
        elif problem := _problem(name, value, parameters):
            yield f"{name} {problem}"
    if not values.keys() <= {*known}:
        yield f"the names that there are: {', '.join(known)}"
    for name, one in parameters.items():
        if "Default" not in one and values.get(name, "") == "":
            yield f"{name} is not filled in: it must be {wanted(one)}"
    named = {name: values.get(name, parameters[name]["Default"]) for name in _PLACES_OF_SECRETS}
    for one, other in itertools.combinations(named, 2):
        if named[one] and named[one] == named[other]:
            yield f"{one} and {other} must not be the same"


def _problem(name: str, value: object, parameters: dict[str, Any]) -> str | None:
    """What is wrong with a value."""
    rule = _PLACES[name][1] if name in _PLACES else wanted(parameters[name])
    for sign, secret in _SECRETS.items():
        if sign in str(value):
            return f"holds {secret}, which is a secret: make secrets asks for it"
    if isinstance(value, bool) or not isinstance(value, str | int):
        return f"must be one text in quotes, or one number: {rule}"
    if name in _PLACES:
        is_right = isinstance(value, str) and bool(re.fullmatch(_PLACES[name][0], value))
    else:
        is_missing = value == "" and "Default" not in parameters[name]
        is_right = is_missing or takes(parameters[name], str(value))
    return None if is_right else f"must be {rule}"


def _unknown(name: str, known: list[str]) -> str:
    """What is wrong with a name; one that may be a secret is not repeated."""
    if not re.fullmatch(r"[A-Za-z_]{1,40}", name):
        return "a name in it is none, and is not repeated here, as it may be a secret"
    plain = {one.replace("_", "").lower(): one for one in known}
    close = difflib.get_close_matches(name.replace("_", "").lower(), plain, n=1)
    return f"there is no {name}" + (f"; did you mean {plain[close[0]]}?" if close else "")
