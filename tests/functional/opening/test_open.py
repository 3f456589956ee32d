"""A hook opens a gate: what is stored, what people see, what is answered."""

import shlex
import socket
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from greenlight.model.errors import SlackWebhookGoneError
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.codedeploy import add_deployment, complete_hook, finish, give_up, restart, stop
from stand_ins.slack import Answer, SlackStandIn
from tests.conftest import load_event
from tests.functional.conftest import Invoke, Output
from tests.functional.helpers import EVENT, NOW, plain, whole


@pytest.fixture(autouse=True)
def deployment(aws: AwsStandIn) -> None:
    with time_machine.travel(NOW, tick=False):
        add_deployment("d-LOCALTEST", aws.client("codedeploy"))


def test_a_real_event_becomes_a_stored_gate_and_a_message(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    event = load_event("hook/after_allow_test_traffic")
    with time_machine.travel(NOW, tick=False):
        add_deployment(
            event["DeploymentId"],
            aws.client("codedeploy"),
            application="payments",
            deployment_group="payments-bg",
            description="<!channel> v2 & more",
        )
        answer = invoke(event)

    assert answer == {
        "statusCode": 200,
        "body": {"deployment_id": "d-K4WQ7RZ2H", "status": "WAITING", "duplicate": False},
    }
    (item,) = aws.items()
    assert plain(item) == {
        "deployment_id": "d-K4WQ7RZ2H",
        "hook_execution_id": event["LifecycleEventHookExecutionId"],
        "status": "WAITING",
        "engine": "codedeploy",
        "application": "payments",
        "deployment_group": "payments-bg",
        "description": "<!channel> v2 & more",
        "creator": "user",
        "test_url": "https://payments.green.example.com/?release=d-K4WQ7RZ2H",
        "created_at": "2026-11-23T03:00:00+00:00",
        "deadline": "2026-11-23T04:00:00+00:00",
        "notified_at": "2026-11-23T03:00:00+00:00",
        "expires_at": str(int((NOW + timedelta(days=90, hours=1)).timestamp())),
        "history": [
            {"event": "opened", "at": "2026-11-23T03:00:00+00:00"},
            {"event": "notified", "at": "2026-11-23T03:00:00+00:00"},
        ],
    }
    assert item["expires_at"].keys() == {"N"}, "DynamoDB's TTL wants a number of seconds"
    (message,) = slack.messages
    text = whole(message)
    assert "✅ ECS 배포: 테스트 대기 중" in text
    assert "https://payments.green.example.com/?release=d-K4WQ7RZ2H" in text
    assert "&lt;!channel&gt; v2 &amp; more" in text
    assert f"<!date^{int((NOW + timedelta(hours=1)).timestamp())}^" in text
    (approve,) = [line for line in text.split("```") if "Succeeded" in line]
    assert event["LifecycleEventHookExecutionId"] in shlex.split(approve)


def test_it_runs_by_hand_as_documented(invoke: Invoke, aws: AwsStandIn) -> None:
    answer = invoke(EVENT)

    assert answer["statusCode"] == 200
    assert plain(aws.items()[0])["hook_execution_id"] == "hook-local"


@pytest.mark.parametrize(
    "region",
    [
        {"AWS_DEFAULT_REGION": None},
        {"AWS_DEFAULT_REGION": "us-east-1"},
        {"AWS_REGION": None},
    ],
    ids=str,
)
def test_it_runs_where_either_variable_names_the_region_and_aws_region_wins(
    region: dict[str, str | None], invoke: Invoke, aws: AwsStandIn
) -> None:
    assert invoke(EVENT, **region)["statusCode"] == 200

    assert [item["deployment_id"]["S"] for item in aws.items()] == ["d-LOCALTEST"]


def test_the_message_comes_in_english_too(invoke: Invoke, slack: SlackStandIn) -> None:
    invoke(EVENT, MESSAGE_LANGUAGE="en")

    assert "✅ ECS deployment: waiting to be tested" in whole(slack.messages[0])


def test_the_message_comes_in_two_languages_at_once(invoke: Invoke, slack: SlackStandIn) -> None:
    invoke(EVENT, MESSAGE_LANGUAGE="ko, ja")

    text = whole(slack.messages[0])
    assert "✅ ECS 배포: 테스트 대기 중 / ECS デプロイ: テスト待ち" in text
    assert "*결정 기한 / 回答期限*" in text
    assert "위 URL에서 테스트한 뒤" in text
    assert "上の URL でテストしてから" in text
    assert "--table gates --reason '거부 이유'" in text


def test_the_deadline_counts_from_when_codedeploy_began_to_wait(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    with time_machine.travel(NOW + timedelta(minutes=4), tick=False):  # Lambda held the event
        invoke(EVENT)

    item = plain(aws.items()[0])
    assert item["created_at"] == "2026-11-23T03:04:00+00:00"
    assert item["deadline"] == "2026-11-23T04:00:00+00:00"
    assert f"<!date^{int((NOW + timedelta(hours=1)).timestamp())}^" in whole(slack.messages[0])


@pytest.mark.parametrize("failing", ["ListDeploymentTargets", "GetDeploymentTarget"])
def test_the_deadline_counts_from_now_where_codedeploy_does_not_say(
    failing: str, invoke: Invoke, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    aws.failures[failing] = ["AccessDeniedException"]

    with time_machine.travel(NOW + timedelta(minutes=4), tick=False):
        invoke(EVENT)

    assert plain(aws.items()[0])["deadline"] == "2026-11-23T04:04:00+00:00"
    (warning,) = [line for line in output().lines if line["level"] == "WARNING"]
    assert "the deadline may be late" in warning["message"]


def test_a_retry_that_knows_when_codedeploy_began_to_wait_mends_the_deadline(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    aws.failures["ListDeploymentTargets"] = ["AccessDeniedException"]
    slack.script.append(Answer(404, "no_service"))
    with (
        time_machine.travel(NOW + timedelta(minutes=2), tick=False),
        pytest.raises(SlackWebhookGoneError),
    ):
        invoke(EVENT)

    with time_machine.travel(NOW + timedelta(minutes=3), tick=False):
        invoke(EVENT)

    assert plain(aws.items()[0])["deadline"] == "2026-11-23T04:00:00+00:00"


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (lambda: finish("d-LOCALTEST"), "APPROVED"),
        (lambda: complete_hook("d-LOCALTEST", "Failed"), "REJECTED"),
        (lambda: stop("d-LOCALTEST"), "REJECTED"),
        (lambda: give_up("d-LOCALTEST"), "EXPIRED"),
    ],
)
def test_nobody_is_asked_about_a_deployment_that_has_ended_by_then(
    end: Callable[[], None],
    status: str,
    invoke: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
) -> None:
    restart("d-LOCALTEST")
    end()

    body = invoke(EVENT)["body"]

    assert body == {"deployment_id": "d-LOCALTEST", "status": status, "duplicate": False}
    item = plain(aws.items()[0])
    assert (item["status"], item["decided_via"]) == (status, "elsewhere")
    assert "lease_until" not in item
    assert slack.messages == []
    assert output().metrics["GateSettledElsewhere", "service=greenlight"] == [1]


def test_people_are_asked_by_a_hook_of_another_event_than_the_usual_one(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    restart("d-LOCALTEST")
    complete_hook("d-LOCALTEST", "Succeeded")  # and the deployment goes on, to the next hook

    assert invoke(EVENT)["body"]["status"] == "WAITING"
    assert len(slack.messages) == 1


def test_a_gate_lives_as_long_as_is_set(invoke: Invoke, aws: AwsStandIn) -> None:
    with time_machine.travel(NOW, tick=False):
        invoke(EVENT, GATE_TTL_DAYS="7")

    forgotten = NOW + timedelta(days=7, hours=1)
    assert plain(aws.items()[0])["expires_at"] == str(int(forgotten.timestamp()))


def test_more_fields_in_the_event_are_ignored(invoke: Invoke, slack: SlackStandIn) -> None:
    assert invoke(load_event("hook/extra_fields"))["body"]["duplicate"] is False
    assert len(slack.messages) == 1


def test_an_empty_image_url_means_a_message_without_image(
    invoke: Invoke, slack: SlackStandIn
) -> None:
    invoke(EVENT, SLACK_IMAGE_URL="")

    assert [block for block in slack.messages[0]["blocks"] if block["type"] == "image"] == []


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "DeploymentDoesNotExistException", "InternalFailure"]
)
def test_a_deployment_that_cannot_be_described_means_a_plainer_message(
    code: str,
    invoke: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], Output],
    sleeps: list[float],
) -> None:
    aws.failures["GetDeployment"] = [code] * 9

    assert invoke(EVENT)["body"]["status"] == "WAITING"

    item = plain(aws.items()[0])
    assert "application" not in item
    assert item["test_url"] == "https://{application}.green.example.com/?release=d-LOCALTEST"
    assert "CodeDeploy에서 배포 정보를 읽지 못해" in whole(slack.messages[0])
    (warning,) = [line for line in output().lines if line["level"] == "WARNING"]
    assert warning["reason"] == code


def test_a_codedeploy_that_does_not_answer_means_a_plainer_message(
    invoke: Invoke, slack: SlackStandIn, output: Callable[[], Output], sleeps: list[float]
) -> None:
    with socket.socket() as closed:  # bound, but nobody listens
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}"

        assert invoke(EVENT, AWS_ENDPOINT_URL_CODEDEPLOY=nobody)["body"]["status"] == "WAITING"

    assert "CodeDeploy에서 배포 정보를 읽지 못해" in whole(slack.messages[0])
    warnings = [line["reason"] for line in output().lines if line["level"] == "WARNING"]
    assert warnings == ["EndpointConnectionError"] * 2, "what it is, and since when it waits"


def test_a_message_refused_with_its_image_is_sent_without(
    invoke: Invoke, slack: SlackStandIn, output: Callable[[], Output]
) -> None:
    slack.script.append(Answer(400, "invalid_blocks"))

    assert invoke(EVENT)["body"]["duplicate"] is False

    with_image, without = slack.messages
    assert with_image["blocks"][:-1] == without["blocks"]
    assert with_image["blocks"][-1]["type"] == "image"
    assert [line["reason"] for line in output().lines if line["level"] == "WARNING"] == [
        "invalid_blocks"
    ]


def test_a_table_as_people_have_it_keeps_working(
    invoke: Invoke, aws: AwsStandIn, slack: SlackStandIn
) -> None:
    """The item of a hand-written hook function for the same hook is no gate yet."""
    aws.client("dynamodb").put_item(
        TableName=TABLE,
        Item={
            "deployment_id": {"S": "d-LOCALTEST"},
            "hook_execution_id": {"S": "hook-local"},
            "status": {"S": "pending"},
        },
    )

    assert invoke(EVENT)["body"] == {
        "deployment_id": "d-LOCALTEST",
        "status": "WAITING",
        "duplicate": False,
    }
    assert plain(aws.items()[0])["notified_at"]
    assert len(slack.messages) == 1


def test_a_table_can_be_named_by_its_arn(invoke: Invoke, aws: AwsStandIn) -> None:
    arn = aws.client("dynamodb").describe_table(TableName=TABLE)["Table"]["TableArn"]

    invoke(EVENT, DYNAMODB_TABLE_NAME=arn)

    assert len(aws.items()) == 1
