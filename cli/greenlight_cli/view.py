"""Gates as a person reads them in a terminal, and as a script does."""

import dataclasses
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from greenlight.codedeploy import is_unknown
from greenlight.decisions import Decided, Outcome
from greenlight.errors import (
    DecisionDeniedError,
    DecisionMootError,
    DecisionUnreportedError,
    GreenlightError,
)
from greenlight.models import Gate, GateStatus, Via

_SENTENCES = {
    Outcome.MADE: "{id} is {status}; CodeDeploy knows.",
    Outcome.FINISHED: "{id} was {status} {by}; CodeDeploy knows now.",
    Outcome.STANDS: "{id} was {status} {by}; nothing has changed.",
    Outcome.SETTLED: "CodeDeploy had its answer to {id} from elsewhere: it is {status}.",
}
_UNREPORTED = (
    "{id} was {status} {by}; CodeDeploy does not know yet, another try may be telling it. "
    "Give it 15 seconds, then run this again with the same decision."
)
_INTERRUPTED = (
    "{id} was {status} {by}; CodeDeploy may not know yet. "
    "Give it 15 seconds, then run this again with the same decision."
)
_KNOWN = "{id} was {status} {by}; CodeDeploy knows."


def as_json(gate: Gate) -> dict[str, Any]:
    """A gate as JSON values, by the names of docs/gate.md; what is not known is null."""
    values = dataclasses.asdict(gate)
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in values.items()
    }


def what_happened(decided: Decided) -> str:
    """What a wish to decide came to, in a sentence."""
    sentence = _UNREPORTED if decided.gate.is_unreported else _SENTENCES[decided.outcome]
    return _filled(sentence, decided.gate)


def where_it_stands(gate: Gate) -> str:
    """What has become of a gate that somebody was deciding when they were interrupted."""
    is_known = not (gate.is_unreported or gate.is_failing)
    return _filled(_KNOWN if is_known else _INTERRUPTED, gate)


def what_failed(error: GreenlightError) -> str:
    """What is wrong; of a decision that CodeDeploy does not know, that it is made all the same."""
    if isinstance(error, DecisionDeniedError):
        return (
            f"{error.gate.deployment_id} is not decided and waits: you lack the permission "
            f"{error.permission} ({error.reason})"
        )
    if not isinstance(error, DecisionUnreportedError):
        return str(error)
    decided = f"{error.gate.deployment_id} is {error.gate.status}, but "
    if is_unknown(error.reason):
        return f"{decided}CodeDeploy does not know the deployment or its hook: {error.reason}"
    if isinstance(error, DecisionMootError):
        return f"{decided}CodeDeploy has an answer already, and does not say which: run this again"
    return f"{decided}{error}. The deployment may still be waiting: run this again"


def gates_table(gates: Sequence[Gate], now: datetime) -> Table:
    """What waits, and for how long yet."""
    names = ("deployment", "application", "group", "status", "minutes left", "test URL")
    # Folded, since an id that is cut off is none, and the sign for it is not in every encoding.
    table = Table(*(Column(name, overflow="fold") for name in names))
    for gate in gates:
        left = int((gate.deadline - now).total_seconds() // 60)
        table.add_row(
            *_cells(gate.deployment_id, gate.application, gate.deployment_group, _status(gate)),
            *_cells(str(left), gate.test_url),
        )
    return table


def gate_table(gate: Gate) -> Table:
    """All that is known of a gate, and its history."""
    table = Table(show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    facts = {
        "deployment": gate.deployment_id,
        "application": gate.application,
        "deployment group": gate.deployment_group,
        "status": _status(gate),
        "test URL": gate.test_url,
        "deadline": _local(gate.deadline),
        "decided": gate.decided_at and f"{_local(gate.decided_at)} {_by(gate)}",
        "reason": gate.reason,
    }
    for name, value in facts.items():
        if value:
            table.add_row(*_cells(name, value))
    table.add_section()
    for entry in gate.history:
        more = {name: text for name, text in entry.items() if name not in ("event", "at")}
        told = ", ".join(f"{name}: {text}" for name, text in more.items())
        at = _local(datetime.fromisoformat(entry["at"]))
        table.add_row(*_cells(at, f"{entry['event']}{f' ({told})' if told else ''}"))
    return table


def printable(text: str) -> str:
    """A text without what a terminal would obey."""
    return "".join(
        one if one.isprintable() or one == "\n" else "\N{REPLACEMENT CHARACTER}" for one in text
    )


def json_text(value: Any, indent: int | None = None) -> str:
    r"""JSON, with what a terminal would obey as \uXXXX."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return "".join(
        one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text
    )


def _cells(*texts: str | None) -> list[Text]:
    """Cells of a table; whatever a text holds, it is no markup."""
    return [Text(printable(text or "")) for text in texts]


def _filled(sentence: str, gate: Gate) -> str:
    """A sentence about a gate."""
    status = f"{gate.status}{f' ({gate.reason})' if gate.reason else ''}"
    return printable(sentence.format(id=gate.deployment_id, status=status, by=_by(gate)))


def _status(gate: Gate) -> str:
    is_known = not (gate.is_unreported or gate.is_failing)
    return str(gate.status) if is_known else f"{gate.status}, not reported"


def _by(gate: Gate) -> str:
    """Who decided, through what and when."""
    if gate.status is GateStatus.FAILED:
        return f"by Greenlight, {_local(gate.failed_at or gate.created_at)}"
    at = _local(gate.decided_at or gate.created_at)
    if gate.decided_via in (None, Via.ELSEWHERE):
        return f"elsewhere, {at}"
    return f"by {gate.decided_by} ({gate.decided_via}), {at}"


def _local(moment: datetime) -> str:
    """A time in this machine's time zone."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}"
