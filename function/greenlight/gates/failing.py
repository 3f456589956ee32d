"""The use case of failing a hook that nobody could be asked about. It knows no event, no boto3."""

from dataclasses import dataclass, replace
from typing import Final

from greenlight.gates.asking import ask
from greenlight.gates.looking import look_up_lifecycle, new_gate
from greenlight.gates.means import Means
from greenlight.gates.reporting import (
    CLAIMED_BY,
    REPORTED_BY,
    explain,
    record,
    report,
    settle_unasked,
)
from greenlight.model.errors import (
    EngineError,
    GateBusyError,
    GateNotFoundError,
    GateReplacedError,
    GateTakenError,
    GreenlightError,
    HookAnsweredError,
    HookRefusedError,
    NoTimeToTellError,
    SettingsError,
    SlackError,
    TableError,
    ToldUnrecordedError,
)
from greenlight.model.gate import (
    UNKNOWN,
    Gate,
    GateState,
    GateStatus,
    Hook,
    Lifecycle,
    NewGate,
    Via,
    failed_gate,
)
from greenlight.model.life import News
from greenlight.runtime.network import CHAIN_SECONDS, HTTP_TRY_SECONDS, LOOK_UP_SECONDS
from greenlight.runtime.observability import (
    HOOK_LEFT_ALONE,
    count,
    count_by,
    count_failed_over,
    logger,
)
from greenlight.runtime.settings import FailureSettings
from greenlight.slack.messages import render
from greenlight.slack.ways import Way
from greenlight.storage.table import Held

# People were asked again by this second of the invocation, or are not.
ASKED_BY: Final = 18.0


@dataclass(frozen=True)
class Problem:
    """Why a hook could not be opened: the type of the last error, and what people are told."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Failover:
    """Fails a hook whose tries are exhausted, unless people were told or somebody decided.

    The table decides that; where it cannot be read, or says nothing of it, the hook is failed.
    """

    hook: Hook
    problem: Problem
    settings: FailureSettings
    means: Means
    slack: Way

    def run(self) -> bool:
        """Whether the deployment has failed; if not, people were told, or somebody has answered.

        Raises EngineError if the engine could not be told, GateBusyError while another try is
        at work, TableError if it is not on record, SlackError or SettingsError if people could not
        be told. Calling it again after any of them carries on where it stopped.
        """
        knows = self.problem.kind == ToldUnrecordedError.__name__
        if knows:
            self._record_that_people_were_told()
        if self.settings.leaves and self.means.engine(self.hook).can_wait and not self._is_known():
            return self._leave_waiting()
        try:
            with self.means.countdown.until(CLAIMED_BY):
                held = self._take()
        except GateTakenError as exc:
            logger.warning("The gate of another hook is left as it is", error=str(exc))
            return self._fail_unread(is_taken=True)
        except TableError as exc:
            if knows or self._may_be_known():
                raise
            logger.warning("The gate cannot be read", error=str(exc))
            return self._fail_unread()
        return self._finish(held)

    def _is_known(self) -> bool:
        """Whether people were told of the gate, or it was decided, as far as that can be read."""
        try:
            return self.means.table.get(self.hook.deployment_id).is_known
        except (GateNotFoundError, TableError):
            return False

    def _leave_waiting(self) -> bool:
        """Leaves a deployment to its engine, as those wish it who set this up, and tells people.

        Where it does not wait any more, they are told what has become of it.
        """
        engine = self.means.engine(self.hook)
        with self.means.countdown.until(CLAIMED_BY):
            lifecycle = look_up_lifecycle(self.hook, self.means)
        if self._is_over(lifecycle) or engine.is_answered(lifecycle, None):
            return self._tell_what_became(lifecycle)
        self._need_time_to_tell()
        self._tell(News.LEFT, lifecycle)
        return self._leave_alone("it can wait, and is to be left waiting")

    def _is_over(self, lifecycle: Lifecycle) -> bool:
        """Whether the time of a hook is over, of which its engine does not say that it waits."""
        until = self.hook.deadline
        return lifecycle.deadline is None and until is not None and self.means.clock() >= until

    def _tell_what_became(self, lifecycle: Lifecycle) -> bool:
        """Tells people what became of a hook that nobody was asked about; whether it has failed.

        Once, where there is a gate to write that down.
        """
        means = self.means
        try:
            gate = means.table.get(self.hook.deployment_id)
            held = means.table.resume(gate, self._new_gate(lifecycle), may_be_told=False)
        except (GateNotFoundError, TableError) as exc:
            logger.info("Nobody writes down what became of it", reason=str(exc))
            return self._tell_unwritten(lifecycle)
        if held.try_id is None:
            return self._finish(held)
        gate = settle_unasked(held, means, explained_by=ASKED_BY)
        if not (gate.goes_on and gate.decided_via is Via.ELSEWHERE):  # decided here just now
            return self._finish(Held(gate))
        self._tell_once(gate)
        return self._leave_alone("it has gone on")

    def _tell_unwritten(self, lifecycle: Lifecycle) -> bool:
        """Tells people of a hook that is over and has no gate; likewise."""
        gate, now = self._as_told(lifecycle), self.means.clock()
        settlement = self.means.engine(self.hook).settlement(gate, now)
        self._need_time_to_tell()
        if not settlement.goes_on:
            self._tell(News.ENDED, lifecycle)
            return True
        at = min(settlement.at or now, now)
        gate = replace(
            gate,
            status=settlement.status,
            timeout_action=settlement.timeout_action,
            decided_via=Via.ELSEWHERE,
            decided_at=at,
            reported_at=at,
            reason=settlement.detail,
        )
        self._say(gate, News.CLOSED)
        return self._leave_alone("it has gone on")

    def _may_be_known(self) -> bool:
        """Whether a gate that cannot be written can be read, and people may know of it."""
        try:
            return self.means.table.may_be_known(self.hook)
        except TableError:
            return False

    def _take(self) -> Held:
        """Takes the gate to fail it, unless it needs no more than to be finished."""
        try:
            return self.means.table.fail(self._new_gate(), self.problem.reason)
        except GateTakenError:
            lifecycle = look_up_lifecycle(self.hook, self.means)
            return self.means.table.fail(self._new_gate(lifecycle), self.problem.reason)

    def _finish(self, held: Held) -> bool:
        """Brings what is on record to the engine and to people; whether the release has failed."""
        if held.may_be_told:
            return self._ask_again(held.gate)
        if held.gate.state in (GateState.DECIDED, GateState.FAILING) and not held.try_id:
            held = self.means.table.take_over(held.gate, self.means.clock())
        gate = self._carry(held) if held.try_id else held.gate
        if gate.state is GateState.FAILING:  # another try has taken it over, and knows better
            raise GateBusyError(gate.deployment_id, None)
        is_ours = gate.status is GateStatus.FAILED
        goes_on = gate.status is GateStatus.WAITING or gate.goes_on
        if gate.is_unseen:
            self._tell_once(gate)
            return self._leave_alone("it has gone on, for want of a decision")
        if goes_on or gate.decided_by or (gate.notified_at and not is_ours):
            return self._leave_alone("people were told, or somebody has answered")
        # The version before this one did not write down whether people were told that it failed.
        is_from_before = gate.failed_at and not gate.reported_at
        if is_from_before or not self._tell_once(gate):
            self._leave_alone("people know that it has failed")
        return True

    def _ask_again(self, gate: Gate) -> bool:
        """Asks people once more, whom an earlier try may have told; fails the hook if it cannot."""
        means = self.means
        with means.countdown.until(CLAIMED_BY):
            lifecycle = look_up_lifecycle(self.hook, means)
        telling = means.table.resume(gate, self._new_gate(lifecycle), may_be_told=True)
        if telling.try_id is None:  # told or decided just now
            return self._finish(telling)
        if means.engine(self.hook).is_answered(lifecycle, gate.created_at):
            return self._finish(Held(settle_unasked(telling, means, explained_by=ASKED_BY)))
        try:
            ask(telling, self.settings.look, means, self.slack, told_by=ASKED_BY)
        except NoTimeToTellError:  # that is no reason to fail what people may know of
            raise
        except (SlackError, SettingsError) as exc:
            logger.warning("People may have been told, and cannot be asked again", error=str(exc))
            failed = means.table.fail(self._new_gate(), self.problem.reason, telling=telling)
            return self._finish(failed)
        return self._leave_alone("people may have been told, and were asked again")

    def _carry(self, held: Held) -> Gate:
        """Brings to the engine what is on record: that the hook failed, or somebody's decision."""
        try:
            settlement = report(held, self.means)
        except EngineError:
            self.means.table.stop_reporting(held)
            if held.gate.status is GateStatus.FAILED:
                self._tell_stuck()
            raise
        return record(held, settlement, self.means)

    def _tell_once(self, gate: Gate) -> bool:
        """Tells people of a gate that ended without their being asked; False if they know."""
        self._need_time_to_tell(2 * CHAIN_SECONDS)  # the lease, and that they know
        held = self.means.table.take_failure_message(gate, self.means.clock())
        if held.try_id is None:
            return False
        gate = held.gate
        if gate.was_failed:  # its engine has sent word of that just now
            self.means.table.stop_telling(held)
            return False
        is_ours = gate.status is GateStatus.FAILED
        try:
            if gate.goes_on:
                self._say(gate, News.CLOSED)
            else:
                self._tell(News.FAILED if is_ours else News.ENDED)
        except GreenlightError:
            self.means.table.stop_telling(held)
            raise
        try:
            self.means.table.mark_failure_notified(self.hook, self.means.clock())
        except (TableError, GateNotFoundError, GateReplacedError) as exc:
            # They know, and that is what counts.
            logger.warning("That people were told is not written down", error=str(exc))
        return True

    def _fail_unread(self, *, is_taken: bool = False) -> bool:
        """Fails the hook whatever is on record: a deployment that hangs is worse.

        Writes it down afterwards, if the table can be written by then.
        `is_taken`: another hook of the deployment has the gate, so this one may be made up.
        """
        try:
            with self.means.countdown.until(REPORTED_BY):
                self.means.engine(self.hook).report(self.hook, succeeded=False)
        except HookAnsweredError as answered:
            settlement = explain(self._as_told(), answered, self.means)
            if settlement.goes_on:
                return self._leave_alone("somebody let the release through at the engine itself")
            if not (answered.in_doubt and settlement.is_answered):
                self._need_time_to_tell()
                self._tell(News.ENDED)
                return True
        except EngineError as exc:
            if is_taken and isinstance(exc, HookRefusedError):
                return self._leave_alone("the engine does not know it: somebody made it up")
            self._tell_stuck()
            raise
        count_failed_over(self.hook.engine)
        gate = None if is_taken else self._noted()
        if gate:
            self._tell_once(gate)
        else:
            self._need_time_to_tell()
            self._tell(News.FAILED)
        return True

    def _leave_alone(self, why: str) -> bool:
        logger.info("The hook is left alone", why=why)
        count_by(self.hook.engine)
        count(HOOK_LEFT_ALONE)
        return False

    def _record_that_people_were_told(self) -> None:
        """Writes down what the last try could not. Raises TableError."""
        try:
            self.means.table.mark_notified(self.hook, self.means.clock())
        except (GateNotFoundError, GateReplacedError) as exc:
            logger.warning("People were told of a gate that is gone", error=str(exc))

    def _noted(self) -> Gate | None:
        """Writes down what was done unread; the gate, if it is on record as failed now.

        What this try has written, and does not know of, is on record, too.
        """
        try:
            held = self.means.table.fail(self._new_gate(), self.problem.reason, is_reported=True)
        except GreenlightError as exc:
            logger.warning("The gate is not marked as failed", error=str(exc))
            return None
        return held.gate if held.gate.status is GateStatus.FAILED else None

    def _tell(self, news: News, lifecycle: Lifecycle = UNKNOWN) -> None:
        """Tells people, of the gate as it is told: there need not be one on record."""
        self._say(self._as_told(lifecycle), news)

    def _say(self, gate: Gate, news: News) -> None:
        self.slack.post(render(gate, news, self.means.pointers(self.hook), self.settings.look))

    def _as_told(self, lifecycle: Lifecycle = UNKNOWN) -> Gate:
        """The gate as it is when the hook is failed, whatever is on record."""
        return failed_gate(self._new_gate(lifecycle), self.problem.reason)

    def _tell_stuck(self) -> None:
        """Tells people that the deployment hangs, if there is time and a way; and at each try."""
        try:
            self._need_time_to_tell()
            self._tell(News.STUCK)
        except GreenlightError as exc:
            logger.warning("People are not told that it hangs", stage=exc.stage, error=str(exc))

    def _need_time_to_tell(self, besides: float = 0.0) -> None:
        if not self.means.countdown.allows(LOOK_UP_SECONDS + HTTP_TRY_SECONDS + besides):
            raise NoTimeToTellError

    def _new_gate(self, lifecycle: Lifecycle = UNKNOWN) -> NewGate:
        return new_gate(self.hook, self.settings, self.means, lifecycle=lifecycle)
