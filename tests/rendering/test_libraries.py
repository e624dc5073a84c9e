"""The table of system libraries, and its use by the set-up before anything is installed."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from cnnvis.rendering import _libraries
from cnnvis.rendering._libraries import OFFSCREEN, PURPOSES, TESTS, WINDOW, Library, install_hint, missing

linux = pytest.mark.skipif(sys.platform != "linux", reason="the libraries are looked for on Linux")


@pytest.fixture
def only(monkeypatch):
    """Return a function that makes just these programs appear installed."""

    def set_programs(*programs: str) -> None:
        monkeypatch.setattr(shutil, "which", lambda program: f"/usr/bin/{program}" if program in programs else None)

    return set_programs


def test_each_purpose_contains_the_one_before():
    assert set(OFFSCREEN) < set(WINDOW) < set(TESTS)


@linux
def test_library_is_present_when_it_loads(only):
    only("Xvfb")
    assert Library("libc.so.6", "libc6", "glibc").present
    assert not Library("libno_such_thing.so.1", "none", "none").present
    assert Library("Xvfb", "xvfb", "xorg-x11-server-Xvfb").present
    assert not Library("xauth", "xauth", "xorg-x11-xauth").present


@linux
def test_drivers_count_as_present_with_mesa_or_with_nvidia(monkeypatch, tmp_path):
    drivers = Library("dri", "libgl1-mesa-dri", "mesa-dri-drivers")
    monkeypatch.setattr(_libraries, "DRIVER_FOLDERS", (f"{tmp_path}/*/dri",))
    monkeypatch.setattr(_libraries, "can_load", lambda soname: False)
    folder = tmp_path / "x86_64-linux-gnu" / "dri"
    folder.mkdir(parents=True)
    assert not drivers.present
    (folder / "swrast_dri.so").touch()
    assert _libraries.driver_folders() == [folder]
    assert drivers.present
    (folder / "swrast_dri.so").unlink()
    monkeypatch.setattr(_libraries, "can_load", lambda soname: soname == "libEGL_nvidia.so.0")
    assert drivers.present


def test_hint_fits_the_system(only):
    only("apt-get")
    assert install_hint(OFFSCREEN) == "sudo apt-get install libegl1 libgl1-mesa-dri"
    only("dnf")
    assert install_hint(OFFSCREEN) == "sudo dnf install mesa-libEGL mesa-dri-drivers"
    assert install_hint(WINDOW).split().count("libxcb") == 1
    only()
    assert install_hint(OFFSCREEN) == "install what provides libEGL.so.1, Mesa's OpenGL drivers"


def test_nothing_is_missing_elsewhere(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(_libraries, "can_load", lambda soname: False)
    assert missing(TESTS) == []


@linux
@pytest.mark.parametrize("purpose", PURPOSES)
def test_set_up_prints_missing_packages_one_a_line(purpose, only, monkeypatch, capsys):
    only("apt-get")
    monkeypatch.setattr(_libraries, "can_load", lambda soname: False)
    monkeypatch.setattr(_libraries, "driver_folders", list)
    assert _libraries.main([purpose]) == 1
    assert capsys.readouterr().out.split("\n")[:-1] == [library.apt for library in PURPOSES[purpose]]


@linux
def test_set_up_is_silent_when_nothing_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(_libraries, "missing", lambda libraries: [])
    assert _libraries.main(["tests"]) == 0
    assert capsys.readouterr().out == ""


def test_file_runs_by_itself_with_the_standard_library_only():
    done = subprocess.run(
        [sys.executable, "-I", "-S", _libraries.__file__, "offscreen"], capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 1)
    assert done.stderr == ""
