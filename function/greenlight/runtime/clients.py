"""What outlives an invocation: the connections, each made when it is first needed."""

import gc
from contextlib import suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import BotoCoreError, NoRegionError

from greenlight.model.errors import SettingsError
from greenlight.runtime.network import (
    AWS_CONFIG,
    HTTP_TIMEOUTS,
    LOOK_UP_CONFIG,
    Countdown,
    aws_session,
    http_session,
    late_tries_refused,
)
from greenlight.runtime.secrets import Secrets
from greenlight.runtime.settings import is_in_lambda

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_codedeploy import CodeDeployClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_ecs import ECSClient
    from types_boto3_events import EventBridgeClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_scheduler import EventBridgeSchedulerClient


class Clients:
    """The clients of one cold start, bounded by one countdown.

    `config` and `timeouts` bound each call to AWS and over HTTP; `where` names a profile and a
    region, as boto3's session takes them. Each client raises SettingsError where AWS is not
    configured.
    """

    def __init__(
        self,
        countdown: Countdown,
        config: Config = AWS_CONFIG,
        timeouts: tuple[float, float] = HTTP_TIMEOUTS,
        **where: str | None,
    ) -> None:
        self.countdown = countdown
        self._config = config
        self._timeouts = timeouts
        self._where = where

    def make(self, *names: str) -> None:
        """Makes these now, and not when they are first needed."""
        for name in names:
            getattr(self, name)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """DynamoDB."""
        client: DynamoDBClient = self._client("dynamodb", self._config)
        return client

    @cached_property
    def codedeploy(self) -> "CodeDeployClient":
        """CodeDeploy, to report to."""
        client: CodeDeployClient = self._client("codedeploy", self._config)
        return client

    @cached_property
    def codedeploy_look_up(self) -> "CodeDeployClient":
        """CodeDeploy, to look up what is only nice to know: not even a first try may be late."""
        client: CodeDeployClient = self._look_up("codedeploy")
        return client

    @cached_property
    def ecs(self) -> "ECSClient":
        """ECS, to answer."""
        client: ECSClient = self._client("ecs", self._config)
        return client

    @cached_property
    def ecs_look_up(self) -> "ECSClient":
        """ECS, to look up what is only nice to know, likewise."""
        client: ECSClient = self._look_up("ecs")
        return client

    @cached_property
    def scheduler(self) -> "EventBridgeSchedulerClient":
        """EventBridge Scheduler."""
        client: EventBridgeSchedulerClient = self._client("scheduler", self._config)
        return client

    @cached_property
    def events(self) -> "EventBridgeClient":
        """EventBridge."""
        client: EventBridgeClient = self._client("events", self._config)
        return client

    @cached_property
    def functions(self) -> "LambdaClient":
        """Lambda."""
        client: LambdaClient = self._client("lambda", self._config)
        return client

    @cached_property
    def secrets(self) -> Secrets:
        """The secrets that settings refer to."""
        return Secrets(self._session)

    @cached_property
    def http(self) -> requests.Session:
        """HTTP, for Slack."""
        return http_session(self.countdown, self._timeouts)

    @cached_property
    def _session(self) -> boto3.Session:
        try:
            return aws_session(self.countdown, **self._where)
        except BotoCoreError as exc:
            raise SettingsError(f"no AWS client can be made: {exc}") from exc

    def _look_up(self, service: str) -> Any:
        client = self._client(service, LOOK_UP_CONFIG)
        refuse = late_tries_refused(self.countdown, after=0)
        client.meta.events.register("request-created", refuse)
        return client

    def _client(self, service: Any, config: Config) -> Any:
        try:
            return self._session.client(service, config=config)
        except NoRegionError as exc:
            raise SettingsError("no AWS region is set (AWS_REGION)") from exc
        # Not all that boto3 raises where it is not well configured is its own.
        except (BotoCoreError, OSError, ValueError) as exc:
            raise SettingsError(f"no AWS client can be made: {exc}") from exc


def ready(make: "Callable[[], object]") -> None:
    """Ends the cold start of a handler: makes what each invocation needs, and makes it to stay.

    Lambda starts a function on a whole processor, whatever its memory is. What cannot be made is
    left to the invocation: there it fails again, and is reported with its stage.
    """
    if is_in_lambda():
        with suppress(Exception):
            make()
    gc.freeze()
    gc.enable()
