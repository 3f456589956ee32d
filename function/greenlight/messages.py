"""Slack messages as pure functions: gate in, Block Kit out.

Text from outside is escaped; whatever it holds, a message stays within Slack's limits.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from greenlight.models import Deployment, Gate, Language, Message

Block = dict[str, Any]

# What stays as it is in a link's address. `|`, which would end the address, does not.
_URL_CHARACTERS: Final = "%/:?#[]@!$&'()*+,;="

SECTION_CHARACTERS: Final = 3000
SHOWN_CHARACTERS: Final = 300  # of a text from outside: 1,500 at the most once it is escaped


@dataclass(frozen=True)
class Words:
    """The words of a message in one language."""

    header: str
    deployment: str
    test_url: str
    application: str
    deployment_group: str
    description: str
    creator: str
    deadline: str
    after_deadline: str
    what_to_do: str
    approve: str
    reject: str
    unknown_deployment: str
    image: str
    failed_header: str
    failed: str
    stuck_header: str
    stuck: str
    reason: str


_WORDS: Final = {
    Language.KOREAN: Words(
        header="✅ ECS 배포: 테스트 대기 중",
        deployment="배포 ID",
        test_url="테스트 URL",
        application="애플리케이션",
        deployment_group="배포 그룹",
        description="설명",
        creator="생성 주체",
        deadline="결정 기한",
        after_deadline="이때까지 결정이 없으면 CodeDeploy가 배포를 실패로 처리합니다.",
        what_to_do="새 버전(그린 환경)이 테스트 트래픽을 받고 있습니다. 위 URL에서 테스트한 뒤, "
        "아래 AWS CLI 명령 중 하나를 실행해 주세요.",
        approve="*승인*: 운영 트래픽을 새 버전으로 전환합니다.",
        reject="*거부*: 배포를 실패로 끝냅니다.",
        unknown_deployment="CodeDeploy에서 배포 정보를 읽지 못해 일부 항목이 빠져 있습니다.",
        image="테스트를 기다리는 중",
        failed_header="❌ ECS 배포: 테스트 요청 실패",
        failed="여러 번 시도했지만 테스트를 요청하지 못해, CodeDeploy에 이 배포를 실패로 "
        "보고했습니다. 운영 트래픽은 새 버전으로 전환되지 않습니다. "
        "원인을 해결한 뒤 다시 배포해 주세요.",
        stuck_header="⚠️ ECS 배포: 멈춰 있음",
        stuck="테스트를 요청하지 못했고, CodeDeploy에 실패로 보고하지도 못했습니다. "
        "잠시 후 다시 시도합니다. 배포를 바로 끝내려면 아래 AWS CLI 명령을 실행해 주세요.",
        reason="원인",
    ),
    Language.ENGLISH: Words(
        header="✅ ECS deployment: waiting to be tested",
        deployment="Deployment ID",
        test_url="Test URL",
        application="Application",
        deployment_group="Deployment group",
        description="Description",
        creator="Started by",
        deadline="Decide by",
        after_deadline="Without a decision by then, CodeDeploy fails the deployment.",
        what_to_do="The new version (the green environment) is taking test traffic. "
        "Test it at the URL above, then run one of these AWS CLI commands.",
        approve="*Approve*: production traffic moves to the new version.",
        reject="*Reject*: the deployment ends as failed.",
        unknown_deployment="CodeDeploy could not be asked about this deployment, "
        "so some details are missing.",
        image="Waiting for a test",
        failed_header="❌ ECS deployment: could not ask for a test",
        failed="After several tries to ask for a test, this deployment was reported to CodeDeploy "
        "as failed. Production traffic does not move to the new version. "
        "Mend the cause, then deploy again.",
        stuck_header="⚠️ ECS deployment: stuck",
        stuck="Greenlight could not ask for a test, nor report the failure to CodeDeploy. "
        "It will try again shortly. To end the deployment now, run this AWS CLI command.",
        reason="Cause",
    ),
}


def waiting_message(
    gate: Gate,
    deployment: Deployment,
    *,
    console_url: str,
    approve_command: str,
    reject_command: str,
    language: Language,
    image_url: str | None,
) -> Message:
    """The notice that a gate waits: what to test, where, until when, and how to decide."""
    words = _WORDS[language]
    fields = {
        words.deployment: _link(console_url, gate.deployment_id),
        words.application: _shown(gate.application),
        words.deployment_group: _shown(gate.deployment_group),
        words.creator: _shown(deployment.creator),
    }
    blocks: list[Block] = [
        {"type": "header", "text": {"type": "plain_text", "text": words.header}},
        {
            "type": "section",
            "fields": [_mrkdwn(f"*{name}*\n{value}") for name, value in fields.items() if value],
        },
        _section(f"*{words.test_url}*\n{_test_link(gate.test_url)}"),
    ]
    if deployment.description:
        blocks.append(_section(f"*{words.description}*\n{_shown(deployment.description)}"))
    if not gate.application:
        blocks.append(_section(f"_{words.unknown_deployment}_"))
    blocks += [
        _section(f"*{words.deadline}*\n{_moment(gate)}\n{words.after_deadline}"),
        _section(words.what_to_do),
        _section(f"{words.approve}\n{_code(approve_command)}"),
        _section(f"{words.reject}\n{_code(reject_command)}"),
    ]
    if image_url:
        blocks.append({"type": "image", "image_url": image_url, "alt_text": words.image})
    text = f"{words.header} · {gate.deployment_id} · {_shown(gate.test_url)}"
    return {"text": text, "blocks": blocks}


def failure_message(
    deployment_id: str,
    reason: str,
    *,
    console_url: str,
    reject_command: str,
    reported: bool,
    language: Language,
) -> Message:
    """The notice that nobody could be asked; `reported`: CodeDeploy knows that it failed."""
    words = _WORDS[language]
    header = words.failed_header if reported else words.stuck_header
    blocks: list[Block] = [
        {"type": "header", "text": {"type": "plain_text", "text": header}},
        _section(f"*{words.deployment}*\n{_link(console_url, deployment_id)}"),
        _section(f"*{words.reason}*\n{_shown(reason)}"),
        _section(words.failed if reported else words.stuck),
    ]
    if not reported:
        blocks.append(_section(_code(reject_command)))
    return {"text": f"{header} · {deployment_id}", "blocks": blocks}


def without_image(message: Message) -> Message:
    """The same message with its images left out."""
    return {**message, "blocks": [block for block in message["blocks"] if block["type"] != "image"]}


def escape(text: str) -> str:
    """Escapes what Slack gives a meaning to: `&`, `<` and `>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _shown(text: str | None) -> str:
    """A text from outside, shortened and escaped."""
    if text is None:
        return ""
    if len(text) > SHOWN_CHARACTERS:
        text = text[: SHOWN_CHARACTERS - 1] + "…"
    return escape(text)


def _link(url: str, label: str) -> str:
    address = quote(url, safe=_URL_CHARACTERS, errors="replace")
    return f"<{escape(address)}|{escape(label)}>"


def _test_link(url: str) -> str:
    """A link, unless a placeholder in it could not be filled or it is too long to be one."""
    link = _link(url, url)
    return _shown(url) if "{" in url or len(link) > SECTION_CHARACTERS - 100 else link


def _moment(gate: Gate) -> str:
    """The deadline in each reader's own time zone, in UTC where that cannot be shown."""
    fallback = f"{gate.deadline:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(gate.deadline.timestamp())}^{{date_short_pretty}} {{time}}|{fallback}>"


def _code(command: str) -> str:
    return f"```{escape(command)}```"


def _section(text: str) -> Block:
    return {"type": "section", "text": _mrkdwn(text)}


def _mrkdwn(text: str) -> Block:
    # Verbatim: `@here` or `#channel` in a text from outside stays text.
    return {"type": "mrkdwn", "text": text, "verbatim": True}
