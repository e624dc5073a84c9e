"""Missing OpenGL or Qt libraries are found before VTK or Qt could crash."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from cnnvis.core.errors import MissingDependencyError, RenderingUnavailableError
from cnnvis.rendering import _libraries, probe

INFO = probe.RenderingInfo(window="vtkEGLRenderWindow", renderer="llvmpipe (LLVM 15)", version="4.5")

linux = pytest.mark.skipif(sys.platform != "linux", reason="the libraries are looked for on Linux")


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """An empty cache folder, no answer remembered from other tests, VTK free to choose."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    # Set first, so that what the probe itself puts there is undone after the test.
    monkeypatch.setenv(probe.WINDOW_VARIABLE, "")
    monkeypatch.delenv(probe.WINDOW_VARIABLE)
    probe._require_rendering.cache_clear()
    yield
    probe._require_rendering.cache_clear()


@pytest.fixture
def trials(monkeypatch):
    """Replace the trial picture by one that only counts how often it was asked for."""
    asked = []
    monkeypatch.setattr(probe, "_render_trial", lambda: asked.append(1) or INFO)
    return asked


def forget():
    """Do as a new process does: remember nothing but what is in the cache folder."""
    probe._require_rendering.cache_clear()


def install_nothing(monkeypatch):
    """Let no library be loadable, and apt-get be there."""
    for module in (_libraries, probe):
        monkeypatch.setattr(module, "can_load", lambda soname: False)
    monkeypatch.setattr(_libraries, "driver_folders", list)
    monkeypatch.setattr(shutil, "which", lambda program: "/usr/bin/apt-get" if program == "apt-get" else None)


def test_this_machine_renders_and_the_parent_loads_no_vtk():
    code = (
        "import sys, dataclasses, json\n"
        "sys.modules['cnnvis.rendering'] = type(sys)('cnnvis.rendering')\n"  # its __init__ may load VTK, the probe not
        f"sys.modules['cnnvis.rendering'].__path__ = [{os.path.dirname(probe.__file__)!r}]\n"  # noqa: PTH120
        "from cnnvis.rendering.probe import require_rendering\n"
        "info = require_rendering()\n"
        "print(json.dumps([dataclasses.asdict(info), [name for name in sys.modules if name.startswith('vtk')]]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    info, loaded = json.loads(done.stdout)
    assert info["window"].endswith("RenderWindow")
    assert info["renderer"]
    assert info["version"][0].isdigit()
    assert loaded == []
    assert "bad X server" not in done.stderr


@linux
def test_no_library_names_the_command(monkeypatch):
    install_nothing(monkeypatch)
    with pytest.raises(RenderingUnavailableError, match=r"sudo apt-get install libegl1 libgl1-mesa-dri$"):
        probe.require_rendering()


@linux
def test_library_of_the_chosen_window_is_what_counts(monkeypatch):
    monkeypatch.setattr(probe, "can_load", lambda soname: "OSMesa" not in soname)
    monkeypatch.setenv(probe.WINDOW_VARIABLE, "vtkOSOpenGLRenderWindow")
    with pytest.raises(RenderingUnavailableError, match=r"libOSMesa\.so\.8.*unset VTK_DEFAULT_OPENGL_WINDOW"):
        probe.require_rendering()


@linux
def test_unknown_window_lists_the_allowed_ones(monkeypatch):
    monkeypatch.setenv(probe.WINDOW_VARIABLE, "vtkMagicRenderWindow")
    with pytest.raises(RenderingUnavailableError, match=r"vtkMagicRenderWindow.*unset it.*vtkEGLRenderWindow"):
        probe.require_rendering()


@pytest.mark.skipif(sys.platform == "win32", reason="no signals on Windows")
def test_crash_of_the_trial_is_an_error_of_ours(monkeypatch):
    monkeypatch.setattr(probe, "_TRIAL", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(RenderingUnavailableError, match="VTK crashed with SIGSEGV"):
        probe.require_rendering()


@pytest.mark.parametrize(
    ("trial", "message"),
    [
        ("raise SystemExit('the trial picture came out blank')", "came out blank"),
        ("raise SystemExit(3)", "exit status 3"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("print('no json')", "exit status 0"),
        ("print('{}')", "exit status 0"),
        ("pass", "exit status 0"),
    ],
)
def test_failed_trial_says_why_and_what_to_do(monkeypatch, trial, message):
    monkeypatch.setattr(probe, "_TRIAL", trial)
    with pytest.raises(RenderingUnavailableError, match=message) as caught:
        probe.require_rendering()
    assert "\n" not in str(caught.value)
    if sys.platform == "linux":
        assert "To fix: " in str(caught.value)


def test_hanging_trial_is_given_up(monkeypatch):
    monkeypatch.setattr(probe, "_TRIAL", "import time; time.sleep(60)")
    monkeypatch.setattr(probe, "PROBE_SECONDS", 0.5)
    with pytest.raises(RenderingUnavailableError, match=r"within 0\.5 s"):
        probe.require_rendering()


def test_good_answer_is_kept_for_other_processes(trials):
    assert probe.require_rendering() == INFO
    forget()
    assert probe.require_rendering() == INFO
    assert len(trials) == 1


def test_kept_answer_costs_milliseconds(trials):
    probe.require_rendering()
    forget()
    start = time.perf_counter()
    probe.require_rendering()
    assert time.perf_counter() - start < 0.1
    assert len(trials) == 1


def test_bad_answer_is_not_kept(monkeypatch):
    monkeypatch.setattr(probe, "_TRIAL", "raise SystemExit(1)")
    with pytest.raises(RenderingUnavailableError):
        probe.require_rendering()
    monkeypatch.setattr(probe, "_render_trial", lambda: INFO)
    assert probe.require_rendering() == INFO


@pytest.mark.parametrize("content", ["", "{", "null", "[]", '{"window": "x"}', '{"unknown": 1}', "\x00\xff"])
def test_damaged_cache_is_asked_again_and_repaired(trials, content):
    probe.require_rendering()
    file = probe._cache_file(probe._cache_key())
    good = file.read_text()
    file.write_text(content)
    forget()
    assert probe.require_rendering() == INFO
    assert len(trials) == 2
    assert file.read_text() == good
    assert [other.name for other in file.parent.iterdir()] == [file.name]


def test_folder_that_cannot_be_written_is_no_error(trials, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert probe.require_rendering() == INFO
    forget()
    assert probe.require_rendering() == INFO
    assert len(trials) == 2


@pytest.mark.parametrize("variable", ["DISPLAY", "LIBGL_ALWAYS_SOFTWARE", "LD_LIBRARY_PATH", "GALLIUM_DRIVER"])
def test_changed_environment_is_asked_again(monkeypatch, variable):
    before = probe._cache_key()
    monkeypatch.setenv(variable, "changed")
    changed = probe._cache_key()
    assert changed != before
    monkeypatch.setenv("EDITOR", "ed")
    assert probe._cache_key() == changed


def test_changed_system_libraries_are_asked_again(monkeypatch, tmp_path):
    linker_cache = tmp_path / "ld.so.cache"
    linker_cache.write_text("")
    monkeypatch.setattr(probe, "_LINKER_CACHE", linker_cache)
    before = probe._cache_key()
    os.utime(linker_cache, (1, 1))
    changed = probe._cache_key()
    linker_cache.unlink()
    assert len({before, changed, probe._cache_key()}) == 3


@linux
def test_without_display_egl_is_chosen_at_once(trials, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(probe, "can_load", lambda soname: True)
    probe.require_rendering()
    assert os.environ[probe.WINDOW_VARIABLE] == "vtkEGLRenderWindow"


@linux
def test_without_display_and_egl_osmesa_is_chosen(trials, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(probe, "can_load", lambda soname: soname == "libOSMesa.so.8")
    probe.require_rendering()
    assert os.environ[probe.WINDOW_VARIABLE] == "vtkOSOpenGLRenderWindow"


@linux
@pytest.mark.parametrize(
    ("display", "wish"), [(":5", None), (":5", "vtkEGLRenderWindow"), (None, "vtkXOpenGLRenderWindow")]
)
def test_display_and_own_wish_are_respected(trials, monkeypatch, display, wish):
    monkeypatch.delenv("DISPLAY", raising=False)
    for name, value in (("DISPLAY", display), (probe.WINDOW_VARIABLE, wish)):
        if value is not None:
            monkeypatch.setenv(name, value)
    monkeypatch.setattr(probe, "can_load", lambda soname: True)
    probe.require_rendering()
    assert os.environ.get(probe.WINDOW_VARIABLE) == wish


@pytest.mark.parametrize(
    ("renderer", "software"),
    [
        ("llvmpipe (LLVM 15.0.6, 256 bits)", True),
        ("softpipe", True),
        ("NVIDIA GeForce RTX 4090/PCIe/SSE2", False),
        ("Mesa Intel(R) UHD Graphics 620 (KBL GT2)", False),
    ],
)
def test_software_is_told_from_hardware(renderer, software):
    assert probe.RenderingInfo("w", renderer, "4.5").software is software


@linux
def test_window_without_display_says_how(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(RenderingUnavailableError, match=r"DISPLAY is not set.*xvfb-run"):
        probe.require_window()


@linux
def test_window_without_its_libraries_names_them_and_the_command(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(_libraries, "can_load", lambda soname: "xcb-icccm" not in soname)
    monkeypatch.setattr(shutil, "which", lambda program: "/usr/bin/apt-get" if program == "apt-get" else None)
    with pytest.raises(RenderingUnavailableError, match=r"libxcb-icccm\.so\.4.*apt-get install libxcb-icccm4$"):
        probe.require_window()


@linux
def test_window_on_a_dead_display_is_refused(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":987")
    monkeypatch.setattr(probe, "missing", lambda libraries: [])
    with pytest.raises(RenderingUnavailableError, match="DISPLAY=:987 does not answer"):
        probe.require_window()


def test_window_without_qt_names_the_install_line(monkeypatch):
    monkeypatch.setattr(probe.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match="pip install PyQt5"):
        probe.require_window()


@linux
@pytest.mark.qt
@pytest.mark.skipif(not os.environ.get("DISPLAY"), reason="needs a display")
def test_window_opens_where_everything_is_there():
    probe.require_window()


def test_doctor_reports_and_fails_without_rendering(monkeypatch):
    environment = {**os.environ, probe.WINDOW_VARIABLE: "vtkMagicRenderWindow"}
    command = [sys.executable, "-m", "cnnvis", "doctor"]
    good = subprocess.run(command, capture_output=True, text=True, check=False)
    assert good.returncode == 0
    lines = dict(line.split(maxsplit=1) for line in good.stdout.splitlines())
    assert lines["rendering"].startswith("ok: ")
    assert lines["vtk"][0].isdigit()
    if sys.platform == "linux":
        bad = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert bad.returncode == 1
        assert "NOT AVAILABLE: VTK_DEFAULT_OPENGL_WINDOW=vtkMagicRenderWindow" in bad.stdout
        assert bad.stderr == ""
