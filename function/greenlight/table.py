"""The DynamoDB table of gates: every conditional write lives here."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from greenlight.errors import GateBusyError, GateReplacedError, TableError
from greenlight.items import (
    Item,
    assignment,
    deserialize,
    moment_text,
    read_gate,
    serialize,
    values,
)
from greenlight.models import Deployment, Gate, GateStatus, Hook

if TYPE_CHECKING:
    from collections.abc import Callable

    from types_boto3_dynamodb import DynamoDBClient

# Longer than a try can post to Slack (29 s), shorter than Lambda's first retry is away (60 s).
LEASE: Final = timedelta(seconds=45)

# What the first try wrote down stays as it is.
_KEPT: Final = frozenset({"created_at", "deadline"})


@dataclass(frozen=True)
class Opening:
    """A gate, and how it was found: new, left half-open by an earlier try, or done already."""

    gate: Gate
    is_new: bool = False
    is_duplicate: bool = False


class GateTable:
    """A table whose key is `deployment_id`. Every method raises TableError when DynamoDB fails."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    def open(
        self,
        hook: Hook,
        deployment: Deployment,
        test_url: str,
        *,
        now: datetime,
        deadline: datetime,
        expires_at: datetime,
    ) -> Opening:
        """Opens a hook's gate, or carries on where an earlier try of the same hook stopped.

        Unless it is a duplicate, the caller then holds a lease on the gate: time to tell people
        and call `mark_notified`. An earlier try's times stay, and so does what it knew of the
        deployment where this one knows less. The item of an older hook execution, or one that is
        not Greenlight's, is replaced. Raises GateBusyError while another try holds the lease.
        """
        gate: Item = {
            "hook_execution_id": hook.execution_id,
            "status": GateStatus.WAITING,
            "application": deployment.application,
            "deployment_group": deployment.deployment_group,
            "test_url": test_url,
            "created_at": moment_text(now),
            "deadline": moment_text(deadline),
            "lease_until": moment_text(now + LEASE),
            "try_id": _try_id(),
            "expires_at": int(expires_at.timestamp()),
        }
        gate = {name: value for name, value in gate.items() if value is not None}
        kept = _KEPT if deployment.application else _KEPT | {"test_url"}
        assignments = ", ".join(assignment(name, keep=name in kept) for name in gate)
        try:
            item = self._write(
                self._client.update_item,
                Key=serialize({"deployment_id": hook.deployment_id}),
                UpdateExpression=f"SET {assignments}",
                ConditionExpression="attribute_not_exists(deployment_id) OR ("
                "#hook_execution_id = :hook_execution_id AND #status = :status"
                " AND attribute_not_exists(notified_at)"
                " AND (#lease_until <= :now OR #try_id = :try_id))",
                ExpressionAttributeNames={f"#{name}": name for name in gate},
                ExpressionAttributeValues=values(gate, now=moment_text(now)),
                ReturnValues="ALL_NEW",
            )
        except _ConditionFailed as failed:
            return self._open_held(hook, gate, failed.item)
        return Opening(self._gate(item), is_new=item["created_at"] == moment_text(now))

    def mark_notified(self, gate: Gate, now: datetime) -> Gate:
        """Writes down that people were told. Raises GateReplacedError if the gate was lost."""
        try:
            item = self._write(
                self._client.update_item,
                Key=serialize({"deployment_id": gate.deployment_id}),
                UpdateExpression="SET notified_at = :now REMOVE lease_until, try_id",
                ConditionExpression="hook_execution_id = :hook_execution_id",
                ExpressionAttributeValues=values(
                    {"hook_execution_id": gate.hook_execution_id}, now=moment_text(now)
                ),
                ReturnValues="ALL_NEW",
            )
        except _ConditionFailed:
            raise GateReplacedError(gate.deployment_id) from None
        return self._gate(item)

    def release(self, gate: Gate, now: datetime) -> None:
        """Gives up the lease on a gate, so that the next try need not wait for its end."""
        try:
            self._write(
                self._client.update_item,
                Key=serialize({"deployment_id": gate.deployment_id}),
                UpdateExpression="SET lease_until = :now",
                ConditionExpression="hook_execution_id = :hook_execution_id"
                " AND attribute_exists(lease_until)",
                ExpressionAttributeValues=values(
                    {"hook_execution_id": gate.hook_execution_id}, now=moment_text(now)
                ),
            )
        except _ConditionFailed:
            return  # it is another's by now

    def is_done(self, hook: Hook, now: datetime) -> bool:
        """Whether a hook's gate needs no more tries: people were told, or it does not wait.

        Raises GateBusyError while a try holds the lease, because nobody knows yet.
        """
        answer = self._call(
            self._client.get_item,
            Key=serialize({"deployment_id": hook.deployment_id}),
            ConsistentRead=True,
        )
        item = deserialize(answer.get("Item", {}))
        if item.get("hook_execution_id") != hook.execution_id:
            return False
        if item.get("status") != GateStatus.WAITING or "notified_at" in item:
            return True
        if item.get("lease_until", "") > moment_text(now):
            raise GateBusyError(hook.deployment_id, item["lease_until"])
        return False

    def mark_failed(
        self,
        hook: Hook,
        reason: str,
        test_url: str,
        *,
        now: datetime,
        deadline: datetime,
        expires_at: datetime,
    ) -> bool:
        """Writes down that a hook was failed, whether or not its gate was ever opened.

        False if its gate does not wait: it was marked before, or decided, or is another hook's.
        """
        gate: Item = {
            "hook_execution_id": hook.execution_id,
            "status": GateStatus.FAILED,
            "reason": reason,
            "failed_at": moment_text(now),
            "try_id": _try_id(),
            "test_url": test_url,
            "created_at": moment_text(now),
            "deadline": moment_text(deadline),
            "expires_at": int(expires_at.timestamp()),
        }
        kept = _KEPT | {"test_url", "expires_at"}
        assignments = ", ".join(assignment(name, keep=name in kept) for name in gate)
        try:
            self._write(
                self._client.update_item,
                Key=serialize({"deployment_id": hook.deployment_id}),
                UpdateExpression=f"SET {assignments} REMOVE lease_until",
                ConditionExpression="attribute_not_exists(deployment_id) OR ("
                "#hook_execution_id = :hook_execution_id"
                " AND (#status = :waiting OR #try_id = :try_id))",
                ExpressionAttributeNames={f"#{name}": name for name in gate},
                ExpressionAttributeValues=values(gate, waiting=GateStatus.WAITING),
            )
        except _ConditionFailed:
            return False
        return True

    def _open_held(self, hook: Hook, gate: Item, held: Item) -> Opening:
        """Opens a gate whose key is taken by `held`."""
        if held.get("hook_execution_id") == hook.execution_id and "deadline" in held:
            if "notified_at" in held or held.get("status") != GateStatus.WAITING:
                return Opening(self._gate(held), is_duplicate=True)
            raise GateBusyError(hook.deployment_id, held.get("lease_until"))
        item = {"deployment_id": hook.deployment_id, **gate}
        try:
            self._write(
                self._client.put_item,
                Item=serialize(item),
                ConditionExpression="attribute_not_exists(hook_execution_id)"
                " OR hook_execution_id <> :hook_execution_id OR attribute_not_exists(deadline)"
                " OR try_id = :try_id",
                ExpressionAttributeValues=values(
                    {name: gate[name] for name in ("hook_execution_id", "try_id")}
                ),
            )
        except _ConditionFailed as failed:
            raise GateBusyError(hook.deployment_id, failed.item.get("lease_until")) from None
        return Opening(self._gate(item), is_new=True)

    def _write(self, operation: "Callable[..., Any]", **request: Any) -> Item:
        """Makes a conditional write; the item after it, or _ConditionFailed with the item as is."""
        try:
            answer = self._call(operation, ReturnValuesOnConditionCheckFailure="ALL_OLD", **request)
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            item: Any = exc.response.get("Item", {})  # the stubs do not know that it is there
            raise _ConditionFailed(deserialize(item)) from None
        return deserialize(answer.get("Attributes", {}))

    def _call(self, operation: "Callable[..., Any]", **request: Any) -> Item:
        """Calls DynamoDB; a failed condition is left to the caller."""
        try:
            answer: Item = operation(TableName=self._name, **request)
        except self._client.exceptions.ConditionalCheckFailedException:
            raise
        except ClientError as exc:
            reason = exc.response["Error"]["Code"]
            raise TableError(self._name, operation.__name__, reason) from exc
        except BotoCoreError as exc:
            raise TableError(self._name, operation.__name__, type(exc).__name__) from exc
        return answer

    def _gate(self, item: Item) -> Gate:
        try:
            return read_gate(item)
        except ValueError as exc:
            raise TableError(self._name, "read", str(exc)) from exc


class _ConditionFailed(Exception):  # noqa: N818  # an outcome of a write, not an error of it
    def __init__(self, item: Item) -> None:
        self.item = item


def _try_id() -> str:
    """Tells a try's writes from others': when an answer is lost, botocore sends a write again."""
    return uuid.uuid4().hex
