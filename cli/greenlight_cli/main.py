"""The command line: approve, reject, show and list gates with the caller's own AWS credentials."""

import functools
import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final, NoReturn

import click
from rich.console import RenderableType

from greenlight.engines import engine_named
from greenlight.gates.deciding import decide
from greenlight.gates.means import Means
from greenlight.model.errors import (
    DecisionMootError,
    DecisionUnreportedError,
    EngineError,
    GateNotFoundError,
    GreenlightError,
)
from greenlight.model.gate import (
    Decision,
    Gate,
    GateState,
    GateStatus,
    Verdict,
    Via,
    as_json,
)
from greenlight.runtime.network import LOOK_UP_SECONDS, Countdown
from greenlight.runtime.observability import logger
from greenlight.runtime.settings import named_table
from greenlight.storage.table import GateTable
from greenlight_cli import secrets, view
from greenlight_cli.advice import advice
from greenlight_cli.caller import CallerClients
from greenlight_cli.output import any_stream, say

MAX_REASON_CHARACTERS = 1000

_PARAMETER: Final = re.compile(r"/[A-Za-z0-9_./-]{1,1010}")

# The second by which the engines have been asked about the gates of a list.
ASKED_BY = 10.0


class Exit(IntEnum):
    """What the command ends with; 2 is a command line that click does not understand."""

    DONE = 0
    FAILED = 1
    NOT_FOUND = 3
    OTHERWISE = 4
    UNREPORTED = 5


_CODES: Final[dict[type[GreenlightError], Exit]] = {
    DecisionMootError: Exit.UNREPORTED,
    DecisionUnreportedError: Exit.UNREPORTED,
    GateNotFoundError: Exit.NOT_FOUND,
}


@dataclass(frozen=True)
class Terminal:
    """With whose credentials and where AWS is asked, and whether a script reads what it says.

    `table_name` is empty for a command that is not about gates.
    """

    table_name: str
    region: str | None
    profile: str | None
    as_json: bool

    @functools.cached_property
    def clients(self) -> CallerClients:
        """The caller's AWS."""
        return CallerClients(Countdown(), profile_name=self.profile, region_name=self.region)

    @functools.cached_property
    def table(self) -> GateTable:
        """The table that was named."""
        return GateTable(self.clients.dynamodb, named_table(self.table_name))

    @property
    def means(self) -> Means:
        """What a gate is decided with."""
        return Means(
            self.table,
            functools.partial(engine_named, self.clients),
            self.clients.countdown,
            clock=lambda: datetime.now(UTC),
        )

    def say(self, value: Any, text: RenderableType) -> bool:
        """Prints a value for a script, or the text for a person. False where that failed."""
        return say(view.json_text(value, indent=2) if self.as_json else text)

    @contextmanager
    def ending_well(self) -> Iterator[None]:
        """Ends the command where it fails, with what is wrong and what can be done about it."""
        try:
            yield
        except GreenlightError as exc:
            code = _CODES.get(type(exc), Exit.FAILED)
            sentences = filter(None, [view.what_failed(exc), advice(exc, self.clients)])
            self.end(code, ". ".join(sentences), type=type(exc).__name__, **exc.details())

    def end(self, code: Exit, sentence: str, **details: Any) -> NoReturn:
        """Says on standard error why the command did not do it all, and ends it."""
        self._remark(sentence, {"error": sentence, **details})
        sys.exit(code)

    def note(self, sentence: str) -> None:
        """Says on standard error what is good to know besides."""
        self._remark(sentence, {"note": sentence})

    def _remark(self, sentence: str, value: Any) -> None:
        """A line on standard error; for a script, an object."""
        line = f"greenlight: {' '.join(sentence.split())}"
        say(view.json_text(value) if self.as_json else view.printable(line), err=True)


table_option = click.option(
    "--table",
    "table_name",
    envvar="DYNAMODB_TABLE_NAME",
    required=True,
    show_envvar=True,
    help="The table of gates.",
)


def terminal_options(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options that all have, and ends it well when it fails."""

    @click.option("--region", envvar="AWS_REGION", show_envvar=True, help="The AWS region.")
    # AWS_PROFILE is left to boto3: given by name, it would beat credentials in the environment.
    @click.option("--profile", help="The AWS profile, before any other credentials.")
    @click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
    @functools.wraps(command)
    def run(
        region: str | None,
        profile: str | None,
        as_json: bool,  # noqa: FBT001  # click's own
        table_name: str = "",
        **arguments: Any,
    ) -> None:
        terminal = Terminal(table_name, region, profile, as_json)
        with terminal.ending_well():
            command(terminal, **arguments)

    return run


def read_reason(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    """A reason as it was given, without blanks around it."""
    if text is None:
        return None
    if not text.strip() or len(text) > MAX_REASON_CHARACTERS:
        raise click.BadParameter(f"a reason has 1 to {MAX_REASON_CHARACTERS} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise click.BadParameter("a reason is text in this terminal's encoding") from None
    return text.strip()


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 no such gate, 4 decided otherwise, "
    "5 decided but not reported yet (run it again).",
)
@click.version_option(package_name="greenlight-gate")
def main() -> None:
    """Decide ECS deployments that wait for a person, and store their Slack app's secrets."""
    context = click.get_current_context()
    context.with_resource(any_stream())
    context.with_resource(only_warnings())


@contextmanager
def only_warnings() -> Iterator[None]:
    """Logs for a person: what went wrong, on standard error, and not for CloudWatch."""
    (handler,) = logger.handlers
    assert isinstance(handler, logging.StreamHandler)  # noqa: S101  # Powertools' own
    before = handler.stream, handler.formatter, logger.log_level
    handler.stream = sys.stderr
    handler.setFormatter(logging.Formatter("greenlight: %(message)s"))
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        handler.stream = before[0]
        handler.setFormatter(before[1])
        logger.setLevel(before[2])


@main.command()
@click.argument("deployment_id")
@click.option("--reason", callback=read_reason, help="Why, for the record.")
@table_option
@terminal_options
def approve(terminal: Terminal, deployment_id: str, reason: str | None) -> None:
    """Let a deployment go on.

    CodeDeploy moves production traffic to the new version; ECS goes on from where it pauses.
    Whoever decided first stays on record.
    """
    _decide(terminal, Verdict.APPROVE, deployment_id, reason)


@main.command()
@click.argument("deployment_id")
@click.option("--reason", required=True, callback=read_reason, help="Why, for the record.")
@table_option
@terminal_options
def reject(terminal: Terminal, deployment_id: str, reason: str) -> None:
    """Let a deployment go no further.

    CodeDeploy ends it as failed, and production traffic stays where it is; ECS rolls it back.
    Whoever decided first stays on record.
    """
    _decide(terminal, Verdict.REJECT, deployment_id, reason)


@main.command()
@click.argument("deployment_id")
@table_option
@terminal_options
def show(terminal: Terminal, deployment_id: str) -> None:
    """Show a deployment's gate and its history."""
    gate = terminal.table.get(deployment_id)
    _end_with(printed=terminal.say(as_json(gate), view.gate_story(gate)))


@main.command("list")
@table_option
@terminal_options
def list_gates(terminal: Terminal) -> None:
    """List what waits, soonest deadline first.

    Gates that wait for a decision, and decisions that their engine does not know yet; not those
    whose deployment has ended.
    """
    now = datetime.now(UTC)
    gates = _not_ended(terminal, terminal.table.unanswered(now))
    text = view.gates_table(gates, now) if gates else "Nothing waits."
    _end_with(printed=terminal.say([as_json(gate) for gate in gates], text))


def read_kind(
    _context: click.Context, _argument: click.Parameter, words: tuple[str, ...]
) -> secrets.Kind:
    """The kind of secret that is meant. What else was typed may be one, and is not repeated."""
    if len(words) != 1 or words[0] not in secrets.KINDS:
        raise click.UsageError(
            f"Say which: {', '.join(secrets.KINDS)}. The secret itself is asked for; "
            "if it was typed here, the shell's history has it: let Slack make a new one."
        )
    return secrets.KINDS[words[0]]


def read_parameter_name(
    _context: click.Context, _option: click.Parameter, name: str | None
) -> str | None:
    """The name of an SSM parameter, as the template takes it."""
    if name is not None and not _PARAMETER.fullmatch(name):
        raise click.BadParameter("an SSM parameter name begins with / (letters, digits, _ . - /)")
    return name


@main.command("secrets")
@click.argument("kind", nargs=-1, metavar=f"{{{'|'.join(secrets.KINDS)}}}", callback=read_kind)
@click.option(
    "--name", callback=read_parameter_name, help="The SSM parameter, if not the usual one."
)
@click.option("--key", help="The KMS key to encrypt it with, if it is one of your own.")
@click.option("--overwrite", is_flag=True, help="Replace what is stored there.")
@terminal_options
def store_secret(
    terminal: Terminal, kind: secrets.Kind, name: str | None, key: str | None, *, overwrite: bool
) -> None:
    """Store a secret of the Slack app in SSM, encrypted.

    webhook: the URL of its incoming webhook. signing: its signing secret. bot: its bot token. It is
    asked for and not shown, or read from a pipe.
    """
    name = name or kind.parameter
    caller = terminal.clients.caller_arn()  # who is not signed in types nothing in vain
    secret = secrets.read(kind)
    version = secrets.store(terminal.clients.ssm, name, secret, key, overwrite=overwrite)
    region = terminal.clients.region
    terminal.say(
        {"name": name, "version": version, "region": region, "caller": caller},
        f"The {kind.title} is stored in {name} (version {version}) in {region}, by {caller}.",
    )


def _not_ended(terminal: Terminal, gates: list[Gate]) -> list[Gate]:
    """The gates whose deployment has not ended, as far as its engine says so in time."""
    countdown = terminal.clients.countdown
    waiting, problems = [], []
    with countdown.until(ASKED_BY):
        for gate in gates:
            try:
                if countdown.allows(LOOK_UP_SECONDS):
                    engine = engine_named(terminal.clients, gate.engine, look_up=True)
                    if engine.describe(gate.hook).has_ended:
                        continue
                else:
                    problems.append("no time was left")
            except EngineError as exc:
                problems.append(exc.reason)
            waiting.append(gate)
    if problems:
        asked = "/".join(sorted({gate.engine.label for gate in gates}))
        terminal.note(
            f"{asked} does not say whether {len(problems)} of these have ended "
            f"({', '.join(sorted(set(problems)))}): they are shown as the table has them"
        )
    return waiting


def _end_with(*, printed: bool) -> NoReturn:
    """Ends a command that was to print something, and nothing else."""
    sys.exit(Exit.DONE if printed else Exit.FAILED)


def _decide(terminal: Terminal, verdict: Verdict, deployment_id: str, reason: str | None) -> None:
    """Decides the gate as it is now; a newer hook's, opened meanwhile, is left alone."""
    try:
        with terminal.ending_well():
            gate = terminal.table.get(deployment_id)
            decision = Decision(verdict, terminal.clients.caller_arn(), Via.CLI, reason)
            decided = decide(gate.hook, decision, terminal.means)
            effect, sentence = decided.effect.name.lower(), view.what_happened(decided)
            terminal.say({**as_json(decided.gate), "effect": effect}, sentence)
            sys.exit(_exit_code(decided.gate, verdict))
    except KeyboardInterrupt:
        _say_where_it_stands(terminal, verdict, deployment_id)


def _say_where_it_stands(terminal: Terminal, verdict: Verdict, deployment_id: str) -> NoReturn:
    """Looks what became of a decision that was interrupted: it may be made, and reported."""
    try:
        say("", err=True)  # ends the line that shows ^C
        terminal.note(f"Looking where {deployment_id} stands (Ctrl-C again ends this at once)")
        terminal.clients.countdown.restart()
        gate = terminal.table.get(deployment_id)
    except GateNotFoundError:
        raise
    except (GreenlightError, KeyboardInterrupt) as exc:
        why = str(exc) or "interrupted again"
        terminal.end(
            Exit.FAILED,
            f"Whether {deployment_id} is decided is not known: {why}. "
            f"Run: greenlight show {deployment_id}",
        )
    if gate.status is GateStatus.WAITING:
        terminal.end(Exit.FAILED, f"Interrupted: {deployment_id} is not decided, it waits")
    found = {**as_json(gate), "effect": "interrupted"}
    terminal.say(found, view.where_it_stands(gate))
    sys.exit(_exit_code(gate, verdict))


def _exit_code(gate: Gate, verdict: Verdict) -> Exit:
    """Done, also where it was so before: a script may run it twice."""
    if gate.state is GateState.DECIDED:
        return Exit.UNREPORTED
    is_so = gate.goes_on if verdict is Verdict.APPROVE else gate.status is verdict.status
    return Exit.DONE if is_so else Exit.OTHERWISE
