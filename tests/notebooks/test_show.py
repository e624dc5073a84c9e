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

    def display(bundle, *, raw, metadata):
        assert raw
        assert metadata == {"image/png": {"alt": bundle["text/plain"]}}
        bundles.append(bundle)

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

    for name in ("CNNVIS_BACKEND", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BROWSER", "a-browser")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", open_file)
    return files


def picture(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def stored_picture(bundle):
    return picture(base64.b64decode(bundle["image/png"]))


@pytest.mark.parametrize("interactive", [False, True])
def test_notebook_always_keeps_the_picture_that_render_gives(scene, shown, interactive):
    assert cnnvis.show(scene, size=SIZE, interactive=interactive) is None
    (bundle,) = shown
    np.testing.assert_array_equal(stored_picture(bundle), cnnvis.render(scene, size=SIZE))
    assert bundle["text/plain"] == "noise & <more>"
    assert ("text/html" in bundle) == interactive


def test_without_a_kernel_to_draw_a_sandboxed_page_covers_the_picture(scene, shown):
    cnnvis.show(scene, size=SIZE)
    (bundle,) = shown
    frame = bundle["text/html"]
    page = html.unescape(re.search('srcdoc="([^"]*)"', frame)[1])
    assert page == cnnvis.rendering.scene_html(scene)
    assert 'width="160" height="100"' in frame
    assert 'sandbox="allow-scripts"' in frame
    assert 'title="noise &amp; &lt;more&gt;"' in frame
    assert (
        re.search(r'<img alt="noise &amp; &lt;more&gt;" [^>]*src="data:image/png;base64,([^"]*)"', frame)[1]
        == (bundle["image/png"])
    )
    # Nothing of the page may close the attribute, and nothing may be fetched.
    assert re.findall("<[/a-z]+", frame) == ["<div", "<img", "<iframe", "</iframe", "</div"]
    assert not re.search(r"""(src|href)=["']?http|@import|fetch\(|XMLHttpRequest""", page)


def test_a_scene_that_no_page_can_draw_is_a_picture(shown):
    matrix = cnnvis.Scene()
    matrix.add_matrix(np.eye(3))
    cnnvis.show(matrix, size=SIZE)
    assert "text/html" not in shown[0]
    assert "image/png" in shown[0]


def test_grid_is_one_picture_and_one_page(scene, shown):
    grid = cnnvis.SceneGrid([scene, cnnvis.Scene(title="nothing yet")])
    cnnvis.show(grid, size=SIZE)
    assert stored_picture(shown[0]).shape == (100, 160, 3)
    assert "srcdoc" in shown[0]["text/html"]
    assert shown[0]["text/plain"] == "noise & <more>; nothing yet"


@pytest.mark.parametrize("backend", ["static", "web"])
@pytest.mark.parametrize("interactive", [False, True])
def test_the_environment_forces_the_backend_in_a_notebook(scene, shown, monkeypatch, backend, interactive):
    monkeypatch.setenv("CNNVIS_BACKEND", backend)
    cnnvis.show(scene, size=SIZE, interactive=interactive)
    assert ("text/html" in shown[0]) == (backend == "web")
    assert "image/png" in shown[0]


def test_the_kernel_is_not_asked_to_draw_where_it_cannot(scene, shown, monkeypatch):
    monkeypatch.setenv("CNNVIS_BACKEND", "trame")
    with pytest.raises(InvalidInputError, match=r"needs trame-pyvista.*web or static"):
        cnnvis.show(scene, size=SIZE)
    assert shown == []


@pytest.mark.parametrize("in_notebook", [False, True])
def test_a_window_opens_when_forced_and_outside_notebooks_where_it_can(scene, request, monkeypatch, in_notebook):
    request.getfixturevalue("shown" if in_notebook else "opened")
    windows = []
    monkeypatch.setattr("cnnvis.viewer.show", windows.append, raising=False)
    monkeypatch.setattr("cnnvis.notebook.showing.require_window", lambda: None)
    if in_notebook:
        monkeypatch.setenv("CNNVIS_BACKEND", "qt")
    cnnvis.show(scene)
    assert windows == [scene]


def test_a_forced_window_without_display_says_why(scene, opened, monkeypatch):
    monkeypatch.setenv("CNNVIS_BACKEND", "qt")
    if sys.platform != "linux":
        pytest.skip("elsewhere there is always a display")
    with pytest.raises(RenderingUnavailableError, match="no display"):
        cnnvis.show(scene)


def test_a_script_cannot_stream(scene, opened, monkeypatch):
    monkeypatch.setenv("CNNVIS_BACKEND", "trame")
    with pytest.raises(InvalidInputError, match="is for notebooks"):
        cnnvis.show(scene)


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
