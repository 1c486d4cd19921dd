"""The public names, and the two providers that are one in two worlds."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import accounting_bridge as ab
from accounting_bridge._bound import AsyncBoundProvider, BoundProvider
from accounting_bridge._connect import connect, connect_async
from accounting_bridge._importing import AsyncBoundImport, BoundImport
from accounting_bridge.provider import (
    AccountingProvider,
    AsyncAccountingProvider,
    AsyncCustomerImport,
    CustomerImport,
)

ROOT = Path(__file__).parents[2]
PAIRS = [(AccountingProvider, AsyncAccountingProvider), (CustomerImport, AsyncCustomerImport)]
BOUND = [
    (AccountingProvider, BoundProvider), (AsyncAccountingProvider, AsyncBoundProvider), (CustomerImport, BoundImport),
    (AsyncCustomerImport, AsyncBoundImport),
]  # fmt: skip
TWINS = {"__enter__": "__aenter__", "__exit__": "__aexit__", "__iter__": "__aiter__"}


def test_the_public_names_are_sorted_and_complete():
    assert ab.__all__ == sorted(ab.__all__)
    assert set(ab.__all__) == set(ab._MODULE_OF)
    for name in ab.__all__:
        assert getattr(ab, name) is not None
        assert name in dir(ab)


def test_type_checkers_see_the_same_names():
    source = (ROOT / "src/accounting_bridge/__init__.py").read_text()
    block = source.partition("if TYPE_CHECKING:")[2].partition("\n\n_HOME")[0]
    seen = {}
    for module, names in re.findall(r"from \.(\w+) import (\([^)]*\)|[^\n]+)", block):
        seen |= dict.fromkeys(re.findall(r"\w+", names), module)
    assert seen == ab._MODULE_OF


def test_a_name_that_is_none_says_so():
    with pytest.raises(AttributeError, match="has no attribute 'conect'"):
        ab.conect  # noqa: B018


def test_a_star_import_brings_every_name():
    code = "from accounting_bridge import *; import accounting_bridge as ab; assert set(ab.__all__) <= set(globals())"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def members(kind):
    """Public members of a class, and the special methods that matter."""
    special = set(TWINS) | set(TWINS.values())
    return {
        name: member
        for name, member in vars(kind).items()
        if (not name.startswith("_") or name in special) and (callable(member) or isinstance(member, property))
    }


def shape(member, *, plain=False):
    """Parameters with kinds, defaults and annotations, and what comes back; without await if *plain*."""
    function = member.fget if isinstance(member, property) else member
    signature = inspect.signature(function)
    words = str([str(p) for p in signature.parameters.values()]) + f" -> {signature.return_annotation}"
    return words.replace("Async", "").replace("async", "") if plain else words


@pytest.mark.parametrize(("sync", "asynchronous"), PAIRS)
def test_sync_and_async_have_the_same_names_and_parameters(sync, asynchronous):
    ours, twins = members(sync), members(asynchronous)
    assert {TWINS.get(name, name) for name in ours} == set(twins)
    for name, member in ours.items():
        assert shape(member, plain=True) == shape(twins[TWINS.get(name, name)], plain=True), name


def test_async_calls_are_awaited_except_those_that_are_iterated_or_send_nothing():
    iterated = {"import_customers", "import_articles", "create_invoices", "book_sales"}
    without_io = {"vendor", "tenant", "capabilities", "rounding", "authorization_url"}
    for name, member in members(AsyncAccountingProvider).items():
        assert inspect.iscoroutinefunction(member) is (name not in iterated | without_io), name


@pytest.mark.parametrize(("protocol", "bound"), BOUND)
def test_what_connect_returns_has_every_member_of_the_protocol(protocol, bound):
    ours = members(bound)
    for name, member in members(protocol).items():
        mine = ours[name]
        assert isinstance(mine, property) is isinstance(member, property), name
        assert inspect.iscoroutinefunction(mine) is inspect.iscoroutinefunction(member), name
        if name != "import_customers":  # narrower: it gives the implementation
            assert shape(mine).replace("[T]", "[Customer]") == shape(member), name  # imports are generic


def test_connect_and_its_twin_take_the_same():
    assert inspect.signature(connect).parameters == inspect.signature(connect_async).parameters


def test_the_typing_of_the_public_names_holds():
    mypy = pytest.importorskip("mypy.api")
    report, errors, status = mypy.run(
        ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache"),
         str(ROOT / "tests/typing/api.py")]
    )  # fmt: skip
    assert (status, errors) == (0, ""), report
