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
    GateTakenError,
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
from greenlight.models import (
    UNKNOWN,
    Decision,
    Gate,
    GateStatus,
    Hook,
    Lifecycle,
    Settlement,
    Via,
)
from greenlight.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from types_boto3_dynamodb import DynamoDBClient

# Of two functions, or of one and AWS.
CLOCKS_DIFFER_BY: Final = timedelta(seconds=10)

# Lists gates by status, soonest deadline first.
STATUS_INDEX: Final = "status-deadline"

# The item is the gate of this hook, and not another tool's item or an older hook's gate.
_IS_MINE: Final = "#hook_execution_id = :hook AND attribute_exists(deadline)"


@dataclass(frozen=True)
class Lease:
    """The right to do a step alone: nobody's, or one try's until a time.

    The clocks of tries differ by seconds. So a lease decides who may begin, and what such a try
    writes in the end asks for it again.
    """

    until: str
    holder: str
    lasts: timedelta

    @property
    def is_free(self) -> str:
        """The condition to take it: nobody has it, or not any longer, or this try has it."""
        return (
            f"(attribute_not_exists({self.until}) OR #{self.until} <= :now"
            f" OR #{self.holder} = :try_id)"
        )

    @property
    def is_mine(self) -> str:
        """The condition to write what it is for."""
        return f"#{self.holder} = :try_id"

    def taken(self, try_id: str, now: datetime) -> Item:
        """The attributes of a try that has it from now on."""
        return {self.until: moment_text(now + self.lasts), self.holder: try_id}

    def holds(self, item: Item, try_id: str | None) -> bool:
        """Whether a try has it."""
        return bool(item.get(self.holder) == try_id)


# Longer than a try can post to Slack (29 s), shorter than Lambda's first retry is away (60 s).
TELLING: Final = Lease("lease_until", "try_id", timedelta(seconds=45))
# Longer than a decision can take to reach CodeDeploy; then another click may report it.
REPORTING: Final = Lease("report_until", "report_try_id", timedelta(seconds=15))


@dataclass(frozen=True)
class NewGate:
    """What a hook's gate is opened or failed with; one that is there already keeps its own times.

    `lifecycle`: what CodeDeploy says of its hook; the deadline is right where it says since when it
    waits.
    """

    hook: Hook
    test_url: str
    created_at: datetime
    deadline: datetime
    expires_at: datetime
    lifecycle: Lifecycle = UNKNOWN
    application: str | None = None
    deployment_group: str | None = None

    def item(self, status: GateStatus) -> Item:
        """The attributes of a gate that is new."""
        return present(
            {
                "hook_execution_id": self.hook.execution_id,
                "status": status,
                "test_url": self.test_url,
                "created_at": moment_text(self.created_at),
                "deadline": moment_text(self.deadline),
                "expires_at": int(self.expires_at.timestamp()),
                "application": self.application,
                "deployment_group": self.deployment_group,
            }
        )

    def better_known(self) -> Item:
        """The attributes of it that say more than those of an earlier try may."""
        known: Item = {"deadline": moment_text(self.deadline)} if self.lifecycle.waits_since else {}
        if self.application:
            known |= {
                "test_url": self.test_url,
                "application": self.application,
                "deployment_group": self.deployment_group,
            }
        return present(known)


@dataclass(frozen=True)
class Held:
    """A gate, and the lease of this try on what is to be done with it.

    `try_id` is None if there is nothing to do, or nothing for this try. `is_new`: what is to be
    done was not begun by an earlier try. `may_be_told`: people may have been told that the gate
    waits, by a try that did not come to its end.
    """

    gate: Gate
    try_id: str | None = None
    is_new: bool = False
    may_be_told: bool = False


class GateTable:
    """A table whose key is `deployment_id`. Every method raises TableError when DynamoDB fails."""

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self._name = name

    # ── A gate is opened, and people are told ────────────────────────────────────────────────────

    def open(self, new: NewGate) -> Held:
        """Opens a hook's gate, or carries on where an earlier try of the same hook stopped.

        With a `try_id`, the caller holds the lease on telling people: it has to call
        `mark_notified`, or `release`. Without, people were told, or the gate does not wait. The
        item of an older hook execution, or one that is not Greenlight's, is replaced. Raises
        GateBusyError while another try holds the lease, GateTakenError if another hook of the
        deployment waits.
        """
        try_id, now = _try_id(), new.created_at
        lease = TELLING.taken(try_id, now)
        item = {**new.item(GateStatus.WAITING), **lease, "history": [event("opened", now)]}
        held, is_put = self._put(new.hook, item, "attribute_not_exists(deployment_id)", TELLING)
        if is_put:
            return Held(self._gate(held), try_id, is_new=True)
        if not _is_gate_of(new.hook, held):
            if _is_taken(held, new):
                raise GateTakenError(new.hook.deployment_id)
            return self._replace(new, item, held, TELLING)
        gate = self._gate(held)
        if self._is_done(gate, held):
            return Held(gate)
        return self.take_telling(gate, now, new.better_known(), may_be_told=TELLING.holder in held)

    def take_telling(
        self, gate: Gate, now: datetime, better_known: Item | None = None, *, may_be_told: bool
    ) -> Held:
        """Takes the lease on telling people of a gate that an earlier try left untold.

        As of `open`; `better_known` attributes are set besides.
        """
        try_id = _try_id()
        try:
            item = self._update(
                gate.hook,
                {**(better_known or {}), **TELLING.taken(try_id, now)},
                f"{_IS_MINE} AND #status = :waiting AND attribute_not_exists(notified_at)"
                f" AND {TELLING.is_free}",
                waiting=GateStatus.WAITING,
                now=moment_text(now),
                try_id=try_id,
            )
        except _ConditionFailed as failed:
            gate = self._held(gate.hook, failed.item)
            if self._is_done(gate, failed.item):
                return Held(gate)
            raise GateBusyError(gate.deployment_id, failed.item.get(TELLING.until)) from None
        return Held(self._gate(item), try_id, may_be_told=may_be_told)

    def mark_notified(self, hook: Hook, now: datetime) -> Gate:
        """Writes down that people were told that the gate waits.

        Raises GateReplacedError or GateNotFoundError if the gate was lost.
        """
        return self._mark_told(hook, "notified_at", event("notified", now), now)

    # ── A gate of which nobody could be told is failed ───────────────────────────────────────────

    def fail(
        self,
        new: NewGate,
        reason: str,
        *,
        telling: Held | None = None,
        is_reported: bool = False,
    ) -> Held:
        """Fails a hook's gate that waits and of which nobody was told; there need not be one.

        A gate of which people may have been told is left as it is (`may_be_told`), unless it is the
        caller who holds the lease on `telling` them. `is_reported`: CodeDeploy knows already.

        With a `try_id`, it is the caller's to tell CodeDeploy, and to call `mark_reported` or
        `settle`, or `release`. Without, it is not to be failed: people were told, or it was
        decided or failed before; what CodeDeploy does not know of that is there to be taken over.
        Raises GateBusyError while another try is at work, GateTakenError if another hook of the
        deployment waits, or may.
        """
        try_id, now = _try_id(), new.created_at
        lease = REPORTING.taken(try_id, now)
        item = {**new.item(GateStatus.FAILED), "reason": reason, **lease}
        if is_reported:
            item |= dict.fromkeys(("failed_at", "reported_at"), moment_text(now))
        failed_now = event("failed", now, reason=reason)
        try:
            item = self._update(
                new.hook,
                item,
                f"attribute_not_exists(deployment_id) OR ({_IS_MINE} AND #status = :waiting"
                " AND attribute_not_exists(notified_at)"
                " AND (attribute_not_exists(try_id) OR #try_id = :telling_try_id))",
                keep=("created_at", "deadline", "test_url", "expires_at"),
                remove=(TELLING.until, TELLING.holder),
                event=failed_now,
                waiting=GateStatus.WAITING,
                telling_try_id=telling.try_id if telling else None,
            )
        except _ConditionFailed as failed:
            held = failed.item
            if REPORTING.holds(held, try_id):  # ours, but its answer was lost
                return Held(self._gate(held), try_id, is_new=True)
            if not _is_gate_of(new.hook, held):
                if _is_taken(held, new):
                    raise GateTakenError(new.hook.deployment_id) from None
                return self._replace(new, {**item, "history": [failed_now]}, held, REPORTING)
            gate = self._gate(held)
            may_be_told = gate.status is GateStatus.WAITING and not gate.notified_at
            if may_be_told and held.get(TELLING.until, "") > moment_text(now):
                raise GateBusyError(gate.deployment_id, held[TELLING.until]) from None
            return Held(gate, may_be_told=may_be_told)
        return Held(self._gate(item), try_id, is_new=True)

    def take_failure_message(self, gate: Gate, now: datetime) -> Held:
        """Takes the lease on telling people that a gate ended without their being asked.

        With a `try_id`, the caller has to call `mark_failure_notified`, or `release`. Raises
        GateBusyError while another try holds the lease.
        """
        try_id = _try_id()
        try:
            self._update(
                gate.hook,
                TELLING.taken(try_id, now),
                f"{_IS_MINE} AND #status <> :waiting"
                f" AND attribute_not_exists(failure_notified_at) AND {TELLING.is_free}",
                waiting=GateStatus.WAITING,
                now=moment_text(now),
                try_id=try_id,
            )
        except _ConditionFailed as failed:
            gate = self._held(gate.hook, failed.item)
            if gate.failure_notified_at:
                return Held(gate)
            raise GateBusyError(gate.deployment_id, failed.item.get(TELLING.until)) from None
        return Held(gate, try_id)

    def mark_failure_notified(self, hook: Hook, now: datetime) -> Gate:
        """Writes down that people were told that a gate ended without their being asked."""
        return self._mark_told(hook, "failure_notified_at", event("failure_notified", now), now)

    # ── A gate is decided ────────────────────────────────────────────────────────────────────────

    def decide(self, hook: Hook, decision: Decision, now: datetime) -> Held:
        """Decides a gate that waits, or takes over a decision like it that was left unreported.

        With a `try_id`, it is the caller's to tell CodeDeploy, and to call `mark_reported`,
        `settle`, `give_back` or `release`. Raises GateNotFoundError, GateReplacedError if the gate
        is another hook execution's, and GateBusyError if it was given back in this very moment.
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
                **REPORTING.taken(try_id, now),
            }
        )
        try:
            item = self._update(
                hook,
                decided,
                f"{_IS_MINE} AND #status = :waiting",
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
                waiting=GateStatus.WAITING,
            )
        except _ConditionFailed as failed:
            gate = self._held(hook, failed.item)
            if REPORTING.holds(failed.item, try_id):  # ours, but its answer was lost
                return Held(gate, try_id, is_new=True)
            if gate.status == status and gate.is_unreported:
                return self._take_over_decision(gate, now)
            return Held(gate)
        return Held(self._gate(item), try_id, is_new=True)

    def _take_over_decision(self, gate: Gate, now: datetime) -> Held:
        """Takes over a decision, unless another try is bringing it to CodeDeploy."""
        try:
            return self.take_over(gate, now)
        except GateBusyError as busy:
            if busy.lease_until is None:  # it was given back just now
                raise
            return Held(gate)

    def give_back(self, held: Held, problem: str, now: datetime) -> Gate:
        """Lets a gate wait again, because CodeDeploy denied its decider; the gate as it is then.

        Only as long as the try that decided it holds the lease.
        """
        gate = held.gate
        try:
            item = self._update(
                gate.hook,
                {"status": GateStatus.WAITING},
                f"{_IS_MINE} AND #status = :decided AND attribute_not_exists(reported_at)"
                f" AND {REPORTING.is_mine}",
                remove=("decided_by", "decided_via", "decided_at", "reason", REPORTING.until),
                event=event("denied", now, status=gate.status, by=gate.decided_by, reason=problem),
                decided=gate.status,
                try_id=held.try_id,
            )
        except _ConditionFailed as failed:
            return self._held(gate.hook, failed.item)
        return self._gate(item)

    # ── What is decided or failed is carried to CodeDeploy ───────────────────────────────────────

    def take_over(self, gate: Gate, now: datetime) -> Held:
        """Takes over what an earlier try left unreported.

        Without a `try_id`, it is not unreported any more. Raises GateBusyError while another try
        holds the lease.
        """
        try_id = _try_id()
        try:
            item = self._update(
                gate.hook,
                REPORTING.taken(try_id, now),
                f"{_IS_MINE} AND #status = :status AND attribute_not_exists(reported_at)"
                f" AND attribute_not_exists(failed_at) AND {REPORTING.is_free}",
                status=gate.status,
                now=moment_text(now),
                try_id=try_id,
            )
        except _ConditionFailed as failed:
            now_held = self._held(gate.hook, failed.item)
            if now_held.status is GateStatus.WAITING:  # it was given back just now
                raise GateBusyError(gate.deployment_id, None) from None
            if now_held.is_unreported or now_held.is_failing:
                raise GateBusyError(gate.deployment_id, failed.item.get(REPORTING.until)) from None
            return Held(now_held)
        return Held(self._gate(item), try_id)

    def mark_reported(self, held: Held, now: datetime) -> tuple[Gate, bool]:
        """Writes down that CodeDeploy knows; the gate as it is then, and whether this try wrote it.

        It is a fact, so it asks for no lease; but it is one of the status that was reported.
        """
        gate = held.gate
        known = {"reported_at": moment_text(now)}
        if gate.status is GateStatus.FAILED:
            known["failed_at"] = moment_text(now)
        try:
            item = self._update(
                gate.hook,
                known,
                f"{_IS_MINE} AND #status = :status AND attribute_not_exists(reported_at)",
                remove=(REPORTING.until,),
                event=event("reported", now, status=gate.status),
                status=gate.status,
            )
        except _ConditionFailed as failed:
            is_own = REPORTING.holds(failed.item, held.try_id) and "reported_at" in failed.item
            return self._held(gate.hook, failed.item), is_own
        return self._gate(item), True

    def settle(
        self, held: Held, settlement: Settlement, now: datetime, lease: Lease = REPORTING
    ) -> Gate:
        """Brings a gate in line with what happened elsewhere; the gate as it is then.

        Only as long as the try holds the lease: another may know better by now. Who wanted to
        decide it, too late, is in its history only.
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
        gone = (name for name, value in truth.items() if value is None)
        try:
            item = self._update(
                held.gate.hook,
                present(truth),
                f"{_IS_MINE} AND attribute_not_exists(reported_at) AND {lease.is_mine}",
                remove=(lease.until, *gone),
                event=event(
                    kind, at, status=settlement.status, via=Via.ELSEWHERE, reason=settlement.detail
                ),
                try_id=held.try_id,
            )
        except _ConditionFailed as failed:
            return self._held(held.gate.hook, failed.item)
        return self._gate(item)

    def release(self, lease: Lease, held: Held) -> None:
        """Gives up a lease, so that the next try need not wait for its end.

        Where the table cannot be written, the lease's end does that.
        """
        try:
            self._update(
                held.gate.hook,
                {},
                lease.is_mine,
                remove=(lease.until, lease.holder),
                try_id=held.try_id,
            )
        except _ConditionFailed:
            return  # it is another's by now
        except TableError as exc:
            logger.warning("A lease is not given up", lease=lease.until, error=str(exc))

    # ── Reading ──────────────────────────────────────────────────────────────────────────────────

    def get(self, deployment_id: str) -> Gate:
        """A deployment's gate. Raises GateNotFoundError."""
        answer = self._call(
            self._client.get_item,
            Key=serialize({"deployment_id": deployment_id}),
            ConsistentRead=True,
        )
        return self._known(deployment_id, deserialize(answer.get("Item", {})))

    def unsettled(self, now: datetime) -> list[Gate]:
        """The gates that CodeDeploy waits for an answer to, soonest deadline first.

        Those that wait for a decision, and those of which CodeDeploy does not know yet what was
        decided, or that nobody could be asked. Raises IndexMissingError if the table has no index
        to find them by.
        """
        statuses = (
            GateStatus.WAITING,
            GateStatus.APPROVED,
            GateStatus.REJECTED,
            GateStatus.FAILED,
        )
        # Decided between the queries, a gate is found twice: as it was, and then as it is.
        found = {
            item["deployment_id"]: self._gate(item)
            for status in statuses
            for item in self._query(status, now)
        }
        return sorted(found.values(), key=lambda gate: gate.deadline)

    def _is_done(self, gate: Gate, item: Item) -> bool:
        """Whether opening has nothing left to do: people were told, or the gate does not wait.

        Raises GateBusyError for a decision that came before people were told, and that CodeDeploy
        does not know: if whoever decided does not finish it, nobody else would know of it.
        """
        if gate.is_unreported and not gate.notified_at:
            raise GateBusyError(gate.deployment_id, item.get(REPORTING.until))
        return bool(gate.notified_at) or gate.status is not GateStatus.WAITING

    # ── How it is written ────────────────────────────────────────────────────────────────────────

    def _mark_told(self, hook: Hook, attribute: str, told: dict[str, str], now: datetime) -> Gate:
        """Writes down that people were told something. It is a fact, so it asks for no lease."""
        try:
            item = self._update(
                hook,
                {attribute: moment_text(now)},
                f"{_IS_MINE} AND attribute_not_exists({attribute})",
                remove=(TELLING.until, TELLING.holder),
                event=told,
            )
        except _ConditionFailed as failed:  # told before, by a try that is not known to have ended
            return self._held(hook, failed.item)
        return self._gate(item)

    def _put(
        self, hook: Hook, item: Item, condition: str, lease: Lease, **more: Any
    ) -> tuple[Item, bool]:
        """Puts a gate whole, under a lease; the item as it is then, and whether it was put."""
        item = {"deployment_id": hook.deployment_id, **item}
        known = {"hook": hook.execution_id, **more}
        try:
            self._write(
                self._client.put_item,
                Item=serialize(item),
                ConditionExpression=condition,
                **present(
                    {
                        "ExpressionAttributeNames": names(condition) or None,
                        "ExpressionAttributeValues": values(known, condition) or None,
                    }
                ),
            )
        except _ConditionFailed as failed:
            # It was put, but the answer was lost, and botocore has sent it again.
            return failed.item, lease.holds(failed.item, item[lease.holder])
        return item, True

    def _replace(self, new: NewGate, item: Item, held: Item, lease: Lease) -> Held:
        """Puts a gate in the place of an older hook's, or of another tool's item.

        What happened to an older hook of the deployment stays on record.
        """
        earlier = held.get("history", []) if "deadline" in held else []
        item = {**item, "history": earlier + item["history"]}
        condition = (
            "(attribute_not_exists(hook_execution_id) OR #hook_execution_id <> :hook"
            " OR attribute_not_exists(deadline))"
        )
        if "history" in held:
            condition += " AND #history = :history"
        held, is_put = self._put(new.hook, item, condition, lease, history=held.get("history"))
        if not is_put:
            raise GateBusyError(new.hook.deployment_id, held.get(lease.until))
        return Held(self._gate(held), item[lease.holder], is_new=True)

    def _query(self, status: GateStatus, now: datetime) -> "Iterator[Item]":
        """The items of one status whose deadline is ahead and of which CodeDeploy knows nothing."""
        condition = "#status = :status AND #deadline > :now"
        request: Item = {
            "IndexName": STATUS_INDEX,
            "KeyConditionExpression": condition,
            "FilterExpression": (
                "attribute_not_exists(reported_at) AND attribute_not_exists(failed_at)"
            ),
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

    def _update(self, hook: Hook, attributes: Item, condition: str, **more: Any) -> Item:
        """Makes a conditional update; the item after it, or _ConditionFailed with the item as is.

        The arguments are those of `items.update`; the condition may name the `:hook`, too.
        """
        return self._write(
            self._client.update_item,
            Key=serialize({"deployment_id": hook.deployment_id}),
            ReturnValues="ALL_NEW",
            **update(attributes, condition, hook=hook.execution_id, **more),
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


def _is_gate_of(hook: Hook, item: Item) -> bool:
    """Whether an item is a gate of Greenlight's, and this hook's."""
    return item.get("hook_execution_id") == hook.execution_id and "deadline" in item


def _is_taken(held: Item, new: NewGate) -> bool:
    """Whether an item is the gate of another hook, which CodeDeploy waits for.

    CodeDeploy runs one hook of a deployment after the other: the one that it waits for is that of
    the gate which was opened since it began to wait, and of which it knows nothing yet. Where it
    does not say when that was, it may be any such gate.
    """
    if "deadline" not in held or held.get("status") == GateStatus.EXPIRED:
        return False
    if "reported_at" in held or "failed_at" in held:
        return False
    if new.lifecycle.status is None:
        return bool(held["deadline"] > moment_text(new.created_at))
    since = new.lifecycle.waits_since
    opened_at = held.get("created_at", "")
    return since is not None and bool(opened_at >= moment_text(since - CLOCKS_DIFFER_BY))


class _ConditionFailed(Exception):  # noqa: N818  # an outcome of a write, not an error of it
    def __init__(self, item: Item) -> None:
        self.item = item


def _try_id() -> str:
    """Tells a try's writes from others': when an answer is lost, botocore sends a write again."""
    return uuid.uuid4().hex
