"""The demo does what it says, wherever it is started; and make hands on what it was given."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from demo.environment import FOREIGN
from tests.conftest import ROOT

EVENT = "events/hook/after_allow_test_traffic.json"
PAUSE = "events/pause/awaiting_action.json"
APPROVED = "HTTP 200 to Slack; to CodeDeploy: Succeeded"
CONTINUED = "HTTP 200 to Slack; to ECS: CONTINUE"
SETTINGS = re.findall(
    r'"([A-Z][A-Z_]+)"',
    (ROOT / "function/greenlight/runtime/settings.py").read_text(encoding="utf-8"),
)
NOBODY = "http://127.0.0.1:1"

Done = subprocess.CompletedProcess[str]
Make = Callable[..., Done]


def run(*arguments: str, **variables: str) -> Done:
    return subprocess.run(
        [sys.executable, "demo/run.py", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def demo(click: str, engine: str = "codedeploy", **variables: str) -> str:
    """What it prints."""
    done = run(engine, click, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return done.stdout


@cache
def demo_in(language: str, click: str, engine: str) -> str:
    """What it prints where messages are in this language: one run, for all that look at it."""
    return demo(click, engine, MESSAGE_LANGUAGE=language)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Runs make in a fresh clone, but for what it would install first; SAM is not there."""
    for name in (
        *("cli", "demo", "events", "function", "requirements", "stand_ins", "tools"),
        *("Makefile", "template.yaml"),
    ):
        (tmp_path / name).symlink_to(ROOT / name)
    install(tmp_path / ".venv/bin/python", f'exec "{sys.executable}" "$@"')
    (tmp_path / ".venv/ready").touch()

    def make(*arguments: str) -> Done:
        return subprocess.run(
            ["make", "--no-print-directory", *arguments, "PYTHON=false"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    return make


def install(program: Path, script: str) -> None:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


# ── What it prints


@pytest.mark.parametrize(
    ("engine", "click", "language", "opened_by", "told", "ended", "news"),
    [
        ("codedeploy", "approve", "ko", EVENT, APPROVED, "live", "🟢 ECS 배포: 운영 반영됨"),
        ("codedeploy", "reject", "EN", EVENT, "to CodeDeploy: Failed", "failed", None),
        ("ecs", "approve", "ja", PAUSE, CONTINUED, "live", "🟢 ECS デプロイ: 本番反映済み"),
        ("ecs", "reject", "en", PAUSE, "to ECS: ROLLBACK", "rolled_back", None),
    ],
)
def test_a_gate_is_shown_from_its_event_to_its_end(
    engine: str,
    click: str,
    language: str,
    opened_by: str,
    told: str,
    ended: str,
    news: str | None,
) -> None:
    printed = demo_in(language, click, engine)

    headings = re.findall(r"^── (.*?)[ ─]*$", printed, re.MULTILINE)
    assert headings[0].endswith(f".lambda_handler logs of {opened_by}")
    (answered,) = re.findall(r"^HTTP .*", printed, re.MULTILINE)
    assert answered.endswith(told)
    assert f"\nINFO     The deployment has ended  outcome={ended}" in printed
    # By a webhook, people hear only what they do not expect.
    said = "A message in Slack says" if news else "No message in Slack says"
    assert headings[-2:] == [f"{said} what became of it", "The item in the table"]
    assert news is None or f"\n{news}\n" in printed
    last = printed.splitlines()[-1]
    assert last.startswith("history  ")
    assert f" outcome={ended}" in last


def test_of_an_event_that_opens_no_gate_nobody_is_asked() -> None:
    done = run("ecs", "approve", "events/pause/continued.json")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nNone: nobody is asked.\n")


@pytest.mark.parametrize(
    ("engine", "of_the_other", "error"),
    [
        ("codedeploy", PAUSE, "EventError: Not a CodeDeploy lifecycle hook event: "),
        ("ecs", EVENT, "EventError: Not an ECS hook state change: "),
    ],
)
def test_an_event_of_the_other_engine_is_refused_as_in_lambda(
    engine: str, of_the_other: str, error: str
) -> None:
    done = run(engine, "approve", of_the_other)

    assert (done.returncode, done.stderr) == (1, "")
    assert f"\n{error}" in done.stdout


@pytest.mark.parametrize(
    ("engine", "click", "language", "reason"),
    [
        ("codedeploy", "approve", "ko", "이유: 결제까지 확인했습니다"),
        ("codedeploy", "reject", "EN", "Reason: the payment page does not open"),
        ("ecs", "approve", "ja", "理由: 決済まで確認しました"),
    ],
)
def test_people_type_a_reason_in_the_language_of_the_message(
    engine: str, click: str, language: str, reason: str
) -> None:
    message = demo_in(language, click, engine).partition("The message in Slack is now")[2]

    assert f"\n{reason}\n" in message


def test_what_an_encoding_has_not_is_escaped() -> None:
    printed = demo("approve", PYTHONUTF8="0", PYTHONIOENCODING="ascii")

    assert APPROVED in printed
    assert "\\uc774\\uc720: " in printed


def test_whoever_reads_may_stop_reading() -> None:
    with subprocess.Popen(
        [sys.executable, "demo/run.py", "codedeploy", "approve"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        said = process.stderr.read()

    assert (process.returncode, said) == (0, b"")


# ── Its environment


def test_nothing_goes_through_a_proxy() -> None:
    proxies = {f"{scheme}_proxy": NOBODY for scheme in ("http", "https", "all")}
    variables = {**proxies, "no_proxy": "intranet.example.com"}
    variables |= {name.upper(): value for name, value in variables.items()}

    assert APPROVED in demo("approve", **variables)


def test_none_of_the_functions_settings_comes_from_elsewhere() -> None:
    assert {name for name in SETTINGS if not FOREIGN.fullmatch(name)} == {"MESSAGE_LANGUAGE"}


def test_it_runs_in_an_environment_of_its_own(tmp_path: Path) -> None:
    (tmp_path / ".aws").mkdir()
    for name in ("config", "credentials"):
        (tmp_path / ".aws" / name).write_text("[broken", encoding="ascii")
    # Each of these alone would keep it from working.
    variables = {
        "HOME": str(tmp_path),
        "AWS_PROFILE": "nope",
        **dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), __file__),
        **dict.fromkeys(("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_CODEDEPLOY"), NOBODY),
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "POWERTOOLS_DEV": "true",
        "POWERTOOLS_LOG_LEVEL": "nope",
        "LOG_LEVEL": "nope",
        **{name: "bob" for name in SETTINGS if name != "MESSAGE_LANGUAGE"},
        "LAMBDA_TASK_ROOT": "/nope",
        "MOTO_ACCOUNT_ID": "1",
        "_X_AMZN_TRACE_ID": "nope",
    }

    printed = demo("approve", **variables)

    assert APPROVED in printed
    assert re.search(r"^METRICS  GateOpened=1 Count\b.*service=greenlight", printed, re.MULTILINE)


# ── What it is given


WRONG = [
    (["codedeploy", "approve", ""], f"EVENT= names no file: leave it out, and it is {EVENT}"),
    (["ecs", "approve", ""], f"EVENT= names no file: leave it out, and it is {PAUSE}"),
    (["ecs", "approve", "events/nope.json"], "EVENT=events/nope.json cannot be read: No such file"),
    (["codedeploy", "approve", "events"], "EVENT=events cannot be read: Is a directory"),
    (["codedeploy", "approve", "README.md"], "EVENT=README.md is not JSON: Expecting value"),
    (["codedeploy", "", EVENT], "CLICK= is not one of approve, reject"),
    (["ecs", "maybe"], "CLICK=maybe is not one of approve, reject"),
    (["codedeploy"], "CLICK= is not one of approve, reject"),
    (["ECS", "approve"], "ENGINE=ECS is not one of codedeploy, ecs"),
    (["", "approve", PAUSE], "ENGINE= is not one of codedeploy, ecs"),
    ([], "ENGINE= is not one of codedeploy, ecs"),
]


@pytest.fixture(scope="module")
def said_of() -> list[tuple[int, str, str]]:
    """What becomes of each of the wrong command lines, in one process: code, output, error output.

    That the process ends with this code, the tests of make below see.
    """
    code = (
        "import contextlib, io, json, sys\n"
        "from demo.run import main\n"
        "said = []\n"
        "for arguments in json.loads(sys.argv[1]):\n"
        "    with contextlib.redirect_stdout(io.StringIO()) as out:\n"
        "        with contextlib.redirect_stderr(io.StringIO()) as err:\n"
        "            status = main(*arguments)\n"
        "    said.append((status, out.getvalue(), err.getvalue()))\n"
        "print(json.dumps(said))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps([arguments for arguments, _ in WRONG])],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return [(status, out, err) for status, out, err in json.loads(done.stdout)]


@pytest.mark.parametrize("number", range(len(WRONG)), ids=lambda number: str(WRONG[number][0]))
def test_what_cannot_work_is_one_sentence(number: int, said_of: list[tuple[int, str, str]]) -> None:
    status, out, err = said_of[number]

    assert (status, out) == (2, "")
    (said,) = err.splitlines()
    assert said.startswith(WRONG[number][1])


# ── What make hands on


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["EVENT=", "CLICK=approve"], "EVENT= names no file: leave it out, and it is"),
        (["CLICK="], "CLICK= is not one of approve, reject"),
        (["ENGINE="], "ENGINE= is not one of codedeploy, ecs"),
        (["ENGINE=it's; `touch no`"], "ENGINE=it's; `touch no` is not one of codedeploy, ecs"),
        (["EVENT=", "ENGINE=ecs"], f"EVENT= names no file: leave it out, and it is {PAUSE}"),
        (["EVENT=events/two words.json"], "EVENT=events/two words.json cannot be read: No such"),
        (["CLICK=it's; `touch no`"], "CLICK=it's; `touch no` is not one of approve, reject"),
    ],
    ids=str,
)
def test_make_demo_hands_on_what_it_is_given(given: list[str], sentence: str, make: Make) -> None:
    done = make("demo", *given)

    assert done.returncode == 2
    assert done.stderr.startswith(sentence)


@pytest.mark.parametrize(
    ("given", "opened_by", "told"),
    [
        ([], EVENT, APPROVED),
        (["ENGINE=ecs"], PAUSE, CONTINUED),
    ],
    ids=str,
)
def test_make_demo_takes_the_usual_event_of_its_engine_where_it_is_given_none(
    given: list[str], opened_by: str, told: str, make: Make
) -> None:
    done = make("demo", *given)

    assert (done.returncode, done.stderr) == (0, "")
    assert f" logs of {opened_by} " in done.stdout
    assert told in done.stdout


@pytest.mark.parametrize("target", ["deploy", "undeploy", "secrets"])
@pytest.mark.parametrize("given", [[], ["FILE=it's mine; $$(touch no).toml"]], ids=str)
def test_without_its_file_make_says_so_first_and_once(
    target: str, given: list[str], make: Make
) -> None:
    file = "it's mine; $(touch no).toml" if given else "deploy.toml"

    done = make(target, *given)

    said, of_make = done.stderr.splitlines()
    assert said == f"Error: There is no {file}. Run: cp deploy.example.toml {file}; then fill it in"
    assert of_make.startswith("make: ***")
    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("target", ["deploy", "undeploy", "secrets", "build"])
def test_make_wants_a_file_with_a_name(target: str, make: Make) -> None:
    done = make(target, "FILE=")

    said, of_make = done.stderr.splitlines()
    assert said == "FILE= names no file: leave it out, and it is deploy.toml"
    assert of_make.startswith("make: ***")
    assert (done.returncode, done.stdout) == (2, "")


def test_make_secrets_hands_on_what_to_overwrite(make: Make, tmp_path: Path) -> None:
    done = make("secrets", "OVERWRITE=two words; touch no")

    assert "OVERWRITE has to be one of webhook, signing" in done.stderr
    assert not (tmp_path / "no").exists()


def test_sam_reports_to_nobody_and_builds_what_the_file_says(make: Make, tmp_path: Path) -> None:
    said = "SAM_CLI_TELEMETRY=$SAM_CLI_TELEMETRY"
    install(tmp_path / ".venv-sam/bin/sam", f'echo "sam $1 {said}" >&2')
    install(tmp_path / ".venv-sam/bin/python3.13", "exit 0")
    (tmp_path / ".venv-sam/ready").touch()
    (tmp_path / "deploy two.toml").write_text(
        'TestUrl = "https://example.com"\nArchitecture = "x86_64"\n', encoding="ascii"
    )

    done = make("build", "FILE=deploy two.toml")

    assert (done.returncode, done.stderr) == (0, "sam build SAM_CLI_TELEMETRY=0\n")
    assert "on x86_64" in done.stdout


def test_the_slack_app_says_what_make_deploy_ends_with() -> None:
    app = (ROOT / "slack-app.yaml").read_text(encoding="utf-8")

    assert "the Request URL that `make deploy` ends with" in app
