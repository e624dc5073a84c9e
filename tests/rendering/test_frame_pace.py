"""What is drawn while something moves keeps time on any machine, and does not change to and fro."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.rendering import _vtk as vtk
from cnnvis.rendering.frame_pace import FAST, FRAME_TIME, LEAST, SLOW, FramePace


class Machine:
    """A pace whose frames take as long as is said: so much for each unit of effort, and so much in any case."""

    def __init__(self, *, each, always=0.0, most=64.0):
        self.each, self.always = each, always
        self.efforts = []
        self.pace = FramePace(vtk.vtkRenderer(), self.efforts.append, lambda: most)
        self.pace.moving = True

    def frame(self, extra=1.0):
        share = (self.always + self.each * self.pace.effort) * extra
        self.pace._judge(share)
        return share

    def frames(self, n, noise=0.0):
        rng = np.random.default_rng(0)
        return [self.frame(1 + rng.uniform(-noise, noise)) for _ in range(n)]


@given(each=st.floats(1 / 50, 10), always=st.floats(0, 0.3))
def test_frames_keep_time_on_quick_and_slow_machines(each, always):
    machine = Machine(each=each, always=always)
    last = machine.frames(20)[-1]
    assert last <= SLOW or machine.pace.effort == LEAST
    assert last >= FAST or machine.pace.effort == 64


@given(each=st.floats(1 / 50, 10), noise=st.floats(0, 0.1))
def test_once_they_do_nothing_changes_to_and_fro(each, noise):
    machine = Machine(each=each)
    machine.frames(20, noise)
    changes = len(machine.efforts)
    machine.frames(200, noise)
    assert len(machine.efforts) <= changes + 1  # one step more, where frames take about as long as is allowed


def test_a_single_slow_frame_is_no_reason():
    machine = Machine(each=0.8)
    machine.frames(4)
    before = machine.pace.effort
    machine.frame(extra=3.0)
    machine.frame()
    assert machine.pace.effort == before
    machine.frame(extra=3.0)
    machine.frame(extra=3.0)
    assert machine.pace.effort < before / 2


def test_a_frame_slow_beyond_measure_is_one():
    machine = Machine(each=20.0)
    machine.frame()
    assert machine.pace.effort == 0.25


def test_no_more_effort_than_is_of_use():
    machine = Machine(each=0.01, most=3.0)
    machine.frames(10)
    assert machine.pace.effort == 3.0
    nothing = Machine(each=0.01, most=0.0)
    nothing.frames(10)
    assert nothing.pace.effort == LEAST


def test_the_effort_is_kept_from_one_movement_to_the_next():
    machine = Machine(each=4.0)
    machine.frames(6)
    found = machine.pace.effort
    machine.pace.moving = False
    assert machine.efforts[-1] == machine.pace.effort == np.inf
    machine.pace.moving = True
    assert machine.efforts[-1] == machine.pace.effort == found < 1


def test_there_is_time_for_the_rest_of_a_tenth_of_a_second():
    assert FRAME_TIME * SLOW < 0.08
