"""The XML that S3 speaks."""

import re
from collections.abc import Sequence
from urllib.parse import quote
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from coverslip.service.s3.errors import DocumentMalformed

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
MAX_DELETED_AT_ONCE = 1000

_CONTROL = re.compile(r"[\x00-\x1f\x7f\ufffe\uffff]")

Element = tuple[str, str | Sequence["Element"]]
"""A name, and its text or the elements in it."""


def document(root: str, content: Sequence[Element], *, namespace: str | None = NAMESPACE) -> bytes:
    """An XML document; control characters in it become references, as S3 writes them."""
    opening = root if namespace is None else f'{root} xmlns="{namespace}"'
    body = "".join(_written(element) for element in content)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{opening}>{body}</{root}>'.encode()


def _written(element: Element) -> str:
    name, content = element
    if isinstance(content, str):
        text = _CONTROL.sub(lambda found: f"&#{ord(found[0])};", escape(content))
    else:
        text = "".join(_written(inner) for inner in content)
    return f"<{name}>{text}</{name}>"


def url_encoded(text: str) -> str:
    """A key as ``encoding-type=url`` asks for it."""
    return quote(text)


def keys_to_delete(body: bytes) -> tuple[list[str], bool]:
    """The keys that a request for DeleteObjects names, and whether it wants to hear of failures only.

    Raises
    ------
    DocumentMalformed
        If it is no such request, or names more than 1000 keys.
    """
    # No declarations: they could make a small document large. In UTF-16 they look different, and have NUL bytes.
    if b"<!" in body or b"\x00" in body:
        raise DocumentMalformed
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  # has no declarations
    except ElementTree.ParseError:
        raise DocumentMalformed from None
    keys, quiet = [], False
    for child in root:
        name = child.tag.rpartition("}")[2]
        if name == "Quiet":
            quiet = child.text == "true"
        elif name == "Object":
            key = next((inner.text for inner in child if inner.tag.rpartition("}")[2] == "Key"), None)
            if not key or "\x00" in key:
                raise DocumentMalformed
            keys.append(key)
    if not 1 <= len(keys) <= MAX_DELETED_AT_ONCE:
        raise DocumentMalformed
    return keys, quiet
