"""docs/store-format.md says what the code does, and its known answers are the vectors'."""

import json
import re
from pathlib import Path

import pytest

from app.crypto.aead import ColumnCipher
from app.crypto.blob_header import BlobHeader
from app.crypto.context import Role

TOP = Path(__file__).parents[3]
PAGE = (TOP / "docs" / "store-format.md").read_text()
VALUES = json.loads((TOP / "tests" / "vectors" / "values.json").read_text())
BLOBS = json.loads((TOP / "tests" / "vectors" / "blobs.json").read_text())["vectors"]
ROW = re.compile(r"^\| (\d+) \| (\d+|\.\.) \| (\w+) \|", re.MULTILINE)


def table_under(heading: str) -> list[tuple[str, str, str]]:
    section = PAGE.split(f"# {heading}\n", 1)[1].split("\n#", 1)[0]
    return ROW.findall(section)


def layout_of(documented: type) -> list[tuple[str, str, str]]:
    pattern = r"^ +(\d+) +(\d+|\.\.)  (\w+) "
    return re.findall(pattern, documented.__doc__ or "", re.MULTILINE)


def test_the_page_and_the_class_show_one_header() -> None:
    assert table_under("1.1 Header") == layout_of(BlobHeader)


def test_the_page_and_the_class_show_one_token() -> None:
    assert table_under("5. Encrypted columns") == layout_of(ColumnCipher)


def test_the_page_names_every_role() -> None:
    section = PAGE.split("### 1.2 Roles", 1)[1].split("\n###", 1)[0]
    assert [int(number) for number in re.findall(r"^\| (\d\d) \|", section, re.MULTILINE)] == [
        int(role) for role in Role
    ]


def known_answers() -> dict[str, str]:
    columns, macs = VALUES["columns"], VALUES["macs"]
    one, empty, two = BLOBS[:3]
    return {
        "header tag": one["blob"][0][192:256],
        "one chunk": one["blob"][0][256:],
        "empty": empty["blob"][0][256:],
        "header tag of two chunks": two["blob"][0][192:256],
        "two chunks": two["sha256"],
        "vaultwrap": VALUES["master"]["vaultwrap"],
        "check": VALUES["master"]["check"],
        "backup": VALUES["master"]["backup"],
        "id": VALUES["master"]["id"],
        "wrap": VALUES["wraps"][0]["wrapped"],
        "token": columns["tokens"][0]["token"],
        "etag": macs["etag"]["mac"],
        "blind index": macs["blind_index"]["mac"],
    }


@pytest.mark.parametrize("name", known_answers())
def test_the_page_shows_the_known_answer(name: str) -> None:
    assert f"`{known_answers()[name]}`" in PAGE
