"""A report as one HTML file that needs no server and no network."""

from __future__ import annotations

import base64
import gzip
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cnnvis.core.errors import InvalidInputError
from cnnvis.report.encode import data_uri, to_jpeg, to_png
from cnnvis.report.style import minus

Picture = bytes | str | os.PathLike[str] | NDArray[np.uint8]
"""A picture or film: the bytes of a file, its path, or (pictures) an (H, W, 3) array of uint8."""

Cell = str | int | float | None

POLICY = (
    "default-src 'none'; img-src data: blob:; media-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; frame-src blob:"
)
"""Content security policy of the page, which its 3-D view inherits: nothing is fetched from anywhere."""

NUMBER = re.compile(r"[-−+±]?\d|–$")
"""How the text of a number begins; a dash stands for none."""


class Page:
    """Collects the parts of a report in the order they are added; `html` returns the file's text.

    All text is escaped. Pictures, the film and the 3-D view are stored inside the file: it is 4/3 of their size.

    Parameters
    ----------
    title : str
    summary : str
        One sentence on what the report shows.
    """

    def __init__(self, title: str, summary: str) -> None:
        self._title, self._summary = title, summary
        self._warnings: list[str] = []
        self._sections: list[str] = []
        self._parts: list[str] = []
        self._figures = self._tables = 0

    def warning(self, text: str) -> None:
        """Add a line to the warnings box, which stands above everything else."""
        self._warnings.append(text)

    def section(self, title: str) -> None:
        """Begin a section; what is added next stands under its heading."""
        self._sections.append(title)
        self._parts.append(f'<h2 id="section-{len(self._sections)}">{escape(title)}</h2>')

    def text(self, text: str) -> None:
        """Add a paragraph."""
        self._parts.append(f"<p>{escape(text)}</p>")

    def facts(self, facts: Mapping[str, Cell]) -> None:
        """Add a list of names and values: model, image, versions ..."""
        lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(_cell(value))}</dd>" for name, value in facts.items())
        self._parts.append(f"<dl>{lines}</dl>")

    def prediction(
        self, names: Sequence[str], probabilities: ArrayLike, *, image: Picture | None = None, alt: str = ""
    ) -> None:
        """Add the best classes with a bar for each probability, and the image beside them.

        Parameters
        ----------
        names : sequence of str
            Class names, best first.
        probabilities : (K,) array_like of float
            0 to 1, in the order of `names`.
        image : Picture, optional
        alt : str
            What the image shows.
        """
        photo = "" if image is None else f'<img src="{_picture_uri(image, photo=True)}" alt="{escape(alt)}">'
        values = [float(value) for value in np.asarray(probabilities, dtype=np.float64)]
        bars = "".join(_bar(name, value) for name, value in zip(names, values, strict=True))
        self._parts.append(f'<div class="prediction">{photo}<ol>{bars}</ol></div>')

    def figure(self, picture: Picture, caption: str, *, alt: str, photo: bool = False) -> None:
        """Add a numbered figure that a click enlarges.

        Parameters
        ----------
        picture : Picture
        caption : str
            Shown below it.
        alt : str
            What it shows, for who cannot see it.
        photo : bool, default: False
            Store an array as JPEG: for photographs and for large pictures of noise-like maps.
        """
        number = self._next_figure()
        image = f'<img src="{_picture_uri(picture, photo=photo)}" alt="{escape(alt)}">'
        button = f'<button type="button" class="enlarge" aria-label="Enlarge figure {number}: {escape(alt)}">'
        self._parts.append(f"<figure>{button}{image}</button>{_caption(number, caption)}</figure>")

    def video(self, film: Picture, caption: str) -> None:
        """Add a film (MP4), which repeats and plays when asked to."""
        number = self._next_figure()
        player = f'<video src="{data_uri(_content(film))}" controls loop muted playsinline preload="metadata"></video>'
        self._parts.append(f"<figure>{player}{_caption(number, caption)}</figure>")

    def view3d(self, html: str, caption: str, *, poster: Picture | None = None) -> None:
        """Add an interactive 3-D view that loads when asked to.

        Parameters
        ----------
        html : str
            A whole HTML page that needs no server, such as pyvista's HTML export. Stored gzipped.
        caption : str
        poster : Picture, optional
            Shown until the view is loaded.
        """
        self._stage("3-D view", "stage", html, caption, poster)

    def view(self, html: str, caption: str, *, poster: Picture | None = None) -> None:
        """Add an interactive page that loads when asked to, as `view3d` does."""
        self._stage("linked views", "stage views", html, caption, poster)

    def _stage(self, what: str, style: str, html: str, caption: str, poster: Picture | None) -> None:
        number = self._next_figure()
        content = html.encode("utf-8")
        packed = base64.b64encode(gzip.compress(content, 9, mtime=0)).decode("ascii")
        image = "" if poster is None else f'<img src="{_picture_uri(poster)}" alt="Picture of the {what}">'
        self._parts.append(
            f'<figure><div class="{style}" data-title="{escape(caption)}">{image}'
            f'<button type="button">Load the interactive {what} ({_size(len(content))})</button>'
            f'<script type="text/plain">{packed}</script></div>{_caption(number, caption)}</figure>'
        )

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[Cell]], caption: str) -> None:
        """Add a numbered table; the first column names the row, columns of numbers are set flush right.

        Floats are shown with three decimals, None and NaN as a dash; give strings for any other form.
        """
        self._tables += 1
        label = f"<figcaption><b>Table {self._tables}.</b> {escape(caption)}</figcaption>"
        self._parts.append(f"<figure>{label}{_table(columns, rows, caption)}</figure>")

    def files(self, entries: Iterable[tuple[str, str, int]]) -> None:
        """Add links to files beside the report: (name relative to the page, what it is, bytes)."""
        rows = "".join(_file_row(*entry) for entry in entries)
        head = '<th scope="col">file</th><th scope="col">content</th><th scope="col" class="number">size</th>'
        self._parts.append(
            f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        )

    def timings(self, seconds: Mapping[str, float], *, total: float) -> None:
        """Add a table of stages with their times in seconds, and the wall time; stages may overlap."""
        rows = [(stage, f"{time:.2f}") for stage, time in seconds.items()]
        rows.append(("wall time until here", f"{total:.2f}"))
        self.table(("stage", "seconds"), rows, "Time each stage took, in seconds.")

    def command(self, command: str) -> None:
        """Add a command line to copy."""
        self._parts.append(f"<pre><code>{escape(command)}</code></pre>")

    def html(self) -> str:
        """Return the whole page. The same parts give the same text."""
        # Read here: a page is written once, and the package data need not be loaded before.
        style, script = (files("cnnvis.report").joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
        links = "".join(
            f'<li><a href="#section-{number}">{escape(title)}</a></li>'
            for number, title in enumerate(self._sections, 1)
        )
        nav = f'<nav aria-label="Sections"><ul>{links}</ul></nav>' if links else ""
        body = "\n".join(self._parts)
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
            f"<title>{escape(self._title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
            f'<header><h1>{escape(self._title)}</h1><p class="summary">{escape(self._summary)}</p>{nav}</header>\n'
            f"<main>\n{self._warning_box()}{body}\n</main>\n"
            "<footer>Written by cnnvis. Everything shown is inside this file; nothing is fetched.</footer>\n"
            f'<dialog aria-label="Enlarged figure"></dialog>\n<script>\n{script}</script>\n</body>\n</html>\n'
        )

    def _next_figure(self) -> int:
        self._figures += 1
        return self._figures

    def _warning_box(self) -> str:
        if not self._warnings:
            return ""
        lines = "".join(f"<li>{escape(text)}</li>" for text in self._warnings)
        return f'<div class="warnings" role="note"><h2>Please note</h2><ul>{lines}</ul></div>\n'


def _caption(number: int, caption: str) -> str:
    return f"<figcaption><b>Figure {number}.</b> {escape(caption)}</figcaption>"


def _cell(value: Cell) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return minus(f"{value:.3f}") if isinstance(value, float) else str(value)


def _table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], caption: str) -> str:
    texts = [[_cell(value) for value in row] for row in rows]
    if any(len(row) != len(columns) for row in texts):
        raise InvalidInputError(f"Table {caption!r}: every row needs {len(columns)} cells, one per column.")
    numeric = [all(NUMBER.match(row[column]) for row in texts) for column in range(len(columns))]
    kinds = [' class="number"' if number else "" for number in numeric]
    head = "".join(f'<th scope="col"{kind}>{escape(name)}</th>' for name, kind in zip(columns, kinds, strict=True))
    body = "".join(f"<tr>{_row(row, kinds)}</tr>" for row in texts)
    # A wide table scrolls on its own; the focus lets the keyboard do it.
    box = f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(caption)}">'
    return f"{box}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _row(row: Sequence[str], kinds: Sequence[str]) -> str:
    cells = [f"<td{kind}>{escape(text)}</td>" for text, kind in zip(row, kinds, strict=True)]
    return f'<th scope="row"{kinds[0]}>{escape(row[0])}</th>' + "".join(cells[1:])


def _bar(name: str, value: float) -> str:
    share = min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0
    label = f"{100 * value:.1f} %" if math.isfinite(value) else "NaN"
    return (
        f'<li><div class="line"><span>{escape(name)}</span><span>{label}</span></div>'
        f'<div class="track"><div style="width:{100 * share:.2f}%"></div></div></li>'
    )


def _file_row(name: str, content: str, size: int) -> str:
    # "./" keeps a name such as "javascript:x" a file name.
    link = f'<a href="./{escape(quote(name))}">{escape(name)}</a>'
    return f'<tr><th scope="row">{link}</th><td>{escape(content)}</td><td class="number">{_size(size)}</td></tr>'


def _size(n_bytes: int) -> str:
    """Return a number of bytes as a reader knows it from a file manager."""
    if n_bytes < 1000:
        return f"{n_bytes} bytes"
    return f"{n_bytes / 1e3:.0f} kB" if n_bytes < 1e6 else f"{n_bytes / 1e6:.1f} MB"


def _picture_uri(picture: Picture, *, photo: bool = False) -> str:
    if isinstance(picture, np.ndarray):
        return data_uri(to_jpeg(picture) if photo else to_png(picture))
    return data_uri(_content(picture))


def _content(source: Any) -> bytes:
    return source if isinstance(source, bytes) else Path(source).read_bytes()
