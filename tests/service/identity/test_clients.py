"""Who may have people sent back to where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from coverslip.service.identity.authorization_request import form_target
from coverslip.service.identity.clients import known_clients
from coverslip.service.settings import ServiceSettings

LOCAL = known_clients({})["aignostics"]


@given(
    host=st.sampled_from(["localhost", "127.0.0.1", "[::1]"]),
    port=st.integers(1, 65535),
    path=st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#\\")),
)
def test_programs_on_the_persons_computer_listen_where_they_can(host: str, port: int, path: str) -> None:
    assert LOCAL.may_receive_at(f"http://{host}:{port}/{path}")


@given(st.text(max_size=40))
def test_nobody_elsewhere_receives_anything(text: str) -> None:
    for address in (text, f"http://{text}", f"http://localhost{text}", f"http://localhost:8989{text}"):
        if LOCAL.may_receive_at(address):
            assert form_target(address).startswith(("http://localhost", "http://127.0.0.1", "http:"))
            assert address.removeprefix("http://").startswith(("localhost", "127.0.0.1", "[::1]"))
            assert not {"@", " ", "\n", "#", "\\"} & set(address.removeprefix("http://").partition("/")[0])


def test_an_operators_client_receives_at_its_own_addresses_to_the_letter() -> None:
    viewer = known_clients({"viewer": ["https://viewer.example/callback"]})["viewer"]
    assert viewer.may_receive_at("https://viewer.example/callback")
    for other in ("https://viewer.example/callback/", "https://viewer.example", "http://localhost:8989/", ""):
        assert not viewer.may_receive_at(other)


@pytest.mark.parametrize("address", ["https://viewer.example/cb", "http://intranet:8000/cb", "org.example.app:/cb"])
def test_addresses_an_operator_may_set(address: str) -> None:
    assert ServiceSettings.__pydantic_validator__.validate_assignment(
        ServiceSettings.model_construct(), "oauth_clients", {"x": [address]}
    )


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "//x", "https://x/#y", "https://", ""])
def test_addresses_nobody_may_set(address: str) -> None:
    with pytest.raises(ValidationError):
        ServiceSettings.__pydantic_validator__.validate_assignment(
            ServiceSettings.model_construct(), "oauth_clients", {"x": [address]}
        )


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("http://localhost:8989/?x", "http://localhost:8989"),
        ("http://[::1]:8989/", "http:"),
        ("https://viewer.example/cb", "https://viewer.example"),
        ("org.example.app:/cb", "org.example.app:"),
    ],
)
def test_what_the_page_lets_its_form_reach(address: str, source: str) -> None:
    assert form_target(address) == source
