"""One process of a benchmark: imports what a cold start imported, and makes nothing with it.

Usage: python -I -S imports.py PACKAGE MODULES, by commas
"""

import sys
import time

PACKAGE, MODULES = sys.argv[1:]
sys.path.insert(0, PACKAGE)

started = time.process_time()
for name in MODULES.split(","):
    try:
        __import__(name)
    except ImportError:  # it goes by another name than that of its file
        continue
print(1000 * (time.process_time() - started))
