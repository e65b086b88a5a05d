"""What every proof about hostile input judges by."""

from hypothesis import HealthCheck, settings

from portal.errors import DomainError

few = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def can_be_kept(text: str) -> bool:
    """Whether both databases and a page in UTF-8 can hold a text."""
    return "\x00" not in text and is_whole(text)


def is_whole(text: str) -> bool:
    """Whether a text holds no half of a character."""
    return not any("\ud800" <= char <= "\udfff" for char in text)


def says_why(error: DomainError) -> None:
    """Check that the words of a refusal can be shown."""
    assert can_be_kept(str(error))
