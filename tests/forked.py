"""Processes of Python that start in milliseconds: each is forked from one that has imported much.

All that is imported before is what others wrote. Greenlight's own modules, the environment, the
streams and the end are the process's own, as if Python had been started for it. Only what others
read of the environment while they are imported is not: botocore finds out there where HOME is.
"""

import atexit
import functools
import gc
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import boto3
import coverage

from tests import quicker

ROOT = Path(__file__).parents[1]
# Imported by the one that forks: what Greenlight and its command import, and what tests add.
LIBRARIES = (
    "aws_lambda_powertools.metrics",
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.parameters",
    "click",
    "click.testing",
    "requests",
    "rich.console",
    "rich.table",
    "time_machine",
)
SERVICES = ("codedeploy", "dynamodb", "ssm", "sts")
STREAMS = 3


class Nursery:
    """The process that all others are forked from; started when the first is wanted."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-X", "utf8", __file__, str(theirs.fileno())],
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for pytest
            )
        self._line = ours
        atexit.register(self._close)

    def start(self, wanted: dict[str, Any], streams: list[int]) -> socket.socket:
        """Forks; gives the line that says the new one's id, and then how it ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._line, [b"?"], [*streams, theirs.fileno()])
        ours.sendall(json.dumps(wanted).encode() + b"\n")
        return ours

    def _close(self) -> None:
        self._line.close()
        self._process.wait()


nursery = functools.cache(Nursery)


class Forked:
    """A process that runs some Python `code`, used like a subprocess.Popen of `python -c`.

    `stdin`, `stdout` and `stderr` are files or descriptors; without, what is written to the latter
    two is what `communicate` gives.
    """

    def __init__(
        self,
        code: str,
        *arguments: str,
        env: dict[str, str],
        stdin: Any = None,
        stdout: Any = None,
        stderr: Any = None,
    ) -> None:
        self.returncode: int | None = None
        self._one_at_a_time = threading.Lock()
        self._written: list[int | None] = []
        with open(os.devnull) as nothing:  # noqa: PTH123  # a device
            streams, to_close = [descriptor(nothing if stdin is None else stdin)], []
            for one in (stdout, stderr):
                reader, writer = (None, descriptor(one)) if one is not None else os.pipe()
                self._written.append(reader)
                streams.append(writer)
                if reader is not None:
                    to_close.append(writer)
            wanted = {"code": code, "arguments": arguments, "environ": env}
            self._line = os.fdopen(nursery().start(wanted, streams).detach())
        for one in to_close:
            os.close(one)
        self.pid = int(self._line.readline())

    def send_signal(self, number: int) -> None:
        """Sends it a signal."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self) -> int:
        """Waits; how it ended, as in subprocess."""
        with self._one_at_a_time:
            if self.returncode is None:
                with self._line:
                    self.returncode = int(self._line.readline())
            return self.returncode

    def communicate(self, timeout: float = 60) -> tuple[str, str]:
        """Waits; all that it wrote to standard output and to standard error."""
        said = [b"", b""]

        def read(number: int, reader: int) -> None:
            with os.fdopen(reader, "rb") as stream:
                said[number] = stream.read()

        threads = [
            threading.Thread(target=read, args=(number, reader))
            for number, reader in enumerate(self._written)
            if reader is not None
        ]
        too_late = threading.Timer(timeout, self.send_signal, [signal.SIGKILL])
        for thread in (too_late, *threads):
            thread.start()
        self.wait()
        too_late.cancel()
        for thread in (too_late, *threads):
            thread.join()
        return said[0].decode(), said[1].decode()


def descriptor(stream: Any) -> int:
    number: int = stream if isinstance(stream, int) else stream.fileno()
    return number


def fork_for(line: socket.socket) -> str:
    """Forks for each that is wanted, until nobody wants more; returns the code in each child."""
    while True:
        said, descriptors, _, _ = socket.recv_fds(line, 1, STREAMS + 1)
        with suppress(ChildProcessError):
            while os.waitpid(-1, 0 if not said else os.WNOHANG)[0]:
                pass
        if not said:
            os._exit(0)
        if os.fork() == 0:
            line.close()
            return begin(descriptors)
        for one in descriptors:
            os.close(one)


def begin(descriptors: list[int]) -> str:
    """Forks once more, tells of that one's end, and is that one, up to the code of `python -c`."""
    with socket.socket(fileno=descriptors.pop()) as line:
        with line.makefile("r") as lines:
            wanted = json.loads(lines.readline())
        child = os.fork()
        if child:
            line.sendall(f"{child}\n".encode())
            for one in descriptors:
                os.close(one)
            _, status = os.waitpid(child, 0)
            line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
            os._exit(0)
    for number, one in enumerate(descriptors):
        os.dup2(one, number)
        os.close(one)
    sys.stdin = open(0, errors="surrogateescape", closefd=False)  # noqa: SIM115  # the process's own
    sys.stdout = open(1, "w", errors="surrogateescape", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", errors="backslashreplace", buffering=1, closefd=False
    )
    sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr  # type: ignore[misc]
    os.environ.clear()
    os.environ.update(wanted["environ"])
    sys.argv = ["-c", *wanted["arguments"]]
    sys.path[:0] = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    coverage.process_startup()
    return str(wanted["code"])


if __name__ == "__main__":
    quicker.keep()
    for library in LIBRARIES:
        importlib.import_module(library)
    session = boto3.Session("warm", "warm", region_name="eu-west-1")
    for service in SERVICES:
        session.client(service)  # type: ignore[call-overload]  # any of them
    # A fork copies each page that the collector touches.
    gc.collect()
    gc.freeze()
    exec(fork_for(socket.socket(fileno=int(sys.argv[1]))), {"__name__": "__main__"})
