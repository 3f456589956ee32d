"""A page and its translation say the same, and every link of the pages leads somewhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.template import load_template

PAGES = [
    *(ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"),
    *ROOT.glob("README*.md"),
    *ROOT.glob("docs/*.md"),
]
PAIRS = [
    ("README.md", "README.ko.md"),
    ("docs/deploy.md", "docs/deploy.ko.md"),
    ("docs/ecs.md", "docs/ecs.ko.md"),
]

FENCED = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True)
class Section:
    """A heading, and what stands between it and the next one, without blocks of code."""

    level: int
    anchor: str
    text: str


@dataclass(frozen=True)
class Page:
    """A page, as GitHub reads it."""

    path: Path
    text: str

    @property
    def blocks(self) -> list[tuple[str, str]]:
        """Each block of code: its language and its text."""
        return FENCED.findall(self.text)

    @property
    def sections(self) -> list[Section]:
        """Its sections; a heading like an earlier one has a number in its anchor."""
        parts = re.split(r"^(#+) (.+)\n", FENCED.sub("", self.text), flags=re.MULTILINE)
        assert not parts[0], "a page begins with its heading"
        sections: list[Section] = []
        seen: list[str] = []
        for level, heading, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            number = seen.count(anchor)
            seen.append(anchor)
            sections.append(Section(len(level), f"{anchor}-{number}" if number else anchor, text))
        return sections

    @property
    def anchors(self) -> list[str]:
        """The anchors of its headings, in order."""
        return [section.anchor for section in self.sections]

    @property
    def tables(self) -> list[list[list[str]]]:
        """The cells of each row of each table, without the line below its head."""
        tables = re.findall(r"(?:^\|.*\|\n)+", FENCED.sub("", self.text), re.MULTILINE)
        return [
            [row.strip("|\n").split("|") for row in table.splitlines() if set(row) - set("|-")]
            for table in tables
        ]


@cache
def read(path: Path) -> Page:
    return Page(path, path.read_text(encoding="utf-8"))


@pytest.fixture(params=PAIRS, ids=lambda pair: pair[0])
def pair(request: pytest.FixtureRequest) -> tuple[Page, Page]:
    english, korean = request.param
    return read(ROOT / english), read(ROOT / korean)


def codes(text: str) -> list[str]:
    """What stands in `code` there, wherever its lines are broken."""
    return sorted(" ".join(code.split()) for code in CODE.findall(text))


def numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", CODE.sub("", text)))


def links(page: Page, text: str) -> Iterator[tuple[Path, str]]:
    """The files that it links to, and where in them: "" for their beginning."""
    for target in LINK.findall(text):
        if not re.match(r"[a-z]+:", target):
            path, _, anchor = target.partition("#")
            yield (page.path.parent / path).resolve() if path else page.path, anchor


def in_korean(path: Path, anchor: str) -> tuple[Path, str]:
    """The same place in the Korean page, where there is one."""
    for english, korean in ((ROOT / one, ROOT / other) for one, other in PAIRS):
        if path == english:
            places = dict(zip(read(english).anchors, read(korean).anchors, strict=True))
            return korean, anchor and places[anchor]
    return path, anchor


def test_every_korean_page_is_held_against_its_english_one() -> None:
    korean = {str(page.relative_to(ROOT)) for page in PAGES if page.name.endswith(".ko.md")}

    assert {page for _, page in PAIRS} == korean


def test_each_links_to_the_other_at_its_top(pair: tuple[Page, Page]) -> None:
    english, korean = pair

    assert english.text.splitlines()[2] == f"[한국어]({korean.path.name})"
    assert korean.text.splitlines()[2] == f"[English]({english.path.name})"


def test_they_have_the_same_headings(pair: tuple[Page, Page]) -> None:
    english, korean = pair

    levels = [section.level for section in english.sections]
    assert len(levels) > 5
    assert [section.level for section in korean.sections] == levels


def test_what_they_give_to_paste_is_the_same_but_for_its_comments(pair: tuple[Page, Page]) -> None:
    english, korean = pair
    assert english.blocks

    for (language, code), (other, its_code) in zip(english.blocks, korean.blocks, strict=True):
        assert other == language
        if language:
            without_comments = [
                re.sub(r"(^|\s)(#|//)\s.*|\s+$", "", block, flags=re.MULTILINE)
                for block in (code, its_code)
            ]
            assert without_comments[0] == without_comments[1]
        else:  # a message in Slack, in the language of the page
            assert len(its_code.splitlines()) == len(code.splitlines())
            assert re.findall(r"https?://\S+", its_code) == re.findall(r"https?://\S+", code)


def test_their_tables_have_the_same_rows(pair: tuple[Page, Page]) -> None:
    english, korean = pair
    assert english.tables

    for table, its_table in zip(english.tables, korean.tables, strict=True):
        assert len(its_table) == len(table)
        for row, its_row in zip(table[1:], its_table[1:], strict=True):
            if not re.search(r"[^\W\d_]", CODE.sub("", row[0])):  # names and nothing else
                assert its_row[0] == row[0]
            for cell, its_cell in zip(row, its_row, strict=True):
                assert codes(its_cell) == codes(cell)
                assert numbers(its_cell) == numbers(cell)


def test_each_section_names_the_same_commands_settings_and_files(pair: tuple[Page, Page]) -> None:
    english, korean = pair

    for section, its_section in zip(english.sections, korean.sections, strict=True):
        assert set(codes(its_section.text)) == set(codes(section.text)), section.anchor


def test_every_setting_and_parameter_of_one_is_in_the_other(pair: tuple[Page, Page]) -> None:
    settings = (ROOT / "function/greenlight/runtime/settings.py").read_text(encoding="utf-8")
    names = {*re.findall(r'"([A-Z][A-Z_]+)"', settings)}
    names |= {*load_template(ROOT / "template.yaml")["Parameters"], "stack_name"}

    english, korean = (names & set(re.findall(r"[A-Za-z_]+", page.text)) for page in pair)
    assert english
    assert korean == english


def test_each_section_links_to_the_same_places(pair: tuple[Page, Page]) -> None:
    english, korean = pair

    for section, its_section in zip(english.sections[1:], korean.sections[1:], strict=True):
        meant = sorted(in_korean(*link) for link in links(english, section.text))
        assert sorted(links(korean, its_section.text)) == meant, section.anchor
        outside = r"https?://[^\s)]*[\w/]"
        assert re.findall(outside, its_section.text) == re.findall(outside, section.text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page: Path) -> None:
    for path, anchor in links(read(page), FENCED.sub("", read(page).text)):
        assert path.exists(), path
        assert path.is_relative_to(ROOT), path
        if anchor:
            assert anchor in read(path).anchors, (path, anchor)


def test_there_are_links_to_follow() -> None:
    found = [link for page in PAGES for link in links(read(page), read(page).text)]

    assert sum(1 for _, anchor in found if anchor) > 10
