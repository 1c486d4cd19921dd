"""What somebody reads who serves a sandbox without the extra for it."""

import sys
import threading

import pytest

from accounting_bridge.sandbox import serve


def test_serving_without_uvicorn_names_the_extra_and_starts_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    before = set(threading.enumerate())
    with pytest.raises(ImportError, match=r"pip install '\.\[sandbox\]' in a"):
        serve("lexoffice")
    assert set(threading.enumerate()) <= before
