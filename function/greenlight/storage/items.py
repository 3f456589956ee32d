"""How a gate is written as a DynamoDB item, and read back."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from greenlight.model.gate import (
    Deployment,
    EngineName,
    Gate,
    GateStatus,
    NewGate,
    Outcome,
    Place,
    TimeoutAction,
    Via,
)
from greenlight.model.life import Lease

Item = dict[str, Any]

_NAME: Final = re.compile(r"#(\w+)")
_VALUE: Final = re.compile(r":(\w+)")


def serialize(item: Item) -> Item:
    """An item with DynamoDB's types."""
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}


def deserialize(item: Item) -> Item:
    """An item without DynamoDB's types."""
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def update(
    attributes: Item,
    condition: str,
    *,
    keep: Iterable[str] = (),
    remove: Iterable[str] = (),
    event: dict[str, str] | None = None,
    **more: Any,
) -> Item:
    """The request of a conditional update that sets attributes, removes some, and adds an event.

    An attribute in `keep` stays as it is where it is there. The condition names attributes as
    `#name` and values as `:name`: those of the attributes, and `more`.
    """
    known = {**attributes, **more}
    kept = frozenset(keep)
    sets = [
        f"#{name} = if_not_exists(#{name}, :{name})" if name in kept else f"#{name} = :{name}"
        for name in attributes
    ]
    if event:
        sets.append("#history = list_append(if_not_exists(#history, :no_history), :new_history)")
        known |= {"no_history": [], "new_history": [event]}
    expression = "SET " + ", ".join(sets) if sets else ""
    if removed := [f"#{name}" for name in remove]:
        expression += " REMOVE " + ", ".join(removed)
    return {
        "UpdateExpression": expression,
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names(expression, condition),
        "ExpressionAttributeValues": values(known, expression, condition),
    }


def names(*expressions: str) -> dict[str, str]:
    """The attribute names that expressions have a `#` before."""
    return {f"#{name}": name for text in expressions for name in _NAME.findall(text)}


def values(known: Item, *expressions: str) -> Item:
    """The values that expressions have a `:` before."""
    wanted = {name for text in expressions for name in _VALUE.findall(text)}
    return serialize({f":{name}": known[name] for name in wanted})


def is_gate(item: Item) -> bool:
    """Whether an item is a gate of Greenlight's, and not another tool's."""
    return "deadline" in item


def new_item(new: NewGate, status: GateStatus) -> Item:
    """The attributes of a gate that is new."""
    return present(
        {
            "hook_execution_id": new.hook.execution_id,
            "engine": new.hook.engine,
            "service_deployment_arn": new.hook.service_deployment_arn,
            "stage": new.hook.stage,
            "status": status,
            "test_url": new.test_url,
            "created_at": moment_text(new.created_at),
            "deadline": moment_text(new.deadline),
            "decide_by": new.decide_by and moment_text(new.decide_by),
            "timeout_action": new.lifecycle.timeout_action,
            "expires_at": int(new.expires_at.timestamp()),
            **_described(new.deployment),
        }
    )


def better_known(new: NewGate) -> Item:
    """The attributes of a gate that say more than those of an earlier try may."""
    known: Item = {}
    if new.lifecycle.deadline:
        known["deadline"] = moment_text(new.deadline)
        known["decide_by"] = new.decide_by and moment_text(new.decide_by)
        known["timeout_action"] = new.lifecycle.timeout_action
    if new.deployment.is_known:
        known |= {"test_url": new.test_url, **_described(new.deployment)}
    return present(known)


def _described(deployment: Deployment) -> Item:
    return {
        "application": deployment.application,
        "deployment_group": deployment.deployment_group,
        "cluster": deployment.cluster,
        "service": deployment.service,
        "description": deployment.description,
        "creator": deployment.creator,
        "traffic": deployment.traffic,
        "is_first": deployment.is_first,
    }


def taken(lease: Lease, try_id: str, now: datetime) -> Item:
    """The attributes of an item whose lease a try has from now on."""
    return {lease.until: moment_text(now + lease.lasts), lease.holder: try_id}


def event(kind: str, at: datetime, /, **more: str | None) -> dict[str, str]:
    """An entry of a gate's history; what is None is left out."""
    return present({"event": kind, "at": moment_text(at), **more})


def present(item: Item) -> Item:
    """An item without what is None."""
    return {name: value for name, value in item.items() if value is not None}


def moment_text(moment: datetime) -> str:
    """UTC to the second, so that the text sorts as the time does."""
    return moment.isoformat(timespec="seconds")


def read_gate(item: Item) -> Gate:
    """The gate that an item holds. Raises ValueError that says what is wrong with it."""
    try:
        return Gate(
            deployment_id=item["deployment_id"],
            hook_execution_id=item["hook_execution_id"],
            status=GateStatus(item["status"]),
            test_url=item["test_url"],
            created_at=datetime.fromisoformat(item["created_at"]),
            deadline=datetime.fromisoformat(item["deadline"]),
            engine=EngineName(item.get("engine", EngineName.CODEDEPLOY)),
            service_deployment_arn=item.get("service_deployment_arn"),
            stage=item.get("stage"),
            timeout_action=(
                TimeoutAction(item["timeout_action"]) if "timeout_action" in item else None
            ),
            application=item.get("application"),
            deployment_group=item.get("deployment_group"),
            cluster=item.get("cluster"),
            service=item.get("service"),
            description=item.get("description"),
            creator=item.get("creator"),
            traffic=item.get("traffic"),
            is_first=item.get("is_first"),
            decide_by=_moment(item, "decide_by"),
            notified_at=_moment(item, "notified_at"),
            place=_place(item),
            shown=item.get("shown"),
            claimed_by=item.get("claimed_by"),
            claimed_at=_moment(item, "claimed_at"),
            reminded_for=_moment(item, "reminded_for"),
            decided_by=item.get("decided_by"),
            decided_via=Via(item["decided_via"]) if "decided_via" in item else None,
            decided_at=_moment(item, "decided_at"),
            reason=item.get("reason"),
            reported_at=_moment(item, "reported_at"),
            failed_at=_moment(item, "failed_at"),
            failure_notified_at=_moment(item, "failure_notified_at"),
            outcome=Outcome(item["outcome"]) if "outcome" in item else None,
            outcome_at=_moment(item, "outcome_at"),
            outcome_reason=item.get("outcome_reason"),
            history=tuple(dict(entry) for entry in item.get("history", [])),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise ValueError(f"the item {item.get('deployment_id')} is not a gate: {exc!r}") from exc


def placed(place: Place | None) -> Item:
    """The attributes of an item whose message a bot posted there."""
    return {"message_channel": place.channel, "message_ts": place.ts} if place else {}


def _place(item: Item) -> Place | None:
    return Place(item["message_channel"], item["message_ts"]) if "message_ts" in item else None


def _moment(item: Item, name: str) -> datetime | None:
    text = item.get(name)
    return None if text is None else datetime.fromisoformat(text)
