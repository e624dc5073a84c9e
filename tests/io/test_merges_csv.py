"""The table of merges."""

from cnnvis.core.merging import Merge, MergeRule
from cnnvis.core.redundancy import ALONE
from cnnvis.io.merges_csv import save_merges


def test_a_row_per_merge(tmp_path):
    merges = [
        Merge("conv1", 3, 7, (2.0, 9.0), (0.5, 9.0), 0.75, MergeRule.AFFINE, 1, 0.25),
        Merge("conv1", ALONE, 4, (0.0,), (0.0,), 1.0, MergeRule.ZERO, 2, 0.0),
    ]
    assert save_merges(merges, tmp_path / "merges.csv").read_text().splitlines() == [
        "step,layer,merged,into,rule,a,b,explained,border_error",
        "1,conv1,7,3,affine,2.0,0.5,0.75,0.25",
        "2,conv1,4,,zero,0.0,0.0,1.0,0.0",
    ]
