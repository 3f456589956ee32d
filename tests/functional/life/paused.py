"""A release that waits at a PAUSE hook of ECS's, with the same means as one at CodeDeploy."""

from dataclasses import dataclass
from typing import Any, ClassVar

from greenlight.engines.ecs import gate_id_of
from stand_ins import ecs
from stand_ins.slack import Shown
from tests.functional.helpers import record
from tests.functional.life.release import Release

ARN = ecs.deployment_arn()
HOOK_ID = ecs.HOOK_ID
ID = gate_id_of(ARN, HOOK_ID)


@dataclass
class Paused(Release):
    """A service deployment that waits at its gate, in the environment of a whole stack."""

    gate_id: ClassVar[str] = ID
    answers: ClassVar[dict[str, str]] = {"approve": "SUCCEEDED", "reject": "FAILED"}

    def begin(self, **changes: Any) -> None:
        """Starts a deployment that waits; `changes` are those of `stand_ins.ecs.pause`."""
        ecs.add_deployment(ARN, first=changes.pop("first", False))
        ecs.pause(ARN, HOOK_ID, **changes)
        self.aws.operations.clear()

    def ask(self) -> dict[str, Any]:
        """ECS sends word that the hook waits."""
        return self.call("pause", self.event("HOOK_AWAITING_ACTION"))

    def event(self, name: str, hook_id: str = HOOK_ID) -> dict[str, Any]:
        """ECS's event of a hook."""
        return ecs.hook_event(ARN, hook_id, name)

    def open(self, way: str = "bot", **changes: str | None) -> Shown:
        """Opens the gate and asks people; the message that asks them."""
        self.post_by(way)
        self.environ |= changes
        self.ask()
        self.follow()
        return self.slack.shown[-1]

    def failure_record(self, error: Any = None) -> dict[str, Any]:
        """What the failure function gets, when all tries to open the gate have failed."""
        return record(error, self.event("HOOK_AWAITING_ACTION"))

    def answer_elsewhere(self, status: str) -> None:
        """Somebody answers the hook with the AWS CLI."""
        actions = {"Succeeded": "CONTINUE", "Failed": "ROLLBACK"}
        self.aws.client("ecs").continue_service_deployment(
            serviceDeploymentArn=ARN, hookId=HOOK_ID, action=actions[status]
        )

    def go_live(self) -> str | None:
        """The deployment ends well, and ECS says so."""
        ecs.finish(ARN)
        return self.wake_up("SERVICE_DEPLOYMENT_COMPLETED")

    def roll_back(self) -> None:
        """The deployment has been rolled back; there may be no event of it."""
        ecs.roll_back(ARN)

    def wake_up(self, name: str) -> str | None:
        """ECS says that a deployment of the service has another state; the outcome on record."""
        found: str | None = self.call("outcome", ecs.state_change(ARN, name))["body"]["outcome"]
        return found

    @property
    def answer(self) -> str | None:
        """What the engine was answered; None while it waits."""
        status = ecs.deployments()[ARN].hook(HOOK_ID).status
        return None if status == "AWAITING_ACTION" else status
