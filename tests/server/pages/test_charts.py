"""Where the bars of charts stand."""

from __future__ import annotations

import pytest

from tinyjpg_server.pages import words
from tinyjpg_server.pages.charts import WIDTH, bar_chart


@pytest.mark.parametrize(
    ("highest", "top"),
    [(0, 2), (1, 2), (2, 2), (3, 4), (9, 10), (10, 10), (11, 20), (41, 60), (100, 100), (101, 200)],
)
def test_the_scale_ends_at_a_round_number(highest: int, top: int) -> None:
    chart = bar_chart("a", "A", [("2026-11", highest)], words.number)
    assert [line.text for line in chart.lines] == [str(top // 2), str(top)]


def test_bars_stand_on_the_floor_in_order() -> None:
    values = [(f"2026-{month:02}", 10 * month) for month in range(1, 13)]
    chart = bar_chart("a", "A", values, words.number)
    assert all(bar.y + bar.height == pytest.approx(chart.floor) for bar in chart.bars)
    heights = [bar.height for bar in chart.bars]
    assert heights == pytest.approx([heights[0] * month for month in range(1, 13)], rel=0.01)
    ends = [edge for bar in chart.bars for edge in (bar.x, bar.x + bar.width)]
    assert ends == sorted(ends)
    assert chart.left <= ends[0]
    assert ends[-1] <= WIDTH
    assert chart.summary == "The most in December 2026: 120."


def test_nothing_is_flat_and_little_can_be_seen() -> None:
    chart = bar_chart("a", "A", [("2025-12", 0), ("2026-01", 1), ("2026-02", 10**12)], words.size)
    assert [bar.height > 0 for bar in chart.bars] == [False, True, True]
    assert [bar.label for bar in chart.bars] == ["Dec", "Jan", "Feb"]
    assert [bar.year for bar in chart.bars] == ["", "2026", ""]
    assert chart.bars[2].text == "February 2026: 1.00 TB"
    assert [line.text for line in chart.lines] == ["500 GB", "1 TB"]


def test_years_without_anything() -> None:
    chart = bar_chart("a", "A", [("2026-03", 0)], words.number)
    assert chart.summary == ""
    assert chart.bars[0].year == "2026"
