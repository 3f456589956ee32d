"""How a request is known to come from Slack."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Final

from greenlight.model.errors import SignatureError

# Slack's own: a request that is older may be a replayed one.
MAX_AGE_SECONDS: Final = 5 * 60
_SIGNATURE: Final = re.compile(r"v0=[0-9a-f]{64}")
_TIMESTAMP: Final = re.compile(r"[0-9]{1,12}")


def verify_signature(
    headers: Mapping[str, str], body: bytes, secret: Callable[[], str], now: float
) -> None:
    """Raises SignatureError unless a request is signed by Slack, now (seconds since 1970).

    `headers` are found in any case, `body` is as it was sent. The signing secret is asked for only
    if the rest is in order.
    """
    signature = headers.get("X-Slack-Signature")
    timestamp = headers.get("X-Slack-Request-Timestamp")
    if not isinstance(signature, str) or not isinstance(timestamp, str):
        raise SignatureError("it is not signed", signed=False)
    if not _TIMESTAMP.fullmatch(timestamp):
        raise SignatureError("its timestamp is no number", signed=True)
    if abs(now - int(timestamp)) > MAX_AGE_SECONDS:
        raise SignatureError("it was signed more than five minutes ago or ahead", signed=True)
    if not _SIGNATURE.fullmatch(signature):
        raise SignatureError("its signature is malformed", signed=True)
    signed = b"v0:" + timestamp.encode() + b":" + body
    expected = hmac.new(secret().encode(), signed, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(f"v0={expected}", signature):
        raise SignatureError("its signature is not made with this signing secret", signed=True)
