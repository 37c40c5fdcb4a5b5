"""The shared builders of addresses never give one application another's."""

from __future__ import annotations

from werkzeug.routing import BaseConverter, Map, Rule

from tests.fixtures._url_builders import share_url_builders


class Marked(BaseConverter):
    def to_url(self, value: object) -> str:
        return f"m{value}"


def built(rule: Rule, page: object, **converters: type[BaseConverter]) -> str:
    share_url_builders()
    return Map([rule], converters=converters).bind("host").build("page", {"page": page})


def test_rules_that_read_alike_build_by_their_own_converters_and_defaults() -> None:
    for _ in range(2):
        plain = Rule("/a/<int:page>", endpoint="page")
        assert built(plain, 1) == "/a/1"
        assert built(Rule("/a/<int:page>", endpoint="page"), 1, int=Marked) == "/a/m1"
        for default, told in ((1, "/b/m1"), (True, "/b/mTrue"), (1.0, "/b/m1.0")):
            rule = Rule("/b/<int:page>", endpoint="page", defaults={"page": default})
            assert built(rule, default, int=Marked) == told
        rule = Rule("/b/<int:page>", endpoint="page", defaults={"page": 1})
        assert built(rule, 1) == "/b/1"
        rule = Rule("/b/<int:page>", endpoint="page", defaults={"page": [2]})
        assert built(rule, [2], int=Marked) == "/b/m[2]"
