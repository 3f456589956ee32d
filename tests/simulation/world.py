"""What is outside of Greenlight: DynamoDB, CodeDeploy, SSM, STS and Slack, as one place.

AWS and Slack are the stand-ins that the other tests have, without their servers. Each request takes
effect at one moment, whole.
"""

import functools
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models.dynamo_type import DynamoType

from stand_ins.aws import TABLE, AwsStandIn, create_table, failure
from stand_ins.clicks import SIGNING_SECRET
from stand_ins.codedeploy import (
    REGION,
    add_deployment,
    deployments,
    give_up,
    restart,
    stop,
)
from stand_ins.slack import RESPONSE_PATH, WEBHOOK_PATH, Answer, SlackStandIn

DEPLOYMENT = "d-SIMULATED"
HOOK = "aG9vaw+/0=="
BY_HAND = "bWFkZSB1cA=="  # somebody tries the function, with the id of a deployment that is live
OLDER_HOOK = "b2xkZXI+/1=="
KEY = {"deployment_id": {"S": DEPLOYMENT}}

WEBHOOK_PARAMETER = "/greenlight/slack-webhook"
SIGNING_PARAMETER = "/greenlight/slack-signing-secret"
SESSION_TOKEN = "session-token-that-nobody-shows"
ROTATED_PATH = "/services/T0000/B0000/rotated-secret"
SECRETS = (WEBHOOK_PATH, ROTATED_PATH, SIGNING_SECRET, SESSION_TOKEN)

REPORT = "PutLifecycleEventHookExecutionStatus"
WRITES = ("UpdateItem", "PutItem", "DeleteItem")
# Each service is a host of its own, so that it can be out of reach alone.
HOSTS = {name: name for name in ("dynamodb", "codedeploy", "ssm", "sts")} | {"127.0.0.1": "slack"}
SERVICES = {
    "AmazonSSM": "ssm",
    "CodeDeploy_20141006": "codedeploy",
    "DynamoDB_20120810": "dynamodb",
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

    `at` is when it came; `is_foreign`: it is about a hook that is none of CodeDeploy's.
    """

    content: dict[str, Any]
    at: float
    by: str
    is_foreign: bool = False

    @property
    def kind(self) -> str:
        """`waiting`, `failed`, `stuck` or, once it was replaced, `settled`."""
        if self.content.get("replace_original"):
            return "settled"
        if "--status Succeeded" in self.text:
            return "waiting"
        return "stuck" if "⚠️" in self.text else "failed"

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
    """All services, and what they have seen.

    `wrote(before, after)` is called after each write, `posted(message)` after each message that the
    channel got, `tried_to_report(by)` before an answer of ours comes to CodeDeploy, and
    `reported(by, status)` after it was taken.
    """

    now: Callable[[], float]
    wrote: Callable[[str, dict[str, Any], dict[str, Any]], None]
    posted: Callable[[Message], None]
    reported: Callable[[str, str], None]
    tried_to_report: Callable[[str], None]
    channel: list[Message] = field(default_factory=list)
    notices: dict[str, list[Any]] = field(default_factory=dict)
    clicked: dict[str, Message] = field(default_factory=dict)
    answered_by: str | None = None
    ended_at: float | None = None

    def __post_init__(self) -> None:
        self.slack = SlackStandIn("http://127.0.0.1:8080")
        aws().reports.clear()
        client("dynamodb").delete_item(TableName=TABLE, Key=KEY)
        restart(DEPLOYMENT)
        self.store(WEBHOOK_PARAMETER, self.slack.webhook_url)

    # Requests.

    def take(self, call: Call, by: str) -> Reply:
        """Lets a request take effect."""
        if call.service == "slack":
            return self._post(call.operation, call.request, by)
        if call.service == "sts":
            return _identity(by)
        if call.operation == REPORT:
            self.tried_to_report(by)
        before = self.item() if call.operation in WRITES else {}
        reply = _wsgi(aws().answer, call.environ)
        if call.operation in WRITES and reply.status == 200:
            self.wrote(by, before, self.item())
        if call.operation == REPORT and reply.status == 200:
            self._ended(by)
            self.reported(by, call.request["status"])
        return reply

    def refuse(self, code: str) -> Reply:
        """The answer of an AWS service that fails."""
        return _wsgi(lambda _, start_response: failure(code, start_response), {})

    def _post(self, path: str, message: Any, by: str) -> Reply:
        answer: Answer = self.slack.answer(path, json.dumps(message).encode())
        if answer.status == 200:
            self._show(path, message, by)
        return Reply(answer.status or 500, answer.text.encode(), answer.headers)

    def _show(self, path: str, content: Any, by: str) -> None:
        if not path.startswith(RESPONSE_PATH):
            message = Message(content, self.now(), by)
            self.channel.append(message)
        elif content.get("replace_original"):
            message = self.clicked[path]
            message.content, message.by = content, by
        else:
            self.notices.setdefault(path, []).append(content)
            return
        self.posted(message)

    # CodeDeploy, by other ways than Greenlight.

    def answer_directly(self, status: str, by: str) -> bool:
        """Somebody answers the hook with the AWS CLI; False if it has an answer."""
        if self.ended_at is not None:
            return False
        client("codedeploy").put_lifecycle_event_hook_execution_status(
            deploymentId=DEPLOYMENT, lifecycleEventHookExecutionId=HOOK, status=status
        )
        self._ended(by)
        return True

    def stop(self, by: str) -> None:
        """Somebody stops the deployment."""
        if self.ended_at is None:
            stop(DEPLOYMENT)
            self._ended(by)

    def give_up(self) -> None:
        """The hour is over."""
        if self.ended_at is None:
            give_up(DEPLOYMENT)
            self._ended("CodeDeploy")

    @property
    def engine(self) -> str:
        """What CodeDeploy knows of the hook: `InProgress`, `Succeeded` or `Failed`."""
        if self.ended_at is None:
            return "InProgress"
        return "Succeeded" if deployments()[DEPLOYMENT].hook["status"] == "Succeeded" else "Failed"

    def _ended(self, by: str) -> None:
        self.answered_by, self.ended_at = by, self.now()

    # The table and the secrets, by other ways than Greenlight.

    def item(self) -> dict[str, Any]:
        """The gate's item, as it is."""
        table = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION].get_table(TABLE)
        found = table.get_item(DynamoType({"S": DEPLOYMENT}), None)
        if not found:
            return {}
        attributes = found.to_json()["Attributes"]
        return {name: TypeDeserializer().deserialize(one) for name, one in attributes.items()}

    def put(self, item: dict[str, Any]) -> None:
        """Puts an item that was there before."""
        client("dynamodb").put_item(TableName=TABLE, Item={**KEY, **item})

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
    client("ssm").put_parameter(Name=SIGNING_PARAMETER, Value=SIGNING_SECRET, Type="SecureString")


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
    return Reply(int(status.split(" ")[0]), body, dict(headers))


def _identity(by: str) -> Reply:
    arn = f"arn:aws:iam::123456789012:user/{by.partition(' ')[0]}"
    return Reply(
        200,
        f"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn><Account>"
        "123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>".encode(),
        {"Content-Type": "text/xml"},
    )
