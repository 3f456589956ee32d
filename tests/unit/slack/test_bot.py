"""What a bot makes of Slack's answers, the odd ones too."""

import traceback
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import requests_mock
from hypothesis import given
from hypothesis import strategies as st

from greenlight.model.errors import (
    SlackBotError,
    SlackError,
    SlackRefusedError,
    SlackTokenError,
)
from greenlight.model.gate import Place
from greenlight.runtime.network import Countdown
from greenlight.slack.bot import SlackBot

API = "https://slack.example.com/api"
POST, UPDATE = f"{API}/chat.postMessage", f"{API}/chat.update"
MESSAGE = {"text": "hello", "blocks": [{"type": "divider"}]}
PLACE = Place("C0RELEASES", "1700000000.000100")
OK = {"ok": True, "channel": PLACE.channel, "ts": PLACE.ts}
TOKEN = "xoxb-very-secret-1"


class Tokens:
    """A token, and the one that there is afresh."""

    def __init__(self, *tokens: str) -> None:
        self._tokens = list(tokens)
        self.asked: list[bool] = []

    def __call__(self, *, fresh: bool = False) -> str:
        self.asked.append(fresh)
        return self._tokens[-1 if fresh else 0]


@pytest.fixture
def http() -> Iterator[requests_mock.Mocker]:
    with requests_mock.Mocker() as mocker:
        yield mocker


def bot(token: Tokens | None = None, countdown: Countdown | None = None) -> SlackBot:
    tokens, seconds = token or Tokens(TOKEN), countdown or Countdown()
    return SlackBot(requests.Session(), tokens, PLACE.channel, API, seconds)


def test_a_message_is_json_and_the_token_is_in_a_header(http: requests_mock.Mocker) -> None:
    http.post(POST, json=OK)

    assert bot().post(MESSAGE) == PLACE

    (request,) = http.request_history
    assert request.json() == {"channel": PLACE.channel, **MESSAGE}
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["Content-Type"] == "application/json"
    assert TOKEN not in request.url


@pytest.mark.parametrize("broadcast", [True, False])
def test_an_answer_is_in_the_thread_of_its_message(
    broadcast: bool,  # noqa: FBT001
    http: requests_mock.Mocker,
) -> None:
    http.post(POST, json=OK)
    elsewhere = Place("C0OTHER", "5.5")

    bot().post(MESSAGE, elsewhere, broadcast=broadcast)

    (request,) = http.request_history
    assert request.json() == {
        "channel": "C0OTHER",
        "thread_ts": "5.5",
        "reply_broadcast": broadcast,
        **MESSAGE,
    }


@pytest.mark.parametrize("error", ["message_not_found", "thread_not_found"])
def test_an_answer_to_what_is_gone_stands_by_itself(error: str, http: requests_mock.Mocker) -> None:
    http.post(POST, [{"json": {"ok": False, "error": error}}, {"json": OK}])

    assert bot().post(MESSAGE, PLACE, broadcast=True) == PLACE

    assert http.request_history[1].json() == {"channel": PLACE.channel, **MESSAGE}


def test_a_message_is_changed_in_place(http: requests_mock.Mocker) -> None:
    http.post(UPDATE, json=OK)

    assert bot().update(PLACE, MESSAGE) is True

    (request,) = http.request_history
    assert request.json() == {"channel": PLACE.channel, "ts": PLACE.ts, **MESSAGE}


@pytest.mark.parametrize(
    "error", ["message_not_found", "cant_update_message", "edit_window_closed"]
)
def test_a_message_that_cannot_be_changed_any_more_is_said_to_be(
    error: str, http: requests_mock.Mocker
) -> None:
    http.post(UPDATE, json={"ok": False, "error": error})

    assert bot().update(PLACE, MESSAGE) is False


def test_what_cannot_be_posted_is_not_lost(http: requests_mock.Mocker) -> None:
    """These are errors of a change or of an answer."""
    http.post(POST, json={"ok": False, "error": "message_not_found"})

    with pytest.raises(SlackError):
        bot().post(MESSAGE)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("invalid_blocks", SlackRefusedError),
        ("msg_too_long", SlackRefusedError),
        ("no_text", SlackRefusedError),
        ("not_in_channel", SlackBotError),
        ("missing_scope", SlackBotError),
        ("token_expired", SlackTokenError),
        ("not_authed", SlackTokenError),
        ("service_unavailable", SlackError),
        ("ratelimited", SlackError),
    ],
)
def test_an_error_of_slack_s_is_its_kind(
    error: str, kind: type[SlackError], http: requests_mock.Mocker
) -> None:
    for url, call in ((POST, bot().post), (UPDATE, lambda of: bot().update(PLACE, of))):
        http.post(url, json={"ok": False, "error": error})

        with pytest.raises(kind) as failed:
            call(MESSAGE)

        assert type(failed.value) is kind
        assert (failed.value.reason, failed.value.status) == (error, 200)
        assert not failed.value.in_doubt


@pytest.mark.parametrize(
    "answer",
    [
        {"text": "ok"},
        {"text": ""},
        {"text": "null"},
        {"text": "[]"},
        {"text": '"ok"'},
        {"text": "{}"},
        {"text": '{"ok": "true"}'},
        {"text": '{"ok": false}'},
        {"text": '{"ok": false, "error": 5}'},
        {"text": f'{{"ok": false, "error": "{TOKEN} very-secret"}}'},
        {"text": "<html>very-secret</html>", "status_code": 502},
        {"text": "{", "status_code": 500},
        {"content": b"\xff\xfe\x00"},
        {"text": "", "status_code": 302, "headers": {"Location": "https://very-secret"}},
    ],
)
def test_what_is_no_answer_of_slack_s_is_an_error_that_repeats_nothing_of_it(
    answer: dict[str, Any], http: requests_mock.Mocker
) -> None:
    http.post(POST, **answer)
    asked = bot()

    with pytest.raises(SlackError) as failed:
        asked.post(MESSAGE)

    assert type(failed.value) is SlackError
    assert failed.value.reason == "not an answer of Slack's Web API"
    assert failed.value.status == answer.get("status_code", 200)
    assert "very-secret" not in "".join(traceback.format_exception(failed.value))
    assert len(http.request_history) == 1


@given(st.text() | st.binary())
def test_whatever_is_answered_it_is_an_error_of_ours(text: str | bytes) -> None:
    content = text.encode(errors="replace") if isinstance(text, str) else text
    with requests_mock.Mocker() as http:
        http.post(POST, content=content)

        with pytest.raises(SlackError):
            bot().post(MESSAGE)


@pytest.mark.parametrize(
    "answer", [{"ok": True}, {"ok": True, "ts": "1"}, {"ok": True, "ts": 1, "channel": "C0"}]
)
def test_a_message_that_is_nowhere_is_in_doubt(
    answer: dict[str, Any], http: requests_mock.Mocker
) -> None:
    http.post(POST, json=answer)
    asked = bot()

    with pytest.raises(SlackError) as failed:
        asked.post(MESSAGE)

    assert failed.value.in_doubt
    assert asked.in_doubt


def test_an_answer_that_does_not_come_leaves_it_in_doubt(http: requests_mock.Mocker) -> None:
    http.post(POST, exc=requests.exceptions.ReadTimeout(f"at {TOKEN}"))
    asked = bot()

    with pytest.raises(SlackError) as failed:
        asked.post(MESSAGE)

    assert failed.value.in_doubt
    assert asked.in_doubt
    assert TOKEN not in "".join(traceback.format_exception(failed.value))


# The token.


def test_a_token_that_is_not_honoured_is_looked_up_afresh_once(
    http: requests_mock.Mocker,
) -> None:
    tokens = Tokens(TOKEN, "xoxb-renewed-very-1")
    http.post(POST, [{"json": {"ok": False, "error": "token_revoked"}}, {"json": OK}])

    assert bot(tokens).post(MESSAGE) == PLACE

    assert tokens.asked == [False, True]
    used = [one.headers["Authorization"] for one in http.request_history]
    assert used == [f"Bearer {TOKEN}", "Bearer xoxb-renewed-very-1"]


@pytest.mark.parametrize("tokens", [Tokens(TOKEN), Tokens(TOKEN, "xoxb-renewed-very-1")])
def test_a_token_that_stays_refused_is_an_error(tokens: Tokens, http: requests_mock.Mocker) -> None:
    http.post(POST, json={"ok": False, "error": "invalid_auth"})

    with pytest.raises(SlackTokenError):
        bot(tokens).post(MESSAGE)

    assert tokens.asked == [False, True]


def test_no_token_is_looked_up_afresh_where_there_is_no_time(http: requests_mock.Mocker) -> None:
    tokens, countdown = Tokens(TOKEN, "xoxb-renewed-very-1"), Countdown()
    http.post(POST, json={"ok": False, "error": "invalid_auth"})

    with pytest.raises(SlackTokenError), countdown.until(5):
        bot(tokens, countdown).post(MESSAGE)

    assert tokens.asked == [False]


def test_a_bot_is_checked_by_its_token() -> None:
    tokens = Tokens(TOKEN)

    bot(tokens).check()

    assert tokens.asked == [False]
