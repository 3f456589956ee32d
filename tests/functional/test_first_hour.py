"""The terminal of `make first-hour`: what is typed there, what is shown, and that it ends."""

import os
from pathlib import Path

import pytest

from tests.first_hour.terminal import StepFailedError, Terminal

SECRET = "typed-and-never-shown"
ASK = 'stty -echo; printf "signing secret: "; read -r typed; stty echo; echo; '


@pytest.fixture
def terminal(tmp_path: Path) -> Terminal:
    return Terminal(tmp_path, {"PATH": os.environ["PATH"]}, (SECRET,))


def test_what_is_asked_for_is_typed_unseen(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    said = terminal.type(ASK + "echo ${#typed}", (("signing secret: ", SECRET),), seconds=30)

    assert said == f"signing secret:\n{len(SECRET)}"
    assert SECRET not in capsys.readouterr().out


def test_a_secret_that_is_shown_fails_the_step_and_stays_unseen(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(
        StepFailedError, match=r"it showed a secret:\n(.|\n)*\(a secret\)"
    ) as failed:
        terminal.type(ASK + "echo $typed", (("signing secret: ", SECRET),), seconds=30)

    assert SECRET not in str(failed.value) + capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo gone; exit 3", "it ended with 3, not 0. It said:\ngone"),
        ("echo waiting; read answer", "it was not done in 1 s. It said:\nwaiting"),
        ("sleep 60", "it was not done in 1 s. It said:\n"),
    ],
)
def test_what_fails_or_never_ends_is_said(command: str, said: str, terminal: Terminal) -> None:
    with pytest.raises(StepFailedError) as failed:
        terminal.type(command, seconds=1)

    assert (str(failed.value), terminal.step) == (said, f"$ {command}")


def test_nothing_is_typed_where_it_would_be_seen(terminal: Terminal) -> None:
    terminal.unseen_within = 0.2

    with pytest.raises(StepFailedError, match="would show what is typed"):
        terminal.type(ASK.removeprefix("stty -echo; "), (("secret: ", SECRET),), seconds=30)


def test_it_is_a_bare_terminal_in_which_an_export_holds(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_THE_TESTS", "not passed on")
    terminal.export("export WHERE=here")

    said = terminal.type("test -t 0 && tty >/dev/null </dev/tty && echo $WHERE $OF_THE_TESTS")

    assert said == "here"


def test_a_line_that_is_written_over_is_what_was_written_last(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    said = terminal.type(r"printf '\033[31mworking\r\033[Kdone\n'; seq 40")

    assert said.startswith("done\n1\n")
    shown = capsys.readouterr().out
    assert "  2\n  … 30 lines …\n  33\n" in shown
