"""The bar that shows a library's progress callback."""

from __future__ import annotations

import io
import sys

import pytest

from cnnvis.cli._progress import StageBars, progress_bar
from cnnvis.core.errors import CancelledError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_quiet_writes_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress_bar("recording", quiet=True) as progress:
        progress(1, 2)
    assert terminal.getvalue() == ""


def test_terminal_shows_title_count_and_unit(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress_bar("recording", unit="image") as progress:
        for done in range(1, 8):
            progress(done, 7)
    last = terminal.getvalue().split("\r")[-1]
    assert last.startswith("recording: 100%")
    assert "7/7" in last
    assert "image/s" in last
    assert last.endswith("\n")


def test_total_may_become_known_late_and_steps_may_skip(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with progress_bar("ordering") as progress:
        progress(1, 2)
        progress(9, 10)
        progress(10, 10)
    assert "10/10" in terminal.getvalue().split("\r")[-1]


def test_log_file_gets_one_closing_line(monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    with progress_bar("rendering", unit="frame") as progress:
        for done in range(1, 49):
            progress(done, 48)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("rendering: 48 of 48 (frame), ")


def test_cancelled_work_says_how_far_it_came(monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())

    def work(progress) -> None:
        progress(3, 10)
        raise CancelledError("stopped")

    with pytest.raises(CancelledError), progress_bar("recording") as progress:
        work(progress)
    assert stream.getvalue().startswith("recording: 3 of 10")


def test_work_that_has_nothing_to_count_is_silent(monkeypatch):
    monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
    with progress_bar("recording"):
        pass
    assert stream.getvalue() == ""


def test_a_stage_has_a_bar_while_it_goes_on_and_a_line_when_it_is_done(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    bars = StageBars()
    for done in range(1, 5):
        bars.progress("curves", done, 4)
    assert "curves" in terminal.getvalue()
    assert "/4" in terminal.getvalue()
    bars.done("curves", 1.25)
    assert terminal.getvalue().splitlines()[-1].endswith("1.25 s")
    bars.progress("checks", 1, 2)  # a new bar, from the beginning
    assert "checks" in terminal.getvalue()
    bars.done("checks", 0.5)


def test_stages_in_a_log_file_are_lines_and_quiet_ones_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    bars = StageBars()
    bars.progress("curves", 1, 4)
    bars.done("curves", 1.25)
    assert log.getvalue() == f"{'curves':<30} {1.25:6.2f} s\n"
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    bars = StageBars(quiet=True)
    bars.progress("curves", 1, 4)
    bars.done("curves", 1.25)
    assert terminal.getvalue() == ""
