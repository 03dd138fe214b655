"""The progress of a build: every stage is named, in both languages and both places, and drawn with what is known."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from index.build import build_archive
from index.progress import Progress
from index.progress_bars import STAGES, ProgressBars
from qa.web.texts import EN, ZH
from tests.fakes import HashingEncoder


@pytest.fixture
def bars() -> ProgressBars:
    return ProgressBars()


def test_every_stage_of_a_build_has_a_name_wherever_it_is_shown(pages: Path, tmp_path: Path) -> None:
    seen: list[Progress] = []
    build_archive([pages], tmp_path / "index", HashingEncoder(), seen.append)
    stages = {step.stage for step in seen}
    assert stages == STAGES.keys()
    assert stages <= ZH.stages.keys() & EN.stages.keys()


def test_a_build_draws_a_bar_a_stage(
    pages: Path, tmp_path: Path, bars: ProgressBars, capsys: pytest.CaptureFixture[str]
) -> None:
    build_archive([pages], tmp_path / "index", HashingEncoder(), bars)
    bars.close()
    drawn = capsys.readouterr().err
    places = [drawn.index(title) for title in STAGES.values()]
    assert places == sorted(places)


def test_what_is_known_is_shown_with_rate_and_time_left(bars: ProgressBars, capsys: pytest.CaptureFixture[str]) -> None:
    bars(Progress("encode", 0, 8))
    time.sleep(0.2)
    bars(Progress("encode", 4, 8))
    bars.close()
    last = capsys.readouterr().err.split("\r")[-1]
    assert "50%" in last
    assert "4/8" in last
    assert "/s]" in last
    assert "?" not in last


def test_a_total_that_becomes_known_is_shown(bars: ProgressBars, capsys: pytest.CaptureFixture[str]) -> None:
    bars(Progress("verify", 0, 0))
    bars(Progress("verify", 5, 5))
    bars.close()
    assert "5/5" in capsys.readouterr().err.split("\r")[-1]


def test_a_step_of_unknown_length_shows_that_it_goes_on(
    bars: ProgressBars, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.progress_bars._TICK_SECONDS", 0.01)
    bars(Progress("vectors", 0, 0))
    drawn, end = "", time.monotonic() + 30
    while drawn.count(STAGES["vectors"]) < 4 and time.monotonic() < end:
        time.sleep(0.01)
        drawn += capsys.readouterr().err
    bars(Progress("keywords", 0, 3))
    assert drawn.count(STAGES["vectors"]) >= 4
    assert "00:0" in drawn
    bars.close()
    assert STAGES["keywords"] in capsys.readouterr().err
