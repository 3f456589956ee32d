"""The words in Japanese."""

from typing import Final

from greenlight.slack.words import Words

WORDS: Final = Words(
    header="✅ ECS デプロイ: テスト待ち",
    deployment="デプロイ ID",
    test_url="テスト URL",
    application="アプリケーション",
    deployment_group="デプロイグループ",
    cluster="クラスター",
    service="サービス",
    stage="ステージ",
    traffic="トラフィックの切り替え",
    description="説明",
    creator="開始元",
    deadline="回答期限",
    after_deadline="期限までに承認も却下もない場合、{engine} がデプロイを失敗として終了します。",
    after_rolling_back="期限までに承認も却下もない場合、{engine} がデプロイをロールバックします。",
    after_going_on="🔴 *期限までに承認も却下もない場合、{engine} がデプロイを続行します*: "
    "誰も承認していなくても、新しいバージョンが本番に反映されます。",
    what_to_do="新しいバージョン（グリーン環境）がテストトラフィックを受けています。上の URL で"
    "テストしてから、ターミナルで次のコマンドのいずれかを実行してください。",
    what_to_press="新しいバージョン（グリーン環境）がテストトラフィックを受けています。上の URL で"
    "テストしてから、下のボタンで承認または却下してください。",
    what_to_do_at="デプロイはステージ `{stage}` で待機しています。"
    "ターミナルで次のコマンドのいずれかを実行して、承認または却下してください。",
    what_to_press_at="デプロイはステージ `{stage}` で待機しています。"
    "下のボタンで承認または却下してください。",
    first_deployment="⚠️ このサービスの初回デプロイです。ロールバック先となる以前のバージョンがない"
    "ため、却下しても以前の状態には戻りません。",
    or_type="ボタンの代わりに、ターミナルで次のコマンドのいずれかを実行することもできます。",
    aws_approve="*AWS CLI で承認*: 本番トラフィックを新しいバージョンに切り替えます。",
    aws_reject="*AWS CLI で却下*: デプロイを失敗として終了します。",
    get_greenlight="`greenlight` コマンドを使うと、誰がなぜ承認または却下したかも記録されます。"
    "インストールするには、Greenlight のリポジトリをクローンしたフォルダーで次を実行してください: "
    "`pipx install .`",
    greenlight_approve="*greenlight で承認*: 本番トラフィックを新しいバージョンに切り替えます。",
    greenlight_reject="*greenlight で却下*: デプロイを失敗として終了します。",
    approve_button="承認",
    reject_button="却下",
    confirm_approve_title="デプロイを承認しますか？",
    confirm_approve="{what} の本番トラフィックが新しいバージョンに切り替わります。"
    "承認は取り消せません。",
    confirm_reject_title="デプロイを却下しますか？",
    confirm_reject="デプロイは失敗として終了し、本番トラフィックは現在のバージョンのままになります。"
    "この操作は取り消せません。",
    confirm_no="キャンセル",
    reason_input="理由（任意。押したボタンとともに記録されます）",
    reason_example="却下の理由",
    unknown_deployment="_{engine} からデプロイの情報を取得できず、一部の項目が欠けています。_",
    image="テストを待っています",
    failed_header="❌ ECS デプロイ: テストの依頼に失敗",
    failed="テストの依頼を何度か試みましたが失敗したため、{engine} にこのデプロイを失敗として"
    "報告しました。本番トラフィックは新しいバージョンに切り替わりません。"
    "原因を解消してから、もう一度デプロイしてください。",
    ended="テストの依頼を何度か試みましたが、失敗しました。その間にデプロイは {engine} で"
    "失敗または停止したため、本番トラフィックは新しいバージョンに切り替わりません。"
    "原因を解消してから、もう一度デプロイしてください。",
    stuck_header="⚠️ ECS デプロイ: 停滞中",
    stuck="テストを依頼できず、{engine} に失敗を報告することもできませんでした。"
    "しばらくすると自動で再試行します。すぐにデプロイを終了するには、次の AWS CLI コマンドを"
    "実行してください。",
    left_header="⏸️ ECS デプロイ: テストの依頼に失敗、承認待ち",
    left="テストを依頼できませんでした。デプロイは設定に従って待機させており、1 時間以内にもう一度"
    "依頼を試みます。次の AWS CLI コマンドのいずれかで承認または却下してください。",
    cause="原因",
    approved_header="🚀 ECS デプロイ: 承認済み",
    rejected_header="⛔ ECS デプロイ: 却下",
    expired_header="⌛ ECS デプロイ: 回答期限切れ",
    approved_by="*承認*: {who} · {when}",
    rejected_by="*却下*: {who} · {when}",
    approved_elsewhere="*承認*: {engine} で直接（AWS CLI など） · {when}",
    rejected_elsewhere="*失敗または停止*: ここでの却下ではなく、{engine} 側で終了"
    "（コンソール、AWS CLI など） · {when}",
    expired="承認も却下もされなかったため、{engine} がデプロイを失敗として終了しました · {when}",
    expired_going_on="承認も却下もされなかったため、{engine} がデプロイを続行しました · {when}",
    failed_at="テストを依頼できなかったため、Greenlight がデプロイを失敗として"
    "報告しました · {when}",
    reason="理由",
    nothing_changed="このデプロイはすでに承認または却下されたか、終了しています。"
    "何も変わっていません。",
    still_unreported="このデプロイはすでに承認または却下されましたが、まだ {engine} に伝わって"
    "いません。結果を変えることはできません。",
    settled_elsewhere="{engine} はすでに別の経路で回答を受け取っていました。"
    "今回の承認または却下はデプロイに影響していません。",
    not_approver="このデプロイを承認または却下する権限がありません。権限のある人: {who}",
    failing="テストを依頼できなかったため、Greenlight がこのデプロイを失敗として終了する処理を"
    "進めています。今回の操作による変更はありません。",
    denied="承認も却下もできませんでした。Greenlight には {engine} に結果を伝える権限 "
    "`{permission}` がありません。デプロイはまだ待機しています。Greenlight の管理者にこの権限の"
    "付与を依頼し、急ぐ場合は AWS CLI のコマンドで承認または却下してください。",
    unreported="承認または却下を記録しましたが、{engine} に伝えられませんでした（{problem}）。"
    "デプロイはまだ待機している可能性があります。",
    unknown="承認または却下を記録しましたが、{engine} にはこのデプロイまたはそのフックが"
    "ありません（{problem}）。もう一度試しても結果は同じです。"
    "デプロイの状態は {engine} のコンソールで確認してください。",
    answered="{engine} はすでに回答を受け取っていますが、その内容を読み取れませんでした"
    "（{problem}）。",
    not_found="このデプロイの記録が見つからないため、承認も却下もできませんでした。"
    "デプロイの状態は {engine} のコンソールで確認してください。",
    replaced="このデプロイについて、新しいメッセージが投稿されています。そちらで承認または却下して"
    "ください。何も変わっていません。",
    not_done="承認または却下の処理に失敗しました（{problem}）。少し待ってから、もう一度試して"
    "ください。問題が続く場合は、Greenlight の管理者に知らせてください。",
    reminder_header="⏰ ECS デプロイ: まだテスト待ち",
    reminder="期限まであと *{minutes} 分* です（{when} まで）。",
    reminder_hours="期限まであと *{hours} 時間* です（{when} まで）。",
    reminder_for="通知先: {who}",
    claimed="*テスト中*: {who} · {when} から",
    claim_button="私がテスト中です",
    after_decide_by="この時刻までに承認も却下もない場合、Greenlight がデプロイを却下します。",
    expired_by_clock="期限までに承認も却下もなかったため、Greenlight がデプロイを"
    "却下しました · {when}",
    live_header="🟢 ECS デプロイ: 本番反映済み",
    broken_header="🔴 ECS デプロイ: 失敗",
    stopped_header="🛑 ECS デプロイ: 停止",
    rolled_back_header="↩️ ECS デプロイ: ロールバック済み",
    live="*本番反映*: 本番トラフィックは新しいバージョンに切り替わりました · {when}",
    broken="*失敗*: {engine} でデプロイが失敗しました · {when}",
    stopped="*停止*: デプロイが停止されました · {when}",
    rolled_back="*ロールバック*: 本番トラフィックは以前のバージョンが受けています · {when}",
    took="テスト依頼から {minutes} 分",
    took_hours="テスト依頼から {hours} 時間",
    approver_told="{who}: 承認したデプロイは、本番に反映されなかったか、ロールバックされました。",
    ending="期限までに承認も却下もなかったため、Greenlight がこのデプロイを却下する処理を進めて"
    "います。"
    "何も変わっていません。",
    press_again="少し待ってから、もう一度 *{button}* を押してください。",
    type_again="少し待ってから、次のコマンドをもう一度入力してください: `{line}`",
    or_command="ボタンの代わりに、どのチャンネルからでも（スレッドを除く）スラッシュコマンドで、"
    "またはターミナルの AWS CLI で承認または却下することもできます。",
    command_approve="*スラッシュコマンドで承認*: 本番トラフィックを新しいバージョンに"
    "切り替えます。",
    command_reject="*スラッシュコマンドで却下*: デプロイを失敗として終了します。",
    help="`{name} list`: 待機中のデプロイを回答期限の近い順に表示します\n"
    "`{name} show ID`: デプロイの状態を表示します\n"
    "`{name} approve ID [理由]`: デプロイを続行します\n"
    "`{name} reject ID 理由`: CodeDeploy ではデプロイを失敗として終了し、ECS ではデプロイを"
    "ロールバックします",
    not_understood="コマンドを認識できませんでした。使えるコマンドは次のとおりです。",
    needs_reason="却下するには、記録に残す理由が必要です: `{line}`",
    unknown_id="`{id}` というデプロイの記録はありません。`{name} list` で待機中のデプロイを"
    "確認できます。",
    not_looked_up="情報を取得できませんでした（{problem}）。少し待ってから、もう一度試して"
    "ください。問題が続く場合は、Greenlight の管理者に知らせてください。",
    no_index="テーブル `{table}` にインデックス `{index}` がないため、待機中のデプロイを一覧表示"
    "できません。ほかの操作はできます。Greenlight の管理者に、スタックの更新、または "
    "docs/deploy.md に従ったインデックスの追加を依頼してください。",
    nothing_waits="承認または却下を待っているデプロイはありません。",
    what_waits="待機中: *{count}* 件（回答期限の近い順）",
    more_wait="ほか {count} 件",
    unreported_yet="まだ {engine} に伝わっていません",
    history="履歴",
)

# What is different where ECS itself waits.
ECS: Final = {
    "after_deadline": "期限までに承認も却下もない場合、{engine} はフックの設定に従い、デプロイを"
    "ロールバックするか、続行します。",
    "approved_elsewhere": "*承認*: {engine} で直接（コンソール、AWS CLI など） · {when}",
    "aws_approve": "*AWS CLI で承認*: デプロイを続行します。",
    "aws_reject": "*AWS CLI で却下*: デプロイをロールバックします。",
    "greenlight_approve": "*greenlight で承認*: デプロイを続行します。",
    "greenlight_reject": "*greenlight で却下*: デプロイをロールバックします。",
    "command_approve": "*スラッシュコマンドで承認*: デプロイを続行します。",
    "command_reject": "*スラッシュコマンドで却下*: デプロイをロールバックします。",
    "confirm_approve": "{what} のデプロイを続行します。承認は取り消せません。",
    "confirm_reject": "{engine} がデプロイをロールバックします。この操作は取り消せません。",
    "failed": "テストの依頼を何度か試みましたが失敗したため、{engine} にこのデプロイの"
    "ロールバックを指示しました。原因を解消してから、もう一度デプロイしてください。",
    "ended": "テストの依頼を何度か試みましたが、失敗しました。その間にデプロイは {engine} で"
    "ロールバックまたは停止されました。原因を解消してから、もう一度デプロイしてください。",
    "stuck": "テストを依頼できず、{engine} にロールバックを指示することもできませんでした。"
    "しばらくすると自動で再試行します。すぐにロールバックするには、次の AWS CLI コマンドを"
    "実行してください。",
    "rejected_elsewhere": "*ロールバックまたは停止*: ここでの却下ではなく、{engine} 側で実行"
    "（コンソール、AWS CLI、アラーム、新しいデプロイなど） · {when}",
    "expired": "承認も却下もされなかったため、{engine} がデプロイをロールバックしました · {when}",
    "failed_at": "テストを依頼できなかったため、Greenlight がデプロイのロールバックを"
    "指示しました · {when}",
    "failing": "テストを依頼できなかったため、Greenlight がこのデプロイのロールバックを指示して"
    "います。今回の操作による変更はありません。",
}
