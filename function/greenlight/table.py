"""The DynamoDB table of gates: every conditional write lives here."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from greenlight.errors import (
    GateBusyError,
    GateNotFoundError,
    GateReplacedError,
    IndexMissingError,
    TableError,
)
from greenlight.items import (
    Item,
    deserialize,
    event,
    moment_text,
    names,
    present,
    read_gate,
    serialize,
    update,
    values,
)
from greenlight.models import Decision, Deployment, Gate, GateStatus, Hook, Settlement, Via

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from types_boto3_dynamodb import DynamoDBClient

# Longer than a try can post to Slack (29 s), shorter than Lambda's first retry is away (60 s).
LEASE: Final = timedelta(seconds=45)

# Longer than a decision can take to reach CodeDeploy; then another click may report it.
REPORT_LEASE: Final = timedelta(seconds=15)

# Lists gates by status, soonest deadline first.
STATUS_INDEX: Final = "status-deadline"

# What the first try wrote down stays as it is.
_KEPT: Final = frozenset({"created_at", "deadline", "history"})


@dataclass(frozen=True)
class Opening:
    """A gate, and how it was found: new, left half-open by an earlier try, or done already."""

    gate: Gate
    is_new: bool = False
    is_duplicate: bool = False


@dataclass(frozen=True)
class Deciding:
    """A gate that somebody wanted to decide.

    `try_id` is the lease on the report to CodeDeploy; None if there is nothing to report, or
    another try is at it. `is_new`: nobody had decided before.
    """

    gate: Gate
    try_id: str | None = None
    is_new: bool = False


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
        gate = present(
            {
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
                "history": [event("opened", now)],
            }
        )
        try:
            item = self._update(
                hook.deployment_id,
                gate,
                "attribute_not_exists(deployment_id) OR ("
                "#hook_execution_id = :hook_execution_id AND #status = :status"
                " AND attribute_not_exists(notified_at)"
                " AND (#lease_until <= :now OR #try_id = :try_id))",
                keep=_KEPT if deployment.application else _KEPT | {"test_url"},
                now=moment_text(now),
            )
        except _ConditionFailed as failed:
            return self._open_held(hook, gate, failed.item)
        return Opening(self._gate(item), is_new=item["created_at"] == moment_text(now))

    def mark_notified(self, gate: Gate, now: datetime) -> Gate:
        """Writes down that people were told. Raises GateReplacedError if the gate was lost."""
        try:
            item = self._update(
                gate.deployment_id,
                {"notified_at": moment_text(now)},
                "#hook_execution_id = :hook AND attribute_not_exists(notified_at)",
                remove=("lease_until", "try_id"),
                event=event("notified", now),
                hook=gate.hook_execution_id,
            )
        except _ConditionFailed as failed:
            item = failed.item  # told before, by a try that is not known to have ended
            if item.get("hook_execution_id") != gate.hook_execution_id:
                raise GateReplacedError(gate.deployment_id) from None
        return self._gate(item)

    def release(self, gate: Gate, now: datetime) -> None:
        """Gives up the lease on a gate, so that the next try need not wait for its end."""
        try:
            self._update(
                gate.deployment_id,
                {"lease_until": moment_text(now)},
                "#hook_execution_id = :hook AND attribute_exists(lease_until)",
                hook=gate.hook_execution_id,
            )
        except _ConditionFailed:
            return  # it is another's by now

    def is_done(self, hook: Hook, now: datetime) -> bool:
        """Whether a hook's gate needs no more tries: people were told, or it does not wait.

        Raises GateBusyError while a try holds the lease, because nobody knows yet.
        """
        item = self._read(hook.deployment_id)
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
        try_id = _try_id()
        gate: Item = {
            "hook_execution_id": hook.execution_id,
            "status": GateStatus.FAILED,
            "reason": reason,
            "failed_at": moment_text(now),
            "try_id": try_id,
            "test_url": test_url,
            "created_at": moment_text(now),
            "deadline": moment_text(deadline),
            "expires_at": int(expires_at.timestamp()),
        }
        try:
            self._update(
                hook.deployment_id,
                gate,
                "attribute_not_exists(deployment_id) OR ("
                "#hook_execution_id = :hook_execution_id AND #status = :waiting)",
                keep=_KEPT | {"test_url", "expires_at"},
                remove=["lease_until"],
                event=event("failed", now, reason=reason),
                waiting=GateStatus.WAITING,
            )
        except _ConditionFailed as failed:
            return bool(failed.item.get("try_id") == try_id)  # ours, but its answer was lost
        return True

    def get(self, deployment_id: str) -> Gate:
        """A deployment's gate. Raises GateNotFoundError."""
        return self._known(deployment_id, self._read(deployment_id))

    def unsettled(self, now: datetime) -> list[Gate]:
        """The gates that CodeDeploy waits for an answer to, soonest deadline first.

        Those that wait for a decision, and those whose decision CodeDeploy does not know yet.
        Raises IndexMissingError if the table has no index to find them by.
        """
        # Decided between the queries, a gate is found twice: as it was, and then as it is.
        found = {
            item["deployment_id"]: self._gate(item)
            for status in (GateStatus.WAITING, GateStatus.APPROVED, GateStatus.REJECTED)
            for item in self._query(status, now)
        }
        return sorted(found.values(), key=lambda gate: gate.deadline)

    def decide(self, hook: Hook, decision: Decision, now: datetime) -> Deciding:
        """Decides a gate that waits, or takes over a decision like it that was left unreported.

        With a `try_id`, it is the caller's to tell CodeDeploy, and to call `mark_reported`,
        `settle` or `leave_unreported`. Raises GateNotFoundError, and GateReplacedError if the gate
        is another hook execution's.
        """
        try_id = _try_id()
        status = decision.verdict.status
        decided = present(
            {
                "status": status,
                "decided_by": decision.approver,
                "decided_via": decision.via,
                "decided_at": moment_text(now),
                "reason": decision.reason,
                "report_until": moment_text(now + REPORT_LEASE),
                "report_try_id": try_id,
            }
        )
        try:
            item = self._update(
                hook.deployment_id,
                decided,
                "#hook_execution_id = :hook AND #status = :waiting",
                event=event(
                    "decided",
                    now,
                    status=status,
                    by=decision.approver,
                    name=decision.name,
                    team=decision.team,
                    via=decision.via,
                    reason=decision.reason,
                ),
                hook=hook.execution_id,
                waiting=GateStatus.WAITING,
            )
        except _ConditionFailed as failed:
            gate = self._held(hook, failed.item)
            if failed.item.get("report_try_id") == try_id:
                return Deciding(gate, try_id, is_new=True)  # ours, but its answer was lost
            if gate.status == status and gate.is_unreported:
                return self._take_over(gate, try_id, now)
            return Deciding(gate)
        return Deciding(self._gate(item), try_id, is_new=True)

    def leave_unreported(self, deciding: Deciding) -> None:
        """Gives up the lease on a report, so that the next click need not wait for its end."""
        try:
            self._update(
                deciding.gate.deployment_id,
                {},
                "#report_try_id = :try_id",
                remove=("report_until", "report_try_id"),
                try_id=deciding.try_id,
            )
        except _ConditionFailed:
            return  # it is another's by now

    def mark_reported(self, gate: Gate, now: datetime) -> Gate:
        """Writes down that CodeDeploy knows a decision; the gate as it is then."""
        return self._close(
            gate, {"reported_at": moment_text(now)}, event("reported", now, status=gate.status)
        )

    def settle(self, gate: Gate, settlement: Settlement, now: datetime) -> Gate:
        """Brings a gate in line with what happened elsewhere; the gate as it is then.

        Who wanted to decide it, too late, is in its history only.
        """
        at = settlement.at or now
        truth = {
            "status": settlement.status,
            "decided_via": Via.ELSEWHERE,
            "decided_at": moment_text(at),
            "reported_at": moment_text(at),
            "decided_by": None,
            "reason": settlement.detail,
        }
        kind = "expired" if settlement.status is GateStatus.EXPIRED else "decided"
        happened = event(
            kind, at, status=settlement.status, via=Via.ELSEWHERE, reason=settlement.detail
        )
        return self._close(gate, truth, happened)

    def _open_held(self, hook: Hook, gate: Item, held: Item) -> Opening:
        """Opens a gate whose key is taken by `held`."""
        is_gate = "deadline" in held
        if held.get("hook_execution_id") == hook.execution_id and is_gate:
            if "notified_at" in held or held.get("status") != GateStatus.WAITING:
                return Opening(self._gate(held), is_duplicate=True)
            raise GateBusyError(hook.deployment_id, held.get("lease_until"))
        # What happened to an older hook of the deployment stays on record.
        earlier = held.get("history", []) if is_gate else []
        item = {"deployment_id": hook.deployment_id, **gate, "history": earlier + gate["history"]}
        condition = (
            "#try_id = :try_id OR (attribute_not_exists(hook_execution_id)"
            " OR #hook_execution_id <> :hook_execution_id OR attribute_not_exists(deadline))"
        )
        if "history" in held:
            condition += " AND #history = :held"
        try:
            self._write(
                self._client.put_item,
                Item=serialize(item),
                ConditionExpression=condition,
                ExpressionAttributeNames=names(condition),
                ExpressionAttributeValues=values({**gate, "held": held.get("history")}, condition),
            )
        except _ConditionFailed as failed:
            raise GateBusyError(hook.deployment_id, failed.item.get("lease_until")) from None
        return Opening(self._gate(item), is_new=True)

    def _take_over(self, gate: Gate, try_id: str, now: datetime) -> Deciding:
        """Takes over an unreported decision, unless another try may still be reporting it."""
        lease = {"report_until": moment_text(now + REPORT_LEASE), "report_try_id": try_id}
        try:
            self._update(
                gate.deployment_id,
                lease,
                "#hook_execution_id = :hook AND #status = :status"
                " AND attribute_not_exists(reported_at)"
                " AND (attribute_not_exists(report_until) OR #report_until <= :now)",
                hook=gate.hook_execution_id,
                status=gate.status,
                now=moment_text(now),
            )
        except _ConditionFailed as failed:
            if failed.item.get("report_try_id") != try_id:
                return Deciding(self._held(gate.hook, failed.item))
        return Deciding(gate, try_id)

    def _close(self, gate: Gate, truth: Item, happened: dict[str, str]) -> Gate:
        """Writes down what CodeDeploy knows, unless that is written; what is None is removed."""
        gone = (name for name, value in truth.items() if value is None)
        try:
            item = self._update(
                gate.deployment_id,
                present(truth),
                "#hook_execution_id = :hook AND attribute_not_exists(reported_at)",
                remove=("report_until", "report_try_id", *gone),
                event=happened,
                hook=gate.hook_execution_id,
            )
        except _ConditionFailed as failed:
            return self._held(gate.hook, failed.item)
        return self._gate(item)

    def _query(self, status: GateStatus, now: datetime) -> "Iterator[Item]":
        """The items of one status whose deadline is ahead and of which CodeDeploy knows nothing."""
        condition = "#status = :status AND #deadline > :now"
        request: Item = {
            "IndexName": STATUS_INDEX,
            "KeyConditionExpression": condition,
            "FilterExpression": "attribute_not_exists(reported_at)",
            "ExpressionAttributeNames": names(condition),
            "ExpressionAttributeValues": values(
                {"status": status, "now": moment_text(now)}, condition
            ),
        }
        while True:
            try:
                page = self._call(self._client.query, **request)
            except TableError:
                if self._lacks_index():
                    raise IndexMissingError(self._name, STATUS_INDEX) from None
                raise
            yield from map(deserialize, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _lacks_index(self) -> bool:
        """Whether the table is there, and the index is not, or not yet."""
        try:
            table = self._call(self._client.describe_table)["Table"]
        except TableError:
            return False
        indexes = table.get("GlobalSecondaryIndexes", [])
        return not any(
            one["IndexName"] == STATUS_INDEX and one["IndexStatus"] == "ACTIVE" for one in indexes
        )

    def _read(self, deployment_id: str) -> Item:
        answer = self._call(
            self._client.get_item,
            Key=serialize({"deployment_id": deployment_id}),
            ConsistentRead=True,
        )
        return deserialize(answer.get("Item", {}))

    def _update(self, deployment_id: str, attributes: Item, condition: str, **more: Any) -> Item:
        """Makes a conditional update; the item after it, or _ConditionFailed with the item as is.

        The arguments are those of `items.update`.
        """
        return self._write(
            self._client.update_item,
            Key=serialize({"deployment_id": deployment_id}),
            ReturnValues="ALL_NEW",
            **update(attributes, condition, **more),
        )

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

    def _held(self, hook: Hook, item: Item) -> Gate:
        """A hook's gate that a condition did not hold for; GateReplacedError if it is another's."""
        gate = self._known(hook.deployment_id, item)
        if gate.hook != hook:
            raise GateReplacedError(hook.deployment_id)
        return gate

    def _known(self, deployment_id: str, item: Item) -> Gate:
        """An item's gate, if there is one and it is Greenlight's."""
        if "deadline" not in item:
            raise GateNotFoundError(deployment_id, self._name)
        return self._gate(item)

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
