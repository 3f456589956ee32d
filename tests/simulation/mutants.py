"""Breaks the code in many ways, and counts how soon the simulator finds each: `make mutants`.

Leases that are taken or given up by whom they are not are in tests/functional/test_leases.py: it
takes clocks that differ by half a minute, and a fault in the right second, to see them here.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = "function/greenlight/table.py"
FAILURES = "function/greenlight/failures.py"
REPORTS = "function/greenlight/reports.py"
DECISIONS = "function/greenlight/decisions.py"
GATES = "function/greenlight/gates.py"
ASKING = "function/greenlight/asking.py"
SLACK = "function/greenlight/slack.py"
CLICKS = "function/greenlight/handlers/decision.py"


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
        TABLE,
        """AND attribute_not_exists(notified_at)"
                f" AND {TELLING.is_free}",
""",
        """AND attribute_not_exists(notified_at)",
""",
    ),
    Mutant(
        "a decision asks for no gate that waits",
        TABLE,
        '                f"{_IS_MINE} AND #status = :waiting",\n',
        '                f"{_IS_MINE} AND (#status = :waiting OR #status = #status)",\n',
    ),
    Mutant(
        "people who were told are no reason not to fail",
        TABLE,
        """                " AND attribute_not_exists(notified_at)"
                " AND (attribute_not_exists(try_id)""",
        """                " AND (attribute_not_exists(try_id)""",
    ),
    Mutant(
        "a decision is no reason not to fail",
        TABLE,
        '''f"attribute_not_exists(deployment_id) OR ({_IS_MINE} AND #status = :waiting"''',
        '''f"attribute_not_exists(deployment_id) OR ({_IS_MINE} AND #status = #status"''',
    ),
    Mutant(
        "a failover does not wait for a try that is telling people",
        TABLE,
        """ AND (attribute_not_exists(try_id) OR #try_id = :telling_try_id))",
""",
        """)",
""",
    ),
    Mutant(
        "an older hook's history is dropped",
        TABLE,
        'earlier = held.get("history", []) if "deadline" in held else []',
        "earlier: list[dict[str, str]] = []",
    ),
    Mutant(
        "a failure message asks for no lease",
        TABLE,
        "AND attribute_not_exists(failure_notified_at) AND {TELLING.is_free}",
        "AND attribute_not_exists(failure_notified_at)",
    ),
    Mutant(
        "a failure message is told as often as a record comes",
        TABLE,
        """f" AND attribute_not_exists(failure_notified_at) AND""",
        """f" AND""",
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
        "        if self.table is None:\n",
        "        if self.table:\n",
    ),
    Mutant(
        "what people could not be told is not tried again",
        FAILURES,
        "            table.release(TELLING, held)\n            raise\n",
        "            return True\n",
    ),
    Mutant(
        "people are told of a failure before CodeDeploy is",
        FAILURES,
        "        try:\n            settlement = report(held, self.codedeploy, self.countdown)\n",
        "        self._tell(FailureNews.FAILED)\n"
        "        try:\n            settlement = report(held, self.codedeploy, self.countdown)\n",
    ),
    Mutant(
        "an answer that may be one's own is another's",
        REPORTS,
        "(refused.in_doubt or not held.is_new)",
        "refused.in_doubt",
    ),
    Mutant(
        "any answer is one's own",
        REPORTS,
        "if not (_is_as_reported(gate, settlement) and (refused.in_doubt or not held.is_new)):",
        "if not (refused.in_doubt or not held.is_new):",
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
        "    except CodeDeployError as exc:\n"
        "        raise _unreported(held, exc, table) from exc\n",
        "    except CodeDeployError as exc:\n"
        "        table.give_back(held, exc.reason, clock())\n"
        "        raise _unreported(held, exc, table) from exc\n",
    ),
    Mutant(
        "that people were told is written down before they are",
        ASKING,
        "    try:\n        with countdown.until(told_by):\n",
        "    table.mark_notified(held.gate.hook, clock())\n"
        "    try:\n        with countdown.until(told_by):\n",
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
        "        if held.may_be_told:\n            return self._ask_again(held.gate, table)\n",
        "",
    ),
    Mutant(
        "a hook is failed though people could be asked again",
        FAILURES,
        "            return self._ask_again(held.gate, table)\n",
        "            telling = table.take_telling(held.gate, self.clock(), may_be_told=True)\n"
        "            held = table.fail(self._new_gate(), self.problem.reason, telling=telling)\n",
    ),
    Mutant(
        "the hour begins when the function does",
        GATES,
        "deadline=(lifecycle.waits_since or now)",
        "deadline=now",
    ),
    Mutant(
        "an error of Slack's shows the webhook",
        SLACK,
        "failure: SlackError | None = SlackError(type(exc).__name__)",
        "failure: SlackError | None = SlackError(str(exc))",
    ),
    Mutant(
        "a request is Slack's without a signature",
        SLACK,
        "    if not hmac.compare_digest(",
        "    if expected is None and not hmac.compare_digest(",
    ),
    Mutant(
        "the message says that it is decided before CodeDeploy knows",
        CLICKS,
        "    if not (gate.is_unreported or gate.is_failing):\n",
        "    if gate:\n",
    ),
    Mutant(
        "a click that changes nothing is a failed decision",
        CLICKS,
        ", DECISION_FAILED, but=_MOOT)",
        ", DECISION_FAILED)",
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
