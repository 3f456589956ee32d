"""What both benchmarks share: processes in an environment like Lambda's, and what they use up."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stand_ins.aws import CREDENTIALS, TABLE, AwsStandIn, aws_stand_in
from stand_ins.slack import SlackStandIn, slack_stand_in

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Usage:
    """What a process took, in milliseconds, and what it said of itself, as JSON values."""

    cpu: float
    wall: float
    told: dict[str, float]

    @property
    def memory(self) -> float:
        """The most memory that it had, in MiB."""
        return self.told["memory"]


@contextmanager
def stand_ins() -> Iterator[tuple[AwsStandIn, SlackStandIn, dict[str, str]]]:
    """AWS and Slack on loopback, and the environment of a function that finds them."""
    with (
        aws_stand_in() as aws,
        slack_stand_in() as slack,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as xray_daemon,
    ):
        xray_daemon.bind(("127.0.0.1", 0))
        yield (
            aws,
            slack,
            {
                **CREDENTIALS,
                "AWS_ENDPOINT_URL": aws.endpoint_url,
                "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{xray_daemon.getsockname()[1]}",
                "_X_AMZN_TRACE_ID": "Root=1-65a1b2c3-0123456789abcdef01234567;"
                "Parent=0123456789abcdef;Sampled=1",
                "LAMBDA_TASK_ROOT": str(ROOT / "function"),
                "PYTHONPATH": f"{ROOT / 'function'}:{ROOT / 'benchmarks'}:{ROOT}",
                "TEST_URL": "https://{application}.example.com/{deployment_id}",
                "DYNAMODB_TABLE_NAME": TABLE,
                "SLACK_WEBHOOK_URL": slack.webhook_url,
            },
        )


def run(environ: dict[str, str], script: str, *arguments: str) -> Usage:
    """Runs a script of this folder to its end; its last line says what it has to say."""
    command = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    started = time.perf_counter()
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{output}")
    cpu = 1000 * (usage.ru_utime + usage.ru_stime)
    return Usage(cpu, 1000 * wall, json.loads(output.splitlines()[-1]))


def row(label: str, plain: float, ours: float, unit: str) -> str:
    """A line of a table."""
    return f"{f'{label} ({unit})':32}{plain:12.1f}{ours:12.1f}{ours / plain:8.2f}"
