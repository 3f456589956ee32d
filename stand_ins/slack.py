"""A stand-in for Slack's incoming webhooks and for its Web API: a real HTTP server on loopback."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stand_ins.server import running

# The path of the webhook that it honours; like a real one, the path is the secret.
WEBHOOK_PATH = "/services/T0000/B0000/stand-in-for-a-secret"
# Where the URLs lead that a click brings.
RESPONSE_PATH = "/actions/T0000/"
# Where the methods of the Web API are.
API_PATH = "/api/"
BOT_TOKEN = "xoxb-1111-2222-" + "standInForASecret"
CHANNEL = "C0RELEASES"

MAX_BLOCKS = 50
MAX_HEADER = 150
MAX_SECTION = 3000
MAX_FIELDS = 10
MAX_FIELD = 2000
MAX_ALT_TEXT = 2000
MAX_IMAGE_URL = 3000
MAX_BUTTONS = 25
MAX_BUTTON_TEXT = 75
MAX_BUTTON_VALUE = 2000
MAX_LABEL = 2000
MAX_PLACEHOLDER = 150
MAX_CONFIRM_TITLE = 100
MAX_CONFIRM_TEXT = 300
MAX_CONFIRM_BUTTON = 30
MAX_ID = 255
MAX_RESPONSES = 5


@dataclass(frozen=True)
class Answer:
    """What Slack answers a post: `pause` runs first, and None for `status` hangs up instead."""

    status: int | None = 200
    text: str = "ok"
    headers: dict[str, str] = field(default_factory=dict)
    pause: Callable[[], object] = lambda: None


def refusal(error: str, status: int = 200, **headers: str) -> Answer:
    """How the Web API says that it does not do what it is asked: an error code of Slack's."""
    return Answer(status, json.dumps({"ok": False, "error": error}), headers)


RATE_LIMITED = refusal("ratelimited", 429, **{"Retry-After": "30"})


@dataclass
class Shown:
    """A message as people see it now; `ts` is its name in its channel.

    `by` is the bot's token, None for a webhook. `under` is the `ts` of the message in whose thread
    it stands; `is_broadcast`: the channel shows it besides. `edits` counts how often it was
    changed.
    """

    channel: str
    ts: str
    content: dict[str, Any]
    by: str | None = None
    under: str | None = None
    is_broadcast: bool = False
    edits: int = 0

    @property
    def text(self) -> str:
        """All that it says, with its markup."""
        return json.dumps(self.content, ensure_ascii=False)

    @property
    def buttons(self) -> list[str]:
        """What can be pressed in it, by action id."""
        return [
            element["action_id"]
            for block in self.content.get("blocks", [])
            if block["type"] == "actions"
            for element in block["elements"]
        ]


@dataclass
class SlackStandIn:
    """A running stand-in: where it is, what it was sent, and what it will answer.

    It answers with `script`, one answer after the other; then as Slack does: `ok`, or an error of
    Slack's for a message that breaks a limit or a webhook that it does not know. `calls` are those
    of the Web API, by method. `scopes` has what each token may do, `channels` the error that a bot
    meets in each channel, None for one that takes its messages. `shown` are all messages that are
    there, as they are now; `clicked` says which one a click's `response_url` is of, by its path.
    `meanwhile` has what happens while it takes one message after the other.
    """

    base_url: str
    script: list[Answer] = field(default_factory=list)
    webhook_paths: set[str] = field(default_factory=lambda: {WEBHOOK_PATH})
    posts: list[tuple[str, Any]] = field(default_factory=list)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    scopes: dict[str, set[str]] = field(default_factory=lambda: {BOT_TOKEN: {"chat:write"}})
    channels: dict[str, str | None] = field(default_factory=lambda: {CHANNEL: None})
    shown: list[Shown] = field(default_factory=list)
    clicked: dict[str, Shown] = field(default_factory=dict)
    meanwhile: list[Callable[[], object]] = field(default_factory=list)
    _newest: int = 0

    @property
    def webhook_url(self) -> str:
        """The URL to post messages to."""
        return self.base_url + WEBHOOK_PATH

    @property
    def response_url(self) -> str:
        """The URL that a click brings, to answer it with."""
        return f"{self.base_url}{RESPONSE_PATH}{len(self.posts)}"

    @property
    def api_url(self) -> str:
        """Where the methods of the Web API are."""
        return self.base_url + API_PATH.rstrip("/")

    def url_of_click(self, message: Shown) -> str:
        """The URL that a click on a message brings: what replaces the message changes it."""
        url = f"{self.response_url}/{len(self.clicked)}"
        self.clicked[url.removeprefix(self.base_url)] = message
        return url

    def in_channel(self, channel: str = CHANNEL) -> list[Shown]:
        """What a channel shows: not what stands in threads only."""
        return [
            one
            for one in self.shown
            if one.channel == channel and (one.is_broadcast or not one.under)
        ]

    def thread(self, message: Shown) -> list[Shown]:
        """What stands under a message."""
        return [one for one in self.shown if one.under == message.ts]

    @property
    def messages(self) -> list[Any]:
        """Every message that was posted to a webhook, refused ones too."""
        return [message for path, message in self.posts if not path.startswith(RESPONSE_PATH)]

    @property
    def responses(self) -> list[Any]:
        """Every answer to a click: what takes the message's place, and what only one sees."""
        return [message for path, message in self.posts if path.startswith(RESPONSE_PATH)]

    def answer(self, path: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
        """Takes a post and says what to answer."""
        try:
            message = json.loads(body)
        except ValueError:
            return Answer(400, "invalid_payload")
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if path.startswith(API_PATH):
            return self._answer_call(path.removeprefix(API_PATH), message, headers or {})
        self.posts.append((path, message))
        if self.script:
            return self.script.pop(0)
        return self._answer_post(path, message)

    def _answer_post(self, path: str, message: Any) -> Answer:
        """Takes what is posted to a webhook, or to a click's `response_url`."""
        if path.startswith(RESPONSE_PATH):
            used = [one for one, _ in self.posts].count(path)
            if used > MAX_RESPONSES:
                return Answer(404, "used_url")
        elif path not in self.webhook_paths:
            return Answer(404, "no_service")
        if broken_limits(message):
            return Answer(400, "invalid_blocks")
        if path in self.webhook_paths:
            self._show(CHANNEL, message)
        elif path in self.clicked and message.get("replace_original"):
            self._change(self.clicked[path], message)
        return Answer()

    def _answer_call(
        self, method: str, content: dict[str, Any], headers: Mapping[str, str]
    ) -> Answer:
        """Takes a call of the Web API, whose errors come as a success of HTTP's."""
        self.calls.append((method, content))
        if self.script:
            return self.script.pop(0)
        token = headers.get("Authorization", "").removeprefix("Bearer ")
        error = self._what_is_wrong(method, content, token)
        if error:
            return refusal(error)
        if method == "chat.update":
            message = self._found(content["channel"], content["ts"])
            assert message  # it was looked for above
            self._change(message, content)
        else:
            message = self._show(content["channel"], content, token)
        told = {"ok": True, "channel": message.channel, "ts": message.ts}
        return Answer(200, json.dumps(told), {"Content-Type": "application/json"})

    def _what_is_wrong(self, method: str, content: dict[str, Any], token: str) -> str | None:
        """Slack's error code for a call, if it does not do what it is asked."""
        channel = str(content.get("channel"))
        message = self._found(channel, str(content.get("ts")))
        thread = content.get("thread_ts")
        is_change = method == "chat.update"
        if not token:
            return "not_authed"
        if token not in self.scopes:
            return "invalid_auth"
        if method not in ("chat.postMessage", "chat.update"):
            return "unknown_method"
        if "chat:write" not in self.scopes[token]:
            return "missing_scope"
        if channel not in self.channels:
            return "channel_not_found"
        wrong = {
            self.channels[channel]: self.channels[channel],
            "message_not_found": is_change and not message,
            "cant_update_message": is_change and message and message.by != token,
            "thread_not_found": thread and not self._found(channel, thread),
            "no_text": not content.get("text") and not content.get("blocks"),
            "invalid_blocks": bool(broken_limits(content)),
        }
        return next((error for error, is_so in wrong.items() if is_so), None)

    def _found(self, channel: str, ts: str) -> Shown | None:
        """A message of a channel, if it is there."""
        return next((one for one in self.shown if (one.channel, one.ts) == (channel, ts)), None)

    def _show(self, channel: str, content: dict[str, Any], by: str | None = None) -> Shown:
        """Shows a message in a channel, or in a thread."""
        self._newest += 1
        message = Shown(
            channel,
            f"1700000000.{self._newest:06}",
            _seen(content),
            by,
            content.get("thread_ts"),
            is_broadcast=bool(content.get("reply_broadcast")),
        )
        self.shown.append(message)
        return message

    def _change(self, message: Shown, content: dict[str, Any]) -> None:
        message.content = _seen(content)
        message.edits += 1


def _seen(content: dict[str, Any]) -> dict[str, Any]:
    """What people see of what was sent."""
    return {name: content[name] for name in ("text", "blocks") if name in content}


class Server(ThreadingHTTPServer):
    """Takes as many at once as come: a connection that has to queue waits a second."""

    request_queue_size = 512


@contextmanager
def slack_stand_in(script: Sequence[Answer] = ()) -> Iterator[SlackStandIn]:
    """Runs the stand-in on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = stand_in.answer(self.path, body, dict(self.headers.items()))
            answer.pause()
            self.close_connection = True
            if answer.status is None:
                return
            text = answer.text.encode()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_args: object) -> None:
            """Nothing: whoever runs the stand-in shows what it wants to."""

    server = Server(("127.0.0.1", 0), Handler)
    stand_in = SlackStandIn(f"http://127.0.0.1:{server.server_port}", list(script))
    with running(server):
        yield stand_in


def broken_limits(message: Any) -> list[str]:
    """What Slack would refuse a message for: its documented limits."""
    blocks = message.get("blocks", [])
    broken = [f"{len(blocks)} blocks"] if len(blocks) > MAX_BLOCKS else []
    if not blocks and not message.get("text"):
        broken.append("no text")
    for block in blocks:
        broken += [
            f"{what}: {text!r}"
            for what, text, limit in _limited(block)
            if not isinstance(text, str) or not 1 <= len(text) <= limit
        ]
        for parts, limit in (("fields", MAX_FIELDS), ("elements", MAX_BUTTONS)):
            if len(block.get(parts, [])) > limit:
                broken.append(f"{len(block[parts])} {parts}")
    return broken


def _limited(block: Any) -> list[tuple[str, Any, int]]:
    """The texts of a block with their limits, its id among them where it has one."""
    ids = [("block_id", block["block_id"], MAX_ID)] if "block_id" in block else []
    return ids + _limited_texts(block)


def _limited_texts(block: Any) -> list[tuple[str, Any, int]]:
    """The texts that a block shows; a block that is none of ours has no text."""
    match block["type"]:
        case "header":
            return [("header", block["text"]["text"], MAX_HEADER)]
        case "section":
            texts = [("section", block["text"]["text"], MAX_SECTION)] if "text" in block else []
            return texts + [("field", one["text"], MAX_FIELD) for one in block.get("fields", [])]
        case "image":
            return [
                ("image_url", block["image_url"], MAX_IMAGE_URL),
                ("alt_text", block["alt_text"], MAX_ALT_TEXT),
            ]
        case "input":
            element = block["element"]
            texts = [
                ("label", block["label"]["text"], MAX_LABEL),
                ("action_id", element["action_id"], MAX_ID),
            ]
            if placeholder := element.get("placeholder"):
                texts.append(("placeholder", placeholder["text"], MAX_PLACEHOLDER))
            return texts
        case "actions":
            return [text for button in block["elements"] for text in _limited_button(button)]
    return [("block type", None, 0)]


def _limited_button(button: Any) -> list[tuple[str, Any, int]]:
    """The texts of a button and of its confirmation dialog with their limits."""
    texts = [
        ("button", button["text"]["text"], MAX_BUTTON_TEXT),
        ("value", button["value"], MAX_BUTTON_VALUE),
        ("action_id", button["action_id"], MAX_ID),
    ]
    if confirm := button.get("confirm"):
        texts += [
            ("confirm title", confirm["title"]["text"], MAX_CONFIRM_TITLE),
            ("confirm text", confirm["text"]["text"], MAX_CONFIRM_TEXT),
            ("confirm button", confirm["confirm"]["text"], MAX_CONFIRM_BUTTON),
            ("deny button", confirm["deny"]["text"], MAX_CONFIRM_BUTTON),
        ]
    return texts
