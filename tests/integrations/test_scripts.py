"""Each example as a developer starts it."""

import os
import subprocess
import sys
from pathlib import Path

import ends
import pytest
from ends import Ends

EXAMPLES = Path(ends.__file__).parent

SCRIPTS = {
    "mite_billomat.py": "302.50 + 57.48 VAT = 359.98",
    "clockodo_billomat.py": "1496.53 + 284.34 VAT = 1780.87",
    "timechimp_informer.py": "380.65 + 79.94 VAT = 460.59",
    "timechimp_visma.py": "320.95 + 67.40 VAT = 388.35",
    "clockin_export.py": "955.33 + 181.51 VAT = 1136.84",
    "plainstaff_export.py": "588.00 + 71.40 VAT = 659.40",
}


@pytest.mark.parametrize(("script", "told"), SCRIPTS.items())
def test_it_runs_by_itself(script, told, tmp_path):
    command = [sys.executable, "-W", "error", str(EXAMPLES / script)]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert told in done.stdout
    assert "nothing new to bill" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_every_script_is_run():
    scripts = {one.name for one in EXAMPLES.glob("*.py") if "__main__" in one.read_text()}
    assert scripts == set(SCRIPTS)


def test_a_real_account_is_never_mixed_with_a_sandbox(monkeypatch):
    monkeypatch.setenv("MITE_ACCOUNT", "musterwerk")
    monkeypatch.setenv("MITE_API_KEY", "a-key-that-is-none")
    with pytest.raises(SystemExit, match="never mixed"):
        Ends("billomat", "mite")


def test_real_accounts_are_written_to_only_on_demand(monkeypatch):
    for name in ("MITE_ACCOUNT", "MITE_API_KEY", "BILLOMAT_ACCOUNT", "BILLOMAT_API_KEY"):
        monkeypatch.setenv(name, "none")
    with pytest.raises(SystemExit, match="--send"):
        Ends("billomat", "mite")
    monkeypatch.setattr(sys, "argv", ["example", "--send"])
    assert Ends("billomat", "mite").real
