"""Reads a TwiML document into elements.

The text comes from a stranger: no entity is expanded, nothing is loaded, depth and size are bounded.
"""

import functools
from typing import Any, Final

from lxml import etree

from switch_app.errors import TwimlError
from switch_app.twiml.element import Element

SIZE_MAXIMUM: Final = 64 * 1024
"""Bytes of a document; Twilio takes as many (error 11750)."""

_DEPTH_MAXIMUM: Final = 16


def read_document(content: bytes | str) -> tuple[Element, ...]:
    """Return the verbs of a document, in their order.

    Raises:
        TwimlError: when it is too large, no XML, has a document type (and so perhaps entities), is nested too deeply,
            or its root is not `<Response>`.

    """
    try:
        data = content.encode() if isinstance(content, str) else content
    except UnicodeEncodeError:
        raise TwimlError("the document has half of a surrogate pair, which is no character") from None
    if len(data) > SIZE_MAXIMUM:
        raise TwimlError(f"the document has {len(data)} bytes, more than {SIZE_MAXIMUM}")
    # A text that was already decoded says no more of its encoding; what its declaration says is of another file.
    parser = _parser("utf-8" if isinstance(content, str) else None)
    try:
        root = etree.fromstring(data.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        beginning = data[:40].decode(errors="replace")
        raise TwimlError(f"the document is no XML: {error}; it begins with {beginning!r}") from None
    if root.getroottree().docinfo.doctype:
        raise TwimlError("the document has a document type; TwiML has none")
    if root.tag != "Response":
        raise TwimlError("The root element must be the <Response> element", root.sourceline)
    return _element(root, _DEPTH_MAXIMUM).children


@functools.cache
def _parser(encoding: str | None) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        encoding=encoding,
    )


def _element(node: Any, depth: int) -> Element:
    if depth == 0:
        raise TwimlError(f"elements are nested deeper than {_DEPTH_MAXIMUM}", node.sourceline)
    children = tuple(_element(child, depth - 1) for child in node if isinstance(child.tag, str))
    attributes = {str(name): str(value) for name, value in node.attrib.items()}
    text = "".join(str(part) for part in node.itertext())
    return Element(str(node.tag), node.sourceline or 0, attributes, text, children)
