"""ECS's events: which are taken, what is said of the others, and how a gate is called."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenlight.engines.ecs import (
    HookChange,
    as_event,
    gate_id_of,
    parse_hook_change,
    parse_wake_up,
)
from greenlight.model.errors import EventError
from greenlight.model.gate import GateStatus, is_gate_id
from tests.conftest import load_event

AWAITING = load_event("pause/awaiting_action")
DETAIL = AWAITING["detail"]
ARN = DETAIL["serviceDeploymentArn"]
SERVICE = DETAIL["serviceArn"]
BOTH = ("detail.serviceDeploymentArn", "detail.hookId")


def changed(**changes: Any) -> dict[str, Any]:
    return {**AWAITING, "detail": {**DETAIL, **changes}}


def test_the_sample_of_aws_is_a_hook_that_waits() -> None:
    change = parse_hook_change(AWAITING)

    assert (change.waits, change.ended) == (True, None)
    assert change.hook.execution_id == DETAIL["hookId"]
    assert change.hook.service_deployment_arn == ARN
    assert change.hook.stage == "POST_TEST_TRAFFIC_SHIFT"
    assert change.hook.deadline == datetime(2026, 3, 5, 16, 4, 41, tzinfo=UTC)
    assert change.hook.deployment_id == gate_id_of(ARN, DETAIL["hookId"])


@pytest.mark.parametrize(
    ("name", "ended"),
    [
        ("HOOK_SUCCEEDED", GateStatus.APPROVED),
        ("HOOK_FAILED", GateStatus.REJECTED),
        ("HOOK_TIMED_OUT", GateStatus.EXPIRED),
        ("HOOK_IN_PROGRESS", None),
        (None, None),
    ],
)
def test_a_hook_that_does_not_wait(name: str | None, ended: GateStatus | None) -> None:
    change = parse_hook_change(changed(eventName=name))

    assert (change.waits, change.ended) == (False, ended)


@pytest.mark.parametrize(
    "at", [None, 5, "soon", "2026-03-05T16:04:41", "2026-13-05T16:04:41Z"], ids=str
)
def test_an_end_that_cannot_be_read_is_not_known(at: Any) -> None:
    assert parse_hook_change(changed(expiresAt=at)).hook.deadline is None


@pytest.mark.parametrize(
    ("event", "keys"),
    [
        (None, ["detail"]),
        ([], ["detail"]),
        ({}, ["detail"]),
        ({"detail": "x"}, ["detail"]),
        (changed(hookType="AWS_LAMBDA"), ["detail.hookType"]),
        (changed(hookId="a b"), ["detail.hookId"]),
        (changed(serviceDeploymentArn=SERVICE), ["detail.serviceDeploymentArn"]),
        (changed(serviceDeploymentArn=f"{ARN}/x"), ["detail.serviceDeploymentArn"]),
        (changed(serviceDeploymentArn=3, hookId=3), [*BOTH]),
    ],
)
def test_what_is_no_change_of_a_hook_is_refused_with_every_reason(
    event: Any, keys: list[str]
) -> None:
    with pytest.raises(EventError) as failed:
        parse_hook_change(event)

    assert list(failed.value.keys) == keys


def test_a_hook_that_was_found_is_opened_by_an_event_of_its_own() -> None:
    change = parse_hook_change(AWAITING)

    again = parse_hook_change(as_event(change.hook))

    assert again == HookChange(change.hook, waits=True, ended=None)
    assert again.hook.deadline == change.hook.deadline
    assert again.hook.stage == change.hook.stage


@pytest.mark.parametrize(
    "event", [None, {"detail": {}}, {"detail": {}, "resources": []}, {"detail": {}, "resources": 3}]
)
def test_what_is_no_change_of_a_deployment_is_refused(event: Any) -> None:
    with pytest.raises(EventError):
        parse_wake_up(event)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("SERVICE_DEPLOYMENT_COMPLETED", SERVICE),
        ("SERVICE_DEPLOYMENT_FAILED", SERVICE),
        ("SERVICE_DEPLOYMENT_IN_PROGRESS", None),
    ],
)
def test_an_end_of_a_deployment_wakes_up(name: str, found: str | None) -> None:
    event = {"resources": [SERVICE], "detail": {"eventName": name}}

    assert parse_wake_up(event) == found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys([*DETAIL], json_values)))
def test_any_detail_is_a_hook_or_refused(detail: Any) -> None:
    try:
        change = parse_hook_change({"detail": {**DETAIL, **detail}})
    except EventError:
        return
    assert is_gate_id(change.hook.deployment_id)


@given(st.from_regex(r"[A-Za-z0-9_-]{1,90}", fullmatch=True), st.text(min_size=1))
def test_whatever_a_deployment_is_called_its_gates_have_an_id_each(name: str, hook_id: str) -> None:
    start = ARN.rpartition("/")[0]
    found = gate_id_of(f"{start}/{name}", hook_id)

    assert is_gate_id(found)
    assert found != gate_id_of(f"{start}/{name}", f"{hook_id}x")
    assert re.fullmatch(r".+-[0-9a-f]{8}", found)
