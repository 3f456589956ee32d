"""How much memory a process of a benchmark had. It imports next to nothing, to weigh nothing."""

import resource
from pathlib import Path


def peak_memory() -> float:
    """The most memory that this process had, in MiB.

    On Linux, `getrusage` counts that of the process which started it, too.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # macOS counts bytes
