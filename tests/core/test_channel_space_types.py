import numpy as np
import pytest

from cnnvis.core import ChannelSpace, ChannelSpaces, Read
from cnnvis.core.errors import InvalidInputError, LayerNotFoundError

PIXELS = ChannelSpace((), 12, (Read("flatten"),))
STREAM = ChannelSpace(["stem", "block.conv"], 4, [Read("relu"), Read("cat", start=2, block=3)])
CLASSES = ChannelSpace(("fc",), 10, (Read("fc"),), is_output=True)
SPACES = ChannelSpaces([PIXELS, STREAM, CLASSES])


def test_entries_of_channels_by_hand():
    assert Read("cat", start=2, block=3).entries(np.array([2, 0])).tolist() == [8, 9, 10, 2, 3, 4]
    assert Read("relu").entries([3, 1]).tolist() == [3, 1]
    assert Read("relu").entries([]).tolist() == []


def test_spaces_are_found_by_any_of_their_layers():
    assert SPACES.of("stem") is SPACES.of("block.conv") is STREAM
    assert SPACES.of("flatten") is PIXELS
    assert (PIXELS.name, STREAM.name) == ("flatten", "stem")
    assert SPACES.names == ("flatten", "stem", "block.conv", "fc")
    assert SPACES.hidden == (STREAM,)
    assert (len(SPACES), list(SPACES)) == (3, [PIXELS, STREAM, CLASSES])
    with pytest.raises(LayerNotFoundError, match=r"No channels of 'conv' to switch off. Did you mean: block.conv"):
        SPACES.of("conv")
    with pytest.raises(LayerNotFoundError, match="'relu'"):
        SPACES.of("relu")  # a value, but not one of an input


@pytest.mark.parametrize(
    ("layers", "size", "message"), [((), 3, "needs layers, or values"), (("fc",), 0, "'fc' needs at least one channel")]
)
def test_spaces_of_nothing(layers, size, message):
    with pytest.raises(InvalidInputError, match=message):
        ChannelSpace(layers, size, ())
