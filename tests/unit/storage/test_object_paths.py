"""Names in the store, and text that must not become one."""

from __future__ import annotations

import string
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.crypto.context import Role
from app.errors import BlobNotFound, InvalidInput
from app.storage import object_paths
from app.storage.object_names import MAX_KEY, check_prefix, new_temporary_name
from app.storage.object_paths import ObjectPath, StoredName, check_key, parse

IMAGE = UUID("3f112233-4455-4677-8899-aabbccddeeff")
NAME = StoredName("image", 1625123456789, "00112233445566778899aabbccddeeff", "jpg")
PATH = ObjectPath("c-abc", IMAGE, NAME)
BASE = "dam/c-abc/3f/image_1625123456789_00112233445566778899aabbccddeeff.jpg"

names = st.builds(
    StoredName,
    kind=st.sampled_from(["image", "video"]),
    created_ms=st.integers(0, 10**15),
    bits=st.binary(min_size=16, max_size=16).map(bytes.hex),
    extension=st.sampled_from(["jpg", "mp4", "heic", "webm"]),
)
slugs = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
paths = st.builds(ObjectPath, slug=slugs, image_id=st.uuids(version=4), stored_name=names)


def test_the_layout_is_that_of_the_format() -> None:
    assert PATH.original == BASE + ".enc"
    assert PATH.sidecar == BASE + ".enc.meta"
    assert PATH.thumbnail(320) == BASE + ".thumb-320.enc"
    assert PATH.preview == BASE + ".preview.enc"
    assert PATH.frame(120) == BASE + ".frame-120.enc"
    assert PATH.record == BASE + ".record.enc"
    assert PATH.url == "/dam/c-abc/" + str(NAME) + ".enc"
    upload = UUID(int=7)
    assert object_paths.part_key(upload, 3) == f"parts/{upload}/3.part"
    assert object_paths.result_key(upload) == f"results/{upload}.result"


@given(
    path=paths,
    kind=st.sampled_from([Role.ORIGINAL, Role.PREVIEW, Role.RECORD]),
    variant=st.integers(0, 2**32 - 1),
)
def test_every_key_is_taken_apart_again(path: ObjectPath, kind: Role, variant: int) -> None:
    wanted = [
        (path.key(kind), kind, 0, False),
        (path.sidecar, Role.ORIGINAL, 0, True),
        (path.thumbnail(variant), Role.THUMBNAIL, variant, False),
        (path.frame(variant), Role.FRAME, variant, False),
    ]
    for key, role, number, is_sidecar in wanted:
        parsed = parse(key)
        assert (parsed.role, parsed.variant, parsed.is_sidecar) == (role, number, is_sidecar)
        assert parsed.slug == path.slug
        assert parsed.stored_name == path.stored_name
        assert parsed.aa == path.image_id.bytes[0]
        assert parsed.base == path.base
        assert "/".join(check_key(key)) == key
        assert key.startswith(path.base + ".")


@given(path=paths)
def test_the_url_leads_to_the_stored_name(path: ObjectPath) -> None:
    _, dam, slug, file_name = path.url.split("/")
    assert dam == "dam"
    assert object_paths.parse_url(slug, file_name) == (path.slug, path.stored_name)


def test_new_names_are_random_and_show_the_time() -> None:
    made = {str(object_paths.new_stored_name("image", "jpg", 12345)) for _ in range(1000)}
    assert len(made) == 1000
    for name in made:
        parsed = StoredName.parse(name)
        assert (parsed.kind, parsed.created_ms, parsed.extension) == ("image", 12345, "jpg")
        assert len(bytes.fromhex(parsed.bits)) == 16


def test_new_slugs_are_random_slugs() -> None:
    made = {object_paths.new_slug() for _ in range(1000)}
    assert len(made) == 1000
    for slug in made:
        assert object_paths.is_slug(slug)
        assert slug.startswith("c-")
        assert len(slug) == 12


@pytest.mark.parametrize("slug", ["a", "holiday-2026", "9", "a" * 63, "c-" + "2" * 10])
def test_typed_slugs(slug: str) -> None:
    assert object_paths.check_slug(slug) == slug


@pytest.mark.parametrize(
    "slug",
    ["", "A", "-a", "a-", "a_b", "_directory", "a/b", "..", "a.b", "a\n", "a" * 64, "ü", "a b"],
)
def test_what_is_no_slug(slug: str) -> None:
    assert not object_paths.is_slug(slug)
    with pytest.raises(InvalidInput):
        object_paths.check_slug(slug)
    with pytest.raises(BlobNotFound):
        ObjectPath(slug, IMAGE, NAME)
    with pytest.raises(BlobNotFound):
        object_paths.parse_url(slug, str(NAME) + ".enc")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "image_1_2.jpg",
        str(NAME) + ".enc",
        str(NAME).upper(),
        str(NAME) + "\n",
        str(NAME).replace("1625", "01625"),
        "../" + str(NAME),
        "ima/ge" + str(NAME)[5:],
        "image_-1" + str(NAME)[19:],
        str(NAME) + "/x",
        str(NAME) + "\0",
        "image_٣" + str(NAME)[7:],
    ],
)
def test_what_is_no_stored_name(name: str) -> None:
    with pytest.raises(BlobNotFound):
        StoredName.parse(name)
    with pytest.raises(BlobNotFound):
        object_paths.parse_url("c-abc", name + ".enc")
    with pytest.raises(BlobNotFound):
        parse(f"dam/c-abc/3f/{name}.enc")


@pytest.mark.parametrize(("kind", "extension"), [("", "jpg"), ("a/b", "jpg"), ("image", "j/g")])
def test_a_stored_name_cannot_be_made_of_a_path(kind: str, extension: str) -> None:
    with pytest.raises(BlobNotFound):
        object_paths.new_stored_name(kind, extension, 1)


@pytest.mark.parametrize(
    "key",
    [
        BASE,
        BASE + ".enc.meta.meta",
        BASE + ".thumb.enc",
        BASE + ".thumb-.enc",
        BASE + ".thumb-0320.enc",
        BASE + ".thumb-4294967296.enc",
        BASE + ".thumb-320.enc.meta",
        BASE + ".preview-1.enc",
        BASE + ".unknown.enc",
        BASE + ".enc\n",
        "x" + BASE + ".enc",
        "/" + BASE + ".enc",
        BASE.replace("/3f/", "/3F/") + ".enc",
        BASE.replace("/3f/", "/") + ".enc",
        BASE.replace("c-abc", "..") + ".enc",
        BASE.replace("c-abc", "_directory") + ".enc",
        object_paths.DIRECTORY_RECORD,
        "",
    ],
)
def test_what_is_no_key_of_an_image(key: str) -> None:
    with pytest.raises(BlobNotFound):
        parse(key)


@pytest.mark.parametrize(
    ("role", "variant"),
    [
        (Role.ORIGINAL, 1),
        (Role.PREVIEW, 1),
        (Role.UPLOAD_PART, 0),
        (Role.JOB_RESULT, 0),
        (Role.THUMBNAIL, -1),
        (Role.FRAME, 2**32),
    ],
)
def test_roles_without_a_place_beside_the_image(role: Role, variant: int) -> None:
    with pytest.raises(BlobNotFound):
        PATH.key(role, variant)


ALLOWED = set(string.ascii_letters + string.digits + "._-/")


@given(key=st.one_of(st.text(), st.text(alphabet="ab./\\\0-_ ~", max_size=12)))
def test_an_accepted_key_means_nothing_to_a_file_system(key: str) -> None:
    try:
        names = check_key(key)
    except BlobNotFound:
        return
    assert "/".join(names) == key
    assert set(key) <= ALLOWED
    assert not key.startswith("/")
    for name in names:
        assert name not in {"", ".", ".."}
        assert not name.startswith(".") or name.startswith(".tmp-")
        assert len(name) <= 255
    assert len(key) <= MAX_KEY


def test_the_marker_and_temporary_files_have_keys() -> None:
    assert check_key(".darkroom-store") == (".darkroom-store",)
    temporary = new_temporary_name()
    assert check_key("dam/" + temporary) == ("dam", temporary)
    with pytest.raises(BlobNotFound):
        check_key("dam/.darkroom-store")


@given(key=paths.map(lambda path: path.original), cut=st.integers(0, 100))
def test_every_start_of_a_key_is_a_prefix(key: str, cut: int) -> None:
    folder, start = check_prefix(key[:cut])
    assert "/".join((*folder, start)) == key[:cut]


def test_an_address_belongs_to_one_image() -> None:
    other = ObjectPath("c-abc", uuid4(), NAME)
    assert (other.original == PATH.original) == (other.image_id.bytes[0] == 0x3F)
