"""Runs many schedules and prints what they saw: `make simulate`."""

import argparse
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import SystemRandom

from tests.simulation.worker import run, start, story
from tests.template import load_template

ROOT = Path(__file__).parents[2]
SEEDS = Path(__file__).with_name("seeds.txt")
CHUNK = 20


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9))
    parser.add_argument("--code", type=Path, default=ROOT, help="the checkout that is simulated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--stories", type=int, default=3, help="how many failures to tell")
    options = parser.parse_args()

    template = load_template(options.code / "template.yaml")
    hook = template["Resources"]["HookFunction"]["Properties"]
    most_age = float(hook["EventInvokeConfig"]["MaximumEventAgeInSeconds"])
    seeds = list(range(options.seed, options.seed + options.schedules))
    chunks = [seeds[start : start + CHUNK] for start in range(0, len(seeds), CHUNK)]
    print(f"{len(seeds)} schedules from SEED={options.seed} on {options.jobs} processes")
    started = time.monotonic()
    seen: Counter[str] = Counter()
    steps, failing = 0, []
    with ProcessPoolExecutor(
        options.jobs, get_context("spawn"), initializer=start, initargs=(options.code,)
    ) as pool:
        for found, taken, broken in pool.map(run, chunks, [most_age] * len(chunks)):
            seen.update(found)
            steps += taken
            failing += broken
        print(f"{steps} outside calls, in {time.monotonic() - started:.0f} s")
        for name, number in sorted(seen.items()):
            print(f"{number:9} {name}")
        told = {rule: seed for seed, rule in reversed(failing)}
        for rule, seed in sorted(told.items())[: options.stories]:
            print(f"\n--- SEED={seed} breaks rule {rule}; again: ", end="")
            print(f"make simulate SCHEDULES=1 SEED={seed}\n")
            print(pool.submit(story, seed, most_age, rule).result())
    by_rule = Counter(rule for _, rule in failing)
    print(f"\n{len({seed for seed, _ in failing})} of {len(seeds)} schedules broke a rule", end="")
    print(f": {dict(sorted(by_rule.items()))}" if failing else "")
    for rule in sorted(by_rule):
        print(f"rule {rule}: seeds {[seed for seed, one in failing if one == rule][:10]}")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
