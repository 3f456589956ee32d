"""The names of moments: what EventBridge Scheduler takes, and the same for the same moment."""

import re
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from greenlight.model.gate import Due, Hook, is_gate_id
from greenlight.runtime.schedules import _name

NAME = re.compile(r"[0-9a-zA-Z-_.]{1,64}")
AT = "2026-11-23T03:57:00"
HOOK = Hook("d-LOCALTEST", "hook-local")

ids = st.text("abcXYZ019-_", min_size=1, max_size=100).map(lambda text: f"d{text}"[:100])
hooks = st.builds(Hook, ids, ids)
times = st.datetimes(min_value=datetime(2026, 1, 1)).map(lambda at: f"{at:%Y-%m-%dT%H:%M:%S}")  # noqa: DTZ001


@given(hooks, st.sampled_from(Due), times)
def test_a_name_is_one_that_scheduler_takes(hook: Hook, due: Due, at: str) -> None:
    assert is_gate_id(hook.deployment_id)
    assert NAME.fullmatch(_name(due, hook, at))
    assert _name(due, hook, at) == _name(due, hook, at)


def test_the_longest_ids_have_a_name() -> None:
    assert NAME.fullmatch(_name(Due.REMINDER, Hook("d" * 100, "A" * 1700), AT))


def test_a_name_says_what_it_is_of() -> None:
    assert _name(Due.END, HOOK, AT).startswith("d-LOCALTEST-end-")


@given(hooks, hooks, st.sampled_from(Due), st.sampled_from(Due))
def test_different_moments_have_different_names(
    one: Hook, other: Hook, due: Due, other_due: Due
) -> None:
    is_same = (one, due) == (other, other_due)

    assert (_name(due, one, AT) == _name(other_due, other, AT)) is is_same


def test_moments_of_two_times_have_two_names() -> None:
    later = datetime.fromisoformat(AT).replace(tzinfo=UTC) + timedelta(minutes=1)

    assert _name(Due.END, HOOK, AT) != _name(Due.END, HOOK, f"{later:%Y-%m-%dT%H:%M:%S}")


def test_ids_that_begin_alike_have_different_names() -> None:
    one, other = (Hook("d" * 99 + last, "hook") for last in "ab")

    assert _name(Due.END, one, AT) != _name(Due.END, other, AT)
