"""CodeDeploy's hook event: which are taken, and what is said of the others."""

import json
import shlex
from typing import Any

import boto3
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from greenlight.engines.codedeploy import CodeDeploy, parse_hook
from greenlight.model.errors import EventError
from greenlight.model.gate import Hook
from tests.conftest import EVENTS, load_event

REAL = load_event("hook/after_allow_test_traffic")
BROKEN = sorted(path.stem for path in (EVENTS / "hook").glob("broken_*.json"))


@pytest.mark.parametrize("name", ["after_allow_test_traffic", "documented_example", "extra_fields"])
def test_a_hook_event_gives_its_two_ids(name: str) -> None:
    event = load_event(f"hook/{name}")

    assert parse_hook(event) == Hook(event["DeploymentId"], event["LifecycleEventHookExecutionId"])


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("broken_missing_deployment_id", ("DeploymentId",)),
        ("broken_missing_hook_execution_id", ("LifecycleEventHookExecutionId",)),
        ("broken_empty_object", ("DeploymentId", "LifecycleEventHookExecutionId")),
        ("broken_empty_deployment_id", ("DeploymentId",)),
        ("broken_null_hook_execution_id", ("LifecycleEventHookExecutionId",)),
        ("broken_number_for_deployment_id", ("DeploymentId",)),
        ("broken_deployment_id_too_long", ("DeploymentId",)),
        ("broken_deployment_id_with_slack_markup", ("DeploymentId",)),
        ("broken_hook_execution_id_too_long", ("LifecycleEventHookExecutionId",)),
        ("broken_hook_execution_id_with_newline", ("LifecycleEventHookExecutionId",)),
        ("broken_hook_execution_id_with_shell_code", ("LifecycleEventHookExecutionId",)),
        ("broken_not_an_object", ("event",)),
    ],
)
def test_a_broken_event_is_an_error_that_names_the_key(name: str, keys: tuple[str, ...]) -> None:
    with pytest.raises(EventError) as failed:
        parse_hook(load_event(f"hook/{name}"))

    assert failed.value.keys == keys
    for key in keys:
        assert key in str(failed.value)


def test_every_broken_event_in_the_folder_is_refused() -> None:
    for name in BROKEN:
        with pytest.raises(EventError):
            parse_hook(load_event(f"hook/{name}"))


def test_an_absurd_value_is_not_repeated_in_the_error() -> None:
    with pytest.raises(EventError) as failed:
        parse_hook({**REAL, "DeploymentId": "evil" * 100_000})

    assert "400000 characters" in str(failed.value)
    assert "evilevil" not in str(failed.value)


@example(None)
@example([])
@example({"DeploymentId": "d-1", "LifecycleEventHookExecutionId": "-starts-like-an-option"})
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
    | st.fixed_dictionaries(
        {}, optional={"DeploymentId": st.text(), "LifecycleEventHookExecutionId": st.text()}
    )
)
def test_any_event_is_a_harmless_hook_or_one_event_error(event: Any) -> None:
    try:
        hook = parse_hook(event)
    except EventError as failed:
        assert failed.keys
    else:
        for text in (hook.deployment_id, hook.execution_id):
            assert text.isascii()
            assert not text.startswith("-")
            assert not set(text) & set(" \n\t\"'`$;&|<>\\(){}*?~#!")


def code_deploy(region: str = "ap-northeast-2") -> CodeDeploy:
    return CodeDeploy(
        boto3.client(
            "codedeploy", region_name=region, aws_access_key_id="x", aws_secret_access_key="x"
        )
    )


@pytest.mark.parametrize(
    ("region", "console"),
    [
        ("ap-northeast-2", "ap-northeast-2.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
    ],
)
def test_the_console_page_is_the_one_of_the_region(region: str, console: str) -> None:
    assert code_deploy(region).pointers(Hook("d-1", "h"), "gates").console_url == (
        f"https://{console}/codesuite/codedeploy/deployments/d-1?region={region}"
    )


def test_the_commands_name_everything_that_the_aws_cli_needs() -> None:
    hook = parse_hook(REAL)

    commands = code_deploy().pointers(hook, "gates").commands
    approve, reject = shlex.split(commands.approve), shlex.split(commands.reject)

    assert approve == [
        *("aws", "deploy", "put-lifecycle-event-hook-execution-status"),
        *("--region", "ap-northeast-2", "--deployment-id", hook.deployment_id),
        *("--lifecycle-event-hook-execution-id", hook.execution_id, "--status", "Succeeded"),
    ]
    assert reject == [*approve[:-1], "Failed"]


def test_a_real_shaped_id_has_the_length_and_the_characters_of_real_ones() -> None:
    execution_id = json.loads((EVENTS / "hook/after_allow_test_traffic.json").read_text())[
        "LifecycleEventHookExecutionId"
    ]

    assert 288 <= len(execution_id) <= 420
    assert set("+/=") <= set(execution_id)
