"""Greenlight against a plain hook (`reference.py`): time, memory and size, as ratios of one run."""

import io
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.process import ROOT, Usage, row, run, stand_ins
from stand_ins.aws import TABLE, AwsStandIn
from stand_ins.codedeploy import add_deployment

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
    with stand_ins() as (aws, _, environ):
        for number in range(WARM_INVOCATIONS + 1):
            add_deployment(f"d-{number}", aws.client("codedeploy"), application=f"shop-{number}")
        for module in SUBJECTS.values():
            invoke(module, environ, 0, aws)  # writes the byte code, as a package has it
        for _ in range(ROUNDS):
            for name, module in SUBJECTS.items():
                samples[name].append(sample(module, environ, aws))
    print(f"Medians of {ROUNDS} processes each, in turns; {WARM_INVOCATIONS} warm invocations.\n")
    print(f"{'':32}{'reference':>12}{'Greenlight':>12}{'ratio':>8}")
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


def sample(module: str, environ: dict[str, str], aws: AwsStandIn) -> Sample:
    """A process that answers once and ends, and one that stays warm."""
    cold = invoke(module, environ, 0, aws)
    warm = invoke(module, environ, WARM_INVOCATIONS, aws).told
    return Sample(cold.cpu, cold.wall, warm["cpu"], warm["wall"], cold.memory)


def invoke(module: str, environ: dict[str, str], warm: int, aws: AwsStandIn) -> Usage:
    """Runs a process on an empty table."""
    for item in aws.items():
        key = {"deployment_id": item["deployment_id"]}
        aws.client("dynamodb").delete_item(TableName=TABLE, Key=key)
    usage = run(environ, "invocations.py", module, str(warm))
    if len(aws.items()) != warm + 1:
        sys.exit(f"{module} opened {len(aws.items())} gates of {warm + 1}")
    return usage


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
