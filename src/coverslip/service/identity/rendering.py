"""How a page for people is sent: from a template, with headers that keep it to itself."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Form, Request
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from coverslip.contract.fields import StorableText
from coverslip.service.context import ContextDep
from coverslip.service.identity.errors import CrossSite

_templates = Jinja2Templates(Path(__file__).parent / "pages")

Field = Annotated[StorableText, Form(max_length=4096)]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # No address with a secret is sent on; to ourselves it is, or browsers would hide where a form comes from.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def page(
    request: Request, name: str, status_code: int = 200, *, form_target: str = "", **facts: object
) -> HTMLResponse:
    """A page of the folder ``pages``.

    Parameters
    ----------
    request
        What it answers.
    name
        Its file.
    status_code
        The status of the answer.
    form_target
        Besides us, where its form may end: browsers follow no redirect of a form to elsewhere.
    facts
        What the template shows; all of it is escaped.
    """
    # Nothing from elsewhere, no scripts, and never in a frame.
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {form_target}"
    )
    headers = _HEADERS | {"Content-Security-Policy": policy.rstrip()}
    return _templates.TemplateResponse(request, name, facts, status_code=status_code, headers=headers)


def message(request: Request, title: str, text: str, status_code: int = 200) -> HTMLResponse:
    """A page that says something and asks nothing."""
    return page(request, "message.html", status_code, title=title, text=text)


def refuse_cross_site(request: Request, context: ContextDep) -> None:
    """Take forms from our own pages and from programs, not from pages of other sites.

    Raises
    ------
    CrossSite
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        is_ours = site in ("same-origin", "none")
    else:
        # Browsers say so on safe connections only; on others they name where the form comes from.
        ours = {request.headers.get("host"), urlsplit(context.settings.public_url).netloc}
        is_ours = origin is None or urlsplit(origin).netloc in ours
    if not is_ours:
        raise CrossSite
