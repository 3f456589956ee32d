"""What an engine says of a hook, before its gate is opened or failed."""

from datetime import datetime, timedelta
from typing import Final

from greenlight.gates.means import Means
from greenlight.model.errors import EngineError
from greenlight.model.gate import UNDESCRIBED, UNKNOWN, Deployment, Hook, Lifecycle, NewGate
from greenlight.runtime.observability import logger
from greenlight.runtime.settings import FailureSettings, Settings, fill_test_url

# Of the moment at which Greenlight ends a gate and the one at which the engine gives up.
TIME_TO_END: Final = timedelta(minutes=3)


def describe(hook: Hook, means: Means) -> Deployment:
    """What the engine says of the deployment, if it does."""
    try:
        return means.engine(hook).describe(hook)
    except EngineError as exc:
        logger.warning(
            "The deployment is not described: the message will be plainer", reason=exc.reason
        )
        return UNDESCRIBED


def look_up_lifecycle(hook: Hook, means: Means) -> Lifecycle:
    """Where the hook stands, if the engine says so: Lambda may have held its event for long."""
    try:
        return means.engine(hook).lifecycle(hook)
    except EngineError as exc:
        logger.warning(
            "The engine does not say until when it waits: the deadline may be late",
            reason=exc.reason,
        )
        return UNKNOWN


def new_gate(
    hook: Hook,
    settings: Settings | FailureSettings,
    means: Means,
    deployment: Deployment = UNDESCRIBED,
    lifecycle: Lifecycle = UNKNOWN,
) -> NewGate:
    """What the gate of a hook is opened or failed with now."""
    now = means.clock()
    engine = means.engine(hook)
    deadline = lifecycle.deadline or hook.deadline or now + engine.time_to_decide
    within = settings.decide_within or engine.ends_within
    return NewGate(
        hook,
        test_url=fill_test_url(settings.test_url, hook.deployment_id, deployment),
        created_at=now,
        deadline=deadline,
        expires_at=deadline + settings.gate_ttl,
        decide_by=_decide_by(now, deadline, within) if settings.ends_gates and within else None,
        lifecycle=lifecycle,
        deployment=deployment,
    )


def _decide_by(now: datetime, deadline: datetime, within: timedelta) -> datetime | None:
    """When Greenlight rejects a gate for want of a decision; None where it leaves that.

    That is early enough for a second try of Lambda's, and not so late that nobody has had time.
    """
    latest = deadline - TIME_TO_END
    return min(latest, now + within) if latest > now + TIME_TO_END else None
