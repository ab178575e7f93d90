"""Files of tokens: what is written is read again, and nobody's lines are lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from effactor_interpreters.testing.regressions import Entry, change, file_of, kept

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def tests(tmp_path: Path) -> Path:
    return tmp_path / "test_shop.py"


def test_a_token_is_kept_under_the_name_of_its_test(tests: Path) -> None:
    name = "TestShop::test_sells[two words # one]"
    change(tests, add=[Entry("ef1:AA", name, "a\nb")])
    assert kept(tests, name) == [Entry("ef1:AA", name)]
    assert kept(tests, "test_other") == []
    assert file_of(tests) == tests.parent / ".effactor/regressions/test_shop.txt"
    assert file_of(tests).read_text(encoding="utf-8").splitlines()[2:] == [
        "# a b",
        f"ef1:AA {name}",
    ]


def test_the_same_token_is_kept_once(tests: Path) -> None:
    for said in ("one", "two"):
        change(tests, add=[Entry("ef1:AA", "test_x", said)])
    assert file_of(tests).read_text(encoding="utf-8").count("ef1:AA") == 1


def test_dropping_leaves_what_others_wrote(tests: Path) -> None:
    change(tests, add=[Entry("ef1:AA", "test_x", "old"), Entry("ef1:BB", "test_x", "new")])
    file = file_of(tests)
    file.write_text(file.read_text(encoding="utf-8") + "\n# mine\nef1:CC test_y\n", "utf-8")
    change(tests, drop=[Entry("ef1:AA", "test_x"), Entry("ef1:CC", "test_x")])
    assert file.read_text(encoding="utf-8").splitlines()[2:] == [
        "# new",
        "ef1:BB test_x",
        "",
        "# mine",
        "ef1:CC test_y",
    ]


def test_a_file_without_tokens_goes(tests: Path) -> None:
    change(tests, add=[Entry("ef1:AA", "test_x")])
    change(tests, drop=[Entry("ef1:AA", "test_x")])
    assert not file_of(tests).exists()
    assert list(file_of(tests).parent.iterdir()) == []


def test_a_change_of_nothing_writes_nothing(tests: Path) -> None:
    change(tests, drop=[Entry("ef1:AA", "test_x")])
    assert not file_of(tests).parent.exists()


def test_a_write_that_fails_leaves_the_old_file(
    tests: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(tests, add=[Entry("ef1:AA", "test_x")])
    before = file_of(tests).read_text(encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(OSError, match="no space"):
        change(tests, add=[Entry("ef1:BB", "test_x")])
    assert file_of(tests).read_text(encoding="utf-8") == before
    assert list(file_of(tests).parent.iterdir()) == [file_of(tests)]
