"""What holds for every fault loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fixtures.installation import cheap_hashing


@pytest.fixture(scope="module", autouse=True)
def cheap_passwords_of_scenes() -> Iterator[None]:
    """Scenes are made before a single test begins, and verify passwords hundreds of times."""
    with cheap_hashing():
        yield
