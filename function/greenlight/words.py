"""The words of the Slack messages, in each language."""

from dataclasses import dataclass
from typing import Final

from greenlight.models import Language


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
    what_to_press: str
    or_type: str
    aws_approve: str
    aws_reject: str
    get_greenlight: str
    greenlight_approve: str
    greenlight_reject: str
    approve_button: str
    reject_button: str
    confirm_title: str
    confirm_text: str
    confirm_no: str
    reason_input: str
    reason_example: str
    unknown_deployment: str
    image: str
    failed_header: str
    failed: str
    ended: str
    stuck_header: str
    stuck: str
    reason: str
    approved_header: str
    rejected_header: str
    expired_header: str
    approved_by: str
    rejected_by: str
    approved_elsewhere: str
    rejected_elsewhere: str
    expired: str
    failed_at: str
    why: str
    nothing_changed: str
    still_unreported: str
    settled_elsewhere: str
    not_approver: str
    failing: str
    denied: str
    unreported: str
    unknown: str
    answered: str
    not_found: str
    replaced: str
    not_done: str


WORDS: Final = {
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
        "터미널에서 아래 명령 중 하나를 실행해 주세요.",
        what_to_press="새 버전(그린 환경)이 테스트 트래픽을 받고 있습니다. 위 URL에서 테스트한 뒤, "
        "아래 버튼으로 결정해 주세요.",
        or_type="버튼 대신 터미널에서 아래 명령 중 하나로 결정할 수도 있습니다.",
        aws_approve="*AWS CLI로 승인*: 운영 트래픽을 새 버전으로 전환합니다.",
        aws_reject="*AWS CLI로 거부*: 배포를 실패로 끝냅니다.",
        get_greenlight="`greenlight`로 결정하면 누가 왜 결정했는지도 기록에 남습니다. "
        "설치하려면 Greenlight 저장소를 클론한 폴더에서 다음을 실행해 주세요: `pipx install .`",
        greenlight_approve="*greenlight로 승인*: 운영 트래픽을 새 버전으로 전환합니다.",
        greenlight_reject="*greenlight로 거부*: 배포를 실패로 끝냅니다.",
        approve_button="승인",
        reject_button="거부",
        confirm_title="배포를 거부할까요?",
        confirm_text="배포가 실패로 끝나고, 운영 트래픽은 지금 버전에 그대로 남습니다. "
        "되돌릴 수 없습니다.",
        confirm_no="취소",
        reason_input="이유 (선택 사항, 버튼을 누를 때 함께 기록됩니다)",
        reason_example="거부 이유",
        unknown_deployment="CodeDeploy에서 배포 정보를 읽지 못해 일부 항목이 빠져 있습니다.",
        image="테스트를 기다리는 중",
        failed_header="❌ ECS 배포: 테스트 요청 실패",
        failed="여러 번 시도했지만 테스트를 요청하지 못해, CodeDeploy에 이 배포를 실패로 "
        "보고했습니다. 운영 트래픽은 새 버전으로 전환되지 않습니다. "
        "원인을 해결한 뒤 다시 배포해 주세요.",
        ended="여러 번 시도했지만 테스트를 요청하지 못했습니다. 그사이 배포는 CodeDeploy에서 "
        "실패했거나 중지되어, 운영 트래픽은 새 버전으로 전환되지 않습니다. "
        "원인을 해결한 뒤 다시 배포해 주세요.",
        stuck_header="⚠️ ECS 배포: 멈춰 있음",
        stuck="테스트를 요청하지 못했고, CodeDeploy에 실패로 보고하지도 못했습니다. "
        "잠시 후 다시 시도합니다. 배포를 바로 끝내려면 아래 AWS CLI 명령을 실행해 주세요.",
        reason="원인",
        approved_header="✅ ECS 배포: 승인됨",
        rejected_header="⛔ ECS 배포: 거부됨",
        expired_header="⌛ ECS 배포: 결정 기한 지남",
        approved_by="*승인*: {who} · {when}",
        rejected_by="*거부*: {who} · {when}",
        approved_elsewhere="*승인*: CodeDeploy에서 직접(AWS CLI 등) · {when}",
        rejected_elsewhere="*실패 또는 중지*: 여기서 내린 결정이 아니라 CodeDeploy에서 끝남"
        "(콘솔, AWS CLI 등) · {when}",
        expired="결정이 없어 CodeDeploy가 배포를 실패로 처리했습니다 · {when}",
        failed_at="테스트를 요청하지 못해 Greenlight가 배포를 실패로 보고했습니다 · {when}",
        why="이유",
        nothing_changed="이미 결정이 끝난 배포입니다. 방금 누른 버튼으로 바뀐 것은 없습니다.",
        still_unreported="이미 결정된 배포이지만 CodeDeploy에 아직 전달되지 않았습니다. 메시지가 "
        "곧 바뀌지 않으면 *{button}* 버튼을 다시 눌러 주세요. 다른 결정으로 바꿀 수는 없습니다.",
        settled_elsewhere="CodeDeploy가 이미 다른 곳에서 답을 받았습니다. 방금 누른 버튼은 "
        "배포에 영향을 주지 않았습니다.",
        not_approver="이 배포를 결정할 권한이 없습니다. 결정할 수 있는 사람: {who}",
        failing="테스트를 요청하지 못해 Greenlight가 이 배포를 실패로 처리하는 중입니다. "
        "방금 누른 버튼으로 바뀐 것은 없습니다.",
        denied="결정하지 못했습니다. Greenlight에 결정을 CodeDeploy로 전달할 권한이 "
        "없습니다(`{permission}`). 배포는 아직 기다리고 있습니다. Greenlight 운영 담당자에게 "
        "이 권한을 요청하고, 급하면 AWS CLI 명령으로 결정해 주세요.",
        unreported="결정은 기록했지만 CodeDeploy에 전달하지 못했습니다({problem}). 배포가 아직 "
        "기다리고 있을 수 있습니다. 잠시 후 *{button}* 버튼을 다시 눌러 주세요.",
        answered="CodeDeploy에 이미 다른 답이 있는데, 어떤 답인지 읽지 못했습니다({problem}). "
        "*{button}* 버튼을 다시 누르면 다시 읽어 옵니다.",
        unknown="결정은 기록했지만, CodeDeploy에는 이 배포나 이 배포의 훅이 "
        "없습니다({problem}). 다시 눌러도 결과는 같습니다. "
        "CodeDeploy 콘솔에서 배포 상태를 확인해 주세요.",
        not_found="이 배포의 기록을 찾을 수 없어 결정하지 못했습니다. "
        "CodeDeploy 콘솔에서 배포 상태를 확인해 주세요.",
        replaced="이 메시지 이후에 같은 배포의 새 메시지가 올라왔습니다. "
        "새 메시지에서 결정해 주세요. 바뀐 것은 없습니다.",
        not_done="결정을 처리하지 못했습니다({problem}). 잠시 후 다시 눌러 주세요. "
        "계속되면 운영 담당자에게 알려 주세요.",
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
        "Test it at the URL above, then run one of these commands in a terminal.",
        what_to_press="The new version (the green environment) is taking test traffic. "
        "Test it at the URL above, then press one of the buttons.",
        or_type="Or decide in a terminal, with one of these commands.",
        aws_approve="*Approve with the AWS CLI*: production traffic moves to the new version.",
        aws_reject="*Reject with the AWS CLI*: the deployment ends as failed.",
        get_greenlight="The command `greenlight` also records who decided, and why. "
        "To install it, run `pipx install .` in a clone of Greenlight's repository.",
        greenlight_approve="*Approve with greenlight*: production traffic moves to the new "
        "version.",
        greenlight_reject="*Reject with greenlight*: the deployment ends as failed.",
        approve_button="Approve",
        reject_button="Reject",
        confirm_title="Reject this deployment?",
        confirm_text="The deployment ends as failed and production traffic stays on the version "
        "that has it now. This cannot be undone.",
        confirm_no="Cancel",
        reason_input="Reason (optional; recorded with the button you press)",
        reason_example="why not",
        unknown_deployment="CodeDeploy could not be asked about this deployment, "
        "so some details are missing.",
        image="Waiting for a test",
        failed_header="❌ ECS deployment: could not ask for a test",
        failed="After several tries to ask for a test, this deployment was reported to CodeDeploy "
        "as failed. Production traffic does not move to the new version. "
        "Mend the cause, then deploy again.",
        ended="After several tries, nobody could be asked for a test. By now the deployment has "
        "failed or was stopped at CodeDeploy, so production traffic does not move to the new "
        "version. Mend the cause, then deploy again.",
        stuck_header="⚠️ ECS deployment: stuck",
        stuck="Greenlight could not ask for a test, nor report the failure to CodeDeploy. "
        "It will try again shortly. To end the deployment now, run this AWS CLI command.",
        reason="Cause",
        approved_header="✅ ECS deployment: approved",
        rejected_header="⛔ ECS deployment: rejected",
        expired_header="⌛ ECS deployment: not decided in time",
        approved_by="*Approved* by {who} · {when}",
        rejected_by="*Rejected* by {who} · {when}",
        approved_elsewhere="*Approved* at CodeDeploy itself (AWS CLI or the like) · {when}",
        rejected_elsewhere="*Failed or stopped* at CodeDeploy, by no decision that is on record "
        "here (console, AWS CLI or the like) · {when}",
        expired="Without a decision, CodeDeploy failed the deployment · {when}",
        failed_at="Greenlight could not ask for a test and failed the deployment · {when}",
        why="Reason",
        nothing_changed="This deployment was decided before, or is over. "
        "Your click changed nothing.",
        still_unreported="This deployment is decided, but CodeDeploy does not know yet. If the "
        "message does not change shortly, press *{button}* again. The decision cannot be changed.",
        settled_elsewhere="CodeDeploy had its answer from elsewhere already. Your click had no "
        "effect on the deployment.",
        not_approver="You may not decide this deployment. Those who may: {who}",
        failing="Nobody could be asked for a test, so Greenlight is failing this deployment. "
        "Your click changed nothing.",
        denied="Nothing is decided: Greenlight lacks the permission to bring a decision to "
        "CodeDeploy (`{permission}`). The deployment still waits. Ask who runs Greenlight for it; "
        "if it is urgent, decide with the AWS CLI command.",
        unreported="The decision is recorded, but CodeDeploy could not be told ({problem}). The "
        "deployment may still be waiting. Press *{button}* again in a moment.",
        answered="CodeDeploy has an answer already, and which one could not be read ({problem}). "
        "Press *{button}* again to have it read again.",
        unknown="The decision is recorded, but CodeDeploy does not know this deployment "
        "or its hook ({problem}). Pressing again changes nothing. "
        "See the CodeDeploy console for where the deployment stands.",
        not_found="There is no record of this deployment, so nothing was decided. "
        "See the CodeDeploy console for where it stands.",
        replaced="A newer message about this deployment has been posted. Decide there, please. "
        "Nothing has changed.",
        not_done="The decision could not be carried out ({problem}). Press again in a moment; "
        "if it stays so, tell who runs Greenlight.",
    ),
}
