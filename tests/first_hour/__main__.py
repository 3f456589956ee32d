"""Does what README.md tells, in an empty folder: `make first-hour`.

From a clone of what is committed to a stack and back, word for word, with a bare environment. AWS
is the emulator on loopback, Slack and CodeDeploy are the stand-ins: themselves they are no part of
it.
"""

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from demo.show import as_text
from stand_ins.aws import CREDENTIALS, aws_stand_in
from stand_ins.clicks import SIGNING_SECRET, form, payload, signed
from stand_ins.slack import WEBHOOK_PATH, SlackStandIn, slack_stand_in
from tests.deployed import ROOT, STACK, Deployed, emulator, eventually
from tests.first_hour.readme import Readme, UnclearError, name_of, read
from tests.first_hour.terminal import StepFailedError, Terminal, show

TEST_URL: Final = "https://{application}.test.example.com/?release={deployment_id}"
LONG: Final = 5  # seconds
SECRETS: Final = {
    "/greenlight/slack-webhook": "the webhook URL",
    "/greenlight/slack-signing-secret": "the signing secret",
}
# What pip and git need to get through, and the Python that make was told to use.
LET_THROUGH: Final = re.compile(
    r"(PIP|UV|SSL_CERT)_.*|(REQUESTS|CURL)_CA_BUNDLE|PYTHON|((HTTPS?|ALL)_PROXY)", re.IGNORECASE
)


def main() -> int:
    """Runs the command."""
    began = time.monotonic()
    with desk() as one:
        try:
            one.spend_the_first_hour()
        except Exception as exc:
            sys.stdout.flush()
            print(f"\nfirst-hour failed at `{one.terminal.step}`: {exc}", file=sys.stderr)
            if isinstance(exc, StepFailedError | UnclearError):
                return 1
            raise
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    long = ", ".join(f"{name} {took:.0f} s" for name, took in one.terminal.took if took > LONG)
    print(f"\nThe first hour took {minutes} min {seconds} s ({long}).")
    return 0


@contextmanager
def desk() -> Iterator["Desk"]:
    """A folder that holds a clone, a terminal in it, and the services on loopback."""
    with (
        tempfile.TemporaryDirectory(prefix="first-hour-") as name,
        aws_stand_in() as codedeploy,
        slack_stand_in() as slack,
    ):
        empty = Path(name)
        for folder in ("home", "pipx"):
            (empty / folder).mkdir()
        (empty / "pipx" / "pipx").symlink_to(ROOT / ".venv-pipx" / "bin" / "pipx")
        with emulator(codedeploy, empty) as endpoint_url:
            environ = {
                **{n: value for n, value in os.environ.items() if LET_THROUGH.fullmatch(n)},
                **pips_own(),
                **CREDENTIALS,
                "AWS_ENDPOINT_URL": endpoint_url,
                "AWS_ENDPOINT_URL_CODEDEPLOY": codedeploy.endpoint_url,
                "SAM_CLI_TELEMETRY": "0",  # it would call AWS
                "HOME": str(empty / "home"),
                "PATH": f"{empty}/home/.local/bin:{empty}/pipx:{os.environ['PATH']}",
            }
            clone = empty / "greenlight"
            terminal = Terminal(empty, environ, (WEBHOOK_PATH, SIGNING_SECRET))
            yield Desk(terminal, clone, Deployed(endpoint_url, codedeploy, clone), slack)


def pips_own() -> dict[str, str]:
    """Where pip keeps what it fetched, and is told where from, in the home of who runs this."""
    environ = {}
    asked = [sys.executable, "-m", "pip", "cache", "dir"]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode == 0 and "PIP_CACHE_DIR" not in os.environ:
        environ["PIP_CACHE_DIR"] = found.stdout.strip()
    for path in (Path.home() / ".config" / "pip" / "pip.conf", Path.home() / ".pip" / "pip.conf"):
        if path.exists() and "PIP_CONFIG_FILE" not in os.environ:
            environ["PIP_CONFIG_FILE"] = str(path)
    return environ


@dataclass
class Desk:
    """Where somebody spends the first hour.

    `request_url` and `export` are what `make deploy` printed. By deployment id, `events` are the
    hooks that were called, and `decided` is what `greenlight` made of each.
    """

    terminal: Terminal
    clone: Path
    stack: Deployed
    slack: SlackStandIn
    request_url: str = ""
    export: str = ""
    decided: dict[str, str] = field(default_factory=dict)
    events: dict[str, dict[str, str]] = field(default_factory=dict)

    def spend_the_first_hour(self) -> None:
        """Does all of it. Raises StepFailedError or UnclearError at the first that fails."""
        if said := git("status", "--porcelain"):
            print(f"What is not committed is no part of this: {len(said.splitlines())} files.")
        self.terminal.type(
            f"git clone --quiet {shlex.quote(str(ROOT))} greenlight",
            seconds=60,
        )
        self.terminal.folder = self.clone
        self.terminal.step = "reading README.md"
        readme = read((self.clone / "README.md").read_text(encoding="utf-8"))
        for command in readme.to_try:
            if command == "make test":
                self.terminal.begin(f"$ {command}\n  (left out: it takes as long as all of this)")
            else:
                self.terminal.type(command)
        for command in readme.to_deploy:
            self.deploy(command, readme)

        first = self.ask(readme, "테스트 대기 중")
        self.click(first, "approve", "Succeeded")
        before = self.ask(readme, "테스트 대기 중")

        self.terminal.type("pipx install .")
        self.terminal.export(self.export)
        for deployment_id in dict.fromkeys(re.findall(r"\bd-\w+", "\n".join(readme.to_decide))):
            self.ask(readme, "테스트 대기 중", deployment_id)
        for command in readme.to_decide:
            self.decide(command, readme, waiting=before)

        self.change_a_line(readme)
        self.click(before, "reject", "Failed")
        self.click(self.ask(readme, "waiting to be tested"), "approve", "Succeeded")
        self.undeploy()

    def deploy(self, command: str, readme: Readme) -> None:
        """One of the commands that lead to a stack, and what the README says about it."""
        match name_of(command):
            case "cp deploy.example.toml":
                self.terminal.type(command)
                self.edit('TestUrl = ""', f'TestUrl = "{TEST_URL}"')
            case "make secrets":
                answers = (
                    ("webhook URL (not shown)", self.slack.webhook_url),
                    ("signing secret (not shown)", SIGNING_SECRET),
                )
                self.terminal.type(command, answers)
                self.check_secrets()
            case "make deploy":
                said = self.terminal.type(command)
                self.read_what_is_next(said, readme)

    def read_what_is_next(self, said: str, readme: Readme) -> None:
        """What `make deploy` ends with: the Request URL, the AppSpec's line, and one to type."""
        url = re.search(r"the Request URL is:\n +(https://\S+)", said)
        expect(url, f"`make deploy` ended without a Request URL:\n{said}")
        self.request_url = url[1] if url else ""
        expect(f"  {readme.hooks}\n" in said, f"`make deploy` did not end with `{readme.hooks}`")
        export = re.search(r"^ +(export .*DYNAMODB_TABLE_NAME=\S+)$", said, re.MULTILINE)
        expect(export, f"`make deploy` ended without DYNAMODB_TABLE_NAME:\n{said}")
        self.export = export[1] if export else ""

    def edit(self, before: str, after: str) -> None:
        """Changes one line of deploy.toml, as in an editor."""
        self.terminal.begin("$ vi deploy.toml")
        print(f"  -{before}\n  +{after}")
        file = self.clone / "deploy.toml"
        text = file.read_text(encoding="utf-8")
        expect(text.count(f"\n{before}\n") == 1, f"deploy.toml has not one line `{before}`")
        file.write_text(text.replace(f"\n{before}\n", f"\n{after}\n"), encoding="utf-8")

    def check_secrets(self) -> None:
        """Both secrets are stored, as they were typed, and encrypted."""
        for name, typed in zip(SECRETS, (self.slack.webhook_url, SIGNING_SECRET), strict=True):
            ask = self.stack.client("ssm").get_parameter
            stored = ask(Name=name, WithDecryption=True)["Parameter"]
            is_kept = (stored["Type"], stored["Value"]) == ("SecureString", typed)
            expect(is_kept, f"{SECRETS[name]} is not stored in {name} as it was typed")

    def ask(
        self, readme: Readme, title: str, deployment_id: str | None = None
    ) -> tuple[dict[str, str], Any]:
        """CodeDeploy calls the hook of a new deployment: its event, and the message in Slack."""
        event = self.stack.new_deployment(deployment_id)
        told = len(self.slack.messages)
        self.events[event["DeploymentId"]] = event
        self.terminal.begin(f"> CodeDeploy calls {readme.function} for {event['DeploymentId']}")
        self.stack.call_hook(event, readme.function)
        try:
            eventually(lambda: "notified_at" in self.stack.gate(event))
        except AssertionError:
            log = self.stack.log(readme.function)
            raise StepFailedError(f"nobody was told. The function's log:\n{log}") from None
        expect(len(self.slack.messages) == told + 1, "the hook did not become one message")
        message = self.slack.messages[-1]
        text = as_text(message)
        show(text, first=14, last=0)
        url = f"https://shop-{self.stack.number}.test.example.com/?release={event['DeploymentId']}"
        for piece in (title, url):
            expect(piece in text, f"the message in Slack does not say `{piece}`:\n{text}")
        return event, message

    def click(self, asked: tuple[dict[str, str], Any], verdict: str, reported: str) -> None:
        """Somebody presses a button; Slack sends that to the Request URL that was printed."""
        event, message = asked
        name = event["DeploymentId"]
        self.terminal.begin(f"> Somebody presses {verdict!r} for {name}: POST {self.request_url}")
        pressed = payload(message, f"greenlight_{verdict}", self.slack.response_url)
        body = form(pressed)
        status = self.stack.request(body, signed(body), self.request_url)
        expect(status == 200, f"the Request URL answered the click with {status}")
        expect(self.slack.responses, "nothing took the place of the buttons in Slack")
        show(as_text(self.slack.responses[-1]))
        self.check_report(event, reported)

    def check_report(self, event: dict[str, str], reported: str | None) -> None:
        """CodeDeploy was told so about a hook."""
        name, told = event["DeploymentId"], self.stack.report(event)
        print(f"  CodeDeploy was told: {told}")
        expect(told == reported, f"CodeDeploy was told {told} of {name}, not {reported}")

    def decide(self, command: str, readme: Readme, waiting: tuple[dict[str, str], Any]) -> None:
        """One of the commands `greenlight`, on a gate that waits or has been decided."""
        verdict = command.split()[1]
        if verdict == "list":
            said = self.terminal.type(command)
            name = waiting[0]["DeploymentId"]
            expect(name in said, f"`{command}` does not list {name}, which waits")
            return
        deployment_id = command.split()[2]
        before = self.decided.get(deployment_id)
        if verdict == "show":
            found = json.loads(self.terminal.type(command))
            expect(found["status"] == before, f"`{command}` does not say that it is {before}")
            return
        status = {"approve": "APPROVED", "reject": "REJECTED"}[verdict]
        is_late = before not in (None, status)
        self.terminal.type(command, code=readme.otherwise if is_late else 0)
        if is_late:
            print(f"  (exit code {readme.otherwise}: the first decision stands)")
        self.decided.setdefault(deployment_id, status)
        told = {"APPROVED": "Succeeded", "REJECTED": "Failed"}[self.decided[deployment_id]]
        self.check_report(self.events[deployment_id], told)

    def change_a_line(self, readme: Readme) -> None:
        """A second deployment: what was edited is changed, and nothing else is lost."""
        before, printed = self.parameters(), (self.request_url, self.export)
        self.edit('MessageLanguage = "ko"', 'MessageLanguage = "en"')
        said = self.terminal.type("make deploy")
        expect("MessageLanguage: ko -> en" in said, "`make deploy` did not say what it changes")
        self.read_what_is_next(said, readme)
        is_same = printed == (self.request_url, self.export)
        expect(is_same, "the second `make deploy` has another Request URL or table")
        expect(
            self.parameters() == before | {"MessageLanguage": "en"},
            f"the second `make deploy` changed more than the line: {self.parameters()}",
        )
        self.check_secrets()

    def parameters(self) -> dict[str, str]:
        """The parameters that the stack has."""
        (stack,) = self.stack.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
        return {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}

    def undeploy(self) -> None:
        """The stack goes, and what stays is what is listed."""
        table = self.stack.output("TableName")
        said = self.terminal.type("make undeploy")
        for name in (f"--table-name {table} ", *(f"--name {secret} " for secret in SECRETS)):
            expect(name in said, f"`make undeploy` does not list how to remove {name}")
        expect("SAM's bucket" in said, "`make undeploy` does not list SAM's bucket")
        items = self.stack.client("dynamodb").scan(TableName=table)["Items"]
        expect(len(items) == self.stack.number, f"the table has {len(items)} gates")
        self.check_secrets()
        functions = self.stack.client("lambda").list_functions()["Functions"]
        expect(not functions, "`make undeploy` left functions behind")


def git(*words: str) -> str:
    """What git says of this checkout."""
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout


def expect(condition: object, sentence: str) -> None:
    """Raises StepFailedError with the sentence unless something is so."""
    if not condition:
        raise StepFailedError(sentence)


if __name__ == "__main__":
    sys.exit(main())
