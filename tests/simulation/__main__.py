"""Runs many schedules and prints what they saw: `make simulate`."""

import argparse
import itertools
import os
import sys
import time
from collections import Counter
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from random import SystemRandom

from tests.simulation.worker import run, start, story
from tools.template import load_template

ROOT = Path(__file__).parents[2]
KNOWN = Path(__file__).with_name("seeds.txt")
CHUNK = 20
STORIES = 3


def known_seeds() -> list[str]:
    """The seeds that ever failed."""
    lines = KNOWN.read_text(encoding="utf-8").splitlines()
    seeds = (line.partition("#")[0].strip() for line in lines)
    return [seed for seed in seeds if seed]


def seeds_from(first: str, number: int, engines: list[str]) -> list[str]:
    """So many schedules, in turns at each engine, from a seed on; one that names it stays there."""
    engine, _, start = first.rpartition(":")
    in_turns = itertools.cycle([engine] if engine else engines)
    return [f"{at}:{int(start) + step}" for step, at in zip(range(number), in_turns, strict=False)]


def main() -> int:
    """Runs the command."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000)
    help_on_seed = "the first (ecs:123: at ECS only); without, a new one and all known ones"
    parser.add_argument("--seed", help=help_on_seed)
    parser.add_argument("--code", type=Path, default=ROOT, help="the checkout that is simulated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    replaced = "after how many schedules a process is replaced"
    parser.add_argument("--each", type=int, default=100, help=replaced)
    until = "the known ones first, and end with the first failure"
    parser.add_argument("--until-broken", action="store_true", help=until)
    options = parser.parse_args()

    template = load_template(options.code / "template.yaml")
    hook = template["Resources"]["HookFunction"]["Properties"]
    most_age = float(hook["EventInvokeConfig"]["MaximumEventAgeInSeconds"])
    first = str(SystemRandom().randrange(10**9)) if options.seed is None else options.seed
    engines = ["codedeploy", "ecs"] if "PauseFunction" in template["Resources"] else ["codedeploy"]
    known = known_seeds() if options.seed is None or options.until_broken else []
    seeds = [*known, *seeds_from(first, options.schedules, engines)]
    # To end soon: what has begun is finished.
    size = 1 if options.until_broken else min(CHUNK, options.each // 2)
    chunks = [seeds[at : at + size] for at in range(0, len(seeds), size)]
    print(f"{len(seeds)} schedules: {len(known)} known ones, and from SEED={first} on", flush=True)
    started = time.monotonic()
    seen: Counter[str] = Counter()
    done = 0
    failing: list[tuple[str, int]] = []
    # What moto keeps of each schedule makes a process larger, and its forks slower: each one is
    # replaced after a while. Python 3.11's ProcessPoolExecutor comes to a standstill with that.
    with get_context("spawn").Pool(
        options.jobs, start, (options.code,), maxtasksperchild=options.each // size
    ) as pool:
        results = pool.imap(partial(run, most_age=most_age), chunks)
        for chunk, (found, broken) in zip(chunks, results, strict=True):
            seen.update(found)
            done += len(chunk)
            failing += broken
            if options.until_broken and failing:
                print(f"found among the first {done}: rule {failing[0][1]}, SEED={failing[0][0]}")
                return 1
        for name, number in sorted(seen.items()):
            print(f"{number:9} {name}")
        told = {rule: seed for seed, rule in reversed(failing)}
        for rule, seed in sorted(told.items())[:STORIES]:
            print(f"\n--- SEED={seed} breaks rule {rule}; again: ", end="")
            print(f"make simulate SCHEDULES=1 SEED={seed}\n")
            print(pool.apply(story, (seed, most_age, rule)))
    by_rule = Counter(rule for _, rule in failing)
    for rule in sorted(by_rule):
        print(f"rule {rule}: seeds {[seed for seed, one in failing if one == rule][:10]}")
    print(f"\n{len({seed for seed, _ in failing})} of {done} schedules broke a rule", end="")
    print(f", in {time.monotonic() - started:.0f} s")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
