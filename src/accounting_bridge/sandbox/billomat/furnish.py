"""What every account starts with: taxes, units, texts, templates, one user, three articles."""

from __future__ import annotations

from decimal import Decimal

from .books import Books
from .records import Article, CountryTax, EmailTemplate, FreeText, Tax, Template, Unit, User


def furnish(books: Books) -> None:
    """Put into new books what every account starts with."""
    account = books.account
    for tax in account.taxes:
        books.taxes.add(Tax(name=tax.name, rate=tax.rate, is_default=tax.is_default))
    for country in account.tax_free_countries:
        books.country_taxes.add(CountryTax(country_code=country))
    units = [books.units.add(Unit(name=name)) for name in ("h", "Stück", "km", "Tag")]
    if account.default_texts:
        books.free_texts.add(
            FreeText(
                name="Standard",
                title="Rechnung [Invoice.invoice_number]",
                intro="Wir stellen Ihnen die folgenden Leistungen in Rechnung.",
                note="Vielen Dank für die gute Zusammenarbeit.",
                is_default=True,
            )
        )
    books.free_texts.add(FreeText(name="Angebot", type="OFFER", intro="Gern bieten wir an:"))
    books.templates.add(Template(name="Klassisch", is_default=True))
    books.templates.add(Template(name="Schlicht"))
    books.templates.add(Template(name="Angebot", type="OFFER", is_default=True))
    books.email_templates.add(
        EmailTemplate(
            name="Rechnung",
            subject="Rechnung [Invoice.invoice_number]",
            text="Anbei erhalten Sie unsere Rechnung.",
            is_default=True,
        )
    )
    books.users.add(User(email=account.email, salutation="Frau", first_name="Erika", last_name="Beispiel"))
    hour, piece = units[0].id, units[1].id
    tax_id = next((tax.id for tax in books.taxes), None)
    offered = (
        ("Beratung", "SERVICE", hour, Decimal(95)),
        ("Entwicklung", "SERVICE", hour, Decimal("112.5")),
        ("Muster-Handbuch", "PRODUCT", piece, Decimal("39.9")),
    )
    for number, (title, kind, unit_id, price) in enumerate(offered, start=1):
        books.articles.add(
            Article(
                number_pre=account.article_number_pre,
                number=number,
                number_length=account.article_number_length,
                title=title,
                type=kind,
                unit_id=unit_id,
                tax_id=tax_id,
                sales_price=price,
                currency_code=account.currency_code,
            )
        )
        books.numbers.use("article", account.article_number_pre, number)
    now = books.now()
    for shelf in (
        books.taxes,
        books.units,
        books.free_texts,
        books.templates,
        books.email_templates,
        books.users,
        books.articles,
    ):
        for record in shelf:
            record.created = record.updated = now
