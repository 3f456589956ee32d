"""What every test shares."""

import json
import os
import shutil
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import botocore
import pytest
from hypothesis import HealthCheck, settings

from tests import quicker
from tools import slim

ROOT = Path(__file__).parents[1]
EVENTS = ROOT / "events"
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def go_past_proxies(environ: MutableMapping[str, str]) -> None:
    """Whatever proxy there is, it is not asked for what is on loopback."""
    spelt = ("NO_PROXY", "no_proxy")  # which of the two counts depends on who reads it
    hosts = [host for name in spelt for host in environ.get(name, "").split(",") if host]
    for name in spelt:
        environ[name] = ",".join(dict.fromkeys([*hosts, *LOOPBACK]))


go_past_proxies(os.environ)

quicker.keep()
quicker.leave_out_pauses()
quicker.leave_servers_unmeasured()

# How many examples of a property a test looks at: `few` wherever somebody waits, `many` in CI.
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "few")
for profile, most in (("few", 20), ("many", 100)):
    settings.register_profile(
        profile,
        max_examples=most,
        deadline=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
settings.load_profile(PROFILE)


def examples(number: int) -> settings:
    """So many examples where there are many, and as small a part of them as usual elsewhere."""
    return settings(max_examples=number if PROFILE == "many" else number // 5)


def load_event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The fast tests come first, however pytest was told of the files."""
    items.sort(key=lambda item: "functional" in item.path.parts)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """What is marked `unmeasured` is not traced for coverage, which takes as long as all the rest.

    Such tests run in many ways through code that others measure. So do the processes they start.
    """
    coverage = item.config.pluginmanager.getplugin("_cov")
    measuring = coverage.cov_controller if coverage else None
    if not measuring or not item.get_closest_marker("unmeasured"):
        return (yield)
    variables = measured()
    measuring.pause()
    for name in variables:
        del os.environ[name]
    try:
        return (yield)
    finally:
        os.environ |= variables
        measuring.resume()


def measured() -> dict[str, str]:
    """What has the coverage of a process measured, too, where that of the tests is."""
    return {name: value for name, value in os.environ.items() if name.startswith("COV")}


@pytest.fixture(scope="session")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """botocore's data as the package has it: what it does not describe, nobody can call."""
    data = tmp_path_factory.mktemp("botocore") / "data"
    installed = Path(botocore.__file__).parent / "data"
    data.mkdir()
    shutil.copy(installed / "endpoints.json", data)
    for service in (*slim.OPERATIONS, "s3"):
        shutil.copytree(installed / service, data / service)
    slim.cut_descriptions(data)
    return data
