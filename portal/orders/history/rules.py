"""The words of imported orders: by what their list is sorted, which figures it is narrowed to."""

from enum import StrEnum, unique


@unique
class SortBy(StrEnum):
    """By what the list may be sorted."""

    NUMBER = "number"
    PURCHASE_ORDER = "purchase-order"
    STATUS = "status"
    TOTAL = "total"
    PLACED = "placed"
