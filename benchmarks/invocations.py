"""One process of a benchmark: a cold start, then warm invocations, which it measures.

Usage: python -I -S invocations.py PACKAGE MODULE EVENTS_FILE STARTED

It imports next to nothing itself, and has one processor: all but the largest functions have less.
"""

import os
import sys
import time

INTERPRETER = time.process_time()
PACKAGE, MODULE, EVENTS_FILE, STARTED = sys.argv[1:]
if hasattr(os, "sched_setaffinity"):  # Linux
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
sys.path.insert(0, PACKAGE)
BEFORE = set(sys.modules)

imported = time.process_time()
__import__(MODULE)
imported = time.process_time() - imported

import json

with open(EVENTS_FILE, encoding="utf-8") as file:
    first, *others = json.load(file)
handler = sys.modules[MODULE].lambda_handler


def invoke(event: object) -> None:
    """Answers an event; anything but 200 is a failure."""
    answer = handler(event, None)
    if answer["statusCode"] != 200:  # noqa: PLR2004  # http.HTTPStatus would have to be imported
        sys.exit(f"answered {answer}")


answered = time.process_time()
invoke(first)
answered = time.process_time() - answered
wall = time.monotonic() - float(STARTED)
modules = [name for name in sys.modules if name not in BEFORE]
entries = [name for name in modules if hasattr(sys.modules[name], "lambda_handler")]

warm = time.process_time()
for event in others:
    invoke(event)
warm = (time.process_time() - warm) / len(others)

import resource

peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes
if os.path.exists("/proc/self/status"):  # Linux counts that of the process which started it, too
    with open("/proc/self/status", encoding="ascii") as file:
        (line,) = (one for one in file if one.startswith("VmHWM"))
    peak = int(line.split()[1]) / 1024

times = {"interpreter": INTERPRETER, "init": imported, "answer": answered, "warm": warm}
told = {name: 1000 * seconds for name, seconds in (times | {"wall": wall}).items()}
found = {"entries": entries, "modules": [name for name in modules if name not in entries]}
print("\n" + json.dumps({**told, "memory": peak, **found}))
