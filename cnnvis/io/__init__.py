"""Saving and loading, format by suffix, never pickle. Every write is whole or not at all."""

from cnnvis.core.atomic import require_writable, save_bytes
from cnnvis.io.registry import FORMATS, Format, load, save

__all__ = ["FORMATS", "Format", "load", "require_writable", "save", "save_bytes"]
