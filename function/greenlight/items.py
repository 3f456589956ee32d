"""How a gate is written as a DynamoDB item, and read back."""

from datetime import datetime
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from greenlight.models import Gate, GateStatus

Item = dict[str, Any]


def serialize(item: Item) -> Item:
    """An item with DynamoDB's types."""
    return {name: TypeSerializer().serialize(value) for name, value in item.items()}


def deserialize(item: Item) -> Item:
    """An item without DynamoDB's types."""
    return {name: TypeDeserializer().deserialize(value) for name, value in item.items()}


def values(item: Item, **more: Any) -> Item:
    """The values that the expressions of a write name: `:name` for each name."""
    return serialize({f":{name}": value for name, value in {**item, **more}.items()})


def assignment(name: str, *, keep: bool = False) -> str:
    """Sets an attribute; `keep` leaves one that is there as it is."""
    return f"#{name} = if_not_exists(#{name}, :{name})" if keep else f"#{name} = :{name}"


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
            application=item.get("application"),
            deployment_group=item.get("deployment_group"),
            notified_at=_moment(item, "notified_at"),
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise ValueError(f"the item {item.get('deployment_id')} is not a gate: {exc!r}") from exc


def _moment(item: Item, name: str) -> datetime | None:
    text = item.get(name)
    return None if text is None else datetime.fromisoformat(text)
