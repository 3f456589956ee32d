"""The built package under Lambda's own runtime client: what Lambda would report."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.clicks import SIGNING_SECRET
from stand_ins.slack import SlackStandIn
from tests.conftest import load_event
from tests.e2e.conftest import EMULATOR, ENVIRON

EVENT = load_event("after_allow_test_traffic")
ARN = "arn:aws:lambda:ap-northeast-2:123456789012:function:CodeDeployHook_greenlight"


@dataclass
class RuntimeApi:
    """Lambda's side: hands out events, takes what the function answers."""

    address: str
    events: list[Any]
    answers: list[tuple[str, Any]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


@contextmanager
def runtime_api(*events: Any) -> Iterator[RuntimeApi]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if not api.events:  # no more: the function stays frozen until it is ended
                api.done.wait()
                return
            body = json.dumps(api.events.pop(0)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Lambda-Runtime-Aws-Request-Id", f"request-{len(api.answers)}")
            self.send_header("Lambda-Runtime-Deadline-Ms", "99999999999999")
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", ARN)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()
            api.answers.append((self.path.rpartition("/")[2], body))

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api = RuntimeApi(f"127.0.0.1:{server.server_port}", list(events))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield api
        finally:
            api.done.set()
            server.shutdown()


@pytest.mark.parametrize(
    ("function", "handler", "events", "expected"),
    [
        (
            "HookFunction",
            "lamda.lambda_handler",
            [EVENT, EVENT, {}],
            ["response", "response", "error"],
        ),
        (
            "FailureFunction",
            "greenlight.handlers.failure.lambda_handler",
            [load_event("on_failure_record"), {}],
            ["error", "error"],
        ),
        (
            "DecisionFunction",
            "greenlight.handlers.decision.lambda_handler",
            [{}, load_event("documented_example")],
            ["response", "response"],
        ),
    ],
)
def test_lambda_gets_answers_and_errors(
    function: str,
    handler: str,
    events: list[Any],
    expected: list[str],
    build: Path,
    codedeploy: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    environ = {
        **ENVIRON,
        "AWS_ENDPOINT_URL": codedeploy.endpoint_url,
        "LAMBDA_TASK_ROOT": str(build / function),
        "PYTHONPATH": str(build / function),
        "TEST_URL": "https://green.example.com",
        "DYNAMODB_TABLE_NAME": TABLE,
        "SLACK_WEBHOOK_URL": slack.webhook_url,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
    }
    with (
        runtime_api(*events) as api,
        subprocess.Popen(
            [EMULATOR / "python", "-m", "awslambdaric", handler],
            env={**environ, "AWS_LAMBDA_RUNTIME_API": api.address},
            cwd=build / function,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        waiting = threading.Timer(60, process.kill)
        waiting.start()
        while len(api.answers) < len(expected) and process.poll() is None:
            threading.Event().wait(0.05)
        process.kill()
        output, _ = process.communicate()
        waiting.cancel()

    assert [kind for kind, _ in api.answers] == expected, output
    if function == "HookFunction":
        (_, first), (_, second), (_, error) = api.answers
        assert json.loads(first["body"])["duplicate"] is False
        assert json.loads(second["body"])["duplicate"] is True
        assert error["errorType"] == "EventError"
    elif function == "DecisionFunction":
        assert [body["statusCode"] for _, body in api.answers] == [401, 401]
    else:
        assert api.answers[0][1]["errorType"] == "HookRefusedError", "it knows no such deployment"
    assert "stand-in-for-a-secret" not in output
