"""A function calls itself, so that each thing that it has found has tries of its own."""

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from greenlight.model.errors import CallError

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient


def call_again(client: "LambdaClient", function: str, event: dict[str, Any]) -> None:
    """Has Lambda call a function, by its name, with an event, later. Raises CallError."""
    try:
        client.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))
    except ClientError as exc:
        raise CallError(function, exc.response["Error"]["Code"]) from exc
    except BotoCoreError as exc:
        raise CallError(function, type(exc).__name__) from exc
