"""Markup without its dangers: XML read safely, elements as plain trees.

Used by feeds that speak XML, and by those that speak the same in JSON.
"""

from typing import Any

from lxml import etree

from streams.feeds.base import PayloadError, sniff, without_mark

Tree = dict[str, list[Any]]
"""An element without its namespace: child name to texts and trees, in order."""


def read_xml(payload: bytes) -> Any:
    """Return the root element; entities, DTDs and networks are never touched.

    Some publishers declare UTF-8 and send Windows-1252 (Pelmorex, 2014): then
    the bytes are read as that, since a warning with one wrong letter is worth
    more than none. Raises ``PayloadError``.
    """
    what_else = sniff(payload)
    if what_else is not None:
        raise PayloadError(what_else)
    payload = without_mark(payload)
    try:
        root = _xml_root(payload)
    except etree.XMLSyntaxError as error:
        if _is_utf8(payload) or not _says_utf8(payload):
            msg = f"not well-formed XML: {error}"
            raise PayloadError(msg) from error
        root = read_xml(payload.decode("windows-1252", "replace").encode())
    return root


def _xml_root(payload: bytes) -> Any:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    root = etree.fromstring(payload, parser)
    if root.getroottree().docinfo.internalDTD is not None:
        msg = "the XML has a DOCTYPE; entities and DTDs are refused"
        raise PayloadError(msg)
    return root


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _says_utf8(payload: bytes) -> bool:
    head = payload[:200].partition(b"?>")[0].lower()
    return b"encoding" not in head or b"utf-8" in head


def local_name(element: Any) -> str:
    """Return the element's name without its namespace."""
    return etree.QName(element).localname


def tree_of_xml(element: Any) -> Tree:
    """Return an element's children as a tree; text beside children is dropped."""
    tree: Tree = {}
    for child in element.iterchildren(tag=etree.Element):
        tree.setdefault(local_name(child), []).append(
            tree_of_xml(child) if len(child) else (child.text or "").strip()
        )
    return tree


def tree_of_json(fields: dict[str, Any]) -> Tree:
    """Return a JSON object as the tree that the same in XML would give."""
    tree: Tree = {}
    for name, value in fields.items():
        several = value if isinstance(value, list) else [value]
        tree[name] = [
            tree_of_json(one) if isinstance(one, dict) else str(one).strip()
            for one in several
            if one is not None
        ]
    return tree


def texts(tree: Tree, name: str) -> list[str]:
    """Return the texts of the children of that name, empty ones left out."""
    return [text for text in tree.get(name, []) if isinstance(text, str) and text]


def text_of(tree: Tree, name: str) -> str | None:
    """Return the first text of that name, None where there is none."""
    return next(iter(texts(tree, name)), None)


def trees(tree: Tree, name: str) -> list[Tree]:
    """Return the children of that name that have children themselves."""
    return [child for child in tree.get(name, []) if isinstance(child, dict)]
