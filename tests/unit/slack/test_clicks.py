"""A click: what is read of a request that Slack signed, and what is said of the others."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenlight.model.errors import ClickError
from greenlight.model.gate import Decision, Hook, Verdict, Via
from greenlight.slack.clicks import Click, parse_click
from greenlight.slack.forms import fields_of
from tests.conftest import load_event

CLICK = load_event("decision/slack_click")
VALUE = CLICK["actions"][0]["value"]
# Of a message that the version before posted.
OLD_VALUE = '{"DeploymentId": "d-LOCALTEST", "LifecycleEventHookExecutionId": "hook-local"}'


def changed(**changes: Any) -> bytes:
    return form({**CLICK, **changes})


def form(payload: Any) -> bytes:
    return urlencode({"payload": json.dumps(payload)}).encode()


def parse(body: bytes) -> Click | None:
    return parse_click(fields_of(body))


def action(**changes: Any) -> list[dict[str, Any]]:
    return [{**CLICK["actions"][0], **changes}]


def test_a_click_says_who_decided_what() -> None:
    click = parse(changed())

    assert click is not None
    assert click.hook == Hook("d-LOCALTEST", "hook-local")
    assert click.decision == Decision(
        Verdict.REJECT, "U0ALICE", Via.SLACK, "Checkout is broken", "alice", "T0000"
    )
    assert click.response_url == "https://hooks.slack.com/actions/T0000/1/secret"
    assert "secret" not in repr(click)


def test_a_button_that_was_posted_by_the_version_before_names_its_hook() -> None:
    click = parse(changed(actions=action(value=OLD_VALUE)))

    assert click is not None
    assert click.hook == Hook("d-LOCALTEST", "hook-local")


@pytest.mark.parametrize(
    "state",
    [
        None,
        {},
        {"values": []},
        {"values": {"greenlight_reason": {"reason": {"value": None}}}},
        {"values": {"greenlight_reason": {"reason": {"value": "  \n"}}}},
        {"values": {"greenlight_reason": {"reason": {"value": 5}}}},
    ],
)
def test_a_click_needs_no_reason(state: Any) -> None:
    click = parse(changed(state=state))

    assert click is not None
    assert click.reason is None


def test_a_reason_is_cut_to_what_the_input_takes() -> None:
    state = {"values": {"greenlight_reason": {"reason": {"value": "x" * 5000}}}}

    click = parse(changed(state=state))

    assert click is not None
    assert click.reason == "x" * 300


@pytest.mark.parametrize(
    "other",
    [
        {"type": "view_submission"},
        {**CLICK, "type": "interactive_message"},
        {"type": "block_actions", "actions": []},
        {"type": "block_actions", "actions": [{"action_id": "another_button"}]},
        {"type": "block_actions", "actions": {"action_id": "greenlight_approve"}},
        {"type": "block_actions", "actions": [5]},
        {},
    ],
)
def test_what_is_for_another_part_of_the_app_is_left_alone(other: Any) -> None:
    assert parse(form(other)) is None


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "no JSON payload"),
        (b"\xff\xfe", "no form"),
        (b"payload=", "no JSON payload"),
        (b"payload=%7B", "no JSON payload"),
        (b"payload=" + b"[" * 100_000, "no JSON payload"),
        (b"&".join([b"a=1"] * 101), "no form"),
        (form([]), "no JSON object"),
        (form("x"), "no JSON object"),
        (changed(user=None), "user.id"),
        (changed(user={"id": "<!channel>"}), "user.id"),
        (changed(user={"id": 5}), "user.id"),
        (changed(actions=action(value=None)), "no hook"),
        (changed(actions=action(value="d-LOCALTEST")), "no hook"),
        (changed(actions=action(value="{}")), "no hook"),
        (changed(actions=action(value="[" * 100_000)), "no hook"),
        (changed(actions=action(value='{"DeploymentId": "d-1"}')), "no hook"),
        (changed(actions=action(value='{"gate": "d-1", "hook": 1}')), "no hook"),
        (changed(actions=action(value='{"gate": "d 1", "hook": "1"}')), "no hook"),
    ],
)
def test_a_click_that_cannot_be_understood_is_an_error(body: bytes, problem: str) -> None:
    with pytest.raises(ClickError, match=problem):
        parse(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
payloads = st.fixed_dictionaries(
    {"type": st.just("block_actions")},
    optional={
        "user": json_values | st.fixed_dictionaries({"id": st.just("U1"), "name": json_values}),
        "team": json_values | st.fixed_dictionaries({"id": json_values}),
        "actions": json_values
        | st.tuples(
            st.fixed_dictionaries(
                {"action_id": st.sampled_from(["greenlight_approve", "greenlight_reject"])},
                optional={"value": json_values | st.sampled_from([VALUE, OLD_VALUE])},
            )
        ),
        "state": json_values
        | st.fixed_dictionaries(
            {"values": st.fixed_dictionaries({"greenlight_reason": json_values})}
        ),
        "response_url": json_values,
    },
)


@given(payloads)
def test_any_payload_is_a_click_or_none_or_one_error(payload: Any) -> None:
    try:
        click = parse(form(payload))
    except ClickError:
        return
    assert click is None or isinstance(click, Click)


@given(st.binary() | st.binary().map(lambda raw: b"payload=" + raw))
def test_any_body_is_a_click_or_none_or_one_error(body: bytes) -> None:
    try:
        click = parse(body)
    except ClickError as failed:
        assert len(str(failed)) < 200, "what was sent is not repeated"
        return
    assert click is None
