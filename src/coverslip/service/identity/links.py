"""The addresses of one-time links."""

from urllib.parse import parse_qs, urlsplit


def link_secret(link: str) -> str:
    """The secret in the address of a one-time link; a text that is no such address is taken for the secret itself."""
    text = link.strip()
    try:
        return parse_qs(urlsplit(text).query).get("link", [text])[0]
    except ValueError:
        return text
