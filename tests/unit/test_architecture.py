"""The map of the house: who may import whom, and that importing needs nothing."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

FUNCTION = Path(__file__).parents[2] / "function"
MODULES = sorted(
    ".".join(path.relative_to(FUNCTION).with_suffix("").parts)
    for path in FUNCTION.rglob("*.py")
    if path.name != "__init__.py"
)
# A module may import those of its own row's right-hand rows only.
LAYERS = [
    {"lamda"},
    {"greenlight.handlers.decision", "greenlight.handlers.failure", "greenlight.handlers.hook"},
    {
        "greenlight.clicks",
        "greenlight.clients",
        "greenlight.decisions",
        "greenlight.failures",
        "greenlight.gates",
    },
    {"greenlight.asking", "greenlight.reports"},
    {
        "greenlight.codedeploy",
        "greenlight.messages",
        "greenlight.secrets",
        "greenlight.slack",
        "greenlight.table",
    },
    {"greenlight.network", "greenlight.observability"},
    {"greenlight.blocks", "greenlight.items", "greenlight.settings", "greenlight.words"},
    {"greenlight.errors"},
    {"greenlight.models"},
]


def imports(module: str) -> set[str]:
    """The modules of ours that a module imports."""
    tree = ast.parse(FUNCTION.joinpath(*module.split(".")).with_suffix(".py").read_text())
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names & set(MODULES)


def test_every_module_has_its_place() -> None:
    assert sorted(set().union(*LAYERS)) == MODULES


def test_imports_run_one_way() -> None:
    for number, layer in enumerate(LAYERS):
        below = set().union(*LAYERS[number + 1 :])
        for module in layer:
            assert imports(module) <= below, module


def test_only_settings_reads_the_environment() -> None:
    readers = [
        module
        for module in MODULES
        if "os.environ" in FUNCTION.joinpath(*module.split(".")).with_suffix(".py").read_text()
    ]

    assert readers == ["greenlight.settings"]


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
