"""What the band above a picture says of its task, and of a copy of a round."""

from __future__ import annotations

import json

import pytest

from tests.unit.js.conftest import Run

pytestmark = pytest.mark.browser
DONE = {"state": "done", "submitted_at": None, "submitted_by": {"name": "Bob", "you": True}}


@pytest.mark.parametrize(
    ("can", "is_copy", "end"),
    [
        ([], False, "It is read-only. A reviewer can send it back."),
        (["reopen"], False, "It is read-only."),
        (["accept", "reopen"], False, "It waits for a review."),
        ([], True, "It was compared with the others, and stays as it is."),
        (["reopen"], True, "It is read-only."),
    ],
)
def test_what_was_submitted(run: Run, can: list[str], is_copy: bool, end: str) -> None:
    task = json.dumps(DONE | {"can": can})
    words = run("editor/task_words", f"return m.bandOf({task}, {json.dumps(is_copy)}).words;")
    assert words == f"Submitted by you. {end}"
