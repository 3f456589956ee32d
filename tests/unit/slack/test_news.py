"""Reminders, and what is said of an end below a message: true, within Slack's limits, escaped."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenlight.model.gate import Gate, GateStatus, Outcome, Place, Via
from greenlight.model.life import News
from greenlight.model.message import Commands, Language, Look, Message, Pointers
from greenlight.slack.messages import answer_to, reminder, render
from stand_ins.slack import broken_limits

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
PLACE = Place("C0RELEASES", "1700000000.000100")
POINTERS = Pointers(
    console_url="https://console.example.com/d-K4WQ7RZ2H?region=x",
    commands=Commands("aws approve", "aws reject"),
    options=("--table", "gates"),
)
GATE = Gate(
    deployment_id="d-K4WQ7RZ2H",
    hook_execution_id="hook-local",
    status=GateStatus.WAITING,
    test_url="https://green.example.com/",
    created_at=NOW,
    deadline=NOW + timedelta(hours=1),
    decide_by=NOW + timedelta(minutes=30),
    notified_at=NOW,
)
SPOKEN = [
    (Language.ENGLISH,),
    (Language.KOREAN, Language.JAPANESE),
    (Language.JAPANESE, Language.ENGLISH),
]
OUR_MARKUP = re.compile(
    r"<https?://[^<>|\s]*\|[^<>]*>|<@[A-Z0-9]+>"
    r"|<!date\^\d+\^\{date_short_pretty\} \{time\}\|[0-9:\- ]+UTC>"
)
outside = st.text(max_size=400) | st.sampled_from(
    ["<!channel>", "<@U0EVERYBODY>", "&" * 3000, "<" * 3000, "x" * 4000, "{who}{when}", "```", "*"]
)
approvers = st.lists(st.from_regex(r"[UW][A-Z0-9]{1,30}", fullmatch=True), max_size=60)
places = st.sampled_from([None, PLACE])


def texts(of: Message) -> list[str]:
    """All the texts with markup of a message."""
    return [
        text["text"]
        for block in of["blocks"]
        if block["type"] == "section"
        for text in [block.get("text"), *block.get("fields", [])]
        if text
    ]


def check(said: Message) -> None:
    """A message is one that Slack takes, and nothing in it means more than we mean."""
    assert broken_limits(said) == []
    for text in texts(said):
        left = OUR_MARKUP.sub("", text)
        assert "<" not in left
        assert ">" not in left


@given(outside, outside, approvers, outside, places, st.sampled_from(SPOKEN), st.booleans())
def test_a_reminder_is_one_that_slack_takes_whatever_comes_from_outside(
    description: str,
    claimed_by: str,
    may_decide: list[str],
    path: str,
    place: Place | None,
    languages: tuple[Language, ...],
    has_buttons: bool,  # noqa: FBT001
) -> None:
    gate = replace(
        GATE,
        description=description,
        claimed_by=claimed_by or None,
        claimed_at=NOW,
        test_url=f"https://green.example.com/{path}",
        place=place,
    )
    look = Look(languages, "https://example.com/cat.gif", has_buttons=has_buttons)

    check(reminder(gate, may_decide, NOW, POINTERS, look))


ENDED: list[dict[str, Any]] = [
    *(
        {"status": GateStatus.APPROVED, "decided_via": via, "outcome": outcome}
        for via in (Via.SLACK, Via.CLI, Via.ELSEWHERE)
        for outcome in Outcome
    ),
    {"status": GateStatus.EXPIRED, "decided_via": Via.CLOCK},
    {"status": GateStatus.EXPIRED, "decided_via": Via.CLOCK, "outcome": Outcome.FAILED},
    {"status": GateStatus.REJECTED, "decided_via": Via.CLI, "outcome": Outcome.STOPPED},
    {"status": GateStatus.FAILED, "outcome": Outcome.FAILED},
]


@given(st.sampled_from(ENDED), outside, outside, outside, st.sampled_from(SPOKEN))
def test_what_is_said_of_an_end_is_what_slack_takes_whatever_comes_from_outside(
    ended: dict[str, Any], by: str, reason: str, why: str, languages: tuple[Language, ...]
) -> None:
    gate = replace(
        GATE,
        **ended,
        decided_by=by or None,
        decided_at=NOW,
        reported_at=NOW,
        failed_at=NOW,
        reason=reason or None,
        outcome_at=NOW,
        outcome_reason=why or None,
        place=PLACE,
    )
    look = Look(languages)

    said = answer_to(gate, look)

    is_news = gate.status in (GateStatus.APPROVED, GateStatus.EXPIRED)
    assert bool(said) is is_news, "how a rejected deployment ends is none"
    if said:
        check(said)
    check(render(gate, News.CLOSED, POINTERS, look))


def in_english(gate: Gate, may_decide: tuple[str, ...] = (), now: datetime = NOW) -> str:
    return "\n".join(texts(reminder(gate, may_decide, now, POINTERS, Look((Language.ENGLISH,)))))


@pytest.mark.parametrize(
    ("left", "said"), [(30, 30), (15.4, 15), (1, 1), (0.2, 1)], ids=["30", "15.4", "1", "0.2"]
)
def test_a_reminder_says_how_long_is_left(left: float, said: int) -> None:
    now = NOW + timedelta(minutes=30 - left)

    assert f"*{said} min* left to decide" in in_english(GATE, now=now)


@pytest.mark.parametrize(
    ("claimed_by", "may_decide", "whom"),
    [
        (None, (), []),
        (None, ("U0BOB", "U0ALICE"), ["U0ALICE", "U0BOB"]),
        ("U0CAROL", (), ["U0CAROL"]),
        ("U0BOB", ("U0BOB", "U0ALICE"), ["U0BOB"]),
        ("U0CAROL", ("U0ALICE",), ["U0CAROL", "U0ALICE"]),
    ],
)
def test_a_reminder_is_for_whom_it_concerns(
    claimed_by: str | None, may_decide: tuple[str, ...], whom: list[str]
) -> None:
    said = in_english(replace(GATE, claimed_by=claimed_by, place=PLACE), may_decide)

    assert re.findall(r"<@([A-Z0-9]+)>", said) == whom


@pytest.mark.parametrize("place", [None, PLACE])
def test_a_reminder_of_a_webhook_is_all_that_people_need(place: Place | None) -> None:
    look = Look((Language.ENGLISH,), "https://example.com/cat.gif", has_buttons=True)

    said = reminder(replace(GATE, place=place), (), NOW, POINTERS, look)

    kinds = {block["type"] for block in said["blocks"]}
    assert kinds == ({"section"} if place else {"header", "section", "input", "actions", "image"})
    assert said["text"].startswith("⏰")


def test_what_a_message_says_itself_is_not_said_below_it_too() -> None:
    for status in (GateStatus.APPROVED, GateStatus.REJECTED):
        gate = replace(GATE, status=status, decided_via=Via.SLACK, decided_by="U0ALICE")

        assert answer_to(gate, Look((Language.ENGLISH,))) is None


@pytest.mark.parametrize(
    ("outcome", "by", "is_told"),
    [
        (Outcome.LIVE, "U0ALICE", False),
        (Outcome.FAILED, "U0ALICE", True),
        (Outcome.ROLLED_BACK, "U0ALICE", True),
        (Outcome.FAILED, None, False),
    ],
)
def test_who_approved_is_told_of_a_release_that_did_not_stay_live(
    outcome: Outcome,
    by: str | None,
    is_told: bool,  # noqa: FBT001
) -> None:
    gate = replace(
        GATE,
        status=GateStatus.APPROVED,
        decided_via=Via.SLACK if by else Via.ELSEWHERE,
        decided_by=by,
        outcome=outcome,
        outcome_at=NOW + timedelta(minutes=12),
        outcome_reason="ALARM_ACTIVE: <an alarm>",
    )

    said = answer_to(gate, Look((Language.ENGLISH,)))

    assert said
    whole = "\n".join(texts(said))
    assert ("did not stay live" in whole) is is_told
    assert "12 min since people were asked" in whole
    assert "ALARM_ACTIVE: &lt;an alarm&gt;" in whole
