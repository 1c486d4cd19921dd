"""The bodies of bookkeeping: accounts, vouchers, ledger items and attachments, as the vendor's document has them."""

from __future__ import annotations

from typing import Final

from .schema import table

RELATED_ACCOUNTS: Final = table(
    "RelatedAccounts",
    """
    AccountNumber1 long?; AccountNumber2 long?; AccountNumber3 long?
    """,
)
VAT_CODE: Final = table(
    "VatCodeApi",
    """
    Id guid ro; Code text?; Description text?; VatRate num; OssCodeType int; RelatedAccounts obj:RelatedAccounts
    """,
    RelatedAccounts=RELATED_ACCOUNTS,
)
ACCOUNT: Final = table(
    "AccountApi",
    """
    Name text 100 !; Number text !; VatCodeId guid?; VatCodeDescription text? ro; FiscalYearId guid !
    ReferenceCode text? ro; Type int ro; TypeDescription text? ro; ModifiedUtc stamp ro; CreatedUtc stamp ro
    IsActive bool !; AllowTransactionText bool; IsFirstCostCenterMandatory bool; IsProjectAllowed bool
    IsCostCenterAllowed bool; IsBlockedForManualBooking bool; Description text? ro
    """,
)
STANDARD_ACCOUNT: Final = table(
    "StandardAccountApi",
    """
    AccountType text?; AccountNumber long?
    """,
)
FISCAL_YEAR: Final = table(
    "FiscalYearApi",
    """
    Id guid ro; StartDate date; EndDate date; IsLockedForAccounting bool ro; BookkeepingMethod int 0..2 ro
    """,
)
VOUCHER_ROW: Final = table(
    "VoucherRowApi",
    """
    AccountNumber long 1..9999999999 !; AccountDescription text? ro; DebitAmount num 0..10000000000 d2
    CreditAmount num 0..10000000000 d2; TransactionText text? 60; CostCenterItemId1 guid? ro; CostCenterItemId2 guid?
    CostCenterItemId3 guid?; VatCodeId guid?; VatCodeAndPercent text?; VatAmount num?; Quantity num? d2
    Weight num? d2; DeliveryDate date?; HarvestYear int?; ProjectId guid?
    """,
)
ATTACHMENT_LINK: Final = table(
    "AttachmentLinkApi",
    """
    DocumentId guid; DocumentType int !; AttachmentIds [guid] !
    """,
)
VOUCHER: Final = table(
    "VoucherApi",
    """
    Id guid ro; VoucherDate date; VoucherText text 1000 !; Rows [obj:VoucherRowApi] !; NumberAndNumberSeries text? ro
    NumberSeries text?; ImportedVoucherNumber text? ro; Attachments obj:AttachmentLinkApi; ModifiedUtc stamp? ro
    VoucherType int; SourceId guid? ro; CreatedUtc stamp ro
    """,
    VoucherRowApi=VOUCHER_ROW,
    AttachmentLinkApi=ATTACHMENT_LINK,
)
CUSTOMER_LEDGER_ITEM: Final = table(
    "CustomerLedgerItemApi",
    """
    CurrencyCode text 3 !; CurrencyRate num; CurrencyRateUnit int; CustomerId guid !; DueDate date; Id guid ro
    InvoiceDate date; InvoiceNumber int !; IsCreditInvoice bool !; ModifiedUtc stamp ro
    PaymentReferenceNumber text? 50; RemainingAmountInvoiceCurrency num -99999999.99..99999999.99 !
    RoundingsAmountInvoiceCurrency num; TotalAmountInvoiceCurrency num -99999999.99..99999999.99 !
    VATAmountInvoiceCurrency num; VoucherId guid !
    """,
)
CUSTOMER_LEDGER_ITEM_WITH_VOUCHER: Final = table(
    "CustomerLedgerItemWithVoucherApi",
    """
    CurrencyCode text 3 !; CurrencyRate num; CurrencyRateUnit int; CustomerId guid !; DueDate date; Id guid ro
    InvoiceDate date; InvoiceNumber int !; ModifiedUtc stamp ro; PaymentReferenceNumber text? 50
    RemainingAmountInvoiceCurrency num -99999999.99..99999999.99 !; RoundingsAmountInvoiceCurrency num
    TotalAmountInvoiceCurrency num -99999999.99..99999999.99 !; VATAmountInvoiceCurrency num; IsCreditInvoice bool !
    Voucher obj:VoucherApi !
    """,
    VoucherApi=VOUCHER,
)
ATTACHMENT_UPLOAD: Final = table(
    "AttachmentUploadApi",
    """
    Id guid; ContentType text 15 !; FileName text 200 !; Data text?; Url text?; Comment text?
    """,
)
ATTACHMENT: Final = table(
    "Attachment",
    """
    Id guid ro; ContentType text?; DocumentId guid?; AttachedDocumentType int; MessageThreads [guid]? ro
    Notes [guid]? ro; PhotoSource int ro; FileName text?; TemporaryUrl text?; Comment text?; SupplierName text?
    CurrencyCode text?; AmountInvoiceCurrency num; Type int; AttachmentStatus int; UploadedBy text? ro
    ImageDate date ro; TransactionDate date? ro; Ocr text?; InvoiceNumber text?; Vat num?; DueDate date?
    SupplierCorporateIdentityNumber text?; PaymentDate date?
    """,
)
SALES_DOCUMENT_ATTACHMENT_UPLOAD: Final = table(
    "SalesDocumentAttachmentUploadApi",
    """
    ContentType text 15 !; FileName text 128 !; DockumentId guid !; Data text?; Url text?
    """,
)
SALES_DOCUMENT_ATTACHMENT: Final = table(
    "SalesDocumentAttachmentApi",
    """
    Id guid; DocumentId guid?; DocumentType int 0..6; OriginalFilename text?; DocumentSize int; CreatedUtc stamp ro
    CreatedBy text?; Thumbnail text?
    """,
)
PARTNER_RESOURCE_LINK: Final = table(
    "PartnerResourceLinkApi",
    """
    Id guid ro; ResourceId guid !; ResourceType int !; Href text 256 !; PartnerCompanyName text 100 !
    PartnerSystemName text 100 !
    """,
)
