"""The port to content keys: who holds them, outside the ledger.

A content key serves one compartment (a subject's general part, one material, one contact) of one subject.  A
vault makes it once and gives the same one afterwards, until it is destroyed; destroying it erases what it sealed, while
hashes, signatures and proofs stay valid.  Calls are synchronous and safe from several threads and processes.
"""

from __future__ import annotations

from typing import Protocol

GENERAL = "general"
"""The compartment of whatever belongs to no material and no contact."""


class Vault(Protocol):
    """Keeps content keys (32 bytes each)."""

    def key_for(self, subject: str, compartment: str) -> bytes:
        """The content key of a compartment; made, and durable, before this returns.

        Raises:
            KeyFault: the vault can't be read or written, or the compartment's key was destroyed.
        """
        ...

    def find(self, key_id: str) -> bytes | None:
        """A content key by its id (32 hex), or None if this vault does not hold it."""
        ...

    def destroy(self, subject: str, compartment: str) -> list[str]:
        """Destroy a compartment's key for good; returns the ids that are gone (none if there was no key)."""
        ...
