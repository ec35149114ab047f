"""Two organizations of two users each, all that they make, and an oracle that says who may know what of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from coverslip.contract.identity import ONE_TIME_LINK_GRANT
from coverslip.service.access.principal import Role
from coverslip.service.identity.commands import new_link
from harness.people import Person, grant_request, item_request
from harness.service import TestService

_WORD = re.compile(r"[\w@-]{10,}")
"""Every id, mark and secret is one such word, and stands in answers between other characters."""

_NOT_FOR_ADMINISTRATORS = {"upload", "session", "personal"}
"""What only its owner sees; personal are e-mail addresses, secrets, and the addresses of the slides of a run."""

_ONLY_OWNERS_CHANGE = _NOT_FOR_ADMINISTRATORS | {"object"}

SHARABLE = {"run", "item", "artifact", "share_token"}
"""By kind; of other things, whoever may not change them learns nothing."""


@dataclass(eq=False, kw_only=True)
class Thing:
    """Something that somebody owns.

    Attributes
    ----------
    ids
        As paths name it, and what it lies in.
    part_of
        Who sees that sees this.
    named_by
        Who sees one of those learns its id.
    mark
        A word in what its owner wrote into it.
    secret
        What its holder shows: of a share token, a session or a bucket key.
    deleted
        Somebody has deleted it, and with it what lay in it.
    revoked
        It opens nothing any more.
    """

    kind: str
    owner: Person
    ids: dict[str, str] = field(default_factory=dict)
    part_of: "Thing | None" = None
    named_by: "list[Thing]" = field(default_factory=list)
    mark: str = ""
    secret: str = ""
    deleted: bool = False
    revoked: bool = False

    @property
    def gone(self) -> bool:
        """Whether nobody can find it any more."""
        return self.deleted or (self.part_of is not None and self.part_of.gone)

    @property
    def id(self) -> str:
        """The last of its ids, which is its own."""
        return next(reversed(self.ids.values()))


@dataclass(eq=False, kw_only=True)
class Grant(Thing):
    """``resource`` may be read by ``subject_id``."""

    resource: Thing
    subject_type: str
    subject_id: str


class Tenants:
    """A member and an administrator of each of two organizations; everything in the platform is theirs."""

    def __init__(self, service: TestService) -> None:
        service.clear()
        self.service = service
        self.people = [
            service.person(organization, role)
            for organization in (service.organization(), service.organization())
            for role in (Role.MEMBER, Role.ADMIN)
        ]
        self.things: list[Thing] = []
        self._by_word: dict[str, Thing] = {}
        self._told: dict[Person, set[str]] = {person: set() for person in self.people}
        self._marks = 0
        for person in self.people:
            self._add(Thing(kind="personal", owner=person), person.email.removesuffix(".org"))
            ids = {"organization_id": person.organization_id}
            self.things.append(Thing(kind="organization", owner=person, ids=ids))
            self.things.append(Thing(kind="user", owner=person, ids=ids | {"user_id": person.user_id}))

    # What they make

    def mark(self) -> str:
        """A word that is nowhere else."""
        self._marks += 1
        return f"mark{self._marks:06}"

    def _add(self, thing: Thing, *words: str) -> None:
        """Whoever is told one of ``words`` must see ``thing``."""
        self._by_word |= dict.fromkeys(words, thing)

    def _own(self, thing: Thing) -> Thing:
        self.things.append(thing)
        self._add(thing, thing.id)
        if thing.mark:
            self.write(thing, thing.mark)
        if thing.secret:
            self._add(Thing(kind="personal", owner=thing.owner), thing.secret)
        if thing.part_of is not None:
            thing.part_of.named_by.append(thing)
        return thing

    def write(self, thing: Thing, mark: str) -> None:
        """Its owner, or an administrator, has written ``mark`` into ``thing``."""
        self._add(Thing(kind="text", owner=thing.owner, part_of=thing), mark)

    def submit(self, person: Person, slides: int = 1) -> Thing:
        mark = self.mark()
        requests = []
        for _ in range(slides):
            source = self.mark()
            self._add(Thing(kind="personal", owner=person), source)
            requests.append(item_request(self.mark(), url=f"https://slides.example/{source}.svs"))
        body = {"application_id": "test-app", "items": requests, "custom_metadata": {"mark": mark}}
        run_id = person.post("/api/v1/runs", json=body).raise_for_status().json()["run_id"]
        run = self._own(Thing(kind="run", owner=person, ids={"run_id": run_id}, mark=mark))
        for item in person.items(run_id):
            ids = run.ids | {"item_id": item["item_id"], "external_id": item["external_id"]}
            made = self._own(Thing(kind="item", owner=person, ids=ids, part_of=run, mark=item["external_id"]))
            self._add(made, item["item_id"], *(artifact["input_artifact_id"] for artifact in item["input_artifacts"]))
            for artifact in item["output_artifacts"]:
                ids = run.ids | {"artifact_id": artifact["output_artifact_id"]}
                self._own(Thing(kind="artifact", owner=person, ids=ids, part_of=made))
        return run

    def share_token(self, person: Person) -> Thing:
        made = person.share_token()
        ids = {"share_token_id": made["share_token_id"]}
        return self._own(Thing(kind="share_token", owner=person, ids=ids, secret=made["share_token"]))

    def upload(self, person: Person) -> tuple[Thing, Thing]:
        """A file that was begun, and the object of one that has arrived."""
        begun, done = self.mark(), self.mark()
        announced = {"name": f"{begun}.svs", "size_bytes": 3, "checksum_base64_crc32c": "AAAAAA=="}
        upload = person.post("/api/coverslip/v1/uploads", json=announced).raise_for_status().json()
        url = person.upload(f"{done}.svs", b"slide")
        key = person.get("/api/coverslip/v1/objects", params={"page_size": 5}).json()[0]["object_key"]
        ids = {"number": "1", "upload_id": upload["upload_id"]}
        return (
            self._own(Thing(kind="upload", owner=person, ids=ids, mark=begun)),
            self._own(Thing(kind="object", owner=person, ids={"slide_url": url, "object_key": key}, mark=done)),
        )

    def webhook(self, person: Person, scope: str = "OWN_RUNS") -> Thing:
        """A webhook to this machine, to which the service never sends."""
        mark = self.mark()
        request = {"url": f"https://127.0.0.1:9/{mark}", "scope": scope}
        made = person.post("/api/coverslip/v1/webhooks", json=request).raise_for_status().json()
        return self._own(Thing(kind="webhook", owner=person, ids={"webhook_id": made["webhook_id"]}, mark=mark))

    def deliveries(self, webhook: Thing) -> None:
        """Learn what is on its way to a webhook."""
        answer = webhook.owner.get(f"/api/coverslip/v1/webhooks/{webhook.id}/deliveries")
        for delivery in answer.raise_for_status().json():
            ids = webhook.ids | {"delivery_id": delivery["delivery_id"]}
            if delivery["delivery_id"] not in self._by_word:
                self._own(Thing(kind="delivery", owner=webhook.owner, ids=ids, part_of=webhook))

    def session(self, person: Person) -> Thing:
        secret = self.service.run(new_link(self.service.context.database, email=person.email, only_first=False))
        form = {"grant_type": ONE_TIME_LINK_GRANT, "client_id": "coverslip-cli", "link_secret": secret}
        tokens = self.service.http.post("/oauth/token", data=form).raise_for_status().json()
        known = [thing.id for thing in self.things if thing.kind == "session"]
        found = [each["session_id"] for each in person.get("/api/coverslip/v1/sessions").json()]
        (session_id,) = set(found) - set(known)
        ids = {"session_id": session_id}
        return self._own(Thing(kind="session", owner=person, ids=ids, secret=tokens["refresh_token"]))

    def bucket_key(self, person: Person) -> Thing:
        organization = person.get("/api/v1/me").json()["organization"]
        key = organization["aignostics_bucket_hmac_access_key_id"]
        found = [thing for thing in self.things if thing.ids.get("access_key_id") == key]
        secret = organization["aignostics_bucket_hmac_secret_access_key"]
        return (
            found[0]
            if found
            else self._own(Thing(kind="bucket_key", owner=person, ids={"access_key_id": key}, secret=secret))
        )

    def granted(self, answer: dict[str, Any]) -> Thing:
        """The grant that somebody got in answer to sharing a known thing; it may be known already."""
        resource, subject = self._by_word[answer["resource_id"]], self._by_word.get(answer["subject_id"])
        if answer["grant_id"] in self._by_word:
            return self._by_word[answer["grant_id"]]
        grant = Grant(
            kind="grant",
            owner=resource.owner,
            ids={"grant_id": answer["grant_id"]},
            resource=resource,
            subject_type=answer["subject_type"],
            subject_id=answer["subject_id"],
        )
        self._own(grant)
        for named in (resource, subject):
            if named is not None:
                named.named_by.append(grant)
        return grant

    def share(self, resource: Thing, subject_type: str, subject_id: str) -> Thing:
        """Its owner shares something."""
        kind = "output_artifact" if resource.kind == "artifact" else resource.kind
        request = grant_request(kind, resource.ids.get("item_id", resource.id), subject_type, subject_id)
        return self.granted(resource.owner.post("/api/v1/access/grants", json=request).raise_for_status().json())

    # Who may know what

    def sees(self, person: Person, thing: Thing, secret: str = "") -> bool:
        """Whether ``person`` may read ``thing``, who also shows the ``secret`` of a share token.

        One's own; of one's organization for its administrators, but for some kinds; the objects in the organization's
        bucket; parts of what one sees; and what was granted, and so its parts.
        """
        colleague = person.organization_id == thing.owner.organization_id
        administers = colleague and person.role is Role.ADMIN and thing.kind not in _NOT_FOR_ADMINISTRATORS
        return (
            thing.owner is person
            or administers
            or (colleague and thing.kind == "object")
            or (thing.part_of is not None and self.sees(person, thing.part_of, secret))
            or any(grant.resource is thing and self._reaches(grant, person, secret) for grant in self._grants())
        )

    def changes(self, person: Person, thing: Thing) -> bool:
        """Whether ``person`` may change ``thing``: their own, administrators also most things of their organization."""
        administers = person.role is Role.ADMIN and person.organization_id == thing.owner.organization_id
        return thing.owner is person or (administers and thing.kind not in _ONLY_OWNERS_CHANGE)

    def _grants(self) -> Iterator[Grant]:
        return (thing for thing in self.things if isinstance(thing, Grant) and not thing.revoked)

    def _reaches(self, grant: Grant, person: Person, secret: str) -> bool:
        match grant.subject_type:
            case "user":
                return grant.subject_id == person.user_id
            case "organization_user":
                return grant.subject_id == person.organization_id
            case "organization_admin":
                return grant.subject_id == person.organization_id and person.role is Role.ADMIN
            case _:
                token = self._by_word.get(grant.subject_id)
                return token is not None and bool(secret) and token.secret == secret and not token.revoked

    def parts(self, thing: Thing, *kinds: str) -> list[Thing]:
        """What lies in ``thing``, of these kinds."""
        inside = [part for part in thing.named_by if part.part_of is thing]
        return [found for part in inside for found in (part, *self.parts(part, *kinds)) if found.kind in kinds]

    def leaks(self, person: Person, said: str, told: str, secret: str = "") -> set[str]:
        """The words in an answer that ``person`` may not know, and has not said themselves."""
        already = set(_WORD.findall(unquote(said))) | self._told[person]
        words = set(_WORD.findall(unquote(told))) - already
        return {
            f"{word} of {self._by_word[word].kind} of {self._by_word[word].owner.user_id}"
            for word in words & self._by_word.keys()
            if not self._may_know(person, self._by_word[word], secret)
        }

    def _may_know(self, person: Person, thing: Thing, secret: str) -> bool:
        return any(self.sees(person, place, secret) for place in (thing, *thing.named_by))

    def wrote(self, person: Person, said: str) -> None:
        """``person`` has written this somewhere, and may read it there again, whosever the words were first."""
        self._told[person] |= set(_WORD.findall(unquote(said)))
