"""The recovery kit: what is printed makes the key again, and mistakes are named."""

from __future__ import annotations

import itertools

import pytest

from app.cli.kit_pages import as_html, as_text
from app.crypto.kdf import MasterKey
from app.errors import InvalidInput
from app.services.recovery_kit import Kit, read_kit
from tests.fixtures.installation import Installation

PASSPHRASE = "a passphrase of some length"


def kit_of(site: Installation, **how: object) -> Kit:
    return site.services.recovery_kits.export(**how)


def the_key(site: Installation) -> str:
    return site.environ["ENCRYPTION_KEY"]


def refusal(text: str, passphrase: str | None = None) -> InvalidInput:
    with pytest.raises(InvalidInput) as refused:
        read_kit(text, passphrase)
    return refused.value


def test_the_printed_key_is_read_again(site: Installation) -> None:
    text = as_text(kit_of(site))
    assert read_kit(text).reveal().hex() == the_key(site)
    assert MasterKey(read_kit(text)).id in text


def test_it_is_read_however_it_was_typed(site: Installation) -> None:
    lines = kit_of(site).sheets[0].lines
    typed = "\n".join(line.upper().replace("0", "O").replace("  ", " - ") for line in lines)
    typed = typed.replace(" - ", "  ", 1)
    assert read_kit(typed).reveal().hex() == the_key(site)


def test_every_mistyped_digit_is_told_by_its_line(site: Installation) -> None:
    lines = list(kit_of(site).sheets[0].lines)
    for at, line in enumerate(lines):
        for place in range(4, len(line)):
            if line[place] == " ":
                continue
            wrong = "a" if line[place] not in "aA" else "b"
            changed = [*lines[:at], line[:place] + wrong + line[place + 1 :], *lines[at + 1 :]]
            mistakes = refusal("\n".join(changed)).mistakes
            assert [one.path for one in mistakes] == [f"K{at + 1}"]


def test_missing_and_swapped_lines_are_named(site: Installation) -> None:
    lines = list(kit_of(site).sheets[0].lines)
    assert [one.path for one in refusal("\n".join(lines[:3])).mistakes] == ["K4"]
    swapped = [lines[0].replace("K1", "K2"), lines[1].replace("K2", "K1"), *lines[2:]]
    assert {one.path for one in refusal("\n".join(swapped)).mistakes} == {"K1", "K2"}


def test_a_passphrase_is_needed_and_has_to_be_the_one(site: Installation) -> None:
    text = as_text(kit_of(site, passphrase=PASSPHRASE))
    assert the_key(site)[:16] not in text.replace(" ", "")
    assert read_kit(text, PASSPHRASE).reveal().hex() == the_key(site)
    assert "--passphrase-file" in refusal(text).message
    assert "not the one" in refusal(text, PASSPHRASE + "x").message


def test_any_three_of_five_shares_make_the_key(site: Installation) -> None:
    kit = kit_of(site, shares=5, threshold=3)
    pages = as_text(kit).split("\f")
    assert len(pages) == 5
    for some in itertools.combinations(pages, 3):
        assert read_kit("".join(some)).reveal().hex() == the_key(site)
    assert read_kit("".join(pages)).reveal().hex() == the_key(site)
    words = [" ".join(line.split("  ", 1)[1] for line in one.lines) for one in kit.sheets]
    assert read_kit("\n".join(words[1:4])).reveal().hex() == the_key(site)


def test_too_few_and_wrong_shares_are_named(site: Installation) -> None:
    kit, other = kit_of(site, shares=3, threshold=2), kit_of(site, shares=3, threshold=2)
    one, two, _ = ("\n".join(sheet.lines) for sheet in kit.sheets)
    assert "2 different shares are needed, and 1 were given" in refusal(one).message
    assert "1 were given" in refusal(f"{one}\n{one}").message
    foreign = "\n".join(other.sheets[1].lines)
    assert "not of one kit" in refusal(f"{one}\n{foreign}").message
    unknown = two.replace(two.split()[3], "darkroom", 1)
    assert [m.path for m in refusal(f"{one}\n{unknown}").mistakes] == ["share 2, word 3"]
    known = two.replace(
        two.split()[10], "academic" if two.split()[10] != "academic" else "acid", 1
    )
    assert [m.path for m in refusal(f"{one}\n{known}").mistakes] == ["share 2"]
    short = two.rsplit("\n", 1)[0]
    assert "30 words" in refusal(f"{one}\n{short}").mistakes[0].message
    assert "neither a key nor a share" in refusal("nothing of the kind").message


def test_the_page_stands_alone_and_escapes(site: Installation) -> None:
    page = as_html(kit_of(site, shares=2, threshold=2))
    assert page.count("<section>") == 2
    assert "http" not in page.lower().replace("<!doctype html>", "")
    assert "<script" not in page


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"shares": 3, "threshold": 1}, "at least 2"),
        ({"shares": 3, "threshold": 4}, "at most all"),
        ({"shares": 17, "threshold": 2}, "2 to 16"),
        ({"shares": 1, "threshold": 2}, "whole key"),
        ({"shares": 0}, "2 to 16"),
        ({"shares": -1}, "2 to 16"),
        ({"shares": 2, "threshold": 2, "passphrase": PASSPHRASE}, "no passphrase"),
        ({"passphrase": "short"}, "12 characters"),
    ],
)
def test_nonsense_is_refused(site: Installation, how: dict[str, object], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        kit_of(site, **how)


def test_every_export_is_in_the_audit_log_without_the_key(site: Installation) -> None:
    from app.domain.access import OPERATOR

    kit_of(site, shares=3, threshold=2)
    entry = site.services.audit.page(OPERATOR, limit=1).entries[0]
    assert entry.action == "keys.export_kit"
    assert entry.details is not None
    assert (entry.details["shares"], entry.details["threshold"]) == (3, 2)
    assert the_key(site)[:8] not in str(entry.details)


def test_a_kit_shows_nothing_in_its_repr(site: Installation) -> None:
    kit = kit_of(site)
    assert kit.sheets[0].lines[0][4:8] not in repr(kit)
