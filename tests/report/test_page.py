import base64
import gzip
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from cnnvis.core.errors import InvalidInputError
from cnnvis.report import Page, to_jpeg, to_png
from cnnvis.report.encode import data_uri

EVIL = "</script><script>alert(\"1\")</script><img src=x onerror=alert(2)> & 'quoted'"
PICTURE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
FILM = b"\x00\x00\x00\x20ftypisom" + bytes(100)
VOID = {"meta", "img", "br", "hr", "link", "input"}


class Reader(HTMLParser):
    """Checks that elements are balanced and keeps what the tests ask for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> without a start"
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def full_page(name="tiny-net"):
    page = Page(f"Volumes of {name}", f"Summary of {name}.")
    page.warning(f"Random weights of {name}")
    page.section(f"Facts about {name}")
    page.facts({f"Model {name}": name, "Seed": 3, "nothing": None})
    page.text(f"Paragraph {name}")
    page.prediction([name, "dog"], [0.75, 0.25], image=PICTURE, alt=f"photo {name}")
    page.section("Pictures")
    page.figure(PICTURE, f"caption {name}", alt=f"alt {name}")
    page.figure(to_png(PICTURE), "bytes", alt="bytes")
    page.video(FILM, f"film {name}")
    page.view3d(f"<!DOCTYPE html><p>{name}</p>", f"view {name}", poster=PICTURE)
    page.table((f"order {name}", "smoothness"), [(name, 0.5), ("b", None)], f"table {name}")
    page.files([(f"orders {name}.csv", f"orders of {name}", 1234)])
    page.timings({name: 0.5, "order": 0.25}, total=0.7)
    page.command(f"python pipelines/conv1_volume.py --model {name}")
    return page


@pytest.mark.parametrize("name", ["tiny-net", EVIL, "Ünïcode · 猫", ""])
def test_the_page_is_balanced_html_that_says_everything_literally(name):
    page = Reader(full_page(name).html())
    squeezed = " ".join(name.split())
    for part in (
        "Volumes of {}",
        "Summary of {}.",
        "Random weights of {}",
        "Facts about {}",
        "Paragraph {}",
        "caption {}",
        "film {}",
        "view {}",
        "order {}",
        "table {}",
        "orders of {}",
        "--model {}",
    ):
        assert part.format(squeezed).strip() in page.text
    assert page.all("title")
    # Only the page's own script and the packed 3-D view, whatever the names say.
    assert [script.get("type") for script in page.all("script")] == ["text/plain", None]
    assert not any("onerror" in image for image in page.all("img"))


def test_every_picture_has_an_alternative_text():
    images = Reader(full_page().html()).all("img")
    assert len(images) == 4
    assert all(image["alt"] for image in images)


def test_nothing_is_loaded_from_anywhere():
    page = Reader(full_page().html())
    for _, attributes in page.elements:
        for name in ("src", "href", "action", "poster"):
            assert re.match(r"data:|#|\./", attributes.get(name, "#"))
    [policy] = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert policy.startswith("default-src 'none'")
    assert "http" not in policy
    assert "@import" not in full_page().html()
    assert "url(" not in full_page().html()


def test_a_file_name_stays_a_file_beside_the_page():
    page = Page("t", "s")
    page.files([("javascript:alert(1)", "x", 1), ('a "b"&#.csv', "y", 2_500_000)])
    reader = Reader(page.html())
    links = [link["href"] for link in reader.all("a")]
    assert links == ["./javascript%3Aalert%281%29", "./a%20%22b%22%26%23.csv"]
    assert "2.5 MB" in reader.text


def test_pictures_are_the_very_files():
    page = Page("t", "s")
    page.figure(PICTURE, "png", alt="a")
    page.figure(PICTURE, "jpeg", alt="a", photo=True)
    sources = [image["src"] for image in Reader(page.html()).all("img")]
    assert sources == [data_uri(to_png(PICTURE)), data_uri(to_jpeg(PICTURE))]
    assert base64.b64decode(sources[0].split(",")[1]) == to_png(PICTURE)


def test_pictures_and_films_are_read_from_files(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(to_png(PICTURE))
    page = Page("t", "s")
    page.figure(path, "c", alt="a")
    page.figure(str(path), "c", alt="a")
    assert {image["src"] for image in Reader(page.html()).all("img")} == {data_uri(to_png(PICTURE))}


def test_the_3d_view_is_packed_whole_and_can_end_no_script():
    html = f"<!DOCTYPE html><script>let a = '<\\/script>';</script>{EVIL}"
    page = Page("t", "s")
    page.view3d(html, "c")
    packed = re.search(r'<script type="text/plain">([^<]*)</script>', page.html()).group(1)
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", packed)
    assert gzip.decompress(base64.b64decode(packed)).decode("utf-8") == html


def test_figures_and_tables_are_numbered_in_their_order():
    text = Reader(full_page().html()).text
    places = [text.index(f"Figure {number}.") for number in (1, 2, 3, 4)]
    assert places == sorted(places)
    assert text.index("Table 1.") < text.index("Table 2.")


def test_sections_are_linked_at_the_top():
    page = Reader(full_page().html())
    links = [link["href"][1:] for link in page.all("a") if link["href"].startswith("#")]
    assert links == [heading["id"] for heading in page.all("h2") if "id" in heading]
    assert len(page.all("h1")) == 1


def test_warnings_stand_above_everything_also_when_said_last():
    page = Page("t", "s")
    page.section("Facts")
    page.text("paragraph")
    page.warning("12 values are NaN")
    text = Reader(page.html()).text
    assert text.index("12 values are NaN") < text.index("paragraph")
    assert "Please note" not in Reader(Page("t", "s").html()).text


def test_tables_set_numbers_to_the_right_and_dash_what_is_missing():
    page = Page("t", "s")
    page.table(
        ("order", "groups", "smoothness", "random", "note"),
        [("a", 7, 0.12345, "−0.080 ± 0.030", "x"), ("b", None, float("nan"), "0.1 ± 0.2", "7")],
        "caption",
    )
    reader = Reader(page.html())
    heads = [head for head in reader.all("th") if head["scope"] == "col"]
    assert ["number" in head.get("class", "") for head in heads] == [False, True, True, True, False]
    assert "a 7 0.123 −0.080 ± 0.030 x" in re.sub(r"\s+", " ", " ".join(reader.words))
    assert reader.words.count("–") == 2
    with pytest.raises(InvalidInputError, match="needs 2 cells"):
        page.table(("a", "b"), [(1,)], "short")


def test_timings_end_with_the_wall_time():
    assert "wall time until here 0.70" in Reader(full_page().html()).text


@pytest.mark.parametrize(("value", "width", "label"), [(0.5, "50.00%", "50.0 %"), (2.0, "100.00%", "200.0 %")])
def test_probability_bars(value, width, label):
    page = Page("t", "s")
    page.prediction(["cat"], [value])
    reader = Reader(page.html())
    assert f"width:{width}" in [div.get("style") for div in reader.all("div")]
    assert label in reader.text


def test_a_nan_probability_is_said_on_the_page():
    page = Page("t", "s")
    page.prediction(["cat"], [float("nan")])
    assert "NaN" in Reader(page.html()).text


def test_the_same_parts_give_the_same_page():
    assert full_page().html() == full_page().html()


def test_an_empty_page_is_small():
    assert len(Page("t", "s").html()) < 12_000


def test_what_is_no_picture_is_refused():
    page = Page("t", "s")
    with pytest.raises(InvalidInputError, match="PNG, JPEG and MP4"):
        page.figure(b"<svg>", "c", alt="a")
    with pytest.raises(InvalidInputError, match="uint8"):
        page.figure(np.zeros((4, 4, 3)), "c", alt="a")
    assert Reader(page.html()).all("img") == []
