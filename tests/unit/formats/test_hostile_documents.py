"""Every format against documents that mean harm: refused with a place, or read; never more."""

from __future__ import annotations

import copy
import json
import random
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.formats import json_text, reading
from app.formats.dataset import Format, Options, Parsed
from app.formats.registry import FORMATS
from tests.unit.formats import (
    test_coco,
    test_csv,
    test_cvat,
    test_labelme,
    test_labelstudio,
    test_voc,
    test_yolo,
)
from tests.unit.formats.data_sets import damaged, only_refused

Files = dict[str, bytes]


def raw(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


SEEDS: dict[str, list[Files]] = {
    "coco": [{"a.json": raw(test_coco.OFFICIAL)}, {"a.json": raw(test_coco.CVAT)}],
    "yolo": [test_yolo.ULTRALYTICS, test_yolo.OBB],
    "voc": [{"a.xml": test_voc.VOC2007.encode()}, {"a.xml": test_voc.CVAT.encode()}],
    "labelme": [
        {"a.json": raw(test_labelme.LABELME)},
        {"x/a.json": raw(test_labelme.ANYLABELING)},
    ],
    "labelstudio": [
        {"a.json": raw(test_labelstudio.EXPORT)},
        {"a.json": raw(test_labelstudio.MIN)},
    ],
    "cvat": [{"a.xml": test_cvat.TASK.encode()}, {"a.xml": test_cvat.OTHER.encode()}],
    "csv": [{"a.csv": test_csv.OWN}, {"a.csv": test_csv.EXCEL}],
}
JSON = ("coco", "labelme", "labelstudio")
XML = ("voc", "cvat")
SIZES = Options(sizes={"P1.jpg": (640, 480), "000000000009.jpg": (640, 480)})

WEIRD_TEXTS = (
    "", " ", "nan", "-inf", "1e999", "-1", "0", "1e308", "9" * 400, "x" * 300, "../../a.jpg",
    "/etc/passwd", "C:\\a\\b.jpg", "a\\..\\b.jpg", "\u202egpj.a", "true", "a;b,c", "1,2;3",
)  # fmt: skip
WEIRD: tuple[Any, ...] = (
    *WEIRD_TEXTS, None, True, False, -1, 0, 1, 1e308, -1e-320, 10**30, [], {}, [[]], [None],
    [1, 2, 3], {"x": 1}, {"id": []}, [["a"], 1],
)  # fmt: skip
_TOKEN = re.compile(rb'"[^"\n]*"|[^\s,"<>=:{}\[\]]+')


def test_every_format_is_tried() -> None:
    assert SEEDS.keys() == FORMATS.keys()


@pytest.mark.parametrize("name", SEEDS)
def test_the_seeds_are_read(name: str) -> None:
    for files in SEEDS[name]:
        assert FORMATS[name].parse(files, SIZES).dataset.pictures


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=60)
@given(chance=st.randoms(use_true_random=False))
def test_damaged_bytes(name: str, chance: random.Random) -> None:
    files = chance.choice(SEEDS[name])
    path = chance.choice(sorted(files))
    only_refused(FORMATS[name], {**files, path: damaged(files[path], chance)}, SIZES)


@pytest.mark.parametrize("name", SEEDS)
@settings(max_examples=60)
@given(chance=st.randoms(use_true_random=False))
def test_other_words_and_numbers(name: str, chance: random.Random) -> None:
    files = chance.choice(SEEDS[name])
    path = chance.choice(sorted(files))
    data = files[path]
    for _ in range(chance.randint(1, 3)):
        token = chance.choice([*_TOKEN.finditer(data)] or [re.search(b"", data)])
        assert token is not None
        new = chance.choice(WEIRD_TEXTS).encode()
        quoted = b'"' + new.replace(b"\\", b"\\\\") + b'"' if token[0][:1] == b'"' else new
        data = data[: token.start()] + quoted + data[token.end() :]
    only_refused(FORMATS[name], {**files, path: data}, SIZES)


@pytest.mark.parametrize("name", JSON)
@settings(max_examples=200)
@given(chance=st.randoms(use_true_random=False))
def test_other_values_of_members(name: str, chance: random.Random) -> None:
    ((path, data),) = chance.choice(SEEDS[name]).items()
    document = json.loads(data)
    for _ in range(chance.randint(1, 3)):
        document = changed(document, chance)
    only_refused(FORMATS[name], {path: raw(document)}, SIZES)


def changed(document: Any, chance: random.Random) -> Any:
    """One value somewhere replaced, doubled or taken out."""
    if not isinstance(document, dict | list) or not document or chance.random() < 0.1:
        return copy.deepcopy(chance.choice(WEIRD))
    keys = list(document) if isinstance(document, dict) else list(range(len(document)))
    key = chance.choice(keys)
    kind = chance.random()
    if kind < 0.1:
        del document[key]
    elif kind < 0.2 and isinstance(document, list):
        document.append(copy.deepcopy(document[key]))
    else:
        document[key] = changed(document[key], chance)
    return document


LAUGHS = (
    b'<!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]>"
)
DOCTYPES = (
    LAUGHS,
    b'<!DOCTYPE a [<!ENTITY j SYSTEM "file:///etc/passwd">]>',
    b'<!DOCTYPE a [<!ENTITY % j SYSTEM "http://127.0.0.1:9/x"> %j;]>',
    b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd">',
    b"<!DOCTYPE a>",
)


@pytest.mark.parametrize("name", XML)
@pytest.mark.parametrize("doctype", DOCTYPES)
def test_document_types_and_entities(name: str, doctype: bytes) -> None:
    ((path, data),) = SEEDS[name][1].items()
    head, rest = data.split(b"?>", 1)
    bomb = head + b"?>" + doctype + rest.replace(b"</", b"&j;</", 1)
    place = refusal(FORMATS[name], {path: bomb})
    assert re.fullmatch(r"a\.xml:[12]", place)


@pytest.mark.parametrize(
    "bomb",
    [
        b"a: &a [x,x]\nb: &b [*a,*a]\nnames: [*b,*b]\n",
        b"names: &n {0: *n}\n",
        b"names: !!python/object/apply:os.system ['true']\n",
        b"names: !!python/name:os.system\n",
        b"names: " + b"[" * 5000,
        b"names: " + b"{a: " * 5000,
    ],
)
def test_yaml_that_makes_more_of_itself(bomb: bytes) -> None:
    files = {**test_yolo.ULTRALYTICS}
    head = next(path for path in files if path.endswith(".yaml"))
    assert refusal(FORMATS["yolo"], {**files, head: bomb}).startswith(head)


DEEP = {
    "coco": b'{"images": %s, "annotations": []}',
    "labelme": b'{"imagePath": "a.jpg", "shapes": [], "x": %s}',
    "labelstudio": b'[{"data": {"image": "a.jpg"}, "meta": %s}]',
}


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("depth", [50, 900, 100_000])
def test_deep_json(name: str, depth: int) -> None:
    data = DEEP[name] % (b"[" * depth + b"]" * depth)
    assert refusal(FORMATS[name], {"a.json": data}).startswith("a.json")


@pytest.mark.parametrize("name", XML)
@pytest.mark.parametrize("depth", [50, 100_000])
def test_deep_xml(name: str, depth: int) -> None:
    root = b"annotation" if name == "voc" else b"annotations"
    data = b"<%s>" % root + b"<a>" * depth + b"</a>" * depth + b"</%s>" % root
    assert refusal(FORMATS[name], {"a.xml": data}) == "a.xml:1"


@pytest.mark.parametrize("name", JSON)
@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity", "1e999", "-1e400"])
def test_numbers_that_are_none(name: str, word: str) -> None:
    for files in SEEDS[name]:
        ((path, data),) = files.items()
        for number in [*re.finditer(rb"(?<=[ \[])\d+\.\d+(?=[,\]])", data)][:3]:
            bad = data[: number.start()] + word.encode() + data[number.end() :]
            assert re.fullmatch(r".*a\.json:\$[\w.\[\]*]+", refusal(FORMATS[name], {path: bad}))


@pytest.mark.parametrize("name", JSON)
def test_a_member_that_is_there_twice(name: str) -> None:
    ((path, data),) = SEEDS[name][0].items()
    at = data.index(b'"id"') if b'"id"' in data else data.index(b'"label"')
    bad = data[:at] + b'"id": 1, "id": 2, ' + data[at:]
    assert refusal(FORMATS[name], {path: bad}).startswith(f"{path}:$")


@pytest.mark.parametrize("name", SEEDS)
@pytest.mark.parametrize("data", [b"\xff\xfe", b"\xc3\x28", b"a\0b", "ä".encode("utf-16")])
def test_bytes_that_are_no_text(name: str, data: bytes) -> None:
    files = SEEDS[name][0]
    for path in files:
        assert refusal(FORMATS[name], {**files, path: data}).startswith(path)


@pytest.mark.parametrize("name", SEEDS)
def test_a_byte_order_mark_is_taken(name: str) -> None:
    for files in SEEDS[name]:
        mark = b"\xef\xbb\xbf"
        marked = {path: mark + data.removeprefix(mark) for path, data in files.items()}
        found = FORMATS[name].parse(marked, SIZES).dataset.pictures
        wanted = FORMATS[name].parse(files, SIZES).dataset.pictures
        assert [len(p.items) for p in found] == [len(p.items) for p in wanted]


#: Documents of one picture whose name is what is filled in, as the format writes it.
NAMED: dict[str, Callable[[str], Files]] = {
    "coco": lambda name: {"a.json": raw({"annotations": [], "categories": [],
                                         "images": [{"id": 1, "file_name": name}]})},
    "voc": lambda name: {
        "a.xml": f"<annotation><filename>{name}</filename></annotation>".encode()},
    "labelme": lambda name: {"a.json": raw({"shapes": [], "imagePath": name})},
    "labelstudio": lambda name: {"a.json": raw([{"data": {"image": name}, "annotations": []}])},
    "cvat": lambda name: {
        "a.xml": f'<annotations><image name="{name}"/></annotations>'.encode()},
    "csv": lambda name: {"a.csv": f"file_name,label,x,y,w,h\n{name},a,1,2,3,4\n".encode()},
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ("a/b.jpg", "a/b.jpg"),
        ("/etc/b.jpg", "etc/b.jpg"),
        ("C:\\x\\b.jpg", "x/b.jpg"),
        ("x\\b.jpg", "x/b.jpg"),
        ("./x//b.jpg", "x/b.jpg"),
        ("../b.jpg", None),
        ("x/../../b.jpg", None),
        ("x\\..\\..\\b.jpg", None),
        ("a\u202eb.jpg", None),
        ("x\u2028b.jpg", None),
        ("/", None),
        ("", None),
    ],
)
def test_paths_in_names_of_pictures(name: str, told: str, wanted: str | None) -> None:
    files = NAMED[name](told)
    if name == "voc" and not told.strip():
        wanted = "a"  # then the label file says it
    if wanted is None:
        assert refusal(FORMATS[name], files).startswith("a.")
        return
    (picture,) = FORMATS[name].parse(files, SIZES).dataset.pictures
    assert picture.file_name == wanted


@pytest.mark.parametrize("name", ["coco", "labelme", "labelstudio"])
def test_zero_bytes_in_names_of_pictures(name: str) -> None:
    assert refusal(FORMATS[name], NAMED[name]("a\0b.jpg")).startswith("a.")


@pytest.mark.parametrize("name", ["labelme", "labelstudio", "cvat"])
def test_two_pictures_of_one_name_are_refused(name: str) -> None:
    if name == "labelme":
        twice = NAMED[name]("b.jpg") | {"c.json": NAMED[name]("b.jpg")["a.json"]}
    else:
        one = NAMED[name]("b.jpg")
        (path,) = one
        inner = one[path][1:-1] if name == "labelstudio" else b'<image name="b.jpg"/>'
        joint = b"," if name == "labelstudio" else b""
        twice = {path: one[path].replace(inner, inner + joint + inner)}
    assert refusal(FORMATS[name], twice)


#: A file with one annotation of so many points.
POINTS: dict[str, Callable[[int], Files]] = {
    "coco": lambda n: {"a.json": raw({
        "images": [{"id": 1, "file_name": "a.jpg"}], "categories": [{"id": 1, "name": "a"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4],
                         "segmentation": [[1, 2] * n]}]})},
    "labelme": lambda n: {"a.json": raw({"imagePath": "a.jpg", "shapes": [
        {"label": "a", "points": [[1, 2]] * n, "shape_type": "polygon"}]})},
    "labelstudio": lambda n: {"a.json": raw([{"data": {"image": "a.jpg"}, "annotations": [
        {"result": [{**test_labelstudio.OUTLINE, "value": {
            "points": [[1, 2]] * n, "polygonlabels": ["a"]}}]}]}])},
    "cvat": lambda n: {"a.xml": (
        '<annotations><image name="a.jpg"><polygon label="a" points="'
        + ";".join(["1,2"] * n) + '"/></image></annotations>').encode()},
    "yolo": lambda n: {"labels/P1.txt": b"0" + b" 0.1 0.2" * n + b"\n",
                       "data.yaml": b"names: [a]\n"},
    "csv": lambda n: {"a.csv": (
        "file_name,label,type,x,y,w,h,points\n"
        f'a.jpg,a,polygon,,,,,"{[[1, 2]] * n}"\n').encode()},
}  # fmt: skip


@pytest.mark.parametrize("name", POINTS)
def test_a_million_points_in_one_shape(name: str) -> None:
    began = time.process_time()
    assert refusal(FORMATS[name], POINTS[name](1_000_000))
    assert time.process_time() - began < 20
    assert FORMATS[name].parse(POINTS[name](9_999), SIZES).dataset.pictures


def test_memory_is_in_proportion_to_the_file() -> None:
    for name in ("labelme", "labelstudio", "cvat", "coco"):
        (data,) = POINTS[name](9_999).values()
        files = POINTS[name](9_999)
        tracemalloc.start()
        FORMATS[name].parse(files, SIZES)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 80 * len(data)


def test_the_number_of_lists_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_text, "MAX_CONTAINERS", 100)
    for name in JSON:
        data = DEEP[name] % (b"[" + b"[]," * 100 + b"[]]")
        assert refusal(FORMATS[name], {"a.json": data}) == "a.json"


@pytest.mark.parametrize("name", ["labelme", "labelstudio", "cvat"])
def test_too_many_annotations_of_one_picture(name: str) -> None:
    if name == "labelme":
        shape = test_labelme.LABELME["shapes"][0]
        files = {"a.json": raw({"imagePath": "a.jpg", "shapes": [shape] * 10_001})}
    elif name == "labelstudio":
        result = [{**test_labelstudio.SPOT, "id": str(n)} for n in range(10_001)]
        task = test_labelstudio.task(1, "a.jpg", [{"result": result}])
        files = {"a.json": raw([task])}
    else:
        box = '<box label="a" xtl="1" ytl="2" xbr="3" ybr="4"/>' * 10_001
        text = f'<annotations><image name="a.jpg">{box}</image></annotations>'
        files = {"a.xml": text.encode()}
    assert refusal(FORMATS[name], files).startswith("a.")


@pytest.mark.parametrize("name", SEEDS)
def test_nothing_is_no_data_set(name: str) -> None:
    for files in ({}, {"a.jpg": b"\xff\xd8"}):
        with pytest.raises(InvalidInput):
            FORMATS[name].parse(files, Options())


def test_what_others_have_in_their_files_is_refused_or_read() -> None:
    """Each format is given the files of each other one, under names that it reads."""
    for module in FORMATS.values():
        suffix = module.READS[0].removeprefix("*")
        for data in _all_seeds():
            only_refused(module, {f"a{suffix}": data}, SIZES)


def _all_seeds() -> Iterator[bytes]:
    for seeds in SEEDS.values():
        for files in seeds:
            yield from files.values()


def refusal(module: Format, files: Mapping[str, bytes]) -> str:
    """The place of the first mistake."""
    parsed: Parsed | None = None
    with pytest.raises(InvalidInput) as refused:
        parsed = module.parse(files, SIZES)
    assert parsed is None
    assert all(mistake.message.endswith(".") for mistake in refused.value.mistakes)
    return refused.value.mistakes[0].path


@pytest.mark.parametrize("name", ["coco", "cvat"])
def test_too_many_classes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_CLASSES", 2)
    if name == "coco":
        told = [{"id": n, "name": f"c{n}"} for n in range(3)]
        files = {"a.json": raw({"images": [], "annotations": [], "categories": told})}
    else:
        labels = "".join(f"<label><name>c{n}</name></label>" for n in range(3))
        text = f"<annotations><meta><task><labels>{labels}</labels></task></meta></annotations>"
        files = {"a.xml": text.encode()}
    assert refusal(FORMATS[name], files).startswith("a.")
