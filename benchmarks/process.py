"""Processes in an environment like Lambda's, what they use up, and how that is told."""

import json
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.package import ROOT, Subject
from stand_ins.aws import CREDENTIALS, TABLE, AwsStandIn, aws_stand_in
from stand_ins.slack import SlackStandIn, slack_stand_in

ROUNDS = 15
WARM_INVOCATIONS = 20
COLD_CPU_AIM = 1.0
PACKAGES_SHOWN = 12
DEPLOYMENTS = [f"d-{number}" for number in range(WARM_INVOCATIONS + 1)]
HOOKS = [{"DeploymentId": one, "LifecycleEventHookExecutionId": "A" * 400} for one in DEPLOYMENTS]


@dataclass(frozen=True)
class Usage:
    """What a process took: CPU times and the wall time to its first answer in ms, memory in MiB.

    `modules` are those that it loaded, in their order, without its `entries`: those that have a
    handler, and make what is made at once.
    """

    interpreter: float
    init: float
    answer: float
    warm: float
    wall: float
    memory: float
    modules: list[str]
    entries: list[str]

    @property
    def cold(self) -> float:
        """The CPU time of a cold start: from the start of Python to the first answer."""
        return self.interpreter + self.init + self.answer


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
                "LAMBDA_TASK_ROOT": "/var/task",
                "TEST_URL": "https://{application}.example.com/{deployment_id}",
                "DYNAMODB_TABLE_NAME": TABLE,
                "SLACK_WEBHOOK_URL": slack.webhook_url,
            },
        )


def bare(python: str, script: str, *arguments: str, options: tuple[str, ...] = ()) -> list[str]:
    """The command that runs a script of this folder with nothing but a package on its path."""
    return [python, "-I", "-S", *options, str(ROOT / "benchmarks" / script), *arguments]


def run(
    python: str, subject: Subject, events: list[Any], environ: dict[str, str], *options: str
) -> tuple[Usage, str]:
    """A cold start that answers the first event, and stays warm for the others; its errors."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "events.json"
        file.write_text(json.dumps(events), encoding="utf-8")
        arguments = (str(subject.package), subject.module, str(file), str(time.monotonic()))
        command = bare(python, "invocations.py", *arguments, options=options)
        done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return Usage(**json.loads(done.stdout.splitlines()[-1])), done.stderr


def imports(python: str, subject: Subject, modules: list[str], environ: dict[str, str]) -> float:
    """The CPU time of the imports alone, in ms."""
    command = bare(python, "imports.py", str(subject.package), ",".join(modules))
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def measure(
    python: str,
    subjects: list[Subject],
    environs: dict[str, dict[str, str]],
    events: Callable[[], list[Any]],
) -> dict[str, list[Usage]]:
    """Measures and shows: in turns, so that what else the machine does falls on both alike.

    `environs`, and what it gives, are by the subjects' names; `events` makes those of one process
    anew.
    """
    usages: dict[str, list[Usage]] = {one.name: [] for one in subjects}
    imported: dict[str, list[float]] = {one.name: [] for one in subjects}
    by_package: dict[str, list[Counter[str]]] = {one.name: [] for one in subjects}
    for _ in range(ROUNDS):
        for one in subjects:
            environ = environs[one.name]
            usage, _ = run(python, one, events(), environ)
            usages[one.name].append(usage)
            imported[one.name].append(imports(python, one, usage.modules, environ))
    for _ in range(3):
        for one in subjects:
            usage, told = run(python, one, events(), environs[one.name], "-X", "importtime")
            by_package[one.name].append(packages(told, usage.entries))
    print(f"Medians of {ROUNDS} processes each, in turns; {WARM_INVOCATIONS} warm invocations.\n")
    print(f"{'':32}{'plain':>12}{'Greenlight':>12}{'ratio':>8}")
    show("cold start, CPU (ms)", usages, lambda one: one.cold, f"  (aim: at most {COLD_CPU_AIM})")
    for label, field in (
        ("cold start, wall (ms)", "wall"),
        ("warm invocation, CPU (ms)", "warm"),
        ("peak memory (MiB)", "memory"),
    ):
        show(label, usages, lambda one, field=field: getattr(one, field))  # type: ignore[misc]
    print(row("package, zipped (MiB)", *(one.zipped for one in subjects)))
    print("\nWhere the CPU time of a cold start goes (ms):\n")
    show("the interpreter", usages, lambda one: one.interpreter)
    plain, ours = (median(imported[one.name]) for one in subjects)
    print(row("imports", plain, ours))
    inits = [median(one.init for one in usages[name]) for name in usages]
    print(row("what is made of them at once", inits[0] - plain, inits[1] - ours))
    show("the first answer", usages, lambda one: one.answer)
    print("\nWhat takes longest to import (ms, with the overhead of -X importtime):\n")
    slowest = {name: slowest_of(by_package[name]) for name in by_package}
    for (left, one), (right, other) in zip(*slowest.values(), strict=True):
        print(f"  {left:24}{one:8.1f}    {right:24}{other:8.1f}")
    return usages


def packages(told: str, entries: list[str]) -> Counter[str]:
    """The microseconds of each top-level package, of what -X importtime tells but for entries."""
    found: Counter[str] = Counter()
    for line in told.splitlines():
        if line.startswith("import time:") and "self [us]" not in line:
            own, _, name = line.removeprefix("import time:").split("|")
            if name.strip() not in entries:
                found[name.strip().partition(".")[0]] += int(own)
    return found


def slowest_of(samples: list[Counter[str]]) -> list[tuple[str, float]]:
    """The packages that took longest, and the median of what each took, in ms."""
    medians = {name: median(one[name] for one in samples) / 1000 for name in samples[0]}
    return sorted(medians.items(), key=lambda pair: -pair[1])[:PACKAGES_SHOWN]


def show(
    label: str, usages: dict[str, list[Usage]], of: Callable[[Usage], float], note: str = ""
) -> None:
    """Prints the medians of a measurement."""
    print(row(label, *(median(of(one) for one in usages[name]) for name in usages)) + note)


def row(label: str, plain: float, ours: float) -> str:
    """A line of a table."""
    return f"{label:32}{plain:12.1f}{ours:12.1f}{ours / plain:8.2f}"
