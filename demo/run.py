"""The main job on this machine: an event in; the message, a click on it, and what becomes of it."""

import importlib
import io
import json
import os
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "function"), str(ROOT / "cli")]

from demo import environment  # noqa: E402

environment.make_own()

from demo import show  # noqa: E402
from demo.engines import ENGINES, Engine  # noqa: E402
from greenlight.model.gate import Verdict  # noqa: E402
from greenlight.model.message import Language  # noqa: E402
from greenlight.runtime.settings import load_decision_settings  # noqa: E402
from greenlight_cli.output import any_stream  # noqa: E402
from stand_ins.aws import CREDENTIALS, TABLE, AwsStandIn, aws_stand_in  # noqa: E402
from stand_ins.clicks import SIGNING_SECRET, form, payload, signed, url_event  # noqa: E402
from stand_ins.codedeploy import REGION  # noqa: E402
from stand_ins.slack import SlackStandIn, slack_stand_in  # noqa: E402

REASONS = {
    Language.KOREAN: {
        "approve": "결제까지 확인했습니다",
        "reject": "결제 화면이 열리지 않습니다",
    },
    Language.ENGLISH: {
        "approve": "tested the checkout, all fine",
        "reject": "the payment page does not open",
    },
    Language.JAPANESE: {
        "approve": "決済まで確認しました",
        "reject": "決済画面が開きません",
    },
}


def to_any_stream(*arguments: str) -> int:
    """`main`, where nobody may be listening any more, or not to every character."""
    with any_stream():
        try:
            code = main(*arguments)
            print(end="", flush=True)
        except BrokenPipeError:
            return 0  # whoever reads has enough
    return code


def main(engine: str = "", verdict: str = "", path: str | None = None) -> int:
    """Runs an engine's hook on an event file, then presses a button; returns the exit code."""
    if engine not in ENGINES:
        print(f"ENGINE={engine} is not one of {', '.join(ENGINES)}", file=sys.stderr)
        return 2
    at = ENGINES[engine]()
    if path is None:
        path = at.usual_event
    if not path:
        print(f"EVENT= names no file: leave it out, and it is {at.usual_event}", file=sys.stderr)
        return 2
    if verdict not in list(Verdict):
        print(f"CLICK={verdict} is not one of {', '.join(Verdict)}", file=sys.stderr)
        return 2
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as exc:
        print(f"EVENT={path} cannot be read: {exc.strerror}", file=sys.stderr)
        return 2
    except (ValueError, RecursionError) as exc:
        print(f"EVENT={path} is not JSON: {exc}", file=sys.stderr)
        return 2
    return life(at, path, event, verdict)


def life(at: Engine, path: str, event: Any, verdict: str) -> int:
    """Shows a gate from the event that opens it to its end; returns the exit code."""
    with aws_stand_in() as aws, slack_stand_in() as slack:
        at.begin(event, aws)
        os.environ |= {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": aws.endpoint_url,
            "TEST_URL": at.test_url,
            "DYNAMODB_TABLE_NAME": TABLE,
            "SLACK_WEBHOOK_URL": slack.webhook_url,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SCHEDULE_GROUP": "greenlight",
            "SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/moments",
            "CLOCK_FUNCTION_ARN": f"arn:aws:lambda:{REGION}:123456789012:function:clock",
        }
        aws.client("scheduler").create_schedule_group(Name="greenlight")
        code = hook(at, path, event, slack)
        if code or not slack.messages:
            return code
        return moments(aws) or click(at, verdict, aws, slack) or ending(at, verdict, aws, slack)


def hook(at: Engine, path: str, event: Any, slack: SlackStandIn) -> int:
    """Calls the hook as its engine does, and shows what people see."""
    answer, log = call(at.function, event)
    show.heading(f"What {at.function}.lambda_handler logs of {path}")
    show.log(log)
    show.heading("What it answers")
    if isinstance(answer, Exception):
        print(f"{type(answer).__name__}: {answer}\nLambda would now try again.")
        return 1
    print(json.dumps(answer))
    show.heading("The message in Slack")
    print(show.as_text(slack.messages[-1]) if slack.messages else "None: nobody is asked.")
    return 0


def click(at: Engine, verdict: str, aws: AwsStandIn, slack: SlackStandIn) -> int:
    """Presses a button as a person does, and shows what comes of it."""
    pressed = payload(
        slack.messages[-1],
        f"greenlight_{verdict}",
        slack.response_url,
        reason=REASONS[load_decision_settings().languages[0]][verdict],
    )
    body = form(pressed)
    answer, log = call("greenlight.handlers.decision", url_event(body, signed(body)))
    show.heading(f"Somebody presses {verdict!r}: what the function behind it logs")
    show.log(log)
    if isinstance(answer, Exception):
        print(f"{type(answer).__name__}: {answer}")
        return 1
    show.heading(f"What Slack and {at.name.label} are told")
    print(f"HTTP {answer['statusCode']} to Slack; to {at.name.label}: {at.told(aws)}")
    show.heading("The message in Slack is now")
    print(show.as_text(slack.responses[-1]))
    return 0


def moments(aws: AwsStandIn) -> int:
    """Follows what the hook has written, and shows what is due later."""
    follow(aws)
    show.heading("What is due later, unless somebody decides")
    for one in aws.schedules():
        until = f" until {one['EndDate']:%Y-%m-%dT%H:%M:%S}" if "EndDate" in one else ""
        due = json.loads(one["Target"]["Input"])["due"]
        print(f"{due:8}  {one['ScheduleExpression']}{until} UTC")
    return 0


def ending(at: Engine, verdict: str, aws: AwsStandIn, slack: SlackStandIn) -> int:
    """Lets the deployment end, as its engine does, and shows what people hear of it."""
    follow(aws)
    end = at.end(verdict, aws)
    answer, log = call(end.function, end.event)
    show.heading(f"{end.how}: what is logged of that")
    show.log(log)
    if isinstance(answer, Exception):
        print(f"{type(answer).__name__}: {answer}")
        return 1
    known = len(slack.messages)
    follow(aws)
    for message in slack.messages[known:]:
        show.heading("A message in Slack says what became of it")
        print(show.as_text(message))
    if not slack.messages[known:]:
        show.heading("No message in Slack says what became of it")
        print("Who rejected it expects that, and a webhook says only what people do not expect.")
    show.items(aws.items())
    return 0


def follow(aws: AwsStandIn) -> None:
    """Calls the function of changes with what was written to the table, as its stream does."""
    while aws.changes:
        call("greenlight.handlers.changes", {"Records": [aws.changes.pop(0)]})


def call(module: str, event: Any) -> tuple[dict[str, Any] | Exception, str]:
    """Calls a handler as Lambda would; its answer or what it raised, and what it logged."""
    log = io.StringIO()
    with redirect_stdout(log):
        # As in Lambda: after the settings.
        handler = importlib.import_module(module)
        from greenlight.runtime.observability import logger  # noqa: PLC0415

        (stream_handler,) = logger.handlers
        stream_handler.stream = log  # type: ignore[attr-defined]  # it is a StreamHandler
        try:
            return handler.lambda_handler(event, None), log.getvalue()
        except Exception as exc:  # noqa: BLE001  # the demo shows whatever Lambda would report
            return exc, log.getvalue()


if __name__ == "__main__":
    sys.exit(to_any_stream(*sys.argv[1:]))
