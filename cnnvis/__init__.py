"""See a trained PyTorch network as VTK volumes, tubes and glyphs - and check what you saw.

Every public name is loaded on first use: `import cnnvis` loads neither numpy, torch, VTK nor Qt.
The names themselves are listed in `__init__.pyi`.
"""

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
