"""How the simulator reads a write: it is exactly one step of a gate's life, or it is reported."""

from typing import Any

import pytest

from tests.simulation.steps import unexplained

WAITING: dict[str, Any] = {
    "deployment_id": "d-1",
    "hook_execution_id": "hook",
    "status": "WAITING",
    "deadline": "2026-11-27T11:00:00+00:00",
    "lease_until": "2026-11-27T10:00:45+00:00",
    "try_id": "a",
    "history": [{"event": "opened"}],
}
TOLD = {
    **{name: value for name, value in WAITING.items() if name not in ("lease_until", "try_id")},
    "notified_at": "2026-11-27T10:00:01+00:00",
    "history": [{"event": "opened"}, {"event": "notified"}],
}
DECIDED = {
    **TOLD,
    "status": "APPROVED",
    "decided_by": "U0ALICE",
    "report_until": "2026-11-27T10:05:15+00:00",
    "report_try_id": "b",
    "history": [*TOLD["history"], {"event": "decided"}],
}
SHOWING = {**TOLD, "show_until": "2026-11-27T10:05:45+00:00", "show_try_id": "c"}
OLDER = {**WAITING, "hook_execution_id": "older", "history": [{"event": "opened"}]}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, WAITING),
        (OLDER, {**WAITING, "history": [*OLDER["history"], {"event": "opened"}]}),
        ({"owner": "somebody"}, WAITING),
        (WAITING, {**WAITING, "try_id": "b"}),
        (WAITING, TOLD),
        (TOLD, DECIDED),
        (DECIDED, DECIDED),
        # A click has shown it, while another try has the lease on that.
        (SHOWING, {**SHOWING, "shown": "APPROVED slack U0ALICE"}),
    ],
)
def test_a_step_is_one(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert unexplained(before, after) is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(OLDER, WAITING, id="an older hook's history is gone"),
        pytest.param(WAITING, DECIDED, id="two entries at once"),
        pytest.param(TOLD, {**DECIDED, "history": TOLD["history"]}, id="no entry"),
        pytest.param(TOLD, {**DECIDED, "deadline": "later"}, id="sets what it must not"),
        pytest.param(TOLD, {**TOLD, "status": "APPROVED"}, id="a status by itself"),
        pytest.param(DECIDED, {**DECIDED, "decided_by": "U0BOB"}, id="another approver"),
        pytest.param(
            TOLD,
            {name: value for name, value in DECIDED.items() if name != "report_try_id"},
            id="no lease",
        ),
        pytest.param(
            DECIDED,
            {name: value for name, value in DECIDED.items() if name != "decided_by"},
            id="takes away what it must not",
        ),
        pytest.param(
            DECIDED,
            {**DECIDED, "history": [*DECIDED["history"], {"event": "notified"}]},
            id="told twice",
        ),
    ],
)
def test_another_write_is_none(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert unexplained(before, after) == "[]"
