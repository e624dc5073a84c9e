"""A folder that cannot be written is known before the work."""

import pytest

from cnnvis.core.errors import OutputError
from cnnvis.io import require_writable


def test_a_folder_that_cannot_be_written_is_known_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        require_writable(tmp_path / "file" / "out")
    require_writable(tmp_path / "new" / "out")
    assert not (tmp_path / "new").exists()
