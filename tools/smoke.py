"""Uses the package as it is installed from its wheel, with nothing but its own dependencies: ``make test-wheel``."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import attrs

import accounting_bridge as ab
from accounting_bridge.registry import adapter_class


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
    credentials = ("account", "api_key", "security_code", "client_id", "client_secret")
    others = {"redirect_uri": "https://app.example/callback"}
    for vendor in ab.vendor_names():
        asked = {setting.name for setting in attrs.fields(adapter_class(vendor).Settings)}
        given = {**dict.fromkeys(credentials, "none"), **others}
        ab.connect(vendor, {name: value for name, value in given.items() if name in asked}).close()
    with ab.connect("memory", {}) as provider:
        made = provider.create_invoice(draft)
    assert str(made.totals.gross) == "904.40"
    assert asyncio.run(in_async_code(draft)).totals == made.totals
    print(f"accounting-bridge {version('accounting-bridge-sdk')} from its wheel: works")


if __name__ == "__main__":
    main()
