"""Greenlight against a plain hook (`reference.py`): time, memory and size, as ratios of one run."""

import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from stand_ins.aws import CREDENTIALS, TABLE, AwsStandIn, aws_stand_in  # noqa: E402
from stand_ins.codedeploy import add_deployment  # noqa: E402
from stand_ins.slack import slack_stand_in  # noqa: E402

ROUNDS = 15
WARM_INVOCATIONS = 30
COLD_CPU_AIM = 1.35
SUBJECTS = {"reference": "reference", "Greenlight": "lamda"}
PACKAGES = {"reference": ("boto3",), "Greenlight": ("aws-lambda-powertools", "boto3", "requests")}
EXTRAS = {"aws-lambda-powertools": ("aws-xray-sdk",)}  # Powertools' extra `tracer`


@dataclass(frozen=True)
class Sample:
    """One process of a subject: milliseconds and MiB."""

    cold_cpu: float
    cold_wall: float
    warm_cpu: float
    warm_wall: float
    memory: float


def main() -> None:
    """Measures both in turns, so that whatever else the machine does falls on both alike."""
    samples: dict[str, list[Sample]] = {name: [] for name in SUBJECTS}
    with (
        aws_stand_in() as aws,
        slack_stand_in() as slack,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as xray_daemon,
    ):
        xray_daemon.bind(("127.0.0.1", 0))
        environ = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": aws.endpoint_url,
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{xray_daemon.getsockname()[1]}",
            "_X_AMZN_TRACE_ID": "Root=1-65a1b2c3-0123456789abcdef01234567;"
            "Parent=0123456789abcdef;Sampled=1",
            "LAMBDA_TASK_ROOT": str(ROOT / "function"),
            "PYTHONPATH": f"{ROOT / 'function'}:{ROOT / 'benchmarks'}",
            "TEST_URL": "https://{application}.example.com/{deployment_id}",
            "DYNAMODB_TABLE_NAME": TABLE,
            "SLACK_WEBHOOK_URL": slack.webhook_url,
        }
        for number in range(WARM_INVOCATIONS + 1):
            add_deployment(f"d-{number}", aws.client("codedeploy"), application=f"shop-{number}")
        for module in SUBJECTS.values():
            run(module, environ, 0, aws)  # writes the byte code, as a package has it
        for _ in range(ROUNDS):
            for name, module in SUBJECTS.items():
                samples[name].append(sample(module, environ, aws))
    print(f"Medians of {ROUNDS} processes each, in turns; {WARM_INVOCATIONS} warm invocations.\n")
    print(f"{'':28}{'reference':>12}{'Greenlight':>12}{'ratio':>8}")
    for label, field, unit in (
        ("cold start, CPU", "cold_cpu", "ms"),
        ("cold start, wall", "cold_wall", "ms"),
        ("warm invocation, CPU", "warm_cpu", "ms"),
        ("warm invocation, wall", "warm_wall", "ms"),
        ("peak memory", "memory", "MiB"),
    ):
        plain, ours = (median(getattr(one, field) for one in samples[name]) for name in SUBJECTS)
        aim = f"  (aim: at most {COLD_CPU_AIM})" if field == "cold_cpu" else ""
        print(row(label, plain, ours, unit) + aim)
    plain, ours = (package_size(name) / 2**20 for name in SUBJECTS)
    print(row("package, zipped", plain, ours, "MiB"))


def row(label: str, plain: float, ours: float, unit: str) -> str:
    """A line of the table."""
    return f"{f'{label} ({unit})':28}{plain:12.1f}{ours:12.1f}{ours / plain:8.2f}"


def sample(module: str, environ: dict[str, str], aws: AwsStandIn) -> Sample:
    """A process that answers once and ends, and one that stays warm."""
    cold_cpu, cold_wall, memory, _ = run(module, environ, 0, aws)
    *_, output = run(module, environ, WARM_INVOCATIONS, aws)
    warm = json.loads(output.splitlines()[-1])
    return Sample(cold_cpu, cold_wall, warm["cpu"], warm["wall"], memory)


def run(
    module: str, environ: dict[str, str], warm: int, aws: AwsStandIn
) -> tuple[float, float, float, str]:
    """Runs a process on an empty table; its CPU and wall time, peak memory and output."""
    for item in aws.items():
        key = {"deployment_id": item["deployment_id"]}
        aws.client("dynamodb").delete_item(TableName=TABLE, Key=key)
    command = [sys.executable, str(ROOT / "benchmarks" / "invocations.py"), module, str(warm)]
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
        sys.exit(f"{module} failed:\n{output}")
    if len(aws.items()) != warm + 1:
        sys.exit(f"{module} opened {len(aws.items())} gates of {warm + 1}")
    kibibytes = usage.ru_maxrss / (1024 if sys.platform == "darwin" else 1)
    return 1000 * (usage.ru_utime + usage.ru_stime), 1000 * wall, kibibytes / 1024, output


def package_size(subject: str) -> int:
    """The size of a deployment package in bytes: the code and all that it depends on, zipped."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in dependencies(PACKAGES[subject], set()):
            for file in one.files or []:
                if "__pycache__" not in file.parts and ".." not in file.parts:
                    archive.write(str(file.locate()), str(file))
        if subject == "Greenlight":
            for path in (ROOT / "function").rglob("*.py"):
                archive.write(path, path.relative_to(ROOT / "function"))
        else:
            archive.write(ROOT / "benchmarks" / "reference.py", "reference.py")
    return len(package.getvalue())


def dependencies(names: tuple[str, ...], seen: set[str]) -> Iterator[Distribution]:
    """These distributions and all that they require."""
    for name in names:
        if name.lower() in seen:
            continue
        seen.add(name.lower())
        one = distribution(name)
        yield one
        required = [text for text in one.requires or [] if "extra ==" not in text]
        further = tuple(re.split(r"[^A-Za-z0-9._-]", text)[0] for text in required)
        yield from dependencies(further + EXTRAS.get(name, ()), seen)


if __name__ == "__main__":
    main()
