"""The engines of the world: what waits there for an answer, and what becomes of it.

One schedule is at one of them. Whatever that is, a hook is `InProgress`, `Succeeded` or `Failed`.
"""

import base64
import json
from collections.abc import Callable
from typing import Any, ClassVar, Protocol
from urllib.parse import parse_qs

from stand_ins import codedeploy, ecs
from tests.simulation.schedule import Schedule

DEPLOYMENT = "d-SIMULATED"
ROLLBACK = "d-ROLLBACK"
HOOK = "aG9vaw+/0=="
BY_HAND = "bWFkZSB1cA=="  # somebody tries the function, with the id of a deployment that is live
OLDER_HOOK = "b2xkZXI+/1=="
PAUSED = ecs.deployment_arn()
PAUSE = ecs.HOOK_ID
OTHER_PAUSE = ecs.hook_id_for("another")
EARLIER_PAUSE = ecs.hook_id_for("the step before")
NEXT_PAUSE = ecs.hook_id_for("the step after")
MADE_UP = ecs.hook_id_for("made up")


class Engine(Protocol):
    """An engine, and the one deployment of it that a schedule is about.

    `service` is what AWS calls it, `function` what opens its hooks. `answering` is the operation
    that answers a hook, `telling` the one that says where a hook stands, `describing` what the
    deployment is, and `listing` which ones there are, where it needs that: where no event
    `says_whose` gate it is about. `gate_id` and `hook_id` are those of the hook that waits;
    `by_hand` is the id of one that somebody has made up. `earlier_hook` is that of the step before,
    which was let through, and `next_hook` that of the step after; None where there is none.
    """

    name: str
    service: str
    function: str
    answering: str
    telling: str
    describing: str
    listing: str | None
    says_whose: bool
    hook_id: str
    by_hand: str
    earlier_hook: str | None
    next_hook: str | None

    @property
    def gate_id(self) -> str:
        """The id of the gate of the hook that waits."""

    def gate_of(self, hook_id: str) -> str:
        """The id of the gate of a hook."""

    def begin(self, schedule: Schedule, client: Callable[[str], Any]) -> None:
        """Lets a deployment wait for its hook, from now on."""

    def event(self, hook_id: str) -> dict[str, Any]:
        """What the function is called with that opens a hook."""

    def hook_of(self, event: Any) -> str | None:
        """The hook that an event is about, whether it is opened by it or not."""

    def word_of_end(self, hook_id: str) -> dict[str, Any] | None:
        """What the function is called with once a hook has ended, if it is."""

    def next_step(self) -> dict[str, Any] | None:
        """Comes to the next step, which waits, too; the event of that. None: there is none."""

    def give_up_next(self) -> None:
        """The time of the next step's hook is over."""

    @property
    def next_status(self) -> str | None:
        """`InProgress`, `Succeeded` or `Failed`; None where no next step has come."""

    def says_ended(self, event: Any) -> bool:
        """Whether an event is the word of the hook's end."""

    def is_another(self, event: Any) -> bool:
        """Whether an event, or the record of one, is of another hook with a gate of its own."""

    def said(self, request: Any) -> str:
        """What a request answers a hook with: `Succeeded` or `Failed`."""

    def answer(self, status: str) -> None:
        """Answers the hook as a person does with the AWS CLI."""

    def stop(self) -> None:
        """Stops the deployment as a person does in the console."""

    def give_up(self) -> None:
        """The time of the hook is over."""

    @property
    def status(self) -> str:
        """What the engine knows of the hook that has ended: `Succeeded` or `Failed`."""

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped the deployment."""

    @property
    def goes_on_unasked(self) -> bool:
        """Whether the deployment goes on where nobody decides."""

    @property
    def forgets(self) -> bool:
        """Whether it lists no hook that has ended: then only a watch finds its gate."""

    @property
    def is_over(self) -> bool:
        """Whether nothing is decided about the deployment any more, whatever its hook had."""

    @property
    def is_untold(self) -> bool:
        """Whether nobody can know by now whether its hook let a deployment through that failed."""

    def ends(self, kind: str) -> dict[str, Any]:
        """The deployment ends as `live`, `failed` or `stopped`; the engine's event of that."""

    def rejected(self) -> str:
        """What becomes of a deployment whose hook has failed."""

    def begin_rollback(self, client: Callable[[str], Any]) -> None:
        """The deployment is going to be rolled back."""

    def roll_back(self) -> dict[str, Any]:
        """The deployment has been rolled back; the event of that."""


class AtCodeDeploy:
    """CodeDeploy, whose hook waits for an hour."""

    name = "CodeDeploy"
    service = "codedeploy"
    function = "hook"
    answering = "PutLifecycleEventHookExecutionStatus"
    telling = "GetDeploymentTarget"
    describing = "GetDeployment"
    listing: str | None = None
    says_whose = True
    gate_id = DEPLOYMENT
    hook_id = HOOK
    by_hand = BY_HAND
    earlier_hook: str | None = None
    next_hook: str | None = None
    next_status: str | None = None
    goes_on_unasked = False
    forgets = False
    is_over = False
    is_untold = False
    _states: ClassVar = {"Succeeded": "SUCCESS", "Failed": "FAILURE", "Stopped": "STOP"}

    def begin(self, schedule: Schedule, client: Callable[[str], Any]) -> None:  # noqa: ARG002
        """Lets the deployment wait for its hook again, from now on."""
        codedeploy.deployments().pop(ROLLBACK, None)
        codedeploy.deployments()[DEPLOYMENT].rollback = {}
        codedeploy.restart(DEPLOYMENT)
        self._client = client("codedeploy")

    def gate_of(self, hook_id: str) -> str:  # noqa: ARG002
        """All hooks of a deployment have one gate."""
        return DEPLOYMENT

    def event(self, hook_id: str) -> dict[str, Any]:
        """CodeDeploy's event of a hook."""
        return {"DeploymentId": DEPLOYMENT, "LifecycleEventHookExecutionId": hook_id}

    def hook_of(self, event: Any) -> str | None:
        """The hook that an event is about."""
        found: str | None = event.get("LifecycleEventHookExecutionId")
        return found

    def word_of_end(self, hook_id: str) -> None:
        """CodeDeploy sends word of a deployment's end only."""

    def next_step(self) -> None:
        """A deployment has one hook of Greenlight's."""

    def give_up_next(self) -> None:
        """There is none."""

    def says_ended(self, event: Any) -> bool:  # noqa: ARG002
        """There is none."""
        return False

    def is_another(self, event: Any) -> bool:  # noqa: ARG002
        """All hooks of a deployment have one gate."""
        return False

    def said(self, request: Any) -> str:
        """What a request answers a hook with."""
        return str(request["status"])

    def answer(self, status: str) -> None:
        """Answers the hook as a person does with the AWS CLI."""
        self._client.put_lifecycle_event_hook_execution_status(
            deploymentId=DEPLOYMENT, lifecycleEventHookExecutionId=HOOK, status=status
        )

    def stop(self) -> None:
        """Stops the deployment."""
        codedeploy.stop(DEPLOYMENT)

    def give_up(self) -> None:
        """The hour is over."""
        codedeploy.give_up(DEPLOYMENT)

    @property
    def status(self) -> str:
        """What CodeDeploy knows of the hook."""
        hook = codedeploy.deployments()[DEPLOYMENT].hook
        return "Succeeded" if hook["status"] == "Succeeded" else "Failed"

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped the deployment."""
        return bool(codedeploy.deployments()[DEPLOYMENT].status == "Stopped")

    def ends(self, kind: str) -> dict[str, Any]:
        """The deployment ends, and CodeDeploy's event of that."""
        if kind == "live":
            codedeploy.set_status(DEPLOYMENT, "Succeeded")
        elif self.status == "Succeeded":
            codedeploy.fail(DEPLOYMENT, "ALARM_ACTIVE", "an alarm <!channel> rang")
        return self._changed(DEPLOYMENT)

    def rejected(self) -> str:
        """It ends with its hook."""
        return "failed"

    def begin_rollback(self, client: Callable[[str], Any]) -> None:
        """It is rolled back by a deployment of its own."""
        codedeploy.begin_rollback(DEPLOYMENT, ROLLBACK, client("codedeploy"))

    def roll_back(self) -> dict[str, Any]:
        """That one has succeeded."""
        codedeploy.set_status(ROLLBACK, "Succeeded")
        return self._changed(ROLLBACK)

    def _changed(self, deployment_id: str) -> dict[str, Any]:
        status = codedeploy.deployments()[deployment_id].status
        return codedeploy.state_change(deployment_id, self._states[status])


class AtEcs:
    """ECS, whose PAUSE hook waits for an hour here, and another one of the deployment beside it.

    Or one before it, or after it: those are steps of a canary.
    """

    name = "ECS"
    service = "ecs"
    function = "pause"
    answering = "ContinueServiceDeployment"
    telling = "DescribeServiceDeployments"
    describing = "DescribeServiceDeployments"
    listing: str | None = "ListServiceDeployments"
    says_whose = False
    hook_id = PAUSE
    by_hand = MADE_UP
    _answers: ClassVar = {"Succeeded": "CONTINUE", "Failed": "ROLLBACK"}

    @property
    def gate_id(self) -> str:
        """The id of the hook's gate."""
        return self.gate_of(PAUSE)

    def gate_of(self, hook_id: str) -> str:
        """The id of a hook's gate."""
        from greenlight.engines.ecs import gate_id_of  # noqa: PLC0415  # of the simulated code

        return gate_id_of(PAUSED, hook_id)

    def begin(self, schedule: Schedule, client: Callable[[str], Any]) -> None:
        """Starts a deployment that waits: what AWS does not say, and what hooks say, is drawn."""
        chance = schedule.chance("the pause")
        self.action: ecs.Action = "CONTINUE" if chance.random() < 0.25 else "ROLLBACK"
        self._client = client("ecs")
        self._client.list_clusters()  # the stand-in learns what moto does not know
        steps = schedule.chance("the steps").choices(["only", "first", "second"], [60, 25, 15])[0]
        schedule.seen[f"steps: {steps}"] += 1
        self.stage = (
            "POST_TEST_TRAFFIC_SHIFT" if steps == "only" else "PRE_PRODUCTION_TRAFFIC_SHIFT"
        )
        self.earlier_hook = EARLIER_PAUSE if steps == "second" else None
        self.next_hook = NEXT_PAUSE if steps == "first" else None
        ecs.add_deployment(PAUSED, "BLUE_GREEN" if steps == "only" else "CANARY")
        if self.earlier_hook:
            ecs.pause(PAUSED, EARLIER_PAUSE, stage=self.stage)
            ecs.answer(PAUSED, EARLIER_PAUSE)
        deployment = ecs.deployments()[PAUSED]
        deployment.forgets_hooks = chance.random() < 0.3
        deployment.second_answer = chance.choice(["accepted", "refused", "client_error"])
        ecs.pause(PAUSED, PAUSE, stage=self.stage, minutes=60, action=self.action)
        if chance.random() < 0.2:
            ecs.pause(PAUSED, OTHER_PAUSE, minutes=60)

    def event(self, hook_id: str) -> dict[str, Any]:
        """ECS's event of a hook that waits."""
        return self.hook_event("HOOK_AWAITING_ACTION", hook_id)

    def hook_event(self, name: str, hook_id: str = PAUSE) -> dict[str, Any]:
        """ECS's event of a hook."""
        known = NEXT_PAUSE if hook_id == NEXT_PAUSE else PAUSE
        event = ecs.hook_event(PAUSED, known, name)
        return {**event, "detail": {**event["detail"], "hookId": hook_id}}

    def hook_of(self, event: Any) -> str | None:
        """The hook that an event, a change of a gate, a moment or a click is about."""
        if "Records" in event:
            image = event["Records"][0]["dynamodb"]["NewImage"]
            return str(image.get("hook_execution_id", {}).get("S"))
        if "body" in event:
            return _hook_clicked(event["body"])
        found: str | None = event.get("hook_execution_id", event.get("detail", {}).get("hookId"))
        return found

    def word_of_end(self, hook_id: str) -> dict[str, Any] | None:
        """ECS's event of a hook that has ended; none of one whose deployment was stopped."""
        status = ecs.deployments()[PAUSED].hook(hook_id).status
        return None if status == "AWAITING_ACTION" else self.hook_event(f"HOOK_{status}", hook_id)

    def next_step(self) -> dict[str, Any] | None:
        """Shifts some traffic, and waits before it shifts the rest."""
        if not self.next_hook:
            return None
        ecs.pause(PAUSED, NEXT_PAUSE, stage=self.stage, minutes=60)
        return self.event(NEXT_PAUSE)

    def give_up_next(self) -> None:
        """The time of the next step's hook is over."""
        ecs.give_up(PAUSED, NEXT_PAUSE)

    @property
    def next_status(self) -> str | None:
        """What ECS knows of the next step's hook."""
        known = {one.hook_id: one.status for one in ecs.deployments()[PAUSED].hooks}
        return _STATUSES.get(known.get(NEXT_PAUSE, ""))

    def says_ended(self, event: Any) -> bool:
        """Whether an event is the word of the hook's end."""
        detail: dict[str, str] = event.get("detail", {})
        return detail.get("hookId") == PAUSE and detail["eventName"] != "HOOK_AWAITING_ACTION"

    def is_another(self, event: Any) -> bool:
        """Whether it is of the other pause, or of one that somebody has made up."""
        record = event if isinstance(event, dict) else {}
        hook_id = self.hook_of(record.get("requestPayload", record))
        return hook_id not in (None, PAUSE)

    def said(self, request: Any) -> str:
        """What a request answers a hook with."""
        return "Succeeded" if request["action"] == "CONTINUE" else "Failed"

    def answer(self, status: str) -> None:
        """Answers the hook as a person does with the AWS CLI."""
        ecs.answer(PAUSED, PAUSE, self._answers[status])  # type: ignore[arg-type]

    def stop(self) -> None:
        """Stops the deployment."""
        ecs.stop(PAUSED)

    def give_up(self) -> None:
        """The time of the hook is over."""
        ecs.give_up(PAUSED, PAUSE)

    @property
    def status(self) -> str:
        """What ECS knows of the hook."""
        status = ecs.deployments()[PAUSED].hook(PAUSE).status
        is_let_through = status == "SUCCEEDED" or (
            status == "TIMED_OUT" and self.action == "CONTINUE"
        )
        return "Succeeded" if is_let_through else "Failed"

    @property
    def is_stopped(self) -> bool:
        """Whether somebody has stopped the deployment."""
        return ecs.deployments()[PAUSED].status == "STOPPED"

    @property
    def goes_on_unasked(self) -> bool:
        """Whether silence ships the release."""
        return self.action == "CONTINUE"

    @property
    def forgets(self) -> bool:
        """Whether it lists only hooks that wait."""
        return ecs.deployments()[PAUSED].forgets_hooks

    @property
    def is_untold(self) -> bool:
        """Whether nobody can know by now whether its hook let a deployment through that failed."""
        is_live = ecs.deployments()[PAUSED].status in ("IN_PROGRESS", "SUCCESSFUL")
        return self.forgets and not is_live

    @property
    def is_over(self) -> bool:
        """Whether another hook of the deployment has it rolled back."""
        return ecs.deployments()[PAUSED].status not in ("IN_PROGRESS", "SUCCESSFUL")

    def ends(self, kind: str) -> dict[str, Any]:
        """The deployment ends, and ECS's event that its service's has."""
        if kind == "live":
            ecs.finish(PAUSED)
        elif kind == "failed":
            ecs.deployments()[PAUSED].source_service_revisions.clear()
            ecs.roll_back(PAUSED, "an alarm <!channel> rang")
        state = "COMPLETED" if kind == "live" else "FAILED"
        return ecs.state_change(PAUSED, f"SERVICE_DEPLOYMENT_{state}")

    def rejected(self) -> str:
        """It is rolled back."""
        return "rolled_back"

    def begin_rollback(self, client: Callable[[str], Any]) -> None:  # noqa: ARG002
        """It is going to be rolled back, by itself."""
        ecs.begin_rollback(PAUSED, "an alarm <!channel> rang")

    def roll_back(self) -> dict[str, Any]:
        """It has been rolled back."""
        ecs.roll_back(PAUSED)
        return ecs.state_change(PAUSED, "SERVICE_DEPLOYMENT_FAILED")


# What a hook of ECS's is that is rolled back for want of an answer, too.
_STATUSES = {
    "AWAITING_ACTION": "InProgress",
    "SUCCEEDED": "Succeeded",
    "FAILED": "Failed",
    "TIMED_OUT": "Failed",
}


def _hook_clicked(body: str) -> str | None:
    """The hook whose button was pressed; None where it is a command."""
    fields = parse_qs(base64.b64decode(body).decode())
    if "payload" not in fields:
        return None
    value = json.loads(fields["payload"][0])["actions"][0]["value"]
    return str(json.loads(value)["hook"])


ENGINES: dict[str, Callable[[], Engine]] = {"codedeploy": AtCodeDeploy, "ecs": AtEcs}
