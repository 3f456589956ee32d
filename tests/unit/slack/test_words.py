"""The words of the messages: complete in each language, written in it, and put beside another's."""

import itertools
import re
from dataclasses import asdict, fields, replace
from importlib import import_module

import pytest

from greenlight.model.message import Language
from greenlight.slack.words import Words, in_both

HANGUL = re.compile("[가-힣]")
KANA_AND_KANJI = re.compile("[ぁ-ゖァ-ヺ一-鿿]")


# What has little room in Slack, or goes into a command line.
SHORT = re.compile(r".*_button|confirm_.*|reason_(input|example)")
NAMES = [field.name for field in fields(Words)]
PAIRS = list(itertools.permutations(Language, 2))


def module_of(language: Language) -> Words:
    words: Words = import_module(f"greenlight.slack.words.{language}").WORDS
    return words


def words_of(language: Language) -> dict[str, str]:
    return asdict(module_of(language))


def at_ecs(language: Language) -> dict[str, str]:
    words: dict[str, str] = import_module(f"greenlight.slack.words.{language}").ECS
    return words


def placeholders(text: str) -> set[str]:
    return set(re.findall(r"\{(\w*)\}", text))


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", NAMES)
def test_each_sentence_is_there_in_its_own_script(name: str, language: Language) -> None:
    text = words_of(language)[name]

    assert text
    assert bool(HANGUL.search(text)) == (language is Language.KOREAN)
    assert bool(KANA_AND_KANJI.search(text)) == (language is Language.JAPANESE)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", NAMES)
def test_the_same_is_filled_into_a_sentence_in_every_language(
    name: str, language: Language
) -> None:
    assert placeholders(words_of(language)[name]) == placeholders(words_of(Language.ENGLISH)[name])


@pytest.mark.parametrize("language", Language)
def test_what_is_different_at_ecs_is_so_in_every_language(language: Language) -> None:
    words, english = words_of(language), at_ecs(Language.ENGLISH)

    assert at_ecs(language).keys() == english.keys()
    for name, text in at_ecs(language).items():
        assert placeholders(text) - {"engine"} == placeholders(words[name]) - {"engine"}, name
        assert bool(HANGUL.search(text)) == (language is Language.KOREAN), name
        assert bool(KANA_AND_KANJI.search(text)) == (language is Language.JAPANESE), name


def test_korean_particles_go_with_how_an_engine_is_called() -> None:
    """Both end in a vowel: 이씨에스, 코드디플로이."""
    for text in [*words_of(Language.KOREAN).values(), *at_ecs(Language.KOREAN).values()]:
        assert not re.search(r"\{engine\}(은|이|을|과|으로)\b", text), text


# What tells messages apart at a glance: only a gate that waits has the tick.
SIGNS = {
    "header": "✅",
    "approved_header": "🚀",
    "rejected_header": "⛔",
    "expired_header": "⌛",
    "failed_header": "❌",
    "reminder_header": "⏰",
    "live_header": "🟢",
    "broken_header": "🔴",
    "stopped_header": "🛑",
    "rolled_back_header": "↩️",
    "stuck_header": "⚠️",
    "left_header": "⏸️",
}


@pytest.mark.parametrize("language", Language)
def test_each_header_has_a_sign_of_its_own(language: Language) -> None:
    headers = {name: text for name, text in words_of(language).items() if name.endswith("header")}

    assert len(set(SIGNS.values())) == len(headers)
    assert {name: text.partition(" ")[0] for name, text in headers.items()} == SIGNS


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pair", PAIRS)
def test_two_languages_say_everything_but_what_is_short(
    name: str, pair: tuple[Language, Language]
) -> None:
    first, second = (words_of(language)[name] for language in pair)
    both = asdict(in_both(*map(module_of, pair)))[name]

    if SHORT.fullmatch(name):
        assert both == first
    elif name.endswith("header"):
        assert both == f"{first} / {second.partition(' ')[2]}", "one sign"
    else:
        assert both in (f"{first}\n{second}", f"{first} / {second}")


def test_a_header_with_no_room_for_both_is_in_the_first_language() -> None:
    korean, japanese = module_of(Language.KOREAN), module_of(Language.JAPANESE)
    rest = len(f"{korean.header} / ")

    for length, has_room in ((150 - rest, True), (151 - rest, False)):
        title = "待" * length
        both = in_both(korean, replace(japanese, header=f"✅ {title}"))

        assert both.header == (f"{korean.header} / {title}" if has_room else korean.header)
