"""Jobs: what comes of threads reaches the GUI thread whole, in order, and never stale."""

import threading
import time

import pytest
from qtpy.QtCore import QThread, QTimer

from cnnvis.core.errors import CancelledError, InvalidInputError
from cnnvis.viewer.jobs import PARTIAL_SECONDS, Jobs

pytestmark = pytest.mark.qt


@pytest.fixture
def jobs(qtbot):
    jobs = Jobs()
    yield jobs
    jobs.close()


@pytest.fixture
def heard(jobs):
    """All signals in their order."""
    heard = []
    jobs.started.connect(lambda slot: heard.append(("started", slot)))
    jobs.ended.connect(lambda slot: heard.append(("ended", slot)))
    jobs.failed.connect(lambda slot, error: heard.append(("failed", slot, type(error))))
    jobs.paused.connect(lambda slot, on: heard.append(("paused", slot, on)))
    return heard


def until_cancelled(tell):
    while True:
        tell.progress(0, 0)
        time.sleep(0.001)


def test_work_runs_elsewhere_and_its_result_comes_here(jobs, heard, qtbot):
    here = QThread.currentThread()
    seen = []
    jobs.run(
        "sum",
        lambda tell: (QThread.currentThread() is here, 6 * 7),
        lambda result: seen.append((*result, QThread.currentThread() is here)),
        title="Adding up",
    )
    assert (jobs.busy, jobs.slots, jobs.title("sum")) == (True, ("sum",), "Adding up")
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [(False, 42, True)]
    assert heard == [("started", "sum"), ("ended", "sum")]
    assert (jobs.busy, jobs.slots, jobs.title("sum")) == (False, (), "")


def test_progress_is_told_to_its_end(jobs, qtbot):
    told = []
    jobs.progressed.connect(lambda *values: told.append(values))

    def work(tell):
        for done in range(11):
            tell.progress(done, 10)

    with qtbot.waitSignal(jobs.ended):
        jobs.run("count", work, lambda result: None)
    assert told[-1] == ("count", 10, 10)
    assert told == sorted(told)


def test_a_new_job_of_a_slot_drops_the_old_and_waits_for_it(jobs, heard, qtbot):
    alive, most, results = [], [], []

    def work(tell, name):
        alive.append(name)
        most.append(len(alive))
        try:
            if name == "c":
                return name
            until_cancelled(tell)
        finally:
            alive.remove(name)

    for name in "abc":
        jobs.run("one", lambda tell, name=name: work(tell, name), results.append)
    qtbot.waitUntil(lambda: bool(results))
    assert results == ["c"]
    assert max(most) == 1
    assert heard == [("started", "one"), ("ended", "one")] * 3


def test_a_result_that_comes_after_it_was_cancelled_is_dropped(jobs, heard, qtbot):
    """The work does not look whether it is cancelled: it ends as if it were not."""
    go_on, results = threading.Event(), []
    jobs.run("deaf", lambda tell: go_on.wait(10), results.append)
    jobs.cancel("deaf")
    assert not jobs.busy
    jobs.run("deaf", lambda tell: "newer", results.append)
    go_on.set()
    qtbot.waitUntil(lambda: bool(results))
    assert results == ["newer"]
    assert ("failed", "deaf", CancelledError) not in heard


def test_jobs_of_unlike_slots_run_side_by_side(jobs, qtbot):
    both = threading.Barrier(2, timeout=10)
    done = []
    for slot in ("one", "other"):
        jobs.run(slot, lambda tell: both.wait(), done.append)
    qtbot.waitUntil(lambda: len(done) == 2)


def test_partial_results_are_the_newest_and_seldom(jobs, qtbot):
    shown = []

    def work(tell):
        end = time.monotonic() + 3.5 * PARTIAL_SECONDS
        value = 0
        while time.monotonic() < end:
            tell.progress(value, 0)
            tell.partial(value)
            value += 1
            time.sleep(0.002)
        return value

    with qtbot.waitSignal(jobs.ended, timeout=20000):
        jobs.run(
            "count",
            work,
            lambda total: shown.append(("all", total)),
            partial=lambda value: shown.append(("now", value)),
        )
    *partials, last = shown
    values = [value for _, value in partials]
    assert values == sorted(set(values))
    assert 1 <= len(values) <= 5
    assert last[0] == "all"
    assert values[-1] < last[1]


def test_partial_results_of_a_cancelled_job_are_not_shown(jobs, qtbot):
    shown, finished = [], threading.Event()

    def work(tell):
        tell.partial(1)
        finished.set()

    jobs.run("x", work, shown.append, partial=shown.append)
    assert finished.wait(10)
    jobs.cancel()
    qtbot.wait(60)
    assert shown == []


def test_pause_holds_the_work_at_its_next_report_and_lets_it_go_on(jobs, heard, qtbot):
    steps, results = [], []

    def work(tell):
        for step in range(100_000):
            tell.progress(step, 100_000)
            steps.append(step)
            time.sleep(0.001)
            if step > 50 and len(results) == 1:
                return "done"
        return "never paused"

    jobs.run("steps", work, results.append)
    qtbot.waitUntil(lambda: bool(steps))
    jobs.pause("steps")
    jobs.pause("steps")
    qtbot.wait(30)
    held = len(steps)
    qtbot.wait(60)
    assert len(steps) == held
    assert jobs.is_paused("steps")
    assert not jobs.busy
    assert jobs.slots == ("steps",)
    results.append("resumed")
    jobs.pause("steps", False)
    qtbot.waitUntil(lambda: len(results) == 2)
    assert results[-1] == "done"
    assert heard == [("started", "steps"), ("paused", "steps", True), ("paused", "steps", False), ("ended", "steps")]


def test_a_paused_job_can_be_cancelled(jobs, qtbot):
    stopped = threading.Event()

    def work(tell):
        try:
            until_cancelled(tell)
        finally:
            stopped.set()

    jobs.run("x", work, print)
    jobs.pause("x")
    jobs.cancel("x")
    assert stopped.wait(10)


def test_an_error_is_told_and_the_next_job_runs(jobs, heard, qtbot):
    def wrong(tell):
        raise InvalidInputError("no such thing")

    results = []
    with qtbot.waitSignal(jobs.failed) as failed:
        jobs.run("x", wrong, results.append)
    slot, error = failed.args
    assert (slot, str(error)) == ("x", "no such thing")
    assert error.__traceback__ is not None
    assert heard == [("started", "x"), ("ended", "x"), ("failed", "x", InvalidInputError)]
    jobs.run("x", lambda tell: 1, results.append)
    qtbot.waitUntil(lambda: results == [1])


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), MemoryError()])
def test_even_errors_that_end_programs_end_no_window(jobs, error, qtbot):
    def wrong(tell):
        raise error

    with qtbot.waitSignal(jobs.failed) as failed:
        jobs.run("x", wrong, print)
    assert failed.args == ["x", error]


def test_an_error_where_the_result_is_taken_is_told_too(jobs, heard, qtbot):
    def take(result):
        raise ZeroDivisionError

    with qtbot.waitSignal(jobs.failed):
        jobs.run("x", lambda tell: 1, take)
    assert heard == [("started", "x"), ("ended", "x"), ("failed", "x", ZeroDivisionError)]
    assert not jobs.busy


def test_a_result_may_start_the_next_job_of_its_slot(jobs, heard, qtbot):
    results = []

    def again(result):
        results.append(result)
        if result < 3:
            jobs.run("x", lambda tell: result + 1, again)

    jobs.run("x", lambda tell: 1, again)
    qtbot.waitUntil(lambda: results == [1, 2, 3])
    assert heard == [("started", "x"), ("ended", "x")] * 3


def test_a_result_may_open_a_dialog_that_runs_its_own_events(jobs, qtbot):
    results = []

    def take(result):
        qtbot.wait(80)  # events are handled meanwhile, those of jobs among them
        results.append(result)

    for slot in "ab":
        jobs.run(slot, lambda tell, slot=slot: slot, take)
    qtbot.waitUntil(lambda: sorted(results) == ["a", "b"])


def test_the_window_lives_while_work_holds_no_lock(jobs, qtbot):
    beats = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(time.monotonic()))
    timer.start(10)
    with qtbot.waitSignal(jobs.ended):
        jobs.run("sleep", lambda tell: time.sleep(0.4), print)
    timer.stop()
    assert len(beats) > 10


def test_close_waits_for_threads_and_takes_no_more(qtbot):
    jobs, ended, results = Jobs(), [], []

    def work(tell):
        try:
            until_cancelled(tell)
        finally:
            time.sleep(0.1)
            ended.append(True)

    for slot in "ab":
        jobs.run(slot, work, results.append)
    jobs.run("a", work, results.append)  # waits for the first, and is never begun
    qtbot.waitUntil(lambda: threading.active_count() > 2)
    jobs.close()
    assert ended == [True, True]
    jobs.run("a", work, results.append)
    qtbot.wait(60)
    assert (jobs.busy, results, ended) == (False, [], [True, True])


def test_a_partial_result_is_wanted_when_the_last_one_was_shown_a_while_ago(jobs, qtbot):
    shown, wanted = [], []

    def work(tell):
        for step in range(3):
            while not tell.wants_partial:
                tell.progress(step, 3)
                time.sleep(0.005)
            tell.partial(step)
            wanted.append(tell.wants_partial)

    with qtbot.waitSignal(jobs.ended):
        jobs.run("x", work, lambda result: None, partial=shown.append)
    assert shown[:2] == [0, 1]
    assert wanted == [False] * 3
