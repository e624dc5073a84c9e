"""What the views of an operation share: the network, its image, the layer that is explained, the answer."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from cnnvis.core import LayerOperation, Provenance, ReceptiveFields
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.surveys.making import origin_of
from cnnvis.viewer.workspace import ModelSource, Workspace

if TYPE_CHECKING:
    from cnnvis.models import Network

KEPT_LAYERS = 8
"""Layers whose values are kept, since one looks back and forth between a few."""

SLOT = "operation"


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A network and the image that it looks at.

    Parameters
    ----------
    network : Network
    inputs : tensor (1, ...)
    image : str
        Its name.
    picture : (H, W, 3) uint8 or None
        None where the input is no image.
    layers : tuple of (name, text)
        That can be explained, in order of execution.
    probabilities : (K,) float64
        Of all classes; empty where the network tells none apart.
    class_names : tuple of str
    origin : Provenance
        Of what was open: of the same network and image, the subject stays, also with an image of one's own.
    epoch : int or None
        Of a training, as whose network it was loaded.
    """

    network: Network
    inputs: Any
    image: str
    picture: NDArray[np.uint8] | None
    layers: tuple[tuple[str, str], ...]
    probabilities: NDArray[np.float64]
    class_names: tuple[str, ...] = ()
    origin: Provenance = field(default_factory=Provenance)
    epoch: int | None = None


class OperationBench(QObject):
    """Explains layers of the network that is open; what takes long is done in threads.

    Parameters
    ----------
    workspace : Workspace

    Attributes
    ----------
    subject : Subject or None
    operation : LayerOperation or None
        The layer that is explained.
    channel : int
    position : tuple of int
        Of the value that is explained.
    fields : ReceptiveFields or None
        Of that layer, once they are known.
    factor : float
        By which the channel is multiplied.
    probabilities : (K,) float64 or None
        What the network answers then; None until it is known.

    Notes
    -----
    Signals: `opened` another network or image; `changed` another layer; `moved` another channel or position;
    `answered` other probabilities.
    """

    opened = Signal()
    changed = Signal()
    moved = Signal()
    answered = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.workspace = workspace
        self.subject: Subject | None = None
        self.operation: LayerOperation | None = None
        self.channel = 0
        self.position: tuple[int, ...] = ()
        self.fields: ReceptiveFields | None = None
        self.factor = 1.0
        self.probabilities: NDArray[np.float64] | None = None
        self._kept: OrderedDict[str, LayerOperation] = OrderedDict()
        self._fields: dict[str, ReceptiveFields] = {}

    # -- network and image -----------------------------------------------------------------------

    def is_of(self, origin: Provenance | None) -> bool:
        """Whether what is explained is the network that something was made of, and its image."""
        known = self.subject
        if known is None or origin is None or origin.model_sha256 != known.origin.model_sha256:
            return False
        if self.workspace.shown_epoch != known.epoch:
            return False
        return not origin.inputs or origin.inputs[:1] == known.origin.inputs[:1]

    def open(self, source: ModelSource | None, image: str | None, layer: str = "", place: tuple[int, ...] = ()) -> None:
        """Load the network that is open, in a thread, and explain a layer.

        Parameters
        ----------
        source : (model, weights) or None
            What it is loaded with; None: by the name it has.
        image : str or None
            A picture file, a sample, or the number of a test image. None: the image of what is open where it can be
            found, else a test image, else the network's example.
        layer : str
            Default: the first that has weights.
        place : tuple of int
            Channel and position in it; default: where it is strongest.
        """
        origin = origin_of(self.workspace)
        if origin is None:
            self.workspace.message.emit("Nothing that is open is of a network: open a model first, under File.")
            return
        model, weights = source or (origin.model, None)
        epoch, run = self.workspace.shown_epoch, self.workspace.run

        def work(tell: Tell) -> Subject:
            from cnnvis.models import load

            if epoch is not None and run is not None:
                named = origin.inputs[0] if origin.inputs else ""
                sample = run.reader.names.index(named) if named in run.reader.names else 0
                network, inputs, name = run.reader.network(epoch, sample)
                if image is not None:
                    inputs, name = _inputs(network, image, origin)
                return _subject(network, inputs, name, origin, epoch)
            network = load(model, weights=weights)
            return _subject(network, *_inputs(network, image, origin), origin)

        def then(subject: Subject) -> None:
            self.subject = subject
            self._kept.clear()
            self._fields.clear()
            self.opened.emit()
            names = [name for name, _ in subject.layers]
            self.explain(layer if layer in names else names[0], place)

        self.workspace.jobs.run(SLOT, work, then, title=f"Operations of {Path(model).name}")

    # -- one layer -------------------------------------------------------------------------------

    def explain(self, layer: str, place: tuple[int, ...] = ()) -> None:
        """Explain a layer, at `place`: (channel, *position); by default where it is strongest."""
        subject = self.subject
        if subject is None:
            return
        if layer in self._kept:
            self._kept.move_to_end(layer)
            self._take(self._kept[layer], place)
            return

        def work(tell: Tell) -> LayerOperation:
            from cnnvis.capture import explain

            found = explain(subject.network, subject.inputs, layer)
            return replace(found, provenance=replace(found.provenance, inputs=(subject.image,)))

        def then(operation: LayerOperation) -> None:
            if subject is self.subject:
                self._kept[layer] = operation
                while len(self._kept) > KEPT_LAYERS:
                    self._kept.popitem(last=False)
                self._take(operation, place)

        self.workspace.jobs.run(SLOT, work, then, title=f"Explaining {layer}")

    def _take(self, operation: LayerOperation, place: tuple[int, ...]) -> None:
        self.operation = operation
        self.fields = self._fields.get(operation.layer)
        fits = len(place) == len(operation.shape) and all(
            0 <= i < n for i, n in zip(place, operation.shape, strict=True)
        )
        channel = place[0] if place and 0 <= place[0] < operation.shape[0] else None
        unit = operation.at(place[0], place[1:]) if fits else operation.at(channel)
        self.channel, self.position = unit.channel, unit.position
        self.factor = 1.0
        self.probabilities = None if self.subject is None else self.subject.probabilities
        self.changed.emit()
        self.answered.emit()
        if self.fields is None:
            self._find_fields(operation.layer)

    def _find_fields(self, layer: str) -> None:
        subject = self.subject
        if subject is None or subject.picture is None or all(name != layer for name, _ in subject.layers[:-1]):
            return

        def work(tell: Tell) -> ReceptiveFields:
            from cnnvis.capture import receptive_fields

            return receptive_fields(subject.network, subject.inputs, layer, progress=tell.progress)[layer]

        def then(fields: ReceptiveFields) -> None:
            if subject is self.subject:
                self._fields[layer] = fields
                if self.operation is not None and self.operation.layer == layer:
                    self.fields = fields
                    self.moved.emit()

        self.workspace.jobs.run("receptive fields", work, then, title=f"What {layer} sees")

    # -- one value -------------------------------------------------------------------------------

    def move(self, channel: int, position: tuple[int, ...]) -> None:
        """Explain another value of the layer."""
        if self.operation is None or (channel, position) == (self.channel, self.position):
            return
        other = channel != self.channel
        self.channel, self.position = channel, position
        self.moved.emit()
        if other and self.factor != 1:
            self.scale(self.factor)

    def step(self, by: int) -> None:
        """Move the position so many further on, row by row, round and round."""
        if self.operation is None or not self.position:
            return
        sizes = self.operation.shape[1:]
        index = int(np.ravel_multi_index(self.position, sizes)) + by
        position = np.unravel_index(index % int(np.prod(sizes)), sizes)
        self.move(self.channel, tuple(int(i) for i in position))

    def scale(self, factor: float) -> None:
        """Multiply the channel by a factor, and find what the network answers then, in a thread."""
        subject, operation, channel = self.subject, self.operation, self.channel
        if subject is None or operation is None or not subject.probabilities.size:
            return
        self.factor = factor

        def work(tell: Tell) -> NDArray[np.float64]:
            from cnnvis.capture import scaled_probabilities

            found: NDArray[np.float64] = scaled_probabilities(
                subject.network, subject.inputs, operation.layer, channel, [factor]
            )[0]
            return found

        def then(probabilities: NDArray[np.float64]) -> None:
            if (subject, operation, channel, factor) == (self.subject, self.operation, self.channel, self.factor):
                self.probabilities = probabilities
                self.answered.emit()

        self.workspace.jobs.run("operation scale", work, then, title=f"{operation.layer} #{channel} times {factor:g}")


def _subject(network: Network, inputs: Any, name: str, origin: Provenance, epoch: int | None = None) -> Subject:
    """Return a network and its image, ready to be explained; for a thread."""
    from cnnvis.capture import trace
    from cnnvis.capture.explaining import SOFTMAX
    from cnnvis.core import LayerRole
    from cnnvis.studies.image_stream import as_picture

    graph = trace(network, inputs)
    layers = [
        (layer.name, f"{layer.name}, {layer.type}")
        for layer in graph.layers
        if layer.role is not LayerRole.INPUT and layer.recordable
    ]
    probabilities = np.empty(0)
    if network.class_names:
        found = network.predict(inputs, k=len(network.class_names))
        probabilities = np.empty(len(found))
        for prediction in found:
            probabilities[prediction.index] = prediction.probability
        if SOFTMAX not in graph:
            layers.append((SOFTMAX, "softmax, of the answer"))
    is_image = inputs.ndim == 4 and inputs.shape[1] in (1, 3)
    return Subject(
        network,
        inputs,
        name,
        as_picture(inputs[0].cpu().numpy()) if is_image else None,
        tuple(layers),
        probabilities,
        tuple(network.class_names or ()),
        origin,
        epoch,
    )


def _inputs(network: Network, image: str | None, origin: Provenance) -> tuple[Any, str]:
    """Return the input of a network and its name: an image that was asked for, or that of what is open.

    Raises
    ------
    CnnvisError
        When it cannot be read.
    """
    from cnnvis.core.errors import CnnvisError
    from cnnvis.models.folders import labelled_parts, one_image

    if image is None:
        named = origin.inputs[0] if origin.inputs else ""
        try:
            testing = labelled_parts(network).testing
            image = str(testing.names.index(named)) if named in testing.names else named or "0"
        except CnnvisError:  # no data set comes along with such classes
            image = named
        if not image:
            return network.example[0], "the example"
    found, name, _ = one_image(network, image)
    return (network.preprocess(found) if isinstance(found, str) else found), name
