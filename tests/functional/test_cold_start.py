"""A cold start: what Lambda's init phase makes, and that nothing wrong there is a crash."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.forked import Forked
from tests.functional.conftest import Process
from tests.functional.helpers import EVENT

HANDLERS = ["lamda", "greenlight.handlers.decision", "greenlight.handlers.failure"]
SECRET = {"SLACK_WEBHOOK_URL": "/webhook", "SLACK_SIGNING_SECRET": "/signing-secret"}
STARTED = """
import gc, json, sys
import {module}
handler = sys.modules[{module}.lambda_handler.__module__]
clients = handler._clients()
made = {name for name in vars(clients) if not name.startswith("_")} - {"countdown", "secrets"}
held = [name for name in vars(clients.secrets) if name != "_session"]
words = [name.split(".")[3] for name in sys.modules if name.startswith("greenlight.slack.words.")]
print(json.dumps([sorted(made), held, gc.isenabled(), gc.get_freeze_count() > 10_000, words]))
"""


@pytest.fixture
def in_lambda(environ: dict[str, str]) -> dict[str, str]:
    return {**environ, "LAMBDA_TASK_ROOT": "/var/task", "PYTHONPATH": str(ROOT / "function")}


def started(module: str, environ: dict[str, str]) -> Any:
    """What is there when a handler is imported, before any event came."""
    process = Forked(STARTED.replace("{module}", module), env=environ)
    out, err = process.communicate()
    assert process.returncode == 0, err
    return json.loads(out)


@pytest.mark.parametrize(
    ("module", "made", "held"),
    [
        ("lamda", ["codedeploy_look_up", "dynamodb", "http"], ["_ssm"]),
        (HANDLERS[1], ["codedeploy", "dynamodb", "http"], ["_ssm"]),
        (HANDLERS[2], ["codedeploy", "dynamodb", "http"], []),
    ],
)
def test_clients_are_made_in_the_init_phase(
    in_lambda: dict[str, str], module: str, made: list[str], held: list[str]
) -> None:
    found = started(module, in_lambda | SECRET)

    assert found[:2] == [made, held]


def test_the_client_of_the_secret_is_the_one_that_the_setting_names(
    in_lambda: dict[str, str],
) -> None:
    arn = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:slack-AbCdEf"

    _, of_a_secret, *_ = started("lamda", {**in_lambda, "SLACK_WEBHOOK_URL": arn})
    _, of_a_value, *_ = started("lamda", in_lambda)

    assert (of_a_secret, of_a_value) == (["_secrets_manager"], [])


@pytest.mark.parametrize("module", HANDLERS)
def test_nothing_is_made_outside_lambda(environ: dict[str, str], module: str) -> None:
    made, held, *_ = started(module, {**environ, "PYTHONPATH": str(ROOT / "function")})

    assert (made, held) == ([], [])


@pytest.mark.parametrize("module", HANDLERS)
def test_the_garbage_collector_works_again_and_passes_over_what_stays(
    in_lambda: dict[str, str], module: str
) -> None:
    command = [sys.executable, "-c", STARTED.replace("{module}", module)]

    # A process that is forked has passed over much already.
    printed = subprocess.run(command, env=in_lambda, capture_output=True, check=True).stdout

    *_, is_on, has_frozen, _ = json.loads(printed)
    assert is_on
    assert has_frozen


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TEST_URL", ""),
        ("AWS_PROFILE", "nobody"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "nowhere"),
        ("AWS_ENDPOINT_URL_SSM", "nowhere"),
    ],
)
def test_what_is_wrong_in_the_init_phase_is_an_error_of_the_invocation(
    in_lambda: dict[str, str], variable: str, value: str
) -> None:
    environ = {**in_lambda, "SLACK_WEBHOOK_URL": "/webhook", variable: value}

    body, written = Process(EVENT, environ).finish()

    assert body is None
    failures = [line for line in written.splitlines() if line.startswith('{"level":"ERROR"')]
    (failure,) = map(json.loads, failures)
    assert (failure["message"], failure["stage"]) == ("The hook failed", "settings")


@pytest.mark.parametrize("module", HANDLERS)
@pytest.mark.parametrize(
    "wrong", [{}, {"AWS_PROFILE": "nobody"}, {"AWS_CONFIG_FILE": __file__}], ids=str
)
def test_the_init_phase_ends_whatever_is_wrong(module: str, wrong: dict[str, str]) -> None:
    environ = {"LAMBDA_TASK_ROOT": "/var/task", "PYTHONPATH": str(ROOT / "function"), **wrong}

    process = Forked(f"import {module}", env=environ)

    assert process.communicate() == ("", "")
    assert process.returncode == 0


@pytest.mark.parametrize("module", HANDLERS)
@pytest.mark.parametrize("setting", ["ko", "en", "ja", "ja,ko"])
def test_only_the_words_that_are_asked_for_are_loaded_and_in_the_init_phase(
    in_lambda: dict[str, str], module: str, setting: str
) -> None:
    *_, words = started(module, in_lambda | SECRET | {"MESSAGE_LANGUAGE": setting})

    assert words == setting.split(",")


def test_a_cold_start_for_a_click_loads_no_code_of_slash_commands(
    in_lambda: dict[str, str],
) -> None:
    command = "import sys, greenlight.handlers.decision; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", command], env=in_lambda, capture_output=True, text=True, check=True
    )

    loaded = done.stdout.split()
    assert "greenlight.gates.clicking" in loaded
    assert not {"greenlight.gates.commanding", "greenlight.slack.commands"} & set(loaded)
