"""Core objects as pyvista data sets and back, arrays shared. No rendering.

Arrays are shared, never copied where VTK can use them as they are: an algorithm that works *in place*
on such a data set would change the frozen core object behind it. Ask the algorithm for a new output.
"""

from cnnvis.geometry.convert import from_pyvista, layers_with_maps, to_pyvista
from cnnvis.geometry.image_data import add_value_statistics

__all__ = [
    "add_value_statistics",
    "from_pyvista",
    "layers_with_maps",
    "to_pyvista",
]
