"""What a picture's row says of it: from its record, or made again from sidecar and content."""

from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BufferedReader
from typing import Any, BinaryIO

from app.domain.media_kinds import MediaKind
from app.domain.states import ImageStatus
from app.errors import (
    DecoderUnavailable,
    DecryptionFailed,
    StoreError,
    StoreUnavailable,
    UndecodableMedia,
    UnsupportedType,
)
from app.media.formats import FileType
from app.media.probe import HEAD_BYTES, probe
from app.media.rendered import Rendered
from app.services.examination import Digests, Renderer, digest
from app.services.rebuild.finding import Finder, Found

UNKNOWN_TYPE = "image/unknown"
NEW_EPOCH_FROM = 1 << 20
"""Without a record nobody knows which links were revoked: all of them are."""


@dataclass(frozen=True, slots=True)
class Content:
    """What the decrypted content tells; each None where it does not."""

    file_type: FileType | None = None
    digests: Digests | None = None
    rendered: Rendered | None = None


class Pictures:
    """Rows of ``images``, as dictionaries, still without what the directory decides."""

    def __init__(self, finder: Finder, decoder: Renderer) -> None:
        self._finder = finder
        self._decoder = decoder

    def row(self, found: Found) -> dict[str, Any]:
        """All columns but ``dedupe``; ``collection_id`` may be None where nothing tells it."""
        told = dict(found.record.image) if found.record is not None else self._made_up(found)
        # Only now: what was decoded just now may have turned out damaged.
        if found.is_damaged:
            told["status"] = ImageStatus.QUARANTINED.value
        path = found.path
        return told | {
            "id": path.image_id,
            "store_slug": path.slug,
            "stored_name": str(path.stored_name),
            "size": found.plain_size,
            "enc_size": found.enc_size,
            "content_rev": found.content_rev,
            "annotation_count": len(found.record.annotations) if found.record else 0,
        }

    def _made_up(self, found: Found) -> dict[str, Any]:
        facts, public = found.facts, found.sidecar.public if found.sidecar else None
        content = Content() if found.is_damaged else self._look(found)
        at = _uploaded_at(found)
        kind = public.file_type if public else MediaKind.IMAGE.value
        known_type = content.file_type.mime_type if content.file_type else UNKNOWN_TYPE
        return {
            "collection_id": facts.collection_id if facts else None,
            "uploader_id": facts.owner_id if facts else None,
            "kind": kind,
            "mime_type": public.mime_type if public else known_type,
            "status": ImageStatus.READY.value,
            "trashed_at": None,
            "destroy_at": None,
            "sort_at": at,
            "created_at": at,
            "updated_at": at,
            "is_public": False,
            "expires_at": None,
            "annotation_state": "new",
            "annotation_rev": 0,
            "link_epoch": NEW_EPOCH_FROM,
            "provenance": facts.provenance if facts else "sealed",
            "card": _card(found, content),
            "meta": _meta(found, content),
        }

    def _look(self, found: Found) -> Content:
        """Decode the original, and hash it where the sidecar does not tell the hash."""
        try:
            with self._finder.original(found) as reader:
                file = BufferedReader(reader.as_file())
                return self._content(found, file, reader.plain_size)
        except StoreUnavailable:
            raise
        except (DecryptionFailed, StoreError):
            found.lacks.append("damaged original")
            return Content()

    def _content(self, found: Found, file: BinaryIO, size: int) -> Content:
        digests = None if found.facts is not None else digest(file)
        try:
            file_type = self._type_of(found, file, size)
            file.seek(0)
            rendered = self._decoder.render(file, size, file_type, sizes=(320,))
        except (UndecodableMedia, UnsupportedType, DecoderUnavailable):
            found.lacks.append("not decoded")
            return Content(digests=digests)
        return Content(file_type, digests, rendered)

    def _type_of(self, found: Found, file: BinaryIO, size: int) -> FileType:
        if found.sidecar is None:
            file.seek(0)
            return probe(file.read(HEAD_BYTES), size)
        public, extension = found.sidecar.public, found.path.stored_name.extension
        return FileType("image", public.mime_type, extension)


def _uploaded_at(found: Found) -> datetime:
    """To the microsecond from the sidecar; a stored name tells milliseconds."""
    if found.facts is not None:
        with suppress(ValueError):
            return datetime.fromisoformat(found.facts.uploaded_at).astimezone(UTC)
    return datetime.fromtimestamp(found.path.stored_name.created_ms / 1000, UTC)


def _card(found: Found, content: Content) -> dict[str, Any]:
    facts, rendered = found.facts, content.rendered
    placeholder = None
    if rendered is not None:
        encoded = base64.b64encode(rendered.placeholder).decode("ascii")
        placeholder = f"data:image/webp;base64,{encoded}"
    return {
        "name": facts.filename if facts else str(found.path.stored_name),
        "width": rendered.width if rendered else facts.width if facts else None,
        "height": rendered.height if rendered else facts.height if facts else None,
        "placeholder": placeholder,
    }


def _meta(found: Found, content: Content) -> dict[str, Any]:
    facts, digests, rendered = found.facts, content.digests, content.rendered
    taken_at = rendered.taken_at if rendered else facts.taken_at if facts else None
    return {
        **_hashes(facts.sha256 if facts else None, facts.md5 if facts else None, digests),
        "taken_at": taken_at,
        "frames": rendered.frames if rendered else 1,
        "exif": rendered.metadata if rendered else {},
        "uploaded_from": facts.uploaded_from if facts else None,
    }


def _hashes(sha256: str | None, md5: str | None, digests: Digests | None) -> dict[str, str]:
    if digests is not None:
        sha256, md5 = digests.sha256.hex(), digests.md5.hex()
    return {"sha256": sha256, "md5": md5} if sha256 and md5 else {}


def sha256_of(row: dict[str, Any]) -> bytes | None:
    """The hash of the content that a row's sealed facts tell."""
    told = (row["meta"] or {}).get("sha256")
    try:
        raw = bytes.fromhex(told) if isinstance(told, str) else b""
    except ValueError:
        return None
    return raw if len(raw) == 32 else None
