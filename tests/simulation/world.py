"""What is outside of Greenlight: DynamoDB, the engines, SSM, STS and Slack, as one place.

AWS and Slack are the stand-ins that the other tests have, without their servers. Each request takes
effect at one moment, whole.
"""

import functools
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models.dynamo_type import DynamoType

from stand_ins.aws import TABLE, AwsStandIn, create_table, failure, key_of
from stand_ins.clicks import SIGNING_SECRET
from stand_ins.codedeploy import REGION, add_deployment
from stand_ins.slack import (
    API_PATH,
    BOT_TOKEN,
    RESPONSE_PATH,
    WEBHOOK_PATH,
    Answer,
    SlackStandIn,
)
from tests.simulation.engines import DEPLOYMENT, HOOK, Engine

WEBHOOK_PARAMETER = "/greenlight/slack-webhook"
SIGNING_PARAMETER = "/greenlight/slack-signing-secret"
BOT_PARAMETER = "/greenlight/slack-bot-token"
SESSION_TOKEN = "session-token-that-nobody-shows"
ROTATED_PATH = "/services/T0000/B0000/rotated-secret"
SECRETS = (WEBHOOK_PATH, ROTATED_PATH, SIGNING_SECRET, SESSION_TOKEN, BOT_TOKEN)

# By how many seconds the clock of who makes a schedule may be behind.
MOST_BEHIND = 60.0
# How exactly ECS says when it has answered.
A_SECOND = 1.0
WRITES = ("UpdateItem", "PutItem", "DeleteItem")
# Each service is a host of its own, so that it can be out of reach alone.
HOSTS = {
    **{name: name for name in ("dynamodb", "codedeploy", "ecs", "ssm", "sts", "scheduler")},
    "events": "events",
    "lambda": "lambda",
    "127.0.0.1": "slack",
}
SERVICES = {
    "AmazonSSM": "ssm",
    "CodeDeploy_20141006": "codedeploy",
    "AmazonEC2ContainerServiceV20141113": "ecs",
    "DynamoDB_20120810": "dynamodb",
    "AWSEvents": "events",
    "sts": "sts",
}


@dataclass(frozen=True)
class Call:
    """A request: to which service, what it asks for, and its JSON."""

    service: str
    operation: str
    request: Any
    environ: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Reply:
    """What a service answers."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def http(self) -> bytes:
        """As it comes over a connection."""
        headers = {**self.headers, "Content-Length": str(len(self.body)), "Connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} .\r\n{lines}\r\n".encode() + self.body


@dataclass
class Message:
    """A message in the channel, as people see it.

    `at` is when it came; `is_foreign`: it is about a hook that is not the schedule's. `ts` is its
    name, if a bot posted it, and `under` that of the message that it answers. `edits`: how often it
    was changed; `is_shaken`: by a call that came so late that nobody knows of it.
    """

    content: dict[str, Any]
    at: float
    by: str
    is_foreign: bool = False
    ts: str | None = None
    under: str | None = None
    edits: int = 0
    is_shaken: bool = False

    @property
    def sign(self) -> str:
        """What its heading begins with."""
        return str(self.content["text"][0])

    @property
    def kind(self) -> str:
        """`waiting`, `reminder`, `failed`, `stuck`, `left`, `answer`, or what a gate came to.

        That is `settled`.
        """
        # An answer has no heading; where the bot cannot give it, the webhook says it by itself.
        if self.under or self.content["blocks"][0]["type"] != "header":
            return "answer"
        if "--status Succeeded" in self.text or "--action CONTINUE" in self.text:
            return {"⏰": "reminder", "⏸": "left"}.get(self.sign, "waiting")
        if self.edits or self.sign not in ("❌", "⚠"):
            return "settled"
        return "stuck" if self.sign == "⚠" else "failed"

    @property
    def text(self) -> str:
        """All that it says."""
        return json.dumps(self.content, ensure_ascii=False)

    @property
    def has_buttons(self) -> bool:
        """Whether somebody can decide with it."""
        return any(block["type"] == "actions" for block in self.content["blocks"])


@dataclass
class World:
    """All services, and what they have seen; `at` is the engine whose deployment it is about.

    `wrote(before, after)` is called after each write to the gate, `wrote_another` after one to that
    of another hook, `posted(message)` after each message that the channel got,
    `tried_to_report(by)` before an answer of ours comes to the engine, and `reported(by, status)`
    after it was taken. `hook_ended(status)` is called when the engine waits for the hook no more,
    `answered_another` when another one has an answer, and `set_moment(name, at, payload)` when a
    schedule was made; to watch a gate, it is one that comes each minute until then.
    `call_later(event)` is called when a function is to be called later. `is_echoed`: an answer of
    ours was taken that somebody had given before; `is_crossed`: within a second of another's, which
    ECS shows nowhere else, and whose time it says to the second.
    """

    at: Engine
    now: Callable[[], float]
    wrote: Callable[[str, dict[str, Any], dict[str, Any]], None]
    posted: Callable[[Message], None]
    reported: Callable[[str, str], None]
    tried_to_report: Callable[[str], None]
    wrote_another: Callable[[dict[str, Any], dict[str, Any]], None] = lambda *_: None
    hook_ended: Callable[[str], None] = lambda _: None
    answered_another: Callable[[], None] = lambda: None
    set_moment: Callable[[str, float, Any], None] = lambda *_: None
    call_later: Callable[[Any], None] = lambda _: None
    moments: set[str] = field(default_factory=set)
    channel: list[Message] = field(default_factory=list)
    notices: dict[str, list[Any]] = field(default_factory=dict)
    clicked: dict[str, Message] = field(default_factory=dict)
    answered_by: str | None = None
    ended_at: float | None = None
    is_echoed: bool = False
    is_crossed: bool = False

    def __post_init__(self) -> None:
        self.slack = SlackStandIn("http://127.0.0.1:8080")
        aws().reports.clear()
        for item in client("dynamodb").scan(TableName=TABLE)["Items"]:
            key = {"deployment_id": item["deployment_id"]}
            client("dynamodb").delete_item(TableName=TABLE, Key=key)
        self.store(WEBHOOK_PARAMETER, self.slack.webhook_url)

    # Requests.

    def take(self, call: Call, by: str) -> Reply:
        """Lets a request take effect."""
        if call.service == "slack":
            return self._post(call, by)
        if call.service == "scheduler":
            return self._make_schedule(call.request)
        if call.service == "lambda":
            self.call_later(call.request)
            return Reply(202, b"")
        if call.service == "events":
            told = {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}
            return Reply(200, json.dumps(told).encode())
        if call.service == "sts":
            return _identity(by)
        if call.operation in WRITES:
            return self._write(call, by)
        if call.operation == self.at.answering:
            return self._answer(call, by)
        return _wsgi(aws().answer, call.environ)

    def _write(self, call: Call, by: str) -> Reply:
        """The table is written, to the gate's item or to another's."""
        key = key_of(call.request)
        before = self.item(key)
        reply = _wsgi(aws().answer, call.environ)
        if reply.status != 200:
            return reply
        if key == self.at.gate_id:
            self.wrote(by, before, self.item())
        else:
            self.wrote_another(before, self.item(key))
        return reply

    def _answer(self, call: Call, by: str) -> Reply:
        """The engine is answered, for the hook or for another one of its deployment."""
        is_its = self._is_of_its_hook(call.request)
        if is_its:
            self.tried_to_report(by)
        was_waiting = self.ended_at is None
        reply = _wsgi(aws().answer, call.environ)
        if is_its and reply.status == 200:
            self._taken(call, by, was_waiting=was_waiting)
        if not is_its and was_waiting and self.at.is_over:
            self._ended("another hook")
        elif not is_its:
            self.answered_another()
        return reply

    def _taken(self, call: Call, by: str, *, was_waiting: bool) -> None:
        """The engine has taken an answer of ours, or has said so of a second one."""
        said = self.at.said(call.request)
        if was_waiting:
            self._ended(by)
            self.reported(by, said)
        else:
            self.is_echoed |= said == self.engine
            self.is_crossed |= self.at.forgets and self.now() - (self.ended_at or 0) < A_SECOND

    def _is_of_its_hook(self, request: Any) -> bool:
        """Whether a request answers the hook that the schedule is about, or one of CodeDeploy's."""
        return bool(request.get("hookId", self.at.hook_id) == self.at.hook_id)

    def refuse(self, code: str) -> Reply:
        """The answer of an AWS service that fails."""
        return _wsgi(lambda _, start_response: failure(code, start_response), {})

    def _make_schedule(self, request: Any) -> Reply:
        """Scheduler makes a schedule of a name once, and none whose time is over by far."""
        name = request["Name"]
        if name in self.moments:
            headers = {"x-amzn-errortype": "ConflictException"}
            return Reply(409, b'{"Message": "it exists"}', headers)
        if "EndDate" in request:
            at = float(request["EndDate"])
        else:
            text = request["ScheduleExpression"].removeprefix("at(").removesuffix(")")
            at = datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
        if at < self.now() - MOST_BEHIND:
            headers = {"x-amzn-errortype": "ValidationException"}
            return Reply(400, b'{"Message": "it is over"}', headers)
        self.moments.add(name)
        self.set_moment(name, at, json.loads(request["Target"]["Input"]))
        return Reply(200, b'{"ScheduleArn": "arn:aws:scheduler:x:1:schedule/x/y"}')

    def _post(self, call: Call, by: str) -> Reply:
        path, content = call.operation, call.request
        headers = {"Authorization": call.environ.get("HTTP_AUTHORIZATION", "")}
        answer: Answer = self.slack.answer(path, json.dumps(content).encode(), headers)
        told: Any = json.loads(answer.text) if path.startswith(API_PATH) else {"ok": True}
        if answer.status == 200 and told["ok"]:
            self._show(path, content, by, told.get("ts"))
        return Reply(answer.status or 500, answer.text.encode(), answer.headers)

    def _show(self, path: str, content: Any, by: str, ts: str | None) -> None:
        if path.startswith(RESPONSE_PATH):
            if not content.get("replace_original"):
                self.notices.setdefault(path, []).append(content)
                return
            message = self.clicked[path]
        elif path == f"{API_PATH}chat.update":
            message = next(one for one in self.channel if one.ts == ts)
        else:
            message = Message(content, self.now(), by, ts=ts, under=content.get("thread_ts"))
            self.channel.append(message)
            self.posted(message)
            return
        message.content, message.by, message.edits = content, by, message.edits + 1
        self.posted(message)

    # The engine, by other ways than Greenlight.

    def answer_directly(self, status: str, by: str) -> bool:
        """Somebody answers the hook with the AWS CLI; False if it has an answer."""
        if self.ended_at is not None:
            return False
        self.at.answer(status)
        self._ended(by)
        return True

    def stop(self, by: str) -> None:
        """Somebody stops the deployment."""
        if self.ended_at is None:
            self.at.stop()
            self._ended(by)

    def give_up(self) -> None:
        """The hour is over."""
        if self.ended_at is None:
            self.at.give_up()
            self._ended(self.at.name)

    @property
    def engine(self) -> str:
        """What the engine knows of the hook: `InProgress`, `Succeeded` or `Failed`."""
        return "InProgress" if self.ended_at is None else self.at.status

    def _ended(self, by: str) -> None:
        self.answered_by, self.ended_at = by, self.now()
        self.hook_ended(self.engine)

    # The table and the secrets, by other ways than Greenlight.

    def item(self, gate_id: str | None = None) -> dict[str, Any]:
        """The gate's item, as it is, or that of another gate."""
        table = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION].get_table(TABLE)
        found = table.get_item(DynamoType({"S": gate_id or self.at.gate_id}), None)
        if not found:
            return {}
        attributes = found.to_json()["Attributes"]
        return {name: TypeDeserializer().deserialize(one) for name, one in attributes.items()}

    def put(self, item: dict[str, Any], gate_id: str | None = None) -> None:
        """Puts an item that was there before."""
        key = {"deployment_id": {"S": gate_id or self.at.gate_id}}
        client("dynamodb").put_item(TableName=TABLE, Item={**key, **item})

    def store(self, parameter: str, value: str) -> None:
        """Keeps a secret in the parameter store."""
        client("ssm").put_parameter(
            Name=parameter, Value=value, Type="SecureString", Overwrite=True
        )

    def rotate(self) -> None:
        """Slack honours another webhook from now on; the parameter is still the old one."""
        self.slack.webhook_paths = {ROTATED_PATH}


@functools.cache
def aws() -> AwsStandIn:
    """The stand-in for AWS, made once: it is the same for every schedule."""
    return AwsStandIn("http://aws")


@functools.cache
def client(service: str) -> Any:
    """A client of AWS that no fault ever meets."""
    made = boto3.client(  # type: ignore[call-overload]  # any of them
        service,
        endpoint_url="http://aws",
        region_name=REGION,
        aws_access_key_id="world",
        aws_secret_access_key="world",
    )

    def send(request: Any, **_: Any) -> AWSResponse:
        head = f"{request.method} / HTTP/1.1\r\n" + "\r\n".join(
            f"{name}: {value if isinstance(value, str) else value.decode()}"
            for name, value in request.headers.items()
        )
        body = request.body if isinstance(request.body, bytes) else request.body.encode()
        call = understand(service, head.encode() + b"\r\n\r\n" + body)
        reply = _wsgi(aws().answer, call.environ)
        raw: Any = io.BytesIO(reply.body)
        raw.stream = lambda *_: [reply.body]
        return AWSResponse(request.url, reply.status, HTTPHeaders(), raw)

    made.meta.events.register("before-send", send)
    return made


def build() -> None:
    """Builds what every schedule finds: the table, the deployment, the signing secret."""
    create_table(client("dynamodb"))
    add_deployment(DEPLOYMENT, client("codedeploy"), hook_execution_id=HOOK)
    for name, value in ((SIGNING_PARAMETER, SIGNING_SECRET), (BOT_PARAMETER, BOT_TOKEN)):
        client("ssm").put_parameter(Name=name, Value=value, Type="SecureString")


def understand(host: str, data: bytes) -> Call:
    """What a request asks for."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    service, _, operation = headers.get("x-amz-target", "").partition(".")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SERVER_NAME": host,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
        "wsgi.url_scheme": "http",
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    if HOSTS[host] == "slack":
        return Call("slack", path, json.loads(body), environ)
    if HOSTS[host] == "lambda":
        return Call("lambda", "Invoke", json.loads(body), environ)
    if HOSTS[host] == "scheduler":
        request = {**json.loads(body), "Name": path.rpartition("/")[2]}
        return Call("scheduler", "CreateSchedule", request, environ)
    if not service:
        return Call("sts", "GetCallerIdentity", None, environ)
    return Call(SERVICES[service], operation, json.loads(body), environ)


def moment(seconds: float) -> str:
    """A time as the items hold it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _wsgi(application: Callable[..., Any], environ: dict[str, Any]) -> Reply:
    started: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(application(environ, lambda *line: started.append(line)))
    status, headers = started[0]
    return Reply(
        int(status.split(" ")[0]), body, {"Date": formatdate(usegmt=True), **dict(headers)}
    )


def _identity(by: str) -> Reply:
    arn = f"arn:aws:iam::123456789012:user/{by.partition(' ')[0]}"
    return Reply(
        200,
        f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn><Account>"
        "123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>".encode(),
        {"Content-Type": "text/xml"},
    )
