"""Which rulebook is in use: the one that the register adopted last, by its digest; without one, the built-in one."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ledger.errors import ConfigError
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import Rulebook, built_in

Available = Callable[[str], Rulebook | None]
"""The rulebook of a digest (hex), where it is at hand."""


def resolve(
    register: LegalRegister, available: Available = lambda _: None, looked_in: str = "this release"
) -> Rulebook:
    """The rulebook in use.

    Args:
        register: as it is known.
        available: rulebooks that are kept beside the built-in one, by digest.
        looked_in: where that looks, for the message.

    Raises:
        ConfigError: the one that the register adopted is not at hand. To judge by another would be wrong in silence.
    """
    adopted = register.adopted()
    if adopted is None:
        return built_in()
    digest = str(adopted.data.sha256)
    own = built_in()
    found = own if own.sha256 == digest else available(digest)
    if found is None:
        raise ConfigError(
            f"expected the rulebook {adopted.data.version} with digest {digest}, which the register adopted, found no "
            f"such one in {looked_in} (the built-in one has {own.sha256}): copy its folder there, or use the release "
            "that brings it; until then nothing is judged"
        )
    return msgspec.structs.replace(found, version=str(adopted.data.version))
