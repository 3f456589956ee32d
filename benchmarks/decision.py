"""A click, as built, against a plain one (`reference_click.py`) and Slack's three seconds.

Each process answers signed requests, with AWS and Slack on loopback: the signing secret is read
from SSM, the gate is decided, CodeDeploy is told and the message replaced.
"""

import sys
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.package import Subject, python, subjects
from benchmarks.process import DEPLOYMENTS, HOOKS, measure, run, stand_ins
from stand_ins.aws import TABLE
from stand_ins.clicks import SIGNING_SECRET, form, payload, signed, url_event
from stand_ins.codedeploy import add_deployment, restart
from tools.build import BUILD

SLACK_WAITS_MS = 3000
PARAMETER = "/greenlight/slack-signing-secret"


def main() -> None:
    """Measures clicks that let deployments go on."""
    runtime = python()
    with TemporaryDirectory() as folder, stand_ins() as (aws, slack, environ):
        environ["SLACK_SIGNING_SECRET"] = PARAMETER
        aws.client("ssm").put_parameter(Name=PARAMETER, Value=SIGNING_SECRET, Type="SecureString")
        for number, name in enumerate(DEPLOYMENTS):
            add_deployment(name, aws.client("codedeploy"), application=f"shop-{number}")
        run(runtime, Subject("Greenlight", BUILD / "HookFunction", "lamda"), HOOKS, environ)
        waiting, messages, clicks = aws.items(), slack.messages, count()

        def events() -> list[Any]:
            aws.reports.clear()
            for item, name in zip(waiting, DEPLOYMENTS, strict=True):
                aws.client("dynamodb").put_item(TableName=TABLE, Item=item)
                restart(name)
            # Slack takes five posts to one of them.
            urls = (f"{slack.response_url}-{number}" for number in clicks)
            bodies = [
                form(payload(one, "greenlight_approve", next(urls)))  # a click on each
                for one in messages
            ]
            return [url_event(body, signed(body)) for body in bodies]

        usages = measure(
            runtime,
            subjects(
                runtime,
                Path(folder),
                "DecisionFunction",
                "greenlight.handlers.decision",
                "reference_click",
            ),
            {"plain": environ, "Greenlight": environ},
            events,
        )
        if len(aws.reports) != len(DEPLOYMENTS):
            sys.exit(f"{len(aws.reports)} of {len(DEPLOYMENTS)} clicks reached CodeDeploy")
    walls = [one.wall for one in usages["Greenlight"]]
    print()
    for label, wall in (("median", median(walls)), ("slowest", max(walls))):
        left = SLACK_WAITS_MS - wall
        print(
            f"Of Slack's {SLACK_WAITS_MS} ms, {left:.0f} ms ({left / SLACK_WAITS_MS:.0%}) are left "
            f"at 1 vCPU ({label}), for the network and for Lambda to start a machine."
        )


if __name__ == "__main__":
    main()
