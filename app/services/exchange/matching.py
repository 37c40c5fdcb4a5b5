"""Which picture a data set means by a file name: always by name, never by order."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import takewhile
from uuid import UUID

from app.domain.filenames import clean_filename
from app.domain.ids import read_id
from app.formats.dataset import Picture
from app.formats.losses import Ledger, LossCode
from app.services.exchange.pictures_known import Known


@dataclass(frozen=True, slots=True)
class Meant:
    """A picture of the collection, or one of the archive that is not stored yet (``id``
    None); ``width`` and ``height`` as it is shown, ``entry`` its path in the archive.

    ``twin``: an earlier path there with the same bytes, which is stored in its place.
    """

    id: UUID | None
    width: int
    height: int
    entry: str | None = None
    twin: str | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether an import stores it."""
        return self.id is None and self.twin is None


class Sure(IntEnum):
    """How a name led to a picture; of two names for one picture the surer is right."""

    PATH = 0  # the whole path, the name of an earlier import, the id
    NAME = 1  # the whole name that the picture has here
    LAST = 2  # the last part of a path alone


@dataclass(frozen=True, slots=True)
class Match:
    """``place``: of the picture in the data set."""

    place: int
    picture: Picture
    meant: Meant
    sure: Sure = Sure.PATH


def place_of(match: Match, item: int) -> str:
    """Where an annotation stands, in words for a person: files differ in how they count."""
    return f"{match.picture.file_name}: annotation {item + 1}"


class PictureIndex:
    """``stored``: pictures of the archive by their paths. ``noted``: pictures by the file
    names under which an earlier import of the same format knew them."""

    def __init__(
        self,
        known: Iterable[Known],
        stored: Mapping[str, Meant],
        noted: Mapping[str, UUID],
    ) -> None:
        self._by_id = {each.id: Meant(each.id, each.width, each.height) for each in known}
        self._stored = stored
        self._noted = noted
        self._names: dict[str, list[Meant]] = {}
        self._stored_names: dict[str, list[Meant]] = {}
        for path, meant in stored.items():
            self._stored_names.setdefault(_last(path), []).append(meant)

    def name(self, known: Iterable[Known]) -> None:
        """Learn under which names people see the pictures of the collection."""
        for each in known:
            self._names.setdefault(each.name, []).append(self._by_id[each.id])

    def named(self) -> dict[str, Meant]:
        """Every picture whose size is known, by every name that means it alone. The archive's
        win, also over names elsewhere with the same last part, unless that last part tells
        them not apart."""
        told: dict[str, Meant] = {
            name: meant[0] for name, meant in self._names.items() if len(meant) == 1
        }
        told = {n: m for n, m in told.items() if _last(n) not in self._stored_names}
        for name, image_id in self._noted.items():
            if image_id in self._by_id and len(self._stored_names.get(_last(name), ())) != 1:
                told[name] = self._by_id[image_id]
        told |= self._stored
        return {name: meant for name, meant in told.items() if meant.width}

    def find(self, file_name: str) -> tuple[Sequence[Meant], Sure]:
        """Who may be meant: one, nobody, or several; and how that is known."""
        exact = self._exactly(file_name)
        if exact is not None:
            return (exact,), Sure.PATH
        last = _last(file_name)
        if found := self._stored_names.get(last):
            return _closest(file_name, found), Sure.LAST
        return self._names.get(last, ()), Sure.NAME if file_name == last else Sure.LAST

    def _exactly(self, file_name: str) -> Meant | None:
        path = file_name.replace("\\", "/")
        if path in self._stored:
            return self._stored[path]
        noted = self._noted.get(file_name)
        if noted in self._by_id and noted is not None:
            return self._by_id[noted]
        id_ = read_id(_last(path).rpartition(".")[0] or _last(path))
        return self._by_id.get(id_) if id_ is not None else None


def match_pictures(
    pictures: Sequence[Picture], index: PictureIndex, ledger: Ledger
) -> tuple[Match, ...]:
    """Each picture of the data set with the one that it means; the rest as losses.

    Where two of the data set mean one picture, that one is taken whose name leads to it most
    surely. Where two are as sure, neither is: nobody can say which. Of files of the archive
    with the same bytes the first is.
    """
    found: list[Match] = []
    for place, picture in enumerate(pictures):
        meant, sure = index.find(picture.file_name)
        if len(meant) == 1:
            found.append(Match(place, picture, meant[0], sure))
        else:
            _tell(
                LossCode.AMBIGUOUS_NAME if meant else LossCode.MISSING_PICTURE, picture, ledger
            )
    clear = _claimed(found, ledger)
    sizes = Ledger()
    for match in clear:
        _compare_sizes(match, sizes)
    told = {loss.code for loss in ledger.losses}  # by the format, with better places
    for loss in sizes.losses:
        if loss.code not in told:
            ledger.add(loss.code, loss.place, loss.count)
    return clear


def _claimed(found: Sequence[Match], ledger: Ledger) -> tuple[Match, ...]:
    """Those that alone lead to their picture most surely; the others are told."""
    surest: dict[Hashable, Sure] = {}
    for match in found:
        key = picture_mark(match.meant)
        surest[key] = min(match.sure, surest.get(key, match.sure))
    claims: dict[Hashable, list[Match]] = {}
    for match in found:
        if match.sure is surest[picture_mark(match.meant)]:
            claims.setdefault(picture_mark(match.meant), []).append(match)
    clear = []
    for match in found:
        best = claims[picture_mark(match.meant)]
        if match.sure is not best[0].sure:
            _tell(LossCode.MISSING_PICTURE, match.picture, ledger)
        elif len(best) == 1 or (match is best[0] and _are_twins(best)):
            clear.append(match)
        else:
            code = LossCode.SAME_PICTURE if _are_twins(best) else LossCode.AMBIGUOUS_NAME
            _tell(code, match.picture, ledger)
    return tuple(clear)


def _are_twins(matches: Sequence[Match]) -> bool:
    """Whether each is a file of its own in the archive: they have one picture in common."""
    entries = {match.meant.entry for match in matches} - {None}
    return len(entries) == len(matches)


def _compare_sizes(match: Match, ledger: Ledger) -> None:
    picture, meant = match.picture, match.meant
    told = (picture.width, picture.height)
    if None in told or not meant.width or told == (meant.width, meant.height):
        return
    swapped = told == (meant.height, meant.width)
    code = LossCode.SIZE_SWAPPED if swapped else LossCode.SIZE_DIFFERS
    ledger.add(code, picture.file_name)


def _tell(code: LossCode, picture: Picture, ledger: Ledger) -> None:
    """A picture without annotations is missed too: that it was empty was said."""
    ledger.add(code, picture.file_name, count=max(1, len(picture.items)))


def _closest(file_name: str, found: Sequence[Meant]) -> Sequence[Meant]:
    """Those that have most folders in common with the name, from its end."""
    shared = [_shared(meant.entry or "", file_name) for meant in found]
    best = max(shared)
    return [meant for meant, count in zip(found, shared, strict=True) if count == best]


def _shared(path: str, name: str) -> int:
    pairs = zip(reversed(path.split("/")), reversed(name.split("/")), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def picture_mark(meant: Meant) -> Hashable:
    """Equal for two names of one picture."""
    return meant.id or meant.twin or meant.entry


def _last(path: str) -> str:
    return clean_filename(path)
