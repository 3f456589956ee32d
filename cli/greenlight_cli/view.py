"""Gates as a person reads them in a terminal, and as a script does."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from greenlight.gates.deciding import Decided, Effect
from greenlight.model.errors import (
    DecisionDeniedError,
    DecisionMootError,
    DecisionUnreportedError,
    GreenlightError,
)
from greenlight.model.gate import Gate, GateState, GateStatus, TimeoutAction, Via

_SENTENCES = {
    Effect.MADE: "{id} is {status}; {engine} knows.",
    Effect.FINISHED: "{id} was {status} {by}; {engine} knows now.",
    Effect.STANDS: "{id} was {status} {by}; nothing has changed.",
    Effect.SETTLED: "{engine} had its answer to {id} from elsewhere: it is {status}.",
}
_UNREPORTED = (
    "{id} was {status} {by}; {engine} does not know yet, another try may be telling it. "
    "Give it 15 seconds, then run this again with the same decision."
)
_INTERRUPTED = (
    "{id} was {status} {by}; {engine} may not know yet. "
    "Give it 15 seconds, then run this again with the same decision."
)
_COLOURS = {
    GateStatus.WAITING: "yellow",
    GateStatus.APPROVED: "green",
    GateStatus.REJECTED: "red",
    GateStatus.EXPIRED: "red",
    GateStatus.FAILED: "red",
}
_KNOWN = "{id} was {status} {by}; {engine} knows."


def what_happened(decided: Decided) -> str:
    """What a wish to decide came to, in a sentence."""
    sentence = (
        _UNREPORTED if decided.gate.state is GateState.DECIDED else _SENTENCES[decided.effect]
    )
    return _filled(sentence, decided.gate)


def where_it_stands(gate: Gate) -> str:
    """What has become of a gate that somebody was deciding when they were interrupted."""
    is_known = gate.state is GateState.CLOSED
    return _filled(_KNOWN if is_known else _INTERRUPTED, gate)


def what_failed(error: GreenlightError) -> str:
    """What is wrong; of a decision that its engine does not know, that it is made all the same."""
    if isinstance(error, DecisionDeniedError):
        return (
            f"{error.gate.deployment_id} is not decided and waits: you lack the permission "
            f"{error.permission} ({error.reason})"
        )
    if not isinstance(error, DecisionUnreportedError):
        return str(error)
    engine = error.engine.label
    decided = f"{error.gate.deployment_id} is {error.gate.status}, but "
    if isinstance(error, DecisionMootError) and error.is_unknown:
        return f"{decided}{engine} does not know the deployment or its hook: {error.reason}"
    if isinstance(error, DecisionMootError):
        return f"{decided}{engine} has an answer already, and does not say which: run this again"
    return f"{decided}{error}. The deployment may still be waiting: run this again"


def gates_table(gates: Sequence[Gate], now: datetime) -> Table:
    """What waits, and for how long yet."""
    longest = max(len(gate.deployment_id) for gate in gates)
    table = Table(
        # An id that is folded cannot be copied, and one that is cut off is none.
        Column("deployment", no_wrap=True, min_width=longest),
        Column("status", overflow="fold", min_width=len("not reported")),
        Column("left", overflow="fold", min_width=len("59 min"), justify="right"),
        Column("service", overflow="fold", min_width=20),
        box=None,
        pad_edge=False,
    )
    for gate in gates:
        left, service = _cell(_time(gate.ends_at - now)), _cell(_service(gate))
        table.add_row(_cell(gate.deployment_id), _status(gate), left, service)
    return table


def gate_story(gate: Gate) -> Group:
    """What stands of a gate; and then all that happened to it, and when."""
    facts = _grid(Column(style="bold", no_wrap=True))
    known = {
        "deployment": _cell(gate.deployment_id),
        "service": _cell(_service(gate)),
        "status": _status(gate),
        "test URL": _cell(gate.test_url),
        "stage": _cell(gate.stage or ""),
        "deadline": _cell(_local(gate.ends_at)),
        "silence": _cell(_silence(gate)),
        "testing": _cell(gate.claimed_by or ""),
        "outcome": _cell((gate.outcome or "").replace("_", " ")),
    }
    for name, value in known.items():
        if value:
            facts.add_row(name, value)
    history = _grid(Column(no_wrap=True))
    for entry in gate.history:
        more = [f"{name}: {text}" for name, text in entry.items() if name not in ("event", "at")]
        told = f" ({', '.join(more)})" if more else ""
        at = _local(datetime.fromisoformat(entry["at"]))
        history.add_row(_cell(at), _cell(f"{entry['event']}{told}"))
    return Group(facts, "", history)


def _time(left: timedelta) -> str:
    """How long something takes yet: in minutes up to two hours, in hours up to two days."""
    if left < timedelta(hours=2):
        return f"{max(timedelta(), left) // timedelta(minutes=1)} min"
    if left < timedelta(days=2):
        return f"{left // timedelta(hours=1)} h"
    return f"{left // timedelta(days=1)} d"


def _silence(gate: Gate) -> str:
    """What ECS does with a gate that nobody decides in time, if that is known, and it waits."""
    if gate.state is not GateState.WAITING or gate.decide_by or not gate.timeout_action:
        return ""
    ships = gate.timeout_action is TimeoutAction.CONTINUE
    return "lets the release go on" if ships else "rolls the release back"


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


def _grid(first: Column) -> Table:
    """A table of this column and one of longer texts, without lines."""
    return Table(first, Column(overflow="fold"), box=None, pad_edge=False, show_header=False)


def _cell(text: str) -> Text:
    """A cell of a table; whatever a text holds, it is no markup."""
    return Text(printable(text))


def _filled(sentence: str, gate: Gate) -> str:
    """A sentence about a gate."""
    status = f"{_stands(gate)}{f' ({gate.reason})' if gate.reason else ''}"
    return printable(
        sentence.format(
            id=gate.deployment_id, status=status, by=_by(gate), engine=gate.engine.label
        )
    )


def _service(gate: Gate) -> str:
    """What the gate is about; empty while its engine could not be asked."""
    return "/".join(gate.names)


def _status(gate: Gate) -> Text:
    """Where a gate stands; its colour says nothing that its words do not."""
    if gate.state in (GateState.DECIDED, GateState.FAILING):
        return Text(f"{gate.status}, not reported", style="yellow")
    return Text(_stands(gate), style=_COLOURS[gate.status])


def _stands(gate: Gate) -> str:
    """Where a gate stands; of one that nobody decided, also that its release has gone on."""
    is_shipped = gate.status is GateStatus.EXPIRED and gate.goes_on
    return f"{gate.status} (the release went on)" if is_shipped else gate.status


def _by(gate: Gate) -> str:
    """Who decided, through what and when."""
    if gate.status is GateStatus.FAILED:
        return f"by Greenlight, {_local(gate.failed_at or gate.created_at)}"
    at = _local(gate.decided_at or gate.created_at)
    if gate.decided_via is Via.CLOCK:
        return f"by Greenlight, {at}"
    if gate.decided_via in (None, Via.ELSEWHERE):
        return f"elsewhere, {at}"
    return f"by {gate.decided_by} ({gate.decided_via}), {at}"


def _local(moment: datetime) -> str:
    """A time in this machine's time zone."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S %Z}"
