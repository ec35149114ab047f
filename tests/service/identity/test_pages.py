"""The pages for people: what is typed into them stays text, and browsers are told to keep it so."""

import html

import httpx
import pytest

from coverslip.service.identity.commands import new_link
from harness.service import TestService

EVIL = "\"'><script>alert(1)</script>{{7*7}}"


def link(service: TestService) -> str:
    made = service.run(new_link(service.context.database, email=None, only_first=True))
    assert made is not None
    return made


def check(page: httpx.Response) -> None:
    assert "<script" not in page.text
    assert "49" not in page.text.split("</style>")[1]
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["X-Frame-Options"] == "DENY"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Content-Type-Options"] == "nosniff"


def test_every_page_escapes_what_it_repeats(service: TestService) -> None:
    secret = link(service)
    form = {"link": secret, "organization": EVIL, "name": EVIL, "email": EVIL, "password": EVIL}
    pages = [
        service.http.get("/welcome", params={"link": EVIL}),
        service.http.get("/welcome", params={"link": secret}),
        service.http.get("/device", params={"user_code": EVIL}),
        service.http.post("/device", data={"user_code": EVIL, "email": EVIL, "password": EVIL}),
        service.http.post("/welcome", data=form | {"link": EVIL}),
        service.http.post("/welcome", data=form),
        service.http.post("/welcome", data=form | {"email": "ada@example.org"}),
    ]
    for page in pages:
        check(page)
    assert [page.status_code for page in pages] == [400, 200, 200, 400, 400, 400, 200]
    assert html.escape(EVIL, quote=False) in html.unescape(pages[5].text).replace("<", "&lt;").replace(">", "&gt;")


def test_a_password_is_never_repeated(service: TestService) -> None:
    form = {"link": link(service), "organization": "x", "name": "x", "email": "x", "password": "a secret of mine"}
    assert "a secret of mine" not in service.http.post("/welcome", data=form).text
    assert "a secret of mine" not in service.http.post("/device", data=form | {"user_code": "x"}).text


@pytest.mark.parametrize(
    "path", ["/oauth/token", "/oauth/device/code", "/oauth/revoke", "/welcome", "/device", "/authorize/organization"]
)
def test_forms_with_nul_and_odd_bytes_are_refused(service: TestService, path: str) -> None:
    names = ("client_id", "grant_type", "link", "user_code", "email", "password", "token", "device_code", "name")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    for value in ("%00", "a%00b", "%ff%fe", "%ED%A0%80", "%", "x" * 5000):
        body = "&".join(f"{name}={value}" for name in names)
        assert service.http.post(path, content=body, headers=headers).status_code < 500
    assert service.http.post(path, content=b"\xff\x00", headers=headers).status_code < 500
    assert service.http.post(path, json={}).status_code in (400, 422)
    assert service.http.post(path, files={"client_id": b"\x00"}).status_code in (400, 422)


def test_the_explorer_needs_nothing_from_elsewhere(service: TestService) -> None:
    page = service.http.get("/api/v1/docs").text
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
        assert f"/assets/{asset}" in page
        assert service.http.get(f"/assets/{asset}").status_code == 200
    assert "https://" not in page
    assert service.http.get("/assets/../app.py").status_code == 404
    assert service.http.get("/assets/..%2fapp.py").status_code == 404


def test_health(service: TestService) -> None:
    answer = service.http.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "UP"})
