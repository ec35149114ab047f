"""Signatures, secrets, and addresses that lead where they must not."""

import socket
from typing import Any

import pytest

from harness.people import Person
from harness.receiver import Answer, Receiver
from harness.service import TestService
from harness.webhooks import WEBHOOKS, deliveries, register, until


class TestForgery:
    """Requests that an address should not make the service send."""

    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.2/",
            "https://10.0.0.1/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://[fd00:ec2::254]/",
            "https://2130706434/",
            "https://0.0.0.0/",
        ],
    )
    def test_addresses_that_are_not_public(self, ada: Person, url: str) -> None:
        webhook = register(ada, url)
        answer = ada.post(f"{WEBHOOKS}/{webhook['webhook_id']}/ping").json()
        assert (answer["delivered"], answer["status_code"]) == (False, None)
        assert "not public" in answer["error"]
        ada.submit("a")
        until(lambda: deliveries(ada, webhook)[0]["attempts"] >= 1, "an attempt")
        assert "not public" in deliveries(ada, webhook)[0]["last_error"]

    def test_a_name_that_changes_what_it_resolves_to(
        self, receiver: Receiver, ada: Person, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The address that was checked is connected to, whatever the name resolves to a moment later."""
        real, answers = socket.getaddrinfo, [["8.8.8.8", "192.168.0.1"], ["192.168.0.1"]]

        def resolve(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            if host != "rebinding.example":
                return real(host, port, *args, **kwargs)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers.pop(0)]

        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        webhook = register(ada, "https://rebinding.example/hook")
        answer = ada.post(f"{WEBHOOKS}/{webhook['webhook_id']}/ping").json()
        assert "not public" in answer["error"]
        assert answers == [["192.168.0.1"]]

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_redirects_lead_nowhere(self, receiver: Receiver, ada: Person, status: int) -> None:
        with Receiver() as target:
            receiver.usual = Answer(status, headers=(("location", target.url),))
            webhook = register(ada, receiver.url)
            answer = ada.post(f"{WEBHOOKS}/{webhook['webhook_id']}/ping").json()
            assert (answer["delivered"], answer["status_code"]) == (False, status)
            assert "redirects are not followed" in answer["error"]
            assert target.all == []

    def test_what_is_no_longer_allowed_is_not_sent(self, service: TestService, receiver: Receiver, ada: Person) -> None:
        webhook = register(ada, receiver.url)
        service.database.rows("update webhook set url = 'http://lims.example/'")
        answer = ada.post(f"{WEBHOOKS}/{webhook['webhook_id']}/ping").json()
        assert "must be https" in answer["error"]

    def test_nothing_of_an_answer_is_kept(self, service: TestService, receiver: Receiver, ada: Person) -> None:
        receiver.usual = Answer(500, headers=(("x-inner", "do-not-keep"),))
        register(ada, receiver.url)
        ada.submit("a")
        receiver.wait_for(2, taken=False)
        assert "do-not-keep" not in str(service.database.rows("select webhook_delivery::text from webhook_delivery"))
