"""The map of the house: who may import whom, and that importing needs nothing."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from botocore import xform_name

from tests.conftest import ROOT
from tools import slim

FUNCTION = ROOT / "function"
PATHS = {
    ".".join(path.relative_to(FUNCTION).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FUNCTION.rglob("*.py")
    if path != FUNCTION / "greenlight" / "__init__.py"  # in no wing
}
MODULES = sorted(PATHS)
# The wings that each may import from, besides itself. Those side by side do not know each other.
WINGS = {
    "handlers": {"gates", "slack", "engines", "storage", "runtime", "model"},
    "gates": {"slack", "engines", "storage", "runtime", "model"},
    "slack": {"runtime", "model"},
    "engines": {"runtime", "model"},
    "storage": {"runtime", "model"},
    "runtime": {"model"},
    "model": set[str](),
}


def imports(module: str) -> set[str]:
    """The modules of ours that a module imports."""
    return imported_names(PATHS[module]) & set(MODULES)


def imported_names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def wing(module: str) -> str:
    return module.split(".")[1]


def test_every_module_is_in_a_wing() -> None:
    assert {wing(module) for module in MODULES if module != "lamda"} == set(WINGS)


@pytest.mark.parametrize("module", [module for module in MODULES if module != "lamda"])
def test_imports_run_down(module: str) -> None:
    allowed = WINGS[wing(module)] | {wing(module)}

    assert {wing(imported) for imported in imports(module)} <= allowed


def test_no_module_imports_itself_by_way_of_others() -> None:
    TopologicalSorter({module: imports(module) for module in MODULES}).prepare()


@pytest.mark.parametrize("module", [one for one in MODULES if one.startswith("greenlight.gates.")])
def test_a_use_case_knows_no_event_and_no_network(module: str) -> None:
    assert not {"boto3", "botocore", "requests", "urllib3"} & {
        name.split(".")[0] for name in imported_names(PATHS[module])
    }


def test_only_settings_reads_the_environment() -> None:
    readers = [
        module for module in MODULES if "os.environ" in PATHS[module].read_text(encoding="utf-8")
    ]

    assert readers == ["greenlight.runtime.settings"]


@pytest.mark.parametrize("module", MODULES)
def test_only_an_engine_names_what_it_is_asked(module: str) -> None:
    if module.startswith("greenlight.engines.") or module == "greenlight.handlers.pause":
        return
    text = PATHS[module].read_text(encoding="utf-8")
    calls = ("ecs", "codedeploy")
    asked = {operation for service in calls for operation in slim.OPERATIONS[service]}

    assert not {name for name in asked if name in text or xform_name(name) in text}


@pytest.mark.parametrize("module", [one for one in MODULES if one.startswith("greenlight.gates.")])
def test_a_use_case_does_not_know_which_engine_it_serves(module: str) -> None:
    assert not re.search(
        r"EngineName\.|engines\.(ecs|codedeploy)", PATHS[module].read_text("utf-8")
    )


def test_what_tests_share_is_in_no_file_of_tests() -> None:
    tests = [path for path in ROOT.glob("tests/**/*.py") if path.name.startswith("test_")]
    shared = {
        (path.name, name)
        for path in tests
        for name in imported_names(path)
        if name.startswith("tests.") and ".test_" in name
    }

    assert len(tests) > 30, "it looks where the tests are"
    assert shared == set()


@pytest.mark.parametrize(
    "environ", [{}, {"AWS_PROFILE": "nobody"}, {"AWS_CONFIG_FILE": __file__}], ids=str
)
def test_importing_needs_no_environment_no_aws_config_and_no_network(
    environ: dict[str, str],
) -> None:
    code = (
        "import socket\n"
        "def refuse(*_): raise AssertionError('an import opened a connection')\n"
        "socket.socket.connect = refuse\n" + "\n".join(f"import {name}" for name in MODULES)
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(FUNCTION), **environ},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
