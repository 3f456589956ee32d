"""A person's terminal: what is typed, what is said to it, and what of that is shown."""

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

# Whatever a terminal obeys, and does not show.
OBEYED: Final = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")
FIRST, LAST = 3, 8
WIDTH: Final = 110


class StepFailedError(Exception):
    """A step that did not go as it should: which, and why."""


@dataclass
class Terminal:
    """A terminal in a folder, with nothing in its environment but what it is given.

    `secrets` may be typed and must never be shown; `exports` are the lines that were typed before
    and that hold for all that is typed later; `step` is what was done last, in words, and `took`
    has each command with its seconds. `unseen_within` so many seconds of a question for a secret,
    what is typed has to be unseen.
    """

    folder: Path
    environ: dict[str, str]
    secrets: tuple[str, ...] = ()
    exports: list[str] = field(default_factory=list)
    step: str = ""
    unseen_within: float = 5
    took: list[tuple[str, float]] = field(default_factory=list)

    def begin(self, step: str) -> None:
        """Shows what is done next, by whomever."""
        self.step = step
        print(f"\n{step}", flush=True)

    def export(self, line: str) -> None:
        """Types a line that says what is in the environment from now on."""
        self.begin(f"$ {line}")
        self.exports.append(line)

    def type(
        self,
        command: str,
        answers: tuple[tuple[str, str], ...] = (),
        code: int = 0,
        seconds: float = 600,
    ) -> str:
        """Types a command, shows and returns what is said.

        `answers`: a piece of each question, and what is typed to it, unseen, once it is asked.
        Raises StepFailedError if that takes longer, ends with another code, or shows a secret.
        """
        self.begin(f"$ {command}")
        began = time.monotonic()
        ended, said = self._run(command, answers, began + seconds)
        self.took.append((command, time.monotonic() - began))
        shown = any(secret in said for secret in self.secrets)
        for secret in self.secrets:
            said = said.replace(secret, "(a secret)")
        said = plain(said)
        if shown:
            raise StepFailedError(f"it showed a secret:\n{said}")
        if ended is None:
            raise StepFailedError(f"it was not done in {seconds:g} s. It said:\n{said}")
        if ended != code:
            raise StepFailedError(f"it ended with {ended}, not {code}. It said:\n{said}")
        show(said)
        return said

    def _run(
        self, command: str, answers: tuple[tuple[str, str], ...], end: float
    ) -> tuple[int | None, str]:
        """The exit code, None if there was none by `end`, and what was said."""
        ours, its = pty.openpty()
        termios.tcsetwinsize(its, (50, 120))
        # The first terminal that the leader of a session opens is that of the session.
        lines = [f": <{os.ttyname(its)}", *self.exports, command]
        process = subprocess.Popen(
            ["sh", "-c", "\n".join(lines)],
            cwd=self.folder,
            env=self.environ,
            stdin=its,
            stdout=its,
            stderr=its,
            start_new_session=True,
        )
        os.close(its)
        to_answer, said, answered = list(answers), b"", 0
        try:
            while time.monotonic() < end:
                more = read(ours)
                if more is None:
                    process.wait(max(end - time.monotonic(), 1))
                    break
                if not more and process.poll() is not None:
                    break  # somebody whom it left behind still has the terminal
                said += more
                if to_answer and to_answer[0][0].encode() in said[answered:]:
                    wait_until_unseen(ours, self.unseen_within)
                    answered = len(said)
                    os.write(ours, f"{to_answer.pop(0)[1]}\n".encode())
            else:
                return None, said.decode(errors="replace")
        except subprocess.TimeoutExpired:
            return None, said.decode(errors="replace")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            os.close(ours)
        return process.returncode, said.decode(errors="replace")


def read(ours: int) -> bytes | None:
    """What was written to a terminal in the last moment; None when nobody has it any more."""
    if not select.select([ours], [], [], 0.1)[0]:
        return b""
    try:
        return os.read(ours, 65536) or None
    except OSError:  # so says Linux that nobody has it
        return None


def wait_until_unseen(ours: int, seconds: float) -> None:
    """Waits until a terminal does not show what is typed, which may come after the question."""
    end = time.monotonic() + seconds
    while termios.tcgetattr(ours)[3] & termios.ECHO:
        if time.monotonic() > end:
            raise StepFailedError("it asks for a secret, and would show what is typed")
        time.sleep(0.01)


def plain(said: str) -> str:
    """What stays on a terminal: a line that was written over is what was written last."""
    text = OBEYED.sub("", said).replace("\r\n", "\n")
    lines = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n")]
    return "\n".join(lines).strip("\n")


def show(said: str, first: int = FIRST, last: int = LAST) -> None:
    """Prints what was said: the first lines and the last ones, where it is long."""
    lines = [line for line in said.splitlines() if line]
    left_out = len(lines) - first - last
    if left_out > 1:
        lines = [*lines[:first], f"… {left_out} lines …", *lines[first + left_out :]]
    for line in lines:
        print(f"  {line if len(line) <= WIDTH else line[: WIDTH - 1] + '…'}", flush=True)
