"""Logs are read by parts: from the end, from a byte on, and by a text that lines have."""

from __future__ import annotations

from pathlib import Path

from brinery.store import logs


def written(folder: Path, count: int) -> Path:
    """Return a log of numbered lines."""
    file = folder / "log"
    file.write_text("".join(f"2026-01-01T00:00:00.000000Z line {at}\n" for at in range(count)))
    return file


def test_of_a_large_log_only_the_end_is_read(tmp_path: Path) -> None:
    """100 MB before the last lines cost nothing; lines are whole."""
    file = written(tmp_path, 10)
    with file.open("r+b") as stream:
        end = stream.read()
        stream.truncate(0)
        stream.seek(100_000_000)
        stream.write(b"\n" + end)
    part = logs.last(file)
    assert [line.text for line in part.lines][-10:] == [f"line {at}" for at in range(10)]
    assert part.end == part.size_bytes == file.stat().st_size
    assert part.end - part.start < 50_000


def test_pages_backwards_meet_the_beginning(tmp_path: Path) -> None:
    """Each part ends where the one after it began, and no line is lost or told twice."""
    file = written(tmp_path, 5_000)
    part = logs.last(file)
    lines = list(part.lines)
    while part.start:
        part = logs.last(file, before=part.start)
        lines = [*part.lines, *lines]
    assert [line.text for line in lines] == [f"line {at}" for at in range(5_000)]


def test_what_follows_is_told_by_whole_lines(tmp_path: Path) -> None:
    """Half a line waits for its end; a log that was begun again is read from its start."""
    file = written(tmp_path, 2)
    end = logs.last(file).end
    with file.open("a") as stream:
        stream.write("T one\nT tw")
    part = logs.following(file, after=end)
    assert [line.text for line in part.lines] == ["one"]
    with file.open("a") as stream:
        stream.write("o\n")
    assert [line.text for line in logs.following(file, after=part.end).lines] == ["two"]
    file.write_text("T new\n")
    assert [line.text for line in logs.following(file, after=part.end).lines] == ["new"]


def test_lines_are_found_from_the_end(tmp_path: Path) -> None:
    """Each line once, in order; of many the last, and it is said that there are more."""
    file = written(tmp_path, 3_000)
    assert [one.text for one in logs.found(file, "line 12").lines][:2] == ["line 12", "line 120"]
    many = logs.found(file, "line", most=5)
    assert [one.text for one in many.lines] == [f"line {at}" for at in range(2995, 3000)]
    assert many.more
    assert logs.found(file, "nowhere").lines == ()
    assert logs.found(tmp_path / "none", "x").lines == ()


def test_what_is_for_terminals_is_left_out(tmp_path: Path) -> None:
    """Colours are gone; of a line that was written over the last is told."""
    file = tmp_path / "log"
    file.write_bytes(b"T \x1b[1;31mred\x1b[0m\nT 1%\r50%\r100%\r\nT \x1b]0;title\x07plain \xff\n")
    assert [one.text for one in logs.last(file).lines] == ["red", "100%", "plain \ufffd"]
