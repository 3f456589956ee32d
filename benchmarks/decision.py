"""A click from a cold start to its answer, against a plain handler and Slack's three seconds.

Each process has one processor, imports the handler and answers one signed request, with AWS and
Slack on loopback: the signing secret is read from SSM, the gate is decided, CodeDeploy is told and
the message replaced.
"""

import json
import sys
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.process import Usage, row, run, stand_ins
from stand_ins.clicks import SIGNING_SECRET, form, payload, signed, url_event
from stand_ins.codedeploy import add_deployment

ROUNDS = 15
SLACK_WAITS_MS = 3000
SUBJECTS = {"reference": "reference_click", "Greenlight": "greenlight.handlers.decision"}
PARAMETER = "/greenlight/slack-signing-secret"


def main() -> None:
    """Measures both in turns, so that whatever else the machine does falls on both alike."""
    usages: dict[str, list[Usage]] = {name: [] for name in SUBJECTS}
    gates = (ROUNDS + 1) * len(SUBJECTS)
    with stand_ins() as (aws, slack, environ):
        environ["SLACK_SIGNING_SECRET"] = PARAMETER
        aws.client("ssm").put_parameter(Name=PARAMETER, Value=SIGNING_SECRET, Type="SecureString")
        for number in range(gates):
            add_deployment(f"d-{number}", aws.client("codedeploy"), application=f"shop-{number}")
        run(environ, "invocations.py", "lamda", str(gates - 1))  # opens them all
        waiting = iter(slack.messages.copy())
        for round_number in range(ROUNDS + 1):
            for name, module in SUBJECTS.items():
                body = form(payload(next(waiting), "greenlight_approve", slack.response_url))
                event = json.dumps(url_event(body, signed(body)))
                usage = run(environ, "one_click.py", module, event)
                if round_number:  # the first writes the byte code, as a package has it
                    usages[name].append(usage)
        if len(aws.reports) != gates or len(slack.responses) != gates:
            sys.exit(f"{len(aws.reports)} of {gates} clicks reached CodeDeploy")
    show(usages)


def show(usages: dict[str, list[Usage]]) -> None:
    """Prints medians, ratios and what is left of Slack's time."""
    print(f"A click, cold start to answer: medians of {ROUNDS} processes each, in turns.\n")
    print(f"{'':32}{'reference':>12}{'Greenlight':>12}{'ratio':>8}")
    for label, field, unit in (
        ("cold start to answer, CPU", "cpu", "ms"),
        ("cold start to answer, wall", "wall", "ms"),
        ("peak memory", "memory", "MiB"),
    ):
        plain, ours = (median(getattr(one, field) for one in usages[name]) for name in SUBJECTS)
        print(row(label, plain, ours, unit))
    walls = [one.wall for one in usages["Greenlight"]]
    for label, wall in (("median", median(walls)), ("slowest", max(walls))):
        left = SLACK_WAITS_MS - wall
        print(
            f"Of Slack's {SLACK_WAITS_MS} ms, {left:.0f} ms ({left / SLACK_WAITS_MS:.0%}) are left "
            f"at 1 vCPU ({label}), for the network and for Lambda to start a machine."
        )


if __name__ == "__main__":
    main()
