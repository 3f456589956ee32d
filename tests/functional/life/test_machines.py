"""Machines hear of each change of a gate, once, with what the command shows of it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from stand_ins.clicks import BOB
from stand_ins.codedeploy import set_status
from stand_ins.slack import refusal
from tests.functional.conftest import Output
from tests.functional.life.release import ID, REPORT, Release


def details(release: Release) -> list[dict[str, Any]]:
    """What machines were told, the oldest first."""
    return [json.loads(entry["Detail"]) for entry in release.aws.published]


def test_each_change_of_a_gate_is_one_event(release: Release) -> None:
    release.open()
    release.click("claim", user=BOB)
    release.follow()
    release.click("approve", reason="<fine>")
    release.follow()
    set_status(ID, "Succeeded")
    release.ends("SUCCESS")
    release.follow()

    told = [
        (one["status"], one["claimed_by"], bool(one["reported_at"]), one["outcome"])
        for one in details(release)
    ]
    assert told == [
        ("WAITING", None, False, None),
        ("WAITING", "U0BOB", False, None),
        ("APPROVED", "U0BOB", False, None),
        ("APPROVED", "U0BOB", True, None),
        ("APPROVED", "U0BOB", True, "live"),
    ]
    for entry in release.aws.published:
        assert entry["Source"] == "greenlight"
        assert entry["DetailType"] == "Greenlight Gate State Change"
        assert entry["EventBusName"] == "default"


@pytest.mark.parametrize("way", ["bot", "webhook"])
def test_an_event_has_what_the_command_shows(way: str, release: Release) -> None:
    release.open(way)
    release.greenlight("reject", ID, "--reason", "no")
    shown = json.loads(release.greenlight("show", ID, "--json").stdout)

    release.follow()

    (*_, told) = details(release)
    assert told == shown
    assert told["message_channel"] == ("C0RELEASES" if way == "bot" else None)


def test_a_decision_that_is_given_back_is_told_too(release: Release) -> None:
    release.open()
    release.aws.failures[REPORT] = ["AccessDeniedException"]
    release.click("approve")
    release.follow()

    assert [one["status"] for one in details(release)] == ["WAITING", "APPROVED", "WAITING"]


def test_machines_hear_of_a_change_though_slack_does_not_take_it(release: Release) -> None:
    release.open()
    release.greenlight("approve", ID)
    release.slack.script.append(refusal("service_unavailable"))

    with pytest.raises(Exception, match="service_unavailable"):
        release.follow()

    assert details(release)[-1]["status"] == "APPROVED"


@pytest.mark.parametrize(
    ("failure", "expected"),
    [("answer", "InternalException"), ("entry", "ThrottlingException"), ("network", "Endpoint")],
)
def test_a_bus_that_takes_nothing_costs_nothing_else(
    failure: str, expected: str, release: Release, output: Callable[[], Output]
) -> None:
    release.post_by("bot")
    if failure == "answer":
        release.aws.failures["PutEvents"] = ["InternalException"] * 3
    if failure == "entry":
        release.aws.refused_entries = ["ThrottlingException"]
    changes = {"AWS_ENDPOINT_URL_EVENTBRIDGE": "http://127.0.0.1:9"} if failure == "network" else {}

    release.open(**changes)

    written = output()
    assert "EventNotPublished" in written.text
    assert expected in written.text
    assert '"stage":"publish"' in written.text
    assert written.failures == []
    assert len(release.moments()) == 2
    release.greenlight("approve", ID)
    release.follow()
    assert release.messages[0].buttons == []


def test_without_a_bus_no_machine_is_told(release: Release) -> None:
    release.open(EVENT_BUS_NAME=None)
    release.greenlight("approve", ID)
    release.follow()

    assert "PutEvents" not in release.aws.operations
