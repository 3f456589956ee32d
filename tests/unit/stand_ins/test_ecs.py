"""The stand-in for ECS answers a real client, by AWS's own description of it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
import time_machine
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator
from moto import mock_aws
from moto.backends import get_backend
from moto.core.models import patch_client

from stand_ins.codedeploy import REGION
from stand_ins.ecs import (
    CLUSTER,
    HOOK_ID,
    SERVICE,
    SecondAnswer,
    Strategy,
    add_deployment,
    answer,
    begin_rollback,
    deployment_arn,
    deployments,
    finish,
    give_up,
    hook_event,
    hook_id_for,
    pause,
    revisions,
    roll_back,
    state_change,
    stop,
)
from tests.conftest import load_event

ARN = deployment_arn()
OTHER_ARN = deployment_arn("NCWGC2ZR-taawPAYrIaU5")
SERVICE_ARN = f"arn:aws:ecs:{REGION}:123456789012:service/{CLUSTER}/{SERVICE}"
CLUSTER_ARN = f"arn:aws:ecs:{REGION}:123456789012:cluster/{CLUSTER}"
# AWS describes it as a stage of a deployment, and has left it out of the values of that.
ONLY_DOCUMENTED = "PRE_PRODUCTION_TRAFFIC_SHIFT"
NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
# What a hook's state, its deployment's and the reason of a rollback are.
State = tuple[str, str, str | None]


def undescribed(shape: Any, value: Any) -> list[Any]:
    """The values of an answer that are none of those that its description lists."""
    if shape.type_name == "structure":
        return [
            one
            for name, member in value.items()
            for one in undescribed(shape.members[name], member)
        ]
    if shape.type_name == "list":
        return [one for member in value for one in undescribed(shape.member, member)]
    listed = getattr(shape, "enum", [])
    return [value] if listed and value not in listed else []


def check(model: Any, parsed: dict[str, Any], **_: Any) -> None:
    if "Error" in parsed:
        assert parsed["Error"]["Code"] in {one.name for one in model.error_shapes}
        return
    told = {name: value for name, value in parsed.items() if name != "ResponseMetadata"}
    assert ParamValidator().validate(told, model.output_shape).generate_report() == ""
    assert set(undescribed(model.output_shape, told)) <= {ONLY_DOCUMENTED}


def client_in(region: str) -> Any:
    """A client whose answers are held against AWS's description, and whose requests are not."""
    config = Config(parameter_validation=False)
    made = boto3.client("ecs", region_name=region, config=config)
    made.meta.events.register("after-call.ecs", check)
    patch_client(made)
    return made


@pytest.fixture
def ecs() -> Iterator[Any]:
    with mock_aws(), time_machine.travel(NOW, tick=False):
        yield client_in(REGION)


@pytest.fixture
def paused(ecs: Any) -> None:
    add_deployment(ARN)
    pause(ARN, HOOK_ID)


def later(minutes: int) -> Any:
    return time_machine.travel(NOW + timedelta(minutes=minutes), tick=False)


def shown(ecs: Any, arn: str = ARN) -> dict[str, Any]:
    (one,) = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
    deployment: dict[str, Any] = one
    return deployment


def state(ecs: Any, hook_id: str = HOOK_ID) -> State:
    deployment = shown(ecs)
    hooks = {one["hookId"]: one["status"] for one in deployment["lifecycleHookDetails"]}
    reason = deployment.get("rollback", {}).get("reason")
    return hooks[hook_id], deployment["status"], reason


def continued(ecs: Any, **request: Any) -> Any:
    """What ContinueServiceDeployment answers: the ARN, or an error's code and HTTP status."""
    asked = {"serviceDeploymentArn": ARN, "hookId": HOOK_ID, **request}
    try:
        answered = ecs.continue_service_deployment(
            **{name: value for name, value in asked.items() if value is not None}
        )
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        return error.response["Error"]["Code"], status
    return answered["serviceDeploymentArn"]


def listed(ecs: Any, **request: Any) -> list[str]:
    asked = {"service": SERVICE, "cluster": CLUSTER, **request}
    found = ecs.list_service_deployments(**asked)["serviceDeployments"]
    return [one["serviceDeploymentArn"] for one in found]


def refused(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as failed:
        call(**request)
    return str(failed.value.response["Error"]["Code"])


def test_a_deployment_that_pauses_is_shown_with_its_hook(ecs: Any, paused: None) -> None:
    deployment = shown(ecs)

    (source,) = deployment.pop("sourceServiceRevisions")
    target = deployment.pop("targetServiceRevision")
    assert source["arn"] != target["arn"]
    for revision in (source, target):
        start = f"arn:aws:ecs:{REGION}:123456789012:service-revision/{CLUSTER}/{SERVICE}/"
        assert revision["arn"].removeprefix(start).isdecimal()
    assert deployment == {
        "serviceDeploymentArn": ARN,
        "serviceArn": SERVICE_ARN,
        "clusterArn": CLUSTER_ARN,
        "createdAt": NOW,
        "startedAt": NOW,
        "updatedAt": NOW,
        "status": "IN_PROGRESS",
        "lifecycleStage": "POST_TEST_TRAFFIC_SHIFT",
        "lifecycleHookDetails": [
            {
                "hookId": HOOK_ID,
                "targetType": "PAUSE",
                "status": "AWAITING_ACTION",
                "expiresAt": NOW + timedelta(days=1),
                "timeoutAction": "ROLLBACK",
            }
        ],
        "deploymentConfiguration": {"strategy": "BLUE_GREEN"},
    }


@pytest.mark.parametrize(
    ("strategy", "steps"),
    [
        ("CANARY", {"canaryConfiguration"}),
        ("LINEAR", {"linearConfiguration"}),
        ("ROLLING", set[str]()),
    ],
)
def test_a_strategy_with_steps_says_which(ecs: Any, strategy: Strategy, steps: set[str]) -> None:
    add_deployment(ARN, strategy)

    configuration = shown(ecs)["deploymentConfiguration"]

    assert configuration.pop("strategy") == strategy
    assert configuration.keys() == steps


def test_what_one_deployment_is_configured_with_is_its_own(ecs: Any) -> None:
    for arn in (ARN, OTHER_ARN):
        add_deployment(arn, "CANARY")

    deployments()[ARN].deployment_configuration["canaryConfiguration"]["canaryPercent"] = 50.0

    shares = [
        shown(ecs, arn)["deploymentConfiguration"]["canaryConfiguration"]["canaryPercent"]
        for arn in (ARN, OTHER_ARN)
    ]
    assert shares == [50.0, 5.0]


@pytest.mark.parametrize("stage", ["PRE_SCALE_UP", ONLY_DOCUMENTED])
def test_a_pause_has_a_stage_a_time_and_an_action(ecs: Any, stage: str) -> None:
    add_deployment(ARN)

    with later(minutes=5):
        pause(ARN, HOOK_ID, stage=stage, minutes=10, action="CONTINUE")

    deployment = shown(ecs)
    (hook,) = deployment["lifecycleHookDetails"]
    assert deployment["lifecycleStage"] == stage
    assert deployment["updatedAt"] == NOW + timedelta(minutes=5)
    assert hook["expiresAt"] == NOW + timedelta(minutes=15)
    assert hook["timeoutAction"] == "CONTINUE"


@pytest.mark.parametrize("action", ["CONTINUE", None])
def test_a_hook_is_continued_which_an_omitted_action_does_too(
    ecs: Any, paused: None, action: str | None
) -> None:
    with later(minutes=5):
        assert continued(ecs, action=action) == ARN

    assert state(ecs) == ("SUCCEEDED", "IN_PROGRESS", None)
    assert deployments()[ARN].hook(HOOK_ID).answer == "CONTINUE"
    assert shown(ecs)["updatedAt"] == NOW + timedelta(minutes=5)


def test_a_rollback_goes_to_the_source_revision(ecs: Any, paused: None) -> None:
    with later(minutes=5):
        assert continued(ecs, action="ROLLBACK") == ARN

    reason = f"Lifecycle hook {HOOK_ID} was rolled back."
    assert state(ecs) == ("FAILED", "ROLLBACK_IN_PROGRESS", reason)
    (source,) = shown(ecs)["sourceServiceRevisions"]
    assert shown(ecs)["rollback"] == {
        "reason": reason,
        "startedAt": NOW + timedelta(minutes=5),
        "serviceRevisionArn": source["arn"],
    }
    assert "finishedAt" not in shown(ecs)


@pytest.mark.parametrize("action", ["CONTINUE", "ROLLBACK"])
def test_an_answer_in_the_console_does_what_one_of_a_client_does(
    ecs: Any, paused: None, action: Any
) -> None:
    answer(ARN, HOOK_ID, action)
    in_the_console = state(ecs)
    deployments().clear()
    add_deployment(ARN)
    pause(ARN, HOOK_ID)

    continued(ecs, action=action)

    assert state(ecs) == in_the_console


@pytest.mark.parametrize("second", ["CONTINUE", "ROLLBACK"])
@pytest.mark.parametrize("first", ["CONTINUE", "ROLLBACK"])
@pytest.mark.parametrize(
    ("how", "answered"),
    [
        ("accepted", ARN),
        ("refused", ("InvalidParameterException", 400)),
        ("client_error", ("ClientException", 400)),
        ("server_error", ("ServerException", 500)),
    ],
)
def test_a_second_answer_is_without_effect_whatever_it_is_answered(
    ecs: Any, paused: None, how: SecondAnswer, answered: Any, first: str, second: str
) -> None:
    deployments()[ARN].second_answer = how
    assert continued(ecs, action=first) == ARN
    before = shown(ecs)

    with later(minutes=5):
        assert continued(ecs, action=second) == answered

    assert shown(ecs) == before
    assert deployments()[ARN].hook(HOOK_ID).answer == first


@pytest.mark.parametrize("ends", [finish, roll_back, stop])
def test_a_hook_of_a_deployment_that_has_ended_takes_no_answer(
    ecs: Any, paused: None, ends: Callable[[str], None]
) -> None:
    ends(ARN)
    before = shown(ecs)

    assert continued(ecs) == ("InvalidParameterException", 400)

    assert shown(ecs) == before
    assert deployments()[ARN].hook(HOOK_ID).answer is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"serviceDeploymentArn": None}, "InvalidParameterException"),
        ({"hookId": None}, "InvalidParameterException"),
        ({"hookId": 5}, "InvalidParameterException"),
        ({"action": "continue"}, "InvalidParameterException"),
        ({"hookId": hook_id_for("another")}, "InvalidParameterException"),
        ({"serviceDeploymentArn": OTHER_ARN}, "ServiceDeploymentNotFoundException"),
    ],
)
def test_an_answer_that_is_none_is_refused(
    ecs: Any, paused: None, changes: dict[str, Any], code: str
) -> None:
    assert continued(ecs, **changes) == (code, 400)
    assert state(ecs) == ("AWAITING_ACTION", "IN_PROGRESS", None)


def test_another_region_has_no_such_deployment(ecs: Any, paused: None) -> None:
    elsewhere = client_in("eu-west-1")

    assert continued(elsewhere) == ("ServiceDeploymentNotFoundException", 400)
    answered = elsewhere.describe_service_deployments(serviceDeploymentArns=[ARN])
    assert answered["failures"] == [{"arn": ARN, "reason": "MISSING"}]


def test_of_several_hooks_each_has_its_own_answer(ecs: Any, paused: None) -> None:
    other, third = hook_id_for("other"), hook_id_for("third")
    for hook_id in (other, third):
        pause(ARN, hook_id)

    continued(ecs, hookId=other)
    assert state(ecs)[:2] == ("AWAITING_ACTION", "IN_PROGRESS")
    assert state(ecs, other)[:2] == ("SUCCEEDED", "IN_PROGRESS")

    continued(ecs, hookId=third, action="ROLLBACK")
    assert state(ecs)[:2] == ("AWAITING_ACTION", "ROLLBACK_IN_PROGRESS")
    assert continued(ecs) == ("InvalidParameterException", 400)


def test_a_canary_pauses_before_each_step_with_another_hook(ecs: Any) -> None:
    add_deployment(ARN, "CANARY")
    ids = [hook_id_for(f"step {number}") for number in range(2)]

    for hook_id in ids:
        pause(ARN, hook_id, stage=ONLY_DOCUMENTED)
        continued(ecs, hookId=hook_id)

    hooks = shown(ecs)["lifecycleHookDetails"]
    assert [(one["hookId"], one["status"]) for one in hooks] == [(one, "SUCCEEDED") for one in ids]
    assert continued(ecs, hookId=ids[0]) == ("InvalidParameterException", 400)


def test_ids_of_hooks_look_like_ecss() -> None:
    made = hook_id_for("step 1")

    assert (len(made), made[:10]) == (len(HOOK_ID), HOOK_ID[:10])
    assert made == hook_id_for("step 1") != hook_id_for("step 2")


@pytest.mark.parametrize(
    ("action", "status", "reason"),
    [
        ("ROLLBACK", "ROLLBACK_IN_PROGRESS", f"Lifecycle hook {HOOK_ID} timed out."),
        ("CONTINUE", "IN_PROGRESS", None),
    ],
)
def test_a_hook_that_times_out_does_its_action(
    ecs: Any, action: Any, status: str, reason: str | None
) -> None:
    add_deployment(ARN)
    pause(ARN, HOOK_ID, action=action)

    give_up(ARN, HOOK_ID)

    assert state(ecs) == ("TIMED_OUT", status, reason)
    assert continued(ecs) == ("InvalidParameterException", 400)


@pytest.mark.parametrize("action", ["CONTINUE", "ROLLBACK"])
def test_a_hook_that_was_answered_does_not_time_out(ecs: Any, paused: None, action: str) -> None:
    continued(ecs, action=action)
    before = shown(ecs)

    with later(minutes=1440):
        give_up(ARN, HOOK_ID)

    assert shown(ecs) == before


def test_a_deployment_that_finishes_lets_its_hooks_succeed(ecs: Any, paused: None) -> None:
    other = hook_id_for("other")
    pause(ARN, other, action="CONTINUE")
    give_up(ARN, other)

    with later(minutes=5):
        finish(ARN)

    assert state(ecs) == ("SUCCEEDED", "SUCCESSFUL", None)
    assert state(ecs, other)[0] == "TIMED_OUT"
    deployment = shown(ecs)
    assert deployment["finishedAt"] == deployment["updatedAt"] == NOW + timedelta(minutes=5)
    assert deployment["lifecycleStage"] == "CLEAN_UP"


def test_a_rollback_ends_where_it_began(ecs: Any, paused: None) -> None:
    continued(ecs, action="ROLLBACK")
    rollback = shown(ecs)["rollback"]

    with later(minutes=5):
        roll_back(ARN)

    assert shown(ecs)["status"] == "ROLLBACK_SUCCESSFUL"
    assert shown(ecs)["rollback"] == rollback
    assert shown(ecs)["statusReason"] == rollback["reason"]
    assert shown(ecs)["finishedAt"] == shown(ecs)["updatedAt"] == NOW + timedelta(minutes=5)


def test_a_deployment_is_rolled_back_without_an_answer(ecs: Any, paused: None) -> None:
    roll_back(ARN, "An alarm went off.")

    assert state(ecs) == ("AWAITING_ACTION", "ROLLBACK_SUCCESSFUL", "An alarm went off.")


def test_a_first_deployment_has_nothing_to_roll_back_to(ecs: Any) -> None:
    add_deployment(ARN, first=True)
    pause(ARN, HOOK_ID)
    assert shown(ecs)["sourceServiceRevisions"] == []

    continued(ecs, action="ROLLBACK")
    roll_back(ARN)

    deployment = shown(ecs)
    assert deployment["status"] == "ROLLBACK_FAILED"
    assert deployment["rollback"].keys() == {"reason", "startedAt"}
    assert deployment["statusReason"] != deployment["rollback"]["reason"]


def test_a_deployment_is_stopped(ecs: Any, paused: None) -> None:
    with later(minutes=5):
        stop(ARN)

    assert state(ecs) == ("AWAITING_ACTION", "STOPPED", None)
    assert shown(ecs)["stoppedAt"] == shown(ecs)["finishedAt"] == NOW + timedelta(minutes=5)


@pytest.mark.parametrize("kind", ["Deployment", "Revision"])
def test_what_is_unknown_is_missing_among_up_to_twenty(ecs: Any, paused: None, kind: str) -> None:
    call = getattr(ecs, f"describe_service_{kind.lower()}s")
    arn = {"Deployment": ARN, "Revision": shown(ecs)["targetServiceRevision"]["arn"]}[kind]
    unknown = [f"{arn}{number}" for number in range(19)]

    answered = call(**{f"service{kind}Arns": [*unknown, arn]})

    assert [one[f"service{kind}Arn"] for one in answered[f"service{kind}s"]] == [arn]
    assert answered["failures"] == [{"arn": one, "reason": "MISSING"} for one in unknown]
    asked = {f"service{kind}Arns": [*unknown, arn, OTHER_ARN]}
    assert refused(call, **asked) == "InvalidParameterException"


@pytest.mark.parametrize(
    "operation",
    ["describe_service_deployments", "describe_service_revisions", "list_service_deployments"],
)
def test_what_is_asked_without_what_it_needs_is_refused(ecs: Any, operation: str) -> None:
    assert refused(getattr(ecs, operation)) == "InvalidParameterException"


def test_a_revision_has_the_images_of_its_task_definition(ecs: Any, paused: None) -> None:
    deployment = shown(ecs)
    arns = [
        deployment["sourceServiceRevisions"][0]["arn"],
        deployment["targetServiceRevision"]["arn"],
    ]

    revisions = ecs.describe_service_revisions(serviceRevisionArns=arns)["serviceRevisions"]

    assert [one["serviceRevisionArn"] for one in revisions] == arns
    assert len({one["containerImages"][0]["imageDigest"] for one in revisions}) == 2
    for one in revisions:
        assert (one["serviceArn"], one["clusterArn"]) == (SERVICE_ARN, CLUSTER_ARN)
        asked = {"taskDefinition": one["taskDefinition"]}
        (container,) = ecs.describe_task_definition(**asked)["taskDefinition"][
            "containerDefinitions"
        ]
        (image,) = one["containerImages"]
        assert (image["containerName"], image["image"]) == (container["name"], container["image"])
        assert image["imageDigest"].startswith("sha256:")


def test_deployments_are_listed_the_newest_first(ecs: Any, paused: None) -> None:
    finish(ARN)
    with later(minutes=5):
        add_deployment(OTHER_ARN)
    add_deployment(deployment_arn(service="cart"))
    add_deployment(deployment_arn(cluster="staging"))

    answered = ecs.list_service_deployments(service=SERVICE, cluster=CLUSTER)

    newest, oldest = answered["serviceDeployments"]
    assert newest["serviceDeploymentArn"] == OTHER_ARN
    assert oldest == {
        "serviceDeploymentArn": ARN,
        "serviceArn": SERVICE_ARN,
        "clusterArn": CLUSTER_ARN,
        "createdAt": NOW,
        "startedAt": NOW,
        "finishedAt": NOW,
        "targetServiceRevisionArn": shown(ecs)["targetServiceRevision"]["arn"],
        "status": "SUCCESSFUL",
    }
    assert "nextToken" not in answered


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cluster": CLUSTER_ARN},
        {"service": SERVICE_ARN},
        {"service": SERVICE_ARN, "cluster": "default"},
        {"service": SERVICE_ARN.replace(f"{CLUSTER}/", "")},
        {"status": ["PENDING", "IN_PROGRESS"]},
        {"status": []},
        {"createdAt": {"after": NOW - timedelta(seconds=1), "before": NOW + timedelta(seconds=1)}},
    ],
)
def test_a_deployment_is_listed_that_is_asked_for(
    ecs: Any, paused: None, changes: dict[str, Any]
) -> None:
    assert listed(ecs, **changes) == [ARN]


@pytest.mark.parametrize(
    "changes",
    [
        {"status": ["SUCCESSFUL"]},
        {"createdAt": {"after": NOW}},
        {"createdAt": {"before": NOW}},
        {"nextToken": "1"},
    ],
)
def test_a_deployment_is_not_listed_that_is_not_asked_for(
    ecs: Any, paused: None, changes: dict[str, Any]
) -> None:
    assert listed(ecs, **changes) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"service": "nope"}, "ServiceNotFoundException"),
        ({"cluster": "nope"}, "ClusterNotFoundException"),
        ({"maxResults": 0}, "InvalidParameterException"),
        ({"maxResults": 101}, "InvalidParameterException"),
        ({"nextToken": "nope"}, "InvalidParameterException"),
        ({"status": ["nope"]}, "InvalidParameterException"),
    ],
)
def test_a_list_that_there_is_none_of_is_refused(
    ecs: Any, paused: None, changes: dict[str, Any], code: str
) -> None:
    asked = {"service": SERVICE, "cluster": CLUSTER, **changes}

    assert refused(ecs.list_service_deployments, **asked) == code


@pytest.mark.parametrize(("size", "pages"), [(None, [20, 5]), (10, [10, 10, 5]), (25, [25])])
def test_long_lists_come_in_pages(ecs: Any, size: int | None, pages: list[int]) -> None:
    arns = [deployment_arn(f"number-{number}") for number in range(25)]
    for arn in arns:
        add_deployment(arn)
    asked = {"service": SERVICE, "cluster": CLUSTER, **({"maxResults": size} if size else {})}

    found = []
    while True:
        answered = ecs.list_service_deployments(**asked)
        found.append([one["serviceDeploymentArn"] for one in answered["serviceDeployments"]])
        if "nextToken" not in answered:
            break
        asked["nextToken"] = answered["nextToken"]

    assert [len(page) for page in found] == pages
    assert [arn for page in found for arn in page] == arns[::-1]


def test_a_service_has_its_deployment_until_that_has_ended(ecs: Any) -> None:
    def current() -> Any:
        answered = ecs.describe_services(cluster=CLUSTER, services=[SERVICE, "cart"])
        return [one.get("currentServiceDeployment") for one in answered["services"]]

    cart = deployment_arn(service="cart")
    add_deployment(cart)
    for ends in (finish, roll_back, stop):
        add_deployment(ARN)
        assert current() == [ARN, cart]
        ends(ARN)
        assert current() == [None, cart]
    add_deployment(ARN)
    begin_rollback(ARN, "An alarm went off.")
    assert current() == [ARN, cart]


def test_a_deployment_has_its_cluster_and_its_service(ecs: Any, paused: None) -> None:
    assert ecs.list_clusters()["clusterArns"] == [CLUSTER_ARN]
    assert ecs.list_services(cluster=CLUSTER)["serviceArns"] == [SERVICE_ARN]
    (service,) = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
    target = shown(ecs)["targetServiceRevision"]["arn"]
    (revision,) = ecs.describe_service_revisions(serviceRevisionArns=[target])["serviceRevisions"]
    assert service["taskDefinition"] == revision["taskDefinition"]


def test_a_service_and_its_cluster_are_as_they_were_for_another_deployment(
    ecs: Any, paused: None
) -> None:
    settings = [{"name": "containerInsights", "value": "enhanced"}]
    ecs.update_cluster(cluster=CLUSTER, settings=settings)
    ecs.update_service(cluster=CLUSTER, service=SERVICE, desiredCount=3)

    add_deployment(OTHER_ARN)

    (cluster,) = ecs.describe_clusters(clusters=[CLUSTER])["clusters"]
    assert cluster["settings"] == settings
    (service,) = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
    assert service["desiredCount"] == 3
    assert service["currentServiceDeployment"] == OTHER_ARN


def test_nothing_is_left_of_it_when_moto_forgets(ecs: Any, paused: None) -> None:
    get_backend("ecs").reset()

    assert (deployments(), revisions()) == ({}, {})
    assert continued(ecs) == ("ServiceDeploymentNotFoundException", 400)


def test_a_hooks_event_is_that_which_aws_documents(ecs: Any) -> None:
    sample = load_event("pause/awaiting_action")
    detail = sample["detail"]
    arn, hook_id = detail["serviceDeploymentArn"], detail["hookId"]
    # to the microsecond, which is as far as Python goes
    detail["updatedAt"] = f"{detail['updatedAt'][:26]}000Z"

    with time_machine.travel(datetime.fromisoformat(detail["updatedAt"]), tick=False):
        add_deployment(arn)
        pause(arn, hook_id, minutes=10)
        assert hook_event(arn, hook_id, "HOOK_AWAITING_ACTION") == sample


def test_a_hook_that_was_continued_has_an_event_like_the_sample(ecs: Any) -> None:
    opened, sample = load_event("pause/awaiting_action"), load_event("pause/continued")
    arn, hook_id = sample["detail"]["serviceDeploymentArn"], sample["detail"]["hookId"]
    with time_machine.travel(datetime.fromisoformat(opened["time"]), tick=False):
        add_deployment(arn)
        pause(arn, hook_id, minutes=10)

    with time_machine.travel(datetime.fromisoformat(sample["time"]), tick=False):
        continued(ecs, serviceDeploymentArn=arn, hookId=hook_id)
        event = hook_event(arn, hook_id, "HOOK_SUCCEEDED")

    assert event["detail"].pop("updatedAt")[:19] == sample["detail"].pop("updatedAt")[:19]
    assert event | {"id": sample["id"]} == sample


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("SERVICE_DEPLOYMENT_IN_PROGRESS", "INFO", "ECS deployment {} in progress."),
        ("SERVICE_DEPLOYMENT_COMPLETED", "INFO", "ECS deployment {} completed."),
        (
            "SERVICE_DEPLOYMENT_FAILED",
            "ERROR",
            "ECS deployment circuit breaker: task failed to start.",
        ),
    ],
)
def test_a_deployments_event_names_the_service_only(
    ecs: Any, paused: None, name: str, kind: str, reason: str
) -> None:
    (service,) = ecs.describe_services(cluster=CLUSTER, services=[SERVICE])["services"]
    (deployment,) = service["deployments"]

    with later(minutes=5):
        event = state_change(ARN, name)

    assert event == {
        "version": "0",
        "id": "3329f79b-3dca-07f8-b1c2-5fe99f0b5e87",
        "detail-type": "ECS Deployment State Change",
        "source": "aws.ecs",
        "account": "123456789012",
        "time": "2026-11-23T03:05:00Z",
        "region": REGION,
        "resources": [SERVICE_ARN],
        "detail": {
            "eventType": kind,
            "eventName": name,
            "deploymentId": deployment["id"],
            "updatedAt": "2026-11-23T03:00:00Z",
            "reason": reason.format(deployment["id"]),
        },
    }


def test_a_rollback_begins_with_an_event_that_says_so(ecs: Any, paused: None) -> None:
    continued(ecs, action="ROLLBACK")

    begun = state_change(ARN, "SERVICE_DEPLOYMENT_IN_PROGRESS")["detail"]
    failed = state_change(ARN, "SERVICE_DEPLOYMENT_FAILED")["detail"]

    assert begun["reason"].endswith(f"rolling back to deploymentId {begun['deploymentId']}.")
    assert "rolling back" not in failed["reason"]
