"""Made-up requests to every operation: what is answered is what the description says.

Half of them are as the description wants them, half break it somewhere; every third address
names something that is there.
"""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app import create_app
from tests.fixtures.installation import Installation
from tests.fixtures.place import Place, make_job, make_key, make_place

DESCRIPTION = "/api/v1/openapi.json"
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
EXAMPLES = settings(
    max_examples=16,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
PLACES = 4


@pytest.fixture(scope="module")
def schema(site: Installation) -> Any:
    return schemathesis.openapi.from_wsgi(DESCRIPTION, site.app)


@pytest.fixture(scope="module")
def headers(site: Installation) -> dict[str, str]:
    return site.api("owner").headers


@pytest.fixture(scope="module")
def real(site: Installation) -> list[dict[str, str]]:
    """Values for the parameters of addresses; some of it is gone after a while."""
    site.person("admin", admin=True)
    places = [make_place(site, trashed=bool(number % 2)) for number in range(PLACES)]
    return [_parameters(place, str(make_key(site).id), str(make_job(site))) for place in places]


def _parameters(place: Place, key: str, job: str) -> dict[str, str]:
    return {
        "slug": place.slug,
        "image_id": str(place.image),
        "label_id": str(place.label),
        "user_id": str(place.member),
        "key_id": key,
        "job_id": job,
    }


def operations() -> list[Any]:
    paths = create_app().spec["paths"]  # type: ignore[attr-defined]
    return [
        pytest.param(path, method, id=f"{method.upper()} {path}")
        for path, methods in paths.items()
        for method in methods
    ]


@pytest.mark.parametrize(("path", "method"), operations())
def test_the_answer_to_anything_is_as_described(
    schema: Any,
    headers: dict[str, str],
    real: list[dict[str, str]],
    path: str,
    method: str,
) -> None:
    operation = schema[path][method]

    @EXAMPLES
    @given(st.data(), st.sampled_from([*real, {}, {}]))
    def answer(data: st.DataObject, there: dict[str, str]) -> None:
        mode = data.draw(st.sampled_from(list(GenerationMode)))
        try:
            strategy = operation.as_strategy(generation_mode=mode)
            case: Case = data.draw(strategy)
        except schemathesis.errors.SchemathesisError:
            return  # an operation that takes nothing cannot be asked wrongly
        case.path_parameters = _there(case, there)
        case.call_and_validate(headers=headers, checks=CHECKS)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        answer()


def _there(case: Case, there: dict[str, str]) -> dict[str, Any]:
    made = dict(case.path_parameters or {})
    return {name: there.get(name, value) for name, value in made.items()}
