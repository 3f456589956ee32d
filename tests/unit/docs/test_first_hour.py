"""What `make first-hour` reads out of the README: all of it, or a sentence that says what not."""

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.first_hour.readme import UnclearError, blocks, read

README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_command_is_read_word_for_word() -> None:
    readme = read(README)

    assert readme.to_deploy == [
        "cp deploy.example.toml deploy.toml",
        "make secrets",
        "make deploy",
    ]
    assert readme.to_decide[1] == 'greenlight approve d-K4WQ7RZ2H --reason "tested checkout"'
    assert (readme.function, readme.otherwise) == ("CodeDeployHook_greenlight", 4)


@pytest.mark.parametrize("page", [*ROOT.glob("README*.md")], ids=lambda page: page.name)
def test_the_commands_are_the_same_in_every_language(page: Path) -> None:
    assert blocks(page.read_text(encoding="utf-8")) == blocks(README)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("make secrets  ", "make secret  ", "`make secret` in a block"),
        ("make secrets  ", "make deploy  ", "with just `cp deploy.example.toml`, `make secrets`"),
        (" --json", " --format json", "`greenlight show d-K4WQ7RZ2H --format json`"),
        ("make deploy  ", "make build\nmake deploy  ", "`make build` in a block"),
        ("`pipx install .`", "`pipx install greenlight-gate`", "`pipx install greenlight-gate`"),
        ("`make undeploy`", "the page", "the command `make undeploy` no longer"),
        ("fill in TestUrl", "fill it in", "to fill in TestUrl"),
        ("`Hooks: [{After", "`Hooks: [{Before", "the line for the AppSpec"),
        ("4 decided or ended", "4 gone or ended", "the exit code"),
        ("## Deciding", "```sh\nmake deploy\n```\n## Deciding", "three blocks"),
    ],
)
def test_what_is_not_understood_is_named(before: str, after: str, said: str) -> None:
    assert before in README

    with pytest.raises(UnclearError, match=said):
        read(README.replace(before, after))
