"""Sample view-models, shaped as app/templates/README.md says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from types import SimpleNamespace as Model
from uuid import UUID

from tests.browser.harness import pictures

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=UTC)
PAGE = 60
MANY = 240
TROUBLE = {
    "quarantined": "The stored file has changed since it was sealed. It is not shown.",
    "error": "The previews could not be made. The original is safe.",
}
PALETTE = (
    ("#e69f00", "amber"), ("#56b4e9", "sky"), ("#009e73", "green"), ("#f0e442", "yellow"),
    ("#0072b2", "blue"), ("#d55e00", "vermilion"), ("#cc79a7", "orchid"), ("#ffffff", "white"),
    ("#882255", "wine"), ("#44aa99", "teal"), ("#ddcc77", "sand"), ("#332288", "indigo"),
    ("#cc6677", "rose"), ("#88ccee", "ice"), ("#117733", "forest"), ("#aa4499", "purple"),
    ("#999933", "olive"), ("#bbbbbb", "silver"), ("#661100", "chestnut"), ("#aaff80", "lime"),
)  # fmt: skip
COLLECTIONS = (
    Model(slug="c-k3v9t2xw7q", name="Mine"),
    Model(slug="orchard-survey", name="Orchard survey 2026"),
    Model(slug="c-b8d1m5z0ra", name="Harbour at night"),
)
ROLES = (
    ("viewer", "sees the pictures"),
    ("annotator", "draws boxes"),
    ("reviewer", "accepts or sends back"),
    ("editor", "adds and removes pictures"),
    ("owner", "decides everything"),
)


def id_of(index: int) -> UUID:
    return UUID(int=(0x5AFE << 112) | (4 << 76) | (8 << 60) | index)


def index_of(image_id: UUID) -> int:
    return image_id.int & 0xFFFFFF


def taken(index: int) -> datetime:
    """Uneven gaps: a few a day, then days without any."""
    return NOW - timedelta(hours=5 * index + 31 * (index // 9) + 90 * (index // 25))


def tile(index: int) -> Model:
    width, height = pictures.shape_of(index)
    status = {7: "processing", 16: "quarantined", 23: "error"}.get(index, "ready")
    states = ("new", "new", "done", "new", "in_progress", "new", "new", "accepted")
    state = states[index % 8]
    return Model(
        id=id_of(index),
        name=f"DSC_{4821 - index}.jpg" if index % 5 else f"Walk along the ridge {index}.jpeg",
        width=width,
        height=height,
        placeholder=pictures.placeholder(index),
        size=2_400_000 + (index * 7919 % 53) * 61_000,
        at=taken(index),
        status=status,
        state=state,
        boxes=0 if state == "new" else 3 + index % 9,
        leaves_at=NOW + timedelta(days=3) if index == 4 else None,
        trashed_at=NOW - timedelta(days=index % 12, hours=2),
        destroyed_at=NOW + timedelta(days=30 - index % 12),
        days_left=30 - index % 12,
    )


def months(start: int, stop: int) -> tuple[Model, ...]:
    counts = {key: count for key, _, count in month_counts()}
    found = []
    for key, group in groupby(
        map(tile, range(start, stop)), key=lambda t: t.at.strftime("%Y-%m")
    ):
        tiles = tuple(group)
        title = tiles[0].at.strftime("%B %Y")
        found.append(Model(key=key, title=title, count=counts[key], tiles=tiles))
    return tuple(found)


def month_counts() -> list[tuple[str, str, int]]:
    moments = [taken(i) for i in range(MANY)]
    return [
        (
            key,
            next(group).strftime("%B %Y"),
            sum(m.strftime("%Y-%m") == key for m in moments),
        )
        for key, group in groupby(moments, key=lambda m: m.strftime("%Y-%m"))
    ]


def picture(index: int) -> Model:
    one = tile(index)
    return Model(
        **vars(one),
        content_type="image/jpeg",
        status_detail=TROUBLE.get(one.status),
        uploaded_at=one.at,
        taken_at="2026-10-04T17:42:10",
        uploaded_by="Ada Lindqvist",
        collection=COLLECTIONS[1],
        tags=(
            Model(name="orchard", url="/gallery?tag=orchard"),
            Model(name="evening light", url=None),
        ),
        suggested_tags=("orchard", "evening light", "row 12", "blossom", "frost"),
        facts=(
            ("Camera", "Nikon Z6 II"),
            ("Lens", "NIKKOR Z 24-70 mm f/4 S"),
            ("Exposure", "1/250 s at f/5.6, ISO 200"),
            ("Focal length", "35 mm"),
        ),
        labels=(
            Model(name="apple", colour="#e69f00", count=7),
            Model(name="leaf damage", colour="#56b4e9", count=2),
        ),
        seal=Model(
            algorithm="AES-256-GCM",
            generation=2,
            key_changed_at=NOW - timedelta(days=11),
            key_due_at=NOW + timedelta(days=19),
            vault="local vault",
            views=(
                Model(name="Ada Lindqvist", at=NOW - timedelta(minutes=4)),
                Model(name="Tomás Herrera", at=NOW - timedelta(days=3)),
            ),
        ),
        original_displays=True,
        kept_until=NOW + timedelta(days=40),
        can_edit=True,
        can_annotate=True,
        can_trash=True,
        can_restore=True,
        can_download=True,
    )


def class_id(order: int) -> str:
    return str(UUID(int=order + 1))


def boxes(count: int, width: int, height: int) -> list[dict[str, object]]:
    names = ("apple", "apple", "leaf damage", "trunk")
    across = max(1, round(count**0.5))
    cell_w, cell_h = width / across, height / max(1, -(-count // across))
    return [
        {
            "id": str(UUID(int=(0xB0 << 112) | (4 << 76) | (8 << 60) | i)),
            "rev": 1,
            "label": names[i % 4],
            "label_id": str(
                UUID(int=("apple", "leaf damage", "trunk").index(names[i % 4]) + 1)
            ),
            "box": {
                "x": round((i % across + 0.15) * cell_w, 1),
                "y": round((i // across + 0.2) * cell_h, 1),
                "w": round(cell_w * (0.35 + 0.1 * (i % 4)), 1),
                "h": round(cell_h * (0.3 + 0.12 * (i % 3)), 1),
            },
            "frame": 0,
            "attributes": [],
        }
        for i in range(count)
    ]


LABELS = [
    {
        "id": class_id(i),
        "name": name,
        "colour": colour,
        "hotkey": str(i + 1),
        "order": i,
        "attributes": [],
    }
    for i, (name, colour) in enumerate(
        (
            ("apple", "#e69f00"),
            ("leaf damage", "#56b4e9"),
            ("trunk", "#009e73"),
            ("ladder", "#cc79a7"),
        )
    )
]


def collection_cards() -> tuple[Model, ...]:
    words = (
        "",
        "Every tree of the east slope, spring to harvest.",
        "Long exposures from the mole.",
    )
    return tuple(
        Model(
            slug=one.slug,
            name=one.name,
            description=words[i],
            role=("owner", "editor", "viewer")[i],
            pictures=(84, 1312, 0)[i],
            members=(1, 6, 2)[i],
            is_private=i == 0,
            covers=tuple(tile(i * 11 + k) for k in range(4)) if i < 2 else (),
        )
        for i, one in enumerate(COLLECTIONS)
    )


def collection_page(slug: str) -> Model:
    one = next(c for c in COLLECTIONS if c.slug == slug)
    people = (
        ("Ada Lindqvist", "ada@example.org", "owner", True),
        ("Tomás Herrera", "tomas@example.org", "editor", False),
        ("Mei Watanabe", "mei@example.org", "annotator", False),
    )
    return Model(
        slug=slug,
        name=one.name,
        description="Every tree of the east slope, spring to harvest.",
        role="owner",
        pictures=1312,
        is_private=slug == COLLECTIONS[0].slug,
        label_set_open=True,
        is_indexed=False,
        progress=Model(new=790, in_progress=112, done=410),
        members=tuple(
            Model(id=id_of(i), name=n, email=e, role=r, is_you=y)
            for i, (n, e, r, y) in enumerate(people)
        ),
        labels=tuple(
            Model(
                id=UUID(label["id"]),
                name=label["name"],
                colour=label["colour"],
                hotkey=label["hotkey"],
                boxes=None,
                can_remove=True,
            )
            for label in LABELS
        ),
        covers=tuple(tile(11 + k) for k in range(6)),
        can_edit=True,
        can_manage_members=slug != COLLECTIONS[0].slug,
        can_remove=False,
        can_take_tasks=True,
        can_lead=True,
        can_edit_labels=True,
        can_exchange=True,
    )
