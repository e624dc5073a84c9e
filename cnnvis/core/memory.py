"""Memory budgets: how much is there, how it is written and shown."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnnvis.core.errors import InvalidInputError

SHARE = 0.5
"""Part of the memory that is available now which a recording may take by default."""

FALLBACK = 2 * 2**30
"""Default budget in bytes where the system does not tell what is available: 2 GiB."""

_UNITS = {"": 1, "B": 1} | {
    f"{prefix}{end}": base**power
    for power, prefix in enumerate("KMGT", start=1)
    for end, base in (("", 1024), ("B", 1000), ("IB", 1024))
}


def as_bytes(budget: int | str | None) -> int:
    """Return a budget in bytes.

    Parameters
    ----------
    budget : int, str or None
        Bytes, or a number with a unit: "500 MB", "1.5 GiB". None is half of what is available now.

    Raises
    ------
    InvalidInputError
        When it is negative, or not a number with a known unit.
    """
    if budget is None:
        return int(SHARE * available_memory())
    if isinstance(budget, str):
        match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*", budget)
        if match is None or match[2].upper() not in _UNITS:
            raise InvalidInputError(f"A memory budget reads like '500 MB' or '2 GiB', got {budget!r}.")
        return int(float(match[1]) * _UNITS[match[2].upper()])
    if budget < 0:
        raise InvalidInputError(f"A memory budget cannot be negative, got {budget}.")
    return int(budget)


def show_bytes(n_bytes: int) -> str:
    """Return a number of bytes for reading: "1.5 GB"."""
    size = float(n_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def new_bytes(data: Any, seen: set[int]) -> int:
    """Return the bytes of the arrays in some data that were not counted before.

    Parameters
    ----------
    data : array, dataclass, tuple, list or mapping
        Arrays are found in its fields and elements, however deep; a view counts as the whole array that it keeps alive.
        Anything else counts nothing.
    seen : set of int
        Identities of what was counted before; those of `data` and its parts are added. They hold as long as the data
        is referred to.
    """
    while isinstance(data, np.ndarray) and isinstance(data.base, np.ndarray):
        data = data.base
    if id(data) in seen:
        return 0
    seen.add(id(data))
    if isinstance(data, np.ndarray):
        return data.nbytes
    if is_dataclass(data) and not isinstance(data, type):
        return sum(new_bytes(getattr(data, field.name), seen) for field in fields(data))
    if isinstance(data, Mapping):
        return sum(new_bytes(each, seen) for each in data.values())
    if isinstance(data, tuple | list):
        return sum(new_bytes(each, seen) for each in data)
    return 0


def available_memory() -> int:
    """Return the bytes of main memory that can be used now, within the limit of a container."""
    found = [free for free in (_from_meminfo(), _from_cgroup()) if free is not None]
    if found:
        return min(found)
    try:  # not Linux: a part of all there is
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (AttributeError, ValueError, OSError):
        return int(FALLBACK / SHARE)


def _from_meminfo() -> int | None:
    try:
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return None
    match = re.search(r"MemAvailable:\s+(\d+) kB", text)
    return int(match[1]) * 1024 if match else None


def _from_cgroup() -> int | None:
    """Return what a container's limit (cgroup v2) leaves; None where there is none."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text(encoding="ascii").strip()
        used = int((folder / "memory.current").read_text(encoding="ascii"))
        cached = re.search(r"^inactive_file (\d+)", (folder / "memory.stat").read_text(encoding="ascii"), re.MULTILINE)
    except OSError:
        return None
    used -= int(cached[1]) if cached else 0  # given back when it is needed
    return max(int(limit) - used, 0) if limit.isdigit() else None
