"""The countries the vendor knows, with what they are for German value added tax.

ISO 3166-1 codes and the vendor's extensions for places that tax law treats unlike their country
(``ES_CN``, ``GR_69``) and for Northern Ireland (``IX``). A live account listed 257.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen


@frozen
class Country:
    """A country and its class: ``de``, ``intraCommunity`` or ``thirdPartyCountry``."""

    code: str
    name_de: str
    name_en: str
    tax_classification: str


_EUROPEAN_UNION: Final = """
DE|Deutschland|Germany
AT|Österreich|Austria
BE|Belgien|Belgium
BG|Bulgarien|Bulgaria
CY|Zypern|Cyprus
CZ|Tschechien|Czechia
DK|Dänemark|Denmark
EE|Estland|Estonia
ES|Spanien|Spain
FI|Finnland|Finland
FR|Frankreich|France
GR|Griechenland|Greece
HR|Kroatien|Croatia
HU|Ungarn|Hungary
IE|Irland|Ireland
IT|Italien|Italy
IX|Nordirland|Northern Ireland
LT|Litauen|Lithuania
LU|Luxemburg|Luxembourg
LV|Lettland|Latvia
MC|Monaco|Monaco
MT|Malta|Malta
NL|Niederlande|Netherlands
PL|Polen|Poland
PT|Portugal|Portugal
RO|Rumänien|Romania
SE|Schweden|Sweden
SI|Slowenien|Slovenia
SK|Slowakei|Slovakia
"""

_THIRD_COUNTRIES: Final = """
AD|Andorra|Andorra
AE|Vereinigte Arabische Emirate|United Arab Emirates
AF|Afghanistan|Afghanistan
AG|Antigua und Barbuda|Antigua and Barbuda
AI|Anguilla|Anguilla
AL|Albanien|Albania
AM|Armenien|Armenia
AO|Angola|Angola
AQ|Antarktis|Antarctica
AR|Argentinien|Argentina
AS|Amerikanisch-Samoa|American Samoa
AU|Australien|Australia
AW|Aruba|Aruba
AX|Ålandinseln|Åland Islands
AZ|Aserbaidschan|Azerbaijan
BA|Bosnien und Herzegowina|Bosnia and Herzegovina
BB|Barbados|Barbados
BD|Bangladesch|Bangladesh
BF|Burkina Faso|Burkina Faso
BH|Bahrain|Bahrain
BI|Burundi|Burundi
BJ|Benin|Benin
BL|St. Barthélemy|Saint Barthélemy
BM|Bermuda|Bermuda
BN|Brunei Darussalam|Brunei Darussalam
BO|Bolivien|Bolivia
BQ|Karibische Niederlande|Caribbean Netherlands
BR|Brasilien|Brazil
BS|Bahamas|Bahamas
BT|Bhutan|Bhutan
BV|Bouvetinsel|Bouvet Island
BW|Botsuana|Botswana
BY|Belarus|Belarus
BZ|Belize|Belize
CA|Kanada|Canada
CC|Kokosinseln|Cocos Islands
CD|Kongo (Demokratische Republik)|Congo (Democratic Republic)
CF|Zentralafrikanische Republik|Central African Republic
CG|Kongo|Congo
CH|Schweiz|Switzerland
CI|Côte d'Ivoire|Côte d'Ivoire
CK|Cookinseln|Cook Islands
CL|Chile|Chile
CM|Kamerun|Cameroon
CN|China|China
CO|Kolumbien|Colombia
CR|Costa Rica|Costa Rica
CU|Kuba|Cuba
CV|Kap Verde|Cabo Verde
CW|Curaçao|Curaçao
CX|Weihnachtsinsel|Christmas Island
DJ|Dschibuti|Djibouti
DM|Dominica|Dominica
DO|Dominikanische Republik|Dominican Republic
DZ|Algerien|Algeria
EC|Ecuador|Ecuador
EG|Ägypten|Egypt
EH|Westsahara|Western Sahara
ER|Eritrea|Eritrea
ES_CE|Ceuta|Ceuta
ES_CN|Kanarische Inseln|Canary Islands
ES_ML|Melilla|Melilla
ET|Äthiopien|Ethiopia
FJ|Fidschi|Fiji
FK|Falklandinseln|Falkland Islands
FM|Mikronesien|Micronesia
FO|Färöer|Faroe Islands
GA|Gabun|Gabon
GB|Vereinigtes Königreich|United Kingdom
GD|Grenada|Grenada
GE|Georgien|Georgia
GF|Französisch-Guayana|French Guiana
GG|Guernsey|Guernsey
GH|Ghana|Ghana
GI|Gibraltar|Gibraltar
GL|Grönland|Greenland
GM|Gambia|Gambia
GN|Guinea|Guinea
GP|Guadeloupe|Guadeloupe
GQ|Äquatorialguinea|Equatorial Guinea
GR_69|Berg Athos|Mount Athos
GS|Südgeorgien und die Südlichen Sandwichinseln|South Georgia and the South Sandwich Islands
GT|Guatemala|Guatemala
GU|Guam|Guam
GW|Guinea-Bissau|Guinea-Bissau
GY|Guyana|Guyana
HK|Hongkong|Hong Kong
HM|Heard und McDonaldinseln|Heard Island and McDonald Islands
HN|Honduras|Honduras
HT|Haiti|Haiti
ID|Indonesien|Indonesia
IL|Israel|Israel
IM|Insel Man|Isle of Man
IN|Indien|India
IO|Britisches Territorium im Indischen Ozean|British Indian Ocean Territory
IQ|Irak|Iraq
IR|Iran|Iran
IS|Island|Iceland
IT_32|Livigno|Livigno
JE|Jersey|Jersey
JM|Jamaika|Jamaica
JO|Jordanien|Jordan
JP|Japan|Japan
KE|Kenia|Kenya
KG|Kirgisistan|Kyrgyzstan
KH|Kambodscha|Cambodia
KI|Kiribati|Kiribati
KM|Komoren|Comoros
KN|St. Kitts und Nevis|Saint Kitts and Nevis
KP|Nordkorea|North Korea
KR|Südkorea|South Korea
KW|Kuwait|Kuwait
KY|Kaimaninseln|Cayman Islands
KZ|Kasachstan|Kazakhstan
LA|Laos|Laos
LB|Libanon|Lebanon
LC|St. Lucia|Saint Lucia
LI|Liechtenstein|Liechtenstein
LK|Sri Lanka|Sri Lanka
LR|Liberia|Liberia
LS|Lesotho|Lesotho
LY|Libyen|Libya
MA|Marokko|Morocco
MD|Republik Moldau|Moldova
ME|Montenegro|Montenegro
MF|St. Martin|Saint Martin
MG|Madagaskar|Madagascar
MH|Marshallinseln|Marshall Islands
MK|Nordmazedonien|North Macedonia
ML|Mali|Mali
MM|Myanmar|Myanmar
MN|Mongolei|Mongolia
MO|Macau|Macao
MP|Nördliche Marianen|Northern Mariana Islands
MQ|Martinique|Martinique
MR|Mauretanien|Mauritania
MS|Montserrat|Montserrat
MU|Mauritius|Mauritius
MV|Malediven|Maldives
MW|Malawi|Malawi
MX|Mexiko|Mexico
MY|Malaysia|Malaysia
MZ|Mosambik|Mozambique
NA|Namibia|Namibia
NC|Neukaledonien|New Caledonia
NE|Niger|Niger
NF|Norfolkinsel|Norfolk Island
NG|Nigeria|Nigeria
NI|Nicaragua|Nicaragua
NO|Norwegen|Norway
NP|Nepal|Nepal
NR|Nauru|Nauru
NU|Niue|Niue
NZ|Neuseeland|New Zealand
OM|Oman|Oman
PA|Panama|Panama
PE|Peru|Peru
PF|Französisch-Polynesien|French Polynesia
PG|Papua-Neuguinea|Papua New Guinea
PH|Philippinen|Philippines
PK|Pakistan|Pakistan
PM|St. Pierre und Miquelon|Saint Pierre and Miquelon
PN|Pitcairninseln|Pitcairn
PR|Puerto Rico|Puerto Rico
PS|Palästinensische Gebiete|Palestine
PW|Palau|Palau
PY|Paraguay|Paraguay
QA|Katar|Qatar
RE|Réunion|Réunion
RS|Serbien|Serbia
RU|Russland|Russia
RW|Ruanda|Rwanda
SA|Saudi-Arabien|Saudi Arabia
SB|Salomonen|Solomon Islands
SC|Seychellen|Seychelles
SD|Sudan|Sudan
SG|Singapur|Singapore
SH|St. Helena|Saint Helena
SJ|Svalbard und Jan Mayen|Svalbard and Jan Mayen
SL|Sierra Leone|Sierra Leone
SM|San Marino|San Marino
SN|Senegal|Senegal
SO|Somalia|Somalia
SR|Suriname|Suriname
SS|Südsudan|South Sudan
ST|São Tomé und Príncipe|Sao Tome and Principe
SV|El Salvador|El Salvador
SX|Sint Maarten|Sint Maarten
SY|Syrien|Syria
SZ|Eswatini|Eswatini
TC|Turks- und Caicosinseln|Turks and Caicos Islands
TD|Tschad|Chad
TF|Französische Süd- und Antarktisgebiete|French Southern Territories
TG|Togo|Togo
TH|Thailand|Thailand
TJ|Tadschikistan|Tajikistan
TK|Tokelau|Tokelau
TL|Timor-Leste|Timor-Leste
TM|Turkmenistan|Turkmenistan
TN|Tunesien|Tunisia
TO|Tonga|Tonga
TR|Türkei|Türkiye
TT|Trinidad und Tobago|Trinidad and Tobago
TV|Tuvalu|Tuvalu
TW|Taiwan|Taiwan
TZ|Tansania|Tanzania
UA|Ukraine|Ukraine
UG|Uganda|Uganda
UM|Amerikanische Überseeinseln|United States Minor Outlying Islands
US|Vereinigte Staaten von Amerika|United States
UY|Uruguay|Uruguay
UZ|Usbekistan|Uzbekistan
VA|Vatikanstadt|Vatican City
VC|St. Vincent und die Grenadinen|Saint Vincent and the Grenadines
VE|Venezuela|Venezuela
VG|Britische Jungferninseln|British Virgin Islands
VI|Amerikanische Jungferninseln|US Virgin Islands
VN|Vietnam|Vietnam
VU|Vanuatu|Vanuatu
WF|Wallis und Futuna|Wallis and Futuna
WS|Samoa|Samoa
XK|Kosovo|Kosovo
YE|Jemen|Yemen
YT|Mayotte|Mayotte
ZA|Südafrika|South Africa
ZM|Sambia|Zambia
ZW|Simbabwe|Zimbabwe
"""


def _read(table: str, tax_classification: str) -> dict[str, Country]:
    rows = [line.split("|") for line in table.strip().splitlines()]
    return {
        code: Country(code, name_de, name_en, "de" if code == "DE" else tax_classification)
        for code, name_de, name_en in rows
    }


COUNTRIES: Final = {
    **_read(_EUROPEAN_UNION, "intraCommunity"),
    **_read(_THIRD_COUNTRIES, "thirdPartyCountry"),
}
