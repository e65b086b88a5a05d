"""Passwords: argon2id, at most two hashings at once, the same work where there is none."""

from threading import BoundedSemaphore
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE: Final = BoundedSemaphore(2)
"""A flood of sign-ins must not take all processors and 19 MiB each."""

NOBODYS_HASH: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$UcnNw1YUg"
    "esQb4M3Uft+MQ$+0u2lb+2g1vC6H4Tv6BoAu+9t4jua4kNiVtH2QD6SsI"
)
"""Hash of a random password that nobody knows: verified where there is none, to take as long."""


def hash_password(password: str) -> str:
    """Return the argon2id hash (m = 19 MiB, t = 2, p = 1) to store."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def verify_password(password_hash: str | None, password: str) -> bool:
    """Whether the password belongs to the hash; without a hash the work is done all the same."""
    with _AT_ONCE:
        try:
            _HASHER.verify(password_hash or NOBODYS_HASH, password)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(password_hash)
