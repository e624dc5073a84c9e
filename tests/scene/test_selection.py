"""What is taken into a selection, and what out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnnvis.scene import Selection

A, B, C, D = (("a", 0), ("b", 0), ("c", 0), ("b", 1))
UNITS = st.frozensets(st.sampled_from([A, B, C, D]))
ANY = st.builds(
    Selection,
    units=UNITS,
    layers=st.frozensets(st.sampled_from("abc")),
    classes=st.frozensets(st.integers(0, 3)),
)


@pytest.mark.parametrize(
    ("before", "chosen", "after"),
    [
        ({"units": {A}}, {"units": {B}}, {"units": {A, B}}),
        ({"units": {A, B}}, {"units": {B}}, {"units": {A}}),
        ({"units": {A}}, {"units": {A, B}}, {"units": {A, B}}),  # not all of it is there: it is completed
        ({"layers": {"a", "b"}}, {"layers": {"b"}}, {"layers": {"a"}}),
        ({"classes": {3}}, {"classes": {3}}, {}),
        ({"classes": {3}}, {"layers": {"a"}}, {"classes": {3}, "layers": {"a"}}),
    ],
)
def test_what_is_selected_goes_out_and_what_is_not_comes_in(before, chosen, after) -> None:
    assert Selection(**before).toggled(Selection(**chosen)) == Selection(**after)


def test_a_link_takes_its_ends_along_but_for_those_that_other_links_have() -> None:
    path = Selection.of_path([A, B, C])
    assert path.toggled(Selection.of_path([B, C])) == Selection.of_path([A, B])
    assert path.toggled(Selection.of_path([A, B])).toggled(Selection.of_path([B, C])) == Selection()


def test_a_unit_takes_its_links_along() -> None:
    assert Selection.of_path([A, B, C]).toggled(Selection(units={C})) == Selection.of_path([A, B])
    assert Selection.of_path([A, B]).toggled(Selection(units={D})).links == {(A, B)}


@given(ANY, ANY)
def test_after_it_all_or_nothing_of_what_was_chosen_is_selected(before, chosen) -> None:
    after = before.toggled(chosen)
    taken = after.toggled(chosen)
    for name in ("units", "layers", "classes"):
        mine, others = getattr(after, name), getattr(chosen, name)
        assert others <= mine or not others & mine
        assert mine - others == getattr(before, name) - others, "what was not meant stays as it is"
        assert getattr(taken, name) - others == mine - others
    if chosen:
        assert after != before
