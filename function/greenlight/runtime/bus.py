"""An EventBridge bus, on which machines are told what becomes of gates."""

import json
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from greenlight.model.errors import PublishError

if TYPE_CHECKING:
    from types_boto3_events import EventBridgeClient

SOURCE: Final = "greenlight"
DETAIL_TYPE: Final = "Greenlight Gate State Change"


class Bus:
    """A bus, by its name or ARN."""

    def __init__(self, client: "EventBridgeClient", name: str) -> None:
        self._client = client
        self._name = name

    def publish(self, detail: dict[str, Any]) -> None:
        """Puts an event on the bus. Raises PublishError."""
        entry: Any = {
            "Source": SOURCE,
            "DetailType": DETAIL_TYPE,
            "Detail": json.dumps(detail),
            "EventBusName": self._name,
        }
        try:
            answer = self._client.put_events(Entries=[entry])
        except ClientError as exc:
            raise PublishError(self._name, exc.response["Error"]["Code"]) from exc
        except BotoCoreError as exc:
            raise PublishError(self._name, type(exc).__name__) from exc
        if answer["FailedEntryCount"]:
            raise PublishError(self._name, answer["Entries"][0].get("ErrorCode", "unknown"))
