"""The life of a gate: its rows hold together, and docs/gate.md says the same."""

import re

import pytest

from greenlight.model.gate import GateStatus
from greenlight.model.life import ANY, LIFE, REPORTING, SHOWING, TELLING, News, Step
from greenlight.storage.conditions import condition
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "gate.md"
LEASES = {TELLING: "telling", REPORTING: "reporting", SHOWING: "showing"}


def row(step: Step) -> str:
    """What docs/gate.md has to say of a step."""
    before = "any" if step.starts_from == ANY else names(step.starts_from, "no item")
    after = names(step.leads_to) or "as before"
    lease = ", ".join(
        f"{what} {LEASES[held]}"
        for what, held in (("takes", step.takes), ("holds", step.holds), ("spares", step.spares))
        if held
    )
    absent, events = (", ".join(map(code, texts)) for texts in (step.absent, step.events))
    cells = (step.name, before, after, lease or "-", absent or "-", events or "-")
    return "| " + " | ".join(cells) + " |"


def names(statuses: tuple[GateStatus | None, ...], nothing: str = "") -> str:
    return ", ".join(code(status) if status else nothing for status in statuses)


def code(text: str) -> str:
    return f"`{text}`"


def test_the_page_has_the_row_of_every_step_and_no_other() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| step |")[2].partition("\n\n")[0]

    assert table.splitlines()[2:] == [row(step) for step in LIFE]


def test_the_page_has_every_event_of_the_history() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| event |")[2].partition("\n\n")[0]

    assert set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE)) == {
        event for step in LIFE for event in step.events
    }


@pytest.mark.parametrize("step", LIFE, ids=lambda step: step.name)
def test_a_row_holds_together(step: Step) -> None:
    assert not (step.takes and step.holds)
    assert set(step.keeps) <= set(step.sets)
    if step.as_seen:
        assert step.starts_from != ANY
    for lease in (step.takes, step.holds):
        if lease:
            assert lease.holder not in step.sets


def test_every_status_is_reached_and_left_or_an_end() -> None:
    reached = {status for step in LIFE for status in step.leads_to}

    assert reached == set(GateStatus)


def test_all_news_come_with_a_step_or_where_none_was_made() -> None:
    assert {news for step in LIFE for news in step.news} == set(News) - {News.STUCK, News.LEFT}


def test_no_two_steps_are_the_same_write() -> None:
    written = [(condition(step), step.leads_to, step.events, step.sets) for step in LIFE]

    assert len(set(written)) == len(LIFE)
