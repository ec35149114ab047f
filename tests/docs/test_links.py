"""Every link of every page leads somewhere: to a file of the repository, and to a heading where it names one."""

import re
from pathlib import Path

import pytest
from tests.acceptance.conftest import REPOSITORY

PAGES = [*sorted(REPOSITORY.glob("*.md")), *sorted(REPOSITORY.glob("docs/**/*.md"))]
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def anchors_of(page: Path) -> set[str]:
    """What links to the headings of a page end with."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text())):
        if link.startswith("https://"):
            continue
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert target.is_relative_to(REPOSITORY), link
        assert not heading or heading in anchors_of(target), link


def test_every_page_is_linked() -> None:
    """Whoever starts at the README gets to every page of the documentation and to every picture."""
    found, waiting = set(), [REPOSITORY / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in found:
            continue
        found.add(page)
        if page.suffix == ".md":
            links = (link.partition("#")[0] for link in LINK.findall(FENCE.sub("", page.read_text())))
            waiting += [target for link in links if link and (target := (page.parent / link).resolve()).is_file()]
    pages = {path for kind in ("*.md", "*.svg") for path in (REPOSITORY / "docs").rglob(kind)}
    assert {path for path in pages - found if path.parent.name != "adr"} == set()
