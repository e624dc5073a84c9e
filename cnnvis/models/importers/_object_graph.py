"""What TensorFlow 2 calls its variables: the graph of objects that it keeps in a checkpoint.

Source: tensorflow/core/protobuf/trackable_object_graph.proto; a scalar text is stored as its length, the check of the
length, and the text (tensor_bundle.cc).
"""

from __future__ import annotations

from cnnvis.models.importers._protobuf import fields, varint

KEY = b"_CHECKPOINTABLE_OBJECT_GRAPH"
"""Under which the graph is stored."""


def full_names(stored: bytes) -> dict[bytes, str]:
    """Return "sequential/conv2d/kernel" by key, such as "variables/0/.ATTRIBUTES/VARIABLE_VALUE".

    Raises
    ------
    ValueError
        When it is no graph of objects.
    """
    length, place = varint(stored, 0)
    message = stored[place + 4 :]
    if len(message) != length:
        raise ValueError("the graph of objects is cut short")
    names: dict[bytes, str] = {}
    for node in _parts(message, 1):
        for attribute in _parts(node, 2):
            texts = {number: value for number, value in fields(attribute) if isinstance(value, bytes)}
            if texts.get(2) and 3 in texts:
                names[texts[3]] = texts[2].decode()
    return names


def _parts(message: bytes, wanted: int) -> list[bytes]:
    return [value for number, value in fields(message) if number == wanted and isinstance(value, bytes)]
