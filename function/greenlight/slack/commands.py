"""A slash command: what Slack sends of it, and what was typed behind its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from greenlight.model.errors import ClickError
from greenlight.model.gate import Decision, Verdict, Via
from greenlight.slack.buttons import REASON_CHARACTERS
from greenlight.slack.forms import NAME_CHARACTERS, is_id, response_url_of, text_of

# What stands around an id: quotes of all kinds, backticks and angle brackets, which people paste or
# Slack and keyboards make, a comma behind it, and what nobody sees. No id begins or ends so.
_AROUND: Final = re.compile(r"\A[^A-Za-z0-9]+|[^A-Za-z0-9_-]+\Z")
_WORD_CHARACTERS: Final = 300  # no id is as long, whatever stands around it


class Verb(StrEnum):
    """What a command is to do; `help` is also what no word at all asks for."""

    APPROVE = "approve"
    REJECT = "reject"
    SHOW = "show"
    LIST = "list"
    HELP = "help"


_VERBS: Final = {str(verb): verb for verb in Verb}
_VERDICTS: Final = {Verb.APPROVE: Verdict.APPROVE, Verb.REJECT: Verdict.REJECT}
_WITH_ID: Final = (*_VERDICTS, Verb.SHOW)


@dataclass(frozen=True)
class Command:
    """Who typed what, by which name of a command (`/greenlight`).

    `verb` is None for what is not understood. `gate_id` is what was typed for an id, whether it is
    one or not; there is one with every verb but `list` and `help`. `response_url`, where Slack
    takes the answer, is as good as a secret; None if it is not Slack's.
    """

    name: str
    verb: Verb | None
    gate_id: str
    reason: str | None
    user_id: str
    user_name: str | None
    team_id: str | None
    response_url: str | None = field(repr=False)

    @property
    def decision(self) -> Decision | None:
        """The decision that the command asks for; None if it asks for none."""
        verdict = _VERDICTS.get(self.verb) if self.verb else None
        if verdict is None:
            return None
        return Decision(
            verdict=verdict,
            approver=self.user_id,
            via=Via.SLACK,
            reason=self.reason,
            name=self.user_name,
            team=self.team_id,
        )


def parse_command(fields: Mapping[str, str]) -> Command:
    """Reads the form of a slash command that Slack signed.

    Raises ClickError if it does not say who typed it.
    """
    user_id, team_id = fields.get("user_id"), fields.get("team_id")
    if not is_id(user_id):
        raise ClickError("it does not say who typed it (user_id)")
    verb, gate_id, reason = _understood(fields.get("text", ""))
    return Command(
        name=fields["command"],
        verb=verb,
        gate_id=gate_id,
        reason=reason,
        user_id=user_id,
        user_name=text_of(fields.get("user_name"), NAME_CHARACTERS),
        team_id=team_id if is_id(team_id) else None,
        response_url=response_url_of(fields.get("response_url")),
    )


def _understood(text: str) -> tuple[Verb | None, str, str | None]:
    """The verb, the id and the reason of a line: a reason is all that follows, as it was typed."""
    word, gate_id, reason = (*text.split(maxsplit=2), "", "", "")[:3]
    verb = _VERBS.get(_bare(word).lower()) if word else Verb.HELP
    gate_id = _bare(gate_id)
    if verb in _WITH_ID and not gate_id:
        verb = None
    return verb, gate_id, text_of(reason, REASON_CHARACTERS)


def _bare(word: str) -> str:
    """A word without what stands around it; of a link, what is seen of it."""
    plain = word.replace("&lt;", "<").replace("&gt;", ">").rpartition("|")[2]
    return _AROUND.sub("", plain[:_WORD_CHARACTERS])
