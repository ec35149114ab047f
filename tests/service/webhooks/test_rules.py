"""The rules of webhooks: addresses, waits, ends, signatures."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coverslip.fetching.allow_list import AllowList
from coverslip.service.webhooks.rules import ORDERED_ATTEMPTS, delay_after, fault_of_url, is_given_up
from coverslip.service.webhooks.signing import signature


class TestRules:
    def test_the_signature_is_that_of_the_specification(self) -> None:
        """The test vector that the libraries of Standard Webhooks share."""
        secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
        found = signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [secret])
        assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

    @given(failures=st.integers(1, 10_000), jitter=st.floats(0, 1), asked=st.none() | st.floats(0, 1e9))
    def test_the_wait_grows_and_has_an_end(self, failures: int, jitter: float, asked: float | None) -> None:
        delay = delay_after(failures, first_s=5, jitter=jitter, retry_after_s=asked)
        usual = min(5 * 3 ** min(failures - 1, 20), 4 * 3600)
        assert 0.8 * usual <= delay.total_seconds() <= max(1.2 * usual, min(asked or 0, 4 * 3600))

    def test_with_the_usual_wait_a_delivery_is_tried_for_a_day(self) -> None:
        trying_for, attempts = timedelta(), 1
        while True:
            delay = delay_after(attempts, first_s=5, jitter=0.5, retry_after_s=None)
            if is_given_up(trying_for=trying_for, delay=delay):
                break
            trying_for, attempts = trying_for + delay, attempts + 1
            if attempts == ORDERED_ATTEMPTS + 1:
                assert timedelta(minutes=9) < trying_for - delay < timedelta(minutes=11)
        assert timedelta(hours=18) < trying_for <= timedelta(hours=24)
        assert 10 < attempts < 16

    @pytest.mark.parametrize(
        ("url", "is_fine"),
        [
            ("https://lims.example/hook?key=1", True),
            ("https://8.8.8.8:8443/", True),
            ("http://lims.hospital.example/hook", True),
            ("http://10.1.2.3:9000/", True),
            ("http://lims.example/hook", False),
            ("http://lims.hospital.example.evil.example/", False),
            ("http://lims.hospital.example@evil.example/", False),
            ("http://evil.example\\@lims.hospital.example/", False),
            ("https://ada:secret@lims.example/", False),
            ("ftp://lims.hospital.example/", False),
            ("https://lims.example:99999/", False),
        ],
    )
    def test_where_a_webhook_may_lead(self, url: str, is_fine: bool) -> None:
        allowed = AllowList(["lims.hospital.example", "10.0.0.0/8"])
        assert (fault_of_url(url, allowed) is None) == is_fine
