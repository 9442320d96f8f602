from osteo_edge.page import alarms, plots, render_page, table


def test_text_of_others_stands_as_text() -> None:
    hostile = "<b>\"knee\" & 'x'</b>"
    shown = "&lt;b&gt;&quot;knee&quot; &amp; &#x27;x&#x27;&lt;/b&gt;"
    assert f"<title>{shown}</title>" in render_page(hostile, [])
    assert f"<th>{shown}</th>" in table([hostile], [])
    assert f"<td>{shown}</td>" in table(["a"], [[hostile]])
    assert alarms([hostile]) == f'<p class="alarm">{shown}</p>'


def test_a_plot_is_named_for_those_who_cannot_see_it() -> None:
    shown = plots([('<svg width="4"></svg>', "Loss < 1")])
    assert '<svg role="img" aria-label="Loss &lt; 1" width="4"></svg><figcaption>Loss &lt; 1</figcaption>' in shown


def test_a_dark_page_brightens_plots_unless_told_not_to() -> None:
    assert plots([]) == '<div class="plots"></div>'
    assert plots([], wide=True, brighten=False) == '<div class="plots wide as-drawn"></div>'
