"""The main job on this machine: an event in; the log, the item and the Slack message out."""

import html
import io
import json
import os
import re
import sys
from contextlib import redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "function")]

from stand_ins.aws import CREDENTIALS, TABLE, aws_stand_in  # noqa: E402
from stand_ins.codedeploy import add_deployment  # noqa: E402
from stand_ins.slack import slack_stand_in  # noqa: E402

WIDTH = 79
# What every line of the log has; the demo leaves it out.
COMMON = re.compile("location|message|timestamp|service|cold_start|function_.*|correlation_id")


def main(path: str) -> int:
    """Runs the hook on an event file; returns the exit code."""
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        print(f"EVENT={path} cannot be read as JSON: {exc}", file=sys.stderr)
        return 2
    with aws_stand_in() as aws, slack_stand_in() as slack:
        if isinstance(event, dict) and isinstance(event.get("DeploymentId"), str):
            add_deployment(event["DeploymentId"], aws.client("codedeploy"))
        os.environ |= {
            "MESSAGE_LANGUAGE": "ko",
            **os.environ,
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": aws.endpoint_url,
            "TEST_URL": "https://{application}.test.example.com/?release={deployment_id}",
            "DYNAMODB_TABLE_NAME": TABLE,
            "SLACK_WEBHOOK_URL": slack.webhook_url,
        }
        answer, log = run_hook(event)
        heading(f"What lamda.lambda_handler logs of {path}")
        for line in log.splitlines():
            print(log_line(json.loads(line)))
        heading("What it answers")
        if isinstance(answer, Exception):
            print(f"{type(answer).__name__}: {answer}\nLambda would now try again.")
            return 1
        print(json.dumps(answer))
        for item in aws.items():
            heading(f"The item in the table {TABLE}")
            for name, typed_value in item.items():
                print(f"{name:18} {shorten(*typed_value.values())}")
        for message in slack.messages:
            heading("The message in Slack")
            print(as_text(message))
    return 0


def run_hook(event: Any) -> tuple[dict[str, Any] | Exception, str]:
    """Calls the hook as Lambda would; its answer or what it raised, and what it logged."""
    log = io.StringIO()
    with redirect_stdout(log):
        from lamda import lambda_handler  # noqa: PLC0415  # as in Lambda: after the settings

        try:
            return lambda_handler(event, None), log.getvalue()
        except Exception as exc:  # noqa: BLE001  # the demo shows whatever Lambda would report
            return exc, log.getvalue()


def heading(text: str) -> None:
    """Prints a heading."""
    print(f"\n── {text} ".ljust(WIDTH, "─"))


def log_line(line: dict[str, Any]) -> str:
    """A line of the log, or a blob of metrics, without what every line has."""
    if "_aws" in line:
        embedded = line["_aws"]["CloudWatchMetrics"][0]
        values = (
            f"{metric['Name']}={line[metric['Name']][0]:g} {metric['Unit']}"
            for metric in embedded["Metrics"]
        )
        dimensions = (f"{name}={line[name]}" for name in embedded["Dimensions"][0])
        return f"METRICS  {', '.join(values)}  ({', '.join(dimensions)})"
    fields = {
        name: value
        for name, value in line.items()
        if not COMMON.fullmatch(name) and name not in ("level", "exception", "stack_trace")
    }
    if isinstance(line["message"], dict):
        line["message"] = "Event " + json.dumps(line["message"])
    details = " ".join(f"{name}={value}" for name, value in fields.items())
    return f"{line['level']:8} {shorten(line['message'])}  {details}".rstrip()


def shorten(value: str) -> str:
    """Cuts what is too long for a line."""
    return value if len(value) <= WIDTH else f"{value[: WIDTH - 24]}… ({len(value)} characters)"


def as_text(message: dict[str, Any]) -> str:
    """A message as a person would read it in Slack."""
    shown = []
    for block in message["blocks"]:
        if block["type"] == "image":
            shown.append(f"[{block['alt_text']}: {block['image_url']}]")
            continue
        texts = [block["text"]] if "text" in block else block["fields"]
        shown += [readable(text["text"]) for text in texts]
    return "\n\n".join(shown)


def readable(mrkdwn: str) -> str:
    """Slack's markup as plain text; times in this machine's time zone."""
    text = re.sub(
        r"<!date\^(\d+)\^[^>]*>",
        lambda date: f"{datetime.fromtimestamp(int(date[1])).astimezone():%Y-%m-%d %H:%M %Z}",
        mrkdwn,
    )
    text = re.sub(r"<([^|>]+)\|([^>]*)>", lambda link: link_text(link[1], link[2]), text)
    return html.unescape(text.replace("```", "").replace("*", ""))


def link_text(url: str, label: str) -> str:
    """A link with its address, which a terminal would hide."""
    return url if url == label else f"{label} ({url})"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
