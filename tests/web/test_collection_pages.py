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
    assert "at “doors”" in page.text
    for typed in ('value="auto"', 'value="doors"', 'value="2..many"', 'value="4"'):
        assert typed in page.text
    assert services.labels.whole(ann, slug).offered[0].attributes == ()


def test_several_attributes_are_declared_at_once(installation: Installation, slug: str) -> None:
    services, ann = installation.services, installation.person("ann").actor
    label = services.labels.create(ann, slug, LabelEdit(name="car"))
    browser, address = installation.browser("ann"), f"/collections/{slug}/labels/{label.id}"
    for rows in (3, 6):
        page = browser.get(address).text
        ids = re.findall(r'id="(attribute-name-[0-9]+)"', page)
        assert len(ids) == len(set(ids)) == rows
        told = {
            "page": "labels",
            "name": "car",
            "attribute_name": ["doors", "colour", "towed"],
            "attribute_kind": ["number", "select", "checkbox"],
            "attribute_detail": ["2..5", "red, blue", ""],
            "attribute_default": ["", "", ""],
            "attribute_required": ["yes", "no", "no"],
        }
        assert browser.post(address, data=told).status_code == 303
    found = services.labels.whole(ann, slug).offered[0].attributes
    assert [one.name for one in found] == ["doors", "colour", "towed"]


def test_the_answer_to_a_form_of_the_overview_is_one_of_its_pages(
    installation: Installation, slug: str
) -> None:
    browser = installation.browser("ann")
    page = browser.post(
        f"/collections/{slug}/members",
        data={"email": "nobody@people.example", "role": "viewer"},
    )
    assert page.status_code == 422
    assert f'<a href="/collections/{slug}" aria-current="true">Overview</a>' in page.text
    assert page.text.count('aria-current="true">') == 1
