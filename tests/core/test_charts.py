from __future__ import annotations

from django.template.loader import render_to_string

from atsite.core.charts import Bar, bars


def test_the_largest_value_fills_the_height_and_none_but_zero_is_invisible() -> None:
    chart = bars("Calls", [("Mon", 0), ("Tue", 2000), ("Wed", 1), ("Thu", 1000)])
    assert chart.bars == (
        Bar("Mon", 0, 0, 60.0, 0.0),
        Bar("Tue", 2000, 10, 0.0, 60.0),
        Bar("Wed", 1, 20, 59.0, 1.0),
        Bar("Thu", 1000, 30, 30.0, 30.0),
    )
    assert (chart.width, chart.total, chart.highest) == (40, 3001, chart.bars[1])


def test_without_values_there_is_an_empty_drawing() -> None:
    assert (bars("Calls", []).width, bars("Calls", []).highest, bars("Calls", [("a", 0)]).highest) == (10, None, None)


def test_the_numbers_stand_beside_the_drawing_and_no_style_is_inline() -> None:
    page = render_to_string("charts/bars.html", {"chart": bars("Calls <of> a key", [("1 May", 7), ("2 May", 0)])})
    assert "Calls &lt;of&gt; a key: 7 in all" in page
    assert page.count("<rect") == page.count("<tr>") == 1
    assert "style=" not in page
