"""Whatever a client sends, the answer is a refusal with its place, never a 500."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.blueprints.work.adjudication import choices_of_form
from tests.fixtures import pictures
from tests.fixtures.callers import Caller
from tests.fixtures.installation import ApiClient, Installation

TEXT = st.text(max_size=40) | st.sampled_from(
    ["９９９９-12", "²", "\x00", "-1", "9" * 30, "1e999"]
)
QUICK = settings(
    max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


@pytest.fixture(scope="module")
def api(site: Installation) -> ApiClient:
    return site.api()


@pytest.fixture(scope="module")
def boxes(api: ApiClient) -> str:
    image = api.upload((pictures.jpeg(), "a.jpg")).json["images"][0]["id"]
    return f"/api/v1/images/{image}/annotations"


@pytest.fixture(scope="module")
def browser(site: Installation) -> Caller:
    return Caller(site.app, {}, site.services.sessions.create(site.person().id).token)


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 40 + b"1" + b"}" * 40, b'{"name": NaN}', b'{"name": 1e999}',
     b'{"name": "\\ud800"}', b'{"name": "a\\u0000b"}', b'{"name": "a", "name": "b"}',
     b'{"name": ' + b"9" * 5000 + b"}", b'{"name": "\xff"}', b"", b"null", b"[]",
     b"\xef\xbb\xbf{}",
     b'{"name": {}}', b'{"name": ["a"]}', b'{"name": true}', b'{"nam\\ud800": 1}'],
)  # fmt: skip
def test_odd_json_is_422(api: ApiClient, body: bytes) -> None:
    answer = api.post("/api/v1/collections", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["path"].startswith("$")


@pytest.mark.parametrize(
    ("wrong", "place"),
    [(b"NaN", ".box.x"), (b"-Infinity", ".box.x"), (b"1e999", ".box.x"),
     (b"9" * 400, ".box.x"), (b'1, "y": 2, "y": 3', ".box")],
)  # fmt: skip
def test_a_number_that_is_none_is_told_with_its_place(
    api: ApiClient, boxes: str, wrong: bytes, place: str
) -> None:
    good = b'{"label": "gull", "box": {"x": 1, "y": 2, "w": 3, "h": 4}}'
    bad = b'{"label": "gull", "box": {"x": ' + wrong + b', "w": 3, "h": 4}}'
    before = api.get(boxes).json
    answer = api.put(
        boxes,
        data=b'{"state": "new", "annotations": [' + good + b", " + bad + b"]}",
        content_type="application/json",
        headers={"If-Match": "*"},
    )
    assert (answer.status_code, api.get(boxes).json) == (422, before)
    assert [one["path"] for one in answer.json["errors"]] == [f"$.annotations[1]{place}"]


def test_what_is_not_said_to_be_json_is_415(api: ApiClient) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = api.post("/api/v1/collections", data=b'{"name": "a"}', content_type=kind)
        assert answer.status_code == 415


@pytest.mark.parametrize(
    ("tag", "status"),
    [('"²"', 412), ('"١"', 412), ('"9999999999999"', 412), ('W/"0"', 412), ("garbage", 412),
     ('"-1"', 412), ('""', 412), ('W/"a", ""', 412), ('"0", ""', 200), ('W/""', 412),
     ("W/", 412), ('"', 428), (",,", 428), ("*", 200)],
)  # fmt: skip
def test_an_odd_revision_fits_nothing(
    api: ApiClient, boxes: str, tag: str, status: int
) -> None:
    raw = tag.encode().decode("latin-1")
    for sent in {raw, tag if tag.isascii() or tag == '"²"' else raw}:
        document = {"state": "new", "annotations": []}
        answer = api.put(boxes, json=document, headers={"If-Match": sent})
        assert answer.status_code == status


def test_without_a_revision_is_428_and_a_stale_one_shows_the_current(
    api: ApiClient, boxes: str
) -> None:
    document = {"state": "new", "annotations": []}
    assert api.put(boxes, json=document).status_code == 428
    stale = api.put(boxes, json=document, headers={"If-Match": '"99"'})
    assert stale.status_code == 412
    assert stale.headers["ETag"] == f'"{stale.json["current"]["revision"]}"'


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59", "٢٠٢٦-01-01", "x"]
)
@pytest.mark.parametrize("name", ["from", "to"])
def test_times_at_the_edge_of_the_calendar(api: ApiClient, name: str, moment: str) -> None:
    assert api.get(f"/api/v1/images?{name}={moment}").status_code == 422


@pytest.mark.parametrize(
    "month", ["９９９９-12", "9999-12", "0000-01", "2026-13", "x", "٢٠٢٦-11"]
)
def test_months_that_are_none(browser: Caller, month: str) -> None:
    answer = browser.open("GET", "/gallery", query_string={"month": month})
    assert answer.status_code == 422


@pytest.mark.parametrize("told", ["99999999999", "9" * 5000, "0000000000001000", "²", "-1"])
def test_numbers_beyond_all_bounds(
    api: ApiClient, boxes: str, browser: Caller, told: str
) -> None:
    assert api.get(f"/api/v1/images?limit={told}").status_code == 422
    assert api.get(f"{boxes}/changes?since={told}").status_code == 422
    assert browser.open("GET", f"/gallery?looked={told}").status_code == 422


def test_a_choice_of_no_thing_is_passed_over(site: Installation) -> None:
    told = {"choice-1": "a", "choice-" + "9" * 5000: "a", "choice-²": "b", "choice-": "b"}
    with site.app.test_request_context(method="POST", data=told):
        assert choices_of_form() == {1: "a"}


@QUICK
@given(
    st.sampled_from(["limit", "cursor", "from", "to", "sort", "tag", "state", "collection"]),
    TEXT,
)
def test_queries(api: ApiClient, browser: Caller, name: str, value: str) -> None:
    value = value.encode("utf-8", "replace").decode()
    for path in ("/gallery", "/trash"):
        assert browser.open("GET", path, query_string={name: value}).status_code < 500
    answer = api.get("/api/v1/images", query_string={name: value})
    assert answer.status_code in {200, 404, 422}


@QUICK
@given(
    st.sampled_from(["name", "slug", "description", "email", "role", "colour", "tags"]), TEXT
)
def test_forms(browser: Caller, name: str, value: str) -> None:
    form = {"name": "n", name: value.encode("utf-8", "replace").decode()}
    for path in ("/collections", "/account", "/auth/api-keys", "/gallery/bulk"):
        assert browser.open("POST", path, data=form).status_code < 500


@QUICK
@given(
    st.dictionaries(
        st.sampled_from(["id", "label", "box", "frame", "attributes", "rev"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.sampled_from(["x", "y", "w", "h"]), inner)
            ),
            max_leaves=6,
        ),
    )
)
def test_annotations(api: ApiClient, boxes: str, box: dict[str, object]) -> None:
    document = {"state": "new", "annotations": [box]}
    answer = api.put(boxes, json=document, headers={"If-Match": "*"})
    assert answer.status_code in {200, 422}
