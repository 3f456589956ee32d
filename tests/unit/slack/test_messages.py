"""Slack messages: what they say, and that no text from outside can make them say more."""

import itertools
import json
import re
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenlight.model.gate import EngineName, Gate, GateStatus, Hook, Outcome, TimeoutAction, Via
from greenlight.model.life import News
from greenlight.model.message import Commands, Language, Look, Message, Pointers
from greenlight.slack.blocks import escape
from greenlight.slack.buttons import ACTIONS, CLAIM_ACTION, button_value, hook_of
from greenlight.slack.messages import (
    answered_notice,
    decided_notice,
    denied_notice,
    gate_notice,
    help_notice,
    list_notice,
    needs_reason_notice,
    no_index_notice,
    not_approver_notice,
    not_done_notice,
    not_looked_up_notice,
    plainer,
    render,
    standing_notice,
    unknown_id_notice,
    unknown_notice,
    unreported_notice,
)
from greenlight.slack.words import words_in
from tests.block_kit import refused

DEADLINE = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
OUR_MARKUP = re.compile(
    r"<https?://[^<>|\s]*\|[^<>]*>|<@[A-Z0-9]+>"
    r"|<!date\^\d+\^\{date_short_pretty\} \{time\}\|[0-9:\- ]+UTC>"
)


def gate(**changes: Any) -> Gate:
    fields = {
        "deployment_id": "d-K4WQ7RZ2H",
        "hook_execution_id": "hook-local",
        "status": GateStatus.WAITING,
        "test_url": "https://green.example.com/?a=1&b=2",
        "created_at": DEADLINE,
        "deadline": DEADLINE,
        "application": "shop",
        "deployment_group": "shop-blue-green",
        "description": "Faster <checkout>",
        "creator": "user",
    }
    return Gate(**{**fields, **changes})


POINTERS = Pointers(
    console_url="https://console.example.com/d-K4WQ7RZ2H?region=x",
    commands=Commands("aws approve", "aws reject"),
    options=("--table", "gates"),
)
ENGLISH = words_in((Language.ENGLISH,), EngineName.CODEDEPLOY)
# What may be set: each language, and any two.
SPOKEN = [pair for count in (1, 2) for pair in itertools.permutations(Language, count)]


def message(
    of: Gate | None = None,
    *languages: Language,
    image_url: str | None = "https://example.com/cat.gif",
    has_buttons: bool = False,
    command: str | None = None,
) -> Message:
    look = Look(languages or (Language.ENGLISH,), image_url, has_buttons, command)
    return render(of or gate(), News.WAITING, POINTERS, look)


def closed(of: Gate, *languages: Language) -> Message:
    return render(of, News.CLOSED, POINTERS, Look(languages or (Language.ENGLISH,)))


def texts(of: Message) -> list[str]:
    found = []
    for block in of["blocks"]:
        if block["type"] == "section":
            found += [
                text["text"] for text in [block.get("text"), *block.get("fields", [])] if text
            ]
    return found


@pytest.mark.parametrize(
    ("language", "header", "others"),
    [
        (
            Language.KOREAN,
            "✅ ECS 배포: 테스트 대기 중",
            [
                "배포 ID",
                "테스트 URL",
                "애플리케이션",
                "배포 그룹",
                "설명",
                "결정 기한",
                "승인",
                "거부",
            ],
        ),
        (
            Language.ENGLISH,
            "✅ ECS deployment: waiting to be tested",
            ["Deployment ID", "Test URL", "Application", "Description", "Approve", "Reject"],
        ),
        (
            Language.JAPANESE,
            "✅ ECS デプロイ: テスト待ち",
            [
                "デプロイ ID",
                "テスト URL",
                "アプリケーション",
                "デプロイグループ",
                "説明",
                "回答期限",
                "承認",
                "却下",
            ],
        ),
    ],
)
def test_the_message_says_it_all_in_each_language(
    language: Language, header: str, others: list[str]
) -> None:
    sent = message(None, language)

    assert sent["blocks"][0]["text"] == {"type": "plain_text", "text": header}
    whole = "\n".join(texts(sent))
    assert "<https://console.example.com/d-K4WQ7RZ2H?region=x|d-K4WQ7RZ2H>" in whole
    assert (
        "<https://green.example.com/?a=1&amp;b=2|https://green.example.com/?a=1&amp;b=2>" in whole
    )
    assert "shop-blue-green" in whole
    assert "Faster &lt;checkout&gt;" in whole
    assert f"<!date^{int(DEADLINE.timestamp())}^" in whole
    assert "|2026-11-23 04:00 UTC>" in whole
    assert "```aws approve```" in whole
    assert "```aws reject```" in whole
    for other in others:
        assert other in whole
    assert sent["blocks"][-1]["image_url"] == "https://example.com/cat.gif"


@pytest.mark.parametrize("languages", SPOKEN)
def test_all_languages_say_the_same_things_in_the_same_order(
    languages: tuple[Language, ...],
) -> None:
    one, english = message(None, *languages), message()

    assert [block["type"] for block in one["blocks"]] == [
        block["type"] for block in english["blocks"]
    ]


@pytest.mark.parametrize("languages", SPOKEN)
def test_each_command_is_copied_by_itself_and_has_a_sentence_of_its_own(
    languages: tuple[Language, ...],
) -> None:
    texts_of_commands = [text for text in texts(message(None, *languages)) if "```" in text]

    sentences, commands = zip(
        *(text.removesuffix("```").split("\n```") for text in texts_of_commands), strict=True
    )
    assert [shlex.split(command)[:2] for command in commands] == [
        ["aws", "approve"],
        ["aws", "reject"],
        ["greenlight", "approve"],
        ["greenlight", "reject"],
    ]
    assert "\n" not in "".join(commands)
    assert len(set(sentences)) == len(commands)


@pytest.mark.parametrize("has_buttons", [False, True])
@pytest.mark.parametrize("languages", SPOKEN)
def test_who_has_no_greenlight_is_told_how_to_get_it_before_its_commands(
    languages: tuple[Language, ...], *, has_buttons: bool
) -> None:
    said = texts(message(None, *languages, has_buttons=has_buttons))

    last_of_aws, how_to_get_it, first_of_ours = said[-4:-1]
    assert "```aws reject```" in last_of_aws
    assert "`pipx install .`" in how_to_get_it
    assert "```greenlight approve" in first_of_ours


def test_a_notification_has_a_plain_text() -> None:
    assert message()["text"] == (
        "✅ ECS deployment: waiting to be tested · d-K4WQ7RZ2H"
        " · https://green.example.com/?a=1&amp;b=2"
    )


def test_what_codedeploy_did_not_say_is_left_out_and_said_to_be_missing() -> None:
    unknown = gate(
        application=None, deployment_group=None, test_url="https://{application}.example.com"
    )

    whole = "\n".join(texts(message(unknown)))

    assert "Application" not in whole
    assert "could not be asked" in whole
    assert "*Test URL*\nhttps://{application}.example.com" in whole, "no link that leads nowhere"


def test_a_message_without_image_is_otherwise_the_same() -> None:
    assert plainer(message()) == message(image_url=None)


def test_escaping_is_slacks_and_in_slacks_order() -> None:
    assert escape('<!channel> & "friends" | *it\'s* `it`') == (
        '&lt;!channel&gt; &amp; "friends" | *it\'s* `it`'
    )


def test_mentions_in_a_text_from_outside_stay_text() -> None:
    sent = message(gate(description="@here #general <!channel> <@U1> <http://x|y>"))

    mrkdwn = [text for text in json_objects(sent) if text.get("type") == "mrkdwn"]
    assert mrkdwn
    assert all(text["verbatim"] is True for text in mrkdwn)
    assert "@here #general &lt;!channel&gt; &lt;@U1&gt; &lt;http://x|y&gt;" in "\n".join(
        texts(sent)
    )


def json_objects(value: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    json.loads(json.dumps(value), object_hook=found.append)
    return found


outside = st.text(max_size=5000) | st.sampled_from(["&" * 4000, "<!channel>", "a|b>c", "```"])


@given(outside, outside, outside, outside, outside, st.sampled_from(SPOKEN))
def test_whatever_comes_from_outside_the_message_is_one_that_slack_takes(
    application: str,
    group: str,
    description: str,
    creator: str,
    path: str,
    languages: tuple[Language, ...],
) -> None:
    sent = message(
        gate(
            application=application,
            deployment_group=group,
            description=description,
            creator=creator,
            test_url="https://green.example.com/" + path,
        ),
        *languages,
        has_buttons=True,
    )

    assert refused(sent) == []
    for text in [*texts(sent), sent["text"]]:
        rest = OUR_MARKUP.sub("", text)
        assert "<" not in rest
        assert ">" not in rest
        assert not re.search(r"&(?!amp;|lt;|gt;)", text)


@given(
    st.from_regex(r"[A-Za-z0-9+/_][A-Za-z0-9+/=_.:-]{0,1699}", fullmatch=True),
    st.sampled_from(SPOKEN),
)
def test_the_longest_command_still_fits_and_can_be_pasted(
    execution_id: str, languages: tuple[Language, ...]
) -> None:
    command = shlex.join(["aws", "deploy", "put", "--id", execution_id, "--status", "Succeeded"])

    pointers = replace(POINTERS, commands=Commands(command, command), options=())
    sent = render(gate(), News.WAITING, pointers, Look(languages))

    assert refused(sent) == []
    pasted = re.findall(r"```(aws.*?)```", "\n".join(texts(sent)))
    assert [shlex.split(one)[4] for one in pasted] == [execution_id, execution_id]


# The buttons.


def test_a_message_with_buttons_asks_before_either_and_says_what_it_does() -> None:
    sent = message(has_buttons=True)

    (actions,) = [block for block in sent["blocks"] if block["type"] == "actions"]
    buttons = approve, reject, claim = actions["elements"]
    assert [one["action_id"] for one in buttons] == [*ACTIONS, CLAIM_ACTION]
    assert [one["value"] for one in buttons] == [button_value(gate().hook)] * 3
    assert "confirm" not in claim
    assert approve["confirm"]["text"]["text"] == (
        "Production traffic moves to the new version of shop/shop-blue-green (d-K4WQ7RZ2H). "
        "The decision cannot be changed."
    )
    assert reject["confirm"]["text"]["text"].endswith("This cannot be undone.")
    for button in (approve, reject):
        assert button["confirm"]["text"]["type"] == "plain_text"
        assert button["confirm"]["confirm"] == button["text"]
        assert button["confirm"]["style"] == button["style"]


def what_approving_does(of: Gate, *languages: Language) -> str:
    sent = message(of, *languages, has_buttons=True)
    assert refused(sent) == []
    (actions,) = [block for block in sent["blocks"] if block["type"] == "actions"]
    text: str = actions["elements"][0]["confirm"]["text"]["text"]
    return text


def test_of_a_service_that_is_not_known_the_deployment_is_approved() -> None:
    unknown = gate(application=None, deployment_group=None)

    assert "the new version of d-K4WQ7RZ2H." in what_approving_does(unknown)


@pytest.mark.parametrize("languages", SPOKEN)
@given(outside, outside)
def test_a_confirmation_shows_of_each_name_what_there_is_room_for(
    languages: tuple[Language, ...], application: str, group: str
) -> None:
    of = gate(application=application, deployment_group=group, deployment_id="d" * 100)

    said = what_approving_does(of, *languages)

    assert "<" not in said
    assert ">" not in said
    assert not re.search(r"&(?!amp;|lt;|gt;)", said)
    assert f"{'d' * 59}…" in said


@pytest.mark.parametrize("languages", SPOKEN)
def test_the_buttons_come_before_the_commands(languages: tuple[Language, ...]) -> None:
    blocks = message(None, *languages, has_buttons=True)["blocks"]

    kinds = ["command" if "```" in json.dumps(block) else block["type"] for block in blocks]
    assert kinds[kinds.index("input") :] == [
        "input",
        "actions",
        "section",  # or decide in a terminal
        "command",
        "command",
        "section",  # how to get greenlight
        "command",
        "command",
        "image",
    ]


def test_a_message_without_buttons_does_not_speak_of_them() -> None:
    sent = message()

    assert {block["type"] for block in sent["blocks"]} == {"header", "section", "image"}
    assert "button" not in json.dumps(sent)
    assert "run one of these commands in a terminal" in json.dumps(sent)


def test_a_plainer_message_still_has_its_buttons() -> None:
    kinds = [block["type"] for block in plainer(message(has_buttons=True))["blocks"]]

    assert "actions" in kinds
    assert not {"input", "image"} & set(kinds)


def test_the_longest_ids_fit_into_the_value_of_a_button() -> None:
    hook = Hook("d" * 100, "A" * 1700)
    assert hook_of(button_value(hook)) == hook

    sent = message(
        gate(deployment_id=hook.deployment_id, hook_execution_id=hook.execution_id),
        has_buttons=True,
    )

    assert refused(sent) == []


# The slash command.


@pytest.mark.parametrize("languages", SPOKEN)
def test_a_slash_command_takes_the_place_of_the_command_at_a_terminal(
    languages: tuple[Language, ...],
) -> None:
    sent = message(None, *languages, has_buttons=True, command="/ship-it")

    assert refused(sent) == []
    commands = re.findall(r"```(.*?)```", "\n".join(texts(sent)))
    why = words_in(languages, EngineName.CODEDEPLOY).reason_example
    assert commands == [
        "/ship-it approve d-K4WQ7RZ2H",
        f"/ship-it reject d-K4WQ7RZ2H {why}",
        "aws approve",
        "aws reject",
    ]
    assert "pipx" not in json.dumps(sent)
    assert "greenlight approve" not in json.dumps(sent)


@pytest.mark.parametrize("languages", SPOKEN)
def test_what_to_do_again_is_what_was_done_before(languages: tuple[Language, ...]) -> None:
    words = words_in(languages, EngineName.CODEDEPLOY)
    for status, button, line in (
        ("APPROVED", words.approve_button, "/x approve d-K4WQ7RZ2H"),
        ("REJECTED", words.reject_button, f"/x reject d-K4WQ7RZ2H {words.reason_example}"),
    ):
        of = gate(status=GateStatus(status), decided_by="U1", decided_via=Via.SLACK)
        for clicked, typed in (
            (unreported_notice(of, "x", words), unreported_notice(of, "x", words, "/x")),
            (answered_notice(of, "x", words), answered_notice(of, "x", words, "/x")),
            (
                standing_notice(of, words, settled=False),
                standing_notice(of, words, settled=False, command="/x"),
            ),
        ):
            assert f"*{button}*" in "\n".join(texts(clicked))
            assert f"`{line}`" not in "\n".join(texts(clicked))
            assert f"`{line}`" in "\n".join(texts(typed))
            assert f"*{button}*" not in "\n".join(texts(typed)).replace(f"*{button}*: <", "")


# What takes the place of the notice.

ENDS = [
    ("APPROVED", Via.SLACK, "U0ALICE", "*Approved* by <@U0ALICE> · <!date^"),
    ("REJECTED", Via.SLACK, "U0ALICE", "*Rejected* by <@U0ALICE> · <!date^"),
    ("APPROVED", Via.CLI, "arn:aws:iam::1:user/alice", "*Approved* by `arn:aws:iam::1:user/alice`"),
    (
        "REJECTED",
        Via.ELSEWHERE,
        None,
        "*Failed or stopped* at CodeDeploy itself, not by a decision made here",
    ),
    ("APPROVED", Via.ELSEWHERE, None, "*Approved* at CodeDeploy itself"),
    ("EXPIRED", Via.ELSEWHERE, None, "Without a decision, CodeDeploy failed the deployment"),
    ("APPROVED", None, None, "*Approved* at CodeDeploy itself"),  # by hand, in the table
    ("FAILED", None, None, "Greenlight could not ask for a test and failed the deployment"),
]


def ended(status: str, via: Via | None, by: str | None, **changes: Any) -> Gate:
    return gate(
        status=GateStatus(status),
        decided_via=via,
        decided_by=by,
        decided_at=DEADLINE,
        reported_at=DEADLINE,
        failed_at=DEADLINE,
        **changes,
    )


@pytest.mark.parametrize("languages", SPOKEN)
@pytest.mark.parametrize(("status", "via", "by", "sentence"), ENDS)
def test_the_end_of_a_gate_is_told_in_a_sentence(
    status: str, via: Via | None, by: str | None, sentence: str, languages: tuple[Language, ...]
) -> None:
    of = ended(status, via, by, reason="a <reason>")

    told = closed(of, *languages)
    notice = standing_notice(of, words_in(languages, EngineName.CODEDEPLOY), settled=False)

    assert refused(told) == refused(notice) == []
    for one in (told, notice):
        whole = "\n".join(texts(one))
        assert "a &lt;reason&gt;" in whole
        assert "|2026-11-23 04:00 UTC>" in whole
        if Language.ENGLISH in languages:
            assert sentence in whole
        if via is Via.SLACK:
            assert whole.count("<@U0ALICE>") == len(languages)


def test_nobody_is_mentioned_whose_id_is_none() -> None:
    of = ended("APPROVED", Via.SLACK, "!channel> <!here")

    told = closed(of)

    assert "by !channel&gt; &lt;!here" in "\n".join(texts(told))


@pytest.mark.parametrize("languages", SPOKEN)
def test_a_long_list_of_approvers_is_cut(languages: tuple[Language, ...]) -> None:
    longest = [f"U{number:030}" for number in range(500)]

    notice = not_approver_notice(longest, words_in(languages, EngineName.CODEDEPLOY))

    assert refused(notice) == []
    assert notice["text"].endswith(f"<@U{29:030}> …")


@given(outside, outside, outside, outside, st.sampled_from(ENDS), st.sampled_from(SPOKEN))
def test_whatever_is_on_record_the_end_is_a_message_that_slack_takes(
    application: str, path: str, by: str, reason: str, end: Any, languages: tuple[Language, ...]
) -> None:
    status, via, _, _ = end
    of = ended(
        status, via, by, reason=reason, application=application, test_url="https://x.example" + path
    )

    words = words_in(languages, EngineName.CODEDEPLOY)
    for sent in (
        closed(of, *languages),
        standing_notice(of, words, settled=True),
        unreported_notice(of, reason, words),
        answered_notice(of, reason, words),
        unknown_notice(reason, words),
        denied_notice(reason, words),
        not_done_notice(reason, words),
        standing_notice(of, words, settled=True, command=reason),
        unreported_notice(of, reason, words, command=reason),
        answered_notice(of, reason, words, command=reason),
        decided_notice(of, POINTERS, words),
        gate_notice(of, POINTERS, words, command=reason),
        list_notice([of] * 3, [POINTERS.console_url] * 3, languages),
        needs_reason_notice(by, reason, words),
        help_notice(reason, words, is_asked=False),
        unknown_id_notice(by, reason, words),
        not_looked_up_notice(reason, words),
        no_index_notice(reason, reason, words),
    ):
        assert refused(sent) == []
        for text in texts(sent):
            rest = OUR_MARKUP.sub("", text)
            assert "<" not in rest
            assert ">" not in rest


# What a gate may be like when there is news of it.
TOLD = {
    News.WAITING: [gate(), replace(gate(), claimed_by="U0ALICE", claimed_at=DEADLINE)],
    News.REMINDER: [gate()],
    News.CLOSED: [
        replace(ended(status, via, by), outcome=outcome, outcome_at=DEADLINE)
        for status, via, by, _ in ENDS
        for outcome in (None, *Outcome)
    ],
    News.FAILED: [ended("FAILED", None, None, reason="&" * 4000)],
    News.ENDED: [ended("FAILED", None, None, reason="&" * 4000)],
    News.STUCK: [gate(status=GateStatus.FAILED, reason="&" * 4000)],
    News.LEFT: [gate(status=GateStatus.FAILED, reason="&" * 4000)],
}


def at_ecs(of: Gate, action: TimeoutAction) -> Gate:
    """The same gate as one of ECS's, at any stage but the usual one."""
    about: dict[str, Any] = {
        "application": None,
        "deployment_group": None,
        "cluster": "c",
        "service": "s",
    }
    told = replace(of, engine=EngineName.ECS, timeout_action=action, stage="PRE_SCALE_UP", **about)
    return replace(told, is_first=True, traffic="CANARY 10 %")


@pytest.mark.parametrize("languages", SPOKEN)
@pytest.mark.parametrize("news", News)
def test_all_news_have_words_in_every_language(news: News, languages: tuple[Language, ...]) -> None:
    for of in [at_ecs(one, action) for one in TOLD[news] for action in TimeoutAction]:
        look = Look(languages, "https://example.com/cat.gif", has_buttons=True)
        sent = render(of, news, POINTERS, look)

        assert refused(sent) == []
        assert not re.search(
            r"\{[a-z]+\}",
            json.dumps({**sent, "blocks": texts(sent)}).replace("{date_short_pretty} {time}", ""),
        )
        assert "CodeDeploy" not in json.dumps(sent)


@pytest.mark.parametrize("languages", SPOKEN)
@pytest.mark.parametrize("news", News)
def test_no_markup_goes_over_the_end_of_a_line(news: News, languages: tuple[Language, ...]) -> None:
    for of in [*TOLD[news], *(replace(one, application=None) for one in TOLD[news])]:
        for text in texts(render(of, news, POINTERS, Look(languages, has_buttons=True))):
            for line in text.splitlines():
                assert line.count("*") % 2 == 0, line
                assert line.startswith("_") == line.endswith("_"), line


def test_a_gate_that_waits_has_not_ended() -> None:
    with pytest.raises(KeyError):
        closed(gate())


def test_a_reminder_is_known_by_its_sign_in_a_notification_too() -> None:
    sent = render(gate(), News.REMINDER, POINTERS, Look((Language.ENGLISH,)))

    assert sent["text"].startswith("⏰ ECS deployment: still waiting to be tested · ")
    assert sent["blocks"][0]["text"]["text"].startswith("⏰")
