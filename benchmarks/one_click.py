"""One process of the click benchmark: a cold start that answers one request, on one processor.

Usage: python one_click.py MODULE EVENT_AS_JSON
"""

import os

if hasattr(os, "sched_setaffinity"):  # Linux: one processor, as 1,769 MB of Lambda's memory get
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

import importlib
import json
import sys
from http import HTTPStatus

from benchmarks.memory import peak_memory


def main(module: str, event: str) -> None:
    """Answers the event, and prints the peak memory as JSON; anything but 200 is a failure."""
    answer = importlib.import_module(module).lambda_handler(json.loads(event), None)
    if answer["statusCode"] != HTTPStatus.OK:
        sys.exit(f"answered {answer}")
    print(json.dumps({"memory": peak_memory()}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
