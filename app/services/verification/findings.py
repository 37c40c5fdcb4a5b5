"""What can be wrong, in plain words, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

HEAL: Final = "store heal --from BACKUP --image ID"
RECONCILE: Final = "store reconcile --repair"
VAULT: Final = (
    "put the key back from a backup of the vault: store heal --from BACKUP --image ID"
)
REMADE: Final = "nothing: it is made again when it is next asked for"


class Damage(Enum):
    """Every kind that a verification tells apart: a slug, what people read, what helps."""

    # the original of a picture
    BLOB_MISSING = ("blob_missing", "its file is not in the store", HEAL)
    NO_FILE = ("no_file", "a link, folder or pipe lies in the place of its file", HEAL)
    ANOTHERS = ("anothers", "the file of another picture, size or role lies in its place", HEAL)
    HEADER = ("header", "the first 128 bytes of its file were changed", HEAL)
    CUT = ("cut", "its file is shorter than it was", HEAL)
    GROWN = ("grown", "its file is longer than it was", HEAL)
    CHUNK = ("chunk", "bytes of its file were changed", f"{HEAL}, or store salvage")
    ROLLED_BACK = ("rolled_back", "its file is genuine, but older than the database", HEAL)
    UNKNOWN_KEY = ("unknown_key", "its file names a key that the database does not know", HEAL)
    CONTENT = ("content", "its file opens, but is not what was uploaded", HEAL)
    ROW = ("row", "what the database keeps sealed of it does not open", "restore the database")
    UNREADABLE = ("unreadable", "the disk does not give its file out", "look at the disk")
    QUARANTINED = (
        "quarantined",
        "it is set aside, and its file is in order",
        "store verify --image ID lets it out",
    )
    # its keys
    NO_KEY_ROW = ("no_key_row", "the database names no key for it", "restore the database")
    KEY_MISSING = ("key_missing", "its key is not in the vault", VAULT)
    KEY_DISABLED = (
        "key_disabled",
        "its key is disabled in the vault",
        "enable it in the vault",
    )
    KEY_DAMAGED = ("key_damaged", "what the vault holds for it is no key", VAULT)
    KEY_FOREIGN = (
        "key_foreign",
        "the key in the vault is not the one it was sealed with",
        VAULT,
    )
    KEY_EXTRA = (
        "key_extra",
        "the vault has a version of its key that the database does not know",
        "nothing, if a rotation was cut short: it is disabled after a day",
    )
    # what lies beside the original
    SIDECAR_MISSING = ("sidecar_missing", "its sidecar is missing", RECONCILE)
    SIDECAR_DAMAGED = ("sidecar_damaged", "its sidecar was changed", RECONCILE)
    SIDECAR_ANOTHERS = ("sidecar_anothers", "the sidecar of another file lies here", RECONCILE)
    SIDECAR_DIFFERS = (
        "sidecar_differs",
        "its sidecar and the database disagree",
        "find out which is right",
    )
    DERIVATIVE = ("derivative", "it was changed", REMADE)
    RECORD = (
        "record",
        "its record was changed",
        "nothing: it is written again from the database",
    )
    # the rest of the installation
    COLUMN = ("column", "values in the database do not open", "restore the database")
    COUNTS = ("counts", "a counter is not what a count gives", RECONCILE)
    AUDIT = ("audit", "the audit log was changed", "flask audit verify names the place")
    MARKER = (
        "marker",
        "the store is not the one that the database knows",
        "mount the right one",
    )
    TEMPORARY = ("temporary", "something half written was left behind", RECONCILE)
    BLOB_WITHOUT_ROW = (
        "blob_without_row",
        "the database knows nothing of this file",
        "store reconcile --discard destroys it",
    )
    SIDECAR_WITHOUT_BLOB = (
        "sidecar_without_blob",
        "a sidecar without its file",
        "store reconcile --discard",
    )
    KEY_WITHOUT_ROW = (
        "key_without_row",
        "the database knows nothing of this key",
        "store reconcile --discard",
    )
    FOREIGN = ("foreign", "this is no file of Darkroom's", "look at it and move it away")

    @property
    def slug(self) -> str:
        return self.value[0]

    @property
    def words(self) -> str:
        return self.value[1]

    @property
    def cure(self) -> str:
        return self.value[2]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; ``damage`` is None if it is in order.

    ``subject`` is an image's id, a column, a counter or where a thing lies; ``detail`` are
    facts in clear.
    """

    subject: str
    part: str
    damage: Damage | None = None
    detail: str = ""

    @property
    def problem(self) -> str | None:
        """What is wrong, as people read it."""
        if self.damage is None:
            return None
        return f"{self.damage.words} ({self.detail})" if self.detail else self.damage.words

    @property
    def cure(self) -> str | None:
        if self.damage is None:
            return None
        return self.damage.cure.replace(" ID", f" {self.subject}")


class Flawed(Exception):
    """Ends the look at one part; never leaves this package."""

    def __init__(self, damage: Damage, detail: str = "") -> None:
        super().__init__(damage.slug)
        self.damage = damage
        self.detail = detail
