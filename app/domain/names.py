"""Names, descriptions and slugs: NFC, no control characters, lengths in characters."""

from __future__ import annotations

import re
from typing import Final

from app.domain.text_rules import is_forbidden, to_nfc
from app.errors import InvalidInput, Mistake

MAX_NAME: Final = 100
MAX_TAG: Final = 64
MAX_DESCRIPTION: Final = 2000
MIN_SLUG: Final = 3
MAX_SLUG: Final = 63

_SLUG = re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*", re.ASCII)


def refuse(path: str, message: str) -> InvalidInput:
    """The refusal of one field; the message is a whole sentence, without what was typed."""
    return InvalidInput(message, mistakes=[Mistake(path, message)])


def clean_name(text: object, path: str = "name", *, longest: int = MAX_NAME) -> str:
    """A name in one line: NFC, without space around it, 1 to ``longest`` characters.

    Raises ``InvalidInput`` with ``path`` as the place.
    """
    if not isinstance(text, str):
        raise refuse(path, "This must be text.")
    if any(is_forbidden(character) for character in text):
        raise refuse(path, "Control characters cannot be used here.")
    name = to_nfc(text).strip()
    if not name:
        raise refuse(path, "This must not be empty.")
    if len(name) > longest:
        raise refuse(path, f"At most {longest} characters fit here.")
    return name


def clean_description(text: object, path: str = "description") -> str:
    """A text of several lines, at most 2,000 characters; '' is one too."""
    if not isinstance(text, str):
        raise refuse(path, "This must be text.")
    lines = to_nfc(text).replace("\r\n", "\n").replace("\r", "\n")
    if any(is_forbidden(c) for c in lines if c not in "\n\t"):
        raise refuse(path, "Control characters cannot be used here.")
    if len(lines.strip()) > MAX_DESCRIPTION:
        raise refuse(path, f"At most {MAX_DESCRIPTION} characters fit here.")
    return lines.strip()


def clean_tag(text: object, path: str = "tags") -> str:
    """One tag; a comma parts tags from each other, so none holds one."""
    name = clean_name(text, path, longest=MAX_TAG)
    if "," in name:
        raise refuse(path, "A tag cannot hold a comma.")
    return name


def split_tags(text: str) -> tuple[str, ...]:
    """The tags of a field in which commas part them; empty ones are skipped."""
    return tuple(dict.fromkeys(clean_tag(part) for part in text.split(",") if part.strip()))


def clean_slug(text: object, path: str = "slug") -> str:
    """A typed address of a collection: a-z, 0-9 and inner hyphens, 3 to 63 characters."""
    if not isinstance(text, str):
        raise refuse(path, "This must be text.")
    slug = text.strip()
    if not MIN_SLUG <= len(slug) <= MAX_SLUG or not _SLUG.fullmatch(slug):
        raise refuse(
            path,
            f"An address has {MIN_SLUG} to {MAX_SLUG} characters: a to z, 0 to 9, "
            "and hyphens between them.",
        )
    return slug
