"""The words of the Slack messages, in one language or in two; `{engine}` has a place in them.

Each language is a module of its own, by its code, and loaded when it is asked for.
"""

import functools
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from typing import Final

from greenlight.model.gate import EngineName
from greenlight.model.message import Language
from greenlight.slack.blocks import HEADER_CHARACTERS

# How the words of two languages are put together; all others are sentences, one below the other.
_HEADERS: Final = frozenset(
    {
        "header",
        "failed_header",
        "stuck_header",
        "left_header",
        "approved_header",
        "rejected_header",
        "expired_header",
        "reminder_header",
        "live_header",
        "broken_header",
        "stopped_header",
        "rolled_back_header",
    }
)
# They stand on one line, as what follows them or what they are set in needs it.
_LABELS: Final = frozenset(
    {
        "deployment",
        "test_url",
        "application",
        "deployment_group",
        "cluster",
        "service",
        "stage",
        "traffic",
        "description",
        "creator",
        "deadline",
        "image",
        "cause",
        "reason",
        "history",
    }
)
# Slack has little room for them, or they go into a command line.
_FIRST_ONLY: Final = frozenset(
    {
        "approve_button",
        "reject_button",
        "claim_button",
        "confirm_approve_title",
        "confirm_approve",
        "confirm_reject_title",
        "confirm_reject",
        "confirm_no",
        "reason_input",
        "reason_example",
    }
)


@dataclass(frozen=True)
class Words:
    """The words of a message. A header begins with a sign, which is the same in every language."""

    header: str
    deployment: str
    test_url: str
    application: str
    deployment_group: str
    cluster: str
    service: str
    stage: str
    traffic: str
    description: str
    creator: str
    deadline: str
    after_deadline: str
    after_rolling_back: str
    after_going_on: str
    what_to_do: str
    what_to_press: str
    what_to_do_at: str
    what_to_press_at: str
    first_deployment: str
    or_type: str
    aws_approve: str
    aws_reject: str
    get_greenlight: str
    greenlight_approve: str
    greenlight_reject: str
    approve_button: str
    reject_button: str
    confirm_approve_title: str
    confirm_approve: str
    confirm_reject_title: str
    confirm_reject: str
    confirm_no: str
    reason_input: str
    reason_example: str
    unknown_deployment: str
    image: str
    failed_header: str
    failed: str
    ended: str
    stuck_header: str
    stuck: str
    left_header: str
    left: str
    cause: str
    approved_header: str
    rejected_header: str
    expired_header: str
    approved_by: str
    rejected_by: str
    approved_elsewhere: str
    rejected_elsewhere: str
    expired: str
    expired_going_on: str
    failed_at: str
    reason: str
    nothing_changed: str
    still_unreported: str
    settled_elsewhere: str
    not_approver: str
    failing: str
    denied: str
    unreported: str
    unknown: str
    answered: str
    not_found: str
    replaced: str
    not_done: str
    reminder_header: str
    reminder: str
    reminder_hours: str
    reminder_for: str
    claimed: str
    claim_button: str
    after_decide_by: str
    expired_by_clock: str
    live_header: str
    broken_header: str
    stopped_header: str
    rolled_back_header: str
    live: str
    broken: str
    stopped: str
    rolled_back: str
    took: str
    took_hours: str
    approver_told: str
    ending: str
    press_again: str
    type_again: str
    or_command: str
    command_approve: str
    command_reject: str
    help: str
    not_understood: str
    needs_reason: str
    unknown_id: str
    not_looked_up: str
    no_index: str
    nothing_waits: str
    what_waits: str
    more_wait: str
    unreported_yet: str
    history: str


@functools.cache
def words_in(languages: tuple[Language, ...], engine: EngineName | None = None) -> Words:
    """The words in one language, or in two, about an engine; None: whichever it is."""
    first, *others = (_in_one(language, engine) for language in languages)
    words = asdict(functools.reduce(in_both, others, first))
    label = engine.label if engine else "/".join(one.label for one in EngineName)
    return Words(**{name: text.replace("{engine}", label) for name, text in words.items()})


def _in_one(language: Language, engine: EngineName | None) -> Words:
    """The words in a language; where those about ECS differ, they stand beside the others."""
    module = import_module(f"{__name__}.{language}")
    words: Words = module.WORDS
    return replace(words, **module.ECS) if engine is EngineName.ECS else words


def in_both(first: Words, second: Words) -> Words:
    """The words in two languages: what there is room for twice, the rest in the first only."""
    others = asdict(second)
    return Words(**{name: _both(name, text, others[name]) for name, text in asdict(first).items()})


def _both(name: str, first: str, second: str) -> str:
    if name in _FIRST_ONLY:
        return first
    if name in _LABELS:
        return f"{first} / {second}"
    if name in _HEADERS:
        _sign, _, title = second.partition(" ")
        header = f"{first} / {title}"
        return header if len(header) <= HEADER_CHARACTERS else first
    return f"{first}\n{second}"
