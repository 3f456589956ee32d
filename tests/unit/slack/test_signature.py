"""Slack's signature: what it proves, and that nothing else passes for it."""

import hashlib
import hmac

import pytest
from aws_lambda_powertools.utilities.data_classes import LambdaFunctionUrlEvent
from hypothesis import given
from hypothesis import strategies as st

from greenlight.model.errors import SignatureError
from greenlight.slack.signature import verify_signature

# The example of Slack's documentation.
SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
NOW = 1531420618
BODY = (
    b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow"
    b"&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner"
    b"&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com"
    b"%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN"
    b"&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
)
SIGNATURE = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


def headers(signature: str | None = SIGNATURE, timestamp: str | None = str(NOW)) -> dict[str, str]:
    """Headers as a function URL gives them: in lower case."""
    given = {"x-slack-signature": signature, "x-slack-request-timestamp": timestamp}
    return LambdaFunctionUrlEvent(
        {"headers": {name: value for name, value in given.items() if value is not None}}
    ).headers


def verify(of: dict[str, str], body: bytes = BODY, now: float = NOW, secret: str = SECRET) -> None:
    verify_signature(of, body, lambda: secret, now)


def test_the_known_answer_of_slacks_documentation() -> None:
    verify(headers())


@pytest.mark.parametrize("name", ["X-Slack-Signature", "X-SLACK-SIGNATURE", "x-Slack-signature"])
def test_header_names_are_found_in_any_case(name: str) -> None:
    event = {"headers": {name: SIGNATURE, "X-SLACK-Request-TIMESTAMP": str(NOW)}}

    verify(LambdaFunctionUrlEvent(event).headers)


@pytest.mark.parametrize("seconds", [-300, 0, 299.9, 300])
def test_five_minutes_of_clock_difference_are_taken(seconds: float) -> None:
    verify(headers(), now=NOW + seconds)


@pytest.mark.parametrize("seconds", [-301, 301, 1e9])
def test_more_is_a_refusal_however_well_it_is_signed(seconds: float) -> None:
    with pytest.raises(SignatureError, match="five minutes"):
        verify(headers(), now=NOW + seconds)


@pytest.mark.parametrize(
    ("of", "signed"),
    [
        ({}, False),
        (headers(signature=None), False),
        (headers(timestamp=None), False),
        (headers(timestamp=""), True),
        (headers(timestamp="soon"), True),
        (headers(timestamp="nan"), True),
        (headers(timestamp="-1"), True),
        (headers(timestamp="1531420618.0"), True),
        (headers(timestamp=" 1531420618"), True),
        (headers(timestamp="1531420618\n"), True),
        (headers(timestamp="١٥٣١٤٢٠٦١٨"), True),
        (headers(timestamp="9" * 5000), True),
        (headers(timestamp=str(NOW - 301)), True),
        (headers(timestamp=str(NOW + 301)), True),
        (headers(timestamp=str(NOW - 1)), True),
        (headers(signature=""), True),
        (headers(signature="v0="), True),
        (headers(signature="v0=" + "0" * 64), True),
        (headers(signature=SIGNATURE.upper()), True),
        (headers(signature=SIGNATURE.replace("v0", "v1")), True),
        (headers(signature=SIGNATURE + "\n"), True),
        (headers(signature=f"{SIGNATURE},{SIGNATURE}"), True),
        (headers(signature="v0=" + "é" * 64), True),
    ],
)
def test_anything_else_is_refused(of: dict[str, str], signed: bool) -> None:  # noqa: FBT001
    with pytest.raises(SignatureError) as refused:
        verify(of)

    assert refused.value.signed is signed
    assert SECRET not in str(refused.value)


def test_another_secret_or_another_body_is_refused() -> None:
    with pytest.raises(SignatureError):
        verify(headers(), secret="another-secret-of-somebody-else")
    with pytest.raises(SignatureError):
        verify(headers(), body=BODY + b" ")


def test_the_secret_is_asked_for_only_when_the_rest_is_in_order() -> None:
    def refuse() -> str:
        raise AssertionError("nobody needs it yet")

    for of in ({}, headers(timestamp="1"), headers(signature="v0=x")):
        with pytest.raises(SignatureError):
            verify_signature(of, BODY, refuse, NOW)


anything = st.none() | st.text() | st.from_regex(r"\Av0=[0-9a-f]{64}\Z") | st.just(str(NOW))


@given(signature=anything, timestamp=anything, body=st.binary())
def test_nothing_passes_that_is_not_made_with_the_secret(
    signature: str | None, timestamp: str | None, body: bytes
) -> None:
    with pytest.raises(SignatureError):
        verify(headers(signature, timestamp), body)


@given(body=st.binary(), secret=st.from_regex(r"\A[A-Za-z0-9]{16,128}\Z"))
def test_every_body_can_be_signed(body: bytes, secret: str) -> None:
    digest = hmac.new(secret.encode(), f"v0:{NOW}:".encode() + body, hashlib.sha256).hexdigest()

    verify(headers(f"v0={digest}"), body, secret=secret)
