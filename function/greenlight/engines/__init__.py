"""What only an engine knows."""

from typing import Any

from greenlight.engines.engine import Engine
from greenlight.model.gate import EngineName
from greenlight.runtime.clients import Clients


def engine_named(clients: Clients, name: EngineName, *, look_up: bool = False) -> Engine:
    """The engine of a name; `look_up`: it is asked only what is nice to know.

    Only the code of the one that is there is loaded.
    """
    if name is EngineName.ECS:
        from greenlight.engines.ecs import Ecs  # noqa: PLC0415

        return Ecs(clients.ecs_look_up if look_up else clients.ecs)
    from greenlight.engines.codedeploy import CodeDeploy  # noqa: PLC0415

    return CodeDeploy(clients.codedeploy_look_up if look_up else clients.codedeploy)


def is_of_ecs(event: Any) -> bool:
    """Whether an event is ECS's."""
    return isinstance(event, dict) and event.get("source") == "aws.ecs"
