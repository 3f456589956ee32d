"""What every engine can do: the same few things, by the same names."""

from datetime import datetime, timedelta
from typing import Protocol

from greenlight.model.gate import (
    Deployment,
    Ending,
    EngineName,
    Gate,
    Hook,
    Lifecycle,
    Settlement,
)
from greenlight.model.message import Pointers


class Engine(Protocol):
    """An engine in one account and region. Every method that asks it raises EngineError.

    `time_to_decide`: how long it waits, as long as it does not say. `ends_within`: how long people
    have at most before Greenlight itself ends a gate, where no setting says; None: it does not.
    `watched_for`: how long after a hook's deadline a gate is looked at. `can_wait`: it waits long
    enough for people to mend what has gone wrong.
    """

    name: EngineName
    time_to_decide: timedelta
    ends_within: timedelta | None
    watched_for: timedelta
    can_wait: bool

    def describe(self, hook: Hook) -> Deployment:
        """What it says of a hook's deployment."""

    def lifecycle(self, hook: Hook) -> Lifecycle:
        """Where a hook stands."""

    def is_answered(self, lifecycle: Lifecycle, since: datetime | None) -> bool:
        """Whether a hook, of whose gate there is a record since then, has its answer."""

    def report(self, hook: Hook, *, succeeded: bool) -> None:
        """Answers a hook: lets the deployment go on, or does not.

        Raises HookAnsweredError if the hook was answered before, HookUnknownError if the engine
        does not know it, HookRefusedError if it will not take this answer however often it is sent,
        EngineDeniedError if it takes none from these credentials, else EngineError.
        """

    def settlement(self, gate: Gate, now: datetime) -> Settlement:
        """What became of a gate's hook that takes no answer any more.

        Raises EngineError also if the engine does not say.
        """

    def endings(self, deployment: str, hook: Hook | None = None) -> list[tuple[str, Ending | None]]:
        """What became of the gates of a deployment; None for those of one that has not ended.

        `deployment` is its id or its ARN, `hook` one of it that is known. Raises EngineDeniedError
        or HookRefusedError only where the deployment itself may not be read.
        """

    def pointers(self, hook: Hook, table: str) -> Pointers:
        """What a message about a hook leads to: the console, and the commands that answer it."""
