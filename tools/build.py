"""The functions' package: built and run by one Python, whichever is there."""

import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import click
import yaml

from tools.stack import Refused, Stack

TEMPLATE: Final = Path(__file__).parents[1] / "template.yaml"
# Below the folder that make runs in.
BUILD: Final = Path(".aws-sam", "build")
OVERRIDES: Final = Path(".aws-sam", "parameters.yaml")


def runtime(stack: Stack | None, known: dict[str, Any]) -> str:
    """The Python that builds and runs the functions: the file's, or one that is on this machine.

    `known`: the template's parameters. Raises Refused.
    """
    allowed = known["Runtime"]["AllowedValues"]
    if stack and "Runtime" in stack.chosen:
        python = stack.parameters["Runtime"]
        if not is_here(python):
            raise Refused(
                f"This machine has no {python} with pip, which {stack.file} names as the Runtime "
                f"and which builds the package. Install it, or name another of {', '.join(allowed)}"
            )
        return python
    usual = known["Runtime"]["Default"]
    for python in [usual, *reversed(allowed)]:
        if is_here(python):
            if python != usual:
                click.echo(f"This machine has no {usual} with pip: {python} builds and runs it.")
            return str(python)
    raise Refused(f"This machine has none of {', '.join(allowed)} with pip. Install one")


def is_here(python: str) -> bool:
    """Whether a Python is on this machine: started, since a name may be a shim without one."""
    try:
        done = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)  # noqa: S603  # a name of the template
    except OSError:
        return False
    return done.returncode == 0


def build(parameters: dict[str, str]) -> None:
    """Builds the package for the Runtime and Architecture among the parameters."""
    python = parameters["Runtime"]
    click.echo(f"Building for {python} on {parameters['Architecture']}, about a minute:")
    OVERRIDES.parent.mkdir(exist_ok=True)
    OVERRIDES.write_text(yaml.safe_dump(parameters), encoding="ascii")
    # What SAM says at the end proposes `sam deploy --guided`.
    sam("build", "--template-file", TEMPLATE, *overrides(), stdout=subprocess.PIPE)
    run(python, Path(__file__).with_name("slim.py"), BUILD)


def overrides() -> list[str]:
    """The option of SAM that brings the parameters of the last build."""
    return ["--parameter-overrides", f"file://{OVERRIDES}"]


def sam(command: str, *options: object, **streams: Any) -> None:
    """Runs a command of SAM, with nothing of what a samconfig.toml on this machine says."""
    run("sam", command, "--config-env", "make", *options, **streams)


def run(*command: object, **streams: Any) -> None:
    """Runs a command, and ends with it where it fails."""
    done = subprocess.run([str(word) for word in command], check=False, **streams)  # noqa: S603
    if done.returncode:
        click.echo(done.stdout or "", nl=False)
        sys.exit(done.returncode)
