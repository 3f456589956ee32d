"""Slack messages: what they say, and that no text from outside can make them say more."""

import json
import re
import shlex
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenlight.blocks import escape
from greenlight.codedeploy import hook_event, parse_hook
from greenlight.messages import (
    ACTIONS,
    answered_notice,
    denied_notice,
    not_approver_notice,
    not_done_notice,
    plainer,
    settled_message,
    standing_notice,
    unknown_notice,
    unreported_notice,
    waiting_message,
)
from greenlight.models import (
    Commands,
    Deployment,
    Gate,
    GateStatus,
    Hook,
    Language,
    Message,
    Via,
)
from stand_ins.slack import broken_limits

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
    }
    return Gate(**{**fields, **changes})


def message(
    of: Gate | None = None,
    deployment: Deployment | None = None,
    language: Language = Language.ENGLISH,
    image_url: str | None = "https://example.com/cat.gif",
    button_value: str | None = None,
) -> Message:
    return waiting_message(
        of or gate(),
        deployment or Deployment("shop", "shop-blue-green", "Faster <checkout>", "user"),
        console_url="https://console.example.com/d-K4WQ7RZ2H?region=x",
        commands=Commands("aws approve", "aws reject"),
        terminal_options=("--table", "gates"),
        button_value=button_value,
        language=language,
        image_url=image_url,
    )


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
    ],
)
def test_the_message_says_it_all_in_either_language(
    language: Language, header: str, others: list[str]
) -> None:
    sent = message(language=language)

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


def test_both_languages_say_the_same_things_in_the_same_order() -> None:
    korean, english = message(language=Language.KOREAN), message(language=Language.ENGLISH)

    assert [block["type"] for block in korean["blocks"]] == [
        block["type"] for block in english["blocks"]
    ]


@pytest.mark.parametrize("language", Language)
def test_each_command_is_copied_by_itself_and_has_a_sentence_of_its_own(language: Language) -> None:
    texts_of_commands = [text for text in texts(message(language=language)) if "```" in text]

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


@pytest.mark.parametrize("button_value", [None, "d-1"])
@pytest.mark.parametrize("language", Language)
def test_who_has_no_greenlight_is_told_how_to_get_it_before_its_commands(
    language: Language, button_value: str | None
) -> None:
    said = texts(message(language=language, button_value=button_value))

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

    whole = "\n".join(texts(message(unknown, Deployment())))

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
    deployment = Deployment("shop", "group", "@here #general <!channel> <@U1> <http://x|y>", "u")

    sent = message(deployment=deployment)

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


@given(outside, outside, outside, outside, outside, st.sampled_from(Language))
def test_whatever_comes_from_outside_the_message_is_one_that_slack_takes(
    application: str, group: str, description: str, creator: str, path: str, language: Language
) -> None:
    sent = message(
        gate(
            application=application,
            deployment_group=group,
            test_url="https://green.example.com/" + path,
        ),
        Deployment(application, group, description, creator),
        language,
    )

    assert broken_limits(sent) == []
    for text in [*texts(sent), sent["text"]]:
        rest = OUR_MARKUP.sub("", text)
        assert "<" not in rest
        assert ">" not in rest
        assert not re.search(r"&(?!amp;|lt;|gt;)", text)


@given(st.from_regex(r"[A-Za-z0-9+/_][A-Za-z0-9+/=_.:-]{0,1699}", fullmatch=True))
def test_the_longest_command_still_fits_and_can_be_pasted(execution_id: str) -> None:
    command = shlex.join(["aws", "deploy", "put", "--id", execution_id, "--status", "Succeeded"])

    sent = waiting_message(
        gate(),
        Deployment(),
        console_url="https://console.example.com",
        commands=Commands(command, command),
        terminal_options=(),
        button_value=None,
        language=Language.KOREAN,
        image_url=None,
    )

    assert broken_limits(sent) == []
    pasted = re.findall(r"```(aws.*?)```", "\n".join(texts(sent)))
    assert [shlex.split(one)[4] for one in pasted] == [execution_id, execution_id]


# The buttons.


def test_a_message_with_buttons_says_what_each_does_and_asks_before_rejecting() -> None:
    sent = message(button_value="d-1")

    (actions,) = [block for block in sent["blocks"] if block["type"] == "actions"]
    approve, reject = actions["elements"]
    assert [one["action_id"] for one in (approve, reject)] == list(ACTIONS)
    assert [one["value"] for one in (approve, reject)] == ["d-1", "d-1"]
    assert reject["confirm"]["text"]["text"].endswith("This cannot be undone.")


@pytest.mark.parametrize("language", Language)
def test_the_buttons_come_before_the_commands(language: Language) -> None:
    blocks = message(language=language, button_value="d-1")["blocks"]

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
    kinds = [block["type"] for block in plainer(message(button_value="d-1"))["blocks"]]

    assert "actions" in kinds
    assert not {"input", "image"} & set(kinds)


def test_the_longest_ids_fit_into_the_value_of_a_button() -> None:
    hook = Hook("d" * 100, "A" * 1700)
    assert parse_hook(hook_event(hook)) == hook

    sent = message(
        gate(deployment_id=hook.deployment_id), button_value=json.dumps(hook_event(hook))
    )

    assert broken_limits(sent) == []


# What takes the place of the notice.

ENDS = [
    ("APPROVED", Via.SLACK, "U0ALICE", "*Approved* by <@U0ALICE> · <!date^"),
    ("REJECTED", Via.SLACK, "U0ALICE", "*Rejected* by <@U0ALICE> · <!date^"),
    ("APPROVED", Via.CLI, "arn:aws:iam::1:user/alice", "*Approved* by `arn:aws:iam::1:user/alice`"),
    ("REJECTED", Via.ELSEWHERE, None, "*Failed or stopped* at CodeDeploy, by no decision"),
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


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(("status", "via", "by", "sentence"), ENDS)
def test_the_end_of_a_gate_is_told_in_a_sentence(
    status: str, via: Via | None, by: str | None, sentence: str, language: Language
) -> None:
    of = ended(status, via, by, reason="a <reason>")

    told = settled_message(of, console_url="https://console.example.com", language=language)
    notice = standing_notice(of, settled=False, language=language)

    assert broken_limits(told) == broken_limits(notice) == []
    for one in (told, notice):
        whole = "\n".join(texts(one))
        assert "a &lt;reason&gt;" in whole
        assert "|2026-11-23 04:00 UTC>" in whole
        if language is Language.ENGLISH:
            assert sentence in whole
        elif via is Via.SLACK:
            assert "<@U0ALICE>" in whole


def test_nobody_is_mentioned_whose_id_is_none() -> None:
    of = ended("APPROVED", Via.SLACK, "!channel> <!here")

    told = settled_message(of, console_url="https://x.example.com", language=Language.ENGLISH)

    assert "by !channel&gt; &lt;!here" in "\n".join(texts(told))


def test_a_long_list_of_approvers_is_cut() -> None:
    notice = not_approver_notice(
        [f"U{number:06}" for number in range(500)], language=Language.ENGLISH
    )

    assert broken_limits(notice) == []
    assert notice["text"].endswith("<@U000049> …")


@given(outside, outside, outside, outside, st.sampled_from(ENDS), st.sampled_from(Language))
def test_whatever_is_on_record_the_end_is_a_message_that_slack_takes(
    application: str, path: str, by: str, reason: str, end: Any, language: Language
) -> None:
    status, via, _, _ = end
    of = ended(
        status, via, by, reason=reason, application=application, test_url="https://x.example" + path
    )

    for sent in (
        settled_message(of, console_url="https://console.example.com", language=language),
        standing_notice(of, settled=True, language=language),
        unreported_notice(of, reason, language=language),
        answered_notice(of, reason, language=language),
        unknown_notice(reason, language=language),
        denied_notice(reason, language=language),
        not_done_notice(reason, language=language),
    ):
        assert broken_limits(sent) == []
        for text in texts(sent):
            rest = OUR_MARKUP.sub("", text)
            assert "<" not in rest
            assert ">" not in rest
