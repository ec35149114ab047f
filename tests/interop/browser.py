"""A browser without a screen: ``browser.py EMAIL PASSWORD ORGANIZATION URL`` signs in on our pages as a person would.

It sends every field that a form holds, follows redirects, and needs nothing but Python. An empty ORGANIZATION takes
the first one offered.
"""

import sys
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin
from urllib.request import Request, urlopen


class FirstForm(HTMLParser):
    """The first form of a page: where it goes, and the fields with the values they have."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: list[tuple[str, str]] = []
        self._done = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if self._done:
            return
        if tag == "form":
            self.action = given.get("action", "")
        elif tag == "input" and self.action is not None:
            self.fields.append((given["name"], given.get("value", "")))

    def handle_endtag(self, tag: str) -> None:
        self._done = self._done or tag == "form"


def main() -> None:
    """Fill in form after form until a page has none."""
    email, password, organization, url = sys.argv[1:]
    with urlopen(url, timeout=30) as answer:
        url, page = answer.url, answer.read().decode()
    while (form := FirstForm(page)).action is not None:
        offered = [value for name, value in form.fields if name == "organization"]
        typed = {"email": email, "password": password, "organization": organization or "".join(offered[:1])}
        fields = {name: typed.get(name) or value for name, value in form.fields}
        target = urljoin(url, form.action) if form.action else url
        with urlopen(Request(target, urlencode(fields).encode()), timeout=30) as answer:
            url, page = answer.url, answer.read().decode()


if __name__ == "__main__":
    main()
