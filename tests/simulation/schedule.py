"""One schedule: a seed, a clock that jumps from one event to the next, and the story of it.

Every choice is made from the seed and from what it is about, not from the choices before it. So
one fault or one actor can be left out, and the rest happens as it did: that is how a story is made
shorter.
"""

import heapq
import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar

from time_machine import Traveller

START = 1_795_000_000.0
AN_HOUR = 3600.0
# Far more than any schedule has that comes to an end.
MOST_CALLS = 5000


@dataclass(frozen=True)
class Violation:
    """Something happened that must not; `rule` is its number."""

    rule: int
    sentence: str


@dataclass
class Schedule:
    """The clock, the events to come, and what was drawn; `without` names what does not happen.

    `engine` is where its deployment waits. `clock` is what the world's services read in this
    process.
    """

    clock: ClassVar[Traveller]
    seed: int
    without: frozenset[str] = frozenset()
    engine: str = "codedeploy"
    now: float = START
    calls: int = 0
    faults_are_over: bool = False
    story: list[str] = field(default_factory=list)
    happened: list[str] = field(default_factory=list)
    violations: list[Violation] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)
    _queue: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _order: Any = field(default_factory=itertools.count)
    _triggers: dict[int, list[Callable[[], None]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.clock.move_to(self.now)

    def chance(self, about: str) -> Random:
        """Random numbers for one thing."""
        return Random(f"{self.seed}/{about}")

    def happens(self, probability: float, about: str) -> bool:
        """Whether a thing happens that need not."""
        if about in self.without or self.chance(f"whether {about}").random() >= probability:
            return False
        self.happened.append(about)
        return True

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Lets something happen at a time."""
        heapq.heappush(self._queue, (max(when, self.now), next(self._order), do))

    def after(self, seconds: float, do: Callable[[], None]) -> None:
        """Lets something happen in a while."""
        self.at(self.now + seconds, do)

    def at_call(self, number: int, do: Callable[[], None]) -> None:
        """Lets something happen in the middle of the how manyth outside call."""
        self._triggers.setdefault(number, []).append(do)

    def someday(self, about: str, do: Callable[[], None], *, within: float) -> None:
        """Lets something happen at a time that is drawn, or in the middle of some call."""
        chance = self.chance(f"when {about}")
        if chance.random() < 0.5:
            self.at_call(chance.randint(1, 30), do)
        else:
            self.after(within * chance.random() ** 4, do)

    def when_people_act(self, name: str, do: Callable[[], None]) -> None:
        """Lets a person do something: whenever they like, or all of them at the same moment."""
        crowd = self.chance("the crowd")
        if crowd.random() < 0.4:
            together = START + 1 + 300 * crowd.random()
            self.at(together + 0.3 * self.chance(f"in the crowd {name}").random(), do)
        elif self.chance(f"{name} is late").random() < 0.1:
            last = 180 * self.chance(f"how late {name} is").random()
            self.at(START + AN_HOUR + 20 - last, do)
        else:
            self.someday(f"{name} acts", do, within=AN_HOUR * 0.95)

    def next_call(self) -> bool:
        """Counts an outside call, and starts what waited for it; whether something did."""
        self.calls += 1
        starting = self._triggers.pop(self.calls, [])
        for do in starting:
            do()
        return bool(starting)

    def run(self) -> None:
        """Lets everything happen, in the order of time, until nothing is left."""
        while self._queue:
            if self.calls > MOST_CALLS:
                self.breaks(9, "it does not come to an end")
                return
            self.now, _, do = heapq.heappop(self._queue)
            self.clock.move_to(self.now)
            do()

    def tell(self, who: str, what: str) -> None:
        """Adds to the story."""
        self.story.append(f"{self.now - START:9.2f} s  {who:<12} {what}")

    def breaks(self, rule: int, sentence: str) -> None:
        """Something happened that must not."""
        self.story.append(f"{'':>13}!! rule {rule}: {sentence}")
        self.violations.append(Violation(rule, sentence))
