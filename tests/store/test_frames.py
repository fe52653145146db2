"""Tables of any library become what pandas has."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa

from brinery.store.frames import given

ROWS = {"x": [1.5, None, 3.0], "n": [1, 2, 3], "text": ["a", "b", None]}


def test_every_library_gives_the_same() -> None:
    """A table of polars or pyarrow is the frame that pandas would make of its columns."""
    frames = [given(pl.DataFrame(ROWS)), given(pa.table(ROWS))]
    for frame in frames:
        assert isinstance(frame, pd.DataFrame)
        assert frame["n"].tolist() == [1, 2, 3]
        assert frame["x"].isna().tolist() == [False, True, False]
        assert frame["text"].isna().tolist() == [False, False, True]


def test_a_frame_and_a_file_stay_what_they_are(tmp_path: Path) -> None:
    """A frame of pandas is not copied, and a path is a path."""
    frame = pd.DataFrame({"x": [1]})
    assert given(frame) is frame
    assert given(str(tmp_path)) == tmp_path
