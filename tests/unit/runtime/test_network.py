"""The bounds of outside calls: on a clock of the test's own, against a real local server."""

import socket
import threading
import time

import pytest
import requests

from greenlight.runtime.network import TRY_SECONDS, Countdown, http_session
from stand_ins.slack import Answer, SlackStandIn, slack_stand_in


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    return slept


def post(slack: SlackStandIn, countdown: Countdown | None = None) -> requests.Response:
    with http_session(countdown or Countdown(), timeouts=(1, 0.2)) as http:
        return http.post(slack.webhook_url, json={"text": "hello"})


def test_a_countdown_allows_what_ends_in_time() -> None:
    clock = Clock()
    countdown = Countdown(clock)

    clock.now += 20

    assert countdown.allows(TRY_SECONDS - 20)
    assert not countdown.allows(TRY_SECONDS - 19.9)
    countdown.restart()
    assert countdown.allows(TRY_SECONDS)


def test_a_step_has_only_the_time_until_its_second() -> None:
    clock = Clock()
    countdown = Countdown(clock)

    with countdown.until(8):
        assert countdown.allows(8)
        assert not countdown.allows(8.1)
    assert countdown.allows(TRY_SECONDS)


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_an_overloaded_server_is_asked_again(status: int, sleeps: list[float]) -> None:
    with slack_stand_in([Answer(status, "busy"), Answer(status, "busy")]) as slack:
        assert post(slack).text == "ok"
        assert len(slack.posts) == 3
    assert sum(sleeps) <= 5


def test_the_number_of_tries_is_bounded(sleeps: list[float]) -> None:
    with slack_stand_in([Answer(503, "busy")] * 9) as slack:
        assert post(slack).status_code == 503
        assert len(slack.posts) == 3
    assert sleeps


@pytest.mark.parametrize("status", [400, 403, 404, 410])
def test_a_refusal_is_not_asked_again(status: int) -> None:
    with slack_stand_in([Answer(status, "no")]) as slack:
        assert post(slack).status_code == status
        assert len(slack.posts) == 1


def test_a_connection_that_breaks_is_made_again(sleeps: list[float]) -> None:
    with slack_stand_in([Answer(None)]) as slack:
        assert post(slack).text == "ok"
        assert len(slack.posts) == 2


def test_a_short_retry_after_is_waited_for(sleeps: list[float]) -> None:
    with slack_stand_in([Answer(429, "rate_limited", {"Retry-After": "2"})]) as slack:
        assert post(slack).text == "ok"
    assert sleeps == [2]


def test_a_long_retry_after_is_left_to_lambda(sleeps: list[float]) -> None:
    with slack_stand_in([Answer(429, "rate_limited", {"Retry-After": "60"})]) as slack:
        assert post(slack).status_code == 429
        assert len(slack.posts) == 1
    assert sleeps == []


def test_an_unanswered_post_is_not_sent_again_in_place() -> None:
    over = threading.Event()
    with slack_stand_in([Answer(pause=over.wait)]) as slack:
        with pytest.raises(requests.ReadTimeout):
            post(slack)
        over.set()
        assert len(slack.posts) == 1


def test_an_answer_that_trickles_is_bounded_by_its_silences_not_as_a_whole() -> None:
    read_timeout = 0.5

    def trickle(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n")
            for _ in range(4):
                time.sleep(read_timeout * 0.4)
                connection.sendall(b"o")

    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        http_session(Countdown(), timeouts=(1, read_timeout)) as http,
    ):
        threading.Thread(target=trickle, args=[server]).start()
        started = time.monotonic()
        answer = http.post(f"http://127.0.0.1:{server.getsockname()[1]}", data=b"x")

    assert answer.text == "oooo"
    assert time.monotonic() - started > read_timeout, (
        "as the module says: Lambda may have to end it"
    )


def test_a_retry_that_could_not_end_in_time_is_not_started(sleeps: list[float]) -> None:
    clock = Clock()
    countdown = Countdown(clock)

    def take_long() -> None:
        clock.now += TRY_SECONDS - 1

    with slack_stand_in([Answer(503, "busy", pause=take_long)]) as slack:
        assert post(slack, countdown).status_code == 503
        assert len(slack.posts) == 1
    assert sleeps == []
