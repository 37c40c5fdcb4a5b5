"""Every page, as everybody sees it: its frame, its forms, and where its links lead."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from app import create_app
from app.web.guards import gate_of
from tests.fixtures.callers import Crowd
from tests.fixtures.html import Page
from tests.fixtures.installation import Installation, environment, running_installation
from tests.fixtures.place import Place, make_job, make_key, make_place

PEOPLE = ("owner", "viewer", "admin", "anonymous")
HTML = {"Accept": "text/html"}


@dataclass(frozen=True)
class Row:
    """The statuses for owner, viewer, admin and nobody, at one or several addresses."""

    statuses: tuple[int, int, int, int]
    paths: tuple[str, ...]


def row(statuses: tuple[int, int, int, int], *paths: str) -> Row:
    return Row(statuses, paths)


ACCOUNT = (200, 200, 200, 303)
MEMBERS = (200, 200, 404, 303)
EVERYBODY = (200, 200, 200, 200)

LEADS = (200, 403, 404, 303)
NOT_YET = (404, 404, 404, 303)
ADMINS = (403, 403, 200, 303)

PAGES = {
    "admin.keys": row(ADMINS, "/admin/keys"),
    "auth.account": row(ACCOUNT, "/account"),
    "auth.api_keys": row(ACCOUNT, "/auth/api-keys"),
    "auth.keymap": row(ACCOUNT, "/account/keys"),
    "auth.login": row((303, 303, 303, 200), "/auth/login", "/auth/login?next=/gallery"),
    "auth.password": row(ACCOUNT, "/auth/password"),
    "auth.register": row(EVERYBODY, "/auth/register"),
    "auth.sessions": row(ACCOUNT, "/auth/sessions"),
    "annotate.page": row(MEMBERS, "/images/{image}/annotate"),
    "collections.page": row(ACCOUNT, "/collections"),
    "collections.labels": row(MEMBERS, "/collections/{slug}/labels"),
    "collections.label": row(
        (200, 404, 404, 303),
        "/collections/{slug}/labels/{label}",
        "/collections/{slug}/labels/{label}?attribute=pose",
    ),
    "collections.show": row(MEMBERS, "/collections/{slug}"),
    "exchange.page": row(MEMBERS, "/collections/{slug}/exchange"),
    "exchange.report": row((404, 404, 404, 303), "/collections/{slug}/exchange/{nothing}"),
    "gallery.index": row((303, 303, 303, 200), "/"),
    "gallery.page": row(
        ACCOUNT,
        "/gallery",
        "/gallery?view=list",
        "/gallery?tag=none&kind=image&state=new&sort=size",
        "/gallery?q=a&label=car&attribute=age:>3&attribute=pose&annotator=me&from=2026-01-01",
    ),
    "gallery.show": row(MEMBERS, "/images/{image}", "/images/{image}?collection={slug}"),
    "gallery.receipt": row((404, 404, 404, 303), "/receipts/{nothing}"),
    "gallery.receipts": row(ACCOUNT, "/receipts"),
    "gallery.trash": row(ACCOUNT, "/trash"),
    "jobs.page": row(ACCOUNT, "/jobs"),
    "reference.page": row(EVERYBODY, "/api/docs"),
    "work.adjudicate": row(NOT_YET, "/collections/{slug}/agreement/{round}/{image}/adjudicate"),
    "work.agreement": row(LEADS, "/collections/{slug}/agreement"),
    "work.copy": row((200, 404, 404, 303), "/collections/{slug}/agreement/{round}/{image}"),
    "work.progress": row(MEMBERS, "/collections/{slug}/progress"),
    "work.review": row(
        LEADS, "/collections/{slug}/review", "/collections/{slug}/review?state=skipped"
    ),
    "work.round": row((200, 404, 404, 303), "/collections/{slug}/agreement/{round}"),
    "upload.page": row(ACCOUNT, "/upload", "/upload?collection={slug}"),
}


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """An installation that lets people register, with somebody of every kind."""
    from app import wiring
    from app.crypto.passwords import PasswordCost

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "PASSWORD_COST", PasswordCost(8, 1, 1))
        folder = tmp_path_factory.mktemp("pages")
        environ = environment(folder, REGISTRATION_OPEN="true")
        with running_installation(environ) as installation:
            yield Crowd(installation)


@pytest.fixture(scope="module")
def place(crowd: Crowd) -> Place:
    """One of everything, so that every list has a line and every form a subject."""
    make_place(crowd.installation, trashed=True)
    make_key(crowd.installation)
    make_job(crowd.installation)
    return make_place(crowd.installation)


class Visitor:
    """One person; remembers where links led, since every page has the same frame."""

    def __init__(self, crowd: Crowd, name: str) -> None:
        self._caller = crowd.caller(name)
        self._app = crowd.installation.app
        self._seen: dict[str, int] = {}

    def get(self, path: str) -> TestResponse:
        return self._caller.open("GET", path, headers=HTML)

    def leads_nowhere(self, path: str) -> bool:
        if path not in self._seen:
            self._seen[path] = self.get(path).status_code
        return self._seen[path] >= 400

    def takes(self, method: str, path: str) -> bool:
        """Whether there is a view for a form of this method."""
        try:
            self._app.url_map.bind("localhost").match(urlsplit(path).path, method.upper())
        except HTTPException:
            return False
        return True


@pytest.fixture(scope="module")
def visitors(crowd: Crowd) -> dict[str, Visitor]:
    return {name: Visitor(crowd, name) for name in PEOPLE}


def page_routes() -> set[str]:
    """The endpoints that people open: counted as pages, asked by GET."""
    app = create_app()
    found = set()
    for rule in app.url_map.iter_rules():
        gate = gate_of(app, rule.endpoint)
        is_page = gate is not None and gate.rate == "page" and rule.endpoint != "openapi.spec"
        if is_page and "GET" in (rule.methods or set()):
            found.add(rule.endpoint)
    return found


def test_every_page_has_a_row() -> None:
    assert page_routes() == set(PAGES)


def check(page: Page, path: str, visitor: Visitor) -> None:
    """What goes for every page, error pages too."""
    assert page.lang == "en"
    assert re.fullmatch(r"\S.* · Darkroom", page.title.strip()), page.title
    assert page.headings == 1
    assert page.inline == []
    assert len(page.ids) == len(set(page.ids)), sorted(page.ids)
    writing = [form for form in page.forms if form.method == "post"]
    assert [form for form in writing if "csrf_token" not in form.fields] == []
    assert [
        form
        for form in page.forms
        if form.method != "dialog"
        and not visitor.takes(form.method, urljoin(path, form.action))
    ] == []
    assert [link for link in page.links if is_dead(link, page, path, visitor)] == []


def is_dead(link: str, page: Page, path: str, visitor: Visitor) -> bool:
    if link.startswith(("data:", "blob:")):
        return False
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True  # nothing here needs another site
    address, fragment = urldefrag(urljoin(path, link))
    same = link.startswith("#")
    if same:
        return bool(fragment) and fragment not in page.ids
    return visitor.leads_nowhere(address)


def cases() -> list[Any]:
    return [
        pytest.param(who, status, path, id=f"{who} {path}")
        for told in PAGES.values()
        for path in told.paths
        for who, status in zip(PEOPLE, told.statuses, strict=True)
    ]


@pytest.mark.parametrize(("who", "status", "path"), cases())
def test_the_page(
    visitors: dict[str, Visitor], place: Place, who: str, status: int, path: str
) -> None:
    visitor, path = visitors[who], path.format(**place.names)
    answer = visitor.get(path)
    assert answer.status_code == status, answer.text[:500]
    if status == 303:
        assert not visitors["anonymous"].leads_nowhere(answer.headers["Location"])
        return
    assert answer.mimetype == "text/html"
    check(Page(answer.text), path, visitor)


@pytest.mark.parametrize("who", PEOPLE)
def test_a_page_that_does_not_exist(visitors: dict[str, Visitor], who: str) -> None:
    answer = visitors[who].get("/no/such/page")
    assert answer.status_code == 404
    check(Page(answer.text), "/no/such/page", visitors[who])


def test_the_set_up_page(installation: Installation) -> None:
    answer = installation.app.test_client().get("/", headers=HTML)
    page = Page(answer.text)
    assert (page.lang, page.headings, page.inline) == ("en", 1, [])
    (form,) = page.forms
    assert {"csrf_token", "email", "password"} <= form.fields


@pytest.mark.parametrize(
    ("html", "part"),
    [
        ("<p style='a'>", "inline"),
        ("<p onclick='a'>", "inline"),
        ("<script>a</script>", "inline"),
        ("<style>a</style>", "inline"),
        ("<a href='/x'></a>", "links"),
        ("<img srcset='/x 1x, /y 2x'>", "links"),
        ("<form method=post></form>", "forms"),
    ],
)
def test_the_reader_sees_what_it_looks_for(html: str, part: str) -> None:
    assert getattr(Page(html), part)


def test_the_reader_lets_data_and_files_be() -> None:
    assert Page("<script src='/a.js'></script>").inline == []
    assert Page("<script type='application/json'>{}</script>").inline == []
