"""What the use cases work with; a handler, or the command, builds it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from greenlight.engines.codedeploy import CodeDeploy
from greenlight.model.gate import Hook
from greenlight.model.message import Pointers
from greenlight.runtime.clients import Clients
from greenlight.runtime.network import Countdown
from greenlight.storage.table import GateTable

if TYPE_CHECKING:
    from types_boto3_codedeploy import CodeDeployClient


@dataclass(frozen=True)
class Means:
    """The table, the engine, and the time: `countdown` has the seconds that are left of a try."""

    table: GateTable
    engine: CodeDeploy
    countdown: Countdown
    clock: Callable[[], datetime]

    @classmethod
    def of(cls, clients: Clients, table_name: str, codedeploy: "CodeDeployClient") -> Self:
        """What the clients of a cold start are good for."""
        return cls(
            table=GateTable(clients.dynamodb, table_name),
            engine=CodeDeploy(codedeploy),
            countdown=clients.countdown,
            clock=lambda: datetime.now(UTC),
        )

    def pointers(self, hook: Hook) -> Pointers:
        """What a message about a hook's gate leads people to."""
        return self.engine.pointers(hook, self.table.name)
