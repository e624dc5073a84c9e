"""Saving and loading, format by suffix, never pickle. Every write is whole or not at all."""

from cnnvis.io.registry import FORMATS, Format, load, save

__all__ = ["FORMATS", "Format", "load", "save"]
