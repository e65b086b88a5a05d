"""Plain forms that are stored with a run and read back: reasons, and the subject's summary."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from portal.approvals.rules import Ask, Cause, Comparison, Reason, Route, Subject


def reason_plain(reason: Reason) -> dict[str, Any]:
    """Return a reason as plain data."""
    return asdict(reason)


def reason_from(plain: Mapping[str, Any]) -> Reason:
    """Read a stored reason."""
    fields = dict(plain)
    return Reason(
        cause=Cause(fields.pop("cause")),
        ask=Ask(ask) if (ask := fields.pop("ask")) else None,
        comparisons=tuple(Comparison(**item) for item in fields.pop("comparisons")),
        replaced=tuple(fields.pop("replaced")),
        **fields,
    )


def route_plain(route: Route) -> dict[str, Any]:
    """Return what a run keeps of its route beside the rows of its steps."""
    threshold = route.next_threshold
    return {
        "outcome": route.outcome.value,
        "rules": [
            {"number": number, "comparisons": [asdict(item) for item in comparisons]}
            for number, comparisons in route.comparisons
        ],
        "next_threshold": threshold
        and {"rule_number": threshold.rule_number, "amount": f"{threshold.amount:f}"},
    }


def summary_plain(subject: Subject) -> dict[str, Any]:
    """Return what approvers read about a subject; figures as text, as they were submitted."""
    return {
        "title": subject.title,
        "requester_name": subject.requester_name,
        "net_total": _text(subject.net_total),
        "gross_total": _text(subject.gross_total),
        "freight": _text(subject.freight),
        "tax": _text(subject.tax),
        "lines": [
            {
                "name": line.name,
                "sku": line.sku,
                "quantity": line.quantity,
                "amount": _text(line.amount),
                "detail": line.detail,
                "change": line.change,
            }
            for line in subject.lines
        ],
        "changes": list(subject.changes),
        "valid_until": subject.valid_until,
        "ship_to": subject.ship_to,
        "cost_centres": subject.cost_centres,
        "note": subject.note,
        "href": subject.href,
        "pdf_href": subject.pdf_href,
    }


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"
