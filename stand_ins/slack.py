"""A stand-in for Slack's incoming webhooks: a real HTTP server on loopback."""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

# The path of the webhook that it honours; like a real one, the path is the secret.
WEBHOOK_PATH = "/services/T0000/B0000/stand-in-for-a-secret"
# Where the URLs lead that a click brings.
RESPONSE_PATH = "/actions/T0000/"

MAX_BLOCKS = 50
MAX_HEADER = 150
MAX_SECTION = 3000
MAX_FIELDS = 10
MAX_FIELD = 2000
MAX_ALT_TEXT = 2000
MAX_IMAGE_URL = 3000
MAX_BUTTON_TEXT = 75
MAX_BUTTON_VALUE = 2000
MAX_LABEL = 2000
MAX_CONFIRM_TITLE = 100
MAX_CONFIRM_TEXT = 300
MAX_CONFIRM_BUTTON = 30
MAX_RESPONSES = 5


@dataclass(frozen=True)
class Answer:
    """What Slack answers a post: `pause` runs first, and None for `status` hangs up instead."""

    status: int | None = 200
    text: str = "ok"
    headers: dict[str, str] = field(default_factory=dict)
    pause: Callable[[], object] = lambda: None


@dataclass
class SlackStandIn:
    """A running stand-in: where it is, what it was sent, and what it will answer.

    It answers with `script`, one answer after the other; then as Slack does: `ok`, or an error of
    Slack's for a message that breaks a limit or a webhook that it does not know.
    """

    base_url: str
    script: list[Answer] = field(default_factory=list)
    webhook_paths: set[str] = field(default_factory=lambda: {WEBHOOK_PATH})
    posts: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def webhook_url(self) -> str:
        """The URL to post messages to."""
        return self.base_url + WEBHOOK_PATH

    @property
    def response_url(self) -> str:
        """The URL that a click brings, to answer it with."""
        return f"{self.base_url}{RESPONSE_PATH}{len(self.posts)}"

    @property
    def messages(self) -> list[Any]:
        """Every message that was posted to a webhook, refused ones too."""
        return [message for path, message in self.posts if not path.startswith(RESPONSE_PATH)]

    @property
    def responses(self) -> list[Any]:
        """Every answer to a click: what takes the message's place, and what only one sees."""
        return [message for path, message in self.posts if path.startswith(RESPONSE_PATH)]

    def answer(self, path: str, body: bytes) -> Answer:
        """Takes a post and says what to answer."""
        try:
            message = json.loads(body)
        except ValueError:
            return Answer(400, "invalid_payload")
        self.posts.append((path, message))
        if self.script:
            return self.script.pop(0)
        if path.startswith(RESPONSE_PATH):
            used = [one for one, _ in self.posts].count(path)
            if used > MAX_RESPONSES:
                return Answer(404, "used_url")
        elif path not in self.webhook_paths:
            return Answer(404, "no_service")
        return Answer(400, "invalid_blocks") if broken_limits(message) else Answer()


@contextmanager
def slack_stand_in(script: Sequence[Answer] = ()) -> Iterator[SlackStandIn]:
    """Runs the stand-in on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = stand_in.answer(self.path, body)
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

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stand_in = SlackStandIn(f"http://127.0.0.1:{server.server_port}", list(script))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stand_in
        finally:
            server.shutdown()
            thread.join()


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
        if len(block.get("fields", [])) > MAX_FIELDS:
            broken.append(f"{len(block['fields'])} fields")
    return broken


def _limited(block: Any) -> list[tuple[str, Any, int]]:
    """The texts of a block with their limits; a block that is none of ours has no text."""
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
            return [("label", block["label"]["text"], MAX_LABEL)]
        case "actions":
            return [text for button in block["elements"] for text in _limited_button(button)]
    return [("block type", None, 0)]


def _limited_button(button: Any) -> list[tuple[str, Any, int]]:
    """The texts of a button and of its confirmation dialog with their limits."""
    texts = [
        ("button", button["text"]["text"], MAX_BUTTON_TEXT),
        ("value", button["value"], MAX_BUTTON_VALUE),
    ]
    if confirm := button.get("confirm"):
        texts += [
            ("confirm title", confirm["title"]["text"], MAX_CONFIRM_TITLE),
            ("confirm text", confirm["text"]["text"], MAX_CONFIRM_TEXT),
            ("confirm button", confirm["confirm"]["text"], MAX_CONFIRM_BUTTON),
            ("deny button", confirm["deny"]["text"], MAX_CONFIRM_BUTTON),
        ]
    return texts
