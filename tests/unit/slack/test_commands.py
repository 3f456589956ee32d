"""A slash command: what is read of a request that Slack signed, whatever people type."""
# ruff: noqa: RUF001  # the quotes are what keyboards make of them

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenlight.model.errors import ClickError
from greenlight.model.gate import Decision, Verdict, Via, is_gate_id
from greenlight.slack.commands import Command, Verb, parse_command
from greenlight.slack.forms import fields_of, is_command
from stand_ins.clicks import command_form, form
from tests.conftest import load_event

COMMAND = load_event("decision/slash_command")
SMART = load_event("decision/slash_command_smart_quotes")


def typed(text: str, **changes: Any) -> Command:
    body = urlencode({**COMMAND, "text": text, **changes}, errors="replace").encode()
    return parse_command(fields_of(body))


def test_a_command_says_who_decided_what() -> None:
    command = parse_command(fields_of(urlencode(COMMAND).encode()))

    assert (command.name, command.verb) == ("/greenlight", Verb.REJECT)
    assert command.gate_id == "d-LOCALTEST"
    assert command.decision == Decision(
        Verdict.REJECT, "U0ALICE", Via.SLACK, "Checkout is broken", "alice", "T0000"
    )
    assert command.response_url == "https://hooks.slack.com/commands/T0000/1/secret"
    assert "secret" not in repr(command)


def test_what_keyboards_make_of_an_id_is_taken_off_and_a_reason_keeps_its_text() -> None:
    command = parse_command(SMART)

    assert (command.verb, command.gate_id) == (Verb.APPROVE, "d-LOCALTEST")
    assert command.reason == "it’s “fine” <!channel>"
    assert (command.user_id, command.team_id) == ("W0BOB", "T0000")


@pytest.mark.parametrize(
    "around",
    [
        "d-LOCALTEST",
        "“d-LOCALTEST”",
        "‘d-LOCALTEST’",
        "„d-LOCALTEST“",
        "«d-LOCALTEST»",
        "「d-LOCALTEST」",
        '"d-LOCALTEST"',
        "'d-LOCALTEST'",
        "`d-LOCALTEST`",
        "```d-LOCALTEST```",
        "<d-LOCALTEST>",
        "&lt;d-LOCALTEST&gt;",
        "`“d-LOCALTEST”`",
        "*d-LOCALTEST*",
        "d-LOCALTEST,",
        "(d-LOCALTEST)",
        "\u200bd-LOCALTEST\ufeff",
        "\u00a0d-LOCALTEST\u00a0",
        "<https://console.example.com/d-LOCALTEST?region=x|d-LOCALTEST>",
    ],
)
@pytest.mark.parametrize("verb", ["approve", "show"])
def test_an_id_is_found_whatever_stands_around_it(verb: str, around: str) -> None:
    command = typed(f"{verb} {around}")

    assert (command.verb, command.gate_id) == (verb, "d-LOCALTEST")


@pytest.mark.parametrize("gate_id", ["d-K4WQ7RZ2H", "0EYSiB0qap8xf0N76FsbE-1a2b3c4d", "a_", "D-"])
def test_an_id_is_matched_as_it_is_shown(gate_id: str) -> None:
    assert typed(f"approve {gate_id}").gate_id == gate_id


@pytest.mark.parametrize("text", ["", "  ", "help", "HELP me", "`help`"])
def test_who_types_nothing_or_help_asks_for_help(text: str) -> None:
    command = typed(text)

    assert command.verb is Verb.HELP
    assert command.decision is None


@pytest.mark.parametrize(
    "text",
    ["aprove d-1", "approve", "reject ``", "show", "approved d-1", "승인 d-1", "d-1", "--help x"],
)
def test_what_is_not_understood_decides_nothing(text: str) -> None:
    command = typed(text)

    assert command.verb is None or command.verb is Verb.HELP
    assert command.decision is None


@pytest.mark.parametrize("text", ["list", "List", " list  ", "“list”", "list please"])
def test_a_list_needs_no_id(text: str) -> None:
    assert typed(text).verb is Verb.LIST


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("approve d-1", None),
        ("approve d-1   ", None),
        ("approve d-1 tested  checkout\n and  more ", "tested  checkout\n and  more"),
        ('reject d-1 "it breaks"', '"it breaks"'),
        ("reject d-1 --reason x", "--reason x"),
        ("reject d-1 " + "x" * 5000, "x" * 300),
    ],
)
def test_a_reason_is_all_that_follows_and_cut_to_what_the_input_takes(
    text: str, reason: str | None
) -> None:
    assert typed(text).reason == reason


@pytest.mark.parametrize("user_id", [None, "", "<!channel>", "u1", "U" * 65])
def test_a_command_that_does_not_say_who_typed_it_is_an_error(user_id: str | None) -> None:
    fields = {name: value for name, value in COMMAND.items() if name != "user_id"}
    if user_id is not None:
        fields["user_id"] = user_id

    with pytest.raises(ClickError, match="user_id"):
        parse_command(fields)


def test_nothing_is_answered_to_a_response_url_that_is_not_slacks() -> None:
    assert typed("list", response_url="https://evil.example/commands").response_url is None


@pytest.mark.parametrize("team_id", ["", "t1", "<!here>"])
def test_a_team_that_is_none_is_left_out(team_id: str) -> None:
    assert typed("list", team_id=team_id).team_id is None


def test_a_click_is_no_command_and_a_command_no_click() -> None:
    assert is_command(fields_of(command_form("list", "x")))
    assert not is_command(fields_of(form({"command": "/greenlight"})))
    assert not is_command(fields_of(b"command=%2Fgreenlight&payload=x"))


# Hostile text.

around_ids = st.text(st.characters(categories=["P", "S", "Z", "Cf"]), max_size=8)
lines = st.text() | st.tuples(
    st.sampled_from([*map(str, Verb), "Approve", "“reject”", "/greenlight"]),
    around_ids,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", fullmatch=True),
    around_ids,
    st.text(),
).map(lambda parts: f"{parts[0]} {parts[1]}{parts[2]}{parts[3]} {parts[4]}")


@given(lines)
def test_any_line_is_a_command_that_decides_only_by_its_own_words(text: str) -> None:
    command = typed(text)

    decision = command.decision
    if decision:
        first, second = text.split(maxsplit=2)[:2]
        assert decision.verdict in first.lower()
        assert command.gate_id
        assert command.gate_id in second
    if command.reason is not None:
        assert 1 <= len(command.reason) <= 300
        assert command.reason in text.encode(errors="replace").decode()


@given(
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", fullmatch=True),
    st.text(st.sampled_from("“”‘’`'\"<>«»*,.;:!()\u200b\ufeff"), max_size=20),
    st.text(st.sampled_from("“”‘’`'\"<>«»*,.;:!()\u200b\ufeff"), max_size=20),
)
def test_whatever_stands_around_an_id_it_is_that_one(gate_id: str, before: str, after: str) -> None:
    command = typed(f"approve {before}{gate_id}{after} because")

    assert is_gate_id(command.gate_id)
    assert (command.gate_id, command.reason) == (gate_id, "because")


@given(st.dictionaries(st.sampled_from([*COMMAND, "payload"]) | st.text(), st.text()))
def test_any_form_is_a_command_or_one_error(fields: dict[str, str]) -> None:
    try:
        command = parse_command({"command": "/greenlight", **fields})
    except ClickError as failed:
        assert len(str(failed)) < 200, "what was sent is not repeated"
        return
    assert isinstance(command, Command)


def test_a_long_word_takes_no_time() -> None:
    assert typed("show " + "!" * 100_000 + "a" + "!" * 100_000 + "b").verb is None
