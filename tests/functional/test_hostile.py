"""Whatever comes in, the handler answers or fails in one of its own ways."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenlight.model.errors import EventError
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.clicks import form, signed, url_event
from stand_ins.codedeploy import restart
from stand_ins.slack import SlackStandIn, broken_limits
from tests.conftest import examples
from tests.functional.conftest import Clicker, Invoke, Output
from tests.functional.helpers import whole

pytestmark = pytest.mark.unmeasured

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ids = st.text(st.characters(codec="ascii"), max_size=8) | json_values
events = json_values | st.fixed_dictionaries(
    {}, optional={"DeploymentId": ids, "LifecycleEventHookExecutionId": ids, "more": json_values}
)


@examples(150)
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


def state_of(aws: AwsStandIn, slack: SlackStandIn) -> Any:
    return aws.items(), dict(aws.reports), list(slack.posts)


headers = st.dictionaries(
    st.sampled_from(["x-slack-signature", "X-Slack-Request-Timestamp", "content-type"]) | st.text(),
    st.text() | st.from_regex(r"\Av0=[0-9a-f]{64}\Z") | st.just(str(int(time.time()))),
)
requests = json_values | st.fixed_dictionaries(
    {},
    optional={
        "headers": headers | json_values,
        "body": st.text() | json_values,
        "isBase64Encoded": st.booleans() | json_values,
    },
)


@examples(300)
@given(event=requests)
def test_without_a_valid_signature_nothing_is_touched_or_logged(
    event: Any, click: Clicker, aws: AwsStandIn, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    before = state_of(aws, slack)
    aws.operations.clear()

    answer = click.call(event)

    assert answer["statusCode"] == 401
    assert aws.operations == []
    assert state_of(aws, slack) == before
    written = output()
    assert [line["stage"] for line in written.lines] == ["signature"]
    assert written.failures == []
    body = event.get("body") if isinstance(event, dict) else None
    if isinstance(body, str) and len(body) > 20:
        assert body not in written.text


@examples(150)
@given(
    body=st.binary() | json_values.map(form),
    encoded=st.booleans(),
)
def test_whatever_slack_signs_is_answered(
    body: bytes,
    encoded: bool,  # noqa: FBT001
    click: Clicker,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> None:
    before = state_of(aws, slack)

    event = url_event(body, signed(body), encoded=encoded or not body.isascii())

    assert click.call(event)["statusCode"] in (200, 400)
    assert state_of(aws, slack) == before
    output()


names = st.text(max_size=200) | st.sampled_from(["<!channel>", "{who}", "a|b>c", "\ud800"])


@examples(60)
@given(name=names, reason=names, verdict=st.sampled_from(["approve", "reject"]))
def test_whatever_people_type_the_message_is_one_that_slack_takes(
    name: str,
    reason: str,
    verdict: str,
    click: Clicker,
    invoke: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> None:
    aws.client("dynamodb").delete_item(TableName=TABLE, Key={"deployment_id": {"S": "d-LOCALTEST"}})
    restart("d-LOCALTEST")
    invoke({"DeploymentId": "d-LOCALTEST", "LifecycleEventHookExecutionId": uuid.uuid4().hex})
    click.message = slack.messages[-1]

    (replaced,) = click(verdict, ("U0ALICE", name), reason)

    assert broken_limits(replaced) == []
    text = whole(replaced)
    assert "<!channel>" not in text
    assert "<@U0ALICE>" in text
    output()
