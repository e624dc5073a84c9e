"""Where units stand, and how the lines between them are bundled."""

from cnnvis.layout.options import BundleMode, BundleModeName, BundleOptions

__all__ = ["BundleMode", "BundleModeName", "BundleOptions"]
