"""Uses the package as it is installed from its wheel, with nothing but its own dependencies: ``make test-wheel``."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import accounting_bridge as ab


async def in_async_code(draft: ab.InvoiceDraft) -> ab.Invoice:
    """The same call in the other world."""
    async with ab.connect_async("memory", {}) as provider:
        return await provider.create_invoice(draft)


def main() -> None:
    """Fail loudly if anything is missing."""
    home = Path(ab.__file__).parent
    assert "site-packages" in home.parts, f"this is {home}, not the installed package"
    assert (home / "py.typed").exists()
    extras = [name for name in ("msgspec", "click", "uvicorn", "fpdf", "pytest") if find_spec(name)]
    assert not extras, f"the environment has more than the package needs: {extras}"
    draft = ab.InvoiceDraft(
        reference="2026-11/17",
        customer=ab.Customer(number="10001", name="Musterbau GmbH"),
        lines=[ab.LineItem(description="Planung", quantity=8, unit="h", unit_price=95, tax_rate=19)],
    )
    for vendor, settings in (("lexoffice", {"api_key": "none"}), ("billomat", {"account": "none", "api_key": "none"})):
        ab.connect(vendor, settings).close()
    with ab.connect("memory", {}) as provider:
        made = provider.create_invoice(draft)
    assert str(made.totals.gross) == "904.40"
    assert asyncio.run(in_async_code(draft)).totals == made.totals
    print(f"accounting-bridge {version('accounting-bridge-sdk')} from its wheel: works")


if __name__ == "__main__":
    main()
