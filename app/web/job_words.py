"""What became of a job, in sentences for its owner."""

from __future__ import annotations

from typing import Final

UNEXPECTED: Final = (
    "Something went wrong here. Who runs this site finds the reason in the log, under the id"
    " of this job."
)
ERRORS: Final[dict[str, str]] = {
    "conflict": "Something else was changed at the same time. Try it again.",
    "database_unavailable": "The database could not be reached.",
    "decoder_unavailable": "The program that reads pictures could not be started.",
    "decryption_failed": "A file is damaged and does not open.",
    "file_too_large": "A file is larger than this site takes.",
    "gone": "What this job was about is not there any more.",
    "key_damaged": "The key of a file is damaged.",
    "key_not_found": "The key of a file is missing.",
    "key_vault": "The key vault refused.",
    "key_vault_unavailable": "The key vault could not be reached.",
    "lease_lost": "The server ended several times while it worked on this. It gave up.",
    "not_found": "What this job was about is not there any more.",
    "not_permitted": "You may not do that any more.",
    "quarantined": "A file is damaged and was set aside.",
    "quota_exceeded": "Your space is used up.",
    "store_full": "The disk is full.",
    "store_unavailable": "The store could not be reached.",
    "undecodable_media": "A file could not be read as a picture.",
    "unknown_job": "This server does not know this kind of work yet: it is being updated.",
    "unsupported_type": "A file is of a type that is not taken here.",
}


def error_words(code: str | None) -> str | None:
    """A sentence for an error's code; None for none."""
    return None if code is None else ERRORS.get(code, UNEXPECTED)
