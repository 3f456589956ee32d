"""A process that simulates one schedule after the other."""

import gc
from collections import Counter
from pathlib import Path

from tests.simulation import world
from tests.simulation.process import prepare
from tests.simulation.schedule import Schedule
from tests.simulation.simulation import shorten, simulate


def start(code: Path) -> None:
    """Makes this process one that simulates."""
    Schedule.clock = prepare(code)
    world.build()
    # A fork copies each page that the collector touches.
    gc.collect()
    gc.freeze()


def run(seeds: list[str], most_age: float) -> tuple[Counter[str], list[tuple[str, int]]]:
    """What some schedules saw, and the seeds that broke a rule, with the rule."""
    seen: Counter[str] = Counter()
    failing = []
    for seed in seeds:
        try:
            result = simulate(seed, most_age)
        except Exception as exc:
            exc.add_note(f"make simulate SCHEDULES=1 SEED={seed}")
            raise
        seen.update(result.schedule.seen)
        seen[f"outcome: {result.outcome}"] += 1
        seen["outside calls"] += result.schedule.calls
        failing += [(seed, rule) for rule in result.broken]
    return seen, failing


def story(seed: str, most_age: float, rule: int) -> str:
    """The story of a seed that broke a rule, as short as it could be made."""
    return "\n".join(shorten(seed, most_age, rule).schedule.story)
