"""The simulator itself: the same seed is the same schedule, and what is broken is found.

A few schedules are enough for that; `make simulate` runs the many.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.simulation.mutants import MUTANTS, break_code

pytestmark = pytest.mark.unmeasured


def simulate(*options: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.simulation", "--jobs", "1", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def broken(tmp_path: Path, what: str) -> Path:
    (mutant,) = (one for one in MUTANTS if one.what == what)
    break_code(mutant, tmp_path)
    return tmp_path


def test_every_schedule_holds() -> None:
    code, printed = simulate("--schedules", "4", "--seed", "4")

    assert code == 0, printed
    assert "\n0 of 4 schedules broke a rule" in printed
    assert "outcome: APPROVED / Succeeded" in printed


def test_it_goes_on_when_its_processes_are_replaced() -> None:
    code, printed = simulate("--schedules", "7", "--seed", "4", "--each", "4")

    assert code == 0, printed
    assert "\n0 of 7 schedules broke a rule" in printed


def test_what_is_broken_is_found_and_its_story_is_told_again_in_the_same_words(
    tmp_path: Path,
) -> None:
    code = broken(tmp_path, "CodeDeploy is told the opposite")
    stories = []
    for _ in range(2):
        status, printed = simulate("--schedules", "1", "--seed", "25", "--code", str(code))
        assert status == 1, printed
        stories.append(printed.partition("--- SEED=")[2].rpartition("rule")[0])

    assert stories[0] == stories[1]
    assert "!! rule 1: decision 1 failed a release that U0ALICE approved" in stories[0]
    assert "make simulate SCHEDULES=1 SEED=" in stories[0]


def test_it_ends_with_the_first_failure_if_it_is_told_to(tmp_path: Path) -> None:
    code = broken(tmp_path, "CodeDeploy is told the opposite")

    status, printed = simulate("--schedules", "40", "--code", str(code), "--until-broken")

    assert status == 1
    assert "found among the first " in printed


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_every_way_to_break_the_code_is_one(mutant: object, tmp_path: Path) -> None:
    break_code(mutant, tmp_path)  # type: ignore[arg-type]  # its text is there, once
