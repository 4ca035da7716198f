"""Runs every `test_*` function of every `test_*.py` beside it, inside MicroPython.

    MICROPYPATH=.frozen:protocol/src:firmware/src:firmware/tests micropython firmware/tests/run.py [part of a name]

Plain functions with plain asserts, so CPython can run the same files. Exit code 1 when one fails or none was found.
Garbage is collected before each file and each test, and a file is forgotten after its tests: what stays would else lie
between it and break up the heap.
"""

import gc
import os
import sys


def run(folder: str, part: str) -> int:
    """Print a line a test that fails and one sum; the exit code."""
    passed = failed = 0
    for name in sorted(os.listdir(folder)):
        if not name.startswith("test_") or not name.endswith(".py") or part not in name:
            continue
        gc.collect()
        module = __import__(name[:-3])
        for test in sorted(dir(module)):
            if test.startswith("test_"):
                if _passes(name, test, getattr(module, test)):
                    passed += 1
                else:
                    failed += 1
        # What a file needs is not needed by the next one, and the heap is small.
        del module, sys.modules[name[:-3]]
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


def _passes(name: str, test: str, function: object) -> bool:
    gc.collect()
    try:
        function()
        return True
    except Exception as error:  # noqa: BLE001 - a runner's one place: whatever a test raises is its failure.
        print("FAILED %s %s" % (name, test))
        if hasattr(sys, "print_exception"):
            sys.print_exception(error)
        else:
            print(repr(error))
        return False


HERE = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."
sys.path.insert(0, HERE)
sys.exit(run(HERE, sys.argv[1] if len(sys.argv) > 1 else ""))
