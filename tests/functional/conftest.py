"""The real handler, between a real local Slack and a real local AWS (moto)."""

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from greenlight.handlers import decision, failure, hook
from greenlight.runtime.observability import logger
from stand_ins.aws import CREDENTIALS, TABLE, AwsStandIn, aws_stand_in
from stand_ins.clicks import ALICE, SIGNING_SECRET, form, payload, signed, url_event
from stand_ins.codedeploy import add_deployment, deployments
from stand_ins.slack import Answer, SlackStandIn, slack_stand_in
from tests.conftest import ROOT, load_event, measured
from tests.forked import Forked

TEST_URL = "https://{application}.green.example.com/?release={deployment_id}"

Invoke = Callable[..., dict[str, Any]]


@pytest.fixture
def aws() -> Iterator[AwsStandIn]:
    with aws_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def environ(aws: AwsStandIn, slack: SlackStandIn) -> dict[str, str]:
    """The environment of the function."""
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        "TEST_URL": TEST_URL,
        "DYNAMODB_TABLE_NAME": TABLE,
        "SLACK_WEBHOOK_URL": slack.webhook_url,
    }


@pytest.fixture
def invoke(
    environ: dict[str, str], described: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Invoke]:
    """Calls the hook in this process: a cold start, and warm ones after it.

    Keyword arguments change the environment; None takes a variable away.
    """
    yield from invoking(hook, environ, described, monkeypatch)


@pytest.fixture
def invoke_failure(
    environ: dict[str, str], described: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Invoke]:
    """Calls the failure handler, likewise."""
    yield from invoking(failure, environ, described, monkeypatch)


@pytest.fixture
def invoke_decision(
    environ: dict[str, str], described: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Invoke]:
    """Calls the handler of clicks, likewise, in the environment of a stack that takes clicks."""
    environ["SLACK_SIGNING_SECRET"] = SIGNING_SECRET
    yield from invoking(decision, environ, described, monkeypatch)


@dataclass
class Clicker:
    """People who press the buttons of the message about a gate that waits."""

    call: Invoke
    slack: SlackStandIn
    message: dict[str, Any]

    def __call__(
        self,
        verdict: str,
        user: tuple[str, str] = ALICE,
        reason: str | None = None,
        **changes: str | None,
    ) -> list[Any]:
        """Presses a button; what Slack was told of it."""
        known = len(self.slack.responses)
        answer = self.call(self.event(verdict, user, reason), **changes)
        assert answer["statusCode"] == 200
        return self.slack.responses[known:]

    def event(
        self, verdict: str, user: tuple[str, str] = ALICE, reason: str | None = None
    ) -> dict[str, Any]:
        """The event that a click becomes."""
        url = self.slack.response_url
        body = form(payload(self.message, f"greenlight_{verdict}", url, user, reason))
        return url_event(body, signed(body))


@pytest.fixture
def click(
    invoke_decision: Invoke,
    invoke: Invoke,
    aws: AwsStandIn,
    slack: SlackStandIn,
    output: Callable[[], "Output"],
) -> Clicker:
    """An open gate, and people who were told of it."""
    if "d-LOCALTEST" not in deployments():
        add_deployment("d-LOCALTEST", aws.client("codedeploy"))
    invoke(load_event("hook/documented_example"))
    aws.operations.clear()
    output()
    return Clicker(invoke_decision, slack, slack.messages[0])


class DescribedBy:
    """Where botocore finds its data while handlers run, however many do so at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running = 0

    @contextmanager
    def path(self, folder: Path) -> Iterator[None]:
        """A handler runs."""
        with self._lock:
            self._running += 1
            os.environ["AWS_DATA_PATH"] = str(folder)
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1
                if not self._running:
                    del os.environ["AWS_DATA_PATH"]


described_by = DescribedBy()


def invoking(
    handler: ModuleType, environ: dict[str, str], described: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Invoke]:
    """Calls a handler, in an environment that is like Lambda's."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "POWERTOOLS_")):
            monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    def call(event: Any, **changes: str | None) -> dict[str, Any]:
        for name, value in changes.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        (log,) = logger.handlers
        # pytest has put another in its place since the import
        monkeypatch.setattr(log, "stream", sys.stdout)
        with described_by.path(described):
            answer = handler.lambda_handler(event, None)
        if answer is None:  # a stream waits for none
            return {}
        return {**answer, "body": json.loads(answer["body"] or "null")}

    handler._clients.cache_clear()
    yield call
    handler._clients.cache_clear()
    assert "AWS_DATA_PATH" not in os.environ, "it is the handlers' only"


@dataclass(frozen=True)
class Output:
    """What an invocation wrote to standard output."""

    text: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log lines."""
        return [line for line in self._objects if "_aws" not in line]

    @property
    def failures(self) -> list[dict[str, Any]]:
        """The log lines of level ERROR."""
        return [line for line in self.lines if line["level"] == "ERROR"]

    @property
    def metrics(self) -> dict[tuple[str, ...], list[float]]:
        """Values by name and dimensions: (`HookFailed`, `service=greenlight`, `stage=slack`)."""
        found: dict[tuple[str, ...], list[float]] = {}
        for blob in self._objects:
            for embedded in blob.get("_aws", {}).get("CloudWatchMetrics", []):
                assert embedded["Namespace"] == "Greenlight"
                for names in embedded["Dimensions"]:
                    dimensions = sorted(f"{name}={blob[name]}" for name in names)
                    for metric in embedded["Metrics"]:
                        found[metric["Name"], *dimensions] = blob[metric["Name"]]
        return found

    @property
    def _objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.split("\n") if line]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Callable[[], Output]:
    """What was written since it was last asked for."""
    return lambda: Output(capsys.readouterr().out)


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses between tries are counted, not slept through."""
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


class Process(Forked):
    """A handler in a process of its own, as in Lambda; `later` moves its clock, in seconds.

    AWS_LAMBDA_LOG_LEVEL in `environ` is the root logger's level, as under Lambda's runtime client.
    """

    def __init__(
        self, event: Any, environ: dict[str, str], later: float = 0, module: str = "lamda"
    ) -> None:
        code = (
            "import json, logging, os, sys, time, time_machine\n"
            "from datetime import datetime, UTC, timedelta\n"
            "if level := os.environ.get('AWS_LAMBDA_LOG_LEVEL'):\n"
            "    logging.basicConfig(level=level)\n"
            "event, later = json.loads(sys.argv[1]), float(sys.argv[2])\n"
            f"from {module} import lambda_handler\n"
            "with time_machine.travel(datetime.now(UTC) + timedelta(seconds=later)):\n"
            "    print('ANSWER', json.dumps(lambda_handler(event, None)))\n"
        )
        super().__init__(
            code,
            json.dumps(event),
            str(later),
            env={**measured(), **environ, "PYTHONPATH": str(ROOT / "function")},
        )

    def finish(self) -> tuple[dict[str, Any] | None, str]:
        """Waits; the body of the answer (None for a failure), and all that was written."""
        out, err = self.communicate()
        answers = [
            line.removeprefix("ANSWER ") for line in out.splitlines() if line.startswith("ANSWER ")
        ]
        body = json.loads(json.loads(answers[0])["body"] or "null") if answers else None
        return body, out + err

    def die(self) -> None:
        """Ends at once, as when Lambda stops a function."""
        self.send_signal(signal.SIGKILL)
        self.wait()


def kill_in_the_middle(
    process: Callable[[], Process],
    aws: AwsStandIn,
    slack: SlackStandIn,
    call: str,
    number: int = 1,
    moment: str = "after",
) -> None:
    """Starts a process and kills it in the middle of a call, before or after it takes effect.

    `call` is an operation of AWS, the how manyth of which is meant, or `Slack`.
    """
    running: list[Process] = []
    has_started = threading.Event()

    def kill() -> None:
        has_started.wait()
        running[0].die()

    def kill_at(operation: str) -> bool:
        hit = operation == call and aws.operations.count(operation) == number
        if hit:
            kill()
        return hit

    if call == "Slack":
        slack.script.append(Answer(pause=kill))
    elif moment == "before":
        aws.before = kill_at
    else:
        aws.after = kill_at
    running.append(process())
    has_started.set()
    _, written = running[0].finish()
    assert running[0].returncode == -signal.SIGKILL, written
    aws.before = aws.after = lambda _: None


class XRayDaemon:
    """Takes X-Ray segments on a UDP port, as the daemon beside a function does."""

    def __init__(self, udp: socket.socket) -> None:
        self._udp = udp
        self.address = f"127.0.0.1:{udp.getsockname()[1]}"
        self.text = ""

    def segments(self) -> dict[str, dict[str, Any]]:
        """All that has come in, by name."""
        self._udp.settimeout(0)
        found: dict[str, dict[str, Any]] = {}
        while True:
            try:
                header, _, body = self._udp.recv(65536).decode().partition("\n")
            except BlockingIOError:
                return found
            assert json.loads(header) == {"format": "json", "version": 1}
            self.text += body
            segment = json.loads(body)
            found[segment["name"]] = segment


@pytest.fixture
def xray() -> Iterator[XRayDaemon]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        yield XRayDaemon(udp)


@pytest.fixture
def in_lambda(environ: dict[str, str], xray: XRayDaemon) -> dict[str, str]:
    """The environment of the function, where Lambda traces it."""
    return {
        **environ,
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_XRAY_DAEMON_ADDRESS": xray.address,
        "_X_AMZN_TRACE_ID": "Root=1-65a1b2c3-0123456789abcdef01234567;Parent=0123456789abcdef;"
        "Sampled=1",
    }
