"""The page as HTML: complete, accessible, and safe whatever a label holds."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.console import History, build_page
from exchange.console.exposition import REFUSED, Exposition
from exchange.console.page import render_page

from .figures import FLIGHTS, NOON, consumed, counting, gauging, history_of, lag, looked_up, published, series


class Seen(HTMLParser):
    """What an HTML parser finds: elements with their attributes, and the text."""

    def __init__(self, document: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(document)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        """All text, with single spaces."""
        return " ".join("".join(self.words).split())

    @property
    def structure(self) -> Counter[tuple[str, tuple[str, ...]]]:
        """Elements and the names of their attributes; where names may break is left out."""
        return Counter((tag, tuple(sorted(attrs))) for tag, attrs in self.elements if tag != "wbr")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of that name."""
        return [attrs for name, attrs in self.elements if name == tag]


def render(history: History, seconds: float = 0.0, *, live: bool = True, instance: str = "UZ") -> Seen:
    """The page of `history`, parsed."""
    page = build_page(history, instance, NOON + timedelta(seconds=seconds))
    return Seen(render_page(page, live=live, refresh_seconds=5, version="0.1.0"))


def hostile(label: str) -> Seen:
    """A page on which everything that a process can say is `label`."""
    everything = Exposition(
        counters={
            published(label, f"UZ/GOV/{label}/x"): 1,
            consumed(label, label): 1,
            looked_up(label, label): 1,
            series(REFUSED, topic=label, code=label): 1,
        },
        gauges={lag(label, label, label): 1},
        version=label,
    )
    history = history_of(**{label: everything, "down": counting({})})
    history.process("down", NOON).fail(label, NOON)
    history.notice = label
    return render(history, instance=label)


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=60).filter(lambda text: text != "down"))
def test_no_label_changes_the_document(label):
    """Whatever a label holds, the document has the elements and attributes it has with a harmless label."""
    assert hostile(label).structure == hostile("harmless").structure


@pytest.mark.parametrize(
    "label",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "' onload='alert(1)",
        "{{ 7 * 7 }}{% raw %}",
        "</title><svg/onload=alert(1)>",
        "--></style><script>",
        "&lt;b&gt;",
        "\x00\x1b[2J",
    ],
)
def test_markup_in_a_label_is_text(label):
    """Markup, template syntax and control characters in a label are shown as what they are."""
    seen = hostile(label)
    assert seen.structure == hostile("harmless").structure
    assert "49" not in seen.text


def test_there_is_no_script_and_no_inline_style():
    """Nothing on the page needs what the content security policy forbids."""
    seen = hostile("harmless")
    assert not seen.all("script")
    assert not seen.all("style")
    names = {name for _, attrs in seen.elements for name in attrs}
    assert "style" not in names
    assert not any(name.startswith("on") for name in names)


def test_nothing_is_loaded_from_elsewhere():
    """Every address on the page is the console's own."""
    seen = hostile("harmless")
    addresses = [attrs[name] for _, attrs in seen.elements for name in ("href", "src") if name in attrs]
    assert addresses
    assert all(address.startswith(("/", "#")) and not address.startswith("//") for address in addresses)


def test_the_page_has_landmarks_and_one_heading():
    """A header, a main part, a footer, one first-level heading, and a heading for each section."""
    seen = hostile("harmless")
    assert [len(seen.all(tag)) for tag in ("header", "main", "footer", "h1")] == [1, 1, 1, 1]
    ids = {attrs["id"] for attrs in seen.all("h2")}
    assert {attrs["aria-labelledby"] for attrs in seen.all("section")} == ids
    assert seen.all("html")[0]["lang"] == "en"


def test_every_table_has_headers_for_its_columns_and_rows():
    """Each table cell belongs to a column header and a row header, also where the table is shown as cards."""
    seen = hostile("harmless")
    scopes = Counter(attrs.get("scope") for attrs in seen.all("th"))
    assert scopes["row"] == len(seen.all("tr")) - len(seen.all("thead"))
    assert set(scopes) == {"row", "col"}
    assert all(attrs["role"] == "cell" for attrs in seen.all("td"))
    assert all(attrs["role"] == "table" for attrs in seen.all("table"))


def test_every_drawing_has_words_or_is_decoration():
    """Each chart is named for those who do not see it; each other drawing is hidden from them."""
    for attrs in hostile("harmless").all("svg"):
        assert attrs.get("aria-label") or attrs.get("aria-hidden") == "true"


def test_figures_have_units():
    """Events, rates, sizes and durations are shown with their units."""
    history = history_of(one=counting({published(): 0}, memory=88604672, started=NOON - timedelta(hours=2)))
    later = NOON + timedelta(seconds=2)
    history.process("one", later).answer(
        counting({published(): 336776}, memory=88604672, started=NOON - timedelta(hours=2)), later
    )
    text = render(history, 2).text
    assert "336,776 events in all" in text
    assert "168,388 /s" in text.replace("168,388/s", "168,388 /s")
    assert "84.5 MiB" in text
    assert "2 h 0 min" in text


def test_one_event_is_one_event():
    """A single event is not called events."""
    assert "1 event in all" in render(history_of(one=counting({published(): 1}))).text


def test_an_empty_exchange_is_explained():
    """Without any process or figure, each section says what would appear there."""
    text = render(History()).text
    assert "No process is known" in text
    assert "Nothing was asked yet" in text
    assert "A topic appears here with its first event." in text
    assert "No lookup was decided yet." in text
    assert "exchange up starts them" in text


def test_all_answering_is_said():
    """When every process answers the page says so, and asks for no attention."""
    text = render(history_of(one=counting({}), two=counting({}))).text
    assert "All 2 processes answer" in text
    assert "Needs attention" not in text


def test_the_one_process_answering_is_said():
    """One process is not called all."""
    assert "The one process answers" in render(history_of(one=counting({}))).text


def test_a_silent_process_is_said_with_since_when_and_why():
    """A process that does not answer is named first thing, in the title too, with since when and the reason."""
    history = history_of(gateway=counting({}), audit=counting({}))
    history.process("gateway", NOON).fail("no whole answer within 2 s", NOON)
    seen = render(history, 192)
    assert "1 of 2 processes does not answer" in seen.text
    assert "gateway does not answer since 12:00:00 UTC (3 min 12 s): no whole answer within 2 s" in seen.text
    assert seen.text.startswith("1 down · Throughput · UZ exchange")


def test_a_process_that_is_not_ready_is_said():
    """A process that answers but is not ready is named with what is missing."""
    history = history_of(audit=counting({}))
    history.register(["audit", "gateway"], NOON)
    history.process("gateway", NOON).answer(counting({}), NOON, "the consent view is behind")
    text = render(history, 5).text
    assert "1 of 2 processes is not ready" in text
    assert "gateway is not ready since 12:00:00 UTC (5 s): the consent view is behind" in text


def test_processes_that_all_ended_are_said():
    """Nothing running is not shown as all being well."""
    history = history_of(adapter=counting({}))
    history.register([], NOON)
    assert "Every process has ended" in render(history).text


def test_an_old_lag_is_marked():
    """The lag of a silent process is shown with its time and marked as old."""
    history = history_of(one=gauging({lag(0): 3}))
    history.process("one", NOON).fail("cannot be reached", NOON)
    assert "3 offsets 1 partition 0, by 3 12:00:00 old" in render(history, 9).text


def test_loading_anew_can_be_paused():
    """A reader who needs more time stops the page from loading itself anew, and starts it again."""
    live = render(history_of(one=counting({})))
    assert "loads anew every 5 s · Pause" in live.text
    assert {"href": "/?live=off"} in live.all("a")
    paused = render(history_of(one=counting({})), live=False)
    assert "paused · Load anew · Resume" in paused.text
    assert {"href": "/"} in paused.all("a")


def test_a_chart_says_its_peak_in_words():
    """Those who do not see the chart are told its largest value."""
    history = history_of(one=counting({published(): 0}))
    later = NOON + timedelta(seconds=5)
    history.process("one", later).answer(counting({published(): 100}), later)
    labels = [attrs.get("aria-label") for attrs in render(history, 5).all("svg")]
    assert f"Published on {FLIGHTS}, last 5 minutes: at most 20 per second" in labels
    assert "Events per second over the last 5 minutes: published at most 20, consumed at most 0" in labels
