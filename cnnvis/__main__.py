"""`python -m cnnvis` is the same as `cnnvis`."""

import sys

from cnnvis.cli import main

sys.exit(main())
