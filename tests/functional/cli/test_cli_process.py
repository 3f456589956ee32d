"""The command as a process: whatever becomes of its streams, what it did is what it says."""

import hashlib
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click import unstyle
from click.testing import CliRunner

from greenlight_cli.main import main
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.codedeploy import add_deployment
from tests.conftest import ROOT, measured
from tests.forked import Forked
from tests.functional.conftest import Clicker, Invoke
from tests.functional.helpers import HOOK, REPORT, gate

# As long as the longest of an engine: the last part of an ARN, and eight digits.
LONG_ID = "0EYSiB0qap8xf0N76FsbE-1a2b3c4d"
REASON = "결제까지 확인 \N{EM DASH} ça va \N{ROCKET}"

# Whoever started the tests may have had them ignore Ctrl-C.
CODE = """
import signal
from greenlight_cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""

PATHS = {"PYTHONPATH": os.pathsep.join([str(ROOT / "function"), str(ROOT / "cli")])}

Start = Callable[..., Forked]


@pytest.fixture
def start(click: Clicker, environ: dict[str, str]) -> Start:
    """Starts the command in a process of its own, while a gate waits."""

    def run(*arguments: str, **streams: Any) -> Forked:
        return Forked(CODE, *arguments, env={**measured(), **environ, **PATHS}, **streams)

    return run


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "결제까지 확인 \N{EM DASH} ça va \N{ROCKET}"),
        ("cp949", r"결제까지 확인 \u2014 \u00e7a va \ud83d\ude80"),
        (
            "cp1252",
            "\\uacb0\\uc81c\\uae4c\\uc9c0 \\ud655\\uc778 \N{EM DASH} ça va \\ud83d\\ude80",
        ),
        (
            "ascii",
            r"\uacb0\uc81c\uae4c\uc9c0 \ud655\uc778 \u2014 \u00e7a va \ud83d\ude80",
        ),
    ],
)
def test_a_decision_can_be_printed_in_any_encoding(
    encoding: str,
    shown: str,
    click: Clicker,
    aws: AwsStandIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DYNAMODB_TABLE_NAME", TABLE)
    monkeypatch.setenv("COLUMNS", "200")
    terminal = CliRunner(charset=encoding)

    def run(*arguments: str) -> bytes:
        result = terminal.invoke(main, arguments, catch_exceptions=False)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout_bytes

    approved = run("approve", "d-LOCALTEST", "--reason", REASON)
    table = run("show", "d-LOCALTEST")
    script = run("show", "d-LOCALTEST", "--json")

    assert aws.reports == {HOOK: "Succeeded"}
    assert approved.decode(encoding) == f"d-LOCALTEST is APPROVED ({shown}); CodeDeploy knows.\n"
    assert shown in table.decode(encoding)
    assert shown in script.decode(encoding)
    assert json.loads(script.decode(encoding))["reason"] == REASON


@pytest.fixture
def terminal(
    click: Clicker, invoke: Invoke, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Runs the command on a terminal; two gates wait, one of them with all that is long."""
    add_deployment(
        LONG_ID,
        aws.client("codedeploy"),
        application="payments-service",
        deployment_group="payments-service-blue-green",
    )
    invoke({"DeploymentId": LONG_ID, "LifecycleEventHookExecutionId": "hook-local"})
    monkeypatch.setenv("DYNAMODB_TABLE_NAME", TABLE)

    def run(*arguments: str, columns: int = 80, **variables: str) -> str:
        kind = {"TERM": "xterm", "FORCE_COLOR": "1", "COLUMNS": str(columns)}
        for name, value in {**kind, **variables}.items():
            monkeypatch.setenv(name, value)
        return CliRunner(charset="ascii").invoke(main, arguments, catch_exceptions=False).stdout

    return run


def column(printed: str, start: int) -> str:
    """What stands from there on in all lines, folds taken out."""
    return "".join(line[start:].strip() for line in unstyle(printed).splitlines())


def test_a_list_fits_on_a_terminal_of_80_columns_with_whole_ids(
    terminal: Callable[..., str],
) -> None:
    lines = unstyle(terminal("list")).splitlines()

    assert max(map(len, lines)) <= 80
    ids = [line.split()[0] for line in lines if "WAITING" in line]
    assert sorted(ids) == sorted([LONG_ID, "d-LOCALTEST"])


@pytest.mark.parametrize("columns", [70, 50, 20])
def test_a_list_is_whole_on_a_narrow_terminal(columns: int, terminal: Callable[..., str]) -> None:
    listed = terminal("list", columns=columns)

    assert f"\n{LONG_ID} " in listed
    services = column(listed, unstyle(listed).index("service"))
    assert "payments-service/payments-service-blue-green" in services
    assert listed.count("WAITING") == listed.count(" min") == 2


def test_what_is_shown_is_whole_on_a_narrow_terminal(terminal: Callable[..., str]) -> None:
    shown = terminal("show", LONG_ID, columns=50)

    url = f"https://payments-service.green.example.com/?release={LONG_ID}"
    assert url in column(shown, len("deployment  "))


def test_nothing_is_folded_or_coloured_in_a_pipe(terminal: Callable[..., str]) -> None:
    in_a_pipe = {"columns": 40, "FORCE_COLOR": ""}

    listed, shown = terminal("list", **in_a_pipe), terminal("show", LONG_ID, **in_a_pipe)

    (row,) = [line for line in listed.splitlines() if line.startswith(LONG_ID)]
    assert row.split()[1:2] == ["WAITING"]
    assert row.rstrip().endswith(" payments-service/payments-service-blue-green")
    assert f"https://payments-service.green.example.com/?release={LONG_ID}" in shown
    assert "\x1b" not in listed + shown


def test_a_colour_says_nothing_that_the_words_do_not(terminal: Callable[..., str]) -> None:
    coloured = terminal("list")
    plain = terminal("list", NO_COLOR="1")

    assert "\x1b[33mWAITING" in coloured
    assert "\x1b[33m" not in plain
    assert plain.count("WAITING") == coloured.count("WAITING") == 2


def test_a_real_terminal_is_asked_how_wide_it_is(start: Start) -> None:
    ours, its = pty.openpty()
    termios.tcsetwinsize(its, (24, 60))

    process = start("show", "d-LOCALTEST", stdout=its)
    process.communicate()
    os.close(its)

    shown = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\x1b[33mWAITING" in shown
    assert "?release=d-LOCALT\r\n" in shown, "folded at 60"


def test_json_stays_valid_and_has_nothing_that_a_terminal_obeys(
    click: Clicker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DYNAMODB_TABLE_NAME", TABLE)
    obeyed = "\x9b31m \x85 \x7f \N{RIGHT-TO-LEFT OVERRIDE}txt.exe \N{LEFT-TO-RIGHT ISOLATE} 확인"

    decided = CliRunner().invoke(
        main, ["approve", "d-LOCALTEST", "--reason", obeyed, "--json"], catch_exceptions=False
    )
    failed = CliRunner().invoke(main, ["show", obeyed, "--json"], catch_exceptions=False)

    assert json.loads(decided.stdout)["reason"] == obeyed
    assert obeyed in json.loads(failed.stderr)["error"]
    for text in (decided.stdout, failed.stderr):
        assert [one for one in text if not one.isprintable() and one != "\n"] == []
        assert r"\u009b31m \u0085 \u007f \u202etxt.exe \u2066 확인" in text


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_full_disk_does_not_undo_a_decision(
    options: list[str], start: Start, aws: AwsStandIn
) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        process = start("approve", "d-LOCALTEST", *options, stdout=full)
        _, said = process.communicate()

    assert process.returncode == 0
    assert said == "greenlight: standard output cannot be written: No space left on device\n"
    assert aws.reports == {HOOK: "Succeeded"}
    assert gate(aws)["reported_at"]


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_what_was_to_be_printed_only_fails_where_it_cannot_be(
    options: list[str], start: Start
) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        process = start("show", "d-LOCALTEST", *options, stdout=full)
        _, said = process.communicate()

    assert process.returncode == 1
    assert said == "greenlight: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize(("command", "code"), [("approve", 0), ("show", 1)])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_closed_pipe_does_not_undo_a_decision(
    command: str, code: int, options: list[str], start: Start
) -> None:
    reader, writer = os.pipe()
    os.close(reader)

    process = start(command, "d-LOCALTEST", *options, stdout=writer)
    os.close(writer)

    _, said = process.communicate()
    assert (process.returncode, said) == (code, "")


def test_an_error_that_cannot_be_said_keeps_its_exit_code(start: Start, aws: AwsStandIn) -> None:
    aws.failures[REPORT] = ["ServiceUnavailableException"]

    with open("/dev/full", "w") as full:  # noqa: PTH123  # a device
        process = start("approve", "d-LOCALTEST", stderr=full)
        printed, _ = process.communicate()

    assert (process.returncode, printed) == (5, "")
    assert gate(aws)["status"] == "APPROVED"


@dataclass
class Interrupted:
    """Presses Ctrl-C when the command makes a call, the how manyth of its kind; what it said."""

    start: Start
    aws: AwsStandIn

    def __call__(
        self,
        *arguments: str,
        at: tuple[str, int],
        moment: str = "after",
        again_at: tuple[str, int] | None = None,
        failing: str | None = None,
    ) -> tuple[int, str, str]:
        running: list[Forked] = []
        has_started = threading.Event()

        def press(operation: str) -> None:
            call = operation, self.aws.operations.count(operation)
            if call in (at, again_at):
                has_started.wait()
                running[0].send_signal(signal.SIGINT)
                if failing:
                    self.aws.failures[failing] = ["AccessDeniedException"] * 9

        self.aws.operations.clear()
        if moment == "before":
            self.aws.before = press
        else:
            self.aws.after = press
        running.append(self.start(*arguments))
        has_started.set()
        printed, said = running[0].communicate()
        self.aws.before = self.aws.after = lambda _: None
        assert "Traceback" not in said
        assert "Aborted" not in said
        assert said.startswith("\n")
        return running[0].wait(), printed, said.strip()


@pytest.fixture
def interrupted(start: Start, aws: AwsStandIn) -> Interrupted:
    return Interrupted(start, aws)


LOOKING = "greenlight: Looking where d-LOCALTEST stands (Ctrl-C again ends this at once)"


def test_interrupted_after_codedeploy_knows_it_is_done(
    interrupted: Interrupted, aws: AwsStandIn
) -> None:
    code, printed, said = interrupted("approve", "d-LOCALTEST", at=("UpdateItem", 2))

    assert code == 0
    assert printed.startswith("d-LOCALTEST was APPROVED by arn:aws:")
    assert printed.endswith("; CodeDeploy knows.\n")
    assert said == LOOKING
    assert aws.reports == {HOOK: "Succeeded"}


def test_interrupted_before_codedeploy_knows_it_is_to_be_run_again(
    interrupted: Interrupted, start: Start, aws: AwsStandIn
) -> None:
    code, printed, said = interrupted(
        "reject", "d-LOCALTEST", "--reason", "no", at=("UpdateItem", 1)
    )

    assert code == 5
    assert printed.startswith("d-LOCALTEST was REJECTED (no) by arn:aws:")
    assert "CodeDeploy may not know yet. Give it 15 seconds, then run this again" in printed
    assert said == LOOKING
    assert aws.reports == {}


def test_interrupted_before_anything_is_decided_says_so(
    interrupted: Interrupted, aws: AwsStandIn
) -> None:
    code, printed, said = interrupted(
        "approve", "d-LOCALTEST", at=("GetCallerIdentity", 1), moment="before"
    )

    assert (code, printed) == (1, "")
    assert said == f"{LOOKING}\ngreenlight: Interrupted: d-LOCALTEST is not decided, it waits"
    assert gate(aws)["status"] == "WAITING"


def test_interrupted_where_somebody_decided_otherwise_says_so(
    interrupted: Interrupted, start: Start
) -> None:
    start("approve", "d-LOCALTEST").communicate()

    code, printed, _ = interrupted(
        "reject", "d-LOCALTEST", "--reason", "no", "--json", at=("GetCallerIdentity", 1)
    )

    assert code == 4
    found = json.loads(printed)
    assert (found["status"], found["effect"]) == ("APPROVED", "interrupted")


def test_interrupted_where_there_is_no_gate_says_so(interrupted: Interrupted) -> None:
    code, printed, said = interrupted("approve", "d-NOBODY", at=("GetItem", 1))

    assert (code, printed) == (3, "")
    assert "There is no gate of d-NOBODY" in said


def test_interrupted_where_the_gate_cannot_be_read_says_how_to_find_out(
    interrupted: Interrupted, aws: AwsStandIn
) -> None:
    code, printed, said = interrupted(
        "approve", "d-LOCALTEST", at=("UpdateItem", 1), failing="GetItem"
    )

    assert (code, printed) == (1, "")
    assert "Whether d-LOCALTEST is decided is not known: DynamoDB get_item on table gates" in said
    assert said.endswith(": AccessDeniedException. Run: greenlight show d-LOCALTEST")
    assert gate(aws)["status"] == "APPROVED"


def test_interrupted_again_ends_at_once_and_says_how_to_find_out(
    interrupted: Interrupted,
) -> None:
    code, printed, said = interrupted(
        "approve", "d-LOCALTEST", "--json", at=("UpdateItem", 1), again_at=("GetItem", 2)
    )

    assert (code, printed) == (1, "")
    looking, ended = map(json.loads, said.splitlines())
    assert looking["note"].startswith("Looking where d-LOCALTEST stands")
    assert ended["error"] == (
        "Whether d-LOCALTEST is decided is not known: interrupted again. "
        "Run: greenlight show d-LOCALTEST"
    )


@pytest.mark.parametrize(
    ("session", "where", "problem"),
    [
        ("sso_session = greenlight-test", "greenlight-test", "TokenRetrievalError"),
        (
            "sso_start_url = https://greenlight-test.awsapps.com/start\nsso_region = us-east-1",
            "https://greenlight-test.awsapps.com/start",
            "UnauthorizedSSOTokenError",
        ),
    ],
)
def test_who_was_signed_in_yesterday_is_told_how_to_sign_in(
    session: str,
    where: str,
    problem: str,
    click: Clicker,
    environ: dict[str, str],
    aws: AwsStandIn,
    tmp_path: Path,
) -> None:
    config, cache = tmp_path / ".aws" / "config", tmp_path / ".aws" / "sso" / "cache"
    cache.mkdir(parents=True)
    config.write_text(
        f"[profile shop]\nsso_account_id = 123456789012\nsso_role_name = approver\n{session}\n"
        "[sso-session greenlight-test]\nsso_region = us-east-1\n"
        "sso_start_url = https://greenlight-test.awsapps.com/start\n"
    )
    cache.joinpath(f"{hashlib.sha1(where.encode()).hexdigest()}.json").write_text(
        json.dumps({"accessToken": "secret-token", "expiresAt": "2026-01-01T00:00:00Z"})
    )

    done = subprocess.run(
        [sys.executable, "-c", CODE, "approve", "d-LOCALTEST", "--profile", "shop"],
        env={**measured(), **environ, **PATHS, "HOME": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    said = done.stderr

    assert done.returncode == 1
    assert problem in said
    assert said.endswith("Run: aws sso login --profile shop\n")
    assert said.count("\n") == 1
    assert "secret-token" not in said
    assert gate(aws)["status"] == "WAITING"
