"""Deploys Greenlight as a file says: `make deploy`, and what comes before and after it.

Nothing is asked. What cannot work is said before anything is built; every parameter of the template
is passed each time, so no deployment forgets what an earlier one was told.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from greenlight_cli import secrets as slack
from tools.build import TEMPLATE, build, overrides, runtime, sam
from tools.preflight import (
    SAMS_STACK,
    DeployerClients,
    Preflight,
    note_place,
    outputs_of,
    parameters_of,
    place_of,
    secrets_of,
)
from tools.stack import Refused, Stack, defaults, read
from tools.template import load_template


@click.group()
def main() -> None:
    """Greenlight, from a clone to a stack and back."""


def of_file(command: Callable[..., None]) -> click.Command:
    """A command on the stack that a file describes."""
    return main.command()(click.argument("file", type=click.Path(path_type=Path))(command))


@of_file
def deploy(file: Path) -> None:
    """Deploy the stack of FILE, or change it to what FILE says now."""
    known = template_parameters()
    stack = read(file, known)
    parameters = stack.parameters | {"Runtime": runtime(stack, known)}
    preflight = preflight_of(stack)
    if problems := list(preflight.problems()):
        raise Refused(*problems)
    say_changes(parameters, preflight.deployed())
    build(parameters)
    note_place(stack, preflight.place)
    sam(
        "deploy",
        *at(preflight),
        *overrides(),
        *("--capabilities", "CAPABILITY_IAM", "--resolve-s3"),
        *("--no-confirm-changeset", "--no-fail-on-empty-changeset"),
    )
    say_what_is_next(preflight)


@of_file
def undeploy(file: Path) -> None:
    """Remove the stack of FILE, and say what stays."""
    preflight = preflight_of(read(file, template_parameters()))
    parameters = parameters_of(preflight.to_remove())
    stays = list(what_stays(preflight, parameters))
    sam("delete", "--no-prompts", *at(preflight))
    preflight.stack.note.unlink(missing_ok=True)
    hook = f"CodeDeployHook_{preflight.stack.name}"
    click.echo(f"\nThe stack is gone: take {hook} out of each AppSpec.")
    if parameters.get("EcsServices"):  # a stack of an older template has none
        click.echo(
            "Take the PAUSE hooks out of its ECS services, too: nobody hears of them any more."
        )
    click.echo("These stay, and this removes them:")
    click.echo("\n".join(stays))


@main.command("build")
@click.argument("file", type=click.Path(path_type=Path))
def build_only(file: Path) -> None:
    """Build the package for what FILE says, if there is one; deploy nothing."""
    known = template_parameters()
    stack = read(file, known) if file.exists() else None
    parameters = stack.parameters if stack else defaults(known)
    build(parameters | {"Runtime": runtime(stack, known)})


def read_overwrite(
    _context: click.Context, _option: click.Parameter, name: str | None
) -> str | None:
    """Which secret to replace. What else was typed may be one, and is not repeated."""
    if name not in (None, *slack.KINDS):
        raise Refused(f"OVERWRITE has to be one of {', '.join(slack.KINDS)}: which to replace")
    return name


@main.command("secrets")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--overwrite", callback=read_overwrite, help="Replace this one.")
def store_secrets(file: Path, overwrite: str | None) -> None:
    """Ask for the secrets that FILE names, and store in SSM those that are not there."""
    stack = read(file, template_parameters())
    preflight = preflight_of(stack)
    for name, kind, parameter, arn in secrets_of(stack.parameters):
        if arn:
            click.echo(f"The {kind.title} is kept in Secrets Manager ({arn}): store it there.")
        elif not parameter:
            if name == "signing":  # the other two stand for each other
                click.echo(f"{file} names no place for a {kind.title}: messages have no buttons.")
        elif name != overwrite and preflight.is_stored(parameter):
            say_kept(stack, name, kind, parameter)
        else:
            with preflight.clients.advising():
                secret, key = slack.read(kind), stack.parameters["SlackWebhookKeyArn"]
                try:
                    is_meant = name == overwrite
                    slack.store(preflight.clients.ssm, parameter, secret, key, overwrite=is_meant)
                except slack.SecretKeptError:  # it could not be read, but it is there
                    say_kept(stack, name, kind, parameter)
                    continue
            click.echo(f"The {kind.title} is stored in {parameter} now.")


def say_kept(stack: Stack, name: str, kind: slack.Kind, parameter: str) -> None:
    """Says that a secret stays as it is, and how to replace it."""
    again = f"{stack.make('secrets')} OVERWRITE={name}"
    click.echo(f"{parameter} holds a {kind.title} already, which stays. To replace it: {again}")


def template_parameters() -> dict[str, Any]:
    """The parameters of the template, by name."""
    parameters: dict[str, Any] = load_template(TEMPLATE)["Parameters"]
    return parameters


def preflight_of(stack: Stack) -> Preflight:
    """A look at where the stack goes, which is said, with the credentials that there are."""
    clients = DeployerClients(stack)
    place = place_of(stack, clients)
    click.echo(f"Stack {stack.name}, {place}")
    return Preflight(stack, place, clients)


def at(preflight: Preflight) -> list[str]:
    """The options of SAM that say which stack, and where."""
    profile = preflight.stack.profile
    return [
        *("--stack-name", preflight.stack.name, "--region", preflight.place.region),
        *(("--profile", profile) if profile else ()),
    ]


def say_changes(parameters: dict[str, str], deployed: dict[str, Any] | None) -> None:
    """Says which parameters are not as they are deployed."""
    if not deployed:
        return
    before = parameters_of(deployed)
    for name, value in parameters.items():
        if before.get(name, "") != value:
            click.echo(f"  {name}: {before.get(name) or '(none)'} -> {value or '(none)'}")


def say_what_is_next(preflight: Preflight) -> None:
    """Says what a person does with what was deployed."""
    preflight.clients.countdown.restart()
    outputs = outputs_of(preflight.deployed())
    if url := outputs.get("DecisionUrl"):
        command = preflight.stack.parameters["SlackCommand"] or "its command, if it has one"
        where = f"Interactivity & Shortcuts, and under Slash Commands for {command}"
        click.echo(f"In the Slack app, under {where}, the Request URL is:")
        click.echo(f"  {url}")
    if hooks := outputs.get("AppSpecHooks"):
        click.echo("In the AppSpec of each service that CodeDeploy deploys:")
        click.echo(f"  {hooks}")
    if services := preflight.stack.parameters["EcsServices"]:
        click.echo(f"Services that ECS itself deploys ({services}) get a PAUSE hook: docs/ecs.md")
    if table := outputs.get("TableName"):
        click.echo("At a terminal, for the command greenlight:")
        region = preflight.place.region
        click.echo(f"  export AWS_REGION={region} DYNAMODB_TABLE_NAME={table}")


def what_stays(preflight: Preflight, parameters: dict[str, str]) -> Iterator[str]:
    """What a removed stack leaves, each with the command that removes it, line by line."""
    region = preflight.place.region

    def aws(command: str) -> str:
        return f"    {preflight.clients.aws(command)} --region {region}"

    if table := preflight.table():
        yield f"- The table {table}: who let which release through. With ExistingTableName ="
        yield f'  "{table}" in {preflight.stack.file}, and its stream as ExistingTableStreamArn,'
        yield "  a new stack goes on with it."
        yield aws(f"dynamodb delete-table --table-name {table}")
    for _, kind, parameter, arn in secrets_of(parameters):
        if arn:
            yield f"- The {kind.title}, in Secrets Manager."
            yield aws(f"secretsmanager delete-secret --secret-id {arn}")
        elif parameter:
            yield f"- The {kind.title}, in SSM."
            yield aws(f"ssm delete-parameter --name {parameter}")
    if bucket := preflight.bucket():
        yield f"- SAM's bucket {bucket}."
        yield "  Other stacks may use it, too. Empty it first, in the S3 console."
        yield aws(f"cloudformation delete-stack --stack-name {SAMS_STACK}")


if __name__ == "__main__":
    main(prog_name="deploy")
