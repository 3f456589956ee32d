"""Whether an answer may have been taken, though the call that brought it failed."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError


class Doubt:
    """What botocore tells of each try of a call; `is_left` if one of them may have been taken."""

    def __init__(self) -> None:
        self.is_left = False

    @contextmanager
    def about(self, client: Any, operation: str) -> Iterator[None]:
        """Notes of what is tried inside; the client outlives it."""
        tried = f"needs-retry.{client.meta.service_model.service_id.hyphenize()}.{operation}"
        self.is_left = False
        client.meta.events.register(tried, self._note)
        try:
            yield
        finally:
            client.meta.events.unregister(tried, self._note)

    def _note(
        self, response: tuple[Any, Any] | None, caught_exception: Exception | None, **_: Any
    ) -> None:
        if response is not None:
            self.is_left |= response[0].status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
        elif not isinstance(caught_exception, EndpointConnectionError | ConnectTimeoutError):
            self.is_left = True
