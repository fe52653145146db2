from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest

from brinery.errors import NotAPickle
from brinery.pickles.scanner import scan
from brinery.records.scan import ScanReport, Verdict

EVIL = b"cposix\nsystem\n(S'true'\ntR."
GOOD = pickle.dumps(OrderedDict())
CENTRAL, LOCAL = b"PK\x01\x02", b"PK\x03\x04"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.pt"


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """The bytes of an archive as zipfile writes it."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as written:
        for name, content in members:
            written.writestr(name, content)
    return held.getvalue()


def torch(content: bytes, *more: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """An archive with the members that torch writes."""
    return archive(("archive/data.pkl", content), ("archive/version", b"3\n"), *more, method=method)


def scanned(file: Path, content: bytes) -> ScanReport:
    file.write_bytes(content)
    return scan(file)


def asked(report: ScanReport) -> list[str]:
    return [str(name) for name in report.globals]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_members_are_read(file: Path, method: int) -> None:
    """A pickle in an archive is read, whatever its compression, and its member is told."""
    report = scanned(file, torch(EVIL, method=method))
    assert (report.format, report.verdict) == ("torch", Verdict.DANGEROUS)
    (finding,) = report.findings
    assert finding.members == ("archive/data.pkl",)
    assert finding.reached == ("GLOBAL", "REDUCE")


def test_an_honest_archive_is_safe(file: Path) -> None:
    """An archive without contradictions has no problems, directories and data in it or not."""
    content = torch(
        GOOD, ("archive/data/0", b"\x80\x02\x00" + bytes(5000)), ("archive/empty/", b"")
    )
    report = scanned(file, content)
    assert (report.verdict, report.problems) == (Verdict.SAFE, ())
    assert asked(report) == ["collections.OrderedDict"]


def test_sizes_that_follow(file: Path) -> None:
    """A member whose sizes follow it, as a pipe is written, is read and is no problem."""

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

        def seek(self, *_: int) -> int:
            raise OSError

        def tell(self) -> int:
            raise OSError

    held = Pipe()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("a/data.pkl", GOOD)
        written.writestr("a/other.pkl", EVIL)
    report = scanned(file, held.getvalue())
    assert (report.problems, report.verdict) == ((), Verdict.DANGEROUS)


def test_every_member_is_read_whatever_its_name(file: Path) -> None:
    """A pickle under another name is read, and so is one in an archive within the archive."""
    inner = archive(("deep/data.pkl", EVIL))
    report = scanned(file, torch(GOOD, ("archive/readme.txt", inner)))
    members = {str(one.name): one.members for one in report.findings}
    assert members["posix.system"] == ("archive/readme.txt/deep/data.pkl",)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("header", [LOCAL, CENTRAL])
def test_wrong_crc(file: Path, header: bytes, method: int) -> None:
    """A wrong sum is a problem wherever it is stated; the names are told all the same."""
    content = bytearray(torch(EVIL, method=method))
    place = content.index(header) + (14 if header is LOCAL else 16)
    content[place] ^= 0xFF
    report = scanned(file, bytes(content))
    assert report.verdict is Verdict.MALFORMED
    assert any("CRC" in problem for problem in report.problems)
    assert asked(report) == ["posix.system"]


@pytest.mark.parametrize("header", [LOCAL, CENTRAL])
def test_encrypted(file: Path, header: bytes) -> None:
    """A member that says it is encrypted, in one place or in both, is a problem and is read."""
    content = bytearray(torch(EVIL))
    content[content.index(header) + (6 if header is LOCAL else 8)] |= 1
    report = scanned(file, bytes(content))
    assert "archive/data.pkl: it is encrypted" in report.problems
    assert asked(report) == ["posix.system"]


def test_renamed(file: Path) -> None:
    """A member that the table of contents names otherwise is a problem, and is read."""
    content = bytearray(torch(EVIL))
    place = content.index(b"archive/data.pkl")
    content[place : place + 16] = b"archive/note.txt"
    report = scanned(file, bytes(content))
    assert "it names itself b'archive/note.txt'" in report.problems[0]
    assert asked(report) == ["posix.system"]


def test_sizes_that_differ(file: Path) -> None:
    """A member whose size is stated twice and differs is a problem."""
    content = bytearray(torch(EVIL))
    content[content.index(LOCAL) + 18] += 1
    report = scanned(file, bytes(content))
    assert "archive/data.pkl: its size is stated twice and differs" in report.problems


def test_two_of_one_name(file: Path) -> None:
    """Of two members of one name both are read, and it is a problem: readers differ."""
    with pytest.warns(UserWarning, match="Duplicate"):
        content = torch(GOOD, ("archive/data.pkl", EVIL))
    report = scanned(file, content)
    assert report.problems == ("two members are named 'archive/data.pkl'",)
    assert asked(report) == ["collections.OrderedDict", "posix.system"]


@pytest.mark.parametrize("name", ["../evil.pkl", "/etc/evil", "a/../../evil", "..\\evil", "C:evil"])
def test_names_that_lead_out(file: Path, name: str) -> None:
    """A member that would be written outside of its folder is a problem."""
    report = scanned(file, torch(GOOD, (name, b"x")))
    assert any("outside of its folder" in problem for problem in report.problems)


def test_a_link(file: Path) -> None:
    """A member that is a link is a problem."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as written:
        written.writestr("a/data.pkl", GOOD)
        link = zipfile.ZipInfo("a/link")
        link.external_attr = 0o120777 << 16
        written.writestr(link, "/etc/passwd")
    assert "the member 'a/link' is a link" in scanned(file, held.getvalue()).problems


@pytest.mark.parametrize("before", [EVIL, pickle.dumps(1) + EVIL])
def test_a_pickle_before_the_archive(file: Path, before: bytes) -> None:
    """Of a pickle that an archive follows both are read, and it is a problem."""
    report = scanned(file, before + torch(GOOD))
    assert report.verdict is Verdict.MALFORMED
    assert asked(report) == ["collections.OrderedDict", "posix.system"]


def test_noise_before_the_archive(file: Path) -> None:
    """Bytes before an archive are a problem; what is in the archive is told."""
    report = scanned(file, b"#!/bin/sh\nexit\n" + torch(EVIL))
    assert any("bytes lie before the zip archive" in problem for problem in report.problems)
    assert asked(report) == ["posix.system"]


def test_bytes_behind_the_archive(file: Path) -> None:
    """Bytes that follow an archive are a problem."""
    report = scanned(file, torch(GOOD) + EVIL)
    assert "bytes follow the zip archive" in report.problems


def test_bytes_between_members(file: Path) -> None:
    """Bytes that belong to no member are a problem: another reader may find members there."""
    content = torch(GOOD)
    place = content.index(LOCAL, 4)
    hidden = archive(("x/data.pkl", EVIL))[: -22 - 46 - 10]
    table = content.index(CENTRAL)
    end = content.rindex(b"PK\x05\x06")
    moved = bytearray(content[:place] + hidden + content[place:])
    second = content.index(CENTRAL, table + 4) + len(hidden)
    struct.pack_into("<L", moved, second + 42, place + len(hidden))
    struct.pack_into("<L", moved, end + len(hidden) + 16, table + len(hidden))
    report = scanned(file, bytes(moved))
    assert any("bytes lie between its members" in problem for problem in report.problems)


def test_members_within_each_other(file: Path) -> None:
    """Members that share their bytes, which is how a small archive becomes a large one."""
    content = bytearray(torch(GOOD, ("archive/x", b"y" * 100)))
    third = content.rindex(CENTRAL)
    struct.pack_into("<L", content, third + 42, 0)
    report = scanned(file, bytes(content))
    assert "its members lie within each other, as only a bomb's do" in report.problems


def test_a_compression_that_is_not_read(file: Path) -> None:
    """A member of a compression that is not read is a problem, not passed over."""
    report = scanned(file, torch(GOOD, method=zipfile.ZIP_LZMA))
    assert "archive/data.pkl: its compression (zip method 14) is not read" in report.problems


def test_cut_off(file: Path) -> None:
    """An archive without its end is malformed, wherever it ends."""
    content = torch(EVIL)
    for kept in (10, 60, len(content) // 2, len(content) - 1):
        assert scanned(file, content[:kept]).verdict is Verdict.MALFORMED


def test_every_byte_wrong_once(file: Path) -> None:
    """One wrong byte anywhere in an archive ends in a report or in words, never otherwise."""
    content = torch(EVIL)
    for place in range(len(content)):
        wrong = bytearray(content)
        wrong[place] ^= 0x55
        file.write_bytes(wrong)
        try:
            assert scan(file).verdict is not Verdict.SAFE
        except NotAPickle as error:
            assert error.hint  # noqa: PT017 - either end is right


def test_torchscript(file: Path) -> None:
    """An archive with TorchScript code says that it carries code."""
    report = scanned(file, torch(GOOD, ("archive/code/__torch__.py", b"class M: pass\n")))
    (finding,) = (one for one in report.findings if one.verdict is not Verdict.SAFE)
    assert str(finding.name) == "torch.jit.load"
    assert "TorchScript" in finding.reason


@pytest.mark.parametrize("member", ["x/models/model.json", "serialized_exported_program.json"])
def test_exported_program(file: Path, member: str) -> None:
    """A program that torch exported says that text of it is evaluated, beside a pickle or alone."""
    program = (member, b"{}")
    for content in (archive(program), torch(GOOD, program)):
        report = scanned(file, content)
        assert report.format == "torch"
        assert report.outermost == "torch.export.exported_program.ExportedProgram"
        (finding,) = (one for one in report.findings if one.verdict is not Verdict.SAFE)
        assert str(finding.name) == "torch.export.load"
        assert finding.verdict is Verdict.DANGEROUS
        assert "exported program" in finding.reason


def test_a_table_that_is_too_large(file: Path) -> None:
    """A table of contents larger than any honest one is refused before it is read."""
    content = bytearray(torch(GOOD))
    struct.pack_into("<L", content, content.rindex(b"PK\x05\x06") + 12, 1 << 30)
    assert "table of contents has 1,073,741,824 bytes" in scanned(file, bytes(content)).problems[0]
