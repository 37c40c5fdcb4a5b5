"""Which class of the collection a name in a data set means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.attribute_types import missing_of, read_attribute_types
from app.domain.ids import new_id
from app.domain.labels import ClassDetails, LabelClass, unknown_names
from app.domain.names import refuse
from app.domain.states import AnnotationState
from app.domain.workflow import SUBMITTED
from app.errors import InvalidInput, Mistake
from app.formats.dataset import Dataset
from app.services.exchange.matching import Match, place_of
from app.services.label_rows import comes_back

MOST_MISTAKES = 50
INCOMPLETE = "A picture that is done needs this. Import it as in progress, or add it."


@dataclass(frozen=True, slots=True)
class ClassChoice:
    """``known``: names of the file to classes here. ``new``: names here that must become
    classes, in order; ``back``: those of them that were taken off the list, and come back;
    ``named``: every name of the file to its name here; ``details``: what the file says of the
    new ones."""

    known: Mapping[str, LabelClass]
    new: tuple[str, ...]
    named: Mapping[str, str]
    mistakes: tuple[Mistake, ...] = ()
    details: Mapping[str, ClassDetails] = field(default_factory=dict)
    back: Mapping[str, LabelClass] = field(default_factory=dict)

    def with_new(self, made: Mapping[str, LabelClass]) -> dict[str, LabelClass]:
        """Every name of the file to its class, the new ones taken from ``made`` by name."""
        return {
            theirs: self.known.get(theirs) or made[ours] for theirs, ours in self.named.items()
        }


def check_mapping(
    classes: Iterable[LabelClass], mapping: Mapping[str, str], *, is_open: bool
) -> None:
    """``InvalidInput`` where a name here is none and may not become one."""
    known = _by_name([label for label in classes if not label.removed])
    if not is_open:
        for n, ours in enumerate(mapping.values(), 1):
            if ours not in known:
                words = (
                    f"Line {n} names no label of this collection, and its labels are closed."
                )
                raise refuse("classes", words)


def choose_classes(
    dataset: Dataset,
    matches: Sequence[Match],
    classes: Iterable[LabelClass],
    mapping: Mapping[str, str],
    *,
    is_open: bool,
) -> ClassChoice:
    """By name, else by alias, after what the person said. ``mistakes`` where the set is
    closed, with the first place of each name."""
    everything = list(classes)
    offered = [label for label in everything if not label.removed]
    by_name = _by_name(offered)
    places = _places(dataset, matches)
    named = {theirs: mapping.get(theirs, theirs) for theirs in places}
    known = {theirs: by_name[ours] for theirs, ours in named.items() if ours in by_name}
    wanted: dict[str, str] = {}
    for theirs, ours in named.items():
        if theirs not in known:
            wanted.setdefault(ours, places[theirs])
    try:
        new = unknown_names(wanted, offered, is_open=is_open)
    except InvalidInput as refusal:
        found = refusal.mistakes or (Mistake("classes", refusal.message),)
        return ClassChoice(known, (), named, found)
    removed = comes_back(everything)
    return ClassChoice(
        known,
        new,
        named,
        details=_details(dataset, named, frozenset(new)),
        back={name: removed[name] for name in new if name in removed},
    )


def _by_name(classes: Sequence[LabelClass]) -> dict[str, LabelClass]:
    """A name goes before an alias."""
    by_alias = {alias: label for label in classes for alias in label.aliases}
    return by_alias | {label.name: label for label in classes}


def _details(
    dataset: Dataset, named: Mapping[str, str], new: frozenset[str]
) -> dict[str, ClassDetails]:
    """Of several classes of the file that become one the first that says something."""
    found: dict[str, ClassDetails] = {}
    for told in dataset.classes:
        ours = named[told.name]
        if ours in new and (told.colour or told.attributes):
            types = read_attribute_types([dict(each) for each in told.attributes])
            found.setdefault(ours, ClassDetails(told.colour, types))
    return found


def incomplete(
    matches: Sequence[Match], choice: ClassChoice, state: AnnotationState | None
) -> tuple[Mistake, ...]:
    """Where a picture would be done (by ``state``, or the file) and lacks what a label here
    needs."""
    return tuple(
        Mistake(f"{place_of(match, n)}.attributes.{name}", INCOMPLETE)
        for match in matches
        if (state or match.picture.state) in SUBMITTED
        for n, item in enumerate(match.picture.items)
        if item.label in choice.known
        for name in missing_of(item.attributes, choice.known[item.label].attributes)
    )[:MOST_MISTAKES]


def stand_ins(choice: ClassChoice) -> dict[str, LabelClass]:
    """Classes that are not made yet, to compare with; what comes back stands for itself."""
    made = {name: LabelClass(new_id(), name, "", None, n) for n, name in enumerate(choice.new)}
    return made | dict(choice.back)


def _places(dataset: Dataset, matches: Sequence[Match]) -> dict[str, str]:
    """Each name with where it stands first: at the classes, or at an annotation."""
    places = {each.name: f"classes[{n}]" for n, each in enumerate(dataset.classes)}
    used = dict(places)
    for match in matches:
        for n, item in enumerate(match.picture.items):
            used.setdefault(item.label, place_of(match, n))
    return used
