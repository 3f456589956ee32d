"""Who calls: the principal behind the AWS credentials in use."""

from functools import cached_property
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from greenlight.clients import Clients
from greenlight.errors import GreenlightError
from greenlight.network import AWS_CONFIG


class CallerError(GreenlightError):
    """AWS does not say whose credentials these are; `reason` is its error code."""

    stage = "caller"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"AWS does not say whose credentials these are: {reason}")


class CallerClients(Clients):
    """The clients of a person at a terminal."""

    @cached_property
    def sts(self) -> Any:
        """STS, to ask who calls."""
        return self._client("sts", AWS_CONFIG)

    def caller_arn(self) -> str:
        """The ARN of the IAM principal. Raises CallerError."""
        try:
            return str(self.sts.get_caller_identity()["Arn"])
        except ClientError as exc:
            raise CallerError(exc.response["Error"]["Code"]) from exc
        except BotoCoreError as exc:
            raise CallerError(type(exc).__name__) from exc
