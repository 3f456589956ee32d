"""What the use cases work with; a handler, or the command, builds it."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from greenlight.engines import engine_named
from greenlight.engines.engine import Engine
from greenlight.model.gate import EngineName, Hook
from greenlight.model.message import Pointers
from greenlight.runtime.clients import Clients
from greenlight.runtime.network import Countdown
from greenlight.storage.table import GateTable


@dataclass(frozen=True)
class Means:
    """The table, the engines, and the time: `countdown` has the seconds that are left of a try."""

    table: GateTable
    engine_named: Callable[[EngineName], Engine]
    countdown: Countdown
    clock: Callable[[], datetime]

    @classmethod
    def of(cls, clients: Clients, table_name: str, *, look_up: bool = False) -> Self:
        """What the clients of a cold start are good for.

        `look_up`: the engines are asked only what is nice to know.
        """
        return cls(
            table=GateTable(clients.dynamodb, table_name),
            engine_named=functools.partial(engine_named, clients, look_up=look_up),
            countdown=clients.countdown,
            clock=lambda: datetime.now(UTC),
        )

    def engine(self, hook: Hook) -> Engine:
        """The engine at which a hook waits."""
        return self.engine_named(hook.engine)

    def pointers(self, hook: Hook) -> Pointers:
        """What a message about a hook's gate leads people to."""
        return self.engine(hook).pointers(hook, self.table.name)
