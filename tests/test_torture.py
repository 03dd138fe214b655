"""A small dose of what tests/torture does at length."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.torture import hostile_files, kill_builds


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that fork")
def test_builds_killed_at_random_moments_harm_nothing(tmp_path: Path) -> None:
    tally = kill_builds.torture(4, 1, tmp_path)
    assert tally.problems == ()
    assert tally.questions > 0


def test_hostile_files_are_read_or_refused(tmp_path: Path) -> None:
    tallies = hostile_files.torture(36, 5, 60.0, tmp_path)
    assert [problem for tally in tallies.values() for problem in tally.problems] == []
    assert sum(tally.refused for tally in tallies.values()) > 0
