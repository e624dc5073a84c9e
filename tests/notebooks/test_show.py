"""`cnnvis.show`: the right thing in the right place, without a browser and without a kernel."""

from __future__ import annotations

import base64
import html
import io
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import unquote, urlparse
from urllib.request import url2pathname

import numpy as np
import pytest
from PIL import Image

import cnnvis
from cnnvis.core.errors import InvalidInputError, RenderingUnavailableError

SIZE = (160, 100)


@pytest.fixture
def scene():
    scene = cnnvis.Scene()
    scene.add_volume(np.random.default_rng(0).random((4, 6, 8)), name="noise & <more>")
    return scene


@pytest.fixture
def shown(monkeypatch):
    """Be a notebook, and collect the mime bundles that its cell is given."""
    bundles = []

    def display(thing, *, raw=False):
        bundles.append(thing if raw else thing._repr_mimebundle_()[0])

    monkeypatch.delenv("CNNVIS_BACKEND", raising=False)
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=object()))
    monkeypatch.setattr("IPython.display.display", display)
    return bundles


@pytest.fixture
def opened(monkeypatch, tmp_path):
    """Be a script on a machine with a browser, and collect the files that it opens."""
    files = []

    def open_file(uri):
        files.append(Path(url2pathname(unquote(urlparse(uri).path))))
        return True

    monkeypatch.delenv("CNNVIS_BACKEND", raising=False)
    monkeypatch.setenv("BROWSER", "a-browser")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", open_file)
    return files


def picture(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def test_notebook_shows_the_picture_that_render_gives(scene, shown):
    assert cnnvis.show(scene, size=SIZE) is None
    (bundle,) = shown
    pixels = picture(base64.b64decode(bundle["image/png"]))
    np.testing.assert_array_equal(pixels, cnnvis.render(scene, size=SIZE))
    assert "text/html" not in bundle


def test_interactive_shows_the_whole_page_in_a_sandboxed_frame(scene, shown):
    cnnvis.show(scene, size=SIZE, interactive=True)
    (bundle,) = shown
    frame = bundle["text/html"]
    page = html.unescape(re.search('srcdoc="([^"]*)"', frame)[1])
    assert page == cnnvis.rendering.scene_html(scene)
    assert 'width="160" height="100"' in frame
    assert 'sandbox="allow-scripts"' in frame
    assert 'title="noise &amp; &lt;more&gt;"' in frame
    assert bundle["text/plain"] == "noise & <more>"
    # Nothing of the page may close the attribute, and nothing may be fetched.
    assert frame.count("<") == 2
    assert not re.search(r"""(src|href)=["']?http|@import|fetch\(|XMLHttpRequest""", page)


def test_grid_is_one_picture_and_one_page(scene, shown):
    grid = cnnvis.SceneGrid([scene, cnnvis.Scene(title="nothing yet")])
    cnnvis.show(grid, size=SIZE)
    cnnvis.show(grid, size=SIZE, interactive=True)
    assert picture(base64.b64decode(shown[0]["image/png"])).shape == (100, 160, 3)
    assert shown[1]["text/plain"] == "noise & <more>; nothing yet"


@pytest.mark.parametrize(("backend", "kind"), [("static", "image/png"), ("web", "text/html")])
@pytest.mark.parametrize("interactive", [False, True])
def test_the_environment_forces_the_backend_in_a_notebook(scene, shown, monkeypatch, backend, kind, interactive):
    monkeypatch.setenv("CNNVIS_BACKEND", backend)
    cnnvis.show(scene, size=SIZE, interactive=interactive)
    assert kind in shown[0]


def test_a_script_opens_the_page_in_the_browser(scene, opened):
    cnnvis.show(scene, size=SIZE)
    (file,) = opened
    assert file.suffix == ".html"
    assert file.read_text(encoding="utf-8") == cnnvis.rendering.scene_html(scene)


def test_a_script_opens_a_picture_when_forced(scene, opened, monkeypatch):
    monkeypatch.setenv("CNNVIS_BACKEND", "static")
    cnnvis.show(scene, size=SIZE)
    (file,) = opened
    assert file.suffix == ".png"
    np.testing.assert_array_equal(picture(file.read_bytes()), cnnvis.render(scene, size=SIZE))


def test_ipython_in_a_terminal_is_no_notebook(scene, opened, monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", SimpleNamespace)
    cnnvis.show(scene)
    assert len(opened) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is always a display")
def test_without_display_the_error_names_render(scene, opened, monkeypatch, tmp_path):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(RenderingUnavailableError, match=r"cnnvis\.render\("):
        cnnvis.show(scene)
    assert opened == []
    assert list(tmp_path.iterdir()) == []


def test_without_browser_the_error_names_render(scene, opened, monkeypatch, tmp_path):
    monkeypatch.setattr("webbrowser.open", lambda uri: False)
    with pytest.raises(RenderingUnavailableError, match=r"cnnvis\.render\("):
        cnnvis.show(scene)
    assert list(tmp_path.iterdir()) == []


def test_unknown_backend_is_refused_by_name(scene, opened, monkeypatch):
    monkeypatch.setenv("CNNVIS_BACKEND", "statik")
    with pytest.raises(InvalidInputError, match=r"CNNVIS_BACKEND is 'statik'.*static"):
        cnnvis.show(scene)
    assert opened == []


def test_what_is_no_scene_is_refused_with_the_way_out(opened):
    with pytest.raises(InvalidInputError, match=r"got ndarray.*add_volume"):
        cnnvis.show(np.zeros((2, 3, 4)))


def test_importing_it_leaves_ipython_alone():
    code = "import sys, cnnvis.notebook; sys.exit('IPython' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
