"""What Slack's own models of Block Kit refuse in a message."""

from typing import Any

from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models.blocks import Block

from stand_ins.slack import broken_limits


def refused(message: Any) -> list[str]:
    """What Slack would refuse a message for: by our stand-in's limits, and by its own models."""
    return [*broken_limits(message), *refused_by_models(message)]


def refused_by_models(message: Any) -> list[str]:
    """What Slack's models refuse in a message's blocks, or do not know and drop."""
    reasons = []
    for block in message.get("blocks", []):
        try:
            model = Block.parse(block)
            known = model.to_dict() if model else None
        except SlackObjectFormationError as error:
            reasons.append(str(error))
        else:
            reasons += [] if known == block else [f"unknown: {block} is read as {known}"]
    return reasons
