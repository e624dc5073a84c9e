"""What the views of a survey share: the survey, the groups of a layer, the image that is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from cnnvis.core import EdgeSet, Grouping, Survey
from cnnvis.core.survey import MOST_GROUPED
from cnnvis.scene.selection import Selection, Unit
from cnnvis.viewer.jobs import Tell
from cnnvis.viewer.workspace import ModelSource, Workspace

if TYPE_CHECKING:
    from cnnvis.models import Network
    from cnnvis.studies.image_stream import ImageAnswer, ImageStream


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Groups of the channels of a layer: (C, C) similarity, (C,) labels, (C, 2) places of the graph, its links."""

    similarity: NDArray[np.float64]
    labels: NDArray[np.int64]
    places: NDArray[np.float64]
    links: EdgeSet


class SurveyBench(QObject):
    """Holds a survey for its views; what takes long is done in threads.

    Parameters
    ----------
    workspace : Workspace

    Attributes
    ----------
    survey : Survey or None
    whole : Survey or None
        The same, of all its images where `survey` is of the last ones only.
    layer : str
        The layer whose groups are shown.
    groups : dict of str to Groups
        Those found by now.
    answer : ImageAnswer or None
        The image that is looked at.
    number : int
        Of that image, -1 for one's own.
    hovered : (layer, channel) or None

    Notes
    -----
    Signals: `changed` another survey; `grouped` a layer has groups, or another layer is looked at; `answered` another
    image; `pointed` another channel is under the mouse.
    """

    changed = Signal()
    grouped = Signal()
    answered = Signal()
    pointed = Signal()

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace)
        self.workspace = workspace
        self.survey: Survey | None = None
        self.whole: Survey | None = None
        self.layer = ""
        self.groups: dict[str, Groups] = {}
        self.answer: ImageAnswer | None = None
        self.number = self._last = -1
        self.hovered: Unit | None = None
        self._stream: ImageStream | None = None
        workspace.survey_changed.connect(self._take)

    def _take(self) -> None:
        if self.workspace.survey is not None:
            self.show(self.workspace.survey)

    def show(self, survey: Survey) -> None:
        """Look at another survey."""
        self.survey, self.whole, self.groups, self.answer, self._stream = survey, survey, {}, None, None
        self.number = self._last = -1
        self.hovered = None
        self.changed.emit()
        self.show_layer(survey.last_hidden)

    def show_layer(self, layer: str) -> None:
        """Look at the groups of a layer; finds them in a thread the first time."""
        if self.survey is None:
            return
        self.layer = layer
        self.grouped.emit()
        found = self.survey[layer]
        if layer in self.groups or not 1 < found.n_channels <= MOST_GROUPED or self.survey.n_images < 2:
            return
        survey = self.survey

        def then(groups: Groups) -> None:
            if survey is self.survey:
                self.groups[layer] = groups
                self.grouped.emit()

        self.workspace.jobs.run(
            "survey groups", lambda tell: _grouped(survey, layer, tell), then, title=f"Groups of {layer}"
        )

    @property
    def is_recent(self) -> bool:
        """Whether only the last images are looked at."""
        return self.survey is not self.whole

    def regroup(self, rule: Grouping, *, recent: bool) -> None:
        """Group channels by another rule, which the survey keeps; with `recent` look at its last images alone."""
        if self.whole is None:
            return
        before, whole = self.whole, replace(self.whole, grouping=rule)

        def work(tell: Tell) -> Survey:
            from cnnvis.analysis import recent_survey

            return recent_survey(whole) if recent else whole

        def then(survey: Survey) -> None:
            if self.whole is before:
                self.workspace.survey = self.whole = whole
                self.survey, self.groups = survey, {}
                self.changed.emit()
                self.show_layer(self.layer)

        self.workspace.jobs.run("survey rule", work, then, title="Looking at the survey anew")

    # -- images ----------------------------------------------------------------------------------

    def step(self, by: int) -> None:
        """Look at the image so many further on, round and round; from one's own, than the one before it."""
        length = 1 if self._stream is None else len(self._stream)
        self.look_at((self._last + by) % length if self._last >= 0 else 0)

    def look_at(self, image: int | Path) -> None:
        """Pass one of the images, or one's own, through the network, in a thread."""
        if self.survey is None:
            return
        survey, stream, source = self.survey, self._stream, self.workspace.survey_source

        def work(tell: Tell) -> tuple[ImageStream, ImageAnswer]:
            from cnnvis.studies.image_stream import ImageStream  # loads torch, in the thread

            used = ImageStream(survey, _loaded(source)) if stream is None else stream
            tell.progress(0, 1)
            return used, used.of_file(image) if isinstance(image, Path) else used.at(image)

        def then(found: tuple[ImageStream, ImageAnswer]) -> None:
            if survey is self.survey:
                self._stream, self.answer = found
                self.number = -1 if isinstance(image, Path) else image
                if self.number >= 0:
                    self._last = self.number
                self.answered.emit()

        self.workspace.jobs.run("survey image", work, then, title=f"Image {image}")

    @property
    def n_images(self) -> int:
        """Images that can be looked at; 0 before the first."""
        return 0 if self._stream is None else len(self._stream)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes of the answer."""
        if self.answer is None:
            return ()
        names = self.survey.class_names if self.survey is not None else None
        return names or tuple(str(number) for number in range(self.answer.probabilities.size))

    # -- channels --------------------------------------------------------------------------------

    def values(self, layer: str) -> NDArray[np.float64]:
        """Return the (C,) averages that are shown: of the image that is looked at, else over all."""
        if self.survey is None:
            return np.empty(0)
        return self.survey[layer].mean if self.answer is None else self.answer.averages[layer]

    def point_at(self, unit: Unit | None) -> None:
        """Say which channel is under the mouse, in whatever view; one that was not surveyed is none."""
        unit = unit if unit is not None and self.knows(unit) else None
        if unit != self.hovered:
            self.hovered = unit
            self.pointed.emit()

    def select(self, units: frozenset[Unit], *, adding: bool = False) -> None:
        """Select channels, in all views; with `adding` further ones, or fewer where all of them are selected."""
        chosen = Selection(units=units)
        old = self.workspace.scene.selection
        self.workspace.select(old.toggled(chosen) if adding else chosen)

    @property
    def selected(self) -> frozenset[Unit]:
        """Channels that are selected, of those that were surveyed."""
        return frozenset(filter(self.knows, self.workspace.scene.selection.units))

    def knows(self, unit: Unit) -> bool:
        """Whether there is such a channel in the survey; a network that is open as well may have others."""
        layer, channel = unit
        return self.survey is not None and layer in self.survey.layers and channel < self.survey[layer].n_channels

    def text_of(self, unit: Unit) -> str:
        """Return what is known of a channel, in one line."""
        layer, channel = unit
        if self.survey is None or layer not in self.survey.layers:
            return ""
        found = self.survey[layer]
        parts = [f"{layer} #{channel}", f"average {self.values(layer)[channel]:.3g}"]
        parts.append(f"over {self.survey.n_images:,} images {found.mean[channel]:.3g} ± {found.std[channel]:.3g}")
        if found.maps is not None:
            parts.append(f"zero at {found.maps.zero_share[channel]:.0%}")
        if layer in self.groups:
            labels = self.groups[layer].labels
            parts.append(f"group {labels[channel]} of {int((labels == labels[channel]).sum())}")
        images = [int(image) for image in found.top_images[channel][:3] if image >= 0]
        if images:
            parts.append("driven by " + ", ".join(self.survey.image_names.get(image, str(image)) for image in images))
        return " · ".join(parts)


def _loaded(source: ModelSource | None) -> Network | None:
    """Return the network of a survey; None where that is the one of the name it knows."""
    if source is None:
        return None
    from cnnvis.models import load

    return load(source[0], weights=source[1])


def _grouped(survey: Survey, layer: str, tell: Tell) -> Groups:
    from cnnvis.analysis.grouping import grouped, likeness, linked
    from cnnvis.layout import channel_links, force_layout

    alike = likeness(survey[layer], survey.grouping)
    labels, weights = grouped(alike, survey.grouping), linked(alike, survey.grouping)
    seed = survey.grouping.random_state
    places = force_layout(weights, labels, random_state=seed, progress=tell.progress)
    return Groups(alike, labels, places, channel_links(weights, layer))
