"""The engines of the demo: what each calls Greenlight with, is told, and makes of that."""

import json
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from greenlight.engines.ecs import parse_hook_change
from greenlight.model.errors import EventError
from greenlight.model.gate import Due, EngineName, Verdict
from stand_ins import codedeploy
from stand_ins.aws import AwsStandIn


@dataclass(frozen=True)
class End:
    """How a deployment ends, in words; and the function that learns of it, and by which event."""

    how: str
    function: str
    event: Any


class Engine(Protocol):
    """An engine, and the one deployment there that waits for its hook.

    `usual_event` is a file of `events/`, and `function` what is called with it. `test_url` has what
    this engine knows of a deployment.
    """

    name: EngineName
    usual_event: str
    function: str
    test_url: str

    def begin(self, event: Any, aws: AwsStandIn) -> None:
        """Lets the deployment wait that an event names, if it names one."""

    def told(self, aws: AwsStandIn) -> str:
        """What the hook was answered."""

    def end(self, verdict: str, aws: AwsStandIn) -> End:
        """Lets the deployment end, as it was decided."""


class AtCodeDeploy:
    """CodeDeploy, which calls the hook, and says by an event how a deployment has ended."""

    name = EngineName.CODEDEPLOY
    usual_event = "events/hook/after_allow_test_traffic.json"
    function = "lamda"
    test_url = "https://{application}.test.example.com/?release={deployment_id}"

    def begin(self, event: Any, aws: AwsStandIn) -> None:
        """Lets the deployment wait that an event names, if it names one."""
        if isinstance(event, dict) and isinstance(event.get("DeploymentId"), str):
            self._deployment_id = event["DeploymentId"]
            codedeploy.add_deployment(self._deployment_id, aws.client("codedeploy"))

    def told(self, aws: AwsStandIn) -> str:
        """What the hook was answered."""
        return ", ".join(aws.reports.values())

    def end(self, verdict: str, aws: AwsStandIn) -> End:  # noqa: ARG002
        """Ends the deployment; one that was rejected has failed already."""
        state = "FAILURE"
        if verdict == Verdict.APPROVE:
            codedeploy.finish(self._deployment_id)
            state = "SUCCESS"
        return End(
            f"CodeDeploy ends the deployment ({state})",
            "greenlight.handlers.outcome",
            codedeploy.state_change(self._deployment_id, state),
        )


class AtEcs:
    """ECS, which sends an event of a PAUSE hook that waits, and of a deployment that is live.

    AWS does not say whether there is one of a rollback, so the clock finds that out.
    """

    name = EngineName.ECS
    usual_event = "events/pause/awaiting_action.json"
    function = "greenlight.handlers.pause"
    test_url = "https://{service}.test.example.com/?release={deployment_id}"

    def begin(self, event: Any, aws: AwsStandIn) -> None:  # noqa: ARG002
        """Lets the deployment wait that an event names, for a day, if it names one."""
        # Here, and not above: the stand-in takes longer to import than all the rest.
        from stand_ins import ecs  # noqa: PLC0415

        self._ecs = ecs
        with suppress(EventError):
            hook = parse_hook_change(event).hook
            self._arn, self._hook_id = str(hook.service_deployment_arn), hook.execution_id
            ecs.add_deployment(self._arn)
            ecs.pause(self._arn, self._hook_id)

    def told(self, aws: AwsStandIn) -> str:  # noqa: ARG002
        """What the hook was answered."""
        return str(self._ecs.deployments()[self._arn].hook(self._hook_id).answer)

    def end(self, verdict: str, aws: AwsStandIn) -> End:
        """Lets the deployment go on to its end, or rolls it back."""
        if verdict == Verdict.APPROVE:
            self._ecs.finish(self._arn)
            state = "SERVICE_DEPLOYMENT_COMPLETED"
            return End(
                f"ECS says {state}",
                "greenlight.handlers.outcome",
                self._ecs.state_change(self._arn, state),
            )
        self._ecs.roll_back(self._arn)
        moments = [json.loads(one["Target"]["Input"]) for one in aws.schedules()]
        (look,) = (one for one in moments if one["due"] == Due.WATCH)
        return End(
            "ECS has rolled it back, and the clock looks",
            "greenlight.handlers.clock",
            look,
        )


ENGINES: dict[str, type[Engine]] = {AtCodeDeploy.name: AtCodeDeploy, AtEcs.name: AtEcs}
