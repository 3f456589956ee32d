"""The package that is deployed: less than was installed, and the same to whoever calls it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_lambda_powertools
import botocore
import pytest
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.regions import EndpointResolver

from tools import slim

INSTALLED = Path(botocore.__file__).parent / "data"
PACKAGES = Path(aws_lambda_powertools.__file__).parents[1]
# Whose each name is, and what was loaded before it was asked for.
NAMES = """
import importlib, json, sys
package = importlib.import_module(sys.argv[1])
loaded = [name for name in sys.modules if name.startswith(sys.argv[1] + ".")]
names = {}
for name in package.__all__:
    one = getattr(package, name)
    names[name] = getattr(one, "__module__", ""), getattr(one, "__qualname__", repr(one))
print(json.dumps([names, loaded]))
"""


def loader(data: Path) -> Loader:
    return Loader([str(data)], include_default_search_paths=False)


def model(data: Path, service: str) -> ServiceModel:
    description = loader(data).load_service_model(service, "service-2")
    return ServiceModel(slim.without_prose(description), service)


def expanded(shape: Any, within: tuple[str, ...] = ()) -> Any:
    """All that botocore knows of a shape, and of those in it."""
    if shape is None or shape.name in within:
        return shape and shape.name
    within = (*within, shape.name)
    parts = {
        name: expanded(getattr(shape, name), within)
        for name in ("member", "key", "value")
        if hasattr(shape, name)
    }
    members = getattr(shape, "members", {})
    return (
        *(shape.name, shape.type_name, shape.serialization, shape.metadata, parts),
        {name: expanded(member, within) for name, member in members.items()},
    )


def test_nothing_but_what_is_called_is_described(described: Path) -> None:
    services = {path.name for path in described.iterdir() if path.is_dir()}

    assert services == set(slim.OPERATIONS)
    for service, operations in slim.OPERATIONS.items():
        assert set(model(described, service).operation_names) == operations


@pytest.mark.parametrize(
    ("service", "operation"),
    [(service, name) for service, names in slim.OPERATIONS.items() for name in sorted(names)],
)
def test_what_is_called_is_described_as_before(
    described: Path, service: str, operation: str
) -> None:
    before, after = (
        model(where, service).operation_model(operation) for where in (INSTALLED, described)
    )

    assert after.http == before.http
    assert after.metadata == before.metadata
    assert expanded(after.input_shape) == expanded(before.input_shape)
    assert expanded(after.output_shape) == expanded(before.output_shape)
    assert [expanded(one) for one in after.error_shapes] == [
        expanded(one) for one in before.error_shapes
    ]


def test_a_service_is_where_it_was_in_every_region(described: Path) -> None:
    before, after = (
        EndpointResolver(loader(where).load_data("endpoints")) for where in (INSTALLED, described)
    )

    for service in slim.OPERATIONS:
        for partition in before.get_available_partitions():
            regions = before.get_available_endpoints(service, partition, allow_non_regional=True)
            assert after.get_available_endpoints(service, partition, allow_non_regional=True) == (
                regions
            )
            for region in [*regions, "xx-new-1"]:
                endpoint = after.construct_endpoint(service, region, partition)
                assert endpoint == before.construct_endpoint(service, region, partition)


def test_rules_for_endpoints_are_left_as_they_are(described: Path) -> None:
    for service in slim.OPERATIONS:
        before, after = (
            loader(where).load_service_model(service, "endpoint-rule-set-1")
            for where in (INSTALLED, described)
        )
        assert after == before


def test_cutting_twice_does_no_harm(described: Path) -> None:
    files = {path: path.read_bytes() for path in described.rglob("*") if path.is_file()}

    slim.cut_descriptions(described)

    assert {path: path.read_bytes() for path in described.rglob("*") if path.is_file()} == files


def names(package: str, path: Path) -> tuple[dict[str, list[str]], list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", NAMES, package.replace("/", ".")],
        env={"PYTHONPATH": str(path)},
        capture_output=True,
        check=True,
    )
    found, loaded = json.loads(done.stdout)
    return found, loaded


@pytest.mark.parametrize("package", slim.LOADED_WHEN_ASKED)
def test_a_package_that_loads_what_it_is_asked_for_offers_the_same(
    package: str, tmp_path: Path
) -> None:
    top = package.split("/", maxsplit=1)[0]
    shutil.copytree(PACKAGES / top, tmp_path / top)
    slim.load_when_asked(tmp_path / package)
    slim.load_when_asked(tmp_path / package)  # does no harm

    before, all_of_them = names(package, PACKAGES)
    after, loaded = names(package, tmp_path)

    assert after == before
    assert len(loaded) < len(all_of_them) / 3


def test_a_module_can_still_be_had_from_its_package(tmp_path: Path) -> None:
    shutil.copytree(PACKAGES / "charset_normalizer", tmp_path / "charset_normalizer")
    slim.load_when_asked(tmp_path / "charset_normalizer")

    code = "import charset_normalizer as one; assert one.api.from_bytes is one.from_bytes; one.nope"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    message = "AttributeError: module 'charset_normalizer' has no attribute 'nope'"
    assert done.stderr.splitlines()[-1] == message


@pytest.mark.parametrize("source", ["from .one import two\ntwo()\n", "import one\n"])
def test_a_package_that_does_more_than_to_offer_names_ends_the_build(
    source: str, tmp_path: Path
) -> None:
    (tmp_path / "__init__.py").write_text(source)

    with pytest.raises(SystemExit, match=r"is not what tools/slim\.py takes it for"):
        slim.load_when_asked(tmp_path)

    assert (tmp_path / "__init__.py").read_text() == source
