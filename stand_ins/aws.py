"""A stand-in for AWS: moto's server on loopback, with what Greenlight finds in an account."""

import functools
import io
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.config import Config
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.moto_server.werkzeug_app import create_backend_app
from werkzeug.serving import make_server

from stand_ins.codedeploy import REGION, complete_hook, deployments
from stand_ins.server import running

TABLE = "gates"
# Those of moto's services that keep anything, and where moto has them.
SERVICES: dict[Any, str] = {
    "cloudformation": "moto.cloudformation",
    "codedeploy": "moto.codedeploy",
    "dynamodb": "moto.dynamodb",
    "ecs": "moto.ecs",
    "events": "moto.events",
    "iam": "moto.iam",
    "lambda": "moto.awslambda",
    "scheduler": "moto.scheduler",
    "secretsmanager": "moto.secretsmanager",
    "ssm": "moto.ssm",
    "sts": "moto.sts",
}

# Services that are asked by a form, and answer in XML.
AS_XML = {"cloudformation", "iam", "sts"}
ACCOUNT_SETTINGS = "/2016-08-19/account-settings"
# What Scheduler's requests are called, which it tells by their method.
SCHEDULING = {"POST": "CreateSchedule", "GET": "GetSchedule", "DELETE": "DeleteSchedule"}
INVOCATIONS = "/invocations"
# What IAM calls an operation, where that is not its name.
ACTIONS = {"Invoke": "InvokeFunction"}
WRITES = ("DeleteItem", "PutItem", "UpdateItem")

# What a process needs to find the stand-in instead of AWS, past any proxy.
CREDENTIALS = {
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "stand-in",
    "AWS_SECRET_ACCESS_KEY": "stand-in",
    "AWS_EC2_METADATA_DISABLED": "true",
    # Both, since whichever of the two a library reads first may be set already.
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


@dataclass
class AwsStandIn:
    """A running stand-in: where it is, and the operations that it was asked for.

    `before` and `after` are called with the name of each operation (`UpdateItem`), before it takes
    effect and after, while the caller still waits for its answer; a call for which `before` gives
    True is lost. `failures` has, for an operation,
    the error codes that it answers with, one call after the other, before it works; and
    `lost_answers` how often it does as it is asked, and fails to say so. `reports` has
    the status that each hook was answered with, by deployment id and hook execution id. `actions`
    has what IAM calls the operations (`dynamodb:UpdateItem`), `access_keys` who signed them.
    `unreserved_concurrency` is what Lambda has for functions that reserve none. `changes` are the
    records of the table's stream, and `published` the entries that EventBridge took, the oldest
    first; `refused_entries` has the error codes of those that it is not going to take. `called` has
    the functions that are to be called later, and with which events.
    """

    endpoint_url: str
    operations: list[str] = field(default_factory=list)
    actions: set[str] = field(default_factory=set)
    access_keys: set[str] = field(default_factory=set)
    failures: dict[str, list[str]] = field(default_factory=dict)
    lost_answers: dict[str, int] = field(default_factory=dict)
    reports: dict[tuple[str, str], str] = field(default_factory=dict)
    unreserved_concurrency: int = 1000
    changes: list[dict[str, Any]] = field(default_factory=list)
    published: list[dict[str, Any]] = field(default_factory=list)
    refused_entries: list[str] = field(default_factory=list)
    called: list[tuple[str, Any]] = field(default_factory=list)
    before: Callable[[str], object] = lambda _: None
    after: Callable[[str], object] = lambda _: None
    _clients: dict[str, Any] = field(default_factory=dict)
    # Like DynamoDB, it does one write after the other, so that a condition and its write are one.
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    _is_open: bool = True

    def answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answers a request to AWS, as a WSGI application."""
        service, operation = wanted(environ)
        with self._one_at_a_time:
            if not self._is_open:
                return failure("InternalServerError", start_response)
            self.operations.append(operation)
            self.access_keys.add(access_key(environ))
            self.actions.add(f"{service}:{ACTIONS.get(operation, operation)}")
            if self.before(operation):
                return failure("InternalServerError", start_response)
            if codes := self.failures.get(operation):
                return failure(codes.pop(0), start_response, as_xml=service in AS_XML)
            # moto does not know these two
            if operation == "PutLifecycleEventHookExecutionStatus":
                answer = report(body(environ), self, start_response)
            elif operation == ACCOUNT_SETTINGS:
                limit = {"UnreservedConcurrentExecutions": self.unreserved_concurrency}
                start_response("200 OK", [("Content-Type", "application/json")])
                answer = [json.dumps({"AccountLimit": limit}).encode()]
            elif operation == "Query" and lacks_index(body(environ)):
                answer = failure("ValidationException", start_response)
            elif operation == "PutEvents" and self.refused_entries:
                answer = refused_entry(self.refused_entries.pop(0), start_response)
            elif operation in (*WRITES, "PutEvents", "Invoke"):
                answer = self._noted(operation, environ, start_response)
            else:
                answer = moto(service)(environ, start_response)
            self.after(operation)
            if self.lost_answers.get(operation):
                self.lost_answers[operation] -= 1
                return failure("InternalServerError", start_response)
            return answer

    def _noted(self, operation: str, environ: dict[str, Any], start_response: Any) -> Any:
        """Notes what a write has changed, what was published, or what is called; moto answers."""
        request = body(environ)
        if operation == "Invoke":  # moto would run it
            self.called.append((function_of(environ), request))
            start_response("202 Accepted", [])
            return []
        if operation == "PutEvents":
            answer = moto("events")(environ, start_response)
            self.published += request["Entries"]
            return answer
        key = key_of(request)
        before = item_of(request["TableName"], key)
        answer = moto("dynamodb")(environ, start_response)
        after = item_of(request["TableName"], key)
        if before != after:
            self.changes.append(change_record(before, after, number=len(self.changes)))
        return answer

    def schedules(self) -> list[dict[str, Any]]:
        """The schedules that wait for their time, as EventBridge Scheduler has them."""
        scheduler = self.client("scheduler")
        found = [
            scheduler.get_schedule(Name=one["Name"], GroupName=one["GroupName"])
            for one in scheduler.list_schedules()["Schedules"]
        ]
        return sorted(found, key=lambda one: str(one["ScheduleExpression"]))

    def client(self, service: str) -> Any:
        """A client that talks to the stand-in."""
        if service not in self._clients:
            self._clients[service] = session().client(
                service, endpoint_url=self.endpoint_url, config=Config(proxies={})
            )
        return self._clients[service]

    def items(self) -> list[dict[str, Any]]:
        """Every item in the table, as DynamoDB answers it."""
        items: list[dict[str, Any]] = self.client("dynamodb").scan(TableName=TABLE)["Items"]
        return items

    def close(self) -> None:
        """Forgets everything; a request of somebody who died meanwhile changes nothing more."""
        with self._one_at_a_time:
            self._is_open = False
            for service, module in SERVICES.items():
                # Some take seconds to import.
                if module in sys.modules:
                    get_backend(service).reset()


@functools.cache
def moto(service: Any) -> Any:
    """A service of moto's as a WSGI application, which keeps nothing itself.

    moto's own way to find it by a request looks into each of its modules' folders each time.
    """
    if service == "ecs":
        # Here, and not above: moto's ECS takes longer to import than all the rest.
        import_module("stand_ins.ecs")
    return create_backend_app(service)


@functools.cache
def session() -> Any:
    """What makes the stand-in's own clients, whoever else is signed in here."""
    return boto3.Session("stand-in", "stand-in", region_name=REGION)


@contextmanager
def aws_stand_in() -> Iterator[AwsStandIn]:
    """Runs the stand-in on a free port of loopback, with an empty table."""
    stand_in = AwsStandIn("")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, stand_in.answer, threaded=True)
    stand_in.endpoint_url = f"http://127.0.0.1:{server.server_port}"
    with running(server):
        try:
            create_table(stand_in.client("dynamodb"))
            stand_in.operations.clear()
            yield stand_in
        finally:
            stand_in.close()


def wanted(environ: dict[str, Any]) -> tuple[str, str]:
    """The service and the operation that a request is for, which Lambda names by a path only."""
    service = credential(environ)[3]
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if service in AS_XML:
        form = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(form)
        operation = parse_qs(form.decode())["Action"][0]
    if service == "scheduler":
        operation = SCHEDULING[environ["REQUEST_METHOD"]]
    if environ["PATH_INFO"].endswith(INVOCATIONS):
        operation = "Invoke"
    return service, operation or environ["PATH_INFO"].rstrip("/")


def function_of(environ: dict[str, Any]) -> str:
    """The function that is to be called."""
    return str(environ["PATH_INFO"].split("/")[-2])


def access_key(environ: dict[str, Any]) -> str:
    """The access key id that a request is signed with."""
    return credential(environ)[0]


def credential(environ: dict[str, Any]) -> list[str]:
    """What a request is signed with: access key id, day, region, service."""
    return str(environ["HTTP_AUTHORIZATION"]).partition("Credential=")[2].split("/")


def body(environ: dict[str, Any]) -> Any:
    """The JSON that a request brings, which can be read again."""
    content = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    environ["wsgi.input"] = io.BytesIO(content)
    return json.loads(content)


def report(request: dict[str, str], stand_in: AwsStandIn, start_response: Any) -> list[bytes]:
    """Answers a hook, once, as CodeDeploy does; `Failed` fails the deployment."""
    hook = request["deploymentId"], request["lifecycleEventHookExecutionId"]
    deployment = deployments().get(request["deploymentId"])
    if not deployment:
        return failure("DeploymentDoesNotExistException", start_response)
    if deployment.hook_execution_id not in (None, hook[1]):
        return failure("InvalidLifecycleEventHookExecutionIdException", start_response)
    if hook in stand_in.reports or "endTime" in deployment.hook:
        return failure("LifecycleEventAlreadyCompletedException", start_response)
    stand_in.reports[hook] = request["status"]
    complete_hook(request["deploymentId"], request["status"])
    start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
    return [json.dumps({"lifecycleEventHookExecutionId": hook[1]}).encode()]


def failure(code: str, start_response: Any, *, as_xml: bool = False) -> list[bytes]:
    """Answers as an AWS service does that fails: a server's fault if the code says so."""
    is_its_own = code.startswith(("Internal", "Server"))
    status = "500 Internal Server Error" if is_its_own else "400 Bad Request"
    start_response(status, [("Content-Type", "application/x-amz-json-1.0")])
    if as_xml:
        return [f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>".encode()]
    return [json.dumps({"__type": code, "message": "made to fail"}).encode()]


def key_of(request: dict[str, Any]) -> str:
    """The deployment that a write to the table is about."""
    held = request.get("Key") or request["Item"]
    return str(held["deployment_id"]["S"])


def item_of(table: str, key: str) -> dict[str, Any] | None:
    """An item of a table of moto's, with DynamoDB's types."""
    tables = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION].tables
    held: Any = tables[table].items.get(DynamoType({"S": key})) if table in tables else None
    item: dict[str, Any] | None = (
        json.loads(json.dumps(held.to_json()["Attributes"])) if held else None
    )
    return item


def lacks_index(request: dict[str, Any]) -> bool:
    """Whether the index of a query is not there, or not yet: moto says that in other words."""
    table = get_backend("dynamodb")[DEFAULT_ACCOUNT_ID][REGION].tables.get(request["TableName"])
    ready = {one.name for one in table.global_indexes if one.status == "ACTIVE"} if table else None
    return ready is not None and request["IndexName"] not in ready


def change_record(
    before: dict[str, Any] | None, after: dict[str, Any] | None, number: int = 0
) -> dict[str, Any]:
    """The record of a change in a table's stream with old and new images, as DynamoDB makes it.

    `before` and `after` are the item with DynamoDB's types, None where there was or is none.
    """
    names = {(False, True): "INSERT", (True, True): "MODIFY", (True, False): "REMOVE"}
    images = {"OldImage": before, "NewImage": after}
    key = (before or after or {})["deployment_id"]
    return {
        "eventID": f"{number:032x}",
        "eventName": names[before is not None, after is not None],
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": REGION,
        "dynamodb": {
            "ApproximateCreationDateTime": int(datetime.now(UTC).timestamp()),
            "Keys": {"deployment_id": key},
            **{name: image for name, image in images.items() if image is not None},
            "SequenceNumber": str(1100000000017454423009 + number),
            "SizeBytes": len(json.dumps([before, after])),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
        "eventSourceARN": f"arn:aws:dynamodb:{REGION}:{DEFAULT_ACCOUNT_ID}:table/{TABLE}/stream/"
        "2026-11-23T00:00:00.000",
    }


def refused_entry(code: str, start_response: Any) -> list[bytes]:
    """Answers as EventBridge does that does not take an entry: a success of HTTP's."""
    entry = {"ErrorCode": code, "ErrorMessage": "made to fail"}
    start_response("200 OK", [("Content-Type", "application/x-amz-json-1.1")])
    return [json.dumps({"FailedEntryCount": 1, "Entries": [entry]}).encode()]


def create_table(client: Any) -> None:
    """Makes the table as the template does."""
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "deployment_id", "KeyType": "HASH"}],
        AttributeDefinitions=[
            {"AttributeName": name, "AttributeType": "S"}
            for name in ("deployment_id", "status", "deadline")
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "status-deadline",
                "KeySchema": [
                    {"AttributeName": "status", "KeyType": "HASH"},
                    {"AttributeName": "deadline", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
        ],
    )
