"""An organization, its people, and the operator of the platform, who belongs to another one."""

from collections.abc import Iterator

import pytest

from coverslip.service.access.principal import Role
from harness.people import Person
from harness.service import TestService


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


@pytest.fixture
def bob(service: TestService, ada: Person) -> Person:
    """Ada's colleague."""
    return service.person(ada.organization_id)


@pytest.fixture
def chief(service: TestService, ada: Person) -> Person:
    """The administrator of Ada's organization."""
    return service.person(ada.organization_id, Role.ADMIN)


@pytest.fixture
def operator(service: TestService) -> Person:
    return service.person(service.organization(), Role.SUPER_ADMIN)


@pytest.fixture
def he_tme(service: TestService) -> Iterator[None]:
    """An application that may have a price, in versions 1.0.0 and 1.1.0; it takes and gives what `test-app` does."""
    application = "insert into application select 'lung-app', name, description, regulatory_classes from application"
    application += " where id = 'test-app'"
    versions = (
        "insert into application_version (application_id, number, changelog, input_artifacts, output_artifacts,"
        " resources, released_at) select 'lung-app', number.number, changelog, input_artifacts, output_artifacts,"
        " resources, released_at from application_version, (values ('1.0.0'), ('1.1.0')) as number (number)"
        " where application_id = 'test-app'"
    )
    for statement in (application, versions):
        service.database.rows(statement)
    yield
    service.clear()
    service.database.forget_application("lung-app")
