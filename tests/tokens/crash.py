"""Run by a test: saves a grant and ends the process at one step of the change, without any clearing up."""

import os
import sys

from accounting_bridge import Token
from accounting_bridge.tokens import FileTokens

path, key, step = sys.argv[1:]
name, _, when = step.removeprefix("os.").partition(" ")
store = FileTokens(path, key=bytes.fromhex(key))
store._sealer.seal("t", "v", Token(access="x"))  # imports what it needs before functions are replaced
original, calls = getattr(os, name), []


def crashing(*args, **kwargs):
    if name == "open" and str(args[0]) != f"{path}.new":
        return original(*args, **kwargs)
    calls.append(name)
    if when != "after" and len(calls) == (int(when) if when.isdigit() else 1):
        os._exit(9)
    result = original(*args, **kwargs)
    if when == "after":
        os._exit(9)
    return result


setattr(os, name, crashing)
store.save("tenant-1", "toy", Token(access="new"))
