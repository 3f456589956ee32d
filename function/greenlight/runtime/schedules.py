"""Moments: schedules of EventBridge Scheduler, which delete themselves."""

import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, NotRequired, TypedDict

from botocore.exceptions import BotoCoreError, ClientError

from greenlight.model.errors import MomentError
from greenlight.model.gate import Due, Hook

if TYPE_CHECKING:
    from types_boto3_scheduler import EventBridgeSchedulerClient

    from greenlight.runtime.settings import ScheduleSettings

# Lambda takes the call at once, or Scheduler tries again for this long.
_MAX_AGE_SECONDS: Final = 600
_RETRIES: Final = 10


class _Times(TypedDict):
    ScheduleExpression: str
    EndDate: NotRequired[datetime]


class Schedules:
    """A group of schedules that call the clock function."""

    def __init__(self, client: "EventBridgeSchedulerClient", settings: "ScheduleSettings") -> None:
        self._client = client
        self._settings = settings

    def set_moment(
        self, due: Due, hook: Hook, at: datetime, every: timedelta | None = None
    ) -> None:
        """Has the clock function called at a time (UTC) for a hook's gate. Raises MomentError.

        Or again and again until then, `every` so many minutes. Made twice, it is one: its name is
        that of the hook, what is due, and when.
        """
        at_text = f"{at:%Y-%m-%dT%H:%M:%S}"
        times: _Times = {"ScheduleExpression": f"at({at_text})"}
        if every:
            minutes = every // timedelta(minutes=1)
            unit = "minute" if minutes == 1 else "minutes"
            times = {"ScheduleExpression": f"rate({minutes} {unit})", "EndDate": at}
        name = _name(due, hook, at_text)
        payload = {
            "due": due,
            "deployment_id": hook.deployment_id,
            "hook_execution_id": hook.execution_id,
        }
        try:
            self._client.create_schedule(
                Name=name,
                GroupName=self._settings.group,
                **times,
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self._settings.function_arn,
                    "RoleArn": self._settings.role_arn,
                    "Input": json.dumps(payload),
                    "RetryPolicy": {
                        "MaximumEventAgeInSeconds": _MAX_AGE_SECONDS,
                        "MaximumRetryAttempts": _RETRIES,
                    },
                },
            )
        except self._client.exceptions.ConflictException:
            return
        except ClientError as exc:
            raise MomentError(name, exc.response["Error"]["Code"]) from exc
        except BotoCoreError as exc:
            raise MomentError(name, type(exc).__name__) from exc


def _name(due: Due, hook: Hook, at: str) -> str:
    """A schedule's name: at most 64 characters, readable where it can be."""
    digest = hashlib.sha256(f"{hook.deployment_id} {hook.execution_id} {at}".encode()).hexdigest()
    return f"{hook.deployment_id[:32]}-{due}-{digest[:16]}"
