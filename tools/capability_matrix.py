"""Writes ``docs/capabilities.md`` from what the vendors declare; ``--check`` only compares.

Everything in the page comes from ``capabilities``, ``rounding``, ``limits`` and ``settle_seconds`` of the adapters
in the registry, built with nothing but their required settings.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, get_type_hints

import attrs

from accounting_bridge import Secret, TaxTreatment, vendor_names
from accounting_bridge.adapter import Adapter
from accounting_bridge.registry import adapter_class

_EXAMPLES: Final = {"redirect_uri": "https://app.example/visma/callback"}

PAGE: Final = Path(__file__).parent.parent / "docs" / "capabilities.md"

_HEAD: Final = """\
# What each vendor can do

<!-- written by tools/capability_matrix.py from the adapters' declarations: run `make docs`, do not edit -->

What is "no" here raises `Unsupported` before anything is sent. At run time the same facts are in
`provider.capabilities`. The table shows a connection with nothing but its required settings; options can switch
more on, see the vendor's page: {pages}.
"""

_AFTER: Final = """
"Evidence" says how the rounding is known. Where it is documented or measured, a difference of one cent raises
`TotalsDiffer`; where it is assumed, differences up to the tolerance are reported in `notes`
([money.md](money.md)). "Settle time" is how long an unclear create stays unclear ([once.md](once.md)).
"""


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    wanted = page()
    if "--check" in arguments:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
            return 0
        print("docs/capabilities.md is not what the adapters declare: run make docs")
        return 1
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


def page() -> str:
    """The whole page."""
    ours = [name for name in vendor_names() if adapter_class(name).__module__.startswith("accounting_bridge.")]
    adapters = {name: _build(name) for name in ours}
    pages = ", ".join(f"[{name}](vendors/{name}.md)" for name in adapters)
    return "".join(
        [
            _HEAD.format(pages=pages),
            _table("Operations", adapters, _OPERATIONS),
            _table("Tax treatments", adapters, {f"`{t.value}`": _treats(t) for t in TaxTreatment}),
            _table("Totals, limits, time", adapters, _FACTS),
            _AFTER,
        ]
    )


def _build(vendor: str) -> Adapter:
    kind = adapter_class(vendor)
    hints = get_type_hints(kind.Settings)
    needed = [field.name for field in attrs.fields(kind.Settings) if field.default is attrs.NOTHING]
    values: dict[str, Any] = {
        name: Secret("not-a-key") if hints[name] is Secret else _EXAMPLES.get(name, "example") for name in needed
    }
    adapter: Adapter = kind(settings=kind.Settings(**values))
    return adapter


def _table(title: str, adapters: Mapping[str, Adapter], rows: Mapping[str, Callable[[Adapter], str]]) -> str:
    lines = ["", f"## {title}", "", "| | " + " | ".join(adapters) + " |", "|---" * (len(adapters) + 1) + "|"]
    lines += [f"| {label} | " + " | ".join(say(a) for a in adapters.values()) + " |" for label, say in rows.items()]
    return "\n".join([*lines, ""])


def _flag(name: str) -> Callable[[Adapter], str]:
    return lambda adapter: "yes" if getattr(adapter.capabilities, name) else "no"


def _treats(treatment: TaxTreatment) -> Callable[[Adapter], str]:
    return lambda adapter: "yes" if treatment in adapter.capabilities.tax_treatments else "no"


def _seconds(seconds: float) -> str:
    return f"{seconds:,g} s"


def _limit(adapter: Adapter) -> str:
    limits = adapter.limits
    if limits.spacing:
        return f"one call every {_seconds(limits.spacing)}, per {limits.per}"
    windows = " and ".join(f"{window.calls} calls in {_seconds(window.seconds)}" for window in limits.windows)
    return f"{windows}, per {limits.per}" if windows else "none"


def _tolerance(adapter: Adapter) -> str:
    if not (per_line := adapter.rounding.tolerance_per_line) and not adapter.rounding.least_tolerance:
        return "none"
    return f"{per_line} a line, at least {adapter.rounding.least_tolerance}"


_OPERATIONS: Final[Mapping[str, Callable[[Adapter], str]]] = {
    "credentials": lambda a: "consent in the browser (OAuth 2)" if a.capabilities.oauth else "keys",
    "import customers: `changed_since`": lambda a: a.capabilities.changed_since.value,
    "customer numbers": lambda a: "assigned by the vendor" if a.capabilities.assigns_customer_numbers else "as given",
    "change customers": _flag("update_customer"),
    "import articles": _flag("articles"),
    "ledger accounts": _flag("ledger_accounts"),
    "finalize an invoice": lambda a: a.capabilities.finalize.value,
    "mail an invoice": lambda a: a.capabilities.sends.value,
    "mails seen in the books": _flag("tells_mails"),
    "PDF of an invoice": _flag("pdf"),
    "attach files to an invoice": _flag("attach"),
    "book a sale": _flag("book_sale"),
    "PDF kept with the sale": _flag("sale_pdf"),
    "discount on a line": _flag("line_discounts"),
    "discount on the invoice": _flag("invoice_discount"),
    "unit on a line": _flag("unit_of_lines"),
    "lines at most": lambda a: str(a.capabilities.most_lines or "not declared"),
    "currencies": lambda a: "any" if (codes := a.capabilities.currencies) is None else ", ".join(sorted(codes)),
}

_FACTS: Final[Mapping[str, Callable[[Adapter], str]]] = {
    "VAT is rounded": lambda a: f"per {a.rounding.tax_per}",
    "decimals of quantity, price": lambda a: f"{a.rounding.quantity_decimals}, {a.rounding.price_decimals}",
    "evidence": lambda a: a.rounding.evidence.value,
    "tolerance": _tolerance,
    "rate limit": _limit,
    "settle time": lambda a: _seconds(a.settle_seconds),
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
