"""Write docs/reference: `python tools/reference`. With `--check` write nothing, and end with 1 if a page is outdated.

The pages are made of the program itself, so they say the same on every machine.
"""

import sys
from pathlib import Path

import api_page
import cli_page
import errors_page
import settings_page

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "reference"
PAGES = {
    "cli.md": cli_page.page,
    "api.md": api_page.page,
    "settings.md": settings_page.page,
    "errors.md": errors_page.page,
}


def main() -> int:
    """Write or check the pages."""
    outdated = []
    for name, page in PAGES.items():
        path, text = FOLDER / name, page()
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        outdated.append(name)
        if "--check" not in sys.argv:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    if "--check" in sys.argv and outdated:
        print(f"docs/reference: {', '.join(outdated)} out of date; run `make docs`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
