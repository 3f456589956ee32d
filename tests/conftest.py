"""What every test shares."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

EVENTS = Path(__file__).parent.parent / "events"

settings.register_profile(
    "greenlight",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("greenlight")


def load_event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The fast tests come first, however pytest was told of the files."""
    items.sort(key=lambda item: "functional" in item.path.parts)
