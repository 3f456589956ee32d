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
    approve: str
    reject: str
    unknown_deployment: str
    image: str
    failed_header: str
    failed: str
    stuck_header: str
    stuck: str
    reason: str


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
