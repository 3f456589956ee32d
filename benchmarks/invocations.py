"""One process of the benchmark: a cold start, then warm invocations, which it measures.

Usage: python invocations.py MODULE WARM_INVOCATIONS
"""

import importlib
import json
import sys
import time

from benchmarks.memory import peak_memory


def main(module: str, warm: int) -> None:
    """Prints, last, JSON: `memory` in MiB; `cpu` and `wall`, of a warm invocation, in ms."""
    handler = importlib.import_module(module).lambda_handler
    event = {"DeploymentId": "d-0", "LifecycleEventHookExecutionId": "A" * 400}
    handler(event, None)
    cpu, wall = time.process_time(), time.perf_counter()
    for number in range(1, warm + 1):
        handler({**event, "DeploymentId": f"d-{number}"}, None)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    told = {"memory": peak_memory()}
    if warm:
        told |= {"cpu": 1000 * cpu / warm, "wall": 1000 * wall / warm}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
