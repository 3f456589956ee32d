"""What is looked at before anything is built: what cannot work is said at once."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final

import click
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from greenlight.model.errors import GreenlightError
from greenlight.runtime.network import AWS_CONFIG, Countdown
from greenlight_cli.advice import advice
from greenlight_cli.caller import CallerClients, CallerError
from greenlight_cli.secrets import KINDS, Kind
from tools.stack import Refused, Stack

# The stack in which SAM makes its bucket for packages.
SAMS_STACK: Final = "aws-sam-cli-managed-default"

# What a table's stream has to tell, for a gate's changes to be followed.
_IMAGES: Final = "NEW_AND_OLD_IMAGES"

# What Lambda keeps of an account's concurrency for functions that reserve none.
UNRESERVED: Final = 100

_NOT_THERE: Final = frozenset({"ParameterNotFound", "ResourceNotFoundException", "ValidationError"})
_TO_REMOVE: Final = frozenset(
    {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"}
)


class DeployerClients(CallerClients):
    """The clients of a person who deploys what a file says."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(Countdown(), profile_name=stack.profile, region_name=stack.region)
        self.region_option = f'region = "..." in {stack.file}'
        self.profile_option = f'profile = "..." in {stack.file}'

    @cached_property
    def cloudformation(self) -> Any:
        """CloudFormation, to see what is deployed."""
        return self._client("cloudformation", AWS_CONFIG)

    @cached_property
    def functions(self) -> Any:
        """Lambda, to see what concurrency is free."""
        return self._client("lambda", AWS_CONFIG)

    @cached_property
    def secrets_manager(self) -> Any:
        """Secrets Manager, to see whether a secret is there."""
        return self._client("secretsmanager", AWS_CONFIG)

    @contextmanager
    def advising(self) -> Iterator[None]:
        """Ends with what can be done about it, where AWS is not reached or knows nobody."""
        try:
            yield
        except GreenlightError as exc:
            raise Refused(". ".join(filter(None, [str(exc), advice(exc, self)]))) from None


@dataclass(frozen=True)
class Place:
    """An account and a region of AWS."""

    account: str
    region: str

    def __str__(self) -> str:
        """As a person reads it."""
        return f"account {self.account} in region {self.region}"


def place_of(stack: Stack, clients: DeployerClients) -> Place:
    """Where the stack goes. Raises Refused if it is not meant to, or went elsewhere last time."""
    with clients.advising():
        if clients.region is None:  # STS would answer all the same
            raise CallerError(NoRegionError.__name__) from NoRegionError()
        arn = clients.caller_arn()
        place = Place(arn.split(":")[4], clients.region)
    if stack.account not in (None, place.account):
        raise Refused(
            f"{stack.file} is for account {stack.account}, and you are {arn}. Sign in there "
            f"(AWS_PROFILE, or profile in {stack.file}), or change account in the file"
        )
    last = _noted(stack) or place
    if (stack.account is None and last.account != place.account) or (
        stack.region is None and last.region != place.region
    ):
        raise Refused(
            f"Last time {stack.file} went to {last}, and now it would go to {place}. If that is "
            f'meant, write account = "{place.account}" and region = "{place.region}" into it; '
            "if not, sign in there again (AWS_PROFILE, AWS_REGION)"
        )
    return place


def _noted(stack: Stack) -> Place | None:
    if not stack.note.exists():
        return None
    try:
        return Place(**json.loads(stack.note.read_text()))
    except (ValueError, TypeError):
        raise Refused(
            f"{stack.note} cannot be read. Remove it, and write account and region into "
            f"{stack.file}: it noted where that went the last time"
        ) from None


def note_place(stack: Stack, place: Place) -> None:
    """Notes where the stack goes, for the next time."""
    stack.note.write_text(json.dumps(asdict(place)) + "\n")


def secrets_of(parameters: dict[str, str]) -> Iterator[tuple[str, Kind, str, str]]:
    """The secrets of a stack: what `greenlight secrets` calls each, its kind, SSM name and ARN.

    The ARN is Secrets Manager's and comes first; either may be empty, both for a stack without.
    """
    for short, parameter, arn in (
        ("webhook", "SlackWebhookParameter", "SlackWebhookSecretArn"),
        ("signing", "SlackSigningSecretParameter", "SlackSigningSecretArn"),
        ("bot", "SlackBotTokenParameter", "SlackBotTokenSecretArn"),
    ):
        # A stack of an older template may not know all of them.
        yield short, KINDS[short], parameters.get(parameter, ""), parameters.get(arn, "")


def parameters_of(deployed: dict[str, Any]) -> dict[str, str]:
    """The parameters of a stack as CloudFormation describes it."""
    return {one["ParameterKey"]: one["ParameterValue"] for one in deployed.get("Parameters", [])}


def is_greenlights(deployed: dict[str, Any]) -> bool:
    """Whether a stack is one of Greenlight's, of whatever version."""
    return "TestUrl" in parameters_of(deployed)


def outputs_of(deployed: dict[str, Any] | None) -> dict[str, str]:
    """The outputs of a stack as CloudFormation describes it; none of one that is not there."""
    return {one["OutputKey"]: one["OutputValue"] for one in (deployed or {}).get("Outputs", [])}


@dataclass
class Preflight:
    """A look at a stack and its place; what AWS does not say is noted on standard error."""

    stack: Stack
    place: Place
    clients: DeployerClients

    def problems(self) -> Iterator[str]:
        """What is in the way of a deployment."""
        if deployed := self.deployed():
            if not is_greenlights(deployed):
                yield self.not_greenlights
                return
            yield from self._of_status(deployed["StackStatus"])
            yield from self._of_what_the_file_forgets(parameters_of(deployed))
            yield from self._of_what_is_new(parameters_of(deployed))
        yield from self._of_ways_to_post()
        yield from self._of_table()
        yield from self._of_secrets()
        yield from self._of_concurrency()

    @property
    def _secrets(self) -> list[tuple[str, Kind, str, str]]:
        return list(secrets_of(self.stack.parameters))

    @property
    def not_greenlights(self) -> str:
        """What is wrong where another stack has the name."""
        return (
            f"The stack {self.stack.name} is none of Greenlight's: it has no parameter TestUrl. "
            f"Write another stack_name into {self.stack.file}"
        )

    def deployed(self) -> dict[str, Any] | None:
        """The stack as CloudFormation describes it; None if it is not deployed, or not known."""
        return self._described(self.stack.name)

    def to_remove(self) -> dict[str, Any]:
        """The stack as CloudFormation describes it. Raises Refused if it is not to be removed."""
        about, ask = f"the stack {self.stack.name}", self.clients.cloudformation.describe_stacks
        self._must_know(about, ask, StackName=self.stack.name)
        deployed = self.deployed()
        if not deployed:
            raise Refused(f"There is no stack {self.stack.name} in {self.place}")
        if not is_greenlights(deployed):
            raise Refused(self.not_greenlights)
        return deployed

    def table(self) -> str | None:
        """The table that the stack made; None if it made none. Raises Refused if not known."""
        ask = self.clients.cloudformation.describe_stack_resources
        answer = self._must_know("what the table is called", ask, StackName=self.stack.name)
        names = {
            one["LogicalResourceId"]: one.get("PhysicalResourceId")
            for one in answer.get("StackResources", [])
        }
        return names.get("Table")

    def bucket(self) -> str | None:
        """SAM's bucket for packages; None if there is none, or that is not known."""
        return outputs_of(self._described(SAMS_STACK)).get("SourceBucket")

    def is_stored(self, parameter: str) -> bool | None:
        """Whether SSM has a parameter; None if that is not known. Its value is not decrypted."""
        ask = self.clients.ssm.get_parameter
        answer = self._ask(f"whether SSM has {parameter}", ask, Name=parameter)
        return None if answer is None else bool(answer)

    def _described(self, name: str) -> dict[str, Any] | None:
        ask = self.clients.cloudformation.describe_stacks
        answer = self._ask(f"how the stack {name} is", ask, StackName=name)
        stacks = answer["Stacks"] if answer else []
        # A stack in review is the shell of one: nobody has let it be made.
        is_there = stacks and stacks[0]["StackStatus"] != "REVIEW_IN_PROGRESS"
        return dict(stacks[0]) if is_there else None

    def _of_status(self, status: str) -> Iterator[str]:
        about = f"The stack {self.stack.name} is {status}"
        if status in _TO_REMOVE:
            yield f"{about}: it can only be removed. Run: {self.stack.make('undeploy')}"
        elif status.endswith("_IN_PROGRESS"):
            yield f"{about}: wait until that has ended, then run this again"
        elif status == "UPDATE_ROLLBACK_FAILED":
            command = self.clients.aws(
                f"cloudformation continue-update-rollback --stack-name {self.stack.name} "
                f"--region {self.place.region}"
            )
            yield (
                f"{about}: mend what its events in the CloudFormation console show. "
                f"Then run: {command}"
            )

    def _of_what_the_file_forgets(self, deployed: dict[str, str]) -> Iterator[str]:
        """The Runtime is left out: it is that of a machine which builds, unless a file names it."""
        for name, value in self.stack.parameters.items():
            before = deployed.get(name, value)
            if before != value and name not in {*self.stack.chosen, "Runtime"}:
                yield (
                    f"The stack {self.stack.name} has {name} = {as_toml(before)}, which "
                    f"{self.stack.file} does not name. Write that into it, or, to change it, "
                    f"{name} = {as_toml(value)}"
                )

    def _of_what_is_new(self, deployed: dict[str, str]) -> Iterator[str]:
        """What a stack of an older template would begin to do, and nobody has asked for."""
        name = "EcsServices"
        if name not in deployed and name not in self.stack.chosen:
            yield (
                f"The stack {self.stack.name} does not know ECS's own deployments yet. From now on "
                f"it would ask people about every PAUSE hook of {self.place}, and roll back what "
                f'nobody could be asked about. Write {name} = "*" into {self.stack.file} if that '
                f'is meant, {name} = "cluster/*" for some, or {name} = "" to leave all as it was'
            )

    def _of_ways_to_post(self) -> Iterator[str]:
        """What the functions would refuse, all but a stack's parameters by themselves."""
        named = {short: parameter or arn for short, _, parameter, arn in self._secrets}
        if named["bot"] and not self.stack.parameters["SlackChannel"]:
            yield (
                f"The bot has no channel: write SlackChannel, the channel's id, into "
                f"{self.stack.file}"
            )
        if self.stack.parameters["SlackCommand"] and not self.stack.takes_clicks:
            yield (
                "Nobody would answer the slash command: write SlackSigningSecretParameter into "
                f"{self.stack.file}, or take SlackCommand out"
            )
        if not named["bot"] and not named["webhook"]:
            yield (
                "Nothing can post to Slack: write SlackWebhookParameter, or "
                f"SlackBotTokenParameter and SlackChannel, into {self.stack.file}"
            )

    def _of_table(self) -> Iterator[str]:
        """What is wrong with a table of one's own, and with its stream."""
        name = self.stack.parameters["ExistingTableName"]
        stream = self.stack.parameters["ExistingTableStreamArn"]
        if not name:
            return
        ask = self.clients.dynamodb.describe_table
        answer = self._ask(f"how the table {name} is", ask, TableName=name)
        if answer == {}:
            yield f"There is no table {name} for {self.place}: name another in {self.stack.file}"
        if not answer or not stream:
            return
        table = answer["Table"]
        images = table.get("StreamSpecification", {}).get("StreamViewType")
        if images != _IMAGES:
            command = self.clients.aws(
                f"dynamodb update-table --table-name {name} --region {self.place.region} "
                f"--stream-specification StreamEnabled=true,StreamViewType={_IMAGES}"
            )
            yield (
                f"The table {name} has no stream with old and new images. Run: {command}; "
                "a stream that is there has to be disabled first (StreamEnabled=false)"
            )
        elif stream != table["LatestStreamArn"]:
            latest = as_toml(table["LatestStreamArn"])
            yield (
                f"The stream of the table {name} is another one by now. Write "
                f"ExistingTableStreamArn = {latest} into {self.stack.file}"
            )

    def _of_secrets(self) -> Iterator[str]:
        for _, kind, parameter, arn in self._secrets:
            if arn:
                ask = self.clients.secrets_manager.describe_secret
                if self._ask(f"whether there is {arn}", ask, SecretId=arn) == {}:
                    yield (
                        f"The {kind.title} is not stored: Secrets Manager has no {arn} for "
                        f"{self.place}. Make it there, or name another in {self.stack.file}"
                    )
            elif parameter and self.is_stored(parameter) is False:
                yield (
                    f"The {kind.title} is not stored: SSM has no {parameter} for {self.place}. "
                    f"Run: {self.stack.make('secrets')}"
                )

    def _of_concurrency(self) -> Iterator[str]:
        asked_for = int(self.stack.parameters["DecisionConcurrency"])
        if not self.stack.takes_clicks or not asked_for:
            return
        ask = self.clients.functions.get_account_settings
        answer = self._ask("how much of Lambda's concurrency is free", ask)
        if not answer:
            return
        free = answer["AccountLimit"]["UnreservedConcurrentExecutions"] - UNRESERVED
        if free < asked_for:
            free = max(free + self._reserved(), 0)
        if free < asked_for:
            yield (
                f"DecisionConcurrency is {asked_for}, and Lambda lets {self.place} reserve {free} "
                f"({UNRESERVED} have to stay unreserved). Write DecisionConcurrency = {free} "
                f"into {self.stack.file}, or have the quota raised (Service Quotas, Lambda, "
                "Concurrent executions)"
            )

    def _reserved(self) -> int:
        """What the stack, as it is deployed, has reserved itself."""
        answer = self._ask(
            "what the stack has reserved itself",
            self.clients.functions.get_function_concurrency,
            FunctionName=f"GreenlightGate_{self.stack.name}",
        )
        return int((answer or {}).get("ReservedConcurrentExecutions", 0))

    def _ask(self, about: str, ask: Callable[..., Any], **what: str) -> dict[str, Any] | None:
        """AWS's answer, `{}` where there is no such thing, None where AWS does not say."""
        answer = _answer(ask, **what)
        if isinstance(answer, str):
            click.echo(f"AWS does not say {about} ({answer}); going on without.", err=True)
            return None
        return answer

    def _must_know(self, about: str, ask: Callable[..., Any], **what: str) -> dict[str, Any]:
        """As `_ask`; raises Refused where AWS does not say."""
        answer = _answer(ask, **what)
        if isinstance(answer, str):
            raise Refused(f"AWS does not say {about} ({answer}), so nothing is removed")
        return answer


def _answer(ask: Callable[..., Any], **what: str) -> dict[str, Any] | str:
    """AWS's answer, `{}` where there is no such thing; the error's code where AWS does not say."""
    try:
        answer: dict[str, Any] = ask(**what)
    except (ClientError, BotoCoreError) as exc:
        code = type(exc).__name__
        if isinstance(exc, ClientError):
            code = exc.response["Error"]["Code"]
        return {} if code in _NOT_THERE else code
    return answer


def as_toml(value: str) -> str:
    """A text as a TOML file has it."""
    return json.dumps(value, ensure_ascii=False)
