"""What is deployed works: every hook ends in people who were asked, or in `Failed`."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from click.testing import CliRunner

from greenlight_cli.main import main as greenlight_cli
from stand_ins.aws import CREDENTIALS
from stand_ins.clicks import ALICE, BOB, SIGNING_SECRET, form, payload, signed
from stand_ins.slack import SlackStandIn
from tests.deployed import HOOK, STACK, Deployed, about, asked, eventually

FAILURE = f"GreenlightFail_{STACK}"
DECISION = f"GreenlightGate_{STACK}"


def whole(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def test_a_hook_becomes_a_gate_a_message_and_log_lines(
    deployed: Deployed, slack: SlackStandIn
) -> None:
    event = deployed.new_deployment()

    deployed.call_hook(event)

    gate = eventually(lambda: "notified_at" in (item := deployed.gate(event)) and item)
    assert gate["status"] == "WAITING"
    url = f"https://shop-{deployed.number}.green.example.com/{event['DeploymentId']}"
    assert gate["test_url"] == url
    (message,) = about(event, slack.messages)
    assert "✅ ECS 배포: 테스트 대기 중" in whole(message)
    assert url in whole(message)
    log = eventually(lambda: "SlackNotified" in (text := deployed.log(HOOK)) and text)
    assert "People were told" in log
    assert f'"correlation_id":"{event["DeploymentId"]}"' in log
    assert f'"service":"{STACK}"' in log
    assert "stand-in-for-a-secret" not in log
    assert deployed.report(event) is None, "that is for people to decide"


def test_five_calls_at_once_become_one_message(deployed: Deployed, slack: SlackStandIn) -> None:
    event = deployed.new_deployment()

    # Each call waits for its answer, so that it is known when all have ended.
    with ThreadPoolExecutor(max_workers=5) as threads:
        answers = list(threads.map(lambda _: deployed.call_hook_and_wait(event), range(5)))

    bodies = [json.loads(answer["body"]) for answer in answers if "body" in answer]
    assert [body["duplicate"] for body in bodies].count(False) == 1
    failures = [answer["errorMessage"] for answer in answers if "body" not in answer]
    assert all("Another try is opening the gate" in failure for failure in failures), failures
    assert len(about(event, slack.messages)) == 1
    assert deployed.report(event) is None
    assert deployed.gate(event)["status"] == "WAITING"
    assert deployed.gate(event)["notified_at"]


def test_slack_fails_twice_and_then_works(deployed: Deployed, slack: SlackStandIn) -> None:
    event = deployed.new_deployment()
    paths, slack.webhook_paths = slack.webhook_paths, set()

    deployed.call_hook(event)
    eventually(lambda: len(about(event, slack.posts)) == 2)
    slack.webhook_paths = paths

    eventually(lambda: "notified_at" in deployed.gate(event))
    assert deployed.report(event) is None


def test_slack_is_down(deployed: Deployed, slack: SlackStandIn) -> None:
    event = deployed.new_deployment()
    slack.webhook_paths = set()

    deployed.call_hook(event)

    assert eventually(lambda: deployed.report(event)) == "Failed"
    gate = eventually(lambda: (item := deployed.gate(event))["status"] == "FAILED" and item)
    assert "Slack did not take the message: HTTP 404, no_service" in gate["reason"]
    eventually(lambda: len(about(event, slack.posts)) == 4)
    tries = [whole(message) for message in about(event, slack.messages)]
    assert sum("테스트 대기 중" in one for one in tries) == 3, "the first try and two retries"
    assert "테스트 요청 실패" in tries[-1]


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        ({"variables": {"TEST_URL": None}}, "TEST_URL is not set"),
        ({"variables": {"DYNAMODB_TABLE_NAME": "gone"}}, "table gone failed"),
        ({"variables": {"SLACK_WEBHOOK_URL": "/no/such/parameter"}}, "cannot be read"),
        ({"Handler": "nowhere.lambda_handler"}, "Error"),
    ],
    ids=["a variable is missing", "the table is gone", "the parameter is gone", "no code"],
)
def test_the_hook_function_is_broken(
    configuration: dict[str, Any], reason: str, deployed: Deployed, slack: SlackStandIn
) -> None:
    event = deployed.new_deployment()

    with deployed.changed(HOOK, **configuration):
        deployed.call_hook(event)
        assert eventually(lambda: deployed.report(event)) == "Failed"

    gate = eventually(lambda: deployed.gate(event))
    assert gate["status"] == "FAILED"
    assert reason in gate["reason"]
    told = eventually(lambda: about(event, slack.messages))
    assert "❌ ECS 배포: 테스트 요청 실패" in whole(told)


@pytest.mark.parametrize(
    "variables",
    [
        {"TEST_URL": None, "DYNAMODB_TABLE_NAME": None, "SLACK_WEBHOOK_URL": None},
        {"DYNAMODB_TABLE_NAME": "gone"},
        {"SLACK_WEBHOOK_URL": "/no/such/parameter"},
    ],
    ids=["no settings", "no table", "no parameter"],
)
def test_both_functions_are_broken(
    variables: dict[str, str | None], deployed: Deployed, slack: SlackStandIn
) -> None:
    event = deployed.new_deployment()

    with (
        deployed.changed(HOOK, variables=variables),
        deployed.changed(FAILURE, variables=variables),
    ):
        deployed.call_hook(event)

        assert eventually(lambda: deployed.report(event)) == "Failed"
        if "TEST_URL" not in variables and "SLACK_WEBHOOK_URL" not in variables:
            eventually(lambda: about(event, slack.messages))


def test_codedeploy_cannot_be_told(deployed: Deployed, slack: SlackStandIn) -> None:
    event = deployed.new_deployment()
    operation = "PutLifecycleEventHookExecutionStatus"
    deployed.codedeploy.failures[operation] = ["AccessDeniedException"]

    with deployed.changed(HOOK, variables={"TEST_URL": None}):
        deployed.call_hook(event)
        told = eventually(lambda: about(event, slack.messages))

    assert "⚠️ ECS 배포: 처리 실패, 확인 필요" in whole(told), "a person is told instead"
    assert deployed.report(event) is None


@pytest.mark.parametrize(
    ("verdict", "status", "reported", "header"),
    [
        ("approve", "APPROVED", "Succeeded", "🚀 ECS 배포: 승인됨"),
        ("reject", "REJECTED", "Failed", "⛔ ECS 배포: 거부됨"),
    ],
)
def test_a_click_in_slack_reaches_codedeploy_and_the_message(
    verdict: str, status: str, reported: str, header: str, deployed: Deployed, slack: SlackStandIn
) -> None:
    event = asked(deployed)
    (message,) = about(event, slack.messages)
    click = payload(message, f"greenlight_{verdict}", slack.response_url, ALICE, "tried it")
    body = form(click)

    assert deployed.request(body, signed(body)) == 200

    assert deployed.report(event) == reported
    gate = deployed.gate(event)
    assert (gate["status"], gate["decided_by"], gate["decided_via"]) == (
        status,
        "U0ALICE",
        "slack",
    )
    assert gate["reason"] == "tried it"
    assert gate["reported_at"]
    (replaced,) = about(event, slack.responses)
    assert replaced["replace_original"] is True
    assert header in whole(replaced)
    assert "<@U0ALICE>" in whole(replaced)
    log = eventually(lambda: "TimeToDecision" in (text := deployed.log(DECISION)) and text)
    assert "The engine knows the decision" in log
    assert SIGNING_SECRET not in log
    assert "/actions/" not in log


def test_a_request_that_slack_did_not_sign_touches_nothing(
    deployed: Deployed, slack: SlackStandIn
) -> None:
    event = asked(deployed)
    before = deployed.gate(event)
    (message,) = about(event, slack.messages)
    body = form(payload(message, "greenlight_approve", slack.response_url))

    assert deployed.request(body, {}) == 401
    assert deployed.request(body, signed(body, "not-the-signing-secret-of-the-app")) == 401
    assert deployed.request(body, signed(body, at=1_700_000_000)) == 401
    assert deployed.request(b"", {}) == 401

    assert deployed.gate(event) == before
    assert deployed.report(event) is None
    assert about(event, slack.responses) == []


def test_several_clicks_at_once_have_one_winner(deployed: Deployed, slack: SlackStandIn) -> None:
    event = asked(deployed)
    (message,) = about(event, slack.messages)
    bodies = [
        form(payload(message, f"greenlight_{verdict}", slack.response_url, user))
        for verdict, user in (("approve", ALICE), ("reject", BOB)) * 3
    ]

    with ThreadPoolExecutor(max_workers=6) as threads:
        answers = list(threads.map(lambda body: deployed.request(body, signed(body)), bodies))

    assert answers == [200] * 6
    winner = deployed.gate(event)["decided_by"]
    assert deployed.report(event) == ("Succeeded" if winner == ALICE[0] else "Failed")


def test_the_command_decides_what_is_deployed(
    deployed: Deployed, slack: SlackStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = asked(deployed)
    environ = {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": deployed.endpoint_url,
        "AWS_ENDPOINT_URL_CODEDEPLOY": deployed.codedeploy.endpoint_url,
        "DYNAMODB_TABLE_NAME": deployed.output("TableName"),
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def greenlight(*arguments: str) -> Any:
        done = CliRunner().invoke(greenlight_cli, [*arguments, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    listed = [gate["deployment_id"] for gate in greenlight("list")]
    decided = greenlight("reject", event["DeploymentId"], "--reason", "broken")

    assert event["DeploymentId"] in listed
    assert decided["decided_by"].startswith("arn:aws:")
    assert decided == {**greenlight("show", event["DeploymentId"]), "effect": "made"}
    assert deployed.report(event) == "Failed"
    assert event["DeploymentId"] not in [gate["deployment_id"] for gate in greenlight("list")]
