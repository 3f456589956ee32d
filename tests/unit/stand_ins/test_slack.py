"""The limits of the stand-in for Slack are those of Slack's own models of Block Kit."""

from collections.abc import Callable
from typing import Any

import pytest

from stand_ins import slack
from stand_ins.slack import broken_limits
from tests.block_kit import refused_by_models

# Slack's documentation has them, and its models do not check them.
ONLY_DOCUMENTED = {"MAX_BLOCKS", "MAX_FIELD", "MAX_RESPONSES"}


def plain(size: int) -> dict[str, Any]:
    return {"type": "plain_text", "text": "x" * size}


def image(**changes: Any) -> dict[str, Any]:
    return {
        "type": "image",
        "image_url": "https://example.com/cat.gif",
        "alt_text": "cat",
        **changes,
    }


def button(**changes: Any) -> dict[str, Any]:
    return {"type": "button", "text": plain(1), "value": "x", "action_id": "a", **changes}


def actions(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"type": "actions", "elements": [*buttons]}


def confirm(part: str, size: int) -> dict[str, Any]:
    parts = ("title", "text", "confirm", "deny")
    return actions(button(confirm={one: plain(size if one == part else 1) for one in parts}))


def entry(size: int = 1, **changes: Any) -> dict[str, Any]:
    element = {"type": "plain_text_input", "action_id": "a", **changes}
    return {"type": "input", "label": plain(size), "element": element}


# A block that is as large as the limit is, for each limit.
BLOCKS: dict[str, list[Callable[[int], dict[str, Any]]]] = {
    "MAX_HEADER": [lambda size: {"type": "header", "text": plain(size)}],
    "MAX_SECTION": [lambda size: {"type": "section", "text": plain(size)}],
    "MAX_FIELDS": [lambda size: {"type": "section", "fields": [plain(1)] * size}],
    "MAX_ALT_TEXT": [lambda size: image(alt_text="x" * size)],
    "MAX_IMAGE_URL": [lambda size: image(image_url="x" * size)],
    "MAX_LABEL": [entry],
    "MAX_PLACEHOLDER": [lambda size: entry(placeholder=plain(size))],
    "MAX_BUTTONS": [lambda size: actions(*[button()] * size)],
    "MAX_BUTTON_TEXT": [lambda size: actions(button(text=plain(size)))],
    "MAX_BUTTON_VALUE": [lambda size: actions(button(value="x" * size))],
    "MAX_CONFIRM_TITLE": [lambda size: confirm("title", size)],
    "MAX_CONFIRM_TEXT": [lambda size: confirm("text", size)],
    "MAX_CONFIRM_BUTTON": [
        lambda size: confirm("confirm", size),
        lambda size: confirm("deny", size),
    ],
    "MAX_ID": [
        lambda size: actions(button(action_id="x" * size)),
        lambda size: entry(action_id="x" * size),
        lambda size: {**entry(), "block_id": "x" * size},
        lambda size: {**actions(button()), "block_id": "x" * size},
    ],
}


def test_every_limit_is_held_against_slacks_models() -> None:
    limits = {name for name in vars(slack) if name.startswith("MAX_")}

    assert limits - ONLY_DOCUMENTED == BLOCKS.keys()


@pytest.mark.parametrize(
    ("name", "block"), [(name, block) for name, blocks in BLOCKS.items() for block in blocks]
)
def test_the_largest_that_slacks_models_take_is_the_largest_that_the_stand_in_takes(
    name: str, block: Callable[[int], dict[str, Any]]
) -> None:
    limit = getattr(slack, name)
    largest, larger = ({"blocks": [block(size)]} for size in (limit, limit + 1))

    assert (refused_by_models(largest), broken_limits(largest)) == ([], [])
    assert (len(refused_by_models(larger)), len(broken_limits(larger))) == (1, 1)


@pytest.mark.parametrize(
    "block",
    [
        {"type": "heading", "text": plain(1)},
        {"type": "header", "text": plain(1), "colour": "red"},
        actions(button(style="dangerous")),
    ],
)
def test_what_slacks_models_do_not_know_is_found(block: dict[str, Any]) -> None:
    assert refused_by_models({"blocks": [block]}) != []
