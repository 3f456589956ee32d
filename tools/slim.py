"""Makes what `sam build` built smaller, and quicker to start.

Usage: python tools/slim.py .aws-sam/build

Takes away what Greenlight never loads: botocore's descriptions of the other 400 services, boto3's
resources and examples, and the command lines of packages. Adds the byte code, which Lambda's
read-only file system would otherwise have compiled again at every cold start; so it must be run by
the Python of the function's runtime. Running it twice does no harm.
"""

import compileall
import shutil
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

SERVICES = frozenset({"codedeploy", "dynamodb", "secretsmanager", "ssm"})
NEVER_LOADED = ("boto3/data", "boto3/examples", "bin")


def slim(function: Path) -> None:
    """Slims the package of one function."""
    for name in NEVER_LOADED:
        shutil.rmtree(function / name, ignore_errors=True)
    for service in (function / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    # Hash-based and unchecked: unpacking the package changes the times of the files.
    compiled = compileall.compile_dir(
        function,
        quiet=1,
        stripdir=str(function),
        prependdir="/var/task",
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        sys.exit(f"{function}: some files cannot be compiled")


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
