"""Pictures as the API tells and takes them."""

from __future__ import annotations

from app.blueprints.api.v1.shapes import (
    Schema,
    boolean,
    items,
    moment,
    nullable,
    one_of,
    record,
    ref,
    text,
    uuid,
    whole,
)
from app.domain.media_kinds import MediaKind
from app.domain.states import AnnotationState, ImageStatus

SHOWN_STATUSES = [status for status in ImageStatus if status is not ImageStatus.DESTROYED]

_CARD: dict[str, Schema] = {
    "id": uuid(),
    "original_name": nullable(text("null where the sealed name does not open")),
    "content_type": text("told by content, never by name"),
    "kind": one_of(MediaKind),
    "size": whole("bytes"),
    "dimensions": record("pixels, upright", width=whole(), height=whole()),
    "status": one_of(SHOWN_STATUSES),
    "annotation_state": one_of(AnnotationState),
    "annotation_count": whole(),
    "is_public": boolean("any signed-in account that knows the address may see it"),
    "uploaded_at": moment(),
    "sort_at": moment("when it was uploaded, or taken where the time line is by capture"),
    "updated_at": moment(),
    "expires_at": nullable(moment()),
    "trashed_at": nullable(moment()),
    "destroyed_at": nullable(moment("when a picture in the trash will be destroyed")),
}
_DETAIL: dict[str, Schema] = {
    "url": text("signed: shows the original without a session until it expires", format="uri"),
    "path": nullable(text("the address that the store uses; null for who is no member")),
    "collection": nullable(text("slug; null for who is no member")),
    "tags": items(text()),
    "checksums": record("of the plaintext", md5=nullable(text()), sha256=nullable(text())),
    "taken_at": nullable(text("the camera's clock, without a zone")),
    "frames": nullable(whole()),
    "metadata": {"type": "object", "description": "EXIF and the like, as it was found"},
    "uploaded_from": nullable(text("address")),
    "uploaded_by": nullable(text("name")),
    "annotation_revision": whole(),
    "access": record(is_public=boolean(), expires_at=nullable(moment())),
    "key": nullable(
        record(
            "the key that seals it",
            generation=whole(),
            changed_at=moment(),
            due_at=nullable(moment("when it will be changed")),
        )
    ),
}

SCHEMAS: dict[str, Schema] = {
    "Image": record(**_CARD),
    "ImageDetail": record(**_CARD, **_DETAIL),
    "ImagePage": record(images=items(ref("Image")), pagination=ref("Pagination")),
    "Pagination": record(
        limit=whole(),
        total=nullable(
            whole("null unless asked for with total=1, and where all had to be opened for it")
        ),
        next_cursor=nullable(text("null on the last page")),
        looked_at=nullable(whole("pictures opened for this page, with more to go; else null")),
    ),
    "Removal": record(
        id=uuid(),
        status=one_of([ImageStatus.TRASHED, ImageStatus.DESTROYED]),
        destroyed_at=nullable(moment("when the key is, or will be, shredded")),
        receipt=nullable(ref("Receipt")),
    ),
    "Receipt": record(
        "of a destruction; its id is that of the event in the audit log",
        id=uuid(),
        image_id=uuid(),
        destroyed_at=moment(),
        files=whole("sealed files that were removed"),
        keys=whole("versions of its key that were destroyed"),
        horizons=items(
            record(
                "a place where something of it could be left",
                place=text("requests, memory, vault, backups or database"),
                until=nullable(moment("null: it depends on what people do, as `words` say")),
                words=text(),
            )
        ),
    ),
    "StoredImage": record(
        id=uuid(),
        original_name=text(),
        url=text("signed", format="uri"),
        size=whole("bytes"),
        content_type=text(),
        width=whole(),
        height=whole(),
        duplicate=boolean("the collection had this file already"),
    ),
    "RefusedFile": record(file=text("its name"), code=text(), message=text()),
    "UploadResult": record(images=items(ref("StoredImage")), errors=items(ref("RefusedFile"))),
    "UploadForm": {
        "type": "object",
        "required": ["files"],
        "properties": {
            "files": items(
                {"type": "string", "contentMediaType": "application/octet-stream"},
                minItems=1,
            ),
            "collection": text("slug; left out: your own private collection"),
            "tags": items(text("may hold several, parted by commas")),
            "is_public": boolean(),
            "expires_at": moment("in the future"),
        },
    },
    "UploadLimits": record(
        max_size=whole("bytes of one file"),
        max_files=whole(),
        max_pixels=whole(),
        accepted_types=items(text()),
        quota=record(left=nullable(whole("bytes; null: no limit"))),
        rate=text("such as 10 per minute"),
        rate_left=whole("uploads that the caller may send now"),
    ),
}
