"""An uploaded data set beside a collection: parsed, matched, and what would come of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final
from uuid import UUID

from app.domain.access import Action, Actor, allows
from app.domain.labels import LabelClass
from app.domain.names import refuse
from app.errors import Mistake
from app.formats.dataset import Dataset, Format, Options, Parsed
from app.formats.losses import Ledger, LossCode
from app.jobs.watch import Watch
from app.services.collection_access import CollectionAccess, require_collection
from app.services.exchange.archive import Upload
from app.services.exchange.archive_limits import USUAL, ArchiveLimits
from app.services.exchange.catalogue import detect, format_named, wanted_by
from app.services.exchange.classes import ClassChoice, choose_classes, incomplete
from app.services.exchange.manifest import (
    MANIFEST,
    crops_in_manifest,
    hashes_in_manifest,
    pictures_in_manifest,
    task_in_manifest,
)
from app.services.exchange.matching import (
    Match,
    Meant,
    PictureIndex,
    match_pictures,
    picture_mark,
)
from app.services.exchange.notes import Notes, read_notes
from app.services.exchange.options import ImportOptions
from app.services.exchange.pictures_known import pictures_of
from app.services.label_rows import all_classes, living
from app.services.schema_rows import version_of

if TYPE_CHECKING:
    from app.db.session import UnitOfWork
    from app.services.exchange.stored_pictures import Ours, StoredPictures

MOST_PICTURES: Final = 50_000
MOST_ITEMS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """``stored``: pictures of the archive, by path. ``version``: of the labels, as they were.
    ``mistakes``: why nothing can be done."""

    access: CollectionAccess
    format: Format
    dataset: Dataset
    matches: tuple[Match, ...]
    classes: ClassChoice
    ledger: Ledger
    notes: Notes
    stored: Mapping[str, Meant]
    version: int
    mistakes: tuple[Mistake, ...] = ()
    documents: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads data sets for one installation; ``folder`` is where large pictures are sealed
    while they are read."""

    uow: UnitOfWork
    pictures: StoredPictures
    folder: Path
    limits: ArchiveLimits = field(default=USUAL)

    def open(self, file: BinaryIO, name: str) -> Upload:
        """``InvalidInput``, ``FileTooLarge``."""
        return Upload(file, name, self.folder, self.limits)

    def read(
        self, actor: Actor, slug: str, upload: Upload, options: ImportOptions, watch: Watch
    ) -> Reading:
        """Raises ``InvalidInput`` with the places in the documents; ``NotFound``,
        ``NotPermitted``, ``QuotaExceeded``."""
        with self.uow.read_rows() as connection:
            access = require_collection(connection, actor, Action.IMPORT, slug)
        _leave_crops(upload)
        documents = _Without(upload.documents, MANIFEST)
        format_, wanted = _wanted(documents, options)
        ledger = Ledger()
        _note_ignored(upload, len(documents) - len(wanted), ledger)
        stored = self._stored(actor, access, upload, options, ledger, watch)
        with self.uow.read_rows() as connection:
            notes = read_notes(connection, access.id, format_.NAME)
            version = version_of(connection, access.id)
            classes = all_classes(connection, access.id)
        ours = _in_manifest(upload)
        index = self._index(access.id, stored, notes.file_names | ours)
        files = {name: documents[name] for name in wanted}
        parsed = format_.parse(files, _beside(index, classes, options, upload))
        dataset = _checked(parsed, format_, ours, ledger)
        matches = match_pictures(dataset.pictures, index, ledger)
        is_open, mapping = not access.labels_closed, options.classes
        choice = choose_classes(dataset, matches, classes.values(), mapping, is_open=is_open)
        return Reading(
            access=access,
            format=format_,
            dataset=dataset,
            matches=matches,
            classes=choice,
            ledger=ledger,
            notes=notes,
            stored=stored,
            version=version,
            mistakes=choice.mistakes or incomplete(matches, choice, options.state),
            documents=len(wanted),
        )

    def _stored(
        self,
        actor: Actor,
        access: CollectionAccess,
        upload: Upload,
        options: ImportOptions,
        ledger: Ledger,
        watch: Watch,
    ) -> dict[str, Meant]:
        if not upload.pictures:
            return {}
        ours = self._ours(access.id, upload)
        if not options.images or not allows(actor, Action.UPLOAD, access.facts):
            # What we made of pictures that are still here is nothing to be stored.
            for path in upload.pictures:
                if not self.pictures.is_ours(upload, path, ours):
                    ledger.add(LossCode.PICTURES_LEFT, path)
            return {}
        return self.pictures.look_at(actor, access.slug, upload, ours, ledger, watch)

    def _ours(self, collection_id: UUID, upload: Upload) -> Ours:
        """What our own manifest tells of pictures that are in the collection still."""
        if MANIFEST not in upload.documents:
            return {}
        known = {each.id: each for each in pictures_of(self.uow, collection_id)}
        told = hashes_in_manifest(upload.documents[MANIFEST])
        return {
            path: (Meant(id_, known[id_].width, known[id_].height), hashed)
            for path, (id_, hashed) in told.items()
            if id_ in known
        }

    def _index(
        self,
        collection_id: UUID,
        stored: Mapping[str, Meant],
        named: Mapping[str, UUID],
    ) -> PictureIndex:
        known = tuple(pictures_of(self.uow, collection_id))
        index = PictureIndex(known, stored, named)
        index.name(known)
        return index


class _Without(Mapping[str, bytes]):
    """Documents but one of ours."""

    def __init__(self, documents: Mapping[str, bytes], name: str) -> None:
        self._documents = documents
        self._name = name

    def __getitem__(self, name: str) -> bytes:
        if name == self._name:
            raise KeyError(name)
        return self._documents[name]

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._documents if name != self._name)

    def __len__(self) -> int:
        return len(self._documents) - (self._name in self._documents)


def _leave_crops(upload: Upload) -> None:
    """What an export cut out of its pictures, and the table of that, is no data set."""
    if MANIFEST in upload.documents and (
        folder := crops_in_manifest(upload.documents[MANIFEST])
    ):
        upload.leave_out(folder)


def _wanted(
    documents: Mapping[str, bytes], options: ImportOptions
) -> tuple[Format, tuple[str, ...]]:
    """The format, and the documents that it reads; ``InvalidInput`` where there are none."""
    format_ = format_named(options.format) if options.format else detect(documents)
    wanted = wanted_by(format_, documents)
    if not wanted:
        raise refuse("format", f"There is no file here that {format_.WORDS} would have.")
    return format_, wanted


def _in_manifest(upload: Upload) -> dict[str, UUID]:
    there = MANIFEST in upload.documents
    return pictures_in_manifest(upload.documents[MANIFEST]) if there else {}


def _beside(
    index: PictureIndex,
    classes: Mapping[UUID, LabelClass],
    options: ImportOptions,
    upload: Upload,
) -> Options:
    named, is_ours = index.named(), MANIFEST in upload.documents
    told = task_in_manifest(upload.documents[MANIFEST]) if is_ours else None
    return Options(
        sizes={name: (meant.width, meant.height) for name, meant in named.items()},
        classes={label.number: label.name for label in living(classes)},
        origin=options.origin,
        task=options.task or told,
        same={name: picture_mark(meant) for name, meant in named.items()},
    )


def _checked(
    parsed: Parsed, format_: Format, ours: Mapping[str, UUID], ledger: Ledger
) -> Dataset:
    """``InvalidInput`` for too much. That pictures have one name is nothing to look at where
    our own manifest tells each of them."""
    _check_size(parsed.dataset)
    is_told = all(picture.file_name in ours for picture in parsed.dataset.pictures)
    for loss in parsed.losses:
        if loss.code is not LossCode.DUPLICATE_NAMES or not is_told:
            ledger.add(loss.code, loss.place, loss.count)
    return replace(parsed.dataset, source=format_.NAME)


def _note_ignored(upload: Upload, unread: int, ledger: Ledger) -> None:
    count = len(upload.ignored) + unread
    if count:
        ledger.add(LossCode.FILES_IGNORED, next(iter(upload.ignored), ""), count)


def _check_size(dataset: Dataset) -> None:
    items = sum(len(picture.items) for picture in dataset.pictures)
    if len(dataset.pictures) > MOST_PICTURES or items > MOST_ITEMS:
        raise refuse(
            "archive",
            f"One import has at most {MOST_PICTURES:,} pictures and {MOST_ITEMS:,} annotations:"
            " part it into several.",
        )
