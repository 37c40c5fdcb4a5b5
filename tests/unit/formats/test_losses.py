"""The codes of losses: stable, documented, counted."""

from __future__ import annotations

import re
from pathlib import Path

from app.formats.losses import MEANINGS, Ledger, LossCode, Weight

PAGE = Path(__file__).resolve().parents[3] / "docs" / "exchange.md"


def test_the_page_has_every_code_with_its_weight_and_words() -> None:
    told = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    assert told == [(code, *MEANINGS[code]) for code in LossCode]


def test_a_ledger_has_one_entry_a_code_in_the_order_of_the_enumeration() -> None:
    ledger = Ledger()
    ledger.add(LossCode.ROTATION, "b.xml:3")
    ledger.add(LossCode.MASK, "a.json:$.a[0]", 2)
    ledger.add(LossCode.ROTATION, "c.xml:9")
    first, second = ledger.losses
    assert (first.code, first.place, first.count) == (
        LossCode.MASK,
        "a.json:$.a[0]",
        2,
    )
    assert (second.code, second.place, second.count) == (LossCode.ROTATION, "b.xml:3", 2)
    assert first.weight is Weight.KEPT
    assert Ledger(ledger.losses).losses == ledger.losses
