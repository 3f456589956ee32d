"""Somebody whom CodeDeploy lets answer no hook decides nothing, and locks nothing."""

from collections.abc import Callable

import pytest
from click.testing import CliRunner

from greenlight_cli.main import main
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.clicks import BOB
from tests.functional.conftest import Clicker, Output
from tests.functional.helpers import HOOK, REPORT, events, gate, is_notice, whole

DENIALS = ["AccessDeniedException", "ExpiredTokenException", "UnrecognizedClientException"]


@pytest.mark.parametrize("code", DENIALS)
def test_a_denied_click_gives_the_gate_back_and_says_which_permission_is_missing(
    code: str, click: Clicker, aws: AwsStandIn, output: Callable[[], Output]
) -> None:
    aws.failures[REPORT] = [code]

    (notice,) = click("approve", reason="looks right")

    assert is_notice(notice)
    assert f"`codedeploy:{REPORT}`" in whole(notice)
    item = gate(aws)
    assert item["status"] == "WAITING"
    assert not {"decided_by", "decided_via", "decided_at", "reason", "report_until"} & item.keys()
    assert events(aws) == ["opened", "notified", "decided", "denied"]
    decided, denied = item["history"][-2:]
    assert (decided["by"], decided["status"]) == ("U0ALICE", "APPROVED")
    assert (denied["by"], denied["status"], denied["reason"]) == ("U0ALICE", "APPROVED", code)
    written = output()
    assert written.metrics["DecisionFailed", "service=greenlight"] == [1], "it still waits"
    (line,) = written.failures
    assert (line["gate"], line["permission"]) == ("WAITING", f"codedeploy:{REPORT}")


def test_whoever_may_decides_otherwise_after_somebody_who_may_not(
    click: Clicker, aws: AwsStandIn
) -> None:
    aws.failures[REPORT] = ["AccessDeniedException"]
    click("approve")

    (replaced,) = click("reject", BOB)

    assert aws.reports == {HOOK: "Failed"}
    assert (gate(aws)["status"], gate(aws)["decided_by"]) == ("REJECTED", "U0BOB")
    assert events(aws) == ["opened", "notified", "decided", "denied", "decided", "reported"]
    assert "⛔" in whole(replaced)


def test_at_a_terminal_it_says_that_nothing_is_decided_and_which_permission_is_missing(
    click: Clicker, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNAMODB_TABLE_NAME", TABLE)
    aws.failures[REPORT] = ["AccessDeniedException"]

    result = CliRunner().invoke(main, ["approve", "d-LOCALTEST"])

    assert result.exit_code == 1
    assert "d-LOCALTEST is not decided and waits" in result.stderr
    assert f"you lack the permission codedeploy:{REPORT} (AccessDeniedException)" in result.stderr
    click("reject")
    assert aws.reports == {HOOK: "Failed"}


def test_a_denial_after_a_try_that_may_have_been_taken_keeps_the_decision(
    click: Clicker, aws: AwsStandIn, sleeps: list[float]
) -> None:
    aws.failures[REPORT] = ["ThrottlingException", "AccessDeniedException"]
    click("approve")
    assert gate(aws)["status"] == "WAITING", "what is throttled was not taken"

    aws.failures[REPORT] = ["InternalFailure", "AccessDeniedException"]
    click("approve")
    assert gate(aws)["status"] == "APPROVED", "retried in place"

    aws.failures[REPORT] = ["AccessDeniedException"]
    (notice,) = click("approve", BOB)

    assert "CodeDeploy에 전달하지 못했습니다(AccessDeniedException)" in whole(notice)
    assert gate(aws)["status"] == "APPROVED", "another's try came before"
    aws.failures.clear()
    click("approve")
    assert aws.reports == {HOOK: "Succeeded"}
    assert gate(aws)["decided_by"] == "U0ALICE"


def test_a_gate_that_cannot_be_given_back_is_finished_by_somebody_who_may(
    click: Clicker, aws: AwsStandIn
) -> None:
    def fail(operation: str) -> None:
        if operation == REPORT:
            aws.failures["UpdateItem"] = ["AccessDeniedException"]

    aws.before = fail
    aws.failures[REPORT] = ["AccessDeniedException"]
    (notice,) = click("approve")
    aws.before = lambda _: None

    assert "CodeDeploy에 전달하지 못했습니다" in whole(notice)
    assert gate(aws)["status"] == "APPROVED"
    click("approve", BOB)
    assert aws.reports == {HOOK: "Succeeded"}
