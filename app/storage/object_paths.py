"""The names of all objects in the store. Nobody else joins or takes apart a path.

::

    dam/<slug>/<aa>/<stored name>.enc               role 01, the original
    dam/<slug>/<aa>/<stored name>.enc.meta          its sidecar
    dam/<slug>/<aa>/<stored name>.thumb-320.enc     role 02, variant 320
    dam/<slug>/<aa>/<stored name>.preview.enc       role 03
    dam/<slug>/<aa>/<stored name>.frame-120.enc     role 04, variant 120
    dam/<slug>/<aa>/<stored name>.record.enc        role 05
    dam/_directory/directory.record.enc             role 05 of the store itself
    parts/<upload id>/<n>.part                      role 06
    results/<job id>.result                         role 07
    .darkroom-store                                 the marker

``<aa>`` is the first byte of the image id in hex; a stored name is
``<kind>_<unix ms>_<128 random bits in hex>.<extension>`` and never what the user called the
file. The source of the layout is section 3 of the store format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from app.crypto.context import Role
from app.storage.object_names import (
    STORED_NAME,
    StoredName,
    check_key,
    check_slug,
    is_slug,
    new_slug,
    new_stored_name,
    no_such_blob,
)

__all__ = [
    "DIRECTORY_RECORD",
    "IMAGES",
    "RESULTS",
    "ObjectKey",
    "ObjectPath",
    "StoredName",
    "check_key",
    "check_slug",
    "is_slug",
    "new_slug",
    "new_stored_name",
    "parse",
    "parse_url",
    "part_key",
    "result_id",
    "result_key",
]

DIRECTORY_RECORD = "dam/_directory/directory.record.enc"
IMAGES = "dam/"
RESULTS = "results/"
MAX_VARIANT = 2**32 - 1

_OBJECT = re.compile(
    r"dam/(?P<slug>[^/]+)/(?P<aa>[0-9a-f]{2})/(?P<name>" + STORED_NAME + r")"
    r"(?:\.(?:(?P<word>preview|record)|(?P<many>thumb|frame)-(?P<variant>0|[1-9][0-9]{0,9})))?"
    r"\.enc(?P<meta>\.meta)?\Z"
)
_WORDS = {
    "preview": Role.PREVIEW,
    "record": Role.RECORD,
    "thumb": Role.THUMBNAIL,
    "frame": Role.FRAME,
}


@dataclass(frozen=True, slots=True)
class ObjectPath:
    """Where one image lies. It never changes after the upload, even if the image moves."""

    slug: str
    image_id: UUID
    stored_name: StoredName

    def __post_init__(self) -> None:
        if not is_slug(self.slug):
            raise no_such_blob()

    @property
    def base(self) -> str:
        """What the keys of all its blobs begin with; a dot follows in each."""
        return f"dam/{self.slug}/{self.image_id.hex[:2]}/{self.stored_name}"

    @property
    def original(self) -> str:
        return self.base + ".enc"

    @property
    def sidecar(self) -> str:
        return self.base + ".enc.meta"

    @property
    def preview(self) -> str:
        return self.base + ".preview.enc"

    @property
    def record(self) -> str:
        return self.base + ".record.enc"

    def thumbnail(self, size: int) -> str:
        """``size`` is the longest side in pixels, the variant of the blob."""
        return f"{self.base}.thumb-{_variant(size)}.enc"

    def frame(self, number: int) -> str:
        return f"{self.base}.frame-{_variant(number)}.enc"

    def key(self, role: Role, variant: int = 0) -> str:
        """The key of the blob with this role; ``BlobNotFound`` for roles 06 and 07."""
        if role is Role.THUMBNAIL:
            return self.thumbnail(variant)
        if role is Role.FRAME:
            return self.frame(variant)
        plain = {
            Role.ORIGINAL: self.original,
            Role.PREVIEW: self.preview,
            Role.RECORD: self.record,
        }
        if variant or role not in plain:
            raise no_such_blob()
        return plain[role]

    @property
    def url(self) -> str:
        """The address of the original for a browser: the key without ``<aa>``."""
        return f"/dam/{self.slug}/{self.stored_name}.enc"


def _variant(number: int) -> int:
    if not 0 <= number <= MAX_VARIANT:
        raise no_such_blob()
    return number


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """What a key below ``dam/`` says; ``aa`` is the first byte of the image id."""

    slug: str
    aa: int
    stored_name: StoredName
    role: Role
    variant: int
    is_sidecar: bool

    @property
    def base(self) -> str:
        """Equal to :attr:`ObjectPath.base` of the image that the blob belongs to."""
        return f"dam/{self.slug}/{self.aa:02x}/{self.stored_name}"


def parse(key: str) -> ObjectKey:
    """Take the key of an image's blob or sidecar apart; ``BlobNotFound`` if it is none."""
    found = _OBJECT.match(key)
    if found is None or not is_slug(found["slug"]):
        raise no_such_blob()
    word = found["word"] or found["many"]
    if word and found["meta"]:
        raise no_such_blob()
    return ObjectKey(
        slug=found["slug"],
        aa=int(found["aa"], 16),
        stored_name=StoredName.parse(found["name"]),
        role=_WORDS[word] if word else Role.ORIGINAL,
        variant=_variant(int(found["variant"] or 0)),
        is_sidecar=found["meta"] is not None,
    )


def parse_url(slug: str, file_name: str) -> tuple[str, StoredName]:
    """The parts of ``/dam/<slug>/<file name>``: the slug and the stored name."""
    if not is_slug(slug) or not file_name.endswith(".enc"):
        raise no_such_blob()
    return slug, StoredName.parse(file_name.removesuffix(".enc"))


def part_key(upload_id: UUID, number: int) -> str:
    """An upload's sealed part; ``number`` counts from 0."""
    return f"parts/{upload_id}/{_variant(number)}.part"


def result_key(job_id: UUID) -> str:
    return f"{RESULTS}{job_id}.result"


def result_id(key: str) -> str:
    """What a key below ``RESULTS`` says of its job, if it is one of `result_key`."""
    return key.removeprefix(RESULTS).removesuffix(".result")
