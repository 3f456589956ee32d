"""The DynamoDB table of gates: every conditional write lives here."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

from greenlight.model.errors import (
    GateBusyError,
    GateNotFoundError,
    GateReplacedError,
    GateTakenError,
    IndexMissingError,
    TableError,
)
from greenlight.model.gate import (
    Decision,
    Ending,
    Gate,
    GateState,
    GateStatus,
    Hook,
    NewGate,
    Outcome,
    Place,
    Settlement,
    Via,
)
from greenlight.model.life import (
    CLAIM,
    CORRECT,
    DECIDE,
    ENDED,
    EXPIRE,
    FAIL,
    FAILURE_NOTIFIED,
    GIVE_BACK,
    NOTIFIED,
    OPEN,
    REMINDED,
    REPLACED,
    REPORTED,
    REPORTING,
    RESUME,
    ROLLED_BACK,
    SETTLE,
    SETTLE_UNASKED,
    SHOW,
    SHOWING,
    SHOWN,
    STOP_REPORTING,
    STOP_SHOWING,
    STOP_TELLING,
    TAKE_OVER,
    TELL_FAILURE,
    TELLING,
    Lease,
    Step,
)
from greenlight.runtime.observability import logger
from greenlight.storage.conditions import condition, replaceable
from greenlight.storage.items import (
    Item,
    better_known,
    deserialize,
    event,
    is_gate,
    moment_text,
    names,
    new_item,
    placed,
    present,
    read_gate,
    serialize,
    taken,
    update,
    values,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from types_boto3_dynamodb import DynamoDBClient

# Of two functions, or of one and AWS.
CLOCKS_DIFFER_BY: Final = timedelta(seconds=10)

# Lists gates by status, soonest deadline first.
STATUS_INDEX: Final = "status-deadline"


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
    """A table whose key is `deployment_id`. Every method raises TableError when DynamoDB fails.

    Without a name, there is no table, and every call fails.
    """

    def __init__(self, client: "DynamoDBClient", name: str) -> None:
        self._client = client
        self.name = name

    # ── A gate is opened, and people are told ────────────────────────────────────────────────────

    def open(self, new: NewGate) -> Held:
        """Opens a hook's gate, or carries on where an earlier try of the same hook stopped.

        With a `try_id`, the caller holds the lease on telling people: it has to call
        `mark_notified`, or `stop_telling`. Without, people were told, or it does not wait. The
        item of an older hook execution, or one that is not Greenlight's, is replaced. Raises
        GateBusyError while another try holds the lease, GateTakenError if another hook of the
        deployment waits.
        """
        try_id, now = _try_id(), new.created_at
        opened = event("opened", now)
        item = new_item(new, GateStatus.WAITING) | taken(TELLING, try_id, now)
        held, is_put = self._put(OPEN, new.hook, item, opened, {})
        if is_put:
            return Held(self._gate(held), try_id, is_new=True)
        if not _is_gate_of(new.hook, held):
            return self._replace(OPEN, new, item, opened, held)
        gate = self._gate(held)
        if self._is_done(gate, held):
            # Whoever was to ask people is not at it any more, and has not said whether they were
            # asked. What was failed has the lease of whoever was to tell them of that.
            is_left = held.get(TELLING.until, opened["at"]) < opened["at"]
            was_failed = any(entry["event"] == "failed" for entry in gate.history)
            return Held(gate, may_be_told=is_left and not was_failed)
        return self.resume(gate, new, may_be_told=TELLING.holder in held)

    def resume(self, gate: Gate, new: NewGate, *, may_be_told: bool) -> Held:
        """Takes the lease on telling people of a gate that an earlier try left untold.

        As of `open`. Sets what `new` knows better than that try did.
        """
        try_id, known = _try_id(), better_known(new)
        item, is_mine = self._take(RESUME, gate.hook, known, new.created_at, try_id)
        if is_mine:
            return Held(self._gate(item), try_id, may_be_told=may_be_told)
        gate = self._held(gate.hook, item)
        if self._is_done(gate, item):
            return Held(gate)
        raise GateBusyError(gate.deployment_id, item.get(TELLING.until))

    def mark_notified(
        self, hook: Hook, now: datetime, place: Place | None = None, *, again: bool = False
    ) -> Gate:
        """Writes down that people were told that the gate waits, and where a bot told them.

        `again`: they may have been told before. Then the newest message shows that the gate waits,
        whatever a click has made of the older one. Raises GateReplacedError or GateNotFoundError if
        the gate was lost.
        """
        shown = GateStatus.WAITING if again else None
        return self._mark_told(NOTIFIED, hook, now, {"shown": shown, **placed(place)})

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
        caller who holds the lease on `telling` them. `is_reported`: its engine knows already.

        With a `try_id`, it is the caller's to tell the engine, and to call `mark_reported` or
        `settle`, or `stop_reporting`. Without, it is not to be failed: people were told, or it was
        decided or failed before; what the engine does not know of that is there to be taken over.
        Raises GateBusyError while another try is at work, GateTakenError if another hook of the
        deployment waits, or may.
        """
        try_id, now = _try_id(), new.created_at
        failed = event("failed", now, reason=reason)
        item = {**new_item(new, GateStatus.FAILED), "reason": reason}
        if is_reported:
            item |= dict.fromkeys(("failed_at", "reported_at"), moment_text(now))
        own = telling.try_id if telling else None
        held, is_mine = self._take(FAIL, new.hook, item, now, try_id, failed, spared_try_id=own)
        if is_mine:
            return Held(self._gate(held), try_id, is_new=True)
        if not _is_gate_of(new.hook, held):
            item |= taken(REPORTING, try_id, now)
            return self._replace(FAIL, new, item, failed, held)
        gate = self._gate(held)
        may_be_told = gate.status is GateStatus.WAITING and not gate.notified_at
        if may_be_told and held.get(TELLING.until, "") > moment_text(now):
            raise GateBusyError(gate.deployment_id, held[TELLING.until])
        return Held(gate, may_be_told=may_be_told)

    def take_failure_message(self, gate: Gate, now: datetime) -> Held:
        """Takes the lease on telling people that a gate ended without their being asked.

        With a `try_id`, the caller has to call `mark_failure_notified`, or `stop_telling`. Raises
        GateBusyError while another try holds the lease.
        """
        try_id = _try_id()
        item, is_mine = self._take(TELL_FAILURE, gate.hook, {}, now, try_id)
        gate = self._held(gate.hook, item)
        if is_mine:
            return Held(gate, try_id)
        if gate.failure_notified_at:
            return Held(gate)
        raise GateBusyError(gate.deployment_id, item.get(TELLING.until))

    def mark_failure_notified(self, hook: Hook, now: datetime) -> Gate:
        """Writes down that people were told that a gate ended without their being asked."""
        return self._mark_told(FAILURE_NOTIFIED, hook, now)

    # ── A gate is decided ────────────────────────────────────────────────────────────────────────

    def decide(self, hook: Hook, decision: Decision, now: datetime) -> Held:
        """Decides a gate that waits, or takes over a decision like it that was left unreported.

        With a `try_id`, it is the caller's to tell the engine, and to call `mark_reported`,
        `settle`, `give_back` or `stop_reporting`. Raises GateNotFoundError, GateReplacedError if it
        is another hook execution's, and GateBusyError if it was given back in this very moment.
        """
        try_id = _try_id()
        status = decision.verdict.status
        decided = {
            "status": status,
            "decided_by": decision.approver,
            "decided_via": decision.via,
            "decided_at": moment_text(now),
            "reason": decision.reason,
        }
        entry = event(
            "decided",
            now,
            status=status,
            by=decision.approver,
            name=decision.name,
            team=decision.team,
            via=decision.via,
            reason=decision.reason,
        )
        held = self._take(DECIDE, hook, decided, now, try_id, entry)
        return self._decided(hook, status, held, try_id, now)

    def expire(self, hook: Hook, reason: str, now: datetime) -> Held:
        """Rejects a gate that nobody has decided in time; otherwise as of `decide`."""
        try_id, status = _try_id(), GateStatus.EXPIRED
        expired = {
            "status": status,
            "decided_via": Via.CLOCK,
            "decided_at": moment_text(now),
            "reason": reason,
        }
        entry = event("expired", now, status=status, via=Via.CLOCK, reason=reason)
        held = self._take(EXPIRE, hook, expired, now, try_id, entry)
        return self._decided(hook, status, held, try_id, now)

    def _decided(
        self, hook: Hook, status: GateStatus, held: tuple[Item, bool], try_id: str, now: datetime
    ) -> Held:
        """What a try to give a gate this status came to."""
        item, is_mine = held
        gate = self._held(hook, item)
        if is_mine:
            return Held(gate, try_id, is_new=True)
        if gate.status == status and gate.state is GateState.DECIDED:
            return self._take_over_decision(gate, now)
        if gate.state is GateState.WAITING:  # somebody is finding out what its engine knows of it
            raise GateBusyError(hook.deployment_id, item.get(REPORTING.until))
        return Held(gate)

    def _take_over_decision(self, gate: Gate, now: datetime) -> Held:
        """Takes over a decision, unless another try is bringing it to the engine."""
        try:
            return self.take_over(gate, now)
        except GateBusyError as busy:
            if busy.lease_until is None:  # it was given back just now
                raise
            return Held(gate)

    def give_back(self, held: Held, problem: str, now: datetime) -> Gate:
        """Lets a gate wait again, because the engine denied its decider; the gate as it is then.

        Only as long as the try that decided it holds the lease.
        """
        gate = held.gate
        denied = event("denied", now, status=gate.status, by=gate.decided_by, reason=problem)
        waits = {"status": GateStatus.WAITING}
        return self._held(gate.hook, self._end(GIVE_BACK, held, waits, denied)[0])

    # ── What is decided or failed is carried to the engine ───────────────────────────────────────

    def take_over(self, gate: Gate, now: datetime) -> Held:
        """Takes over what an earlier try left unreported.

        Without a `try_id`, it is not unreported any more. Raises GateBusyError while another try
        holds the lease.
        """
        try_id = _try_id()
        item, is_mine = self._take(TAKE_OVER, gate.hook, {}, now, try_id, seen=gate.status)
        gate = self._held(gate.hook, item)
        if is_mine:
            return Held(gate, try_id)
        if gate.status is GateStatus.WAITING:  # it was given back just now
            raise GateBusyError(gate.deployment_id, item.get(REPORTING.until))
        if gate.state in (GateState.DECIDED, GateState.FAILING):
            raise GateBusyError(gate.deployment_id, item.get(REPORTING.until))
        return Held(gate)

    def mark_reported(self, held: Held, now: datetime) -> tuple[Gate, bool]:
        """Writes down that the engine knows; the gate as it is then, and whether this try wrote it.

        It is a fact, so it asks for no lease; but it is one of the status that was reported.
        """
        gate = held.gate
        # It is the holder from now on: who was, and finds this, has not written it.
        known = {"reported_at": moment_text(now), REPORTING.holder: held.try_id}
        if gate.status is GateStatus.FAILED:
            known["failed_at"] = moment_text(now)
        reported = event("reported", now, status=gate.status)
        item, is_mine = self._end(REPORTED, held, known, reported)
        return self._held(gate.hook, item), is_mine

    def settle(
        self, held: Held, settlement: Settlement, now: datetime, *, unasked: bool = False
    ) -> Gate:
        """Brings a gate in line with what happened elsewhere; the gate as it is then.

        Only as long as the try holds the lease, that on telling people if it is `unasked`: another
        may know better by now. Who wanted to decide it, too late, is in its history only.
        """
        step = SETTLE_UNASKED if unasked else SETTLE
        return self._held(held.gate.hook, self._end(step, held, *_settled(settlement, now))[0])

    def correct(self, gate: Gate, settlement: Settlement, now: datetime) -> Gate:
        """Brings a gate in line that is closed, and otherwise than its engine knows; as it is then.

        It is a fact, so it asks for no lease.
        """
        made = self._update(CORRECT, gate.hook, *_settled(settlement, now), seen=gate.status)
        return self._held(gate.hook, made[0])

    def stop_telling(self, held: Held) -> None:
        """Gives up the lease on telling people, so that the next try need not wait for its end."""
        self._release(STOP_TELLING, held)

    def stop_reporting(self, held: Held) -> None:
        """Gives up the lease on telling the engine, likewise."""
        self._release(STOP_REPORTING, held)

    def _release(self, step: Step, held: Held) -> None:
        """Gives up a lease. Where the table cannot be written, the lease's end does that."""
        try:
            self._end(step, held, {})
        except TableError as exc:
            logger.warning("A lease is not given up", step=step.name, error=str(exc))

    # ── What people see of a gate is kept true ───────────────────────────────────────────────────

    def claim(self, hook: Hook, user_id: str, now: datetime) -> Gate:
        """Writes down who is testing, if the gate waits; the gate as it is then."""
        claimed = {"claimed_by": user_id, "claimed_at": moment_text(now)}
        entry = event("claimed", now, by=user_id)
        return self._held(hook, self._update(CLAIM, hook, claimed, entry)[0])

    def take_message(self, hook: Hook, now: datetime) -> Held:
        """Takes the lease on changing a gate's message, or on answering it.

        The caller has to call `mark_shown`, `mark_reminded` or `stop_showing`. Raises GateBusyError
        while another try holds the lease.
        """
        try_id = _try_id()
        item, is_mine = self._take(SHOW, hook, {}, now, try_id)
        gate = self._held(hook, item)
        if not is_mine:
            raise GateBusyError(gate.deployment_id, item.get(SHOWING.until))
        return Held(gate, try_id)

    def mark_shown(self, held: Held, place: Place | None = None) -> Gate:
        """Writes down what the message shows since then, and where it is, if that is new."""
        shown = {"shown": held.gate.appearance, **placed(place)}
        return self._held(held.gate.hook, self._end(SHOWN, held, shown)[0])

    def mark_replaced(self, gate: Gate) -> Gate:
        """Writes down that a click has shown what became of a gate, if nobody else has.

        The gate as it is then. Raises GateReplacedError or GateNotFoundError if it was lost.
        """
        shown = {"shown": gate.appearance}
        return self._held(gate.hook, self._update(REPLACED, gate.hook, shown, None)[0])

    def mark_left(self, gate: Gate) -> None:
        """Writes down that nobody replaces a gate's message, unless somebody has."""
        self._update(REPLACED, gate.hook, {"shown": GateStatus.WAITING}, None)

    def mark_reminded(self, held: Held, due: datetime, now: datetime) -> Gate:
        """Writes down that people were reminded, as was due at a time.

        Where no bot changes one message, the reminder is the newest one, and shows that it waits,
        whatever has become of the gate meanwhile.
        """
        reminded = {"reminded_for": moment_text(due)}
        if not held.gate.place:
            reminded["shown"] = GateStatus.WAITING
        return self._held(
            held.gate.hook, self._end(REMINDED, held, reminded, event("reminded", now))[0]
        )

    def stop_showing(self, held: Held) -> None:
        """Gives up the lease on changing a gate's message, likewise."""
        self._release(STOP_SHOWING, held)

    # ── What became of a deployment ──────────────────────────────────────────────────────────────

    def mark_ended(self, hook: Hook, ending: Ending, now: datetime) -> tuple[Gate, bool]:
        """Writes down what became of a deployment; the gate as it is then, and whether it is news.

        The first end stands; but what was rolled back later says so.
        """
        is_rolled_back = ending.outcome is Outcome.ROLLED_BACK
        at = moment_text(ending.at or now)
        known = {"outcome": ending.outcome, "outcome_at": at, "outcome_reason": ending.reason}
        step, kind = (ROLLED_BACK, "rolled_back") if is_rolled_back else (ENDED, "ended")
        if is_rolled_back:
            known["rolled_back_at"] = at
        entry = event(kind, now, outcome=ending.outcome, reason=ending.reason)
        item, is_mine = self._update(step, hook, known, entry)
        return self._held(hook, item), is_mine

    # ── Reading ──────────────────────────────────────────────────────────────────────────────────

    def get(self, deployment_id: str) -> Gate:
        """A deployment's gate. Raises GateNotFoundError."""
        return self._known(deployment_id, self._item(deployment_id))

    def _item(self, deployment_id: str) -> Item:
        """What is under a key; empty if nothing is."""
        answer = self._call(
            self._client.get_item,
            Key=serialize({"deployment_id": deployment_id}),
            ConsistentRead=True,
        )
        return deserialize(answer.get("Item", {}))

    def may_be_known(self, hook: Hook) -> bool:
        """Whether people may have been told what is so of a hook's gate, or somebody decided it."""
        item = self._item(hook.deployment_id)
        if not _is_gate_of(hook, item):
            return False
        if item["status"] == GateStatus.WAITING:
            return "notified_at" in item or TELLING.holder in item
        return item["status"] != GateStatus.FAILED or "failure_notified_at" in item

    def unanswered(self, now: datetime) -> list[Gate]:
        """The gates that an engine waits for an answer to, soonest deadline first.

        Those that wait for a decision, and those of which the engine does not know yet what was
        decided, or that nobody could be asked. Raises IndexMissingError if the table has no index
        to find them by.
        """
        statuses = (
            GateStatus.WAITING,
            GateStatus.APPROVED,
            GateStatus.REJECTED,
            GateStatus.EXPIRED,
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

        Raises GateBusyError for a decision that came before people were told, and that the
        engine does not know: if whoever decided does not finish it, nobody else would know of it.
        """
        if gate.state is GateState.DECIDED and not gate.notified_at:
            raise GateBusyError(gate.deployment_id, item.get(REPORTING.until))
        return bool(gate.notified_at) or gate.status is not GateStatus.WAITING

    # ── How it is written ────────────────────────────────────────────────────────────────────────

    def _mark_told(self, step: Step, hook: Hook, now: datetime, more: Item | None = None) -> Gate:
        """Writes down that people were told something. It is a fact, so it asks for no lease.

        Where it is on record already, it was told before, by a try that is not known to have ended.
        """
        attribute, (kind,) = step.sets[0], step.events
        written = {attribute: moment_text(now), **(more or {})}
        return self._held(hook, self._update(step, hook, written, event(kind, now))[0])

    def _take(
        self,
        step: Step,
        hook: Hook,
        attributes: Item,
        now: datetime,
        try_id: str,
        entry: dict[str, str] | None = None,
        **more: str | None,
    ) -> tuple[Item, bool]:
        """Makes a step that takes a lease; the item as it is then, and whether it was made."""
        lease = cast("Lease", step.takes)
        attributes = {**attributes, **taken(lease, try_id, now)}
        more |= {"now": moment_text(now), "try_id": try_id}
        return self._update(step, hook, attributes, entry, **more)

    def _end(
        self, step: Step, held: Held, attributes: Item, entry: dict[str, str] | None = None
    ) -> tuple[Item, bool]:
        """Makes a step that ends what a try had begun; likewise."""
        gate = held.gate
        return self._update(
            step, gate.hook, attributes, entry, try_id=held.try_id, seen=gate.status
        )

    def _update(
        self,
        step: Step,
        hook: Hook,
        attributes: Item,
        entry: dict[str, str] | None,
        **known: str | None,
    ) -> tuple[Item, bool]:
        """Makes the write of a step; the item as it is then, and whether the step was made."""
        attributes = present(attributes)
        request = update(
            attributes,
            condition(step),
            keep=step.keeps,
            remove=[name for name in step.removes if name not in attributes],
            event=entry,
            hook=hook.execution_id,
            **known,
            **{status: status for status in GateStatus},
        )
        return self._write(
            self._client.update_item,
            entry,
            known.get("try_id"),
            Key=serialize({"deployment_id": hook.deployment_id}),
            ReturnValues="ALL_NEW",
            **request,
        )

    def _put(
        self,
        step: Step,
        hook: Hook,
        item: Item,
        entry: dict[str, str],
        held: Item,
    ) -> tuple[Item, bool]:
        """Puts a gate whole, in the place of what is `held` under its key; likewise."""
        earlier = held.get("history", []) if is_gate(held) else []
        item = {"deployment_id": hook.deployment_id, **item, "history": [*earlier, entry]}
        where = replaceable(held) if held else condition(step)
        known = {"hook": hook.execution_id, "history": held.get("history")}
        found, is_put = self._write(
            self._client.put_item,
            entry,
            item[cast("Lease", step.takes).holder],
            Item=serialize(item),
            ConditionExpression=where,
            **present(
                {
                    "ExpressionAttributeNames": names(where) or None,
                    "ExpressionAttributeValues": values(known, where) or None,
                }
            ),
        )
        return found or item, is_put

    def _replace(
        self, step: Step, new: NewGate, item: Item, entry: dict[str, str], held: Item
    ) -> Held:
        """Puts a gate in the place of an older hook's, or of another tool's item.

        What happened to an older hook of the deployment stays on record. Raises GateTakenError if
        the engine waits for that other hook.
        """
        if _is_taken(held, new):
            raise GateTakenError(new.hook.engine, new.hook.deployment_id)
        lease = cast("Lease", step.takes)
        found, is_put = self._put(step, new.hook, item, entry, held)
        if not is_put:
            raise GateBusyError(new.hook.deployment_id, found.get(lease.until))
        return Held(self._gate(found), item[lease.holder], is_new=True)

    def _query(self, status: GateStatus, now: datetime) -> "Iterator[Item]":
        """The items of one status whose deadline is ahead and of which its engine knows nothing."""
        key = "#status = :status AND #deadline > :now"
        request: Item = {
            "IndexName": STATUS_INDEX,
            "KeyConditionExpression": key,
            "FilterExpression": (
                "attribute_not_exists(reported_at) AND attribute_not_exists(failed_at)"
            ),
            "ExpressionAttributeNames": names(key),
            "ExpressionAttributeValues": values({"status": status, "now": moment_text(now)}, key),
        }
        while True:
            try:
                page = self._call(self._client.query, **request)
            except TableError as exc:
                # It is always the same query: what DynamoDB finds wrong with it is the index.
                if exc.reason == "ValidationException":
                    raise IndexMissingError(self.name, STATUS_INDEX) from exc
                raise
            yield from map(deserialize, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _write(
        self,
        operation: "Callable[..., Any]",
        entry: dict[str, str] | None,
        try_id: str | None,
        **request: Any,
    ) -> tuple[Item, bool]:
        """Makes a conditional write; the item as it is then, and whether it was made.

        A write whose condition does not hold was made all the same if its entry is in the history,
        and its try has a lease: then its answer was lost, and botocore has sent it again.
        """
        try:
            answer = self._call(operation, ReturnValuesOnConditionCheckFailure="ALL_OLD", **request)
        except self._client.exceptions.ConditionalCheckFailedException as exc:
            held: Any = exc.response.get("Item", {})  # the stubs do not know that it is there
            item = deserialize(held)
            leases = (TELLING, REPORTING, SHOWING)
            is_holder = try_id in [item.get(lease.holder) for lease in leases]
            is_made = bool(entry and try_id and is_holder and entry in item["history"])
            return item, is_made
        return deserialize(answer.get("Attributes", {})), True

    def _call(self, operation: "Callable[..., Any]", **request: Any) -> Item:
        """Calls DynamoDB; a failed condition is left to the caller."""
        if not self.name:
            raise TableError("(none)", operation.__name__, "no table is named")
        try:
            answer: Item = operation(TableName=self.name, **request)
        except self._client.exceptions.ConditionalCheckFailedException:
            raise
        except ClientError as exc:
            reason = exc.response["Error"]["Code"]
            raise TableError(self.name, operation.__name__, reason) from exc
        except BotoCoreError as exc:
            raise TableError(self.name, operation.__name__, type(exc).__name__) from exc
        return answer

    def _held(self, hook: Hook, item: Item) -> Gate:
        """A hook's gate that a condition did not hold for; GateReplacedError if it is another's."""
        if is_gate(item) and not _is_gate_of(hook, item):
            raise GateReplacedError(hook.deployment_id)
        return self._known(hook.deployment_id, item)

    def _known(self, deployment_id: str, item: Item) -> Gate:
        """An item's gate, if there is one and it is Greenlight's."""
        if not is_gate(item):
            raise GateNotFoundError(deployment_id, self.name)
        return self._gate(item)

    def _gate(self, item: Item) -> Gate:
        try:
            return read_gate(item)
        except ValueError as exc:
            raise TableError(self.name, "read", str(exc)) from exc


def _settled(settlement: Settlement, now: datetime) -> tuple[Item, dict[str, str]]:
    """What an item has of what happened elsewhere, and the entry of its history."""
    at = settlement.at or now
    truth = {
        "status": settlement.status,
        "decided_via": Via.ELSEWHERE,
        "decided_at": moment_text(at),
        "reported_at": moment_text(at),
        "reason": settlement.detail,
        "timeout_action": settlement.timeout_action,
    }
    kind = "expired" if settlement.status is GateStatus.EXPIRED else "decided"
    entry = event(kind, at, status=settlement.status, via=Via.ELSEWHERE, reason=settlement.detail)
    return truth, entry


def _is_gate_of(hook: Hook, item: Item) -> bool:
    """Whether an item is a gate of Greenlight's, and this hook's."""
    return item.get("hook_execution_id") == hook.execution_id and is_gate(item)


def _is_taken(held: Item, new: NewGate) -> bool:
    """Whether an item is the gate of another hook, which the engine waits for.

    An engine runs one hook of a gate after the other: the one that it waits for is that of
    the gate which was opened since it began to wait, and of which it knows nothing yet. Where it
    does not say when that was, it may be any such gate.
    """
    if not is_gate(held):
        return False
    if "reported_at" in held or "failed_at" in held:
        return False
    if new.lifecycle.status is None:
        return bool(held["deadline"] > moment_text(new.created_at))
    since = new.lifecycle.waits_since
    opened_at = held.get("created_at", "")
    return since is not None and bool(opened_at >= moment_text(since - CLOCKS_DIFFER_BY))


def _try_id() -> str:
    """Tells a try's writes from others': when an answer is lost, botocore sends a write again."""
    return uuid.uuid4().hex
