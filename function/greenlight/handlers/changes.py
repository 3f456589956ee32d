"""The table says that a gate has changed: people see it, and machines hear of it."""

import functools
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.utilities.data_classes import DynamoDBStreamEvent
from aws_lambda_powertools.utilities.data_classes.dynamo_db_stream_event import DynamoDBRecord

from greenlight.gates.following import Change, Machines, follow
from greenlight.gates.means import Means
from greenlight.model.errors import EventError, GateBusyError
from greenlight.model.gate import EngineName, Gate
from greenlight.runtime.bus import Bus
from greenlight.runtime.clients import Clients, ready
from greenlight.runtime.network import CHAIN_CONFIG, Countdown
from greenlight.runtime.observability import (
    CHANGE_FAILED,
    also_by_hand,
    annotate,
    failures_reported,
    logger,
    metrics,
    tracer,
)
from greenlight.runtime.schedules import Schedules
from greenlight.runtime.settings import KeepingSettings, load_keeping_settings
from greenlight.slack.ways import way
from greenlight.slack.words import words_in
from greenlight.storage.items import is_gate, read_gate

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@also_by_hand
# Never the event: it holds what people typed.
@logger.inject_lambda_context(clear_state=True, log_event=False)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: Any, context: "LambdaContext") -> None:  # noqa: ARG001
    """Follows the changes of a batch of the table's stream, with old and new images.

    What another tool wrote is passed over. What fails is logged once with its stage, counted and
    raised, so that Lambda tries the batch again; that another try is at work is raised only.
    """
    with failures_reported(
        "A change of a gate could not be followed", CHANGE_FAILED, but=(GateBusyError,)
    ):
        settings = load_keeping_settings()
        for record in DynamoDBStreamEvent(event).records:
            change = _change(record)
            if change:
                logger.set_correlation_id(change.after.deployment_id)
                annotate(deployment_id=change.after.deployment_id)
                follow_with(_clients(), change, settings)


def _change(record: DynamoDBRecord) -> Change | None:
    """The gate before and after a write; None if it is no gate any more, or never was one."""
    images = record.dynamodb
    if images is None:
        raise EventError({"dynamodb": "is missing: not a record of a table's stream"})
    after = _gate(images.new_image)
    return Change(_gate(images.old_image), after) if after else None


def _gate(image: dict[str, Any]) -> Gate | None:
    """The gate of an image; None for what is none, or cannot be read."""
    if not is_gate(image):
        return None
    try:
        return read_gate(image)
    except ValueError as exc:
        logger.warning("An item cannot be read", error=str(exc))
        return None


@functools.cache
def _clients() -> Clients:
    return Clients(Countdown(), CHAIN_CONFIG)


def follow_with(clients: Clients, change: Change, settings: KeepingSettings) -> None:
    """Follows a change."""
    clients.countdown.restart()
    means = Means.of(clients, settings.table_name)
    slack = way(settings.slack, clients.http, clients.secrets, clients.countdown)
    moments = settings.schedules
    schedules = Schedules(clients.scheduler, moments) if moments else None
    bus = Bus(clients.events, settings.event_bus) if settings.event_bus else None
    follow(change, settings, means, slack, Machines(schedules, bus))


def _make() -> None:
    clients = _clients()
    clients.make("dynamodb", "codedeploy", "http")
    settings = load_keeping_settings()
    clients.secrets.prepare(*settings.slack.secrets)
    words_in(settings.languages, EngineName.CODEDEPLOY)


ready(_make)
