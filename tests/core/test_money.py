"""Amounts and totals, to the cent: against a slow reference in fractions, and in any decimal context."""

from decimal import ROUND_DOWN, Context, Decimal, FloatOperation, Inexact, Rounded, Subnormal, localcontext
from fractions import Fraction

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests import strategies

from accounting_bridge.models import RateTotal
from accounting_bridge.money import (
    Evidence,
    PricedLine,
    Rounding,
    cents,
    decimals,
    difference,
    line_amount,
    net_of_gross,
    plain_text,
    tax_in_gross,
    tax_on_net,
    total,
    totals,
)

PER_RATE = Rounding(tax_per="rate", quantity_decimals=4, price_decimals=4, evidence=Evidence.DOCUMENTED)
PER_LINE = Rounding(tax_per="line", quantity_decimals=4, price_decimals=4, evidence=Evidence.DOCUMENTED)
PER_INVOICE = attrs.evolve(PER_RATE, discount_per="invoice")

wild_amounts = st.decimals(Decimal("-1e14"), Decimal("1e14"), places=12)
priced_lines = st.builds(
    PricedLine, strategies.quantities, strategies.prices, strategies.tax_rates,
    st.just(Decimal(0)) | strategies.percentages,
)  # fmt: skip


def half_up(value: Fraction) -> Fraction:
    """To cents, halves away from zero, without a decimal library."""
    scaled = abs(value) * 100
    whole = scaled.numerator // scaled.denominator
    whole += (scaled - whole) * 2 >= 1
    return Fraction(whole, 100) * (1 if value >= 0 else -1)


def reference_bases(sums, discount, discount_per):
    """What a discount leaves of each rate's sum, the slow way."""
    if discount_per == "rate" or not discount:
        return {rate: half_up(amount * (100 - Fraction(discount)) / 100) for rate, amount in sums.items()}
    whole = sum(sums.values())
    left = whole - half_up(whole * Fraction(discount) / 100)
    if left == whole:
        return sums
    bases = {rate: half_up(amount * left / whole) for rate, amount in sums.items()}
    bases[max(sums, key=lambda rate: abs(sums[rate]))] += left - sum(bases.values())
    return bases


def reference_totals(lines, tax_per, gross_prices, discount, discount_per="rate"):
    """Net and tax by rate, the slow way."""
    rates = {}
    for quantity, price, rate, less in lines:
        amount = half_up(Fraction(quantity) * Fraction(price) * (100 - Fraction(less)) / 100)
        rates.setdefault(Fraction(rate), []).append(amount)
    result = []
    bases = reference_bases({rate: sum(amounts) for rate, amounts in rates.items()}, discount, discount_per)
    for rate, amounts in sorted(rates.items()):
        base = bases[rate]
        per_line = tax_per == "line" and not discount
        if gross_prices and per_line:
            tax = sum(half_up(amount * rate / (100 + rate)) for amount in amounts)
            net = base - tax
        elif gross_prices:
            net = half_up(base * 100 / (100 + rate))
            tax = base - net
        else:
            net = base
            tax = sum(half_up(a * rate / 100) for a in amounts) if per_line else half_up(base * rate / 100)
        result.append((rate, net, tax))
    return result


@given(
    st.lists(priced_lines, max_size=20), st.sampled_from([PER_RATE, PER_LINE, PER_INVOICE]), st.booleans(),
    st.just(Decimal(0)) | strategies.percentages,
)  # fmt: skip
def test_totals_equal_the_slow_reference(lines, rounding, gross_prices, discount):
    result = totals(lines, rounding, prices_include_tax=gross_prices, discount=discount)
    expected = reference_totals(lines, rounding.tax_per, gross_prices, discount, rounding.discount_per)
    assert [(Fraction(row.rate), Fraction(row.net), Fraction(row.tax)) for row in result.by_rate] == expected
    assert Fraction(result.net) == sum(net for _, net, _ in expected)
    assert Fraction(result.tax) == sum(tax for _, _, tax in expected)
    assert result.gross == result.net + result.tax


@given(st.lists(priced_lines, max_size=5), st.sampled_from([PER_RATE, PER_LINE]), st.booleans(), strategies.percentages)
def test_the_callers_decimal_context_changes_nothing(lines, rounding, gross_prices, discount):
    plain = totals(lines, rounding, prices_include_tax=gross_prices, discount=discount)
    hostile = Context(prec=3, rounding=ROUND_DOWN, Emax=5, Emin=-5, traps=[Inexact, Rounded, Subnormal, FloatOperation])
    with localcontext(hostile):
        odd = totals(lines, rounding, prices_include_tax=gross_prices, discount=discount)
    assert repr(odd) == repr(plain)


@given(wild_amounts)
def test_cents_are_rounded_half_up_away_from_zero(amount):
    assert Fraction(cents(amount)) == half_up(Fraction(amount))
    assert cents(-amount) == -cents(amount)


@given(wild_amounts.map(cents), strategies.percentages)
def test_gross_falls_apart_into_net_and_tax(gross, rate):
    net, tax = net_of_gross(gross, rate), tax_in_gross(gross, rate)
    assert Fraction(net) == half_up(Fraction(gross) * 100 / (100 + Fraction(rate)))
    assert abs(difference(gross, total([net, tax]))) <= Decimal("0.01")


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        ("0.005", "0.01"),
        ("-0.005", "-0.01"),
        ("0.0049999", "0.00"),
        ("2.675", "2.68"),
        ("-2.665", "-2.67"),
        ("7", "7.00"),
    ],
)
def test_halves_go_away_from_zero(amount, rounded):
    assert str(cents(Decimal(amount))) == rounded


def sums(lines, rounding=PER_RATE, **how):
    result = totals([PricedLine(*map(Decimal, line)) for line in lines], rounding, **how)
    return str(result.net), str(result.tax), str(result.gross)


def test_documented_examples_of_vendors_come_out_to_the_cent():
    half_price = PricedLine(Decimal(2), Decimal("13.40"), Decimal(19), Decimal(50))
    assert line_amount(half_price) == Decimal("13.40")
    assert tax_on_net(Decimal("13.40"), Decimal(19)) == Decimal("2.55")
    assert tax_on_net(Decimal("8.32"), Decimal(7)) == Decimal("0.58")
    assert sums([("2", "13.40", "19", "50"), ("1", "8.32", "7"), ("1", "5", "0")]) == ("26.72", "3.13", "29.85")
    assert sums([("6", "120", "19")], prices_include_tax=True) == ("605.04", "114.96", "720.00")
    assert sums([("1", "51.85", "19")], prices_include_tax=True) == ("43.57", "8.28", "51.85")
    result = totals(
        [PricedLine(Decimal(1), Decimal(3800), Decimal(19)), PricedLine(Decimal(1), Decimal(85), Decimal(10))], PER_RATE
    )
    assert result.by_rate == (
        RateTotal(rate=Decimal(10), net=Decimal(85), tax=Decimal("8.5")),
        RateTotal(rate=Decimal(19), net=Decimal(3800), tax=Decimal(722)),
    )


def test_tax_per_line_and_per_rate_differ_where_halves_add_up():
    lines = [("1", "0.03", "19")] * 3  # each 0.0057, together 0.0171
    assert sums(lines, PER_LINE) == ("0.09", "0.03", "0.12")
    assert sums(lines, PER_RATE) == ("0.09", "0.02", "0.11")
    assert sums([("1", "0.03", "19")] * 3, PER_LINE, prices_include_tax=True) == ("0.09", "0.00", "0.09")
    assert sums([("1", "0.10", "19")] * 3, PER_LINE, prices_include_tax=True) == ("0.24", "0.06", "0.30")
    assert sums([("1", "0.10", "19")] * 3, PER_RATE, prices_include_tax=True) == ("0.25", "0.05", "0.30")


def test_a_discount_on_the_whole_keeps_the_shares_of_the_rates():
    assert sums([("1", "100", "19"), ("1", "50", "7")], discount=Decimal(10)) == ("135.00", "20.25", "155.25")
    assert sums([("1", "100", "19")], PER_LINE, discount=Decimal(10)) == ("90.00", "17.10", "107.10")


def nets(lines, rounding, discount):
    priced = [PricedLine(*map(Decimal, line)) for line in lines]
    return [str(row.net) for row in totals(priced, rounding, discount=Decimal(discount)).by_rate]


def test_a_discount_that_is_rounded_once_is_spread_and_what_is_left_over_goes_to_the_largest():
    small = [("1", "0.05", "19"), ("1", "0.06", "7"), ("1", "0.05", "0")]  # 10 % of 0.16 are 0.02, so 0.14 are left
    assert nets(small, PER_RATE, "10") == ["0.05", "0.05", "0.05"]
    assert nets(small, PER_INVOICE, "10") == ["0.04", "0.06", "0.04"]
    credit = [("1", "-0.05", "19"), ("1", "-0.06", "7"), ("1", "0.05", "0")]  # 10 % of -0.06 are -0.01
    assert nets(credit, PER_INVOICE, "10") == ["0.04", "-0.05", "-0.04"]
    even = [("1", "100", "19"), ("1", "50", "7")]
    assert nets(even, PER_INVOICE, "10") == nets(even, PER_RATE, "10") == ["45.00", "90.00"]
    assert sums(even, PER_INVOICE, discount=Decimal(10)) == ("135.00", "20.25", "155.25")


def test_a_discount_of_less_than_half_a_cent_is_none():
    assert nets([("1", "0.04", "19"), ("1", "0.05", "7")], PER_INVOICE, "5") == ["0.05", "0.04"]
    assert nets([("1", "1", "19"), ("-1", "1", "7")], PER_INVOICE, "50") == ["-1.00", "1.00"]


def test_rates_that_are_equal_are_one_group_however_they_are_written():
    assert (
        len(totals([PricedLine(Decimal(1), Decimal(1), Decimal(rate)) for rate in ("19", "19.0")], PER_RATE).by_rate)
        == 1
    )


def test_no_lines_sum_up_to_nothing():
    assert sums([]) == ("0.00", "0.00", "0.00")


def test_a_tolerance_is_given_only_where_the_rounding_is_assumed():
    given_tolerance = {"tolerance_per_line": Decimal("0.005"), "least_tolerance": Decimal("0.01")}

    def tolerance(evidence, lines):
        rounding = Rounding(quantity_decimals=2, price_decimals=2, evidence=evidence, **given_tolerance)
        return rounding.tolerance(lines)

    assert tolerance(Evidence.DOCUMENTED, 100) == 0
    assert tolerance(Evidence.MEASURED, 100) == 0
    assert tolerance(Evidence.ASSUMED, 1) == Decimal("0.01")
    with localcontext(Context(prec=1, traps=[Inexact, Rounded])):
        assert tolerance(Evidence.ASSUMED, 7) == Decimal("0.035")


@pytest.mark.parametrize(
    ("value", "count"),
    [("1.50", 1), ("1", 0), ("1E+3", 0), ("0.000", 0), ("1E-5", 5), ("100.0010", 3), ("0E-99999999", 0)],
)
def test_decimals_are_counted_without_trailing_zeros(value, count):
    with localcontext(Context(prec=1)):
        assert decimals(Decimal(value)) == count


@given(wild_amounts)
def test_plain_text_is_exact_and_has_no_trailing_zeros(amount):
    with localcontext(Context(prec=1)):
        text = plain_text(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert not ("." in text and text.endswith(("0", ".")))
