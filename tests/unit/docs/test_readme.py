"""The README says what the code does."""

import re
from pathlib import Path

import pytest

from greenlight.model import errors
from greenlight.runtime import observability
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FAILURES = (ROOT / "docs" / "failures.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["README.md", "docs/operate.md", "Makefile"])
def test_the_command_is_installed_by_the_same_line_everywhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")

    assert "pipx install ." in text
    assert not re.search(r"\bpip install \.", text), "Debian's and Homebrew's Python refuse that"


@pytest.mark.parametrize("page", ["README.md", "README.ko.md"])
def test_it_fits_on_a_few_screens(page: str) -> None:
    assert len((ROOT / page).read_text(encoding="utf-8").splitlines()) <= 130


@pytest.mark.parametrize(
    "error",
    [
        value.__name__
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.GreenlightError)
    ],
)
def test_every_error_is_in_a_failure_table_or_is_the_root_of_them(error: str) -> None:
    assert error == "GreenlightError" or f"`{error}`" in FAILURES


def test_every_setting_is_in_the_table_and_no_other() -> None:
    code = (ROOT / "function/greenlight/runtime/settings.py").read_text()
    read = set(re.findall(r'"([A-Z][A-Z_]+)"', code))

    table = README.partition("## Settings")[2].partition("## ")[0]
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", table)) - {"POWERTOOLS_DEV"}
    assert read <= named
    assert {name for name in named if not name.startswith("POWERTOOLS_")} <= read


def test_every_metric_is_named() -> None:
    names = [
        value
        for name, value in vars(observability).items()
        if name.isupper() and isinstance(value, str)
    ] + [*observability.OUTCOMES.values()]

    assert len(names) > 4
    for name in names:
        assert f"`{name}`" in OPERATE


PAGES = [ROOT / "CONTRIBUTING.md", *ROOT.glob("README*.md"), *ROOT.glob("docs/*.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"`?\bmake ([a-z0-9-]+)`", page.read_text(encoding="utf-8"))) <= targets


@pytest.mark.parametrize(
    "target", ["demo", "test", "simulate", "check", "e2e", "first-hour", "bench", "lock"]
)
def test_what_there_is_for_whoever_changes_something_is_named(target: str) -> None:
    assert f"make {target}" in CONTRIBUTING
