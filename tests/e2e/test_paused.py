"""What is deployed hears of ECS's PAUSE hooks, asks people, and tells ECS what they decide.

The emulator takes no events of AWS's own sources: it is asked whether the rules would take them,
and the function is called with what ECS documents. ECS itself is the stand-in.
"""

import json
from typing import Any

import pytest
from moto.core.models import DEFAULT_ACCOUNT_ID

from greenlight.engines.ecs import gate_id_of
from stand_ins import ecs
from stand_ins.clicks import form, payload, signed
from stand_ins.slack import SlackStandIn
from tests.deployed import STACK, Deployed, about, eventually

PAUSE = f"GreenlightWait_{STACK}"
OUTCOME = f"GreenlightEnds_{STACK}"


def paused(name: str) -> tuple[str, str]:
    """A deployment of ECS's that waits at a hook: its ARN, and the hook's id."""
    arn, hook_id = ecs.deployment_arn(name), ecs.hook_id_for(name)
    ecs.add_deployment(arn)
    ecs.pause(arn, hook_id)
    return arn, hook_id


def call(deployed: Deployed, event: Any) -> None:
    """Calls the function of pauses as EventBridge does."""
    deployed.client("lambda").invoke(
        FunctionName=PAUSE, InvocationType="Event", Payload=json.dumps(event)
    )


def asked_about(deployed: Deployed, gate_id: str) -> dict[str, str]:
    """The gate of a pause, once people were asked; named as a hook's event names it."""
    event = {"DeploymentId": gate_id}
    eventually(lambda: "notified_at" in deployed.gate(event))
    return event


def test_people_are_asked_about_a_pause_and_ecs_is_told(
    deployed: Deployed, slack: SlackStandIn
) -> None:
    arn, hook_id = paused("E2E-ASKED")

    call(deployed, ecs.hook_event(arn, hook_id, "HOOK_AWAITING_ACTION"))

    event = asked_about(deployed, gate_id_of(arn, hook_id))
    (message,) = about(event, slack.messages)
    body = form(payload(message, "greenlight_approve", slack.response_url))
    assert deployed.request(body, signed(body)) == 200
    assert ecs.deployments()[arn].hook(hook_id).status == "SUCCEEDED"
    assert deployed.gate(event)["status"] == "APPROVED"


def test_a_pause_that_no_event_told_of_is_found(deployed: Deployed, slack: SlackStandIn) -> None:
    arn, hook_id = paused("E2E-UNSEEN")

    call(deployed, {"due": "sweep"})

    event = asked_about(deployed, gate_id_of(arn, hook_id))
    assert len(about(event, slack.messages)) == 1


@pytest.mark.parametrize("name", ["HOOK_AWAITING_ACTION", "HOOK_SUCCEEDED"])
def test_a_rule_takes_what_ecs_sends_of_a_pause(deployed: Deployed, name: str) -> None:
    assert takers(deployed, ecs.hook_event(*paused("E2E-RULES"), name)) == [PAUSE]


def test_a_rule_takes_what_ecs_sends_of_an_end(deployed: Deployed) -> None:
    arn, _ = paused("E2E-ENDED")

    for name in ("SERVICE_DEPLOYMENT_COMPLETED", "SERVICE_DEPLOYMENT_FAILED"):
        assert takers(deployed, ecs.state_change(arn, name)) == [OUTCOME]
    assert takers(deployed, ecs.state_change(arn, ecs.BEGUN)) == []


def takers(deployed: Deployed, event: Any) -> list[str]:
    """The functions that get an event by the rules of the stack, in the emulator's account."""
    events = deployed.client("events")
    found = []
    for rule in events.list_rules()["Rules"]:
        account = rule["Arn"].split(":")[4]
        text = json.dumps(event).replace(DEFAULT_ACCOUNT_ID, account)
        pattern = rule.get("EventPattern")
        if pattern and events.test_event_pattern(EventPattern=pattern, Event=text)["Result"]:
            targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            found += [target["Arn"].rpartition(":")[2] for target in targets]
    return found
