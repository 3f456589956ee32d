"""A stand-in for AWS: moto's server on loopback, with what Greenlight finds in an account."""

import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import boto3
from botocore.config import Config
from moto.backends import get_backend
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from stand_ins.codedeploy import REGION, complete_hook, deployments

TABLE = "gates"

# Services that are asked by a form, and answer in XML.
AS_XML = {"cloudformation", "iam", "sts"}
ACCOUNT_SETTINGS = "/2016-08-19/account-settings"

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
    `unreserved_concurrency` is what Lambda has for functions that reserve none.
    """

    endpoint_url: str
    operations: list[str] = field(default_factory=list)
    actions: set[str] = field(default_factory=set)
    access_keys: set[str] = field(default_factory=set)
    failures: dict[str, list[str]] = field(default_factory=dict)
    lost_answers: dict[str, int] = field(default_factory=dict)
    reports: dict[tuple[str, str], str] = field(default_factory=dict)
    unreserved_concurrency: int = 1000
    before: Callable[[str], object] = lambda _: None
    after: Callable[[str], object] = lambda _: None
    _clients: dict[str, Any] = field(default_factory=dict)
    # Like DynamoDB, it does one write after the other, so that a condition and its write are one.
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock)
    _moto: Any = field(default_factory=lambda: DomainDispatcherApplication(create_backend_app))

    def answer(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answers a request to AWS, as a WSGI application."""
        service, operation = wanted(environ)
        with self._one_at_a_time:
            self.operations.append(operation)
            self.access_keys.add(access_key(environ))
            self.actions.add(f"{service}:{operation}")
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
            else:
                answer = self._moto(environ, start_response)
            self.after(operation)
            if self.lost_answers.get(operation):
                self.lost_answers[operation] -= 1
                return failure("InternalServerError", start_response)
            return answer

    def client(self, service: str) -> Any:
        """A client that talks to the stand-in."""
        if service not in self._clients:
            self._clients[service] = boto3.client(  # type: ignore[call-overload]  # any of them
                service,
                endpoint_url=self.endpoint_url,
                region_name=REGION,
                aws_access_key_id="stand-in",
                aws_secret_access_key="stand-in",
                config=Config(proxies={}),
            )
        return self._clients[service]

    def items(self) -> list[dict[str, Any]]:
        """Every item in the table, as DynamoDB answers it."""
        items: list[dict[str, Any]] = self.client("dynamodb").scan(TableName=TABLE)["Items"]
        return items


@contextmanager
def aws_stand_in() -> Iterator[AwsStandIn]:
    """Runs the stand-in on a free port of loopback, with an empty table."""
    stand_in = AwsStandIn("")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, stand_in.answer, threaded=True)
    stand_in.endpoint_url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        create_table(stand_in.client("dynamodb"))
        stand_in.operations.clear()
        yield stand_in
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for service in (
            "cloudformation",
            "codedeploy",
            "dynamodb",
            "iam",
            "lambda",
            "secretsmanager",
            "ssm",
            "sts",
        ):
            get_backend(service).reset()


def wanted(environ: dict[str, Any]) -> tuple[str, str]:
    """The service and the operation that a request is for, which Lambda names by a path only."""
    service = credential(environ)[3]
    operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    if service in AS_XML:
        form = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(form)
        operation = parse_qs(form.decode())["Action"][0]
    return service, operation or environ["PATH_INFO"].rstrip("/")


def access_key(environ: dict[str, Any]) -> str:
    """The access key id that a request is signed with."""
    return credential(environ)[0]


def credential(environ: dict[str, Any]) -> list[str]:
    """What a request is signed with: access key id, day, region, service."""
    return str(environ["HTTP_AUTHORIZATION"]).partition("Credential=")[2].split("/")


def body(environ: dict[str, Any]) -> Any:
    """The JSON that a request brings."""
    return json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))


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
    status = "500 Internal Server Error" if code.startswith("Internal") else "400 Bad Request"
    start_response(status, [("Content-Type", "application/x-amz-json-1.0")])
    if as_xml:
        return [f"<ErrorResponse><Error><Code>{code}</Code></Error></ErrorResponse>".encode()]
    return [json.dumps({"__type": code, "message": "made to fail"}).encode()]


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
