"""The built package under Lambda's own runtime client: what Lambda would report."""

import json
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.clicks import SIGNING_SECRET, form, payload, signed, url_event
from stand_ins.codedeploy import add_deployment
from stand_ins.slack import SlackStandIn
from tests.conftest import load_event
from tests.deployed import EMULATOR, ENVIRON

EVENT = load_event("hook/after_allow_test_traffic")
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


HANDLERS = {
    "HookFunction": "lamda.lambda_handler",
    "FailureFunction": "greenlight.handlers.failure.lambda_handler",
    "DecisionFunction": "greenlight.handlers.decision.lambda_handler",
}


def run_function(
    function: str, events: list[Any], build: Path, environ: dict[str, str]
) -> tuple[list[tuple[str, Any]], str]:
    """Hands a built function its events; what it answers to each, and all that it writes."""
    with (
        tempfile.TemporaryFile("w+") as output,  # a pipe would fill up
        runtime_api(*events) as api,
        subprocess.Popen(
            [EMULATOR / "python", "-m", "awslambdaric", HANDLERS[function]],
            env={
                **ENVIRON,
                "LAMBDA_TASK_ROOT": str(build / function),
                "PYTHONPATH": str(build / function),
                "TEST_URL": "https://green.example.com",
                "DYNAMODB_TABLE_NAME": TABLE,
                **environ,
                "AWS_LAMBDA_RUNTIME_API": api.address,
            },
            cwd=build / function,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        waiting = threading.Timer(60, process.kill)
        waiting.start()
        while len(api.answers) < len(events) and process.poll() is None:
            threading.Event().wait(0.05)
        process.kill()
        process.wait()
        waiting.cancel()
        output.seek(0)
        return api.answers, output.read()


@pytest.mark.parametrize(
    ("function", "events", "expected"),
    [
        ("HookFunction", [EVENT, EVENT, {}], ["response", "response", "error"]),
        ("FailureFunction", [load_event("failure/on_failure_record"), {}], ["error", "error"]),
        ("DecisionFunction", [{}, load_event("hook/documented_example")], ["response", "response"]),
    ],
)
def test_lambda_gets_answers_and_errors(
    function: str,
    events: list[Any],
    expected: list[str],
    build: Path,
    codedeploy: AwsStandIn,
    slack: SlackStandIn,
) -> None:
    environ = {
        "AWS_ENDPOINT_URL": codedeploy.endpoint_url,
        "SLACK_WEBHOOK_URL": slack.webhook_url,
        "SLACK_SIGNING_SECRET": SIGNING_SECRET,
    }

    answers, output = run_function(function, events, build, environ)

    assert [kind for kind, _ in answers] == expected, output
    if function == "HookFunction":
        (_, first), (_, second), (_, error) = answers
        assert json.loads(first["body"])["duplicate"] is False
        assert json.loads(second["body"])["duplicate"] is True
        assert error["errorType"] == "EventError"
    elif function == "DecisionFunction":
        assert [body["statusCode"] for _, body in answers] == [401, 401]
    else:
        assert answers[0][1]["errorType"] == "HookUnknownError", "it knows no such deployment"
    assert "stand-in-for-a-secret" not in output


def test_no_secret_is_logged_at_lambdas_own_level_debug(
    build: Path, codedeploy: AwsStandIn, slack: SlackStandIn
) -> None:
    secrets = {"/debug/webhook": slack.webhook_url, "/debug/signing": SIGNING_SECRET}
    for name, value in secrets.items():
        codedeploy.client("ssm").put_parameter(Name=name, Value=value, Type="SecureString")
    for deployment_id in ("d-DEBUG", "d-LOCALTEST"):
        add_deployment(deployment_id, codedeploy.client("codedeploy"), application=deployment_id)
    environ = {
        "AWS_ENDPOINT_URL": codedeploy.endpoint_url,
        "AWS_SECRET_ACCESS_KEY": "key-of-the-session",
        "AWS_SESSION_TOKEN": "token-of-the-session",
        "SLACK_WEBHOOK_URL": "/debug/webhook",
        "SLACK_SIGNING_SECRET": "/debug/signing",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
        "POWERTOOLS_LOGGER_LOG_EVENT": "true",
    }
    written = {}

    def run(function: str, event: Any) -> None:
        codedeploy.operations.clear()
        ((kind, answer),), written[function] = run_function(function, [event], build, environ)
        assert kind == "response", written[function]
        assert answer["statusCode"] == 200
        assert "GetParameter" in codedeploy.operations

    run("HookFunction", {**EVENT, "DeploymentId": "d-DEBUG"})
    body = form(payload(slack.messages[-1], "greenlight_approve", slack.response_url))
    headers = signed(body)
    run("DecisionFunction", url_event(body, headers))
    run("FailureFunction", load_event("failure/on_failure_record"))

    assert len(slack.messages) == 2
    assert len(slack.responses) == 1
    for function, text in written.items():
        assert '"level": "DEBUG"' in text, f"{function}: the runtime's own logger is at DEBUG"
        for secret in (
            "stand-in-for-a-secret",
            SIGNING_SECRET,
            environ["AWS_SECRET_ACCESS_KEY"],
            environ["AWS_SESSION_TOKEN"],
            "/actions/",
            headers["x-slack-signature"],
        ):
            assert secret not in text, function
