"""Starts the emulator, and teaches it the one type of the template's that it does not know."""

import uuid
from typing import Any

from ministack.app import main
from ministack.services import scheduler
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS


def save_query(_logical_id: str, _properties: Any, _stack_name: str) -> tuple[str, dict[str, str]]:
    """Makes a saved query: nothing at run time reads one."""
    return str(uuid.uuid4()), {}


_RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {
    "create": save_query,
    "delete": lambda _physical_id, _properties: None,
}
# It looks for what is due every ten seconds.
scheduler._SCHEDULE_TICK_INTERVAL = 1

main()
