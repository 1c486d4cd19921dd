"""The shape of the code: who may import whom, who may wait and send, and how long a module may be."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from accounting_bridge import registry

SRC = Path(__file__).parents[2] / "src/accounting_bridge"
MODULES = sorted(SRC.rglob("*.py"))
APART = {"vendors", "sandbox", "testing", "cli", "sources"}
CORE = [path for path in MODULES if path.relative_to(SRC).parts[0] not in APART]
SECONDS = {
    "_policy.py": 1, "_engine.py": 2, "vendors/billomat/errors.py": 1,
    "sources/exports/sheets.py": 1,  # to tell what a spreadsheet library gives, and make a Decimal of it
}  # fmt: skip
"""Where ``float(`` may stand, and how often: for seconds."""


def name_of(path):
    return path.relative_to(SRC).as_posix()


def each(paths):
    return pytest.mark.parametrize("path", paths, ids=name_of)


def imports_of(path):
    """Full names of all modules that *path* imports, also lazily."""
    package = ["accounting_bridge", *path.relative_to(SRC).parent.parts]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return found


def imports_any(path, *names):
    return sorted(i for i in imports_of(path) if any(i == name or i.startswith(f"{name}.") for name in names))


def without_docstrings(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [n for n in body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))] or [
                ast.Pass()
            ]
    return ast.unparse(tree)


@each(MODULES)
def test_no_module_is_longer_than_a_head_can_hold(path):
    assert len(path.read_text().splitlines()) <= 500


@each(MODULES)
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(ast.parse(path.read_text()))


@each([path for path in CORE if path.name != "registry.py"])
def test_the_core_names_no_vendor(path):
    code = without_docstrings(path).lower()
    # The name of a header that a log must not show is no knowledge of its vendor.
    code = code.replace("x-billomatapikey", "")
    assert [vendor for vendor in (*registry._OWN, "lexware", "informer", "visma") if re.search(rf"\b{vendor}\b", code)
            and vendor != "memory"] == []  # fmt: skip


@each([path for path in CORE if path.name not in {"session.py", "_http.py"}])
def test_only_the_session_sends_and_sleeps(path):
    code = without_docstrings(path)
    assert re.findall(r"\b(?:time|anyio|asyncio|trio)\.sleep\b|\bto_thread\b", code) == []
    assert imports_any(path, "anyio", "asyncio", "trio", "httpx", "httpcore", "socket", "ssl") == []


@each([path for path in MODULES if path.name not in {"session.py", "_connect.py", "_http.py"}])
def test_only_the_session_and_connect_import_the_http_module(path):
    assert imports_any(path, "accounting_bridge._http") == []


@each([path for path in MODULES if path.name != "_http.py"])
def test_only_one_module_names_the_http_library(path):
    code = imports_any(path, "httpx", "httpcore", "httpx2", "httpcore2")
    assert code == []


@each([path for path in MODULES if path.relative_to(SRC).parts[0] == "vendors"])
def test_vendors_do_no_io(path):
    allowed = {"threading"} if path.name == "memory.py" else set()
    forbidden = {"httpx", "httpcore", "anyio", "asyncio", "trio", "time", "threading", "socket", "urllib.request"}
    assert imports_any(path, *(forbidden - allowed)) == []
    ours = ("session", "_http", "_engine", "_policy", "_connect", "_bound", "recipes", "once", "sandbox", "testing")
    assert imports_any(path, *(f"accounting_bridge.{name}" for name in ours)) == []


@each([path for path in MODULES if path.relative_to(SRC).parts[0] == "vendors" and path.parent.name != "vendors"])
def test_a_vendor_imports_no_other(path):
    own = f"accounting_bridge.vendors.{path.relative_to(SRC).parts[1]}"
    others = [i for i in imports_any(path, "accounting_bridge.vendors") if i != own and not i.startswith(f"{own}.")]
    assert others == []


@each([path for path in MODULES if path.relative_to(SRC).parts[0] == "sandbox"])
def test_the_sandbox_imports_nothing_else_of_the_package(path):
    ours = imports_any(path, "accounting_bridge")
    assert [i for i in ours if not i.startswith("accounting_bridge.sandbox") and i != "accounting_bridge"] == []


@each([path for path in MODULES if path.relative_to(SRC).parts[0] not in {"sandbox", "testing", "cli"}])
def test_no_amount_passes_through_a_float(path):
    code = without_docstrings(path).replace("float('inf')", "infinity")
    assert len(re.findall(r"\bfloat\(", code)) == SECONDS.get(name_of(path), 0)


@each([path for path in CORE if "models" in path.parts])
def test_models_import_nothing_but_attrs_and_each_other(path):
    ours = [i for i in imports_of(path) if i.startswith("accounting_bridge.")]
    assert [i for i in ours if not i.startswith(("accounting_bridge.models", "accounting_bridge.errors"))] == []
    assert imports_any(path, "cattrs", "httpx", "msgspec", "tenacity") == []


def test_importing_the_package_imports_next_to_nothing():
    code = (
        "import sys, accounting_bridge; "
        "heavy = {'httpx', 'httpcore', 'attrs', 'attr', 'cattrs', 'authlib', 'tenacity', 'anyio', 'ssl'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_models_can_be_used_without_the_http_library():
    code = (
        "import sys, accounting_bridge as ab; ab.Customer(name='Eva'); ab.TotalsDiffer('x'); "
        "assert not {'httpx', 'httpcore', 'anyio', 'cattrs'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
