"""The life of a gate, written down once: each step is a row, and each write to the table one step.

The order of the steps, and what is tried again, is in `gates/`. A step may come twice, late or not
at all, and then changes nothing or finishes what was left.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from greenlight.model.gate import GateStatus

WAITING, APPROVED, REJECTED = GateStatus.WAITING, GateStatus.APPROVED, GateStatus.REJECTED
EXPIRED, FAILED = GateStatus.EXPIRED, GateStatus.FAILED
DECIDED: Final = (APPROVED, REJECTED)
ANY: Final = tuple(GateStatus)


class News(StrEnum):
    """What people are told of a gate."""

    WAITING = "it waits for them"
    REMINDER = "it still waits for them, and how long is left"
    CLOSED = "it does not wait any more: who ended it, when, why, and what became of the deployment"
    FAILED = "nobody could be asked, and its engine knows from Greenlight that it failed"
    ENDED = "nobody could be asked, and it has ended at its engine by itself"
    STUCK = "nobody could be asked, and its engine could not be told: it hangs"
    LEFT = "nobody could be asked, and it is left waiting, as was wished"


@dataclass(frozen=True)
class Lease:
    """The right to do something alone: nobody's, or one try's (`holder`) until a time (`until`).

    It is free if nobody has it or its time is over, or if it is one's own. The clocks of tries
    differ by seconds. So a lease decides who may begin; what such a try writes in the end asks
    whether it still is the holder, whatever the time.
    """

    until: str
    holder: str
    lasts: timedelta


# Longer than a try can post to Slack (29 s), shorter than Lambda's first retry is away (60 s).
TELLING: Final = Lease("lease_until", "try_id", timedelta(seconds=45))
# Longer than a decision can take to reach its engine; then another click may report it.
REPORTING: Final = Lease("report_until", "report_try_id", timedelta(seconds=15))
# As telling: to change the message, or to answer in its thread.
SHOWING: Final = Lease("show_until", "show_try_id", timedelta(seconds=45))


@dataclass(frozen=True)
class Step:
    """One conditional write to the item of a hook's gate.

    The condition: `starts_from` has the status that the gate has (None: there is no item yet), and
    it is the one that the caller saw if `as_seen`; `absent` attributes are not there; those that
    it `changes` are not yet what it sets; the lease that it `takes` is free; the one that it
    `holds` is the caller's; the one that it `spares` was never taken, or only by the caller.

    What it writes: one status of `leads_to` (none: it stays), those of the attributes `sets` that
    are known, and a history entry, one of `events`. What is there of `keeps` stays as it is. An
    attribute of `removes` goes, unless it is set. `news`: what people have heard by then.
    """

    name: str
    starts_from: tuple[GateStatus | None, ...]
    leads_to: tuple[GateStatus, ...] = ()
    as_seen: bool = False
    absent: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    takes: Lease | None = None
    holds: Lease | None = None
    spares: Lease | None = None
    sets: tuple[str, ...] = ()
    keeps: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    news: tuple[News, ...] = ()


_DEPLOYMENT: Final = (
    "test_url",
    "application",
    "deployment_group",
    "cluster",
    "service",
    "description",
    "creator",
    "traffic",
    "is_first",
)
# What an engine says of how long it waits, and of what it does then.
_WAITS: Final = ("deadline", "decide_by", "timeout_action")
_OPENED: Final = (
    "hook_execution_id",
    "engine",
    "service_deployment_arn",
    "stage",
    "created_at",
    "expires_at",
    *_WAITS,
    *_DEPLOYMENT,
)
_DECISION: Final = ("decided_by", "decided_via", "decided_at", "reason")
_TOLD: Final = (TELLING.until, TELLING.holder)
_SHOWN: Final = (SHOWING.until, SHOWING.holder)
_SETTLED: Final = (*_DECISION, "reported_at", "timeout_action")
_PLACE: Final = ("message_channel", "message_ts")
_OUTCOME: Final = ("outcome", "outcome_at", "outcome_reason")

OPEN: Final = Step(
    "open",
    starts_from=(None,),
    leads_to=(WAITING,),
    takes=TELLING,
    sets=_OPENED,
    events=("opened",),
)
RESUME: Final = Step(
    "resume",
    starts_from=(WAITING,),
    absent=("notified_at",),
    takes=TELLING,
    sets=(*_WAITS, *_DEPLOYMENT),
)
NOTIFIED: Final = Step(
    "notified",
    starts_from=ANY,
    absent=("notified_at",),
    sets=("notified_at", "shown", *_PLACE),
    removes=_TOLD,
    events=("notified",),
    news=(News.WAITING,),
)
STOP_TELLING: Final = Step("stop telling", starts_from=ANY, holds=TELLING, removes=_TOLD)
FAIL: Final = Step(
    "fail",
    starts_from=(None, WAITING),
    leads_to=(FAILED,),
    absent=("notified_at",),
    takes=REPORTING,
    spares=TELLING,
    sets=(*_OPENED, "reason", "failed_at", "reported_at"),
    keeps=_OPENED,
    removes=_TOLD,
    events=("failed",),
)
TELL_FAILURE: Final = Step(
    "tell of the failure",
    starts_from=(APPROVED, REJECTED, EXPIRED, FAILED),
    absent=("failure_notified_at",),
    takes=TELLING,
)
FAILURE_NOTIFIED: Final = Step(
    "failure notified",
    starts_from=ANY,
    absent=("failure_notified_at",),
    sets=("failure_notified_at",),
    removes=(*_TOLD, "shown"),
    events=("failure_notified",),
    news=(News.FAILED, News.ENDED),
)
DECIDE: Final = Step(
    "decide",
    starts_from=(WAITING,),
    leads_to=DECIDED,
    takes=REPORTING,
    sets=_DECISION,
    events=("decided",),
)
CLAIM: Final = Step(
    "claim",
    starts_from=(WAITING,),
    changes=("claimed_by",),
    sets=("claimed_by", "claimed_at"),
    events=("claimed",),
    news=(News.WAITING,),
)
EXPIRE: Final = Step(
    "expire",
    starts_from=(WAITING,),
    leads_to=(EXPIRED,),
    takes=REPORTING,
    sets=_DECISION,
    events=("expired",),
)
TAKE_OVER: Final = Step(
    "take over",
    starts_from=(WAITING, *DECIDED, EXPIRED, FAILED),
    as_seen=True,
    absent=("reported_at", "failed_at"),
    takes=REPORTING,
)
GIVE_BACK: Final = Step(
    "give back",
    starts_from=(*DECIDED, EXPIRED),
    leads_to=(WAITING,),
    as_seen=True,
    absent=("reported_at",),
    holds=REPORTING,
    removes=(*_DECISION, REPORTING.until),
    events=("denied",),
)
REPORTED: Final = Step(
    "reported",
    starts_from=(*DECIDED, EXPIRED, FAILED),
    as_seen=True,
    absent=("reported_at",),
    sets=("reported_at", "failed_at", REPORTING.holder),
    removes=(REPORTING.until,),
    events=("reported",),
    news=(News.CLOSED,),
)
STOP_REPORTING: Final = Step(
    "stop reporting",
    starts_from=ANY,
    holds=REPORTING,
    removes=(REPORTING.until, REPORTING.holder),
)
SETTLE: Final = Step(
    "settle",
    starts_from=(WAITING, *DECIDED, EXPIRED, FAILED),
    leads_to=(APPROVED, REJECTED, EXPIRED),
    absent=("reported_at",),
    holds=REPORTING,
    sets=_SETTLED,
    removes=(*_DECISION, REPORTING.until),
    events=("decided", "expired"),
    news=(News.CLOSED,),
)
# Of a gate that is closed already: a fact, so it takes no lease.
CORRECT: Final = Step(
    "correct",
    starts_from=(*DECIDED, EXPIRED, FAILED),
    leads_to=(APPROVED, REJECTED, EXPIRED),
    as_seen=True,
    sets=_SETTLED,
    removes=_DECISION,
    events=("decided", "expired"),
    news=(News.CLOSED,),
)
SETTLE_UNASKED: Final = Step(
    "settle unasked",
    starts_from=(WAITING,),
    leads_to=(APPROVED, REJECTED, EXPIRED),
    absent=("reported_at",),
    holds=TELLING,
    sets=_SETTLED,
    removes=(*_DECISION, TELLING.until),
    events=("decided", "expired"),
)
SHOW: Final = Step("show", starts_from=ANY, takes=SHOWING)
SHOWN: Final = Step(
    "shown",
    starts_from=ANY,
    changes=("shown",),
    holds=SHOWING,
    sets=("shown", *_PLACE),
    removes=_SHOWN,
    news=(News.WAITING, News.CLOSED),
)
# Of a webhook's message: a bot's is changed by whoever follows the gate.
REPLACED: Final = Step(
    "replaced",
    starts_from=ANY,
    absent=("shown", "message_ts"),
    sets=("shown",),
    news=(News.CLOSED,),
)
REMINDED: Final = Step(
    "reminded",
    starts_from=ANY,
    holds=SHOWING,
    sets=("reminded_for", "shown"),
    removes=_SHOWN,
    events=("reminded",),
    news=(News.REMINDER,),
)
STOP_SHOWING: Final = Step("stop showing", starts_from=ANY, holds=SHOWING, removes=_SHOWN)
ENDED: Final = Step("ended", starts_from=ANY, absent=("outcome",), sets=_OUTCOME, events=("ended",))
ROLLED_BACK: Final = Step(
    "rolled back",
    starts_from=ANY,
    absent=("rolled_back_at",),
    sets=(*_OUTCOME, "rolled_back_at"),
    events=("rolled_back",),
)

LIFE: Final = (
    OPEN,
    RESUME,
    NOTIFIED,
    STOP_TELLING,
    FAIL,
    TELL_FAILURE,
    FAILURE_NOTIFIED,
    CLAIM,
    DECIDE,
    EXPIRE,
    TAKE_OVER,
    GIVE_BACK,
    REPORTED,
    STOP_REPORTING,
    SETTLE,
    CORRECT,
    SETTLE_UNASKED,
    SHOW,
    SHOWN,
    REPLACED,
    REMINDED,
    STOP_SHOWING,
    ENDED,
    ROLLED_BACK,
)
