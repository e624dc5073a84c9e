"""Jobs in a thread of their own: in order, a few at a time, none after an error."""

import threading
from functools import partial

from cnnvis.training.background import WAITING, BackgroundWriter


def test_no_job_is_done_after_an_error():
    done = []
    background = BackgroundWriter(lambda: done.append("regular"))
    background.put(lambda: done.append(1))
    background.put(lambda: 1 / 0)
    background.put(lambda: done.append(2))
    background.close()
    background.close()
    assert [each for each in done if each != "regular"] == [1]
    assert isinstance(background.error, ZeroDivisionError)


def test_the_regular_job_is_done_without_any_other():
    told = threading.Event()
    background = BackgroundWriter(told.set)
    assert told.wait(10)
    background.close()


def test_garbage_may_be_collected_in_the_thread_that_writes():
    done = []
    background = BackgroundWriter(lambda: None)
    background.put(lambda: (background.close(), done.append(1)))
    background.put(lambda: done.append(2))
    background.close()
    assert done == [1, 2]
    assert background.error is None


def test_a_slow_disk_makes_the_training_wait_rather_than_fill_the_memory():
    gate, given = threading.Event(), []
    background = BackgroundWriter(lambda: None)

    def give():
        for number in range(6):
            background.put(partial(gate.wait, 10))
            given.append(number)

    giver = threading.Thread(target=give)
    giver.start()
    giver.join(0.3)
    assert len(given) == WAITING + 1  # one is being done
    gate.set()
    giver.join(10)
    background.close()
    assert len(given) == 6
