"""The XML of .vtm and .pvd files: both are a list of data set files with attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from cnnvis.core.errors import FileFormatError, MissingFileError


class Entry(NamedTuple):
    """One data set of an index: its file, and its other attributes."""

    path: Path
    attributes: Mapping[str, str]


def write_index(path: Path, kind: str, entries: Iterable[Entry], *, folder: Path) -> None:
    """Write an index of VTK's type `kind` to `path`, naming files relative to `folder`.

    `kind` is "vtkMultiBlockDataSet" or "Collection".
    """
    root = ElementTree.Element("VTKFile", type=kind, version="1.0", byte_order="LittleEndian", header_type="UInt64")
    parent = ElementTree.SubElement(root, kind)
    for entry in entries:
        file = entry.path.relative_to(folder.resolve()).as_posix()
        ElementTree.SubElement(parent, "DataSet", {**entry.attributes, "file": file})
    ElementTree.indent(root)
    path.write_bytes(ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")


def read_index(path: Path, kind: str) -> list[Entry]:
    """Return the data sets that an index names, nested blocks included, in the order of the file.

    Raises
    ------
    FileFormatError
        When it is not such an index.
    MissingFileError
        When a file it names does not exist.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise FileFormatError(f"{path} is not XML, or cut short: {error}.") from error
    if root.tag != "VTKFile" or root.get("type") != kind:
        raise FileFormatError(f"{path} is a {root.get('type') or root.tag} file, not a {kind}.")
    entries = []
    for element in root.iter("DataSet"):
        if "file" not in element.attrib:  # an empty block
            continue
        attributes = dict(element.attrib)
        entries.append(Entry(path.parent / attributes.pop("file"), attributes))
    for entry in entries:
        if not entry.path.is_file():
            raise MissingFileError(
                f"{path} names {entry.path}, which does not exist; the folder of pieces belongs beside it."
            )
    return entries


def old_pieces(path: Path, kind: str) -> list[Path]:
    """Return the files that the index at `path` names now; none when there is no such index."""
    try:
        return [entry.path for entry in read_index(path, kind)]
    except (FileFormatError, OSError):
        return []
