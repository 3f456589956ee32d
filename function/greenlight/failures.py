"""The use case of failing a hook that nobody could be asked about. It knows no event, no boto3."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from greenlight import messages
from greenlight.asking import ask
from greenlight.codedeploy import TIME_TO_DECIDE, CodeDeploy, has_ended
from greenlight.errors import (
    CodeDeployError,
    GateNotFoundError,
    GateReplacedError,
    GateTakenError,
    GreenlightError,
    HookRefusedError,
    HookSettledError,
    HookUnexplainedError,
    SettingsError,
    SlackError,
    TableError,
    ToldUnrecordedError,
)
from greenlight.messages import FailureNews
from greenlight.models import UNKNOWN, Deployment, Gate, GateStatus, Hook, Lifecycle
from greenlight.network import CHAIN_SECONDS, HTTP_TRY_SECONDS, LOOK_UP_SECONDS, Countdown
from greenlight.observability import HOOK_FAILED_OVER, HOOK_LEFT_ALONE, count, count_now, logger
from greenlight.reports import CLAIMED_BY, REPORTED_BY, record, report
from greenlight.settings import FailureSettings, fill_test_url
from greenlight.slack import SlackWebhook
from greenlight.table import REPORTING, TELLING, GateTable, Held, NewGate

# The second of the invocation by which people were asked again, or are not.
ASKED_BY: Final = 18.0

_GO_ON: Final = (GateStatus.WAITING, GateStatus.APPROVED)


@dataclass(frozen=True)
class Problem:
    """Why a hook could not be opened: the type of the last error, and what people are told."""

    kind: str
    reason: str


@dataclass(frozen=True)
class Failover:
    """Fails a hook whose tries are exhausted, unless people were told or somebody decided.

    The table decides that; where it cannot be read (None: its name is not set), the hook is failed.
    """

    hook: Hook
    problem: Problem
    settings: FailureSettings
    table: GateTable | None
    codedeploy: CodeDeploy
    slack: SlackWebhook
    countdown: Countdown
    clock: Callable[[], datetime]

    def run(self) -> bool:
        """Whether the deployment has failed; if not, people were told, or somebody has answered.

        Raises CodeDeployError if CodeDeploy could not be told, GateBusyError while another try is
        at work, TableError if it is not on record, SlackError or SettingsError if people could not
        be told. Calling it again after any of them carries on where it stopped.
        """
        if self.table is None:
            return self._fail_unread()
        knows = self.problem.kind == ToldUnrecordedError.__name__
        if knows:
            self._record_that_people_were_told(self.table)
        try:
            with self.countdown.until(CLAIMED_BY):
                held = self._take(self.table)
        except GateTakenError as exc:
            logger.warning("The gate of another hook is left as it is", error=str(exc))
            return self._fail_unread(is_taken=True)
        except TableError as exc:
            if knows:
                raise
            logger.warning("The gate cannot be read", error=str(exc))
            return self._fail_unread(self.table)
        return self._finish(held, self.table)

    def _take(self, table: GateTable) -> Held:
        """Takes the gate to fail it, unless it needs no more than to be finished."""
        try:
            return table.fail(self._new_gate(), self.problem.reason)
        except GateTakenError:
            return table.fail(self._new_gate(self._lifecycle()), self.problem.reason)

    def _finish(self, held: Held, table: GateTable) -> bool:
        """Brings what is on record to CodeDeploy and to people; whether the release has failed."""
        if held.may_be_told:
            return self._ask_again(held.gate, table)
        if held.gate.is_unreported or (held.gate.is_failing and not held.try_id):
            held = table.take_over(held.gate, self.clock())
        gate = self._carry(held, table) if held.try_id else held.gate
        is_ours = gate.status is GateStatus.FAILED
        if gate.status in _GO_ON or gate.decided_by or (gate.notified_at and not is_ours):
            return self._leave_alone("people were told, or somebody has answered")
        # The version before this one did not write down whether people were told that it failed.
        is_from_before = gate.failed_at and not gate.reported_at
        if is_from_before or not self._tell_once(gate, table):
            self._leave_alone("people know that it has failed")
        return True

    def _ask_again(self, gate: Gate, table: GateTable) -> bool:
        """Asks people once more, whom an earlier try may have told; fails the hook if it cannot."""
        with self.countdown.until(CLAIMED_BY):
            lifecycle = self._lifecycle()
        known = self._new_gate(lifecycle).better_known()
        telling = table.take_telling(gate, self.clock(), known, may_be_told=True)
        if telling.try_id is None:  # told or decided just now
            return self._finish(telling, table)
        if has_ended(lifecycle, gate):
            with self.countdown.until(ASKED_BY):
                settlement = self.codedeploy.settlement(gate)
            settled = table.settle(telling, settlement, self.clock(), lease=TELLING)
            return self._finish(Held(settled), table)
        try:
            ask(
                telling,
                Deployment(gate.application, gate.deployment_group),
                self.settings,
                table=table,
                codedeploy=self.codedeploy,
                slack=self.slack,
                countdown=self.countdown,
                clock=self.clock,
                told_by=ASKED_BY,
            )
        except (SlackError, SettingsError) as exc:
            logger.warning("People may have been told, and cannot be asked again", error=str(exc))
            failed = table.fail(self._new_gate(), self.problem.reason, telling=telling)
            return self._finish(failed, table)
        return self._leave_alone("people may have been told, and were asked again")

    def _carry(self, held: Held, table: GateTable) -> Gate:
        """Brings to CodeDeploy what is on record: that the hook failed, or somebody's decision."""
        try:
            settlement = report(held, self.codedeploy, self.countdown)
        except CodeDeployError:
            table.release(REPORTING, held)
            if held.gate.status is GateStatus.FAILED:
                self._tell_stuck()
            raise
        return record(held, settlement, table, self.countdown, self.clock)

    def _tell_once(self, gate: Gate, table: GateTable) -> bool:
        """Tells people that the deployment ended without their being asked; False if they know."""
        self._need_time_to_tell(2 * CHAIN_SECONDS)  # the lease, and that they know
        held = table.take_failure_message(gate, self.clock())
        if held.try_id is None:
            return False
        is_ours = gate.status is GateStatus.FAILED
        try:
            self._tell(FailureNews.FAILED if is_ours else FailureNews.ENDED)
        except GreenlightError:
            table.release(TELLING, held)
            raise
        try:
            table.mark_failure_notified(self.hook, self.clock())
        except (TableError, GateNotFoundError, GateReplacedError) as exc:
            # They know, and that is what counts.
            logger.warning("That people were told is not written down", error=str(exc))
        return True

    def _fail_unread(self, table: GateTable | None = None, *, is_taken: bool = False) -> bool:
        """Fails the hook whatever is on record: a deployment that hangs is worse.

        Writes it down afterwards in the table, if there is one that can be written by then.
        `is_taken`: another hook of the deployment has the gate, so this one may be made up.
        """
        try:
            with self.countdown.until(REPORTED_BY):
                self.codedeploy.report(self.hook, succeeded=False)
        except HookSettledError as settled:
            if not self._has_failed(settled):
                return self._leave_alone("CodeDeploy has an answer from elsewhere")
            if not settled.in_doubt:
                self._need_time_to_tell()
                self._tell(FailureNews.ENDED)
                return True
        except CodeDeployError as exc:
            if is_taken and isinstance(exc, HookRefusedError):
                return self._leave_alone("CodeDeploy does not know it: somebody made it up")
            self._tell_stuck()
            raise
        count_now(HOOK_FAILED_OVER)
        if table and (gate := self._noted(table)):
            self._tell_once(gate, table)
        else:
            self._need_time_to_tell()
            self._tell(FailureNews.FAILED)
        return True

    def _leave_alone(self, why: str) -> bool:
        logger.info("The hook is left alone", why=why)
        count(HOOK_LEFT_ALONE)
        return False

    def _record_that_people_were_told(self, table: GateTable) -> None:
        """Writes down what the last try could not. Raises TableError."""
        try:
            table.mark_notified(self.hook, self.clock())
        except (GateNotFoundError, GateReplacedError) as exc:
            logger.warning("People were told of a gate that is gone", error=str(exc))

    def _has_failed(self, settled: HookSettledError) -> bool:
        """Whether a deployment has failed whose hook has an answer."""
        try:
            return self.codedeploy.has_failed(self.hook.deployment_id)
        except CodeDeployError as exc:
            raise HookUnexplainedError(
                exc.operation, exc.reason, in_doubt=settled.in_doubt
            ) from exc

    def _noted(self, table: GateTable) -> Gate | None:
        """Writes down what was done unread; the gate, if that is on record now."""
        try:
            held = table.fail(self._new_gate(), self.problem.reason, is_reported=True)
        except GreenlightError as exc:
            logger.warning("The gate is not marked as failed", error=str(exc))
            return None
        return held.gate if held.is_new else None

    def _tell(self, news: FailureNews) -> None:
        self.slack.post(
            messages.failure_message(
                self.hook.deployment_id,
                self.problem.reason,
                console_url=self.codedeploy.console_url(self.hook.deployment_id),
                commands=self.codedeploy.commands(self.hook),
                news=news,
                language=self.settings.language,
            )
        )

    def _tell_stuck(self) -> None:
        """Tells people that the deployment hangs, if there is time and a way; and at each try."""
        try:
            self._need_time_to_tell()
            self._tell(FailureNews.STUCK)
        except GreenlightError as exc:
            logger.warning("People are not told that it hangs", stage=exc.stage, error=str(exc))

    def _need_time_to_tell(self, besides: float = 0.0) -> None:
        if not self.countdown.allows(LOOK_UP_SECONDS + HTTP_TRY_SECONDS + besides):
            raise SlackError("there was no time left to post it")

    def _lifecycle(self) -> Lifecycle:
        try:
            return self.codedeploy.lifecycle(self.hook.deployment_id)
        except CodeDeployError as exc:
            logger.warning("CodeDeploy does not say since when it waits", reason=exc.reason)
            return UNKNOWN

    def _new_gate(self, lifecycle: Lifecycle = UNKNOWN) -> NewGate:
        now = self.clock()
        return NewGate(
            self.hook,
            test_url=fill_test_url(self.settings.test_url, self.hook.deployment_id, Deployment()),
            created_at=now,
            deadline=(lifecycle.waits_since or now) + TIME_TO_DECIDE,
            expires_at=now + self.settings.gate_ttl,
            lifecycle=lifecycle,
        )
