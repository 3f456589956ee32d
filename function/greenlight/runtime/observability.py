"""The only logger, tracer and metrics, and every metric name."""

import functools
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Self, cast

from aws_lambda_powertools import Logger, Metrics, Tracer, single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)
from aws_lambda_powertools.tracing.base import BaseProvider

from greenlight.model.errors import GreenlightError
from greenlight.model.gate import EngineName, Outcome
from greenlight.runtime.settings import is_in_lambda, service_name

NAMESPACE: Final = "Greenlight"

GATE_OPENED: Final = "GateOpened"
GATE_DUPLICATE: Final = "GateDuplicate"
SLACK_NOTIFIED: Final = "SlackNotified"
SLACK_LATENCY: Final = "SlackLatency"
HOOK_FAILED: Final = "HookFailed"
HOOK_FAILED_OVER: Final = "HookFailedOver"
HOOK_LEFT_ALONE: Final = "HookLeftAlone"
FAILOVER_FAILED: Final = "FailoverFailed"
GATE_APPROVED: Final = "GateApproved"
GATE_REJECTED: Final = "GateRejected"
GATE_SETTLED_ELSEWHERE: Final = "GateSettledElsewhere"
TIME_TO_DECISION: Final = "TimeToDecision"
DECISION_REPEATED: Final = "DecisionRepeated"
DECISION_FAILED: Final = "DecisionFailed"
APPROVER_REFUSED: Final = "ApproverRefused"
CLICK_FAILED: Final = "ClickFailed"
CLICK_REFUSED: Final = "ClickRefused"
CLICK_IGNORED: Final = "ClickIgnored"
MESSAGE_NOT_REPLACED: Final = "MessageNotReplaced"
MESSAGE_NOT_SHOWN: Final = "MessageNotShown"
BOT_FAILED: Final = "BotFailed"
GATE_EXPIRED: Final = "GateExpired"
GATE_REMINDED: Final = "GateReminded"
MOMENT_NOT_SET: Final = "MomentNotSet"
CLOCK_FAILED: Final = "ClockFailed"
CHANGE_FAILED: Final = "ChangeFailed"
OUTCOME_FAILED: Final = "OutcomeFailed"
SWEEP_FAILED: Final = "SweepFailed"
HOOK_FOUND: Final = "HookFound"
EVENT_NOT_PUBLISHED: Final = "EventNotPublished"
OUTCOMES: Final = {
    Outcome.LIVE: "ReleaseLive",
    Outcome.FAILED: "ReleaseFailed",
    Outcome.STOPPED: "ReleaseStopped",
    Outcome.ROLLED_BACK: "ReleaseRolledBack",
}


class Untraced:
    """What Powertools, which traces nothing outside Lambda, opens its subsegments with there.

    X-Ray's own recorder would make an AWS client as soon as it is imported: that takes a while,
    and fails where the AWS config file is broken or a profile is not in it.
    """

    @contextmanager
    def in_subsegment(self, *_: Any, **__: Any) -> Iterator[Self]:
        """A subsegment that nobody sees."""
        yield self

    def put_annotation(self, *_: Any, **__: Any) -> None:
        """Keeps nothing."""


class Emf(AmazonCloudWatchEMFProvider):
    """Metrics in log lines. Most calls of some functions have nothing to count: that is no news."""

    def flush_metrics(self, raise_on_empty_metrics: bool = False) -> None:  # noqa: FBT001, FBT002
        """Writes what an invocation has counted; Powertools warns where that is nothing."""
        if self.metric_set:
            super().flush_metrics(raise_on_empty_metrics)
        else:
            self.clear_metrics()  # the next invocation is about another deployment


logger = Logger(service=service_name())
tracer = Tracer(
    service=service_name(),
    patch_modules=("botocore",),
    provider=None if is_in_lambda() else cast("BaseProvider", Untraced()),
)
metrics = Metrics(provider=Emf(namespace=NAMESPACE, service=service_name()))

Handler = Callable[[Any, Any], dict[str, Any]]


def count(metric: str) -> None:
    """Counts one of a thing."""
    metrics.add_metric(metric, MetricUnit.Count, 1)


def count_by(engine: EngineName) -> None:
    """What this invocation counts comes by an engine, too: it is about a gate of that one."""
    dimensions = {"service": service_name(), "engine": engine.value}
    if dimensions not in metrics.provider.dimension_sets:
        metrics.add_dimensions(**dimensions)


def count_now(metric: str, **dimensions: str) -> None:
    """Counts one of a thing, even if the invocation is killed before it ends."""
    with single_metric(metric, MetricUnit.Count, 1, namespace=NAMESPACE) as counted:
        for name, value in {"service": service_name(), **dimensions}.items():
            counted.add_dimension(name, value)
        counted.add_metadata("deployment_id", logger.get_correlation_id())


def count_failed_over(engine: EngineName) -> None:
    """Counts a release that people never saw, as `count_now` does, and by its engine, too."""
    count_now(HOOK_FAILED_OVER)
    count_now(HOOK_FAILED_OVER, engine=engine.value)


def annotate(**annotations: str) -> None:
    """Makes a trace findable by these; the deployment id goes with the metrics' log line too."""
    for name, value in annotations.items():
        tracer.put_annotation(name, value)
    if "deployment_id" in annotations:
        metrics.add_metadata("deployment_id", annotations["deployment_id"])


@contextmanager
def failures_reported(
    sentence: str, metric: str, *, but: tuple[type[GreenlightError], ...] = ()
) -> Iterator[None]:
    """Logs and counts whatever fails inside, once, and lets it pass; `but` passes unseen.

    It is counted in all, for the alarm, and by its stage, for the dashboard.
    """
    try:
        yield
    except but:
        raise
    except Exception as exc:
        stage, details = "unknown", {}
        if isinstance(exc, GreenlightError):
            stage, details = exc.stage, exc.details()
        logger.exception(sentence, stage=stage, error=str(exc), **details)
        annotate(outcome="failed")
        count(metric)
        count_now(metric, stage=stage)
        raise


@dataclass(frozen=True)
class ByHandContext:
    """Stands in for the Lambda context when a person calls a handler without one."""

    function_name: str = "by-hand"
    memory_limit_in_mb: int = 0
    invoked_function_arn: str = ""
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))


def also_by_hand(handler: Handler) -> Handler:
    """Lets a handler be called with None for the context: Powertools needs one."""

    @functools.wraps(handler)
    def run(event: Any, context: Any = None) -> dict[str, Any]:
        return handler(event, context or ByHandContext())

    return run
