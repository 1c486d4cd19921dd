"""A country as people write it: TimeChimp does not say whether its field holds a code or a name."""

from __future__ import annotations

from typing import Final

_CODES: Final = frozenset(
    {
        "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA", "BB",
        "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV", "BW", "BY",
        "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU", "CV", "CW", "CX",
        "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES", "ET", "FI", "FJ", "FK",
        "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM", "GN", "GP", "GQ", "GR", "GS",
        "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE", "IL", "IM", "IN", "IO", "IQ", "IR",
        "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM", "KN", "KP", "KR", "KW", "KY", "KZ", "LA",
        "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY", "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK",
        "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT", "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE",
        "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU", "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM",
        "PN", "PR", "PS", "PT", "PW", "PY", "QA", "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG",
        "SH", "SI", "SJ", "SK", "SL", "SM", "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF",
        "TG", "TH", "TJ", "TK", "TL", "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY",
        "UZ", "VA", "VC", "VE", "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
    }
)  # fmt: skip
"""ISO 3166-1 alpha-2."""

_MEANT: Final = {"UK": "GB", "EL": "GR", "XI": "GB"}
"""Written for a code: as people do, and as VAT numbers begin in Greece and Northern Ireland."""

_NAMES: Final = {
    "nederland": "NL", "the netherlands": "NL", "netherlands": "NL", "niederlande": "NL", "holland": "NL",
    "belgië": "BE", "belgie": "BE", "belgium": "BE", "belgien": "BE", "belgique": "BE",
    "duitsland": "DE", "germany": "DE", "deutschland": "DE",
    "frankrijk": "FR", "france": "FR", "frankreich": "FR",
    "luxemburg": "LU", "luxembourg": "LU",
    "oostenrijk": "AT", "austria": "AT", "österreich": "AT",
    "zwitserland": "CH", "switzerland": "CH", "schweiz": "CH",
    "verenigd koninkrijk": "GB", "united kingdom": "GB", "groot-brittannië": "GB",
    "spanje": "ES", "spain": "ES", "italië": "IT", "italy": "IT", "polen": "PL", "poland": "PL",
    "denemarken": "DK", "denmark": "DK", "zweden": "SE", "sweden": "SE", "ierland": "IE", "ireland": "IE",
}  # fmt: skip


def country_code(text: str | None) -> str | None:
    """ISO 3166-1 alpha-2, where the text is such a code or a name that can be nothing else; None otherwise."""
    written = (text or "").strip()
    code = _MEANT.get(written.upper(), written.upper())
    return code if code in _CODES else _NAMES.get(written.casefold())
