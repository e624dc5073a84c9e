"""The view that a real kernel draws and a real browser shows: it turns, follows its sliders, and later cells."""

import asyncio
import io
import re
import sys
from base64 import b64decode

import nbformat
import numpy as np
import pytest
from chromium import CHROMIUM, Browser
from nbclient import NotebookClient
from PIL import Image

SIZE = (480, 300)

SHOW = f"""
import numpy as np, cnnvis
values = np.zeros((6, 12, 12))
values[:3] = 1.0
scene = cnnvis.Scene.of(values, name="stack")
scene["stack"].transfer = cnnvis.TransferFunction(span=(0, 1), colour_map="Reds")
cnnvis.show(scene, size={SIZE})
"""

BLUE = 'scene["stack"].transfer = cnnvis.TransferFunction(span=(0, 1), colour_map="Blues")'

ASK = """
import asyncio
await asyncio.sleep(0.5)
print(scene["stack"].opacity, scene.camera.view.value)
"""

AGAIN = f"""
from cnnvis.notebook import remote
ports = []
for _ in range(5):
    cnnvis.show(scene, size={SIZE})
    ports.append(remote._alive[-1].port)
await asyncio.sleep(0.5)
def closed(port):
    import socket
    with socket.socket() as probe:
        return probe.connect_ex((remote.HOST, port)) != 0
print(len(remote._alive), closed(first), len(set(ports)))
"""

FRAME = "document.querySelector('iframe')"
AREA = "document.querySelector('img.image-display-area')"


class Kernel:
    """A running kernel that cells are given to one by one."""

    def __init__(self):
        self._book = nbformat.v4.new_notebook()
        self.client = NotebookClient(self._book, kernel_name="python3", timeout=120)

    async def run(self, source):
        """Return the outputs of one more cell."""
        cell = nbformat.v4.new_code_cell(source)
        self._book.cells.append(cell)
        await self.client.async_execute_cell(cell, len(self._book.cells) - 1)
        return cell.outputs


def red(pixels):
    """Return how much more red than blue a picture is, left of its legend and above the sliders."""
    seen = pixels[:250, :350]
    return float((seen[..., 0].astype(int) - seen[..., 2]).mean())


async def settled(browser, holds):
    """Return the first picture for which something holds, or fail."""
    for _ in range(60):
        pixels = await browser.picture()
        if holds(pixels):
            return pixels
        await asyncio.sleep(0.25)
    raise AssertionError("the view never showed it")


async def slide(browser, label, value):
    """Move the slider of this label, as a hand would: with its event."""
    await browser.evaluate(
        f"const all = [...document.querySelectorAll('label')].find(e => e.innerText.includes('{label}'));"
        f"const s = all.querySelector('input'); s.value = {value}; s.dispatchEvent(new Event('input')); 1"
    )


async def use(kernel, folder):
    """Go through the life of a view; assertions on the way."""
    (output,) = await kernel.run(SHOW)
    assert set(output.data) == {"text/html", "image/png", "text/plain"}
    stored = np.asarray(Image.open(io.BytesIO(b64decode(output.data["image/png"]))))
    assert stored.shape == (*SIZE[::-1], 3)
    assert red(stored) > 1
    url = re.search(r'data-url="(http://127\.0\.0\.1:\d+/)"', output.data["text/html"])[1]
    page = folder / "cell.html"
    page.write_text(f"<!DOCTYPE html><body style='margin: 0'>{output.data['text/html']}", encoding="utf-8")

    async with Browser(folder / "profile", (500, 420)) as browser:
        await browser.open(page.as_uri())  # as the cell's output in the notebook
        await browser.until(f"{FRAME}.style.visibility == 'visible' && {FRAME}.src == '{url}'")

        await browser.open(url)
        await browser.until(f"{AREA} && {AREA}.naturalWidth")
        before = await settled(browser, lambda pixels: red(pixels) > 1)

        await browser.drag((200, 150), (320, 190))
        await settled(browser, lambda pixels: np.abs(pixels.astype(int) - before).mean() > 1)
        await slide(browser, "opacity", 0.01)
        await settled(browser, lambda pixels: red(pixels) < red(before) / 2)
        (asked,) = await kernel.run(ASK)
        assert asked.text == "0.01 custom\n"  # the scene, not a copy, was turned and faded

        await kernel.run(BLUE + '; scene["stack"].opacity = 1.0')
        await settled(browser, lambda pixels: red(pixels) < -1)
        assert await browser.until("document.querySelector('label:last-of-type input').value == 1")

    port = int(re.search(r":(\d+)/", url)[1])
    *_, closed = await kernel.run(f"first = {port}\n{AGAIN}")
    assert closed.text == "4 True 5\n"
    async with Browser(folder / "later", (500, 420)) as browser:
        await browser.open(page.as_uri())  # the kernel's view is gone: the picture stays
        await asyncio.sleep(1)
        assert await browser.evaluate(f"{FRAME}.style.visibility") == "hidden"
        assert red(await browser.picture()) > 0.5


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
@pytest.mark.skipif(sys.platform != "linux", reason="chromium is started as on Linux")
def test_life_of_a_view_in_a_kernel(tmp_path, monkeypatch):
    monkeypatch.delenv("CNNVIS_BACKEND", raising=False)

    async def life():
        kernel = Kernel()
        async with kernel.client.async_setup_kernel():
            await use(kernel, tmp_path)

    asyncio.run(life())
