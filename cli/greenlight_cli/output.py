"""Printing: any text to any stream, and what was done stays done when a stream takes no more."""

import codecs
import errno
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from typing import Final

import click
from rich.console import Console, RenderableType

# How a stream writes what its encoding has not: see `_escape`.
ESCAPED: Final = "greenlight.escaped"
# The columns that a table has room in; a narrower terminal folds its lines by itself.
NARROWEST: Final = 40


@contextmanager
def any_stream() -> Iterator[None]:
    """Lets the standard streams take every character, and fail without failing the command."""
    streams = [one for one in (sys.stdout, sys.stderr) if isinstance(one, TextIOWrapper)]
    for stream in streams:
        stream.reconfigure(errors=ESCAPED)
    try:
        yield
    finally:
        for stream in streams:
            try:
                stream.flush()
            except OSError:
                # Python flushes it again when it ends, and would end with a code of its own.
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say(what: RenderableType, *, err: bool = False) -> bool:
    """Prints, on standard output or error. False if that failed, which is said where it can be.

    What is more than a text is laid out for the width of a terminal; a pipe has none.
    """
    stream = sys.stderr if err else sys.stdout
    try:
        if isinstance(what, str):
            click.echo(what, file=stream)
        else:
            console = Console(file=stream)
            width = max(console.width, NARROWEST)
            console.width = width if console.is_terminal else sys.maxsize
            console.print(what, crop=False)
    except OSError as exc:
        if exc.errno != errno.EPIPE and not err:
            say(f"greenlight: standard output cannot be written: {exc.strerror}", err=True)
        return False
    return True


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""What a stream's encoding has not, as \uXXXX, so that JSON stays JSON."""
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101  # nothing is decoded with it
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


codecs.register_error(ESCAPED, _escape)
