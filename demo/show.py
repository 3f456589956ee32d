"""How the demo prints what people and logs would show."""

import html
import json
import re
from datetime import datetime
from typing import Any

WIDTH = 79
# How wide the names of an item's attributes are.
NAMES = 22
# What every line of the log has; the demo leaves it out.
COMMON = re.compile("location|message|timestamp|service|cold_start|function_.*|correlation_id")


def heading(text: str) -> None:
    """Prints a heading."""
    print(f"\n── {text} ".ljust(WIDTH, "─"))


def log(written: str) -> None:
    """Prints what a handler logged."""
    for line in written.splitlines():
        print(log_line(json.loads(line)))


def items(found: list[dict[str, Any]]) -> None:
    """Prints the items of the table, and what happened to each."""
    for item in found:
        heading("The item in the table")
        for name, typed_value in item.items():
            if name != "history":
                (value,) = typed_value.values()
                print(f"{name:{NAMES}} {shorten(str(value))}")
        for entry in item["history"]["L"]:
            event = {name: value["S"] for name, value in entry["M"].items()}
            details = " ".join(
                f"{name}={value}" for name, value in event.items() if name not in ("at", "event")
            )
            print(f"{'history':{NAMES}} {event['at']} {event['event']} {details}".rstrip())


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
        if block["type"] == "actions":
            shown.append("  ".join(f"[ {one['text']['text']} ]" for one in block["elements"]))
            continue
        if block["type"] == "input":
            shown.append(f"{block['label']['text']}: ____________________")
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
    text = re.sub(r"<@(\w+)>", r"@\1", text)
    text = re.sub(r"<([^|>]+)\|([^>]*)>", lambda link: link_text(link[1], link[2]), text)
    return html.unescape(text.replace("```", "").replace("*", ""))


def link_text(url: str, label: str) -> str:
    """A link with its address, which a terminal would hide."""
    return url if url == label else f"{label} ({url})"
