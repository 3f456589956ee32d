"""What a message is made of, besides the gate and the news."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

# A Slack message as it is posted: `text` and Block Kit `blocks`.
Message = dict[str, Any]


class Language(StrEnum):
    """The language that people are told in."""

    KOREAN = "ko"
    ENGLISH = "en"
    JAPANESE = "ja"


@dataclass(frozen=True)
class Look:
    """How a message looks: in which languages, with which image, and whether it has buttons.

    `languages` are one or two; what is said once is said in the first. `command` is the name of the
    slash command that decides, if there is one.
    """

    languages: tuple[Language, ...]
    image_url: str | None = None
    has_buttons: bool = False
    command: str | None = None


@dataclass(frozen=True)
class Commands:
    """The command lines that decide a gate, quoted for a POSIX shell."""

    approve: str
    reject: str


@dataclass(frozen=True)
class Pointers:
    """Where an engine's page and commands for a gate lead people.

    `commands` are the AWS CLI's. `options` are those of `greenlight` that name the region and the
    table.
    """

    console_url: str
    commands: Commands
    options: tuple[str, ...]
