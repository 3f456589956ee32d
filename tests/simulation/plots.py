"""Targeted schedules: what has to coincide for some mistakes to be seen, and hardly ever would.

A plot is added to a schedule that was drawn as any other. It makes little happen by itself: mostly
it waits for a step that a try is about to write down, and there lets somebody else begin, with a
clock that is far ahead, or lets the answer be lost.
"""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from tests.simulation.actors import deliver_record
from tests.simulation.network import Trick
from tests.simulation.process import Process
from tests.simulation.world import Call

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

# How often a schedule is a targeted one.
SHARE = 0.25
MANY = 1000
DECIDERS = ("decision", "dave", "erin")
# What meets a first try's answer to the engine, and the same answer when it is sent again.
THROTTLED = "ThrottlingException"
HARDSHIPS: tuple[tuple[str, ...], ...] = (
    (THROTTLED, THROTTLED),
    (THROTTLED, THROTTLED),
    ("held",),
    ("held",),
    (THROTTLED, THROTTLED, THROTTLED),
    (THROTTLED, THROTTLED, "AccessDeniedException"),
    ("silent", "silent", "silent"),
    ("answer lost",),
    ("slow",),
)


def weave(simulation: "Simulation") -> None:
    """Makes a schedule a targeted one, if that is drawn."""
    schedule = simulation.schedule
    about = "a plot"
    if not schedule.happens(SHARE, about):
        return
    chance = schedule.chance(about)
    name = chance.choice(list(PLOTS))
    schedule.tell("the plot", name)
    schedule.seen[f"plot: {name}"] += 1
    PLOTS[name](simulation, chance)


def _overtaken_decision(simulation: "Simulation", chance: Random) -> None:
    """Somebody decides, and has trouble; and by the next one's clock, that was long ago."""
    tricks, report = simulation.network.tricks, simulation.world.at.answering
    simulation.rules.clocks_agree = False
    simulation.clickers.append(simulation.clicker("gina"))
    ahead, pause = _ahead(chance), 0.5 * chance.random() ** 2
    is_fast = chance.random() < 0.2
    hardship = chance.choice(HARDSHIPS)

    def overtake(process: Process, call: Call) -> None:
        first = process.job
        tricks.append(Trick(report, hardship, job=first))
        simulation.start_ahead("decision", process, ahead)
        verdict = "approve" if "APPROVED" in str(call.request) else "reject"
        if not is_fast:
            tricks.append(Trick(report, ("slow",), besides=first, among=DECIDERS))
            tricks.append(Trick("reported", ("held",), besides=first, among=DECIDERS))
        clicker = simulation.clicker("heidi", verdict)
        ours = (message for message in simulation.world.channel if not message.is_foreign)
        clicker.seen = next(ours, None)
        simulation.schedule.after(pause, clicker.press)

    tricks.append(Trick("decided", (None,), among=DECIDERS, do=overtake))


def _overtaken_failover(simulation: "Simulation", chance: Random) -> None:
    """A record comes twice, and by the second's clock the first was long ago."""
    tricks, report = simulation.network.tricks, simulation.world.at.answering
    simulation.rules.clocks_agree = False
    ahead, pause = _ahead(chance), 0.5 * chance.random()
    hardship = chance.choice([("slow",), ("slow",), ("answer lost",), *HARDSHIPS])
    simulation.lose_the_hook()

    def overtake(process: Process, _: Call) -> None:
        tricks.append(Trick(report, hardship, job=process.job))
        simulation.start_ahead("failure", process, ahead)
        content = simulation.rules.jobs[process.job].event
        again = partial(deliver_record, simulation.aws, content, "the record once more")
        simulation.schedule.after(pause, again)

    tricks.append(Trick("failed", (None,), among=("failure",), do=overtake))


def _overtaken_telling(simulation: "Simulation", chance: Random) -> None:
    """An event comes twice; Slack takes nothing of the first, whose lease was over long ago."""
    tricks, function = simulation.network.tricks, simulation.world.at.function
    simulation.rules.clocks_agree = False
    ahead, pause = 30 + _ahead(chance), 0.15 + 0.3 * chance.random()

    def overtake(process: Process, _: Call) -> None:
        tricks.append(Trick("post", ("error",) * 3, job=process.job))
        tricks.append(Trick("post", ("held",), besides=process.job, among=(function,)))
        simulation.start_ahead(function, process, ahead)
        again = partial(simulation.deliver, "the event once more")
        simulation.schedule.after(pause, again)

    describing = simulation.world.at.describing
    tricks.append(Trick(describing, (None,), among=(function,), do=overtake))


def _told_and_not_on_record(simulation: "Simulation", chance: Random) -> None:
    """People are told, each time, and the table does not take it; nobody decides as yet."""
    error = chance.choice(["ThrottlingException", "InternalServerError", "AccessDeniedException"])
    among = (simulation.world.at.function,)
    simulation.network.tricks.append(Trick("notified", (error,) * MANY, among=among))
    simulation.people_wait = chance.choice([0.0, 400.0, 400.0, 400.0])


def _lost_answers(simulation: "Simulation", chance: Random) -> None:
    """The answers to a step that was written are lost, and the step is sent again."""
    step = chance.choice(["opened", "decided", "failed", "failed", "reported", "lease"])
    if step == "failed":
        simulation.lose_the_hook()
    simulation.network.tricks.append(Trick(step, ("answer lost",) * chance.choice([1, 1, 2])))


def _lost_gate(simulation: "Simulation", chance: Random) -> None:
    """A gate is taken over, and taken back, while it is written down that it was decided."""
    schedule = simulation.schedule
    pause = 1.5 + 2 * chance.random()

    def take_over(_: Process, __: Call) -> None:
        simulation.deliver("a test event", by_hand=True)
        schedule.after(pause, partial(simulation.deliver, "a late duplicate of the event"))

    simulation.clickers.append(simulation.clicker("gina"))
    late = Trick("reported", ("late",) * MANY, among=DECIDERS, do=take_over)
    simulation.network.tricks.append(late)


def _unshown_click(simulation: "Simulation", _: Random) -> None:
    """A click is killed once it is on record that the engine knows: its message says that it waits.

    Nobody presses again, no event of the engine's comes, and no end: nothing else happens to the
    gate.
    """
    simulation.clickers[:] = [simulation.clicker("gina")]
    simulation.release.is_silent = True
    simulation.moments.passes_over = ("reminder", "end")
    killed = Trick("reported", ("killed after",), among=("decision",))
    simulation.network.tricks.append(killed)


def _unheard_decision(simulation: "Simulation", _: Random) -> None:
    """A click is killed once its decision is on record, and nobody presses again."""
    gina = simulation.clicker("gina")
    gina.patience = 1
    simulation.clickers[:] = [gina]
    simulation.network.tricks.append(Trick("decided", ("killed after",), among=("decision",)))


def _double_moments(simulation: "Simulation", _: Random) -> None:
    """Each moment comes twice, and nobody decides."""
    simulation.clickers.clear()
    simulation.moments.stutters = True


def _late_claim(simulation: "Simulation", chance: Random) -> None:
    """Somebody says that they are testing, and while their message is on its way, another decides.

    By then, the message that is on its way is not true any more.
    """
    tess = simulation.clicker("tess", "claim")
    simulation.clickers[:] = [tess]
    pause = 0.05 * chance.random()

    def decide(process: Process, _: Call) -> None:
        gina = simulation.clicker("gina")
        gina.seen = tess.seen
        simulation.schedule.after(pause, gina.press)
        shows = "/actions/T0000/tess-1"
        simulation.network.tricks.append(Trick(shows, ("held",), job=process.job))

    claimed = Trick("claimed", (None,), among=("decision",), do=decide)
    simulation.network.tricks.append(claimed)


PLOTS: dict[str, Callable[["Simulation", Random], None]] = {
    "a decision is overtaken": _overtaken_decision,
    "a failover is overtaken": _overtaken_failover,
    "who tells people is overtaken": _overtaken_telling,
    "people are told, and it is not on record": _told_and_not_on_record,
    "answers of the table are lost": _lost_answers,
    "a decided gate is lost, and opened again": _lost_gate,
    "a click is killed before it shows": _unshown_click,
    "a click is killed before CodeDeploy hears": _unheard_decision,
    "somebody decides while another's claim is shown": _late_claim,
    "each moment comes twice": _double_moments,
}


def _ahead(chance: Random) -> float:
    """By how much a second clock is ahead of a first: more than a lease on the report lasts."""
    return 16 + 24 * chance.random()
