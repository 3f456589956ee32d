"""The real package and the real template, built and deployed into an emulator on loopback."""

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

from stand_ins.aws import CREDENTIALS, AwsStandIn, aws_stand_in
from stand_ins.clicks import SIGNING_SECRET
from stand_ins.codedeploy import REGION, add_deployment
from stand_ins.slack import SlackStandIn, slack_stand_in

ROOT = Path(__file__).parents[2]
EMULATOR = ROOT / ".venv-emulator" / "bin"
RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
STACK = "greenlight"
PARAMETER = "/greenlight/slack-webhook"
SIGNING_PARAMETER = "/greenlight/slack-signing-secret"
TEST_URL = "https://{application}.green.example.com/{deployment_id}"
ENVIRON = {
    **{name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_", "HOME"))},
    **CREDENTIALS,
    # As make has it; this Python runs the functions, too.
    "PATH": f"{ROOT / '.venv-sam' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
    "SAM_CLI_TELEMETRY": "0",
}


def run(*command: object, cwd: Path = ROOT, **environ: str) -> str:
    """Runs a command that has to succeed; what it writes."""
    done = subprocess.run(
        [str(word) for word in command],
        env=ENVIRON | environ,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def make(target: str, folder: Path, **environ: str) -> str:
    """Does what make does for a target, with the deploy.toml of a folder; what it writes."""
    tool = (sys.executable, "-m", "tools.deploy", target, "deploy.toml")
    path = f"{ROOT}:{ROOT / 'function'}:{ROOT / 'cli'}"
    return run(*tool, cwd=folder, PYTHONPATH=path, **environ)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a deploy.toml, filled in for this Python and this machine."""
    folder = tmp_path_factory.mktemp("project")
    example = (ROOT / "deploy.example.toml").read_text(encoding="utf-8")
    filled_in = example.replace('TestUrl = ""', f'TestUrl = "{TEST_URL}"')
    filled_in += f'Runtime = "{RUNTIME}"\nArchitecture = "{ARCHITECTURE}"\n'
    (folder / "deploy.toml").write_text(filled_in, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def build(folder: Path) -> Path:
    """What `make build` builds."""
    make("build", folder)
    return folder / ".aws-sam" / "build"


@pytest.fixture(scope="session")
def codedeploy() -> Iterator[AwsStandIn]:
    """CodeDeploy, which the emulator does not have."""
    with aws_stand_in() as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def slack_server() -> Iterator[SlackStandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def slack(slack_server: SlackStandIn) -> SlackStandIn:
    """Slack, as if nothing had happened yet."""
    slack_server.posts.clear()
    slack_server.script.clear()
    slack_server.webhook_paths = {"/services/T0000/B0000/stand-in-for-a-secret"}
    return slack_server


@dataclass
class Deployed:
    """The deployed stack; `folder` has its deploy.toml."""

    endpoint_url: str
    codedeploy: AwsStandIn
    folder: Path
    number: int = 0

    def client(self, service: Any) -> Any:
        """A client of the emulator."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint_url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def new_deployment(self) -> dict[str, str]:
        """The hook event of a new deployment."""
        self.number += 1
        event = {
            "DeploymentId": f"d-E2E{self.number}",
            "LifecycleEventHookExecutionId": f"hook-{self.number}",
        }
        add_deployment(
            event["DeploymentId"],
            self.codedeploy.client("codedeploy"),
            application=f"shop-{self.number}",
        )
        return event

    def call_hook(self, event: dict[str, str]) -> None:
        """Calls the hook function as CodeDeploy does: asynchronously."""
        self.client("lambda").invoke(
            FunctionName=f"CodeDeployHook_{STACK}",
            InvocationType="Event",
            Payload=json.dumps(event),
        )

    def call_hook_and_wait(self, event: dict[str, str]) -> dict[str, Any]:
        """Calls the hook function and gives its answer, or the error that it ended with."""
        answer = self.client("lambda").invoke(
            FunctionName=f"CodeDeployHook_{STACK}", Payload=json.dumps(event)
        )
        payload: dict[str, Any] = json.load(answer["Payload"])
        return payload

    def request(self, body: bytes, headers: dict[str, str]) -> int:
        """Sends a request to the function URL as Slack does; the status of the answer."""
        url_id = self.output("DecisionUrl").removeprefix("https://").partition(".")[0]
        url = f"{self.endpoint_url}/_aws/lambda-url/{url_id}/"
        return requests.post(url, data=body, headers=headers, timeout=60).status_code

    def gate(self, event: dict[str, str]) -> dict[str, str]:
        """The gate's item, without types; empty when there is none."""
        item = self.client("dynamodb").get_item(
            TableName=self.output("TableName"),
            Key={"deployment_id": {"S": event["DeploymentId"]}},
        )
        return {name: next(iter(value.values())) for name, value in item.get("Item", {}).items()}

    def report(self, event: dict[str, str]) -> str | None:
        """What CodeDeploy was told of a hook."""
        return self.codedeploy.reports.get(
            (event["DeploymentId"], event["LifecycleEventHookExecutionId"])
        )

    def output(self, name: str) -> str:
        """An output of the stack."""
        (stack,) = self.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        (value,) = [one["OutputValue"] for one in stack["Outputs"] if one["OutputKey"] == name]
        return str(value)

    def log(self, function: str) -> str:
        """All that a function has logged."""
        events = self.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{function}")
        return "\n".join(one["message"] for one in events["events"])

    @contextmanager
    def changed(self, function: str, **configuration: Any) -> Iterator[None]:
        """A function with another configuration; variables are added, None takes one away."""
        functions = self.client("lambda")
        before = functions.get_function_configuration(FunctionName=function)
        variables = before["Environment"]["Variables"]
        change = {**variables, **configuration.pop("variables", {})}
        functions.update_function_configuration(
            FunctionName=function,
            Environment={
                "Variables": {name: value for name, value in change.items() if value is not None}
            },
            **configuration,
        )
        try:
            yield
        finally:
            functions.update_function_configuration(
                FunctionName=function,
                Environment={"Variables": variables},
                Handler=before["Handler"],
            )


def eventually(check: Callable[[], Any], seconds: float = 60) -> Any:
    """Waits until something is true of what goes on elsewhere; gives what it was."""
    end = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < end, f"not so within {seconds} s"
        time.sleep(0.05)
    return value


@pytest.fixture(scope="session")
def deployed(
    folder: Path,
    codedeploy: AwsStandIn,
    slack_server: SlackStandIn,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployed]:
    """The stack, deployed into the emulator as `make deploy` does it."""
    port = free_port()
    environ = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "1",
        "AWS_ENDPOINT_URL_CODEDEPLOY": codedeploy.endpoint_url,
    }
    log = tmp_path_factory.mktemp("emulator") / "log"
    with (
        log.open("w") as written,
        subprocess.Popen(
            [EMULATOR / "python", ROOT / "tests" / "e2e" / "emulator.py"],
            env=ENVIRON | environ,
            stdout=written,
            stderr=written,
        ) as emulator,
    ):
        try:
            eventually(lambda: answers(port))
            stack = Deployed(f"http://127.0.0.1:{port}", codedeploy, folder)
            stack.client("ssm").put_parameter(
                Name=PARAMETER, Value=slack_server.webhook_url, Type="SecureString"
            )
            stack.client("ssm").put_parameter(
                Name=SIGNING_PARAMETER, Value=SIGNING_SECRET, Type="SecureString"
            )
            make("deploy", folder, AWS_ENDPOINT_URL=stack.endpoint_url)
            yield stack
        finally:
            emulator.terminate()
    shutil.rmtree(log.parent)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
