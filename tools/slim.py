"""Makes what `sam build` built smaller, and quicker to start.

Usage: python tools/slim.py .aws-sam/build

Takes away what Greenlight never loads: botocore's descriptions of the other 400 services and of
operations that are not called, boto3's resources and examples, and the command lines of packages.
Lets packages of which it needs next to nothing load what they are asked for. Adds the byte code,
which Lambda's read-only file system would otherwise have compiled again at every cold start; so it
must be run by the Python of the function's runtime. Running it twice does no harm.
"""

import ast
import compileall
import gzip
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any

# All that the functions call, by botocore's names of services. A functional test records the calls.
OPERATIONS = {
    "codedeploy": {
        "GetDeployment",
        "GetDeploymentTarget",
        "ListDeploymentTargets",
        "PutLifecycleEventHookExecutionStatus",
    },
    "dynamodb": {"GetItem", "PutItem", "Query", "UpdateItem"},
    "ecs": {
        "ContinueServiceDeployment",
        "DescribeServiceDeployments",
        "DescribeServices",
        "ListClusters",
        "ListServiceDeployments",
        "ListServices",
    },
    "events": {"PutEvents"},
    "lambda": {"Invoke"},
    "scheduler": {"CreateSchedule"},
    "secretsmanager": {"GetSecretValue"},
    "ssm": {"GetParameter"},
}
# What botocore reads of a service to make a client that calls operations, and no more.
DESCRIPTION = "service-2.json"
READ = (DESCRIPTION, f"{DESCRIPTION}.gz", "endpoint-rule-set-1.json.gz")
# Packages that load all of their modules to offer the names in them: the classes of 40 events, of
# which one or two come; and what guesses the encoding of an answer that does not say it.
LOADED_WHEN_ASKED = ("aws_lambda_powertools/utilities/data_classes", "charset_normalizer")
# PEP 562, which Python has for this.
LOADER = """

# ── Loaded when asked for: tools/slim.py ──────────────────────────────────────────────────────────

_FOUND_IN = {found_in!r}


def __getattr__(name):
    from importlib import import_module

    if name in _FOUND_IN:
        module, original = _FOUND_IN[name]
        value = getattr(import_module("." + module, __name__), original)
    elif any(name == module for module, _ in _FOUND_IN.values()):
        value = import_module("." + name, __name__)
    else:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    globals()[name] = value
    return value
"""
NEVER_LOADED = ("boto3/data", "boto3/examples", "bin")


def slim(function: Path) -> None:
    """Slims the package of one function."""
    for name in NEVER_LOADED:
        shutil.rmtree(function / name, ignore_errors=True)
    cut_descriptions(function / "botocore" / "data")
    for name in LOADED_WHEN_ASKED:
        load_when_asked(function / name)
    compile_all(function)


def cut_descriptions(data: Path) -> None:
    """Leaves of botocore's data what the calls in OPERATIONS need.

    botocore parses all of it for the first client and for each service, and then the garbage
    collector goes through it: a tenth of a cold start, and more with each service.
    """
    for service in data.iterdir():
        if service.is_dir() and service.name not in OPERATIONS:
            shutil.rmtree(service)
    for service_name, operations in OPERATIONS.items():
        *earlier, version = sorted((data / service_name).iterdir())
        for one in earlier:  # botocore loads the newest only
            shutil.rmtree(one)
        descriptions = sorted(version.glob(f"{DESCRIPTION}*"))
        description = cut(read(descriptions[0]), operations)
        for path in version.iterdir():
            if path.name not in READ or path in descriptions:
                path.unlink()
        write(version / DESCRIPTION, description)
    endpoints = read(data / "endpoints.json")
    for partition in endpoints["partitions"]:
        services = partition["services"]
        partition["services"] = {name: services[name] for name in services if name in OPERATIONS}
    write(data / "endpoints.json", endpoints)


def cut(description: dict[str, Any], operations: set[str]) -> dict[str, Any]:
    """A service's description with these operations only, all shapes of theirs, and no prose."""
    description = without_prose(description)
    called = {name: description["operations"][name] for name in sorted(operations)}
    needed: set[str] = set()
    found = set(shapes_of(called))
    while found:
        needed |= found
        found = {name for one in found for name in shapes_of(description["shapes"][one])} - needed
    shapes = {name: description["shapes"][name] for name in sorted(needed)}
    return {**description, "operations": called, "shapes": shapes}


def shapes_of(part: Any) -> Iterator[str]:
    """The names of the shapes that a part of a description refers to."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        for one in part.values():
            yield from shapes_of(one)
    elif isinstance(part, list):
        for one in part:
            yield from shapes_of(one)


def without_prose(part: Any) -> Any:
    """A part of a description without its documentation; a member may have that name, too."""
    if isinstance(part, dict):
        return {
            name: without_prose(one)
            for name, one in part.items()
            if name != "documentation" or not isinstance(one, str)
        }
    return [without_prose(one) for one in part] if isinstance(part, list) else part


def load_when_asked(package: Path) -> None:
    """Lets a package load a module when a name in it is first asked for: to its users, the same.

    Ends where the package does more with those names than to offer them.
    """
    path = package / "__init__.py"
    source = path.read_text(encoding="utf-8")
    if "_FOUND_IN" in source:
        return
    tree = ast.parse(source)
    offers = [
        statement
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom)
        and statement.level == 1
        and statement.module
        # A function that has the name of its module would be hidden by it.
        and statement.module not in [alias.name for alias in statement.names]
    ]
    found_in = {
        alias.asname or alias.name: (one.module or "", alias.name)
        for one in offers
        for alias in one.names
    }
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} & found_in.keys()
    if not offers or used:
        sys.exit(f"{path} is not what tools/slim.py takes it for: {sorted(used) or 'no imports'}")
    lines = source.splitlines()
    for one in offers:
        lines[one.lineno - 1 : one.end_lineno] = [""] * ((one.end_lineno or 0) - one.lineno + 1)
    path.write_text("\n".join(lines) + LOADER.format(found_in=found_in), encoding="utf-8")


def read(path: Path) -> Any:
    """The JSON of a file, which may be compressed."""
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)


def write(path: Path, content: Any) -> None:
    """Writes JSON, not compressed: the package is."""
    path.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def compile_all(package: Path) -> None:
    """Adds the byte code of this Python to a package."""
    # Hash-based and unchecked: unpacking the package changes the times of the files.
    compiled = compileall.compile_dir(
        package,
        quiet=1,
        stripdir=str(package),
        prependdir="/var/task",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        sys.exit(f"{package}: some files cannot be compiled")


def main(build: Path) -> None:
    """Slims every function of a build and says what it saved."""
    functions = [path.parent for path in build.glob("*/lamda.py")]
    if not functions:
        sys.exit(f"{build} has no function: run `sam build` first")
    for function in sorted(functions):
        before = size(function)
        slim(function)
        print(f"{function.name}: {before:.1f} MiB before, {size(function):.1f} MiB after")


def size(folder: Path) -> float:
    """The size of all files in MiB."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20


if __name__ == "__main__":
    main(Path(sys.argv[1]))
