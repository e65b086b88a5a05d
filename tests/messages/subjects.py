"""What messages of the tests are about, as plain data."""

from typing import Any, Final

ORDER: Final[dict[str, Any]] = {
    "number": "O-000009",
    "account": "ACME",
    "purchase_order_number": "4711",
    "total": "1234.50",
    "currency": "EUR",
    "reason": "",
    "lines": [{"name": "Mouse", "quantity": "3", "total": "12.00"}],
    "more_lines": 2,
}
