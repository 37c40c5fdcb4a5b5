"""Every value of a vault changed, in the quickest way that the vault knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from app.errors import DarkroomError, KeyNotFound, KeyVaultUnavailable
from app.vault.interface import Change, KeyVault, RewritesInPlace, Rewritten, VersionInfo

Wanted = Callable[[VersionInfo], bool]
States = Callable[[str], frozenset[str]]
"""The states of the rows of a reference; nothing where it has none (yet, or any more)."""


def rewrite(
    vault: KeyVault, change: Change, wanted: Wanted, states: States
) -> Iterator[Rewritten]:
    """Change all versions of all references; ``wanted`` tells by the content type which.

    A value that was put back while its file was being destroyed goes again, by what
    ``states`` tells before and after. Raises KeyVaultUnavailable.
    """
    if isinstance(vault, RewritesInPlace):
        yield from vault.rewrite(change)
        return
    for reference in vault.references():
        try:
            yield Rewritten(reference, _rewrite_one(vault, reference, change, wanted, states))
        except KeyNotFound:  # deleted since it was listed
            yield Rewritten(reference, 0)
        except KeyVaultUnavailable:
            raise
        except DarkroomError as error:
            yield Rewritten(reference, 0, error)


def _rewrite_one(
    vault: KeyVault, reference: str, change: Change, wanted: Wanted, states: States
) -> int:
    due = [info for info in vault.versions(reference) if wanted(info)]
    before = states(reference) if due else frozenset()
    changed = 0
    for info in due:
        new = change(reference, vault.get(reference, info.version))
        if new is not None:
            vault.put(
                reference,
                info.version,
                new.value,
                content_type=new.content_type,
                expires_on=new.expires_on,
            )
            changed += 1
    after = states(reference) if changed else frozenset()
    if "destroyed" in after or (changed and before and not after):
        vault.delete(reference)
    return changed
