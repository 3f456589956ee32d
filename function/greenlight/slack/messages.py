"""Slack messages as pure functions: gate in, Block Kit out.

Text from outside is escaped; whatever it holds, a message stays within Slack's limits.
"""

import shlex
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from greenlight.model.gate import (
    EngineName,
    Gate,
    GateState,
    GateStatus,
    Outcome,
    TimeoutAction,
    Verdict,
    Via,
)
from greenlight.model.life import News
from greenlight.model.message import Language, Look, Message, Pointers
from greenlight.slack.blocks import (
    SECTION_CHARACTERS,
    Block,
    code,
    header,
    link,
    link_to,
    moment,
    mrkdwn,
    plain,
    section,
    shown,
    user,
)
from greenlight.slack.buttons import (
    ACTIONS,
    CLAIM_ACTION,
    REASON_ACTION,
    REASON_BLOCK,
    REASON_CHARACTERS,
    button_value,
)
from greenlight.slack.words import Words, words_in

# Blocks that a message can do without, where Slack refuses it with them.
_OPTIONAL_BLOCKS: Final = frozenset({"image", "input"})
_MAX_APPROVERS_SHOWN: Final = 30
_NAME_CHARACTERS: Final = 60  # of each name in a confirmation, which has room for 300
_MAX_GATES_LISTED: Final = 20
# The stage of ECS at which the new version takes all test traffic; CodeDeploy's hook has no other.
_TESTED_STAGE: Final = "POST_TEST_TRAFFIC_SHIFT"
# From here on, people count in hours.
_HOURS_FROM: Final = timedelta(hours=2)
_HISTORY_TITLE_CHARACTERS: Final = 100
_ARN_CHARACTERS: Final = 150  # room for that of any person
_TYPED_CHARACTERS: Final = 200  # room for any command with any id


def render(gate: Gate, news: News, pointers: Pointers, look: Look) -> Message:
    """The message that brings people this news of a gate.

    Raises KeyError for news that are not of a gate in such a state.
    """
    words = words_in(look.languages, gate.engine)
    match news:
        case News.WAITING:
            return _waiting(gate, pointers, look, words)
        case News.REMINDER:
            return _waiting(gate, pointers, look, words, title=words.reminder_header)
        case News.CLOSED:
            return _closed(gate, pointers, words)
        case News.FAILED | News.ENDED | News.STUCK | News.LEFT:
            return _not_asked(gate, news, pointers, words)


def reminder(
    gate: Gate, approvers: Collection[str], now: datetime, pointers: Pointers, look: Look
) -> Message:
    """How long is left to decide, and for whom: below a bot's message, or as one of its own."""
    words = words_in(look.languages, gate.engine)
    left = gate.ends_at - now
    how_long = _counted(left, words.reminder, words.reminder_hours)
    said = [how_long.replace("{when}", moment(gate.ends_at))]
    whom = sorted(approvers)[:_MAX_APPROVERS_SHOWN]
    if gate.claimed_by:
        is_enough = not approvers or gate.claimed_by in approvers
        whom = [gate.claimed_by] if is_enough else [gate.claimed_by, *whom]
    if whom:
        said.append(words.reminder_for.format(who=", ".join(map(user, whom))))
    if gate.place:
        blocks = [section(f"{words.reminder_header} · {gate.deployment_id}"), *map(section, said)]
        return {"text": f"{words.reminder_header} · {gate.deployment_id}", "blocks": blocks}
    message = render(gate, News.REMINDER, pointers, look)
    first, *rest = message["blocks"]
    return {**message, "blocks": [first, *map(section, said), *rest]}


def answer_to(gate: Gate, look: Look) -> Message | None:
    """What is said below a bot's message of how a gate ended; None where the message says it.

    That nobody decided is said once; how a rejected deployment ends is no news.
    """
    words = words_in(look.languages, gate.engine)
    if gate.outcome and (gate.goes_on or gate.is_stranded):
        said = _what_became(gate, words)
        if gate.goes_on and gate.outcome is not Outcome.LIVE and gate.decided_by:
            said.append(words.approver_told.format(who=_who(gate)))
    elif gate.decided_via is Via.CLOCK and not (gate.shown or "").startswith(gate.status):
        said = _what_happened(gate, words)
    else:
        return None
    title = f"{_title(gate, words)} · {gate.deployment_id}"
    return {"text": title, "blocks": [section(title), *map(section, said)]}


def _waiting(
    gate: Gate, pointers: Pointers, look: Look, words: Words, title: str | None = None
) -> Message:
    """What to test, where, until when, and how to decide; with buttons, or without."""
    blocks: list[Block] = [
        header(title or words.header),
        _facts(gate, words, pointers.console_url, creator=gate.creator),
        section(f"*{words.test_url}*\n{link_to(gate.test_url)}"),
    ]
    if gate.description:
        blocks.append(section(f"*{words.description}*\n{shown(gate.description)}"))
    if not gate.names:
        blocks.append(section(words.unknown_deployment))
    if gate.is_first:
        blocks.append(section(words.first_deployment))
    blocks += map(section, _claimed(gate, words))
    blocks += [
        section(f"*{words.deadline}*\n{moment(gate.ends_at)}\n{_after(gate, words)}"),
        section(_what_to_do(gate, look, words)),
    ]
    if look.has_buttons:
        blocks += [
            _reason_input(words),
            _buttons(gate, words),
            section(words.or_command if look.command else words.or_type),
        ]
    aws = [
        section(f"{words.aws_approve}\n{code(pointers.commands.approve)}"),
        section(f"{words.aws_reject}\n{code(pointers.commands.reject)}"),
    ]
    # Each by itself: what is copied as one is run as one. First what everybody has.
    if look.command:
        blocks += [*_slash_commands(gate, look.command, words), *aws]
    else:
        blocks += [*aws, section(words.get_greenlight), *_commands(gate, pointers, words)]
    if look.image_url:
        blocks.append({"type": "image", "image_url": look.image_url, "alt_text": words.image})
    text = f"{title or words.header} · {gate.deployment_id} · {shown(gate.test_url)}"
    return {"text": text, "blocks": blocks}


def _what_to_do(gate: Gate, look: Look, words: Words) -> str:
    """Where the deployment stands, and how to decide."""
    if gate.engine is EngineName.CODEDEPLOY or gate.stage == _TESTED_STAGE:
        return words.what_to_press if look.has_buttons else words.what_to_do
    sentence = words.what_to_press_at if look.has_buttons else words.what_to_do_at
    return sentence.format(stage=shown(gate.stage or "?", _NAME_CHARACTERS))


def _commands(gate: Gate, pointers: Pointers, words: Words) -> list[Block]:
    """What decides a gate at a terminal where `greenlight` is installed."""
    options = (gate.deployment_id, *pointers.options)
    why_not = ("--reason", words.reason_example)
    approve = shlex.join(("greenlight", Verdict.APPROVE, *options))
    reject = shlex.join(("greenlight", Verdict.REJECT, *options, *why_not))
    return [
        section(f"{words.greenlight_approve}\n{code(approve)}"),
        section(f"{words.greenlight_reject}\n{code(reject)}"),
    ]


def _slash_commands(gate: Gate, name: str, words: Words) -> list[Block]:
    """What decides a gate in Slack without a button."""
    lines = (slash_line(name, verdict, gate.deployment_id, words) for verdict in Verdict)
    sentences = (words.command_approve, words.command_reject)
    return [
        section(f"{sentence}\n{code(line)}")
        for sentence, line in zip(sentences, lines, strict=True)
    ]


def slash_line(name: str, verdict: Verdict, gate_id: str, words: Words) -> str:
    """The slash command of this name that decides a gate, as it is typed."""
    why = f" {words.reason_example}" if verdict is Verdict.REJECT else ""
    return f"{name} {verdict} {gate_id}{why}"


def _closed(gate: Gate, pointers: Pointers, words: Words) -> Message:
    """What takes the place of the notice once a gate does not wait any more: no buttons."""
    title = _title(gate, words)
    blocks = [header(title), _facts(gate, words, pointers.console_url)]
    if gate.test_url:
        blocks.append(section(f"*{words.test_url}*\n{link_to(gate.test_url)}"))
    blocks += map(section, [*_what_happened(gate, words), *_what_became(gate, words)])
    return {"text": f"{title} · {gate.deployment_id}", "blocks": blocks}


def _not_asked(gate: Gate, news: News, pointers: Pointers, words: Words) -> Message:
    """That nobody could be asked, and what became of the deployment."""
    title, sentence = {
        News.FAILED: (words.failed_header, words.failed),
        News.ENDED: (words.failed_header, words.ended),
        News.STUCK: (words.stuck_header, words.stuck),
        News.LEFT: (words.left_header, words.left),
    }[news]
    blocks: list[Block] = [
        header(title),
        section(f"*{words.deployment}*\n{link(pointers.console_url, gate.deployment_id)}"),
        section(f"*{words.cause}*\n{shown(gate.reason)}"),
        section(sentence),
    ]
    commands = pointers.commands
    if news is News.STUCK:
        blocks.append(section(code(commands.reject)))
    if news is News.LEFT:
        until = f"*{words.deadline}*\n{moment(gate.deadline)}\n{_after(gate, words)}"
        approve = f"{words.aws_approve}\n{code(commands.approve)}"
        reject = f"{words.aws_reject}\n{code(commands.reject)}"
        blocks += map(section, (until, approve, reject))
    return {"text": f"{title} · {gate.deployment_id}", "blocks": blocks}


def standing_notice(
    gate: Gate, words: Words, *, settled: bool, command: str | None = None
) -> Message:
    """Tells one person that what they did changed nothing, and what happened instead.

    `settled`: the engine had its answer from elsewhere, which nobody here knew before. `command`:
    the slash command's name, where no button was pressed.
    """
    if gate.state is GateState.FAILING:
        return _notice(words.failing)
    if gate.state is GateState.DECIDED and gate.status is GateStatus.EXPIRED:
        return _notice(words.ending)
    if gate.state is GateState.DECIDED:
        said = [words.still_unreported, _again(gate, words, command)]
    else:
        said = [words.settled_elsewhere if settled else words.nothing_changed]
    return _notice(*said, *_what_happened(gate, words))


def unreported_notice(
    gate: Gate, problem: str, words: Words, command: str | None = None
) -> Message:
    """Tells one person that a decision is recorded, and how to bring it to the engine."""
    said = words.unreported.format(problem=shown(problem))
    return _notice(said, _again(gate, words, command))


def unknown_notice(problem: str, words: Words) -> Message:
    """Tells one person that the engine does not know the deployment or its hook."""
    return _notice(words.unknown.format(problem=shown(problem)))


def answered_notice(gate: Gate, problem: str, words: Words, command: str | None = None) -> Message:
    """Tells one person that the engine has an answer that could not be read."""
    said = words.answered.format(problem=shown(problem))
    return _notice(said, _again(gate, words, command))


def denied_notice(permission: str, words: Words) -> Message:
    """Tells one person that the engine takes no decision from Greenlight: it lacks a permission."""
    return _notice(words.denied.format(permission=shown(permission)))


def not_approver_notice(approvers: Collection[str], words: Words) -> Message:
    """Tells one person who may decide."""
    named = sorted(approvers)[:_MAX_APPROVERS_SHOWN]
    who = ", ".join(map(user, named)) + (" …" if len(named) < len(approvers) else "")
    return _notice(words.not_approver.format(who=who))


def not_found_notice(words: Words) -> Message:
    """Tells one person that nothing is known of the deployment."""
    return _notice(words.not_found)


def replaced_notice(words: Words) -> Message:
    """Tells one person that the button belongs to an older hook of the deployment."""
    return _notice(words.replaced)


def not_done_notice(problem: str, words: Words) -> Message:
    """Tells one person that a decision could not be carried out."""
    return _notice(words.not_done.format(problem=shown(problem)))


def decided_notice(gate: Gate, pointers: Pointers, words: Words) -> Message:
    """Tells one person that their command has decided a gate, or has brought it to its end."""
    return _notice(_heading(gate, pointers, words), *_what_happened(gate, words))


def needs_reason_notice(name: str, gate_id: str, words: Words) -> Message:
    """Tells one person that rejecting needs a reason."""
    line = slash_line(name, Verdict.REJECT, gate_id, words)
    return _notice(words.needs_reason.format(line=_typed(line)))


def help_notice(name: str, words: Words, *, is_asked: bool) -> Message:
    """Tells one person which commands there are; `is_asked`: they wanted to know that."""
    commands = words.help.format(name=_typed(name))
    return _notice(commands) if is_asked else _notice(words.not_understood, commands)


def unknown_id_notice(name: str, gate_id: str, words: Words) -> Message:
    """Tells one person that nothing is known of a deployment whose id they typed."""
    return _notice(words.unknown_id.format(id=_typed(gate_id), name=_typed(name)))


def not_looked_up_notice(problem: str, words: Words) -> Message:
    """Tells one person that what they asked for could not be read."""
    return _notice(words.not_looked_up.format(problem=shown(problem)))


def no_index_notice(table: str, index: str, words: Words) -> Message:
    """Tells one person that the table is one that cannot be listed, and who can mend that."""
    return _notice(words.no_index.format(table=shown(table), index=shown(index)))


def list_notice(
    gates: Sequence[Gate], pages: Sequence[str], languages: tuple[Language, ...]
) -> Message:
    """Tells one person what waits; `pages` are the gates' pages in the console."""
    words = words_in(languages)
    if not gates:
        return _notice(words.nothing_waits)
    count, more = len(gates), len(gates) - _MAX_GATES_LISTED
    listed = [
        _listed(gate, page, words_in(languages, gate.engine))
        for gate, page in zip(gates, pages, strict=True)
    ][:_MAX_GATES_LISTED]
    rest = [words.more_wait.format(count=more)] if more > 0 else []
    return _notice(words.what_waits.format(count=count), *listed, *rest)


def gate_notice(gate: Gate, pointers: Pointers, words: Words, command: str) -> Message:
    """Tells one person how a gate stands, and what has happened to it."""
    said = [_heading(gate, pointers, words)]
    if gate.test_url:
        said.append(f"*{words.test_url}*\n{link_to(gate.test_url)}")
    if gate.state is GateState.WAITING:
        said += _claimed(gate, words)
        said.append(f"*{words.deadline}*\n{moment(gate.ends_at)}\n{_after(gate, words)}")
    elif gate.state is GateState.FAILING:
        said.append(words.failing)
    else:
        said += [*_what_happened(gate, words), *_what_became(gate, words)]
        if gate.state is GateState.DECIDED:
            is_expired = gate.status is GateStatus.EXPIRED
            said += (
                [words.ending]
                if is_expired
                else [words.still_unreported, _again(gate, words, command)]
            )
    said.append(f"*{words.history}*\n{_history(gate)}")
    return _notice(*said)


def plainer(message: Message) -> Message:
    """The same message without the blocks that it can do without."""
    kept = [block for block in message["blocks"] if block["type"] not in _OPTIONAL_BLOCKS]
    return {**message, "blocks": kept}


def _title(gate: Gate, words: Words) -> str:
    """The heading of a gate that does not wait any more."""
    if gate.outcome and (gate.goes_on or gate.is_stranded):
        return {
            Outcome.LIVE: words.live_header,
            Outcome.FAILED: words.broken_header,
            Outcome.STOPPED: words.stopped_header,
            Outcome.ROLLED_BACK: words.rolled_back_header,
        }[gate.outcome]
    return {
        GateStatus.APPROVED: words.approved_header,
        GateStatus.REJECTED: words.rejected_header,
        GateStatus.EXPIRED: words.expired_header,
        GateStatus.FAILED: words.failed_header,
    }[gate.status]


def _what_became(gate: Gate, words: Words) -> list[str]:
    """What became of the deployment, when, how long it took and why; nothing while that is open."""
    if not gate.outcome:
        return []
    sentence = {
        Outcome.LIVE: words.live,
        Outcome.FAILED: words.broken,
        Outcome.STOPPED: words.stopped,
        Outcome.ROLLED_BACK: words.rolled_back,
    }[gate.outcome]
    at = gate.outcome_at or gate.created_at
    took = _counted(at - gate.created_at, words.took, words.took_hours)
    languages = zip(sentence.format(when=moment(at)).split("\n"), took.split("\n"), strict=True)
    said = ["\n".join(" · ".join(both) for both in languages)]
    # What failed by a decision has the decision's reason.
    is_own = (gate.goes_on or gate.is_stranded) and gate.outcome_reason
    return [*said, f"*{words.reason}*: {shown(gate.outcome_reason)}"] if is_own else said


def _who(gate: Gate) -> str:
    """Who decided: a mention, or the name of an IAM principal."""
    return user(gate.decided_by) if gate.decided_via is Via.SLACK else f"`{shown(gate.decided_by)}`"


def _what_happened(gate: Gate, words: Words) -> list[str]:
    """How a gate that does not wait any more came to its end, by whom and when; and why."""
    is_known = gate.decided_by is not None
    sentence, at = {
        GateStatus.APPROVED: (
            words.approved_by if is_known else words.approved_elsewhere,
            gate.decided_at,
        ),
        GateStatus.REJECTED: (
            words.rejected_by if is_known else words.rejected_elsewhere,
            gate.decided_at,
        ),
        GateStatus.EXPIRED: (_why_expired(gate, words), gate.decided_at),
        GateStatus.FAILED: (words.failed_at, gate.failed_at),
    }[gate.status]
    happened = sentence.format(who=_who(gate), when=moment(at or gate.created_at))
    is_said = gate.reason is None or gate.decided_via is Via.CLOCK
    return [happened] if is_said else [happened, f"*{words.reason}*: {shown(gate.reason)}"]


def _why_expired(gate: Gate, words: Words) -> str:
    """Who has ended a gate for want of a decision, and how."""
    if gate.decided_via is Via.CLOCK:
        return words.expired_by_clock
    return words.expired_going_on if gate.goes_on else words.expired


def _counted(time: timedelta, minutes: str, hours: str) -> str:
    """A sentence that says how long something takes: in minutes, or in hours."""
    if time < _HOURS_FROM:
        return minutes.replace("{minutes}", str(max(1, round(time / timedelta(minutes=1)))))
    return hours.replace("{hours}", str(round(time / timedelta(hours=1))))


def _claimed(gate: Gate, words: Words) -> list[str]:
    """Who is testing, if somebody says so."""
    if not (gate.claimed_by and gate.claimed_at):
        return []
    return [words.claimed.format(who=user(gate.claimed_by), when=moment(gate.claimed_at))]


def _after(gate: Gate, words: Words) -> str:
    """What happens to a gate that nobody decides in time."""
    if gate.decide_by:
        return words.after_decide_by
    return {
        TimeoutAction.CONTINUE: words.after_going_on,
        TimeoutAction.ROLLBACK: words.after_rolling_back,
        None: words.after_deadline,
    }[gate.timeout_action]


def _again(gate: Gate, words: Words, command: str | None) -> str:
    """What is to be done for a gate that is decided to come to its end.

    `command`: the slash command's name, where no button was pressed.
    """
    is_approved = gate.status is GateStatus.APPROVED
    if command is None:
        button = words.approve_button if is_approved else words.reject_button
        return words.press_again.format(button=button)
    verdict = Verdict.APPROVE if is_approved else Verdict.REJECT
    line = slash_line(command, verdict, gate.deployment_id, words)
    return words.type_again.format(line=_typed(line))


def _heading(gate: Gate, pointers: Pointers, words: Words) -> str:
    """What a notice about a gate begins with: how it stands, which it is, and of what service."""
    title = words.header if gate.state is GateState.WAITING else _title(gate, words)
    return f"{title}\n{_named(gate, pointers.console_url)}"


def _named(gate: Gate, console_url: str) -> str:
    """A gate's id, as a link, and its service, as far as it is known."""
    names = [shown(one, _NAME_CHARACTERS) for one in gate.names]
    return " · ".join(
        [f"*{link(console_url, gate.deployment_id)}*", *filter(None, ["/".join(names)])]
    )


def _listed(gate: Gate, console_url: str, words: Words) -> str:
    """A gate in a list: which, until when, who is testing, and whether its engine has to know."""
    is_waiting = gate.state is GateState.WAITING
    more = _claimed(gate, words) if is_waiting else [_title(gate, words), words.unreported_yet]
    return "\n".join(
        [_named(gate, console_url), f"{words.deadline}: {moment(gate.ends_at)}", *more]
    )


def _history(gate: Gate) -> str:
    """The last entries of a gate's history, as many as there is room for."""
    lines: list[str] = []
    left = SECTION_CHARACTERS - _HISTORY_TITLE_CHARACTERS
    for entry in reversed(gate.history):
        by = entry.get("by", "")
        who = user(by) if len(by) <= _NAME_CHARACTERS else shown(by, _ARN_CHARACTERS)
        at = moment(datetime.fromisoformat(entry["at"]))
        line = f"{at} `{shown(entry['event'], _NAME_CHARACTERS)}` {who}".rstrip()
        left -= len(line) + 1
        if left < 0:
            break
        lines.append(line)
    return "\n".join(reversed(lines))


def _typed(text: str) -> str:
    """What somebody types, or has typed, as it stands between backticks."""
    return shown(text.replace("`", "'"), _TYPED_CHARACTERS)


def _facts(gate: Gate, words: Words, console_url: str, creator: str | None = None) -> Block:
    fields = {
        words.deployment: link(console_url, gate.deployment_id),
        words.application: shown(gate.application),
        words.deployment_group: shown(gate.deployment_group),
        words.cluster: shown(gate.cluster),
        words.service: shown(gate.service),
        words.stage: shown(gate.stage),
        words.traffic: shown(gate.traffic),
        words.creator: shown(creator),
    }
    known = [mrkdwn(f"*{name}*\n{value}") for name, value in fields.items() if value]
    return {"type": "section", "fields": known}


def _reason_input(words: Words) -> Block:
    return {
        "type": "input",
        "block_id": REASON_BLOCK,
        "optional": True,
        "label": plain(words.reason_input),
        "element": {
            "type": "plain_text_input",
            "action_id": REASON_ACTION,
            "max_length": REASON_CHARACTERS,
        },
    }


def _buttons(gate: Gate, words: Words) -> Block:
    looks: dict[Verdict, Block] = {
        Verdict.APPROVE: {
            "text": plain(words.approve_button),
            "style": "primary",
            "confirm": {
                "title": plain(words.confirm_approve_title),
                "text": plain(words.confirm_approve.format(what=_what_is_approved(gate))),
                "confirm": plain(words.approve_button),
                "deny": plain(words.confirm_no),
                "style": "primary",
            },
        },
        Verdict.REJECT: {
            "text": plain(words.reject_button),
            "style": "danger",
            "confirm": {
                "title": plain(words.confirm_reject_title),
                "text": plain(words.confirm_reject),
                "confirm": plain(words.reject_button),
                "deny": plain(words.confirm_no),
                "style": "danger",
            },
        },
    }
    value = button_value(gate.hook)
    buttons = [
        {"type": "button", "action_id": action, "value": value, **looks[verdict]}
        for action, verdict in ACTIONS.items()
    ]
    claim = {"type": "button", "action_id": CLAIM_ACTION, "value": value}
    buttons.append({**claim, "text": plain(words.claim_button)})
    return {"type": "actions", "elements": buttons}


def _what_is_approved(gate: Gate) -> str:
    """The service, as far as it is known, and the deployment."""
    names = (*gate.names, gate.deployment_id)
    *service, deployment = (shown(name, _NAME_CHARACTERS) for name in names)
    return f"{'/'.join(service)} ({deployment})" if service else deployment


def _notice(*texts: str) -> Message:
    """A message for the one who clicked only."""
    return {
        "response_type": "ephemeral",
        "replace_original": False,
        "text": " ".join(texts),
        "blocks": [section(text) for text in texts],
    }
