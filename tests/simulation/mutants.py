"""Breaks the code in many ways, and counts how soon the simulator finds each: `make mutants`.

What takes clocks that differ by half a minute, or a fault in the right second, the plots see to.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIFE = "function/greenlight/model/life.py"
GATE = "function/greenlight/model/gate.py"
CONDITIONS = "function/greenlight/storage/conditions.py"
TABLE = "function/greenlight/storage/table.py"
FAILURES = "function/greenlight/gates/failing.py"
REPORTS = "function/greenlight/gates/reporting.py"
DECISIONS = "function/greenlight/gates/deciding.py"
LOOKING = "function/greenlight/gates/looking.py"
ASKING = "function/greenlight/gates/asking.py"
HTTP = "function/greenlight/slack/http.py"
SIGNATURE = "function/greenlight/slack/signature.py"
CLICKING = "function/greenlight/gates/clicking.py"
ANSWERING = "function/greenlight/gates/answering.py"
CLOSING = "function/greenlight/gates/closing.py"
FOLLOWING = "function/greenlight/gates/following.py"
REMINDING = "function/greenlight/gates/reminding.py"
CARRYING = "function/greenlight/gates/carrying.py"
CLOCK = "function/greenlight/handlers/clock.py"
OUTCOMES = "function/greenlight/gates/outcomes.py"
ECS = "function/greenlight/engines/ecs.py"
PAUSE = "function/greenlight/handlers/pause.py"
SWEEPING = "function/greenlight/gates/sweeping.py"


@dataclass(frozen=True)
class Mutant:
    """A way to break the code: a text of a file, and what takes its place."""

    what: str
    file: str
    old: str
    new: str


MUTANTS = (
    Mutant(
        "a try tells people without a lease",
        CONDITIONS,
        "    if step.takes:\n",
        '    if step.takes and step.name != "resume":\n',
    ),
    Mutant(
        "a try gives up anybody's lease",
        CONDITIONS,
        "    if step.holds:\n",
        '    if step.holds and not step.name.startswith("stop"):\n',
    ),
    Mutant(
        "what happened elsewhere is written without the lease",
        CONDITIONS,
        "    if step.holds:\n",
        '    if step.holds and not step.name.startswith("settle"):\n',
    ),
    Mutant(
        "a report is marked whatever the status is by then",
        LIFE,
        '    "reported",\n    starts_from=(*DECIDED, EXPIRED, FAILED),\n    as_seen=True,\n',
        '    "reported",\n    starts_from=ANY,\n',
    ),
    Mutant(
        "what a try wrote itself, and whose answer was lost, is another's",
        TABLE,
        "            return item, is_made\n",
        "            return item, False\n",
    ),
    Mutant(
        "a decision asks for no gate that waits",
        LIFE,
        '    "decide",\n    starts_from=(WAITING,),\n',
        '    "decide",\n    starts_from=ANY,\n',
    ),
    Mutant(
        "people who were told are no reason not to fail",
        LIFE,
        '    leads_to=(FAILED,),\n    absent=("notified_at",),\n',
        "    leads_to=(FAILED,),\n",
    ),
    Mutant(
        "a decision is no reason not to fail",
        LIFE,
        "    starts_from=(None, WAITING),\n",
        "    starts_from=(None, *ANY),\n",
    ),
    Mutant(
        "a failover does not wait for a try that is telling people",
        LIFE,
        "    spares=TELLING,\n",
        "",
    ),
    Mutant(
        "an older hook's history is dropped",
        TABLE,
        'earlier = held.get("history", []) if is_gate(held) else []',
        "earlier: list[dict[str, str]] = []",
    ),
    Mutant(
        "a failure message asks for no lease",
        CONDITIONS,
        "    if step.takes:\n",
        '    if step.takes and step.name != "tell of the failure":\n',
    ),
    Mutant(
        "a failure message is told as often as a record comes",
        LIFE,
        "    starts_from=(APPROVED, REJECTED, EXPIRED, FAILED),\n"
        '    absent=("failure_notified_at",),\n',
        "    starts_from=(APPROVED, REJECTED, EXPIRED, FAILED),\n",
    ),
    Mutant(
        "a test event takes the gate of a live deployment over",
        TABLE,
        "    return since is not None and bool(",
        "    return since is None and bool(",
    ),
    Mutant(
        "the failure function does not look at the table",
        FAILURES,
        "                held = self._take()\n",
        '                raise TableError("gates", "update_item", "not asked")\n',
    ),
    Mutant(
        "what people could not be told is not tried again",
        FAILURES,
        "            self.means.table.stop_telling(held)\n            raise\n",
        "            return True\n",
    ),
    Mutant(
        "people are told of a failure before CodeDeploy is",
        FAILURES,
        "        try:\n            settlement = report(held, self.means)\n",
        "        self._tell(News.FAILED)\n"
        "        try:\n            settlement = report(held, self.means)\n",
    ),
    Mutant(
        "that people were told and the table does not know is forgotten",
        FAILURES,
        "knows = self.problem.kind == ToldUnrecordedError.__name__",
        "knows = not self.problem.kind",
    ),
    Mutant(
        "a release that people never saw is counted by every try",
        REPORTS,
        "    if is_news:",
        "    if is_news or gate.status is GateStatus.FAILED:",
    ),
    Mutant(
        "an answer that may be one's own is another's",
        REPORTS,
        "refused.in_doubt or (has_answer and not held.is_new)",
        "refused.in_doubt",
    ),
    Mutant(
        "any answer is one's own",
        REPORTS,
        "if not (is_perhaps_own and is_as_reported(gate, settlement)):",
        "if not is_perhaps_own:",
    ),
    Mutant(
        "CodeDeploy is told the opposite",
        REPORTS,
        "succeeded=gate.status is GateStatus.APPROVED",
        "succeeded=gate.status is not GateStatus.APPROVED",
    ),
    Mutant(
        "a denied decision stays",
        DECISIONS,
        "if held.is_new and not denied.in_doubt:",
        "if not held:",
    ),
    Mutant(
        "a decision that may have been taken is given back",
        DECISIONS,
        "    except EngineError as exc:\n        raise _unreported(held, exc, means) from exc\n",
        "    except EngineError as exc:\n"
        "        means.table.give_back(held, exc.reason, means.clock())\n"
        "        raise _unreported(held, exc, means) from exc\n",
    ),
    Mutant(
        "that people were told is written down before they are",
        ASKING,
        "    try:\n        with means.countdown.until(told_by):\n",
        "    means.table.mark_notified(hook, means.clock())\n"
        "    try:\n        with means.countdown.until(told_by):\n",
    ),
    Mutant(
        "a try that may have told people gives its lease up",
        ASKING,
        "if not (slack.in_doubt or held.may_be_told):",
        "if held:",
    ),
    Mutant(
        "people who may have been told are left alone",
        FAILURES,
        "        if held.may_be_told:\n            return self._ask_again(held.gate)\n",
        "",
    ),
    Mutant(
        "a hook is failed though people could be asked again",
        FAILURES,
        "            return self._ask_again(held.gate)\n",
        "            table, new = self.means.table, self._new_gate()\n"
        "            telling = table.resume(held.gate, new, may_be_told=True)\n"
        "            held = table.fail(new, self.problem.reason, telling=telling)\n",
    ),
    Mutant(
        "the hour begins when the function does",
        LOOKING,
        "deadline = lifecycle.deadline or hook.deadline or now",
        "deadline = now",
    ),
    Mutant(
        "an error of Slack's shows the webhook",
        HTTP,
        "failure: SlackError | None = SlackError(type(exc).__name__, in_doubt=was_sent(exc))",
        "failure: SlackError | None = SlackError(str(exc), in_doubt=was_sent(exc))",
    ),
    Mutant(
        "a request is Slack's without a signature",
        SIGNATURE,
        "    if not hmac.compare_digest(",
        "    if expected is None and not hmac.compare_digest(",
    ),
    Mutant(
        "the message says that it is decided before CodeDeploy knows",
        GATE,
        "        return GateState.CLOSED if self.reported_at else GateState.DECIDED\n",
        "        return GateState.CLOSED\n",
    ),
    Mutant(
        "a click that changes nothing is a failed decision",
        ANSWERING,
        "but=(*MOOT, GateBusyError)",
        "but=()",
    ),
    Mutant(
        "who is no approver decides all the same",
        ANSWERING,
        "    if not settings.approvers or user_id in settings.approvers:\n",
        "    if user_id:\n",
    ),
    Mutant(
        "a message is changed without a lease",
        CONDITIONS,
        "    if step.takes:\n",
        '    if step.takes and step.name != "show":\n',
    ),
    Mutant(
        "what people see is written down before they see it",
        CLOSING,
        "    try:\n        place = _say(",
        "    means.table.mark_shown(held, None)\n    try:\n        place = _say(",
    ),
    Mutant(
        "a message is changed only when somebody has decided",
        CLOSING,
        "    if gate.place:\n        return True\n",
        "    if gate.place:\n        return bool(gate.decided_by)\n",
    ),
    Mutant(
        "what a click has left as it was is not looked at again",
        FOLLOWING,
        "    if not keep_true(gate, settings.look, means, slack):\n",
        "    if keep_true(gate, settings.look, means, slack):\n",
    ),
    Mutant(
        "a deployment that ends while its gate is opened is not found out",
        FOLLOWING,
        "        learn_of(gate, means)\n",
        "        return\n",
    ),
    Mutant(
        "a lease that changes hands is followed as a change",
        FOLLOWING,
        "    if change.before == after:\n",
        "    if after is None:\n",
    ),
    Mutant(
        "a click does not look again at what it has changed",
        CLICKING,
        "or gate.appearance == known.appearance or is_unrecorded:\n",
        "or known:\n",
    ),
    Mutant(
        "a gate that is decided can still be taken on",
        LIFE,
        '    "claim",\n    starts_from=(WAITING,),\n',
        '    "claim",\n    starts_from=ANY,\n',
    ),
    Mutant(
        "the end asks for no gate that waits",
        LIFE,
        '    "expire",\n    starts_from=(WAITING,),\n',
        '    "expire",\n    starts_from=ANY,\n',
    ),
    Mutant(
        "the clock leaves alone a decision that CodeDeploy does not know",
        CLOCK,
        "    if is_left_over(gate):\n",
        "    if gate is None:\n",
    ),
    Mutant(
        "nobody looks again at a decision that CodeDeploy does not know",
        FOLLOWING,
        "    if is_left_over(gate):",
        "    if gate is None:",
    ),
    Mutant(
        "people are reminded of what has been answered elsewhere",
        CLOCK,
        "        gate = settle_if_answered(gate, means)\n",
        "",
    ),
    Mutant(
        "that CodeDeploy knows and the table does not is good enough for the clock",
        CARRYING,
        "    if decided.unrecorded:\n",
        "    if decided is None:\n",
    ),
    Mutant(
        "nobody looks each minute whether a gate was answered elsewhere",
        FOLLOWING,
        "    if schedules and until > means.clock():\n",
        "    if schedules and until < means.clock():\n",
    ),
    Mutant(
        "the watch finds a gate in order that was answered elsewhere",
        CLOCK,
        "settle_if_answered(gate, means) is not gate:",
        "gate is None:",
    ),
    Mutant(
        "people are reminded as often as the clock calls",
        REMINDING,
        "    is_had = due and gate.reminded_for and gate.reminded_for >= due\n",
        "    is_had = due is None\n",
    ),
    Mutant(
        "the end of a deployment does not settle its gate",
        OUTCOMES,
        "        if gate.state in _OPEN:\n",
        "        if gate.state is None:\n",
    ),
    Mutant(
        "an outcome is written down as often as it is heard of",
        LIFE,
        'starts_from=ANY, absent=("outcome",), sets=_OUTCOME',
        "starts_from=ANY, sets=_OUTCOME",
    ),
    Mutant(
        "ECS is told to go on whatever was decided",
        ECS,
        "action = TimeoutAction.CONTINUE if succeeded else TimeoutAction.ROLLBACK",
        "action = TimeoutAction.CONTINUE",
    ),
    Mutant(
        "that ECS took an answer is believed, whichever it has",
        ECS,
        "        status = _lifecycle(_listed(hook, found), found).status\n",
        "        return\n",
    ),
    Mutant(
        "a hook that ECS lists no more is not known any more",
        ECS,
        '    status = held.get("status", _GONE)\n    waits',
        '    status = held["status"]\n    waits',
    ),
    Mutant(
        "silence that ships is taken for a rejection",
        GATE,
        "            and self.timeout_action is TimeoutAction.CONTINUE\n",
        "            and self.timeout_action is None\n",
    ),
    Mutant(
        "the word of a hook's end is not heard",
        PAUSE,
        "            gate = bring_in_line(hook, change.ended, _means(_clients(), settings))\n",
        "            gate = None\n",
    ),
    Mutant(
        "a hook whose event was lost is not opened",
        SWEEPING,
        "        open_again(hook)\n",
        "",
    ),
    Mutant(
        "the word of an end that could not be taken fails the hook",
        "function/greenlight/handlers/failure.py",
        "    return change.hook, problem if change.waits else None\n",
        "    return change.hook, problem\n",
    ),
    Mutant(
        "the steps of a canary have one gate",
        ECS,
        "{hashlib.sha256(hook_id.encode()).hexdigest()[:_DIGITS]}",
        "{hashlib.sha256().hexdigest()[:_DIGITS]}",
    ),
    Mutant(
        "what ECS says of the last step is taken for what it says of each",
        ECS,
        '(one for one in _hooks_in(deployment) if one["hookId"] == hook.execution_id)\n',
        "reversed(_hooks_in(deployment))\n",
    ),
    Mutant(
        "what a click has shown of one message stands for another one",
        TABLE,
        "        shown = GateStatus.WAITING if again else None\n",
        "        shown = None\n",
    ),
    Mutant(
        "a rejection in the last seconds is taken for an end of CodeDeploy's own",
        REPORTS,
        "        return not settlement.goes_on\n",
        "        return False\n",
    ),
)


def break_code(mutant: Mutant, folder: Path) -> None:
    """Writes the checkout with one thing broken."""
    for name in ("function", "cli"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "template.yaml", folder)
    path = folder / mutant.file
    text = path.read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        sys.exit(f"{mutant.what}: its text is {text.count(mutant.old)} times in {mutant.file}")
    path.write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="make mutants", description=__doc__)
    parser.add_argument("--schedules", type=int, default=3000, help="at most, for each")
    parser.add_argument("--seed", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="a part of what is broken")
    options = parser.parse_args()
    missed = []
    for mutant in MUTANTS:
        if options.only not in mutant.what:
            continue
        with tempfile.TemporaryDirectory() as folder:
            break_code(mutant, Path(folder))
            done = subprocess.run(
                [
                    *(sys.executable, "-m", "tests.simulation", "--until-broken"),
                    *("--code", folder, "--schedules", str(options.schedules)),
                    *("--seed", str(options.seed)),
                ],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
        last = done.stdout.splitlines()[-1] if done.stdout else done.stderr[-300:]
        print(f"{mutant.what}: {last}", flush=True)
        missed += [mutant.what] if done.returncode == 0 else []
    print(f"not found: {missed}" if missed else "all are found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
