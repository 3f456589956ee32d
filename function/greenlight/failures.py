"""The use case of failing a hook that nobody could be asked about. It knows no event, no boto3."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from greenlight import messages
from greenlight.codedeploy import TIME_TO_DECIDE, CodeDeploy
from greenlight.errors import (
    CodeDeployError,
    GateNotFoundError,
    GateReplacedError,
    GateTakenError,
    GreenlightError,
    HookRefusedError,
    HookSettledError,
    SlackError,
    TableError,
    ToldUnrecordedError,
)
from greenlight.messages import FailureNews
from greenlight.models import Deployment, Gate, GateStatus, Hook
from greenlight.network import CHAIN_SECONDS, HTTP_TRY_SECONDS, LOOK_UP_SECONDS, Countdown
from greenlight.observability import HOOK_FAILED_OVER, HOOK_LEFT_ALONE, count, logger
from greenlight.reports import CLAIMED_BY, REPORTED_BY, record, report
from greenlight.settings import FailureSettings, fill_test_url
from greenlight.slack import SlackWebhook
from greenlight.table import REPORTING, TELLING, GateTable, Held, NewGate


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
        is_taken = self.problem.kind == GateTakenError.__name__
        if self.table is None or is_taken:
            return self._fail_unread(is_taken=is_taken)
        if self.problem.kind == ToldUnrecordedError.__name__ and self._is_recorded_now(self.table):
            return self._leave_alone("people were told, and that is on record now")
        try:
            with self.countdown.until(CLAIMED_BY):
                held = self._take(self.table)
        except GateTakenError as exc:
            logger.warning("The gate of another hook is left as it is", error=str(exc))
            return self._fail_unread(is_taken=True)
        except TableError as exc:
            logger.warning("The gate cannot be read", error=str(exc))
            return self._fail_unread(self.table)
        return self._finish(held, self.table)

    def _finish(self, held: Held, table: GateTable) -> bool:
        """Brings what is on record to CodeDeploy and to people; whether the release has failed."""
        if held.gate.is_unreported or (held.gate.is_failing and not held.try_id):
            held = table.take_over(held.gate, self.clock())
        gate = self._carry(held, table) if held.try_id else held.gate
        if gate.status in (GateStatus.WAITING, GateStatus.APPROVED) or gate.decided_by:
            return self._leave_alone("people were told, or somebody has answered")
        # The version before this one did not write down whether people were told that it failed.
        is_from_before = gate.failed_at and not gate.reported_at
        if is_from_before or not self._tell_once(gate, table):
            self._leave_alone("people know that it has failed")
        return True

    def _take(self, table: GateTable) -> Held:
        """Takes the gate to fail it, unless it needs no more than to be finished."""
        try:
            return table.fail(self._new_gate(), self.problem.reason)
        except GateTakenError:
            try:
                waits_since = self.codedeploy.lifecycle(self.hook.deployment_id).waits_since
            except CodeDeployError as exc:
                logger.warning("CodeDeploy does not say since when it waits", reason=exc.reason)
                waits_since = None
            if waits_since is None:
                raise
            return table.fail(self._new_gate(waits_since), self.problem.reason)

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
        except HookSettledError:
            if not self._has_failed():
                return self._leave_alone("CodeDeploy has an answer from elsewhere")
            self._need_time_to_tell()
            self._tell(FailureNews.ENDED)
            return True
        except CodeDeployError as exc:
            if is_taken and isinstance(exc, HookRefusedError):
                return self._leave_alone("CodeDeploy does not know it: somebody made it up")
            self._tell_stuck()
            raise
        count(HOOK_FAILED_OVER)
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

    def _is_recorded_now(self, table: GateTable) -> bool:
        """Writes down that people were told, which the last try could not; False if it is lost."""
        try:
            table.mark_notified(self.hook, self.clock())
        except (GateNotFoundError, GateReplacedError) as exc:
            logger.warning("People were told of a gate that is gone", error=str(exc))
            return False
        return True

    def _has_failed(self) -> bool:
        """Whether the deployment has failed, as far as CodeDeploy says."""
        try:
            return self.codedeploy.has_failed(self.hook.deployment_id)
        except CodeDeployError as exc:
            logger.warning("The deployment is not described", reason=exc.reason)
            return False

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

    def _new_gate(self, waits_since: datetime | None = None) -> NewGate:
        now = self.clock()
        return NewGate(
            self.hook,
            test_url=fill_test_url(self.settings.test_url, self.hook.deployment_id, Deployment()),
            created_at=now,
            deadline=(waits_since or now) + TIME_TO_DECIDE,
            expires_at=now + self.settings.gate_ttl,
            started_at=waits_since,
        )
