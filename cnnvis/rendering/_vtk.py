"""The one door to VTK's rendering classes; nothing else in cnnvis imports vtkRendering*."""

# The OpenGL2 modules register the implementations behind the abstract classes below.
import vtkmodules.vtkRenderingFreeType
import vtkmodules.vtkRenderingOpenGL2
import vtkmodules.vtkRenderingVolumeOpenGL2  # noqa: F401
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkCommand, vtkLookupTable, vtkOutputWindow, vtkPoints
from vtkmodules.vtkCommonDataModel import (
    vtkCellArray,
    vtkDataObject,
    vtkImageData,
    vtkPiecewiseFunction,
    vtkPlane,
    vtkPlaneCollection,
    vtkPolyData,
)
from vtkmodules.vtkFiltersCore import vtkFlyingEdges3D, vtkPolyDataNormals
from vtkmodules.vtkFiltersSources import vtkPlaneSource
from vtkmodules.vtkRenderingCore import (
    vtkActor,
    vtkActor2D,
    vtkBillboardTextActor3D,
    vtkCamera,
    vtkColorTransferFunction,
    vtkCoordinate,
    vtkPolyDataMapper,
    vtkPolyDataMapper2D,
    vtkProp,
    vtkRenderer,
    vtkRenderWindow,
    vtkTextActor,
    vtkTextProperty,
    vtkTextRenderer,
    vtkTexture,
    vtkVolume,
    vtkVolumeProperty,
    vtkWindowToImageFilter,
)
from vtkmodules.vtkRenderingVolumeOpenGL2 import vtkOpenGLGPUVolumeRayCastMapper as vtkGPUVolumeMapper

__all__ = [
    "numpy_to_vtk",
    "numpy_to_vtkIdTypeArray",
    "vtkActor",
    "vtkActor2D",
    "vtkBillboardTextActor3D",
    "vtkCamera",
    "vtkCellArray",
    "vtkColorTransferFunction",
    "vtkCommand",
    "vtkCoordinate",
    "vtkDataObject",
    "vtkFlyingEdges3D",
    "vtkGPUVolumeMapper",
    "vtkImageData",
    "vtkLookupTable",
    "vtkOutputWindow",
    "vtkPiecewiseFunction",
    "vtkPlane",
    "vtkPlaneCollection",
    "vtkPlaneSource",
    "vtkPoints",
    "vtkPolyData",
    "vtkPolyDataMapper",
    "vtkPolyDataMapper2D",
    "vtkPolyDataNormals",
    "vtkProp",
    "vtkRenderWindow",
    "vtkRenderer",
    "vtkTextActor",
    "vtkTextProperty",
    "vtkTextRenderer",
    "vtkTexture",
    "vtkVolume",
    "vtkVolumeProperty",
    "vtkWindowToImageFilter",
    "vtk_to_numpy",
]
