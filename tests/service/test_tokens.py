"""Access tokens: what is refused, and that others can check ours."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from harness.people import Person
from harness.service import TestService


def encode(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    header, claims, signature = token.split(".")
    return json.loads(decode(header)), json.loads(decode(claims)), decode(signature)


def unsigned(header: Any, claims: Any) -> str:
    return f"{encode(json.dumps(header).encode())}.{encode(json.dumps(claims).encode())}"


def rs256(key: rsa.RSAPrivateKey, header: Any, claims: Any) -> str:
    text = unsigned(header, claims)
    return f"{text}.{encode(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


@pytest.fixture
def ada(service: TestService) -> Person:
    return service.member()


@pytest.fixture
def platform_key(service: TestService) -> rsa.RSAPrivateKey:
    pem = service.context.issuer.keys.current.as_pem(private=True)
    key = serialization.load_pem_private_key(pem, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def status(service: TestService, token: str) -> int:
    return service.http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).status_code


def test_our_tokens_verify_with_another_library(service: TestService, ada: Person) -> None:
    (jwk,) = service.http.get("/.well-known/jwks.json").json()["keys"]
    assert set(jwk) == {"kty", "n", "e", "kid", "use", "alg"}, "nothing private may be published"
    numbers = rsa.RSAPublicNumbers(e=int.from_bytes(decode(jwk["e"]), "big"), n=int.from_bytes(decode(jwk["n"]), "big"))
    header, claims, signature = parts_of(ada.token)
    signed = ada.token.rpartition(".")[0].encode()
    numbers.public_key().verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())
    assert header == {"alg": "RS256", "typ": "JWT", "kid": jwk["kid"]}
    assert claims["iss"] == f"{service.url}/"
    assert claims["aud"] == ["coverslip-platform"]
    assert (claims["sub"], claims["org_id"]) == (ada.user_id, ada.organization_id)
    assert claims["coverslip-platform/role"] == "member"


def test_a_well_made_token_is_taken(service: TestService, ada: Person, platform_key: rsa.RSAPrivateKey) -> None:
    header, claims, _ = parts_of(ada.token)
    assert status(service, rs256(platform_key, header, claims)) == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 1},
        {"exp": None},
        {"exp": "soon"},
        {"aud": ["another-platform"]},
        {"aud": []},
        {"iss": "https://elsewhere.example/"},
        {"iss": None},
        {"sub": None},
        {"org_id": None},
        {"sub": ["a"]},
        {"sub": "nobody"},
        {"sub": "nobody\x00"},
        {"org_id": "org_of_others"},
    ],
)
def test_a_signed_token_with_wrong_claims_is_refused(
    service: TestService, ada: Person, platform_key: rsa.RSAPrivateKey, changes: dict[str, Any]
) -> None:
    header, claims, _ = parts_of(ada.token)
    changed = {name: value for name, value in (claims | changes).items() if value is not None}
    assert status(service, rs256(platform_key, header, changed)) == 401


def test_a_token_is_good_for_the_organization_it_names_only(service: TestService, ada: Person) -> None:
    other = service.organization()
    token = service.context.issuer.issue(user_id=ada.user_id, organization_id=other, role="admin", client_id="x")
    assert status(service, token) == 401


def test_forged_tokens_are_refused(service: TestService, ada: Person, platform_key: rsa.RSAPrivateKey) -> None:
    header, claims, signature = parts_of(ada.token)
    text, good = ada.token.rpartition(".")[0], encode(signature)
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public_pem = platform_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    jwk = service.http.get("/.well-known/jwks.json").json()["keys"][0]
    confused = []
    for secret in (public_pem, public_pem.strip(), json.dumps(jwk).encode(), decode(jwk["n"])):
        hs256 = unsigned(header | {"alg": "HS256"}, claims)
        confused.append(f"{hs256}.{encode(hmac.digest(secret, hs256.encode(), hashlib.sha256))}")
    forged = [
        *confused,
        rs256(stranger, header, claims),
        rs256(stranger, header | {"kid": "another"}, claims),
        rs256(stranger, header | {"jwk": jwk}, claims),
        unsigned(header | {"alg": "none"}, claims) + ".",
        unsigned(header | {"alg": "none"}, claims) + f".{good}",
        unsigned(header, claims | {"sub": "another"}) + f".{good}",
        f"{text}.{encode(signature[:-1])}",
        f"{text}.",
        text,
    ]
    for token in forged:
        assert status(service, token) == 401, token


@pytest.mark.parametrize(
    "header",
    [
        [],
        "RS256",
        None,
        {},
        {"alg": None},
        {"alg": ["RS256"]},
        {"alg": {}},
        {"alg": "RS256", "kid": None},
        {"alg": "RS256", "kid": ["a"]},
        {"alg": "RS256", "crit": ["exp"]},
        {"alg": "RS256", "b64": False, "crit": ["b64"]},
        {"alg": "dir", "enc": "A256GCM"},
    ],
)
def test_odd_headers_are_refused(service: TestService, ada: Person, header: Any) -> None:
    _, claims, signature = parts_of(ada.token)
    assert status(service, f"{unsigned(header, claims)}.{encode(signature)}") == 401


@pytest.mark.parametrize(
    "token",
    [".", "..", "...", "a.b.c", "\xff.\xff.\xff", "a" * 30_000, encode(b"[" * 20_000) + ".e30.AA", "e30.e30.e30"],
)
def test_what_is_no_token_is_refused(service: TestService, token: str) -> None:
    answer = service.http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}".encode("latin-1")})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Basic YTpi", "Token x"])
def test_other_schemes_are_refused(service: TestService, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for path in ("/api/v1/me", "/api/v1/runs", "/api/v1/applications", "/api/coverslip/v1/objects"):
        assert service.http.get(path, headers=headers).status_code == 401


def test_a_users_token_is_no_workers_and_the_other_way_round(service: TestService, ada: Person) -> None:
    assert ada.post("/api/worker/v1/leases", json={"worker_name": "x", "versions": []}).status_code in (401, 422)
    offer = {"worker_name": "x", "versions": [{"application_id": "test-app", "version_number": "1.0.0"}]}
    assert ada.post("/api/worker/v1/leases", json=offer).status_code == 401
    assert service.worker().http.get("/api/v1/me").status_code == 401


def test_an_id_token_opens_nothing_whatever_its_client_calls_itself(service: TestService, ada: Person) -> None:
    audience = service.settings.audience
    claims = {"sub": ada.user_id, "org_id": ada.organization_id}
    token = service.context.issuer.issue_identity(claims, client_id=audience, nonce=None)
    assert parts_of(token)[1]["aud"] == audience
    assert status(service, token) == 401
