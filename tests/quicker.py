"""What makes tests quicker, and changes nothing of what they see.

What botocore works out anew for each session and client, and what never changes, is kept. A cold
start is as cold as before: its clients and handlers are its own. And the stand-ins, half of all the
work, are not looked at when coverage is measured: what is measured runs in front of them.
"""

import copy
import functools
import inspect
import sys
import time
from socketserver import ThreadingMixIn
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import botocore.hooks
import botocore.session
import urllib3.util.retry


def accepts_kwargs(function: Any) -> bool:
    """Whether a handler of botocore's takes any keyword argument: read off, not taken apart."""
    code = getattr(function, "__code__", None)
    if code is None:
        return bool(inspect.getfullargspec(function).varkw)
    return bool(code.co_flags & inspect.CO_VARKEYWORDS)


def keep() -> None:
    """Has botocore keep it, in this process; for before the first session."""
    # AWS's descriptions of its services.
    botocore.session.create_loader = functools.cache(botocore.session.create_loader)
    # Of a hundred handlers and as many events: what they take, and what they are called today.
    hooks: Any = botocore.hooks
    hooks.accepts_kwargs = accepts_kwargs
    alias, usual = hooks.EventAliaser._alias_event_name, hooks.EventAliaser(None)
    hooks.EventAliaser._alias_event_name = lambda _, name: alias(usual, name)
    # A hundred handlers of its own, which each session registers: one session's, copied.
    emitter = hooks.HierarchicalEmitter()
    session = botocore.session.Session
    session(event_hooks=emitter)

    def get_session(env_vars: Any = None) -> Any:
        return session(env_vars, copy.copy(emitter), include_builtin_handlers=False)

    botocore.session.get_session = get_session


def leave_out_pauses() -> None:
    """Has botocore and urllib3 not wait between tries, but where a test says what waiting is."""
    wait = time.sleep

    def sleep(seconds: float) -> None:
        if time.sleep is not wait:
            time.sleep(seconds)

    for module in (botocore.endpoint, urllib3.util.retry):
        vars(module)["time"] = SimpleNamespace(**vars(time) | {"sleep": sleep})


def leave_servers_unmeasured() -> None:
    """Has no server in this process be traced, which would take as long again."""
    answer = ThreadingMixIn.process_request_thread

    def untraced(self: ThreadingMixIn, request: Any, client_address: Any) -> None:
        sys.settrace(None)
        answer(self, request, client_address)

    ThreadingMixIn.process_request_thread = untraced  # type: ignore[method-assign]
