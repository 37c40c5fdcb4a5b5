"""The panel of filters without JavaScript: mistakes at their fields, and kept filters."""

from __future__ import annotations

import re

import pytest

from tests.fixtures.installation import Browser, Installation


@pytest.fixture
def ann(installation: Installation) -> Browser:
    installation.api("ann").post("/api/v1/collections", json={"name": "Boats", "slug": "boats"})
    return installation.browser("ann")


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("to", "2026-01-01", "must not lie before the beginning"),
        ("from", "2026-13-45", ""),
        ("attribute", "age:5..1", "from the smaller number to the larger"),
        ("label", "x" * 200, ""),
        ("q", "x" * 300, ""),
        ("state", "asleep", ""),
        ("kind", "sculpture", ""),
    ],
)
def test_what_is_wrong_is_told_at_its_field(
    ann: Browser, field: str, typed: str, words: str
) -> None:
    told = {"from": "2026-02-02", "collection": "boats", field: typed}
    answer = ann.client.get("/gallery", query_string=told)
    assert answer.status_code == 422
    page = answer.text
    assert '<details class="pop filters" open>' in page
    (marked,) = re.findall(r'<(?:input|select)[^>]*aria-invalid="true"[^>]*>', page)
    assert f'name="{field}"' in marked
    before = "help-attribute " if field == "attribute" else ""
    assert f'aria-describedby="{before}error-{field}"' in marked
    assert f'href="#filter-{field}"' in page, "the summary leads to the field"
    (said,) = re.findall(rf'id="error-{field}">.*?<span>(.*?)</span>', page, re.DOTALL)
    assert words in said
    if field not in {"state", "kind", "from"}:
        assert f'value="{typed}"' in marked, "what was typed stands there again"
    assert "Nothing fits" not in page


def test_other_mistakes_are_no_business_of_the_panel(ann: Browser) -> None:
    for address in (
        "/gallery?month=2026-13",
        "/gallery?cursor=x",
        "/gallery?sort=x&to=x",
        "/gallery?annotator=x",
    ):
        answer = ann.get(address)
        assert answer.status_code == 422
        assert "pop filters" not in answer.text


def test_forgetting_a_filter_leaves_the_active_ones(ann: Browser) -> None:
    told = {"collection": "boats", "state": "done", "attribute": ["age", "pose:lying"]}
    ann.post("/gallery/filters", data={"name": "Mine", "collection": "boats", "q": "dawn"})
    page = ann.client.get("/gallery", query_string=told).text
    (form,) = re.findall(
        r'<form method="post" action="(/gallery/filters/[^"]+)">(.*?)</form>', page
    )
    sent: dict[str, list[str]] = {}
    for name, value in re.findall(r'name="(\w+)" value="([^"]*)"', form[1]):
        sent.setdefault(name, []).append(value)
    answer = ann.post(form[0], data=sent)
    after = ann.get(answer.headers["Location"])
    assert "The filter is forgotten." in after.text
    for one in ("Done", "age", "pose:lying"):
        assert re.search(rf'class="chip".*?{one}', after.text, re.DOTALL | re.IGNORECASE), one
    assert "Mine" not in after.text


def test_a_kept_filter_names_its_collection_among_all_pictures(ann: Browser) -> None:
    ann.post("/gallery/filters", data={"name": "Mine", "collection": "boats", "q": "dawn"})
    assert 'Mine <span class="faint">in Boats</span>' in ann.get("/gallery?q=x").text
    assert "in Boats" not in ann.get("/gallery?collection=boats&q=x").text
