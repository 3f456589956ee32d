"""The real package and the real template, built and deployed into an emulator on loopback."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stand_ins.aws import AwsStandIn, aws_stand_in
from stand_ins.clicks import SIGNING_SECRET
from stand_ins.slack import SlackStandIn, slack_stand_in
from tests.deployed import ENVIRON, ROOT, Deployed, emulator

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
PARAMETER = "/greenlight/slack-webhook"
SIGNING_PARAMETER = "/greenlight/slack-signing-secret"
TEST_URL = "https://{application}.green.example.com/{deployment_id}"


def run(*command: object, cwd: Path = ROOT, **environ: str) -> str:
    """Runs a command that has to succeed; what it writes."""
    done = subprocess.run(
        [str(word) for word in command],
        env=ENVIRON | environ,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def make(target: str, folder: Path, **environ: str) -> str:
    """Does what make does for a target, with the deploy.toml of a folder; what it writes."""
    tool = (sys.executable, "-m", "tools.deploy", target, "deploy.toml")
    path = f"{ROOT}:{ROOT / 'function'}:{ROOT / 'cli'}"
    return run(*tool, cwd=folder, PYTHONPATH=path, **environ)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a deploy.toml, filled in for this Python and this machine."""
    folder = tmp_path_factory.mktemp("project")
    example = (ROOT / "deploy.example.toml").read_text(encoding="utf-8")
    filled_in = example.replace('TestUrl = ""', f'TestUrl = "{TEST_URL}"')
    filled_in += f'Runtime = "{RUNTIME}"\nArchitecture = "{ARCHITECTURE}"\n'
    (folder / "deploy.toml").write_text(filled_in, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def build(folder: Path) -> Path:
    """What `make build` builds."""
    make("build", folder)
    return folder / ".aws-sam" / "build"


@pytest.fixture(scope="session")
def codedeploy() -> Iterator[AwsStandIn]:
    """CodeDeploy, which the emulator does not have."""
    with aws_stand_in() as stand_in:
        yield stand_in


@pytest.fixture(scope="session")
def slack_server() -> Iterator[SlackStandIn]:
    with slack_stand_in() as stand_in:
        yield stand_in


@pytest.fixture
def slack(slack_server: SlackStandIn) -> SlackStandIn:
    """Slack, as if nothing had happened yet."""
    for happened in (slack_server.posts, slack_server.calls, slack_server.shown):
        happened.clear()
    slack_server.script.clear()
    slack_server.webhook_paths = {"/services/T0000/B0000/stand-in-for-a-secret"}
    return slack_server


@pytest.fixture(scope="session")
def deployed(
    folder: Path,
    codedeploy: AwsStandIn,
    slack_server: SlackStandIn,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployed]:
    """The stack, deployed into the emulator as `make deploy` does it."""
    log = tmp_path_factory.mktemp("emulator")
    with emulator(codedeploy, log) as endpoint_url:
        stack = Deployed(endpoint_url, codedeploy, folder)
        stack.client("ssm").put_parameter(
            Name=PARAMETER, Value=slack_server.webhook_url, Type="SecureString"
        )
        stack.client("ssm").put_parameter(
            Name=SIGNING_PARAMETER, Value=SIGNING_SECRET, Type="SecureString"
        )
        make("deploy", folder, AWS_ENDPOINT_URL=endpoint_url)
        yield stack
    shutil.rmtree(log)
