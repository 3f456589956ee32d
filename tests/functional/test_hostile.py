"""Whatever comes in, the handler answers or fails in one of its own ways."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from greenlight.errors import EventError
from stand_ins.aws import AwsStandIn
from stand_ins.slack import SlackStandIn, broken_limits
from tests.functional.conftest import Invoke, Output

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ids = st.text(st.characters(codec="ascii"), max_size=8) | json_values
events = json_values | st.fixed_dictionaries(
    {}, optional={"DeploymentId": ids, "LifecycleEventHookExecutionId": ids, "more": json_values}
)


@settings(max_examples=150)
@given(event=events)
def test_any_json_event_is_answered_or_refused(
    event: Any, invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    known = {item["deployment_id"]["S"] for item in aws.items()}
    posted = len(slack.messages)

    try:
        answer = invoke(event)
    except EventError:
        (line,) = output().failures
        assert line["stage"] == "event"
        assert len(aws.items()) == len(known)
        assert len(slack.messages) == posted
    else:
        output()
        assert answer["body"]["deployment_id"] == event["DeploymentId"]
        if not answer["body"]["duplicate"]:
            assert broken_limits(slack.messages[-1]) == []
