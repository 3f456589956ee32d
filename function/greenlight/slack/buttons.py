"""The buttons and the reason's input of a waiting message: their ids, and what they bring back."""

import json
from typing import Final

from greenlight.model.errors import ClickError
from greenlight.model.gate import EngineName, Hook, Verdict, is_gate_id, is_hook_id

# What tells Greenlight's buttons and its reason from whatever else an app of Slack's has.
ACTIONS: Final = {f"greenlight_{verdict}": verdict for verdict in Verdict}
CLAIM_ACTION: Final = "greenlight_claim"
REASON_BLOCK: Final = "greenlight_reason"
REASON_ACTION: Final = "reason"
REASON_CHARACTERS: Final = 300

# The keys of a button's value: the gate's id and its hook's. The second pair is that of messages
# which were posted before there was more than one engine, and which may hang in a channel yet.
_KEYS: Final = ("gate", "hook")
_KEYS_BEFORE: Final = ("DeploymentId", "LifecycleEventHookExecutionId")


def button_value(hook: Hook) -> str:
    """What a button brings back, as JSON; under the 2,000 characters that Slack takes."""
    value = dict(zip(_KEYS, (hook.deployment_id, hook.execution_id), strict=True))
    return json.dumps({**value, "engine": hook.engine})


def hook_of(value: object) -> Hook:
    """The hook that a button's value names. Raises ClickError."""
    try:
        held = json.loads(str(value))
    except (ValueError, RecursionError):
        held = None
    if isinstance(held, dict):
        for keys in (_KEYS, _KEYS_BEFORE):
            gate_id, hook_id = (held.get(key) for key in keys)
            if is_gate_id(gate_id) and is_hook_id(hook_id):
                return Hook(gate_id, hook_id, _engine(held.get("engine")))
    raise ClickError("the value of its button is no hook")


def _engine(name: object) -> EngineName:
    """The engine of a button; it was always the same one where a button names none."""
    return EngineName.ECS if name == EngineName.ECS else EngineName.CODEDEPLOY
