"""What README.md tells people to type: read out of it, and refused where it cannot be followed."""

import re
from dataclasses import dataclass
from typing import Final

# What its blocks of sh have, each once; a command is known by its first two words.
TO_TRY: Final = ("make demo", "make test")
TO_DEPLOY: Final = ("cp deploy.example.toml", "make secrets", "make deploy")
TO_DECIDE: Final = ("greenlight list", "greenlight approve", "greenlight reject", "greenlight show")
DECISION: Final = r' d-\w+ --reason "[^"]+"'
REST: Final = {
    "cp deploy.example.toml": r" deploy\.toml",
    "greenlight approve": DECISION,
    "greenlight reject": DECISION,
    "greenlight show": r" d-\w+ --json",
}
# What its sentences have between backticks, and what else may stand there.
IN_SENTENCES: Final = ("make deploy", "pipx install .", "make undeploy")
ELSEWHERE: Final = re.compile(r"(\w+=\S+ )*make demo( \w+=\S+)*|make secrets")
COMMAND: Final = re.compile(r"(\w+=\S+ )*(cp|git|greenlight|make|pipx) ")

HOOKS: Final = re.compile(r"`(Hooks: \[\{AfterAllowTestTraffic: (\w+)\}\])`")
OTHERWISE: Final = re.compile(r"(\d) decided or ended\s+otherwise")


class UnclearError(Exception):
    """README.md says something that cannot be followed; the sentence says what."""


@dataclass(frozen=True)
class Readme:
    """The commands of README.md, word for word and in its order.

    `hooks` is the line for the AppSpec and `function` the one that it names; `otherwise` is the
    exit code of a decision that was made otherwise before.
    """

    to_try: list[str]
    to_deploy: list[str]
    to_decide: list[str]
    hooks: str
    function: str
    otherwise: int


def read(text: str) -> Readme:
    """Reads README.md. Raises UnclearError."""
    check_sentences(text)
    to_try, to_deploy, to_decide = blocks(text)
    hooks = found(HOOKS, text, "the line for the AppSpec, `Hooks: [{AfterAllowTestTraffic: …}]`")
    otherwise = found(OTHERWISE, text, "the exit code of what was decided otherwise")
    return Readme(to_try, to_deploy, to_decide, hooks[1], hooks[2], int(otherwise[1]))


def blocks(text: str) -> list[list[str]]:
    """The commands in the three blocks of sh. Raises UnclearError."""
    known = [TO_TRY, TO_DEPLOY, TO_DECIDE]
    written = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    read = [[without_comment(line) for line in block.splitlines()] for block in written]
    for line in (line for block in read for line in block):
        name = name_of(line)
        if name not in {*TO_TRY, *TO_DEPLOY, *TO_DECIDE} or not re.fullmatch(
            re.escape(name) + REST.get(name, ""), line
        ):
            raise UnclearError(f"README.md has `{line}` in a block, which is not known here")
    names = [sorted(map(name_of, block)) for block in read]
    for commands in known:
        if sorted(commands) not in names or len(names) != len(known):
            raise UnclearError(
                "README.md has no longer three blocks of commands, one of them with just "
                + ", ".join(f"`{one}`" for one in commands)
            )
    if "TestUrl" not in found(re.compile("cp deploy.example.toml.*"), text, "the copy")[0]:
        raise UnclearError("README.md says no longer, beside the copy, to fill in TestUrl")
    return [read[names.index(sorted(commands))] for commands in known]


def check_sentences(text: str) -> None:
    """Raises UnclearError where a command in a sentence is not known, or one is there no longer."""
    prose = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    named = [" ".join(one.split()) for one in re.findall(r"`([^`]+)`", prose)]
    for one in filter(COMMAND.match, named):
        if one not in IN_SENTENCES and not ELSEWHERE.fullmatch(one):
            raise UnclearError(f"README.md has the command `{one}`, which is not known here")
    for one in IN_SENTENCES:
        if one not in named:
            raise UnclearError(f"README.md has the command `{one}` no longer")


def found(pattern: re.Pattern[str], text: str, what: str) -> re.Match[str]:
    """Where a text has a pattern. Raises UnclearError."""
    if match := pattern.search(text):
        return match
    raise UnclearError(f"README.md has no longer {what}")


def name_of(command: str) -> str:
    """What a command is known by."""
    return " ".join(command.split()[:2])


def without_comment(line: str) -> str:
    """A line of a shell without the comment at its end."""
    return re.sub(r"\s+#\s.*", "", line).strip()
