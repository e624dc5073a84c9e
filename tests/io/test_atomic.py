"""Whatever stops a write, the old result is intact and nothing else lies about."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from io_samples import MAKE, content

import cnnvis.io
from cnnvis.core.atomic import STALE_AFTER, AtomicWrite
from cnnvis.core.errors import DataMismatchError, OutputError

# Kills itself, for real, when a file is about to be renamed for the n-th time.
KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from io_samples import MAKE
import cnnvis.io
path, left = Path(sys.argv[2]), int(sys.argv[3])
replace = Path.replace
def dying(self, target):
    global left
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return replace(self, target)
Path.replace = dying
cnnvis.io.save(MAKE[path.suffix](seed=5), path)
"""


def save_and_die(path, renames):
    """Save another object over `path` in a process that is killed after so many renames."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(Path(__file__).parent), str(path), str(renames)], check=False
    )
    return done.returncode


@pytest.mark.parametrize("suffix", MAKE)
def test_a_failed_write_leaves_the_old_result(suffix, tmp_path, full_disk):
    path = tmp_path / f"old{suffix}"
    cnnvis.io.save(MAKE[suffix](), path)
    before = content(tmp_path)
    with full_disk(40), pytest.raises(OutputError, match=r"Cannot write .*old") as caught:
        cnnvis.io.save(MAKE[suffix](seed=7), path)
    assert "untouched" in str(caught.value)
    assert content(tmp_path) == before


@pytest.mark.parametrize("suffix", MAKE)
def test_a_failed_first_write_leaves_nothing(suffix, tmp_path, full_disk):
    with full_disk(40), pytest.raises(OutputError):
        cnnvis.io.save(MAKE[suffix](), tmp_path / "new" / "folder" / f"x{suffix}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("suffix", "renames"), [(".vti", 0), (".npy", 0), (".vtm", 0), (".vtm", 2), (".pvd", 1), (".json", 2), (".json", 3)]
)
def test_a_kill_leaves_the_old_result_readable(suffix, renames, tmp_path):
    path = tmp_path / f"x{suffix}"
    cnnvis.io.save(MAKE[suffix](), path)
    before = content(tmp_path)
    assert save_and_die(path, renames) == -signal.SIGKILL
    after = content(tmp_path)
    assert {name: after.get(name) for name in before} == before
    cnnvis.io.load(path)
    cnnvis.io.save(MAKE[suffix](seed=5), path)  # and the next write succeeds
    assert content(tmp_path)[Path(path.name)] != before[Path(path.name)]


def test_a_kill_between_the_files_of_a_pair_is_found_out(tmp_path):
    path = tmp_path / "x.vox"
    cnnvis.io.save(MAKE[".vox"](), path)
    assert save_and_die(path, 1) == -signal.SIGKILL  # new .vox, old .hd of the same size
    with pytest.raises(DataMismatchError, match="sha256 differ"):
        cnnvis.io.load(path)
    cnnvis.io.save(MAKE[".vox"](), path)
    cnnvis.io.load(path)


def test_a_write_removes_the_leftovers_of_a_kill_and_no_others(tmp_path):
    leftover, at_work, other = (tmp_path / name for name in (".x.npy.1.tmp", ".x.npy.2.tmp", ".y.npy.3.tmp"))
    for path in (leftover, at_work, other):
        path.write_bytes(b"half")
    long_ago = time.time() - STALE_AFTER - 60
    for path in (leftover, other):
        os.utime(path, (long_ago, long_ago))
    cnnvis.io.save(np.zeros(3), tmp_path / "x.npy")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".x.npy.2.tmp", ".y.npy.3.tmp", "x.npy"]


def test_folders_are_made(tmp_path):
    path = cnnvis.io.save(np.zeros(3), tmp_path / "a" / "b" / "x.npy")
    assert path.is_file()


@pytest.mark.parametrize("suffix", MAKE)
def test_a_folder_that_cannot_be_used_is_named(suffix, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match=r"the folder .*file.* cannot be used \(Not a directory\)"):
        cnnvis.io.save(MAKE[suffix](), tmp_path / "file" / f"x{suffix}")
    assert content(tmp_path) == {Path("file"): b"not a folder"}


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that refuses new files, also to root")
def test_a_folder_that_takes_no_files_is_named():
    with pytest.raises(OutputError, match=r"x\.npy"):
        cnnvis.io.save(np.zeros(3), "/proc/self/x.npy")


def test_a_folder_in_place_of_the_file(tmp_path):
    (tmp_path / "x.npy").mkdir()
    with pytest.raises(OutputError, match="directory"):
        cnnvis.io.save(np.zeros(3), tmp_path / "x.npy")
    assert [path.name for path in tmp_path.iterdir()] == ["x.npy"]


def test_a_link_stays_a_link(tmp_path):
    target = tmp_path / "elsewhere" / "x.npy"
    cnnvis.io.save(np.zeros(3), target)
    link = tmp_path / "x.npy"
    link.symlink_to(target)
    cnnvis.io.save(np.ones(3), link)
    assert link.is_symlink()
    np.testing.assert_array_equal(np.load(target), np.ones(3))


def test_other_errors_pass_and_clean_up(tmp_path):
    def fail(error):
        with AtomicWrite() as write:
            write.file(tmp_path / "sub" / "x").write_text("half")
            raise error

    for error in (KeyError("mine"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            fail(error)
        assert list(tmp_path.iterdir()) == []


def test_files_are_renamed_in_the_order_given(tmp_path, monkeypatch):
    order = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda self, to: (order.append(to.name), replace(self, to))[1])
    with AtomicWrite() as write:
        write.file(tmp_path / "piece").write_text("1")
        write.file(tmp_path / "index").write_text("2")
        assert not (tmp_path / "piece").exists()
    assert order == ["piece", "index"]
