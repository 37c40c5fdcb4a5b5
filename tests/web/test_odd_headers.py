"""Whatever the headers say, no route answers with a 500: each is called with six sets of them.

In the order of RFC 9110: conditions, ranges, what is accepted, where it comes from.
"""

from __future__ import annotations

import pytest

from tests.fixtures.callers import Caller, Crowd
from tests.fixtures.installation import Installation
from tests.fixtures.place import Place, make_place
from tests.security.access_table import TABLE, Open, Row

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
ODD = {
    "If-Match": ['""', '"', 'W/""', ",,", '"\xb2"', 'W/"a", ""'],
    "If-None-Match": ['""', '"', 'W/""', ",,", "*", '"a", ""'],
    "If-Modified-Since": ["x", "Thu, 99 Foo 9999", DATE, "9" * 50, "", "-1"],
    "If-Unmodified-Since": ["x", "9" * 50, DATE, "", "-1", "Thu, 99 Foo 9999"],
    "If-Range": ['""', "x", 'W/"a"', DATE, "", '"'],
    "Range": [
        "bytes=",
        "bytes=5-2",
        "bytes=0-1,3-4",
        "x=0-1",
        "bytes=-0",
        "bytes=" + "9" * 5000,
    ],
    "Accept": ["text/html;q=x", "text/html;q=-1", ";;;", "text/html;q=nan", "", "image/*"],
    "Accept-Encoding": ["gzip;q=nan", "*;q=0", "\x7f", "", ",", "gzip;q=1e999"],
    "Accept-Language": ["\xb2", "*;q=nan", "", ",", "x" * 500, "en;q=1e999"],
    "Origin": ["null", "x", "http://\xb2", "http://a:b:c", "", "http://["],
    "Referer": ["x", "http://[", "//", "\xff", "", "http://a:b"],
    "User-Agent": ["", "\xff", "x" * 7000, "\x7f", "(", "%00"],
    "X-Forwarded-For": ["x", ",", "::", "1.2.3.4, x", "", "\xff"],
    "X-Request-ID": ["\xb2", "\x7f", "x" * 5000, "", "a\tb", "%0a"],
}
SETS = [dict(zip(ODD, values, strict=True)) for values in zip(*ODD.values(), strict=True)]


@pytest.fixture(scope="module")
def crowd(site: Installation) -> Crowd:
    return Crowd(site)


@pytest.fixture(scope="module")
def place(crowd: Crowd) -> Place:
    return make_place(crowd.installation)


@pytest.mark.parametrize(
    ("method", "row"),
    [
        pytest.param(method, row, id=f"{method} {endpoint}")
        for (endpoint, method), row in TABLE.items()
    ],
)
def test_no_header_breaks_a_route(
    crowd: Crowd, place: Place, method: str, row: Row | Open
) -> None:
    admin = isinstance(row, Row) and row.admin
    caller: Caller = crowd.caller("admin" if admin else "owner")
    body = {"json": row.json} if isinstance(row, Row) and row.json is not None else {}
    for headers in SETS:
        answer = caller.open(method, row.path.format(**names(place)), headers=headers, **body)
        assert answer.status_code not in {500, 501, 502}


def names(place: Place) -> dict[str, str]:
    """What a fresh one would be made for is not there: refusals are answers too."""
    return place.names | dict.fromkeys(("new", "key", "job"), place.names["nothing"])
