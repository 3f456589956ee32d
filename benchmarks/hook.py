"""Greenlight's hook, as built, against a plain one (`reference.py`), as ratios of one run.

Greenlight reads the webhook from SSM, as it is deployed; the plain one has it in its environment.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.package import python, subjects
from benchmarks.process import DEPLOYMENTS, HOOKS, measure, stand_ins
from stand_ins.aws import TABLE
from stand_ins.codedeploy import add_deployment

PARAMETER = "/greenlight/slack-webhook"


def main() -> None:
    """Measures hooks that open gates."""
    runtime = python()
    with TemporaryDirectory() as folder, stand_ins() as (aws, slack, environ):
        aws.client("ssm").put_parameter(
            Name=PARAMETER, Value=slack.webhook_url, Type="SecureString"
        )
        for number, name in enumerate(DEPLOYMENTS):
            add_deployment(name, aws.client("codedeploy"), application=f"shop-{number}")

        def events() -> list[Any]:
            for item in aws.items():
                key = {"deployment_id": item["deployment_id"]}
                aws.client("dynamodb").delete_item(TableName=TABLE, Key=key)
            return HOOKS

        measure(
            runtime,
            subjects(runtime, Path(folder), "HookFunction", "lamda", "reference"),
            {"plain": environ, "Greenlight": {**environ, "SLACK_WEBHOOK_URL": PARAMETER}},
            events,
        )
        if len(aws.items()) != len(HOOKS):
            sys.exit(f"{len(aws.items())} gates were opened of {len(HOOKS)}")


if __name__ == "__main__":
    main()
