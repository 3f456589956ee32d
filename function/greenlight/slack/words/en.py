"""The words in English."""

from typing import Final

from greenlight.slack.words import Words

WORDS: Final = Words(
    header="✅ ECS deployment: waiting to be tested",
    deployment="Deployment ID",
    test_url="Test URL",
    application="Application",
    deployment_group="Deployment group",
    cluster="Cluster",
    service="Service",
    stage="Stage",
    traffic="Traffic shift",
    description="Description",
    creator="Started by",
    deadline="Decide by",
    after_deadline="Without a decision by then, {engine} fails the deployment.",
    after_rolling_back="Without a decision by then, {engine} rolls the deployment back.",
    after_going_on="🔴 *Without a decision by then, {engine} lets the deployment go on*: the new "
    "version goes live although nobody has approved it.",
    what_to_do="The new version (the green environment) is taking test traffic. "
    "Test it at the URL above, then run one of these commands in a terminal.",
    what_to_press="The new version (the green environment) is taking test traffic. "
    "Test it at the URL above, then press one of the buttons.",
    what_to_do_at="The deployment is waiting at the stage `{stage}`. "
    "To decide, run one of these commands in a terminal.",
    what_to_press_at="The deployment is waiting at the stage `{stage}`. "
    "To decide, press one of the buttons.",
    first_deployment="⚠️ This is the first deployment of the service: there is no version to go "
    "back to, so rejecting it cannot restore anything.",
    or_type="Or decide in a terminal, with one of these commands.",
    aws_approve="*Approve with the AWS CLI*: production traffic moves to the new version.",
    aws_reject="*Reject with the AWS CLI*: the deployment ends as failed.",
    get_greenlight="The command `greenlight` also records who decided, and why. "
    "To install it, run `pipx install .` in a clone of Greenlight's repository.",
    greenlight_approve="*Approve with greenlight*: production traffic moves to the new version.",
    greenlight_reject="*Reject with greenlight*: the deployment ends as failed.",
    approve_button="Approve",
    reject_button="Reject",
    confirm_approve_title="Approve this deployment?",
    confirm_approve="Production traffic moves to the new version of {what}. "
    "The decision cannot be changed.",
    confirm_reject_title="Reject this deployment?",
    confirm_reject="The deployment ends as failed. Production traffic stays on the current "
    "version. This cannot be undone.",
    confirm_no="Cancel",
    reason_input="Reason (optional; recorded with the button you press)",
    reason_example="why not",
    unknown_deployment="_{engine} could not be asked about this deployment, "
    "so some details are missing._",
    image="Waiting for a test",
    failed_header="❌ ECS deployment: could not ask for a test",
    failed="Greenlight tried several times to ask for a test, without success. It has reported "
    "this deployment to {engine} as failed. Production traffic does not move to the new version. "
    "Fix the cause, then deploy again.",
    ended="Greenlight tried several times to ask for a test, without success. Meanwhile, the "
    "deployment failed or was stopped at {engine}. Production traffic does not move to the new "
    "version. Fix the cause, then deploy again.",
    stuck_header="⚠️ ECS deployment: stuck",
    stuck="Greenlight could not ask for a test, and could not report the failure to {engine}. "
    "It will try again shortly. To end the deployment now, run this AWS CLI command.",
    left_header="⏸️ ECS deployment: could not ask for a test, still waiting",
    left="Greenlight could not ask for a test. It leaves the deployment waiting, as it is set up "
    "to do, and tries to ask again within an hour. Decide with one of these AWS CLI commands.",
    cause="Cause",
    approved_header="🚀 ECS deployment: approved",
    rejected_header="⛔ ECS deployment: rejected",
    expired_header="⌛ ECS deployment: not decided in time",
    approved_by="*Approved* by {who} · {when}",
    rejected_by="*Rejected* by {who} · {when}",
    approved_elsewhere="*Approved* at {engine} itself (AWS CLI or the like) · {when}",
    rejected_elsewhere="*Failed or stopped* at {engine} itself, not by a decision made "
    "here (console, AWS CLI or the like) · {when}",
    expired="Without a decision, {engine} failed the deployment · {when}",
    expired_going_on="Without a decision, {engine} let the deployment go on · {when}",
    failed_at="Greenlight could not ask for a test and failed the deployment · {when}",
    reason="Reason",
    nothing_changed="This deployment is already decided, or over. Nothing was changed.",
    still_unreported="This deployment is decided, but {engine} does not know yet. The decision "
    "cannot be changed.",
    settled_elsewhere="{engine} already had an answer from elsewhere. Your decision had no "
    "effect on the deployment.",
    not_approver="You may not approve or reject this deployment. Those who may: {who}",
    failing="Nobody could be asked for a test, so Greenlight is failing this deployment. "
    "Nothing was changed.",
    denied="Nothing is decided: Greenlight lacks the permission `{permission}`, without which it "
    "cannot tell {engine}. The deployment is still waiting. Ask whoever runs Greenlight for this "
    "permission. If it is urgent, decide with the AWS CLI command.",
    unreported="The decision is recorded, but {engine} could not be told ({problem}). The "
    "deployment may still be waiting.",
    answered="{engine} already has an answer, but Greenlight could not read it ({problem}).",
    unknown="The decision is recorded, but {engine} does not know this deployment "
    "or its hook ({problem}). Trying again changes nothing. "
    "The {engine} console shows where the deployment stands.",
    not_found="There is no record of this deployment, so nothing was decided. "
    "The {engine} console shows where it stands.",
    replaced="There is a newer message about this deployment. Please decide there. "
    "Nothing was changed.",
    not_done="The decision could not be carried out ({problem}). Try again in a moment. "
    "If it still fails, tell whoever runs Greenlight.",
    reminder_header="⏰ ECS deployment: still waiting to be tested",
    reminder="*{minutes} min* left to decide, until {when}.",
    reminder_hours="*{hours} h* left to decide, until {when}.",
    reminder_for="For {who}",
    claimed="*Testing now*: {who}, since {when}",
    claim_button="I am testing",
    after_decide_by="Without a decision by then, Greenlight rejects the deployment.",
    expired_by_clock="Nobody decided in time, so Greenlight rejected the deployment · {when}",
    live_header="🟢 ECS deployment: live",
    broken_header="🔴 ECS deployment: failed",
    stopped_header="🛑 ECS deployment: stopped",
    rolled_back_header="↩️ ECS deployment: rolled back",
    live="*Live*: production traffic is on the new version · {when}",
    broken="*Failed*: {engine} ended the deployment · {when}",
    stopped="*Stopped*: the deployment was stopped · {when}",
    rolled_back="*Rolled back*: production traffic is on the previous version · {when}",
    took="{minutes} min since people were asked",
    took_hours="{hours} h since people were asked",
    approver_told="{who}, the release that you approved did not stay live.",
    ending="Nobody decided in time, so Greenlight is rejecting this deployment. "
    "Nothing was changed.",
    press_again="Press *{button}* again in a moment.",
    type_again="Type this again in a moment: `{line}`",
    or_command="Or decide with a slash command in any channel (not in a thread), or in a terminal "
    "with the AWS CLI.",
    command_approve="*Approve with a slash command*: production traffic moves to the new version.",
    command_reject="*Reject with a slash command*: the deployment ends as failed.",
    help="`{name} list`: what waits, soonest deadline first\n"
    "`{name} show ID`: how a deployment stands\n"
    "`{name} approve ID [reason]`: the deployment goes on\n"
    "`{name} reject ID reason`: CodeDeploy ends the deployment as failed, ECS rolls it back",
    not_understood="This command was not understood. There are:",
    needs_reason="Rejecting needs a reason, for the record: `{line}`",
    unknown_id="There is no record of a deployment `{id}`. `{name} list` shows what waits.",
    not_looked_up="This could not be looked up ({problem}). Try again in a moment. "
    "If it still fails, tell whoever runs Greenlight.",
    no_index="The table `{table}` has no index `{index}`, so what waits cannot be listed. "
    "Everything else works. Whoever runs Greenlight can update the stack, or add the index as "
    "docs/deploy.md says.",
    nothing_waits="Nothing waits for a decision.",
    what_waits="Waiting: *{count}*, soonest deadline first",
    more_wait="and {count} more",
    unreported_yet="{engine} does not know yet",
    history="History",
)

# What is different where ECS itself waits.
ECS: Final = {
    "after_deadline": "Without a decision by then, {engine} does what the hook says: it rolls the "
    "deployment back, or lets it go on.",
    "approved_elsewhere": "*Approved* at {engine} itself (console, AWS CLI or the like) · {when}",
    "aws_approve": "*Approve with the AWS CLI*: the deployment goes on.",
    "aws_reject": "*Reject with the AWS CLI*: {engine} rolls the deployment back.",
    "greenlight_approve": "*Approve with greenlight*: the deployment goes on.",
    "greenlight_reject": "*Reject with greenlight*: {engine} rolls the deployment back.",
    "command_approve": "*Approve with a slash command*: the deployment goes on.",
    "command_reject": "*Reject with a slash command*: {engine} rolls the deployment back.",
    "confirm_approve": "The deployment of {what} goes on. The decision cannot be changed.",
    "confirm_reject": "{engine} rolls the deployment back. This cannot be undone.",
    "failed": "Greenlight tried several times to ask for a test, without success. It has told "
    "{engine} to roll this deployment back. Fix the cause, then deploy again.",
    "ended": "Greenlight tried several times to ask for a test, without success. Meanwhile, the "
    "deployment was rolled back or stopped at {engine}. Fix the cause, then deploy again.",
    "stuck": "Greenlight could not ask for a test, and could not tell {engine} to roll the "
    "deployment back. It will try again shortly. To roll it back now, run this AWS CLI command.",
    "rejected_elsewhere": "*Rolled back or stopped* at {engine} itself, not by a decision made "
    "here (console, AWS CLI, an alarm, a newer deployment or the like) · {when}",
    "expired": "Without a decision, {engine} rolled the deployment back · {when}",
    "failed_at": "Greenlight could not ask for a test and told {engine} to roll the deployment "
    "back · {when}",
    "failing": "Nobody could be asked for a test, so Greenlight is telling {engine} to roll this "
    "deployment back. Nothing was changed.",
}
