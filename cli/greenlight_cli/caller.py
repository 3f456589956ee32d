"""Who calls: the principal behind the AWS credentials in use."""

import shlex
from functools import cached_property
from typing import Any, Final

from botocore.config import Config
from botocore.credentials import EnvProvider
from botocore.exceptions import BotoCoreError, ClientError

from greenlight.model.errors import GreenlightError
from greenlight.runtime.clients import Clients
from greenlight.runtime.network import AWS_CONFIG

ONE_TRY: Final = AWS_CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))


class CallerError(GreenlightError):
    """AWS does not say whose credentials these are; `reason` is its error code."""

    stage = "caller"

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"AWS does not say whose credentials these are: {reason}")


class CallerClients(Clients):
    """The clients of a person at a terminal."""

    # What such a person names a region and a profile with.
    region_option = "--region"
    profile_option = "--profile"

    @cached_property
    def sts(self) -> Any:
        """STS, to ask who calls."""
        return self._client("sts", AWS_CONFIG)

    @cached_property
    def ssm(self) -> Any:
        """SSM, to store secrets; asked once, as a second try would meet what the first stored."""
        return self._client("ssm", ONE_TRY)

    def caller_arn(self) -> str:
        """The ARN of the IAM principal. Raises CallerError."""
        try:
            return str(self.sts.get_caller_identity()["Arn"])
        except ClientError as exc:
            raise CallerError(exc.response["Error"]["Code"]) from exc
        except BotoCoreError as exc:
            raise CallerError(type(exc).__name__) from exc

    def whom(self) -> str:
        """Which account and region of AWS is asked, and as whom, as far as AWS says so."""
        try:
            arn = self.caller_arn()
        except CallerError as exc:
            return f"region {self.region} (as whom, is not known: {exc.reason})"
        return f"account {arn.split(':')[4]} in region {self.region}, as {arn}"

    @property
    def region(self) -> str:
        """The region that is asked."""
        return self._session.region_name

    @property
    def credentials_are_in_the_environment(self) -> bool:
        """Whether that is where boto3 found them."""
        credentials = self._session.get_credentials()
        return credentials is not None and credentials.method == EnvProvider.METHOD

    def aws(self, command: str) -> str:
        """A command of the AWS CLI, for the profile that is used."""
        profile = self._session.profile_name
        options = [] if profile == "default" else ["--profile", profile]
        return shlex.join(["aws", *command.split(), *options])
