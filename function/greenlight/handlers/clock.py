"""A moment that was set has come: people are reminded, or a gate is ended or looked at."""

import functools
import json
from typing import TYPE_CHECKING, Any, Final

from greenlight.gates.carrying import carry_on, is_left_over
from greenlight.gates.closing import keep_true
from greenlight.gates.deciding import Effect, leave_message
from greenlight.gates.ending import end, finish_in_time
from greenlight.gates.means import Means
from greenlight.gates.outcomes import learn_of, settle_if_answered
from greenlight.gates.reminding import remind
from greenlight.model.errors import (
    EventError,
    GateBusyError,
    GateNotFoundError,
    GreenlightError,
)
from greenlight.model.gate import Due, EngineName, Gate, GateState, Hook, is_gate_id, is_hook_id
from greenlight.runtime.clients import Clients, ready
from greenlight.runtime.network import CHAIN_CONFIG, Countdown
from greenlight.runtime.observability import (
    CLOCK_FAILED,
    also_by_hand,
    annotate,
    failures_reported,
    logger,
    metrics,
    tracer,
)
from greenlight.runtime.settings import KeepingSettings, load_keeping_settings
from greenlight.slack.ways import way
from greenlight.slack.words import words_in

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_WANTED: Final = "a moment that Greenlight has set"


@also_by_hand
@logger.inject_lambda_context(log_event=True, correlation_id_path="deployment_id")
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: Any, context: "LambdaContext") -> dict[str, Any]:  # noqa: ARG001
    """Does what is due (`due`, `deployment_id`, `hook_execution_id`) for a gate.

    Answers 200 with the JSON body {outcome}: what was done, in a word. What fails is logged once
    with its stage, counted and raised, so that Lambda tries again; that another try is at work is
    raised only.
    """
    with failures_reported("What is due could not be done", CLOCK_FAILED, but=(GateBusyError,)):
        settings = load_keeping_settings()
        due, hook = _parse(event)
        annotate(deployment_id=hook.deployment_id)
        outcome = act(_clients(), due, hook, settings)
        annotate(outcome=outcome)
    return {"statusCode": 200, "body": json.dumps({"outcome": outcome})}


def _parse(event: Any) -> tuple[Due, Hook]:
    """What is due, and for which hook."""
    if not isinstance(event, dict):
        raise EventError({"event": "is no object"}, _WANTED)
    due, gate_id, hook_id = (
        event.get(name) for name in ("due", "deployment_id", "hook_execution_id")
    )
    problems = {}
    if due not in tuple(Due):
        problems["due"] = f"is none of {', '.join(Due)}"
    if not is_gate_id(gate_id):
        problems["deployment_id"] = "is not an id"
    if not is_hook_id(hook_id):
        problems["hook_execution_id"] = "is not an id"
    if problems:
        raise EventError(problems, _WANTED)
    return Due(str(due)), Hook(str(gate_id), str(hook_id))


@functools.cache
def _clients() -> Clients:
    return Clients(Countdown(), CHAIN_CONFIG)


def act(clients: Clients, due: Due, hook: Hook, settings: KeepingSettings) -> str:
    """Does what is due, in an invocation that starts now; what was done, in a word.

    A decision that was left over is carried to its engine first, whatever moment has come, and
    nobody is reminded of a gate that has been answered elsewhere. Each minute, only the latter is
    looked at.
    """
    clients.countdown.restart()
    means = Means.of(clients, settings.table_name)
    if due is Due.WATCH:
        return _watch(hook, means)
    slack = way(settings.slack, clients.http, clients.secrets, clients.countdown)
    gate = _gate(hook, means)
    if gate is None:
        logger.info("The gate is gone, or another hook's")
        return "nothing"
    decided = None
    if is_left_over(gate):
        decided = carry_on(gate, means)
    elif due is Due.END:
        decided = end(gate, means)
    elif due is Due.REMINDER:
        gate = settle_if_answered(gate, means)
        return "reminded" if remind(gate, settings, means, slack) else "nothing"
    if decided:
        leave_message(decided, means)
    # What has changed just now, the function of changes shows: there is no time for both.
    is_changed = decided and decided.effect is not Effect.STANDS
    if not (is_changed or keep_true(gate, settings.look, means, slack)):
        raise GateBusyError(hook.deployment_id, None)  # a click may be changing the message
    return decided.effect.name.lower() if decided else "looked"


def _watch(hook: Hook, means: Means) -> str:
    """Brings a gate in line that was answered elsewhere, or whose deployment has ended.

    A decision that was left over is carried to its engine, and a gate is ended whose time is over.
    The function of changes shows it then. What fails is worth no try before the next look, and no
    alarm.
    """
    try:
        gate = _gate(hook, means)
        if gate is None or gate.outcome:
            return "watched"
        if gate.state is GateState.CLOSED:
            return "learned" if learn_of(gate, means) else "watched"
        if settle_if_answered(gate, means) is not gate:
            return "settled"
        decided = finish_in_time(gate, means)
        if decided is None:
            return "watched"
        leave_message(decided, means)
    except GreenlightError as exc:
        logger.warning("A gate could not be watched", stage=exc.stage, error=str(exc))
        return "nothing"
    return decided.effect.name.lower()


def _gate(hook: Hook, means: Means) -> Gate | None:
    """The gate of a hook; None if it is gone, or another hook's by now."""
    try:
        gate = means.table.get(hook.deployment_id)
    except GateNotFoundError:
        return None
    return gate if gate.hook == hook else None


def _make() -> None:
    clients = _clients()
    clients.make("dynamodb", "codedeploy", "http")
    settings = load_keeping_settings()
    clients.secrets.prepare(*settings.slack.secrets)
    words_in(settings.languages, EngineName.CODEDEPLOY)


ready(_make)
