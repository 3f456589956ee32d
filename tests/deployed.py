"""The emulator of AWS on loopback, and the stack that is deployed into it."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import requests

from stand_ins.aws import CREDENTIALS, AwsStandIn
from stand_ins.codedeploy import REGION, add_deployment

ROOT = Path(__file__).parents[1]
EMULATOR = ROOT / ".venv-emulator" / "bin"
STACK = "greenlight"
HOOK = f"CodeDeployHook_{STACK}"
ENVIRON = {
    **{name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_", "HOME"))},
    **CREDENTIALS,
    # As make has it; this Python runs the functions, too.
    "PATH": f"{ROOT / '.venv-sam' / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
    "SAM_CLI_TELEMETRY": "0",
}


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

    def new_deployment(self, deployment_id: str | None = None) -> dict[str, str]:
        """The hook event of a new deployment."""
        self.number += 1
        event = {
            "DeploymentId": deployment_id or f"d-E2E{self.number:03}",
            "LifecycleEventHookExecutionId": f"hook-{self.number}",
        }
        add_deployment(
            event["DeploymentId"],
            self.codedeploy.client("codedeploy"),
            application=f"shop-{self.number}",
        )
        return event

    def call_hook(self, event: dict[str, str], function: str = f"CodeDeployHook_{STACK}") -> None:
        """Calls the hook function as CodeDeploy does: asynchronously."""
        self.client("lambda").invoke(
            FunctionName=function,
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

    def request(self, body: bytes, headers: dict[str, str], to: str | None = None) -> int:
        """Sends a request to the function URL as Slack does; the status of the answer."""
        url_id = (to or self.output("DecisionUrl")).removeprefix("https://").partition(".")[0]
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


@contextmanager
def emulator(codedeploy: AwsStandIn, folder: Path) -> Iterator[str]:
    """Runs the emulator on a free port, its log in a folder; where it is.

    It has no CodeDeploy, and no deployments of ECS's own.
    """
    port = free_port()
    environ = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "1",
        "AWS_ENDPOINT_URL_CODEDEPLOY": codedeploy.endpoint_url,
        "AWS_ENDPOINT_URL_ECS": codedeploy.endpoint_url,
    }
    with (
        (folder / "emulator.log").open("w") as written,
        subprocess.Popen(
            [EMULATOR / "python", ROOT / "tests" / "e2e" / "emulator.py"],
            env=ENVIRON | environ,
            stdout=written,
            stderr=written,
        ) as process,
    ):
        try:
            eventually(lambda: answers(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def eventually(check: Callable[[], Any], seconds: float = 60) -> Any:
    """Waits until something is true of what goes on elsewhere; gives what it was."""
    end = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < end, f"not so within {seconds} s"
        time.sleep(0.05)
    return value


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def about(event: dict[str, str], said: Iterable[Any]) -> list[Any]:
    """What is said of an event's gate: of an earlier one, something may come late."""
    return [one for one in said if event["DeploymentId"] in json.dumps(one, default=vars)]


def asked(deployed: Deployed) -> dict[str, str]:
    """The hook event of a deployment that people were asked about."""
    event = deployed.new_deployment()
    deployed.call_hook(event)
    eventually(lambda: "notified_at" in deployed.gate(event))
    return event
