"""Where Blender begins: Python runs isolated, so the package's folder is named here."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from render_worker.serve import serve

serve()
