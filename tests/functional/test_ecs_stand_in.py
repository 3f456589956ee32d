"""The server that stands in for AWS answers for ECS, too."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from stand_ins.aws import AwsStandIn, aws_stand_in
from stand_ins.ecs import (
    HOOK_ID,
    SecondAnswer,
    add_deployment,
    deployment_arn,
    deployments,
    pause,
    revisions,
)
from tests.conftest import ROOT
from tests.forked import Forked

ARN = deployment_arn()
CONTINUE = "ContinueServiceDeployment"


@pytest.fixture
def ecs(aws: AwsStandIn) -> Any:
    add_deployment(ARN)
    pause(ARN, HOOK_ID)
    return aws.client("ecs")


def awaited(ecs: Any) -> tuple[str, str]:
    """What the only service's deployment is found to be, and its hook, from the cluster on."""
    (cluster,) = ecs.list_clusters()["clusterArns"]
    (name,) = ecs.list_services(cluster=cluster)["serviceArns"]
    (service,) = ecs.describe_services(cluster=cluster, services=[name])["services"]
    (listed,) = ecs.list_service_deployments(cluster=cluster, service=name)["serviceDeployments"]
    arn = service.get("currentServiceDeployment", listed["serviceDeploymentArn"])
    (shown,) = ecs.describe_service_deployments(serviceDeploymentArns=[arn])["serviceDeployments"]
    (hook,) = shown["lifecycleHookDetails"]
    return shown["status"], hook["status"]


def test_a_hook_is_found_and_answered(aws: AwsStandIn, ecs: Any) -> None:
    assert awaited(ecs) == ("IN_PROGRESS", "AWAITING_ACTION")

    asked = {"serviceDeploymentArn": ARN, "hookId": HOOK_ID, "action": "ROLLBACK"}
    assert ecs.continue_service_deployment(**asked)["serviceDeploymentArn"] == ARN

    assert awaited(ecs) == ("ROLLBACK_IN_PROGRESS", "FAILED")
    assert aws.operations.count(CONTINUE) == 1
    assert f"ecs:{CONTINUE}" in aws.actions


def test_what_is_deployed_is_found(ecs: Any) -> None:
    (shown,) = ecs.describe_service_deployments(serviceDeploymentArns=[ARN])["serviceDeployments"]
    target = shown["targetServiceRevision"]["arn"]

    (revision,) = ecs.describe_service_revisions(serviceRevisionArns=[target])["serviceRevisions"]

    (image,) = revision["containerImages"]
    assert image["image"].endswith("/shop:2026.11")


@pytest.mark.parametrize(
    ("how", "code"), [("client_error", "ClientException"), ("server_error", "ServerException")]
)
def test_a_second_answer_is_refused(
    aws: AwsStandIn, ecs: Any, how: SecondAnswer, code: str
) -> None:
    deployments()[ARN].second_answer = how
    ecs.continue_service_deployment(serviceDeploymentArn=ARN, hookId=HOOK_ID)
    aws.operations.clear()

    with pytest.raises(getattr(ecs.exceptions, code)):
        ecs.continue_service_deployment(serviceDeploymentArn=ARN, hookId=HOOK_ID)

    tries = aws.operations.count(CONTINUE)
    assert (tries > 1) == (how == "server_error"), "a client tries again what the server failed at"


def test_a_servers_fault_that_is_made_is_one_of_ecss(aws: AwsStandIn, ecs: Any) -> None:
    aws.failures[CONTINUE] = ["ServerException"]

    ecs.continue_service_deployment(serviceDeploymentArn=ARN, hookId=HOOK_ID)

    assert aws.operations.count(CONTINUE) == 2, "the client tried again"
    assert awaited(ecs) == ("IN_PROGRESS", "SUCCEEDED")


def test_an_answer_that_is_lost_took_effect(aws: AwsStandIn, ecs: Any) -> None:
    aws.lost_answers[CONTINUE] = 1

    with pytest.raises(ClientError) as failed:
        ecs.continue_service_deployment(serviceDeploymentArn=ARN, hookId=HOOK_ID)

    assert failed.value.response["Error"]["Code"] == "InvalidParameterException", "of the second"
    assert awaited(ecs) == ("IN_PROGRESS", "SUCCEEDED")


def test_it_is_forgotten_when_the_server_ends() -> None:
    with aws_stand_in():
        add_deployment(ARN)

    assert (deployments(), revisions()) == ({}, {})
    with aws_stand_in() as aws:
        assert aws.client("ecs").list_clusters()["clusterArns"] == []


def test_it_answers_where_nobody_added_a_deployment() -> None:
    code = (
        "from stand_ins.aws import aws_stand_in\n"
        "with aws_stand_in() as aws:\n"
        "    ecs = aws.client('ecs')\n"
        f"    print(ecs.describe_service_deployments(serviceDeploymentArns=['{ARN}'])['failures'])"
    )

    process = Forked(code, env={"PYTHONPATH": str(ROOT)})

    assert process.communicate() == (f"[{{'arn': '{ARN}', 'reason': 'MISSING'}}]\n", "")
