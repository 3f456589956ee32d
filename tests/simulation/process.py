"""A process of the simulation: the real code, whose clock and network are the simulation's.

A process is forked from one that has imported everything, so it is as cold as a new environment of
Lambda's and costs a few milliseconds. Each outside call of it is a question to the simulation,
which answers when it likes; until then the process stands still. So only one thing at a time
happens, and the same schedule happens again in the same way.
"""

import gc
import importlib
import importlib.util
import io
import json
import logging
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import boto3
import time_machine
import urllib3.util.connection

from tests import quicker
from tests.simulation.schedule import START

# All that a process writes, whoever holds the stream by now.
WRITTEN = io.StringIO()
HANDLERS = (
    "lamda",
    "greenlight.handlers.failure",
    "greenlight.handlers.decision",
    "greenlight_cli.main",
)
# A checkout of before does not have them.
HANDLERS_OF_NOW = (
    "greenlight.handlers.changes",
    "greenlight.handlers.clock",
    "greenlight.handlers.outcome",
    "greenlight.handlers.pause",
)
# Of the machine's time, between two outside calls.
HANGS_AFTER_SECONDS = 60
SERVICES = ("dynamodb", "codedeploy", "ecs", "ssm", "sts", "scheduler", "events", "lambda")


@dataclass(frozen=True)
class Connect:
    """A process wants to open a connection; `timeout` in seconds."""

    host: str
    timeout: float


@dataclass(frozen=True)
class Send:
    """A process has sent a request over a connection, and waits `timeout` seconds for an answer."""

    host: str
    data: bytes
    timeout: float


@dataclass(frozen=True)
class Sleep:
    """A process pauses."""

    seconds: float


@dataclass(frozen=True)
class Ended:
    """What an invocation or a command came to, and all that it wrote."""

    answer: Any
    error: dict[str, Any] | None
    written: str


@dataclass(frozen=True)
class Invocation:
    """A function is called: `module` has the handler, `request_id` is Lambda's."""

    module: str
    event: Any
    request_id: str

    def run(self) -> Any:
        """The answer of the handler, as Lambda reads it."""
        handler = importlib.import_module(self.module).lambda_handler
        return json.loads(json.dumps(handler(self.event, Context(self.request_id))))


@dataclass(frozen=True)
class Command:
    """A person runs the command `greenlight`."""

    arguments: tuple[str, ...]

    def run(self) -> Any:
        """The exit code and what was printed."""
        from click.testing import CliRunner  # noqa: PLC0415  # an invocation has no need of it

        main = importlib.import_module("greenlight_cli.main").main
        result = CliRunner().invoke(main, self.arguments)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return {"exit": result.exit_code, "printed": result.output}


@dataclass(frozen=True)
class Context:
    """Lambda's context."""

    aws_request_id: str
    function_name: str = "simulated"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:ap-northeast-2:123456789012:function:simulated"


def follows_changes() -> bool:
    """Whether the code that is simulated follows the changes of its table."""
    return importlib.util.find_spec(HANDLERS_OF_NOW[0]) is not None


def prepare(code: Path) -> time_machine.Traveller:
    """Imports the code that is simulated, once; the clock that everything reads from now on."""
    sys.path[:0] = [str(code / "function"), str(code / "cli")]
    sys.stdout = sys.stderr = WRITTEN
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    clock = time_machine.travel(START, tick=False).start()
    time.monotonic = lambda: time.time()  # noqa: PLW0108  # looked up when it is called
    quicker.keep()
    for module in (*HANDLERS, *(HANDLERS_OF_NOW if follows_changes() else ())):
        importlib.import_module(module)
    session = boto3.Session("warm", "warm", region_name="ap-northeast-2")
    for service in SERVICES:
        session.client(service)  # type: ignore[call-overload]  # any of them
    return clock


@dataclass
class Process:
    """The simulation's end of a process; `skew` is how many seconds its clock is ahead.

    `on_question` is called with each question, and `on_end` with what a job came to.
    """

    name: str
    environ: dict[str, str]
    skew: float
    seed: str
    now: Callable[[], float]
    on_question: Callable[["Process", Connect | Send | Sleep], None]
    alive: bool = True
    job: str = ""
    calls: int = 0
    denied: frozenset[str] = frozenset()
    _on_end: Callable[[Ended], None] = field(default=lambda _: None)

    def __post_init__(self) -> None:
        self._pipe, theirs = Pipe()
        self._pid = os.fork()
        if self._pid == 0:
            _serve(theirs, self.environ, self.seed)
        theirs.close()

    def run(self, name: str, job: Invocation | Command, on_end: Callable[[Ended], None]) -> None:
        """Starts a job, which is known by this name."""
        self.job, self.calls, self._on_end = name, 0, on_end
        self.answer(job)

    def answer(self, answer: Any) -> None:
        """Answers the process's question, and lets it run to the next one."""
        self._pipe.send((self.now() + self.skew, answer))
        if not self._pipe.poll(HANGS_AFTER_SECONDS):
            raise TimeoutError(f"{self.job} of seed {self.seed} does not come to an end")
        message = self._pipe.recv()
        if isinstance(message, Ended):
            self.job = ""
            self._on_end(message)
        else:
            self.on_question(self, message)

    def kill(self) -> None:
        """Ends the process at once, whatever it is in the middle of."""
        if self.alive:
            self.alive = False
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pipe.close()


def _serve(pipe: Connection, environ: dict[str, str], seed: str) -> None:
    """Does one job after the other, in the child, until it is killed."""
    gc.disable()
    os.closerange(3, pipe.fileno())
    os.closerange(pipe.fileno() + 1, 256)
    os.environ.clear()
    os.environ.update(environ)
    random.seed(seed)
    line = Line(pipe)
    time.sleep = line.sleep  # type: ignore[assignment]  # its argument has another name
    urllib3.util.connection.create_connection = line.connect  # type: ignore[assignment]
    job = line.listen()
    while True:
        WRITTEN.seek(0)
        WRITTEN.truncate()
        answer, error = None, None
        try:
            answer = job.run()
        except BaseException as exc:  # noqa: BLE001  # as Lambda does
            error = {"errorType": type(exc).__name__, "errorMessage": str(exc)}
            traceback.print_exc()
        job = line.ask(Ended(answer, error, WRITTEN.getvalue()))


class Line:
    """The child's line to the simulation."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._clock = time_machine.travel(0, tick=False).start()

    def ask(self, question: Any) -> Any:
        """The simulation's answer; an exception is raised."""
        self._pipe.send(question)
        return self.listen()

    def listen(self) -> Any:
        """What the simulation says, and it says what time it is."""
        try:
            now, answer = self._pipe.recv()
        except EOFError:  # the simulation is gone
            os._exit(1)
        self._clock.move_to(now)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(self, seconds: float) -> None:
        """Stands in for time.sleep."""
        self.ask(Sleep(seconds))

    def connect(self, address: tuple[str, int], timeout: float, *_: Any, **__: Any) -> "Socket":
        """Stands in for urllib3's way to open a connection."""
        self.ask(Connect(address[0], timeout))
        return Socket(self, address[0])


class Socket:
    """A connection that carries one request, as far as http.client and urllib3 use it."""

    def __init__(self, line: Line, host: str) -> None:
        self._line = line
        self._host = host
        self._sent = b""
        self._timeout = 0.0

    def settimeout(self, seconds: float) -> None:
        """How long to wait for the answer."""
        self._timeout = seconds

    def sendall(self, data: bytes) -> None:
        """Takes a part of the request."""
        self._sent += data

    def makefile(self, *_: Any) -> io.BytesIO:
        """The answer to all that was sent."""
        return io.BytesIO(self._line.ask(Send(self._host, self._sent, self._timeout)))

    def close(self) -> None:
        """There is nothing to close."""
