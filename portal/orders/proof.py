"""The proof that an order needs: a valid approval of exactly the content that is ordered."""

from datetime import datetime

from portal.approvals.queries import Proof, get_proof
from portal.errors import N_, ConflictError
from portal.quotes.freezing import hash_of
from portal.quotes.models import Quote, QuoteRevision
from portal.quotes.rules import KIND, QuoteStatus

_ALIVE = frozenset({QuoteStatus.APPROVED, QuoteStatus.PARTLY_ORDERED, QuoteStatus.ORDERED})


class NotApprovedError(ConflictError):
    """The revision is not approved, or no longer."""

    message = N_("Quote {number} is {status}: only an approved quote can be ordered.")


class SupersededError(ConflictError):
    """A newer revision has taken the place of the one that the order was made from."""

    message = N_("Quote {number} has a newer revision. Discard this draft and order from that one.")


class QuoteExpiredError(ConflictError):
    """The approved prices no longer hold."""

    message = N_("The prices of quote {number} no longer hold. Revise it for today's prices.")


class ProofMissingError(ConflictError):
    """There is no approval of exactly this content."""

    message = N_("Quote {number} has no valid approval for what it says now.")


def require_proof(quote: Quote, revision: QuoteRevision, now: datetime) -> Proof:
    """Return the proof that ``revision`` may be ordered at ``now``, as `check_proof` finds it."""
    return check_proof(quote, revision, get_proof(KIND, revision.id), now)


def check_proof(quote: Quote, revision: QuoteRevision, proof: Proof | None, now: datetime) -> Proof:
    """Return the proof that ``revision`` may be ordered at ``now``; every order asks for it.

    Args:
        quote: Locked.
        revision: The revision to order from, with its lines.
        proof: That of the revision, read after the lock.
        now: The instant at which its prices have to hold.

    Raises:
        SupersededError, NotApprovedError, QuoteExpiredError, ProofMissingError.
    """
    if quote.revision != revision.number:
        raise SupersededError(number=quote.number)
    if quote.status not in _ALIVE or revision.status not in _ALIVE:
        raise NotApprovedError(number=quote.number, status=quote.status)
    if revision.holds_until is None or now >= revision.holds_until:
        raise QuoteExpiredError(number=quote.number)
    recomputed = hash_of(revision)
    if proof is None or proof.content_hash != recomputed or revision.content_hash != recomputed:
        raise ProofMissingError(number=quote.number)
    return proof
