"""The examples are scripts in a folder of their own, which import each other by name."""

import os
import sys
from importlib import import_module
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples" / "integrations"
sys.path.insert(0, str(EXAMPLES))
ends = import_module("ends")
MONTH = ends.last_month()
# Before anybody takes it from there: a run that begins at the end of a month ends in the same one.
ends.last_month = lambda: MONTH  # type: ignore[attr-defined]

KEYS = ("MITE_", "CLOCKODO_", "TIMECHIMP_", "BILLOMAT_", "LEXOFFICE_", "INFORMER_", "VISMA_")


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch):
    """Whatever stands in the developer's environment: tests talk to sandboxes."""
    for name in os.environ:
        if name.startswith(KEYS):
            monkeypatch.delenv(name)
    monkeypatch.setattr(sys, "argv", ["example"])
