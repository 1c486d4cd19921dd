"""The in-memory vendor keeps the contract."""

import pytest

from accounting_bridge.testing import MemoryRig, Rig, VendorContract
from accounting_bridge.vendors.memory import MemoryBooks


class TestMemory(VendorContract):
    @pytest.fixture
    def rig(self) -> Rig:
        books = MemoryBooks()
        books.add_customers(250)
        return MemoryRig(vendor="memory", settings={"books": books}, wrong_settings=None, base_url=None, books=books)
