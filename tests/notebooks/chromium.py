"""A headless chromium that a test can click in: the devtools protocol over a websocket."""

from __future__ import annotations

import asyncio
import base64
import io
import itertools
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from PIL import Image

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """One page of a browser; an async context manager.

    Parameters
    ----------
    folder : Path
        Its profile.
    size : (width, height) in pixels
    """

    def __init__(self, folder: Path, size: tuple[int, int]) -> None:
        self._folder, self._size = folder, size
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> Browser:
        flags = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-port=0")
        size = "--window-size={},{}".format(*self._size)
        self._process = await asyncio.create_subprocess_exec(
            CHROMIUM, *flags, size, f"--user-data-dir={self._folder}", "about:blank", stderr=asyncio.subprocess.DEVNULL
        )
        self._client = aiohttp.ClientSession()
        port = await self._port()
        async with self._client.get(f"http://127.0.0.1:{port}/json") as reply:
            targets = await reply.json()
        page = next(target for target in targets if target["type"] == "page")
        self._socket = await self._client.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0)
        return self

    async def _port(self) -> int:
        file = self._folder / "DevToolsActivePort"
        for _ in range(300):
            if file.is_file() and file.read_text().strip():
                return int(file.read_text().split()[0])
            await asyncio.sleep(0.1)
        raise TimeoutError("chromium did not start")

    async def __aexit__(self, *_: object) -> None:
        await self._client.close()
        self._process.kill()
        await self._process.wait()

    async def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send one command and return its result."""
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == number:
                return message["result"]

    async def open(self, url: str) -> None:
        """Go to a page."""
        await self.send("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript."""
        reply = await self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return reply["result"].get("value")

    async def until(self, expression: str, seconds: float = 30.0) -> Any:
        """Return the value of an expression once it is true."""
        for _ in range(int(seconds / 0.1)):
            value = await self.evaluate(expression)
            if value:
                return value
            await asyncio.sleep(0.1)
        raise TimeoutError(f"never true: {expression}")

    async def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Press the left button, move in some steps, and let go."""
        await self._mouse("mousePressed", *start)
        for share in np.linspace(0, 1, 6)[1:]:
            x, y = (round(a + (b - a) * share) for a, b in zip(start, end, strict=True))
            await self._mouse("mouseMoved", x, y)
            await asyncio.sleep(0.05)
        await self._mouse("mouseReleased", *end)

    async def _mouse(self, kind: str, x: int, y: int) -> None:
        await self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    async def picture(self) -> np.ndarray:
        """Return what the page shows, (H, W, 3) uint8."""
        reply = await self.send("Page.captureScreenshot", format="png")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(reply["data"]))).convert("RGB"))
