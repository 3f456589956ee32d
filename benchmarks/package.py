"""The packages that are compared: the one that `make build` left, and a plain one built alike."""

import io
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

import yaml

from tools.build import BUILD, OVERRIDES

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Subject:
    """A package, and the module in it that is its handler."""

    name: str
    package: Path
    module: str

    @property
    def zipped(self) -> float:
        """The size of the package as it is uploaded, in MiB."""
        archived = io.BytesIO()
        with zipfile.ZipFile(archived, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(self.package.rglob("*")):
                archive.write(path, path.relative_to(self.package))
        return len(archived.getvalue()) / 2**20


def python() -> str:
    """The Python that the package was built for: whichever it is, it has to be on this machine."""
    if not OVERRIDES.exists():
        sys.exit(f"There is no {BUILD}: run `make build` first")
    name = yaml.safe_load(OVERRIDES.read_text(encoding="ascii"))["Runtime"]
    command = [name, "-c", "import sys; print(sys.executable)"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def subjects(python: str, folder: Path, function: str, module: str, plain: str) -> list[Subject]:
    """The plain one, which is built in a folder, and Greenlight's."""
    for one in dependencies(("boto3",), set()):
        for file in one.files or []:
            if "__pycache__" not in file.parts and ".." not in file.parts:
                (folder / file).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), folder / file)
    shutil.copy(ROOT / "benchmarks" / f"{plain}.py", folder)
    as_built = ("-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    subprocess.run([python, *as_built, folder], check=True)
    return [Subject("plain", folder, plain), Subject("Greenlight", BUILD / function, module)]


def dependencies(names: tuple[str, ...], seen: set[str]) -> Iterator[Distribution]:
    """These distributions and all that they require, in the versions that Greenlight has."""
    for name in names:
        if name.lower() in seen:
            continue
        seen.add(name.lower())
        one = distribution(name)
        yield one
        required = [text for text in one.requires or [] if "extra ==" not in text]
        further = tuple(re.split(r"[^A-Za-z0-9._-]", text)[0] for text in required)
        yield from dependencies(further, seen)
