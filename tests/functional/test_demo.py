"""The demo does what it says, in either language, and behind a proxy."""

import os
import subprocess
import sys

import pytest

from tests.functional.conftest import ROOT


def demo(click: str, **variables: str) -> str:
    """What it prints."""
    done = subprocess.run(
        [sys.executable, "demo/run.py", "events/after_allow_test_traffic.json", click],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("click", "language", "reason"),
    [
        ("approve", "ko", "이유: 결제까지 확인했습니다"),
        ("reject", "EN", "Reason: the payment page does not open"),
    ],
)
def test_people_type_a_reason_in_the_language_of_the_message(
    click: str, language: str, reason: str
) -> None:
    message = demo(click, MESSAGE_LANGUAGE=language).partition("The message in Slack is now")[2]

    assert f"\n{reason}\n" in message


def test_nothing_goes_through_a_proxy() -> None:
    nobody = "http://127.0.0.1:1"
    proxies = {f"{scheme}_proxy": nobody for scheme in ("http", "https", "all")}
    variables = {**proxies, "no_proxy": "intranet.example.com"}
    variables |= {name.upper(): value for name, value in variables.items()}

    printed = demo("approve", **variables)

    assert "HTTP 200 to Slack; to CodeDeploy: Succeeded" in printed
