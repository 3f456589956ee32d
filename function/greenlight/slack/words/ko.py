"""The words in Korean."""

from typing import Final

from greenlight.slack.words import Words

WORDS: Final = Words(
    header="✅ ECS 배포: 테스트 대기 중",
    deployment="배포 ID",
    test_url="테스트 URL",
    application="애플리케이션",
    deployment_group="배포 그룹",
    cluster="클러스터",
    service="서비스",
    stage="단계",
    traffic="트래픽 전환",
    description="설명",
    creator="시작 주체",
    deadline="결정 기한",
    after_deadline="이때까지 결정이 없으면 {engine}에서 배포를 실패로 처리합니다.",
    after_rolling_back="이때까지 결정이 없으면 {engine}가 배포를 롤백합니다.",
    after_going_on="🔴 *이때까지 결정이 없으면 {engine}가 배포를 계속 진행합니다*: "
    "승인한 사람이 없어도 새 버전이 운영에 반영됩니다.",
    what_to_do="새 버전(그린 환경)이 테스트 트래픽을 받고 있습니다. 위 URL에서 테스트한 뒤, "
    "터미널에서 아래 명령 중 하나를 실행해 주세요.",
    what_to_press="새 버전(그린 환경)이 테스트 트래픽을 받고 있습니다. 위 URL에서 테스트한 뒤, "
    "아래 버튼으로 결정해 주세요.",
    what_to_do_at="배포가 `{stage}` 단계에서 결정을 기다리고 있습니다. "
    "터미널에서 아래 명령 중 하나로 결정해 주세요.",
    what_to_press_at="배포가 `{stage}` 단계에서 결정을 기다리고 있습니다. "
    "아래 버튼으로 결정해 주세요.",
    first_deployment="⚠️ 이 서비스의 첫 배포입니다. 되돌아갈 이전 버전이 없으므로, "
    "거부해도 이전 상태로 복구되지 않습니다.",
    or_type="버튼 대신 터미널에서 아래 명령 중 하나로 결정할 수도 있습니다.",
    aws_approve="*AWS CLI로 승인*: 운영 트래픽을 새 버전으로 전환합니다.",
    aws_reject="*AWS CLI로 거부*: 배포를 실패로 끝냅니다.",
    get_greenlight="`greenlight` 명령으로 결정하면 누가 왜 결정했는지도 기록에 남습니다. "
    "설치하려면 Greenlight 저장소를 클론한 폴더에서 다음을 실행해 주세요: `pipx install .`",
    greenlight_approve="*greenlight로 승인*: 운영 트래픽을 새 버전으로 전환합니다.",
    greenlight_reject="*greenlight로 거부*: 배포를 실패로 끝냅니다.",
    approve_button="승인",
    reject_button="거부",
    confirm_approve_title="배포를 승인할까요?",
    confirm_approve="{what}의 운영 트래픽이 새 버전으로 전환됩니다. 결정은 바꿀 수 없습니다.",
    confirm_reject_title="배포를 거부할까요?",
    confirm_reject="배포가 실패로 끝나고, 운영 트래픽은 지금 버전에 그대로 남습니다. "
    "되돌릴 수 없습니다.",
    confirm_no="취소",
    reason_input="이유 (선택 사항, 버튼을 누를 때 함께 기록됩니다)",
    reason_example="거부 이유",
    unknown_deployment="_{engine}에서 배포 정보를 읽지 못해 일부 항목이 빠져 있습니다._",
    image="테스트를 기다리는 중",
    failed_header="❌ ECS 배포: 테스트 요청 실패",
    failed="여러 번 시도했지만 테스트를 요청하지 못해, {engine}에 이 배포를 실패로 "
    "보고했습니다. 운영 트래픽은 새 버전으로 전환되지 않습니다. "
    "원인을 해결한 뒤 다시 배포해 주세요.",
    ended="여러 번 시도했지만 테스트를 요청하지 못했습니다. 그사이 배포는 {engine}에서 "
    "실패했거나 중지되어, 운영 트래픽은 새 버전으로 전환되지 않습니다. "
    "원인을 해결한 뒤 다시 배포해 주세요.",
    stuck_header="⚠️ ECS 배포: 처리 실패, 확인 필요",
    stuck="테스트를 요청하지 못했고, {engine}에 실패로 보고하지도 못했습니다. "
    "잠시 후 다시 시도합니다. 배포를 바로 끝내려면 아래 AWS CLI 명령을 실행해 주세요.",
    left_header="⏸️ ECS 배포: 테스트 요청 실패, 결정 대기 중",
    left="테스트를 요청하지 못했습니다. 배포는 설정에 따라 대기 상태로 두었으며, 한 시간 안에 다시 "
    "요청을 시도합니다. 아래 AWS CLI 명령 중 하나로 결정해 주세요.",
    cause="원인",
    approved_header="🚀 ECS 배포: 승인됨",
    rejected_header="⛔ ECS 배포: 거부됨",
    expired_header="⌛ ECS 배포: 결정 기한 지남",
    approved_by="*승인*: {who} · {when}",
    rejected_by="*거부*: {who} · {when}",
    approved_elsewhere="*승인*: {engine}에서 직접(AWS CLI 등) · {when}",
    rejected_elsewhere="*실패 또는 중지*: 여기서 내린 결정이 아니라 {engine}에서 끝남"
    "(콘솔, AWS CLI 등) · {when}",
    expired="결정이 없어 {engine}에서 배포를 실패로 처리했습니다 · {when}",
    expired_going_on="결정이 없어 {engine}가 배포를 계속 진행했습니다 · {when}",
    failed_at="테스트를 요청하지 못해 Greenlight가 배포를 실패로 보고했습니다 · {when}",
    reason="이유",
    nothing_changed="이미 결정되었거나 끝난 배포입니다. 바뀐 것은 없습니다.",
    still_unreported="이미 결정된 배포이지만 {engine}에 아직 전달되지 않았습니다. "
    "다른 결정으로 바꿀 수는 없습니다.",
    settled_elsewhere="{engine}에는 이미 다른 곳에서 보낸 응답이 있었습니다. 방금 내린 결정은 "
    "배포에 영향을 주지 않았습니다.",
    not_approver="이 배포를 승인하거나 거부할 권한이 없습니다. 권한이 있는 사람: {who}",
    failing="테스트를 요청하지 못해 Greenlight가 이 배포를 실패로 처리하는 중입니다. "
    "방금 하신 조작으로 바뀐 것은 없습니다.",
    denied="결정이 처리되지 않았습니다. Greenlight에 `{permission}` 권한이 없어 {engine}에 결정을 "
    "전달할 수 없습니다. 배포는 아직 결정을 기다리고 있습니다. Greenlight 운영 담당자에게 "
    "이 권한을 요청하고, 급하면 AWS CLI 명령으로 결정해 주세요.",
    unreported="결정은 기록했지만 {engine}에 전달하지 못했습니다({problem}). 배포가 아직 "
    "기다리고 있을 수 있습니다.",
    answered="{engine}에 이미 응답이 있지만, Greenlight가 그 내용을 읽지 못했습니다({problem}).",
    unknown="결정은 기록했지만, {engine}에는 이 배포나 이 배포의 훅이 "
    "없습니다({problem}). 다시 시도해도 결과는 같습니다. "
    "{engine} 콘솔에서 배포 상태를 확인해 주세요.",
    not_found="이 배포의 기록을 찾을 수 없어 결정하지 못했습니다. "
    "{engine} 콘솔에서 배포 상태를 확인해 주세요.",
    replaced="이 메시지 이후에 같은 배포의 새 메시지가 올라왔습니다. "
    "새 메시지에서 결정해 주세요. 바뀐 것은 없습니다.",
    not_done="결정을 처리하지 못했습니다({problem}). 잠시 후 다시 시도해 주세요. "
    "문제가 계속되면 Greenlight 운영 담당자에게 알려 주세요.",
    reminder_header="⏰ ECS 배포: 아직 테스트 대기 중",
    reminder="결정 기한까지 *{minutes}분* 남았습니다({when}).",
    reminder_hours="결정 기한까지 *{hours}시간* 남았습니다({when}).",
    reminder_for="알림 대상: {who}",
    claimed="*테스트 중*: {who} · {when}부터",
    claim_button="제가 테스트 중입니다",
    after_decide_by="이때까지 결정이 없으면 Greenlight가 배포를 거부합니다.",
    expired_by_clock="기한까지 결정이 없어 Greenlight가 배포를 거부했습니다 · {when}",
    live_header="🟢 ECS 배포: 운영 반영됨",
    broken_header="🔴 ECS 배포: 실패",
    stopped_header="🛑 ECS 배포: 중지됨",
    rolled_back_header="↩️ ECS 배포: 롤백됨",
    live="*운영 반영*: 운영 트래픽이 새 버전으로 전환되었습니다 · {when}",
    broken="*실패*: {engine}에서 배포가 실패했습니다 · {when}",
    stopped="*중지*: 배포가 중지되었습니다 · {when}",
    rolled_back="*롤백*: 운영 트래픽은 이전 버전이 받고 있습니다 · {when}",
    took="테스트 요청 후 {minutes}분",
    took_hours="테스트 요청 후 {hours}시간",
    approver_told="{who}: 승인하신 배포가 운영에 반영되지 못했거나 롤백되었습니다.",
    ending="기한까지 결정이 없어 Greenlight가 이 배포를 거부하는 중입니다. 바뀐 것은 없습니다.",
    press_again="잠시 후 *{button}* 버튼을 다시 눌러 주세요.",
    type_again="잠시 후 다음 명령을 다시 입력해 주세요: `{line}`",
    or_command="버튼 대신 아무 채널에서나(스레드 제외) 슬래시 명령으로, 또는 터미널에서 AWS CLI로 "
    "결정할 수도 있습니다.",
    command_approve="*슬래시 명령으로 승인*: 운영 트래픽을 새 버전으로 전환합니다.",
    command_reject="*슬래시 명령으로 거부*: 배포를 실패로 끝냅니다.",
    help="`{name} list`: 대기 중인 배포를 결정 기한이 가까운 순서로 보여 줍니다\n"
    "`{name} show ID`: 배포 하나의 상태를 보여 줍니다\n"
    "`{name} approve ID [이유]`: 배포를 계속 진행합니다\n"
    "`{name} reject ID 이유`: CodeDeploy에서는 배포를 실패로 끝내고, ECS에서는 롤백합니다",
    not_understood="알 수 없는 명령입니다. 쓸 수 있는 명령은 다음과 같습니다.",
    needs_reason="거부하려면 기록에 남길 이유가 필요합니다: `{line}`",
    unknown_id="`{id}` 배포의 기록이 없습니다. "
    "`{name} list`를 입력하면 대기 중인 배포를 볼 수 있습니다.",
    not_looked_up="조회하지 못했습니다({problem}). 잠시 후 다시 시도해 주세요. "
    "문제가 계속되면 Greenlight 운영 담당자에게 알려 주세요.",
    no_index="`{table}` 테이블에 `{index}` 인덱스가 없어 대기 중인 배포의 목록을 볼 수 없습니다. "
    "다른 기능은 모두 정상 동작합니다. Greenlight 운영 담당자가 스택을 업데이트하거나 "
    "docs/deploy.ko.md를 보고 인덱스를 추가하면 됩니다.",
    nothing_waits="결정을 기다리는 배포가 없습니다.",
    what_waits="대기 중인 배포: *{count}*건, 결정 기한이 가까운 순서",
    more_wait="그 밖에 {count}건",
    unreported_yet="{engine}에 아직 전달되지 않음",
    history="이력",
)

# What is different where ECS itself waits.
ECS: Final = {
    "after_deadline": "이때까지 결정이 없으면 {engine}는 훅의 설정에 따라 배포를 "
    "롤백하거나 계속 진행합니다.",
    "approved_elsewhere": "*승인*: {engine}에서 직접(콘솔, AWS CLI 등) · {when}",
    "aws_approve": "*AWS CLI로 승인*: 배포를 계속 진행합니다.",
    "aws_reject": "*AWS CLI로 거부*: 배포를 롤백합니다.",
    "greenlight_approve": "*greenlight로 승인*: 배포를 계속 진행합니다.",
    "greenlight_reject": "*greenlight로 거부*: 배포를 롤백합니다.",
    "command_approve": "*슬래시 명령으로 승인*: 배포를 계속 진행합니다.",
    "command_reject": "*슬래시 명령으로 거부*: 배포를 롤백합니다.",
    "confirm_approve": "{what} 배포가 계속 진행됩니다. 결정은 바꿀 수 없습니다.",
    "confirm_reject": "{engine}가 배포를 롤백합니다. 결정은 바꿀 수 없습니다.",
    "failed": "여러 번 시도했지만 테스트를 요청하지 못해, {engine}에 이 배포의 롤백을 "
    "요청했습니다. 원인을 해결한 뒤 다시 배포해 주세요.",
    "ended": "여러 번 시도했지만 테스트를 요청하지 못했습니다. 그사이 배포는 {engine}에서 "
    "롤백되었거나 중지되었습니다. 원인을 해결한 뒤 다시 배포해 주세요.",
    "stuck": "테스트를 요청하지 못했고, {engine}에 롤백을 요청하지도 못했습니다. "
    "잠시 후 다시 시도합니다. 바로 롤백하려면 아래 AWS CLI 명령을 실행해 주세요.",
    "rejected_elsewhere": "*롤백 또는 중지*: 여기서 내린 결정이 아니라 {engine}에서 처리됨"
    "(콘솔, AWS CLI, 경보, 새 배포 등) · {when}",
    "expired": "결정이 없어 {engine}가 배포를 롤백했습니다 · {when}",
    "failed_at": "테스트를 요청하지 못해 Greenlight가 배포의 롤백을 요청했습니다 · {when}",
    "failing": "테스트를 요청하지 못해 Greenlight가 이 배포의 롤백을 요청하는 중입니다. "
    "방금 하신 조작으로 바뀐 것은 없습니다.",
}
