"""The bodies of sales: customers, articles, drafts and invoices, as the vendor's document of 2026-02-17 has them."""

from __future__ import annotations

from typing import Final

from .schema import table

OPAQUE: Final = table("Opaque", "")
"""Stands for objects that are shown as null and never read."""

TERMS_OF_PAYMENT: Final = table(
    "TermsOfPaymentApi",
    """
    Id guid ro; Name text?; NameEnglish text?; NumberOfDays int; TermsOfPaymentTypeId int
    TermsOfPaymentTypeText text?; AvailableForSales bool; AvailableForPurchase bool
    """,
)
CUSTOMER_LABEL: Final = table(
    "CustomerLabelApi",
    """
    Id guid ro; Name text 50 !; Description text? 400
    """,
)
DIRECT_DEBIT_CUSTOMER_SETTINGS: Final = table(
    "DirectDebitCustomerSettingsApi",
    """
    MandateId text? 35; MandateType int; SequenceType int; SigningDate date?; EndDate date?; LatestDirectDebit date?
    Bic text? 11
    """,
)
CUSTOMER: Final = table(
    "CustomerApi",
    """
    Id guid ro; InvoiceCity text 50 !; InvoicePostalCode text 10 !; GLN text? 255; EmailAddressOrder text? 255
    EmailAddressQuote text? 255; PayToAccountId guid? ro; TermsOfPayment obj:TermsOfPaymentApi
    LastInvoiceDate date? ro; TaxDeductionNumber text?; PropertyType int? 1..2; PropertyReference text? 40
    ChangedUtc stamp? ro; CustomerLabels [obj:CustomerLabelApi]?; MessageThreads [guid]? ro; Notes [guid]? ro
    IsFutureInvoiceDateAllowed bool ro; Iban text? 35; IsDirectDebitEnabled bool?
    DirectDebitCustomerSettings obj:DirectDebitCustomerSettingsApi; DiscountAgreementId guid?
    UnpaidInvoicesAmount num ro; CustomerNumber text? 16; CorporateIdentityNumber text? 20
    ContactPersonEmail text? 255; ContactPersonMobile text? 50; ContactPersonName text? 100
    ContactPersonPhone text? 50; CurrencyCode text? 3; EmailAddress text? 255; InvoiceAddress1 text? 50
    InvoiceAddress2 text? 50; InvoiceCountryCode text? 2; DeliveryAddress1 text? 50; DeliveryAddress2 text? 50
    DeliveryCity text? 50; DeliveryCountryCode text? 2; DeliveryPostalCode text? 10; DeliveryCustomerName text? 100
    DeliveryMethodId guid?; DeliveryTermId guid?; Name text 50 !; Note text? 4000
    ReverseChargeOnConstructionServices bool; WebshopCustomerNumber int?; MobilePhone text? 50; Telephone text? 50
    TermsOfPaymentId guid !; VatNumber text? 20; WwwAddress text? 255; IsPrivatePerson bool !; IsNorthernIreland bool?
    DiscountPercentage num 0..1 d4; IsActive bool !; ForceBookkeepVat bool; EdiGlnNumber text? 255
    SalesDocumentLanguage text? 2; ElectronicAddress text? 255; ElectronicReference text? 35
    EdiServiceDelivererId text? 255; AutoInvoiceActivationEmailSentDate date?
    AutoInvoiceRegistrationRequestSentDate date?; EmailAddresses [text]?; DeliveryBasedVat bool
    SalesPriceListId guid?
    """,
    TermsOfPaymentApi=TERMS_OF_PAYMENT,
    CustomerLabelApi=CUSTOMER_LABEL,
    DirectDebitCustomerSettingsApi=DIRECT_DEBIT_CUSTOMER_SETTINGS,
)
UNIT: Final = table(
    "UnitApi",
    """
    Id guid ro; Name text?; Code text?; Abbreviation text?; AbbreviationEnglish text?
    """,
)
COUNTRY: Final = table(
    "CountryApi",
    """
    Name text?; NameEnglish text?; Code text?; IsEuMember bool
    """,
)
ARTICLE_LABEL: Final = table(
    "ArticleLabelApi",
    """
    Id guid ro; Name text 50 !; Description text? 400
    """,
)
ARTICLE_BARCODE: Final = table(
    "ArticleBarcodeApi",
    """
    Barcode text?; BarcodeType int
    """,
)
ARTICLE: Final = table(
    "ArticleApi",
    """
    Id guid ro; IsActive bool !; Number text 40 !; Name text 50 !; NameEnglish text? 50; NetPrice num 0..99000000 d2
    NetPriceWithDiscount num 0..99000000 d2; GrossPrice num 0..99000000 d2; CodingId guid !; CodingName text? ro
    UnitId guid !; UnitName text? ro; UnitAbbreviation text? ro
    StockBalance num -1000000000000000..1000000000000000 d2; StockBalanceManuallyChangedUtc stamp? ro
    StockBalanceReserved num ro; StockBalanceAvailable num ro; CreatedUtc stamp ro; ChangedUtc stamp ro
    HouseWorkType int?; PurchasePrice num 0..99000000; PurchasePriceManuallyChangedUtc stamp? ro; SendToWebshop bool
    UsesMoss bool; ArticleLabels [obj:ArticleLabelApi]?; MessageThreads [guid]? ro; Notes [guid]? ro; Note text? 4000
    IsStock bool; ShowStockInformation bool ro; IsServiceArticle bool ro; StockLocationReference text?
    FreightCosts num 0..99000000; FreightCostsManuallyChangedUtc stamp? ro; UpdateStockPrices bool
    Barcodes [obj:ArticleBarcodeApi]?; StockValue num ro; GreenTechnologyType int?; DiscountPercentage num
    CurrencyCode text? 3; PurchasePriceWithCurrency num; FreightCostWithCurrency num; OrderingPoint num?
    SupplierId guid?; SupplierArticleNumber text? 16
    """,
    ArticleLabelApi=ARTICLE_LABEL,
    ArticleBarcodeApi=ARTICLE_BARCODE,
)
ARTICLE_ACCOUNT_CODING: Final = table(
    "ArticleAccountCodingApi",
    """
    Id guid ro; Name text?; NameEnglish text?; Type text?; VatRate text?; IsActive bool; VatRatePercent num
    DomesticSalesSubjectToReversedConstructionVatAccountNumber long?; DomesticSalesSubjectToVatAccountNumber long?
    DomesticSalesVatExemptAccountNumber long?; ForeignSalesSubjectToMossAccountNumber long?
    ForeignSalesSubjectToThirdPartySalesAccountNumber long?; ForeignSalesSubjectToVatWithinEuAccountNumber long?
    ForeignSalesVatExemptOutsideEuAccountNumber long?; ForeignSalesVatExemptWithinEuAccountNumber long?
    DomesticSalesVatCodeExemptAccountNumber long?; ChangedUtc stamp ro
    """,
)
SALES_DOCUMENT_ROT_RUT_REDUCTION_PERSON: Final = table(
    "SalesDocumentRotRutReductionPersonApi",
    """
    Id guid ro; Ssn text? 50; Amount num
    """,
)
CUSTOMER_INVOICE_DRAFT_ROW: Final = table(
    "CustomerInvoiceDraftRowApi",
    """
    Id guid ro; LineNumber int? 0..1000; ArticleId guid?; IsServiceArticle bool ro; UnitId guid? ro
    ArticleNumber text?; IsTextRow bool ~; Text text? 2000; UnitPrice num; IsDiscountInFixedAmount bool ro
    DiscountFixedAmount num? d2 ro; DiscountPercentage num 0..1 d4; Quantity num d2; WorkCostType int; IsWorkCost bool
    WorkHours num?; MaterialCosts num?; ReversedConstructionServicesVatFree bool ~; CostCenterItemId1 guid?
    CostCenterItemId2 guid?; CostCenterItemId3 guid?; UnitAbbreviation text?; UnitAbbreviationEnglish text?
    VatRateId text? ro; VatRate num? ro; UnitName text?; ProjectId guid?; GreenTechnologyType int 0..3
    ContributionMargin obj:Opaque; PurchasePrice num ro; Amount num ro; FreightCosts num ro
    """,
    Opaque=OPAQUE,
)
CUSTOMER_INVOICE_DRAFT: Final = table(
    "CustomerInvoiceDraftApi",
    """
    Id guid ro; CustomerId guid !; CreatedUtc stamp? ro; IsCreditInvoice bool; RotReducedInvoicingType int 0..2 ~
    RotReducedInvoicingPropertyName text? 40; RotReducedInvoicingOrgNumber text? 11
    MaxAllowedTaxReductionAmount num ro; RotReducedInvoicingAmount num d2
    RotReducedInvoicingAutomaticDistribution bool; RotPropertyType int?; HouseWorkOtherCosts num?
    Rows [obj:CustomerInvoiceDraftRowApi]?; Persons [obj:SalesDocumentRotRutReductionPersonApi]?
    YourReference text? 100; OurReference text? 100; BuyersOrderReference text? 35; ElectronicReference text? 100
    SubscriptionNumber text? 100; ContractNumber text? 100; InvoiceCustomerName text? 50 ro; InvoiceAddress1 text? 50
    InvoiceAddress2 text? 50; InvoicePostalCode text? 10 ro; InvoiceCity text? 50 ro; InvoiceCountryCode text? 2 ro
    InvoiceCurrencyCode text? ro; DeliveryCustomerName text? 50; DeliveryAddress1 text? 50; DeliveryAddress2 text? 50
    DeliveryPostalCode text? 10; DeliveryCity text? 50; DeliveryCountryCode text? 2; DeliveryMethodName text? 50
    DeliveryTermName text? 50; TermsOfPaymentId guid?; DeliveryMethodCode text? 20; DeliveryTermCode text? 20
    EuThirdParty bool ~; CustomerIsPrivatePerson bool ro; ReverseChargeOnConstructionServices bool ro
    SalesDocumentAttachments [guid]? ro; MessageThreads [guid]? ro; Notes [guid]? ro; InvoiceDate date?; DueDate date?
    DeliveryDate date?; TotalAmount num ro; TotalVatAmount num ro; TotalRoundings num ro
    TotalAmountBaseCurrency num ro; TotalVatAmountBaseCurrency num ro; CustomerNumber text? 16 ro
    CustomerName text? ro; IncludesVat bool ro; ReplaceUnitPriceWhenZero bool; UsesGreenTechnology bool
    ContributionMargin obj:Opaque; IsDirectDebit bool?; BackgroundId guid?
    """,
    CustomerInvoiceDraftRowApi=CUSTOMER_INVOICE_DRAFT_ROW,
    SalesDocumentRotRutReductionPersonApi=SALES_DOCUMENT_ROT_RUT_REDUCTION_PERSON,
    Opaque=OPAQUE,
)
CUSTOMER_INVOICE_DRAFT_VALIDATION_ROW: Final = table(
    "CustomerInvoiceDraftValidationRowApi",
    """
    LineNumber int; TotalAmountNoVatInvoiceCurrency num?; TotalAmountIncVatInvoiceCurrency num?
    """,
)
CUSTOMER_INVOICE_DRAFT_VALIDATION: Final = table(
    "CustomerInvoiceDraftValidationApi",
    """
    TotalAmountInvoiceCurrency num?; TotalVatAmountInvoiceCurrency num?; TotalRoundingsInvoiceCurrency num?
    Rows [obj:CustomerInvoiceDraftValidationRowApi]?
    """,
    CustomerInvoiceDraftValidationRowApi=CUSTOMER_INVOICE_DRAFT_VALIDATION_ROW,
)
CUSTOMER_INVOICE_VAT: Final = table(
    "CustomerInvoiceVatApi",
    """
    AmountInvoiceCurrency num ro; VatAmountInvoiceCurrency num ro; VatPercent num ro
    """,
)
CUSTOMER_INVOICE_ROW: Final = table(
    "CustomerInvoiceRowApi",
    """
    Id guid ro; ArticleNumber text? ro; ArticleId guid?; IsServiceArticle bool ro; AmountNoVat num ro
    PercentVat num ro; VatRate num? ro; LineNumber int ro; IsTextRow bool ro; Text text? 2000; UnitPrice num
    UnitAbbreviation text? ro; UnitAbbreviationEnglish text? ro; IsDiscountInFixedAmount bool ro
    DiscountFixedAmount num? d2 ro; DiscountPercentage num 0..1 d4; Quantity num d2; IsWorkCost bool ro
    IsVatFree bool; CostCenterItemId1 guid?; CostCenterItemId2 guid?; CostCenterItemId3 guid?; UnitId guid? ro
    ProjectId guid?; WorkCostType int; WorkHours num?; MaterialCosts num?; GreenTechnologyType int 0..3
    ContributionMargin obj:Opaque; PurchasePrice num ro; FreightCosts num ro; Amount num ro
    """,
    Opaque=OPAQUE,
)
CUSTOMER_INVOICE: Final = table(
    "CustomerInvoiceApi",
    """
    Id guid ro; EuThirdParty bool ~; IsCreditInvoice bool; CurrencyCode text? ro; CurrencyRate num?
    CreatedByUserId guid? ro; TotalAmount num ro; TotalVatAmount num ro; TotalRoundings num ro
    TotalAmountInvoiceCurrency num ro; TotalVatAmountInvoiceCurrency num ro; SetOffAmountInvoiceCurrency num ro
    CustomerId guid !; Rows [obj:CustomerInvoiceRowApi] !; VatSpecification [obj:CustomerInvoiceVatApi]? ro
    InvoiceDate date?; DueDate date?; DeliveryDate date?; RotReducedInvoicingType int 0..2 ~
    MaxAllowedTaxReductionAmount num ro; RotReducedInvoicingAmount num? d2; RotReducedInvoicingPercent num ro
    RotReducedInvoicingPropertyName text?; RotReducedInvoicingOrgNumber text? 11
    Persons [obj:SalesDocumentRotRutReductionPersonApi]?; RotReducedInvoicingAutomaticDistribution bool ro
    ElectronicReference text?; SubscriptionNumber text? 100; ContractNumber text? 100; ElectronicAddress text? ro
    EdiServiceDelivererId text? 50; OurReference text? 100; YourReference text? 100; BuyersOrderReference text? 35
    InvoiceCustomerName text? ro; InvoiceAddress1 text? 50; InvoiceAddress2 text? 50; InvoicePostalCode text? 50
    InvoiceCity text? 50; InvoiceCountryCode text? 2; DeliveryCustomerName text? 100; DeliveryAddress1 text? 50
    DeliveryAddress2 text? 50; DeliveryPostalCode text? 10; DeliveryCity text? 50; DeliveryCountryCode text? 2
    DeliveryMethodName text? ro; DeliveryTermName text? ro; DeliveryMethodCode text? ro; DeliveryTermCode text? ro
    CustomerIsPrivatePerson bool ro; TermsOfPaymentId guid; CustomerEmail text? ro; InvoiceNumber int ro
    CustomerNumber text? ro; CustomerName text? ro; PaymentReferenceNumber text? ro; RotPropertyType int? 1..2
    SalesDocumentAttachments [guid]? ro; MessageThreads [guid]? ro; Notes [guid]? ro; HasAutoInvoiceError bool ro
    IsNotDelivered bool ro; ReverseChargeOnConstructionServices bool ro; WorkHouseOtherCosts num?
    RemainingAmount num ro; RemainingAmountInvoiceCurrency num ro; ReferringInvoiceId guid? ro
    CreatedFromOrderId guid? ro; CreatedFromQuoteId guid? ro; CreatedFromDraftId guid?; VoucherNumber text? ro
    VoucherId guid ro; CreatedUtc stamp? ro; ModifiedUtc stamp? ro; ReversedConstructionVatInvoicing bool ro
    IncludesVat bool ro; SendType int?; PaymentReminderIssued bool ro; PaymentRemindersCount int ro
    LastPaymentReminderSentDate date? ro; UsesGreenTechnology bool; IsSold bool ro; FactoringInvoiceStatus int ro
    PaymentDate date? ro; PaymentStatus int ro; CreditedBy [obj:Opaque]? ro; ContributionMargin obj:Opaque
    IsDirectDebit bool?; IsQuickInvoice bool ro; IsCollectiveInvoice bool ro
    CollectiveCustomerInvoiceRowsRelationToOrders [obj:Opaque]? ro; ReplaceUnitPriceWhenZero bool
    TaxDeductionStatus int ro; BackgroundId guid?
    """,
    CustomerInvoiceRowApi=CUSTOMER_INVOICE_ROW,
    CustomerInvoiceVatApi=CUSTOMER_INVOICE_VAT,
    SalesDocumentRotRutReductionPersonApi=SALES_DOCUMENT_ROT_RUT_REDUCTION_PERSON,
    Opaque=OPAQUE,
)
EMAIL: Final = table(
    "EmailApi",
    """
    Email text? 255; CcRecipients [text]?; Subject text?; Message text?
    """,
)
