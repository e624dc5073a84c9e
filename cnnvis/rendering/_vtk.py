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
    vtkRenderPass,
    vtkRenderWindow,
    vtkTextActor,
    vtkTextProperty,
    vtkTextRenderer,
    vtkTexture,
    vtkVolume,
    vtkVolumeProperty,
    vtkWindowToImageFilter,
)
from vtkmodules.vtkRenderingOpenGL2 import (
    vtkCameraPass,
    vtkLightsPass,
    vtkOpaquePass,
    vtkOpenGLFXAAPass,
    vtkOverlayPass,
    vtkRenderPassCollection,
    vtkSequencePass,
    vtkTranslucentPass,
    vtkVolumetricPass,
)
from vtkmodules.vtkRenderingVolumeOpenGL2 import vtkOpenGLGPUVolumeRayCastMapper as vtkGPUVolumeMapper

__all__ = [
    "numpy_to_vtk",
    "numpy_to_vtkIdTypeArray",
    "vtkActor",
    "vtkActor2D",
    "vtkBillboardTextActor3D",
    "vtkCamera",
    "vtkCameraPass",
    "vtkCellArray",
    "vtkColorTransferFunction",
    "vtkCommand",
    "vtkCoordinate",
    "vtkDataObject",
    "vtkFlyingEdges3D",
    "vtkGPUVolumeMapper",
    "vtkImageData",
    "vtkLightsPass",
    "vtkLookupTable",
    "vtkOpaquePass",
    "vtkOpenGLFXAAPass",
    "vtkOutputWindow",
    "vtkOverlayPass",
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
    "vtkRenderPass",
    "vtkRenderPassCollection",
    "vtkRenderWindow",
    "vtkRenderer",
    "vtkSequencePass",
    "vtkTextActor",
    "vtkTextProperty",
    "vtkTextRenderer",
    "vtkTexture",
    "vtkTranslucentPass",
    "vtkVolume",
    "vtkVolumeProperty",
    "vtkVolumetricPass",
    "vtkWindowToImageFilter",
    "vtk_to_numpy",
]
