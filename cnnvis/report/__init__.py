"""Figures, tables and a self-contained HTML page of results that others computed.

Every name is loaded on first use: the window takes the colour scale, and none of the figures. The names themselves are
listed in `__init__.pyi`.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
