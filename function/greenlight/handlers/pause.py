"""An ECS PAUSE hook opens a gate, or says how it ended; lost events are made up for."""

import functools
import json
from typing import TYPE_CHECKING, Any, Final

from greenlight.engines.ecs import SWEEP, Ecs, as_event, parse_hook_change
from greenlight.gates.means import Means
from greenlight.gates.opening import DESCRIBED_BY, Opened, open_gate
from greenlight.gates.outcomes import bring_in_line
from greenlight.gates.sweeping import is_time_left, sweep
from greenlight.model.errors import GateBusyError, NotEndedError
from greenlight.model.gate import EngineName, Hook
from greenlight.runtime.calls import call_again
from greenlight.runtime.clients import Clients, ready
from greenlight.runtime.network import Countdown
from greenlight.runtime.observability import (
    HOOK_FAILED,
    SWEEP_FAILED,
    also_by_hand,
    annotate,
    failures_reported,
    logger,
    metrics,
    tracer,
)
from greenlight.runtime.settings import Settings, load_services, load_settings
from greenlight.slack.ways import way
from greenlight.slack.words import words_in

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@also_by_hand
@logger.inject_lambda_context(log_event=True, clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: Any, context: "LambdaContext") -> dict[str, Any]:
    """Opens the gate of an ECS hook that waits and tells people, of EventBridge's event of it.

    An event of a hook that has ended brings its gate in line. Answers 200 with the JSON body
    {deployment_id, status, duplicate}, without what there is not. Every failure is logged once with
    its stage, counted and raised, so that Lambda tries again; that another try is at work, or that
    ECS does not say yet how the hook has ended, is raised only.

    The event {"due": "sweep"} has it called once more for each hook that waits and of which nobody
    was told: {found}. That fails without being raised: the next sweep is the next try.
    """
    if event == SWEEP:
        return _answer(found=_sweep(context))
    with failures_reported("The hook failed", HOOK_FAILED, but=_PASSING):
        settings = load_settings()
        change = parse_hook_change(event)
        hook = change.hook
        logger.set_correlation_id(hook.deployment_id)
        annotate(deployment_id=hook.deployment_id)
        if not (change.waits or change.ended):
            return _answer(deployment_id=hook.deployment_id)
        if change.ended:
            gate = bring_in_line(hook, change.ended, _means(_clients(), settings))
            return _answer(deployment_id=hook.deployment_id, status=gate and gate.status)
        opened = open_with(_clients(), hook, settings)
        annotate(outcome="duplicate" if opened.duplicate else "opened")
    return _answer(
        deployment_id=opened.gate.deployment_id,
        status=opened.gate.status,
        duplicate=opened.duplicate,
    )


_PASSING: Final = (GateBusyError, NotEndedError)


def _answer(**said: Any) -> dict[str, Any]:
    known = {name: value for name, value in said.items() if value is not None}
    return {"statusCode": 200, "body": json.dumps(known)}


@functools.cache
def _clients() -> Clients:
    return Clients(Countdown())


def _means(clients: Clients, settings: Settings) -> Means:
    clients.countdown.restart()
    return Means.of(clients, settings.table_name, look_up=True)


def open_with(clients: Clients, hook: Hook, settings: Settings) -> Opened:
    """Opens a gate, in an invocation that starts now."""
    means = _means(clients, settings)
    slack = way(settings.slack, clients.http, clients.secrets, clients.countdown)
    with clients.countdown.until(DESCRIBED_BY):
        slack.check()  # a secret that cannot be read is found out before anything is written
    return open_gate(hook, settings, means, slack)


def _sweep(context: "LambdaContext") -> int | None:
    """Has each hook opened that waits and of which nobody was told; how many, None if it failed."""
    try:
        with failures_reported("Paused deployments could not be looked for", SWEEP_FAILED):
            settings, clients = load_settings(), _clients()
            means = _means(clients, settings)
            again = functools.partial(call_again, clients.functions, context.function_name)
            is_left = functools.partial(is_time_left, means)
            waiting = Ecs(clients.ecs_look_up).waiting(load_services(), is_left)
            return sweep(waiting, means, lambda hook: again(as_event(hook)))
    except Exception:  # noqa: BLE001  # it is reported
        return None


def _make() -> None:
    clients = _clients()
    clients.make("dynamodb", "ecs_look_up", "http")
    settings = load_settings()
    clients.secrets.prepare(*settings.slack.secrets)
    words_in(settings.languages, EngineName.ECS)


ready(_make)
