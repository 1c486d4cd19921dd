"""The totals that the contract suite expects, against sums that were worked out on paper."""

from decimal import Decimal

import pytest

from accounting_bridge.testing.contract._expected import gross_of_draft, gross_of_issued


@pytest.mark.parametrize(
    ("rates", "draft", "issued"),
    [
        ((19, 7), "832.12", "904.40"),  # 688.75 + 130.86, 11.69 + 0.82; 760.00 + 144.40
        ((21, 9), "846.13", "919.60"),  # 688.75 + 144.64, 11.69 + 1.05; 760.00 + 159.60
        ((25, 12), "874.03", "950.00"),  # 688.75 + 172.19, 11.69 + 1.40; 760.00 + 190.00
    ],
)
def test_they_follow_from_the_rates(rates: tuple[int, int], draft: str, issued: str) -> None:
    rate, other = map(Decimal, rates)
    assert (gross_of_draft(rate, other), gross_of_issued(rate)) == (Decimal(draft), Decimal(issued))
