"""Which form the old key has: the one under which a sample of the files decodes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from app.crypto.keys import SecretKey
from app.crypto.legacy_keys import (
    MAX_SECRETS,
    KeyForm,
    legacy_key,
    possible_forms,
    read_secrets,
)
from app.errors import ConfigurationError, DecryptionFailed, EncryptionError, RefusedError
from app.media.formats import CLIPS_REFUSED
from app.media.probe import HEAD_BYTES, probe
from app.services.examination import Renderer
from app.services.migration.opened import OldFiles, OldKeys
from app.services.migration.sources import Source

SAMPLE: Final = 12
"""So many files are tried, spread over the folder; one that decodes is proof enough."""


def read_secrets_file(path: Path) -> dict[str, SecretKey]:
    """The keys of a secrets file; ``EncryptionError`` where it cannot be read as one."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SECRETS + 1)
    except OSError:
        raw = b""
    return read_secrets(raw[:MAX_SECRETS])


class KeyChoice:
    """Decides once for a folder; stores nothing."""

    def __init__(
        self, text: str, decoder: Renderer, old_files: Callable[[OldKeys], OldFiles]
    ) -> None:
        """``text`` is IMAGE_ENCRYPTION_KEY, "" where it is not set."""
        self._text = text
        self._decoder = decoder
        self._old_files = old_files

    def keys(
        self,
        form: KeyForm | None,
        single: Mapping[str, SecretKey],
        sources: Sequence[Source],
    ) -> tuple[OldKeys, KeyForm | None]:
        """The keys to open these sources with, and the form of the shared one.

        ``form`` None: found out. Raises ``ConfigurationError`` where there is no key at all,
        ``EncryptionError`` for a key without that form, or under which nothing decodes.
        """
        if not self._text:
            if not single:
                raise ConfigurationError(
                    "IMAGE_ENCRYPTION_KEY is not set: set the key of the old files, or name"
                    " their --secrets file.",
                    operation="legacy.key",
                )
            return OldKeys(None, single), None
        form = form or self._found_out(single, sources)
        return OldKeys(legacy_key(self._text, form), single), form

    def _found_out(self, single: Mapping[str, SecretKey], sources: Sequence[Source]) -> KeyForm:
        sample = _spread([source for source in sources if not source.alone])
        forms = possible_forms(self._text)
        for form in forms:
            files = self._old_files(OldKeys(legacy_key(self._text, form), single))
            if any(self._decodes(files, source) for source in sample):
                return form
        if not sample:
            return forms[0]
        raise EncryptionError(
            f"None of {len(sample)} files of this folder opens with IMAGE_ENCRYPTION_KEY,"
            f" read as {' or '.join(forms)}. Is it the key of these files?",
            operation="legacy.key",
        )

    def _decodes(self, files: OldFiles, source: Source) -> bool:
        try:
            with files.open(source) as opened:
                if not opened.unproven:
                    return False  # it has a key of its own, and tells nothing about this one
                opened.content.seek(0)
                kind = probe(opened.content.read(HEAD_BYTES), opened.size)
                self._decoder.render(opened.content, opened.size, kind)
        except RefusedError as refusal:
            return refusal.message == CLIPS_REFUSED  # a clip's magic bytes are proof, too
        except (DecryptionFailed, OSError):
            return False
        return True


def _spread(sources: Sequence[Source]) -> list[Source]:
    step = max(1, len(sources) // SAMPLE)
    return list(sources[::step][:SAMPLE])
