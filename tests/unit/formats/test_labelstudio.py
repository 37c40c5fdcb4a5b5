"""Label Studio JSON: what is read, and that it comes back as it was, percent and all."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.shapes import Box, Points, Polygon, RotatedBox, WholePicture
from app.domain.states import AnnotationState
from app.errors import InvalidInput
from app.formats import labelstudio
from app.formats.dataset import ClassDef, Dataset, Item, Options, Parsed, Picture
from app.formats.losses import LossCode
from tests.fixtures import data_sets as sets

SIZE = {"original_width": 597, "original_height": 768, "image_rotation": 0}
TURNED = {
    **SIZE,
    "value": {
        "x": 10.537066764905694, "y": 79.55767690059092, "width": 19.045470024656689,
        "height": 8.132522043893883, "rotation": 328.33240366032836,
        "rectanglelabels": ["Butterfly"],
    },
    "id": "veUGPaahTw", "from_name": "label", "to_name": "image", "type": "rectanglelabels",
    "origin": "manual",
}  # fmt: skip
OUTLINE = {
    "id": "djbpw94CXj", "type": "polygonlabels",
    "value": {
        "closed": True, "points": [[60, 19.55922865013774], [61.1, 15.15], [63.3, 14.87]],
        "polygonlabels": ["Leaf", "Green"],
    },
    "origin": "manual", "to_name": "image", "from_name": "outline", **SIZE,
}  # fmt: skip
SURE = {
    **OUTLINE, "type": "choices", "from_name": "sure",
    "value": {**{k: v for k, v in OUTLINE["value"].items() if k == "points"},
              "choices": ["uncertain"]},
}  # fmt: skip
NOTE = {**OUTLINE, "type": "textarea", "from_name": "note", "value": {"text": ["a", "b"]}}
SPOT = {
    **SIZE, "id": "spot", "type": "keypointlabels", "from_name": "kp", "to_name": "image",
    "value": {"x": 50, "y": 25, "width": 0.66, "keypointlabels": ["Eye"]},
}  # fmt: skip
BARE = {
    **SIZE, "id": "bare", "type": "rectangle", "from_name": "rect", "to_name": "image",
    "value": {"x": 0, "y": 0, "width": 10, "height": 10, "rotation": 0},
}  # fmt: skip
BARE_LABEL = {**BARE, "type": "labels", "from_name": "labels",
              "value": {**BARE["value"], "labels": ["Stem"]}}  # fmt: skip
BRUSH = {
    **SIZE, "id": "brush", "type": "brushlabels", "from_name": "brush", "to_name": "image",
    "value": {"format": "rle", "rle": [0, 1, 2], "brushlabels": ["Wing"]},
}  # fmt: skip
RELATION = {"from_id": "spot", "to_id": "bare", "type": "relation", "direction": "right"}
WEATHER = {
    "id": "c1", "type": "choices", "from_name": "weather", "to_name": "image",
    "value": {"choices": ["sunny", "windy"]}, "origin": "manual",
}  # fmt: skip
KIND = {
    "id": "t1", "type": "taxonomy", "from_name": "kind", "to_name": "image",
    "value": {"taxonomy": [["Insect"], ["Insect", "Moth"]]},
}  # fmt: skip
RESULT = [TURNED, OUTLINE, BRUSH, SURE, SPOT, BARE, BARE_LABEL, NOTE, RELATION, WEATHER, KIND]


def annotation(id_: int, result: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "id": id_, "completed_by": 1, "result": result, "was_cancelled": False,
        "ground_truth": False, "created_at": "2024-05-07T12:34:36.829143Z",
        "updated_at": "2024-05-07T16:27:17.914777Z", "lead_time": 831.874, "prediction": {},
        "unique_id": "2a2a7589-e353-43c4-a40f-fefaf051fd59", "import_id": None, **more,
    }  # fmt: skip


def task(id_: int, image: str, annotations: list[Any], **more: Any) -> dict[str, Any]:
    return {
        "id": id_, "annotations": annotations, "file_upload": "e97d4735-a.jpg", "drafts": [],
        "predictions": [], "data": {"image": image}, "meta": {}, "inner_id": 1,
        "total_annotations": len(annotations), "cancelled_annotations": 0, "project": 7,
        "comment_authors": [], **more,
    }  # fmt: skip


PREDICTION = {"model_version": "m", "score": 0.9, "result": [{**TURNED, "score": 0.9}]}
EXPORT = [
    task(10959, "/data/upload/7/e97d4735-a.jpg", [
        annotation(1, [{**SPOT, "id": "older"}], updated_at="2024-05-06T00:00:00Z"),
        annotation(2, RESULT),
    ], predictions=[PREDICTION]),
    task(10960, "/data/local-files/?d=set%20one/b.png",
         [annotation(3, [], was_cancelled=True)]),
    task(10961, "s3://bucket/x/c.jpg?versionId=1", [annotation(4, [])]),
    {"id": 10962, "data": {"text": "no picture"}, "annotations": []},
    task(10963, "https://example.com/x/d%20d.jpg", []),
    {"id": 10964, "data": {"image": "e.jpg"}, "predictions": [PREDICTION]},
]  # fmt: skip
MIN = [
    {
        "image": "/data/upload/29/0123abcd-example.png", "id": 87,
        "label": [
            {"x": 10, "y": 20.5, "width": 30, "height": 40, "rotation": 0,
             "rectanglelabels": ["Airplane"], "original_width": 128, "original_height": 256},
            {"x": 1, "y": 2, "width": 3, "height": 4, "rotation": 45,
             "rectanglelabels": ["Bird"], "original_width": 128, "original_height": 256},
        ],
        "choice": "clear", "annotator": 1, "annotation_id": 22,
        "created_at": "2024-01-30T02:40:43Z", "updated_at": "2024-01-30T02:40:43Z",
        "lead_time": 8.65,
    },
    {"image": "two.png", "id": 88, "annotator": 1, "annotation_id": 23, "created_at": "a",
     "updated_at": "a", "lead_time": None},
    {"image": "/data/upload/29/0123abcd-example.png", "id": 87, "annotator": 2,
     "annotation_id": 24, "created_at": "2023", "updated_at": "2023", "lead_time": 1},
]  # fmt: skip


def as_file(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=2).encode()


def parse(document: object = EXPORT) -> Parsed:
    return labelstudio.parse({"project.json": as_file(document)}, Options())


def rewritten(dataset: Dataset, options: Options = Options()) -> Any:  # noqa: B008
    (data,) = sets.files_of(labelstudio.write(dataset, options)).values()
    return json.loads(data)


def test_an_export_comes_back_byte_for_byte() -> None:
    parsed = parse()
    written = labelstudio.write(parsed.dataset, Options())
    assert written.losses == ()
    assert sets.files_of(written) == {"project.json": as_file(EXPORT)}
    result = "project.json:$[0].annotations[1].result"
    assert {loss.code: (loss.place, loss.count) for loss in parsed.losses} == {
        LossCode.SHAPE_KEPT: (f"{result}[2]", 1),
        LossCode.ATTRIBUTES_KEPT: (f"{result}[1].value", 1),
        LossCode.RECORDS_KEPT: (f"{result}[8]", 2),
        LossCode.FURTHER_ANNOTATIONS: ("project.json:$[0]", 4),
    }


def test_results_of_regions_in_each_other_keep_their_order() -> None:
    """The answers of one region stand before it, and before another one."""
    result = [NOTE, TURNED, SURE, SPOT, OUTLINE, BARE_LABEL, WEATHER, BARE]
    document = [task(1, "a.jpg", [annotation(2, result)])]
    parsed = parse(document)
    assert rewritten(parsed.dataset) == document
    moved = sets.edited(parsed.dataset, 0, 0, shape=Box(1.0, 2.0, 30.0, 40.0))
    found = rewritten(moved)[0]["annotations"][0]["result"]
    assert [each["type"] for each in found] == [each["type"] for each in result]


def test_what_an_export_says() -> None:
    a, b, c, d, e = parse().dataset.pictures
    assert [p.file_name for p in (a, b, c, d, e)] == [
        "a.jpg", "set one/b.png", "x/c.jpg", "x/d d.jpg", "e.jpg",
    ]  # fmt: skip
    states = (AnnotationState.DONE, AnnotationState.SKIPPED, AnnotationState.DONE,
              AnnotationState.NEW, None)  # fmt: skip
    assert tuple(p.state for p in (a, b, c, d, e)) == states
    assert (a.width, a.height, a.foreign_id) == (597, 768, 10959)
    turned, leaf, eye, stem, sunny, windy, insect, moth = a.items
    assert isinstance(turned.shape, RotatedBox)
    corner = turned.shape.corners[0]
    assert corner == pytest.approx((10.537066764905694 * 5.97, 79.55767690059092 * 7.68))
    assert turned.shape.angle == pytest.approx(328.33240366032836 - 360)
    assert turned.shape.w == pytest.approx(19.045470024656689 * 5.97)
    assert isinstance(leaf.shape, Polygon)
    assert leaf.shape.points[0] == (60 * 597 / 100, 19.55922865013774 * 768 / 100)
    assert leaf.attributes == {"sure": "uncertain", "note": ["a", "b"]}
    assert (eye.label, eye.shape) == ("Eye", Points(((298.5, 192),)))
    assert (stem.label, stem.shape) == ("Stem", Box(0, 0, 59.7, 76.8))
    whole = [(item.label, item.shape) for item in (sunny, windy, insect, moth)]
    names = ("sunny", "windy", "Insect", "Insect/Moth")
    assert whole == [(name, WholePicture()) for name in names]


def test_the_ground_truth_is_taken() -> None:
    annotations = [annotation(1, [SPOT], ground_truth=True), annotation(2, [TURNED])]
    parsed = parse([task(1, "a.jpg", annotations)])
    (picture,) = parsed.dataset.pictures
    assert [item.label for item in picture.items] == ["Eye"]


def test_json_min_comes_back_byte_for_byte() -> None:
    parsed = parse(MIN)
    example, two = parsed.dataset.pictures
    airplane, bird, clear = example.items
    assert (airplane.label, airplane.shape) == ("Airplane", Box(12.8, 52.48, 38.4, 102.4))
    assert isinstance(bird.shape, RotatedBox)
    assert (clear.label, clear.shape) == ("clear", WholePicture())
    assert (two.file_name, two.items, two.state) == ("two.png", (), AnnotationState.DONE)
    assert rewritten(parsed.dataset) == MIN
    assert sets.files_of(labelstudio.write(parsed.dataset, Options())) == {
        "project.json": as_file(MIN)
    }


def test_an_edit_of_json_min() -> None:
    dataset = sets.edited(parse(MIN).dataset, 0, 0, label="Kite", shape=Box(0, 0, 64, 64))
    wanted = copy.deepcopy(MIN)
    wanted[0]["label"][0] |= {  # type: ignore[index]
        "x": 0, "y": 0, "width": 50, "height": 25, "rectanglelabels": ["Kite"],
    }  # fmt: skip
    assert rewritten(dataset) == wanted


def test_a_moved_region_changes_in_all_of_its_results_and_nothing_else_does() -> None:
    shape = Polygon(((0, 0), (59.7, 0), (0, 76.8)))
    dataset = sets.edited(parse().dataset, 0, 1, shape=shape, label="Petal")
    wanted = copy.deepcopy(EXPORT)
    result: Any = wanted[0]["annotations"][1]["result"]
    points = [[0, 0], [10, 0], [0, 10]]
    result[1]["value"] |= {"points": points, "polygonlabels": ["Petal", "Green"]}
    result[3]["value"] |= {"points": points, "closed": True}
    assert rewritten(dataset) == wanted


def test_another_kind_of_shape() -> None:
    dataset = sets.edited(parse().dataset, 0, 0, shape=Points(((59.7, 76.8),)))
    found = rewritten(dataset)[0]["annotations"][1]["result"][0]
    value = {"x": 10, "y": 10, "width": 0.5, "keypointlabels": ["Butterfly"]}
    assert found == {**TURNED, "type": "keypointlabels", "value": value}


def test_edited_attributes() -> None:
    attributes = {"note": "c", "age": 3, "wet": True}
    dataset = sets.edited(parse().dataset, 0, 1, attributes=attributes)
    result = rewritten(dataset)[0]["annotations"][1]["result"]
    assert result[1]["value"] == OUTLINE["value"]
    mine = [each for each in result if each.get("id") == OUTLINE["id"]]
    asked = {each["from_name"]: (each["type"], each["value"]) for each in mine[1:]}
    points = {"points": OUTLINE["value"]["points"], "closed": True}  # type: ignore[index]
    assert asked == {
        "note": ("textarea", {"text": ["c"]}),
        "age": ("number", {**points, "number": 3}),
    }
    assert mine[0]["meta"] == {"attributes": {"wet": True}}
    found = parse(rewritten(dataset)).dataset.pictures[0].items[1]
    assert found.attributes == attributes


def test_relations_to_what_is_gone_are_left_out_and_told() -> None:
    dataset = parse().dataset
    a, *rest = dataset.pictures
    items = tuple(item for item in a.items if item.label != "Eye")
    without = replace(dataset, pictures=(replace(a, items=items), *rest))
    written = labelstudio.write(without, Options())
    told = [loss.code for loss in written.losses]
    assert told == [LossCode.UNUSED_CLASSES, LossCode.RELATIONS]
    result = rewritten(without)[0]["annotations"][1]["result"]
    assert result == [each for each in RESULT if each not in (SPOT, RELATION)]


def test_another_choice_for_the_whole_picture() -> None:
    dataset = sets.edited(parse().dataset, 0, 4, label="rainy")
    result = rewritten(dataset)[0]["annotations"][1]["result"]
    assert result[9]["value"] == {"choices": ["rainy", "windy"]}
    assert result[:9] == RESULT[:9]


def test_labelling_what_was_skipped_or_new() -> None:
    dataset = parse().dataset
    pictures = list(dataset.pictures)
    pictures[1] = replace(pictures[1], width=10, height=10, state=AnnotationState.DONE,
                          items=(Item("x", Box(1, 2, 3, 4)),))  # fmt: skip
    pictures[3] = replace(pictures[3], state=AnnotationState.SKIPPED)
    pictures[2] = replace(pictures[2], state=AnnotationState.SKIPPED)
    written = labelstudio.write(replace(dataset, pictures=tuple(pictures)), Options())
    found = labelstudio.parse(sets.files_of(written), Options()).dataset.pictures
    assert found[1].items[0].shape == Box(1, 2, 3, 4)
    assert found[1].state is AnnotationState.DONE
    assert found[2].state is AnnotationState.SKIPPED
    assert [(loss.code, loss.place) for loss in written.losses] == [
        (LossCode.STATE, "x/d d.jpg")
    ]


def test_pictures_without_a_size_are_left_out_and_told() -> None:
    pictures = (Picture("a.jpg", items=(Item("x", Box(0, 0, 1, 1)),)), Picture("b.jpg"))
    dataset = Dataset((), pictures)
    written = labelstudio.write(dataset, Options())
    assert written.places == (None, "b.jpg")
    assert [loss.code for loss in written.losses] == [LossCode.SIZE_UNKNOWN]
    with_size = labelstudio.write(dataset, Options(sizes={"a.jpg": (4, 2)}))
    assert with_size.places == ("a.jpg", "b.jpg")
    assert with_size.losses == ()


def test_what_a_turned_picture_or_one_without_a_size_has_is_kept() -> None:
    for change in ({"image_rotation": 90}, {"original_width": None, "original_height": None}):
        parsed = parse([task(1, "a.jpg", [annotation(1, [{**SPOT, **change}])])])
        assert parsed.dataset.pictures[0].items == ()
        assert [loss.code for loss in parsed.losses] == [LossCode.SHAPE_KEPT]
        assert rewritten(parsed.dataset) == [
            task(1, "a.jpg", [annotation(1, [{**SPOT, **change}])])
        ]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (5, "$"),
        ([5], "$[0]"),
        ([{"annotations": []}], "$[0].data"),
        ([task(1, "../a.jpg", [])], "$[0].data"),
        ([task(1, "data:image/png;base64,AA", [])], "$[0].data"),
        ([task(1, "http://[", [])], "$[0].data"),
        ([task(1, "a.jpg", []), task(2, "a.jpg", [])], "$[1].data"),
        ([{**task(1, "a.jpg", []), "annotations": 5}], "$[0].annotations"),
        ([task(1, "a.jpg", [5])], "$[0].annotations[0]"),
        ([task(1, "a.jpg", [{"result": 5}])], "$[0].annotations[0].result"),
        ([task(1, "a.jpg", [{"result": [5]}])], "$[0].annotations[0].result[0]"),
    ],
)
def test_what_is_no_label_studio_file(document: object, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(document)
    assert refused.value.mistakes[0].path == f"project.json:{path}"


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"value": 5}, ".value"),
        ({"original_width": "597"}, ".original_width"),
        ({"original_width": 0}, ".original_width"),
        ({"value": {**TURNED["value"], "x": "1"}}, ".value.x"),  # type: ignore[dict-item]
        ({"value": {**TURNED["value"], "width": -1}}, ".value"),  # type: ignore[dict-item]
        ({"value": {**TURNED["value"], "x": 10**400}}, ".value.x"),  # type: ignore[dict-item]
        ({"value": {**TURNED["value"], "rotation": "a"}}, ".value.rotation"),  # type: ignore[dict-item]
        (
            {"value": {**TURNED["value"], "rectanglelabels": [5.5]}},  # type: ignore[dict-item]
            ".value.rectanglelabels[0]",
        ),
        ({**OUTLINE, "value": {"points": [[1]]}}, ".value.points[0]"),
        ({**OUTLINE, "value": {"points": [[1, None]]}}, ".value.points[0][1]"),
        ({**OUTLINE, "value": {"points": [[1, 2]] * 10_001}}, ".value.points"),
        ({**WEATHER, "value": {"choices": 5}}, ".value.choices"),
        ({**WEATHER, "value": {"choices": ["a", ""]}}, ".value.choices[1]"),
    ],
)
def test_what_is_no_region(change: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse([task(1, "a.jpg", [annotation(1, [{**TURNED, **change}])])])
    place = "project.json:$[0].annotations[0].result[0]"
    assert refused.value.mistakes[0].path == place + path


REGIONS = st.one_of(sets.BOXES, sets.TURNED, sets.POLYGONS, sets.POINT_SETS)
STATES = (AnnotationState.DONE,)


@given(sets.data_sets(REGIONS, states=STATES))
def test_what_was_written_is_read(dataset: Dataset) -> None:
    written = labelstudio.write(dataset, Options())
    assert {loss.code for loss in written.losses} <= {LossCode.ROUNDED}
    files = sets.files_of(written)
    parsed = labelstudio.parse(files, Options())
    found = sets.bare(parsed.dataset)
    if written.losses:
        found = sets.with_shapes_of(found, dataset)
    wanted = [
        replace(p, width=None, height=None) if not p.items else p for p in dataset.pictures
    ]
    assert found == replace(dataset, pictures=tuple(wanted))
    again = labelstudio.write(parsed.dataset, Options())
    assert again.losses == ()
    assert sets.files_of(again) == files


@given(st.lists(sets.LABELS, max_size=4), st.sampled_from((None, *AnnotationState)))
def test_labels_of_whole_pictures_and_states(
    labels: list[str], state: AnnotationState | None
) -> None:
    items = tuple(Item(label, WholePicture()) for label in labels)
    picture = Picture("a.jpg", items=items, state=state)
    dataset = Dataset(tuple(ClassDef(label) for label in dict.fromkeys(labels)), (picture,))
    written = labelstudio.write(dataset, Options())
    parsed = labelstudio.parse(sets.files_of(written), Options())
    (found,) = sets.bare(parsed.dataset).pictures
    assert found.items == items
    lost = {loss.code for loss in written.losses} == {LossCode.STATE}
    assert lost is (state is not None and found.state is not state)
