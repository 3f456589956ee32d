"""What must hold, whatever happens: checked at every step where it can be, and at the end.

1. The engine gets one answer from us, or none: never `Failed` for a gate that was approved, nor
   `Succeeded` for one that was not.
2. A release of which people were told is never failed for want of telling them.
3. No silence: people were told of the gate; or the engine was told `Failed`, and people were told
   that; or the record lies in the dead-letter queue.
4. Record, engine and Slack agree.
5. The first decision that stood stays on record with its approver's name. The history only grows,
   each step once, in an order that could have happened.
6. Nobody is told twice by one hook, unless Slack's answer was lost.
7. Metrics that ring alarms are true.
8. No secret in anything written.
9. It comes to an end.
10. A decision that its maker could not bring to the engine is brought there by the clock.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from stand_ins.aws import TABLE
from tests.simulation.engines import OLDER_HOOK, Engine
from tests.simulation.process import Ended, Process
from tests.simulation.schedule import AN_HOUR, START, Schedule
from tests.simulation.steps import unexplained
from tests.simulation.world import (
    SECRETS,
    WEBHOOK_PARAMETER,
    Call,
    Message,
    Reply,
    World,
    moment,
)

if TYPE_CHECKING:
    from tests.simulation.afterlife import Release

# Steps of a gate's life that happen once, whatever comes twice.
ONCE = (
    "opened",
    "notified",
    "reported",
    "failed",
    "failure_notified",
    "ended",
    "rolled_back",
)
DECIDED = ("APPROVED", "REJECTED")
# What the engine knows, by the status on record.
ENGINE = {
    "WAITING": "InProgress",
    "APPROVED": "Succeeded",
    "REJECTED": "Failed",
    "EXPIRED": "Failed",
    "FAILED": "Failed",
}
# How a message begins that says what a gate came to, and what the engine then knows of the hook.
SETTLED = {
    "🚀": "Succeeded",
    "⛔": "Failed",
    "⌛": "Failed",
    "❌": "Failed",
    "🟢": "Succeeded",
    "🔴": "Succeeded",
    "🛑": "Succeeded",
    "↩": "Succeeded",
}
STATUS_SIGNS = {"APPROVED": "🚀", "REJECTED": "⛔", "EXPIRED": "⌛", "FAILED": "❌"}
OUTCOME_SIGNS = {"live": "🟢", "failed": "🔴", "stopped": "🛑", "rolled_back": "↩"}
# By how many seconds a clock is ahead where clocks agree, and one more.
MOST_AHEAD = 8.0
# Those who bring nobody's decision; the clock brings its own, and what was left unreported.
NOT_DECIDING = ("hook", "pause", "failure", "changes", "outcome")


@dataclass
class Job:
    """What an invocation or a command did and met.

    `was`: the gate when it began. `read_at`: when the table gave it the last answer that arrived;
    `is_cut_off`: one did not, or its settings name no table. `has_looked`: the engine told it of
    its hook.
    `is_disturbed`: something went wrong with its post, or after it. `faults`: the services whose
    calls met some. `has_misled`: the message that it changed has buttons, of a gate that was over;
    `is_unheard`: Slack has not taken a message of its.
    `has_read`: the engine has told it of the deployment; `is_shut_out`: it may not be read, as
    those of other people's groups.
    """

    at: Engine
    function: str
    event: Any
    was: dict[str, Any]
    engine: str
    read_at: float = 0.0
    is_cut_off: bool = False
    faults: set[str] = field(default_factory=set)
    denied: bool = False
    was_killed: bool = False
    has_looked: bool = False
    has_posted: bool = False
    is_disturbed: bool = False
    has_reported: bool = False
    is_shaken: bool = False
    is_blind: bool = False
    has_misled: bool = False
    is_unheard: bool = False
    has_read: bool = False
    is_shut_out: bool = False
    has_wrong_settings: bool = False

    @property
    def hook_id(self) -> str | None:
        """The hook that its event is about, if it says that."""
        event = self.event.get("requestPayload", self.event) if self.event else {}
        return self.at.hook_of(event)

    @property
    def is_of_another(self) -> bool:
        """Whether its event is about another hook, or somebody has made it up."""
        return self.hook_id not in (None, self.at.hook_id)

    @property
    def due(self) -> str | None:
        """What the clock was called for."""
        due: str | None = (self.event or {}).get("due")
        return due

    @property
    def may_not_look(self) -> bool:
        """Whether the table cannot be asked, or another hook has the key."""
        return self.is_cut_off or self.error_type == "GateTakenError"

    @property
    def error_type(self) -> str | None:
        """What the last try of a hook failed of, where this is the failure function."""
        error = (self.event or {}).get("responsePayload") or {}
        return str(error.get("errorType"))

    @property
    def cannot_tell(self) -> bool:
        """Whether Slack did not take a message of its, or it does not know whether."""
        return bool(self.faults & {"slack", "ssm"}) or self.has_wrong_settings

    @property
    def knows_little(self) -> bool:
        """Whether the table or the engine did not say what it asked."""
        return self.is_cut_off or self.at.service in self.faults

    @property
    def is_deciding(self) -> bool:
        """Whether it wants to decide the gate, or has."""
        return self.function not in NOT_DECIDING

    @property
    def is_calm(self) -> bool:
        """Whether nothing went wrong with it that the calls of AWS's services have met."""
        return not (self.faults - {"slack"} or self.was_killed or self.has_wrong_settings)


@dataclass
class Rules:
    """Watches a schedule.

    `clocks_agree`: they differ by less than a lease allows. `report` is the answer that the engine
    took from us, `messages` what the channel got, `asked_at` when people were asked last, `told_of`
    of which other hooks it got some, `reminders` who reminded people of the gate, `earlier` how
    many entries of the history are an older hook's, `holders` who has taken each lease, `carried`
    whose approval a job has written or taken over, `failed_by` who has written down that the hook
    is failed. `was_taken_over`: somebody's test event has replaced the gate, and so its record.
    `barred` may decide nothing. `denied_approvers`: those, by what they run, who approve and whom
    the engine lets answer no hook; where such a one does not learn that, the approval stands.
    """

    schedule: Schedule
    environs: dict[str, dict[str, str]]
    clocks_agree: bool
    world: World = field(init=False)
    jobs: dict[str, Job] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    report: tuple[str, str] | None = None
    messages: list[tuple[str, str, Job]] = field(default_factory=list)
    asked_at: float = 0.0
    told_of: set[str] = field(default_factory=set)
    reminders: list[tuple[str, Job]] = field(default_factory=list)
    approvers: set[str] = field(default_factory=set)
    denied_approvers: dict[str, str] = field(default_factory=dict)
    barred: set[str] = field(default_factory=lambda: {"U0MALLORY"})
    holders: dict[str, str] = field(default_factory=dict)
    carried: dict[str, str] = field(default_factory=dict)
    earlier: int = 0
    ways: str = "webhook"
    was_taken_over: bool = False
    failed_by: str | None = None

    def started(self, name: str, function: str, event: Any) -> None:
        """An invocation or a command begins."""
        environ = self.environs[function]
        has_table = environ["DYNAMODB_TABLE_NAME"] == TABLE
        self.jobs[name] = Job(
            self.world.at,
            function,
            event,
            was=self._gate(),
            engine=self.world.engine,
            is_cut_off=not has_table,
            has_wrong_settings=environ.get("SLACK_WEBHOOK_URL", WEBHOOK_PARAMETER)
            != WEBHOOK_PARAMETER,
        )

    def replied(self, process: Process, call: Call, reply: Reply, given_at: float) -> None:
        """An answer has arrived."""
        job = self.jobs[process.job]
        is_answer = reply.status == 200 or b"ConditionalCheckFailed" in reply.body
        if call.service == "dynamodb":
            job.read_at = given_at if is_answer else job.read_at
        job.has_looked |= call.operation == self.world.at.telling and is_answer
        if call.service == "slack" and reply.status != 200:
            job.faults.add("slack")
            job.is_unheard = True
        if call.operation == self.world.at.answering and b"AccessDenied" in reply.body:
            job.denied = True
        if call.operation in (self.world.at.describing, self.world.at.listing):
            job.has_read |= reply.status == 200 and self.world.at.says_whose
            job.is_shut_out |= b"AccessDenied" in reply.body and not job.has_read

    def faulted(self, process: Process, fault: str, service: str) -> None:
        """Something has gone wrong with a call."""
        job = self.jobs[process.job]
        job.faults.add(service)
        job.is_cut_off |= service == "dynamodb"
        job.is_shaken |= service == self.world.at.service
        self._may_stand(job)
        is_late = fault in ("held", "slow", "trickle")
        job.is_unheard |= service == "slack" and not is_late
        if job.has_posted or service == "slack" or is_late:
            job.is_disturbed = True

    def killed(self, name: str) -> None:
        """An invocation or a command was killed."""
        job = self.jobs[name]
        job.is_disturbed = job.is_shaken = job.was_killed = True
        self._may_stand(job)

    def _may_stand(self, job: Job) -> None:
        """Lets an approval stand whose maker may not have learned that the engine denies it."""
        if job.function in self.denied_approvers:
            self.approvers.add(self.denied_approvers[job.function])

    def _may_approve(self, user: str) -> bool:
        """Whether an approval by somebody is one.

        The engine may deny somebody's answer, and not that of whoever presses the same button and
        takes the decision over: with clocks that differ by more than a lease, before it is given
        back.
        """
        is_denied = user in self.denied_approvers.values()
        return user in self.approvers or (is_denied and not self.clocks_agree)

    def tried_to_report(self, by: str) -> None:
        """The engine gets an answer of ours, and takes it or does not."""
        job = self.jobs[by]
        job.has_reported = True
        is_taken = self.world.item().get("hook_execution_id") == self.world.at.by_hand
        sees_nothing = job.may_not_look and job.read_at <= self.asked_at
        is_blind = is_taken or self.was_taken_over or sees_nothing
        job.is_blind |= job.function == "failure" and is_blind

    def wrote(self, by: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Rule 5, at each write."""
        told = [str(entry["event"]) for entry in after.get("history", [])]
        old = before.get("history", [])
        is_a_gate = "deadline" in before and isinstance(old, list)
        if is_a_gate and after.get("history", [])[: len(old)] != old:
            self.schedule.breaks(
                5, f"{by} took away from the history {old}: {after.get('history')}"
            )
        if steps := unexplained(before, after):
            made = f"{by} made a write that is not one step, but {steps}: {_brief(after)}"
            self.schedule.breaks(5, made)
        if before.get("hook_execution_id") != after.get("hook_execution_id") or not is_a_gate:
            self.earlier = len(old) if is_a_gate else 0
        self._check_order(by, told[self.earlier :], told)
        self._check_leases(by, before, after)
        self._note_who(by, before, after)
        if after.get("decided_by") in self.barred:
            self.schedule.breaks(1, f"{by} let {after['decided_by']} decide, who may not")
        if before.get("hook_execution_id") != after.get("hook_execution_id"):
            is_decided_now = is_a_gate and "notified_at" in before and before["status"] == "WAITING"
            is_live = (
                before.get("hook_execution_id") == self.world.at.hook_id
                and self.world.ended_at is None
            )
            self.was_taken_over |= before.get("hook_execution_id") == self.world.at.hook_id
            knows = self.clocks_agree and not self.jobs[by].knows_little
            if is_decided_now and is_live and knows:
                self.schedule.breaks(5, f"{by} took over a gate that people are deciding")
            return
        if "reported_at" in after and after["status"] == "WAITING":
            self.schedule.breaks(5, f"{by} wrote that the engine knows a gate that waits")
        is_own = is_a_gate and before.get("hook_execution_id") == self.world.at.hook_id
        if before.get("status") in DECIDED and "decided_by" in before and is_own:
            self._check_decision(by, before, after)

    def _note_who(self, by: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Notes whose writes others are going to carry on."""
        if after.get("status") == "FAILED" and before.get("status") != "FAILED":
            self.failed_by = by
        if after.get("status") == "APPROVED" and "decided_by" in after:
            self.carried[by] = after["decided_by"]

    def _check_leases(self, by: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        """Rule 6: a lease is given up by whoever has it, or by a step that is on record.

        Nobody takes it before, by any clock.
        """
        is_a_step = before.get("history") != after.get("history")
        is_same = before.get("hook_execution_id") == after.get("hook_execution_id")
        # By the clock that is the farthest ahead.
        soon = moment(self.schedule.now + MOST_AHEAD)
        for until, holder in (
            ("lease_until", "try_id"),
            ("report_until", "report_try_id"),
            ("show_until", "show_try_id"),
        ):
            held = str(before.get(holder))
            is_shorter = held == after.get(holder) and before.get(until, "") > after.get(until, "")
            is_given_up = (is_shorter or holder not in after) and not is_a_step
            if is_given_up and self.holders.get(held, by) != by:
                self.schedule.breaks(6, f"{by} gave up the lease of {self.holders[held]}")
            is_taken = is_same and holder in after and after[holder] != held and not is_a_step
            if is_taken and self.clocks_agree and before.get(until, "") > soon:
                self.schedule.breaks(6, f"{by} took the lease that {self.holders[held]} has")
            if holder in after:
                self.holders.setdefault(after[holder], by)
        carrier = self.holders.get(str(before.get("report_try_id")), by)
        if carrier != by and before.get("status") == after.get("status"):
            self._may_stand(self.jobs[carrier])  # it does not learn that it would have been denied

    def _check_decision(self, by: str, before: dict[str, Any], after: dict[str, Any]) -> None:
        """A decision stays, unless the engine had its answer from elsewhere, or took none of it."""
        stays = all(before[name] == after.get(name) for name in ("status", "decided_by"))
        is_given_back = after["status"] == "WAITING" and self.jobs[by].denied
        is_elsewhere = after.get("decided_via") == "elsewhere" and self._is_foreign(before)
        if not (stays or is_given_back or is_elsewhere):
            self.schedule.breaks(
                5, f"{by} replaced the decision of {before['decided_by']} by {_brief(after)}"
            )

    def _is_foreign(self, decided: dict[str, Any]) -> bool:
        """Whether the engine's answer is none that this decision brought it."""
        if self.report is None or self.was_taken_over:
            return True
        by, status = self.report
        return status != decided["status"] or self.jobs[by].is_blind

    def reported(self, by: str, status: str) -> None:
        """Rules 1 and 2, when the engine takes an answer of ours."""
        job, gate = self.jobs[by], self._gate()
        self.report = (by, str(gate.get("status")))
        if status == "Succeeded":
            decided_by = gate.get("decided_by") if gate.get("status") == "APPROVED" else None
            if not gate and self.was_taken_over:
                decided_by = self.carried.get(by)
            if decided_by is None or not self._may_approve(decided_by):
                self.schedule.breaks(1, f"{by} let a release through that nobody approved")
            return
        if job.is_blind:
            return
        if gate.get("status") == "APPROVED":
            self.schedule.breaks(1, f"{by} failed a release that {gate['decided_by']} approved")
        failing = self.jobs[self.failed_by or by]
        was_asked = any(kind == "waiting" for kind, _, _ in self.messages)
        was_asked &= not (job.cannot_tell or failing.cannot_tell)
        knows = gate.get("notified_at") or job.error_type == "ToldUnrecordedError"
        is_told = knows or was_asked
        if job.function == "failure" and gate and is_told and gate["status"] not in DECIDED:
            self.schedule.breaks(2, f"{by} failed a release that people were told of")
        is_own_end = gate.get("status") == "EXPIRED" and job.function == "clock"
        is_lost = not gate and self.was_taken_over  # by a test event, while it was reported
        is_rejected = gate.get("status") == "REJECTED" or is_own_end or is_lost
        if job.function != "failure" and not is_rejected:
            self.schedule.breaks(1, f"{by} failed a release that nobody rejected")

    def posted(self, message: Message) -> None:
        """Rules 4, 6 and 8, when a message is in the channel."""
        self._check_secrets(message.text, "a message")
        job = self.jobs[message.by]
        job.has_posted = True
        if job.is_of_another:
            message.is_foreign = True
            self.told_of.add(str(job.hook_id))
            return
        self._check_buttons(message, job)
        if message.edits and message.kind == "waiting":
            return  # somebody is testing
        if message.kind not in ("settled", "answer", "reminder"):
            self.messages.append((message.kind, message.by, job))
        if message.kind == "waiting":
            self.asked_at = self.schedule.now
        engine = self.world.engine
        if message.kind == "waiting" and "notified_at" in job.was and not self.was_taken_over:
            self.schedule.breaks(6, f"{message.by} told people who had been told")
        if message.kind == "waiting" and not self.world.ended_at and job.has_looked:
            self._check_deadline(message.by)
        if message.kind == "waiting" and job.error_type == "ToldUnrecordedError":
            self.schedule.breaks(6, f"{message.by} told people who were known to be told")
        if message.kind == "failed" and not self._agrees("Failed"):
            self.schedule.breaks(4, f"{message.by} said that the deployment failed: it is {engine}")
        is_of_older_hook = self.world.item().get("hook_execution_id") == OLDER_HOOK
        if message.kind == "settled" and not is_of_older_hook:
            self._check_settled(message, engine)

    def _check_buttons(self, message: Message, job: Job) -> None:
        """Rules 4 and 6: nobody is asked to decide what is over."""
        if message.kind == "reminder":
            self.reminders.append((message.by, job))
            if "reported_at" in job.was:
                self.schedule.breaks(6, f"{message.by} reminded people of a gate that had ended")
            if job.is_calm and job.engine != "InProgress" and self._was_answered_since_opened():
                self.schedule.breaks(4, f"{message.by} reminded people of what had its answer")
        is_over = "reported_at" in self._gate()
        job.has_misled = bool(message.edits) and message.has_buttons and is_over

    def _was_answered_since_opened(self) -> bool:
        """Whether the engine had its answer when the gate was there, by any clock."""
        gate = self._gate()
        if not gate:
            return False
        opened = datetime.fromisoformat(gate["created_at"]).timestamp()
        return (self.world.ended_at or 0) > opened + 1

    def _check_deadline(self, by: str) -> None:
        """Rule 4: people have as long as the engine waits, as near as clocks tell."""
        gate = self._gate()
        if not gate:
            if self.clocks_agree and not self.was_taken_over:
                self.schedule.breaks(5, f"{by} told people of a gate that is not on record")
            return
        deadline = datetime.fromisoformat(gate["deadline"]).timestamp()
        late = deadline - (START + AN_HOUR)
        if late > 60:
            self.schedule.breaks(4, f"{by} showed a deadline that is {late:.0f} s late")

    def _check_settled(self, message: Message, engine: str) -> None:
        job = self.jobs[message.by]
        if job.function == "changes" and not job.was:
            return  # an older hook's gate, which the deployment's end is about, too
        if not (self._agrees(SETTLED[message.sign]) or self._is_let_through(message.sign)):
            said = message.content["text"]
            self.schedule.breaks(4, f"{message.by} said {said}: the engine knows {engine}")
        gate = self._gate()
        decided_by = gate.get("decided_by")
        # Of a gate that was lost and opened again, the record names whoever decided that one.
        is_another = gate.get("created_at") != job.was.get("created_at", gate.get("created_at"))
        if decided_by and decided_by not in message.text and not is_another:
            self.schedule.breaks(4, f"{message.by} did not name {decided_by}: {message.text}")

    def _agrees(self, status: str) -> bool:
        """Whether this is what the engine knows of the hook, or all that it lets anybody know."""
        is_all = self.world.at.is_untold and (status == "Failed" or self.world.is_crossed)
        return is_all or status == self.world.engine

    def _is_let_through(self, sign: str) -> bool:
        """Whether it says that nobody decided, and the deployment has gone on for that."""
        is_over_time = self.world.answered_by == self.world.at.name
        return sign == "⌛" and is_over_time and self.world.at.goes_on_unasked

    def ended(self, name: str, ended: Ended) -> None:
        """Rules 7 and 8, when an invocation or a command ends."""
        job = self.jobs[name]
        self._check_secrets(ended.written, name)
        self._check_secrets(json.dumps([ended.answer, ended.error]), name)
        if self.world.at.is_another(job.event):
            return
        metrics = _metrics(ended.written)
        self.counts.update(metrics)
        # Who learns how a deployment has ended may count what was failed of its next step.
        is_of_next = self.world.at.next_status is not None and job.function != "failure"
        if metrics["HookFailedOver"] and not is_of_next:
            told = self._gate().get("notified_at")
            is_ours = self.report is not None or self._could_be_ours()
            is_ours |= self.world.item().get("hook_execution_id") == OLDER_HOOK
            is_failed = self.world.engine == "Failed"
            if (told and not job.is_blind) or not is_ours or not is_failed:
                self.schedule.breaks(7, f"{name} counted a release as never seen: told {told}")
            # Who could not write that down may have failed it besides another.
            failures = [one for one in self.jobs.values() if one.function == "failure"]
            is_written = not any(one.is_blind or one.is_cut_off for one in failures)
            if self.counts["HookFailedOver"] > 1 and is_written:
                self.schedule.breaks(7, f"{name} counted a release as never seen twice")
        self._check_denied(name, job)
        self._check_busy(name, ended)
        if not ended.error:
            self._check_carried(name, job)
            self._check_watched(name, job, ended)
            self._check_heard(name, job)
        is_at_ease = job.is_calm and not (job.is_unheard or ended.error)
        if job.has_misled and is_at_ease and not self.was_taken_over:
            self.schedule.breaks(4, f"{name} gave a message buttons whose gate was over")
        if metrics["DecisionFailed"] and job.engine != "InProgress" and not job.knows_little:
            self.schedule.breaks(
                7, f"{name} counted a failed decision of a deployment that had ended"
            )

    def _check_busy(self, name: str, ended: Ended) -> None:
        """Rule 6: nobody leaves to another what is theirs to do."""
        item = self.world.item()
        is_held = "report_until" in item and self.holders.get(item["report_try_id"]) == name
        if is_held and (ended.error or {}).get("errorType") == "GateBusyError":
            self.schedule.breaks(6, f"{name} waited for the end of its own lease")

    def _check_carried(self, name: str, job: Job) -> None:
        """Rule 10: whoever comes by a decision that the engine does not know sees to it."""
        made = _unreported(job.was)
        is_unproven = job.was.get("decided_via") == "cli" and job.was["status"] == "APPROVED"
        if is_unproven and job.due != "end":
            return  # whether its maker may answer hooks, the engine has not said
        if made is None or _unreported(self._gate()) != made:
            return
        if not job.is_calm or self.world.engine != "InProgress":
            return
        if job.function == "clock" and job.due != "watch":
            self.schedule.breaks(10, f"{name} left a decision that the engine does not know")
        has_moments = "SCHEDULE_GROUP" in self.environs["changes"]
        is_seen_to = any("-look-" in moment for moment in self.world.moments)
        if _has_followed(job, made) and has_moments and not is_seen_to:
            self.schedule.breaks(10, f"{name} has nobody look at a decision again")

    def _check_watched(self, name: str, job: Job, ended: Ended) -> None:
        """Rule 4: a gate is watched, and found out that was answered elsewhere."""
        gate = self._gate()
        if not (gate and job.is_calm) or self.was_taken_over:
            return
        is_settled = self.world.ended_at and moment(self.world.ended_at) >= gate["created_at"]
        waits = job.was.get("status") == gate.get("status") == "WAITING"
        is_content = '"watched"' in str(ended.answer)
        if is_content and job.engine != "InProgress" and is_settled and waits:
            self.schedule.breaks(4, f"{name} has not seen that the hook has its answer")
        has_moments = "SCHEDULE_GROUP" in self.environs["changes"]
        is_early = self.schedule.now < START + AN_HOUR - 60
        is_watched = any("-watch-" in moment for moment in self.world.moments)
        if _has_followed_telling(job) and has_moments and is_early and waits and not is_watched:
            self.schedule.breaks(4, f"{name} has nobody watch the gate")

    def _check_heard(self, name: str, job: Job) -> None:
        """Rule 4: who was sent word that the hook has ended brings its gate in line, or fails."""
        has_word = job.function == self.world.at.function and self.world.at.says_ended(job.event)
        if has_word and self._gate().get("status") == job.was.get("status") == "WAITING":
            self.schedule.breaks(4, f"{name} has not heard that the hook has ended")

    def _check_denied(self, name: str, job: Job) -> None:
        """Rule 4: what the engine denied to the only one who tried is not on record as decided."""
        gate = self._gate()
        tries = [entry for entry in gate.get("history", []) if entry["event"] == "decided"]
        is_own = len(tries) == 1 and job.denied and not job.faults
        if is_own and self.world.engine == "InProgress" and gate["status"] != "WAITING":
            others = [one for one in self.jobs.values() if one is not job and one.is_deciding]
            if not others:
                self.schedule.breaks(
                    4, f"{name} was denied, and has locked the gate: {_brief(gate)}"
                )

    def final(self, dead_letters: list[Any]) -> None:
        """Rules 3, 4, 6 and 7, when all has ended."""
        engine, gate = self.world.engine, self._gate()
        kinds = [kind for kind, _, _ in self.messages]
        was_asked = "waiting" in kinds
        self._check_next(dead_letters)
        dead_letters = [
            one
            for one in dead_letters
            if self.world.at.hook_of(one["requestPayload"]) == self.world.at.hook_id
        ]
        reporter = self.jobs[self.report[0]].function if self.report else None
        is_ours = reporter is not None
        if not (was_asked or dead_letters or "left" in kinds):
            # Of a hook whose event was lost, and that no sweep has found in time.
            is_lost = "the event is lost" in self.schedule.happened
            is_found = self.schedule.seen["hooks found by a sweep"]
            is_silent = not (is_lost and not is_found)
            if not is_ours and self.world.answered_by == self.world.at.name and is_silent:
                self.schedule.breaks(3, "nobody was told of the gate, and the engine gave up")
            if self.report and self.report[1] == "FAILED" and "failed" not in kinds:
                self.schedule.breaks(3, "the deployment was failed, and nobody was told")
        # Of two failovers that overlap, one may say last what was so when it last looked.
        knows_better = "failed" in kinds and not self.clocks_agree
        # That it has ended may be what follows the gate says.
        is_known = any(
            one.kind == "settled" and self.jobs[one.by].function == "changes"
            for one in self._own_messages()
        )
        is_stuck = kinds[-1:] == ["stuck"] and not (knows_better or is_known)
        if is_ours and engine == "Failed" and is_stuck and not dead_letters:
            self.schedule.breaks(4, "people were told that it is stuck, and not that it was failed")
        self._check_counted()
        self._check_decisions_counted()
        self._check_record(engine, gate, was_asked=was_asked, has_letter=bool(dead_letters))
        for kind in ("waiting", "failed"):
            calm = [
                by
                for told, by, job in self.messages
                if told == kind and not (job.is_disturbed or job.is_blind or self._is_unnoted(job))
            ]
            if len(calm) > 1 and self.clocks_agree and not self.was_taken_over:
                self.schedule.breaks(6, f"people were told twice ({kind}): by {', '.join(calm)}")
        reminded = [by for by, job in self.reminders if not job.is_disturbed]
        moments = sum("-reminder-" in moment for moment in self.world.moments)
        if len(reminded) > moments and self.clocks_agree and not self.was_taken_over:
            self.schedule.breaks(6, f"people were reminded too often: by {', '.join(reminded)}")
        self._check_secrets(json.dumps(self.world.item(), default=str), "the item")

    def _is_unnoted(self, job: Job) -> bool:
        """Whether it left a pause to the engine, and could write down nowhere what it has told."""
        is_left = self.environs["failure"].get("PAUSE_FAILURE") == "leave"
        return is_left and job.function == "failure" and job.is_cut_off

    def _check_next(self, dead_letters: list[Any]) -> None:
        """Rules 1, 3 and 4: people are asked of the next step, too, and it has their answer."""
        at = self.world.at
        if at.next_hook is None or at.next_status is None:
            return
        gate = self.world.item(at.gate_of(at.next_hook))
        is_kept = any(at.hook_of(one["requestPayload"]) == at.next_hook for one in dead_letters)
        if not (is_kept or at.next_hook in self.told_of):
            self.schedule.breaks(3, "nobody was told of the next step")
        is_all = at.is_untold and gate.get("decided_via") == "elsewhere"
        if at.next_status == "Succeeded" and gate.get("decided_by") != "U0NINA" and not is_all:
            self.schedule.breaks(1, f"the next step went on by itself: {_brief(gate)}")
        is_known = "reported_at" in gate or "failed_at" in gate
        wanted = ENGINE[gate.get("status", "WAITING")]
        is_all = wanted == "Failed" and at.is_untold
        if is_known and at.next_status != wanted and not is_all:
            said = f"the next step is {_brief(gate)}, the engine knows {at.next_status}"
            self.schedule.breaks(4, said)

    def _own_messages(self) -> list[Message]:
        """The messages of the channel that are about the hook."""
        return [one for one in self.world.channel if not one.is_foreign]

    def seen(self, release: "Release", *, has_moments: bool) -> None:
        """Rule 4, when all that follows a gate has come: people see what is so."""
        gate = self._gate()
        if not gate.get("notified_at") or self.was_taken_over or self.world.at.by_hand in str(gate):
            return
        # Both may hear of an end, and let be what they may not read.
        ends = [one for one in self.jobs.values() if one.function in ("outcome", "changes")]
        is_shut_out = any(one.is_shut_out for one in ends)
        is_found = not self.world.at.forgets
        has_told = release.told and release.told == release.outcome and not is_shut_out and is_found
        if has_told and release.outcome != gate.get("outcome"):
            self.schedule.breaks(
                4, f"the deployment is {release.outcome}, on record it is {gate.get('outcome')}"
            )
        if has_told and gate["status"] == "WAITING":
            self.schedule.breaks(4, f"the deployment is {release.outcome}, and its gate waits")
        wanted = _sign(gate, goes_on=self._goes_on(gate))
        about_it = self._own_messages()
        own = [one for one in about_it if one.ts and one.ts == gate.get("message_ts")]
        # Where the bot could not change its message, the webhook has said it in a new one.
        said = [one for one in about_it if not one.ts and one.kind == "settled"]
        is_said = any(one.sign == wanted for one in said)
        for message in own:
            is_wrong = message.sign != wanted or (wanted != "✅" and message.has_buttons)
            # Who cannot read the record any more shows the decision, and not what came of it.
            is_behind = message.sign == STATUS_SIGNS.get(gate["status"])
            is_behind &= self.jobs[message.by].is_cut_off
            if is_wrong and not (message.is_shaken or is_said or is_behind):
                self.schedule.breaks(4, f"the message shows {message.sign}, and not {wanted}")
        # A webhook cannot change what it said last, but it can say more.
        posted = [one for one in about_it if not one.ts]
        is_asking = posted and posted[-1].kind == "reminder" and posted[-1].has_buttons
        if is_asking and wanted not in ("✅", "❌") and not self.jobs[posted[-1].by].is_disturbed:
            self.schedule.breaks(4, f"the last message still asks, and not shows {wanted}")
        settled = any(one.kind in ("settled", "answer") for one in about_it)
        # Without moments nobody looks again at what a click was to change.
        is_looked_after = gate.get("decided_via") != "slack" or has_moments
        if own or settled or wanted in ("✅", "❌") or not is_looked_after:
            return
        self.schedule.breaks(4, f"nobody was told that it is {_brief(gate)}")

    def _goes_on(self, gate: dict[str, Any]) -> bool:
        """Whether a gate has let its deployment go on: by a decision, or for want of one."""
        is_left = gate["status"] == "EXPIRED" and gate.get("decided_via") == "elsewhere"
        return gate["status"] == "APPROVED" or (is_left and self.world.at.goes_on_unasked)

    def _check_counted(self) -> None:
        """Rule 7: a release that people never saw is counted."""
        failures = [one for one in self.jobs.values() if one.function == "failure"]
        is_calm = not any(one.is_cut_off or one.was_killed for one in failures)
        if not (self.report and self.report[1] == "FAILED" and is_calm) or self.was_taken_over:
            return
        if not self.counts["HookFailedOver"]:
            self.schedule.breaks(7, "a release that people never saw is not counted")

    def _check_decisions_counted(self) -> None:
        """Rule 7: a decision is counted once, whoever brings it to the engine."""
        decisions = self.counts["GateApproved"] + self.counts["GateRejected"]
        # Who learns how a deployment has ended may count what was decided of its next step.
        if decisions > 1 and not (self.was_taken_over or self.world.at.next_status):
            self.schedule.breaks(7, f"{decisions} decisions of one gate were counted")

    def _check_record(
        self, engine: str, gate: dict[str, Any], *, was_asked: bool, has_letter: bool
    ) -> None:
        if not gate or has_letter:
            if (
                not gate
                and was_asked
                and self.world.item().get("hook_execution_id") != self.world.at.by_hand
            ):
                self.schedule.breaks(4, "people were told of a gate that is not on record")
            return
        is_let_through = gate["status"] == "EXPIRED" and self._is_let_through("⌛")
        if not (self._agrees(ENGINE[gate["status"]]) or is_let_through):
            is_unread = any(job.is_blind for job in self.jobs.values())
            if gate["status"] == "WAITING" and not was_asked and (is_unread or not self.report):
                return  # nobody has a button, and nobody has looked since
            self.schedule.breaks(4, f"on record it is {_brief(gate)}, the engine knows {engine}")
        is_foreign = self.world.answered_by not in self.jobs
        if gate["status"] == "FAILED" and is_foreign and not self._could_be_ours():
            self.schedule.breaks(
                4, f"on record it is FAILED, but {self.world.answered_by} answered"
            )

    def _could_be_ours(self) -> bool:
        """Whether nobody knows what became of a try's answer, so that any may have been it.

        The next try cannot tell whether that of a failover ever went off. A deployment that was
        stopped had none. An engine may take a second answer like the first, and does not say whose
        it was.
        """
        return self.world.is_echoed or (
            not self.world.at.is_stopped
            and any(
                job.is_shaken and (job.has_reported or job.function == "failure")
                for job in self.jobs.values()
            )
        )

    def _gate(self) -> dict[str, Any]:
        """The item, if it is the gate of the hook."""
        item = self.world.item()
        is_own = item.get("hook_execution_id") == self.world.at.hook_id and "deadline" in item
        return item if is_own else {}

    def _check_order(self, by: str, events: list[str], told: list[str]) -> None:
        times = Counter(events)
        decided = times["decided"] - times["denied"]
        expired = times["expired"] - times["denied"]
        # What is inferred of a hook that is not listed any more, its event may correct.
        most = 3 if self.world.at.forgets else 2
        if any(times[name] > 1 for name in ONCE) or decided > most or expired > most:
            self.schedule.breaks(5, f"{by} wrote a step twice: {told}")
        if "reported" in events and not {"decided", "expired", "failed"} & set(
            events[: events.index("reported")]
        ):
            self.schedule.breaks(
                5, f"{by} wrote that the engine knows before anything was decided: {told}"
            )

    def _check_secrets(self, text: str, where: str) -> None:
        for secret in SECRETS:
            if secret in text:
                self.schedule.breaks(8, f"{where} shows a secret: {secret}")


def _sign(gate: dict[str, Any], *, goes_on: bool) -> str:
    """How the message about a gate has to begin."""
    is_known = "reported_at" in gate or "failed_at" in gate
    if gate["status"] == "WAITING" or not is_known:
        return "✅"
    is_stranded = gate.get("engine") == "ecs" and gate.get("outcome") == "failed"
    if (goes_on or is_stranded) and "outcome" in gate:
        return OUTCOME_SIGNS[gate["outcome"]]
    return STATUS_SIGNS[gate["status"]]


def _unreported(gate: dict[str, Any]) -> str | None:
    """When a decision was made that the engine does not know yet, as far as the gate says."""
    is_waiting = gate.get("status") == "WAITING" or "reported_at" in gate
    return None if is_waiting else gate.get("decided_at")


def _has_followed(job: Job, made: str) -> bool:
    """Whether a job has followed the write of a decision that was made at a time."""
    if job.function != "changes":
        return False
    images = job.event["Records"][0]["dynamodb"]
    before, after = (images.get(name, {}).get("decided_at") for name in ("OldImage", "NewImage"))
    return bool(before != after and after == {"S": made})


def _has_followed_telling(job: Job) -> bool:
    """Whether a job has followed the write that people were told."""
    if job.function != "changes":
        return False
    images = job.event["Records"][0]["dynamodb"]
    before, after = ("notified_at" in images.get(name, {}) for name in ("OldImage", "NewImage"))
    return after and not before


def _brief(item: dict[str, Any]) -> str:
    names = ("status", "decided_by", "decided_via", "reported_at", "notified_at")
    return ", ".join(f"{name} {item[name]}" for name in names if name in item)


def _metrics(written: str) -> Counter[str]:
    """How often each thing was counted, in all."""
    found: Counter[str] = Counter()
    for line in written.splitlines():
        if '"_aws"' not in line:
            continue
        blob = json.loads(line)
        for embedded in blob["_aws"]["CloudWatchMetrics"]:
            if embedded["Dimensions"][0] == ["service"]:
                for metric in embedded["Metrics"]:
                    found[metric["Name"]] += int(sum(blob[metric["Name"]]))
    return found
