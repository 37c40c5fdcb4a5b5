"""The pages of a collection: each leads to the others, and a form that failed keeps its own."""

from __future__ import annotations

import re

import pytest

from app.services.labels import LabelEdit
from tests.fixtures.installation import Installation

ALL = ["Overview", "Labels", "Progress", "Review", "Agreement", "Import and export"]


@pytest.fixture
def slug(installation: Installation) -> str:
    ann = installation.person("ann").actor
    made = installation.services.collections.create(ann, name="Cars").slug
    bob = installation.person("bob")
    installation.services.members.add(ann, made, email=bob.email, role="annotator")
    return made


def tabs(page: str) -> dict[str, str]:
    nav = re.search(r'<nav class="tabs collection-tabs".*?</nav>', page, re.DOTALL)
    assert nav
    return {
        title: end for end, title in re.findall(r'<a href="([^"]+)"[^>]*>(.*?)</a>', nav[0])
    }


def test_every_page_leads_to_every_other_one_may_open(
    installation: Installation, slug: str
) -> None:
    seen = {"ann": ALL, "bob": ["Overview", "Labels", "Progress", "Agreement"]}
    for name, titles in seen.items():
        browser = installation.browser(name)
        found = tabs(browser.get(f"/collections/{slug}").text)
        assert list(found) == titles
        for address in found.values():
            page = browser.get(address)
            assert page.status_code == 200
            assert tabs(page.text) == found
            assert f'<a href="{address}" aria-current="page">' in page.text


def test_a_label_that_failed_does_not_rename_the_collection(
    installation: Installation, slug: str
) -> None:
    browser = installation.browser("ann")
    browser.post(f"/collections/{slug}/labels", data={"name": "car"})
    page = browser.post(f"/collections/{slug}/labels", data={"name": "car"})
    assert page.status_code == 409
    name = re.search(r'id="field-name"[^>]* value="([^"]*)"', page.text)
    label = re.search(r'id="new-label"[^>]* value="([^"]*)"', page.text)
    assert name
    assert label
    assert (name[1], label[1]) == ("Cars", "car")


def test_attributes_that_failed_stand_there_as_typed(
    installation: Installation, slug: str
) -> None:
    services, ann = installation.services, installation.person("ann").actor
    label = services.labels.create(ann, slug, LabelEdit(name="car"))
    told = {
        "page": "labels",
        "name": "car",
        "aliases": "auto",
        "attribute_name": ["doors", ""],
        "attribute_kind": ["number", "select"],
        "attribute_detail": ["2..many", ""],
        "attribute_default": ["4", ""],
        "attribute_required": ["yes", "no"],
    }
    page = installation.browser("ann").post(f"/collections/{slug}/labels/{label.id}", data=told)
    assert page.status_code == 422
    assert "Options, range or length of an attribute</a>: must be a range" in page.text
    for typed in ('value="auto"', 'value="doors"', 'value="2..many"', 'value="4"'):
        assert typed in page.text
    assert services.labels.whole(ann, slug).offered[0].attributes == ()
