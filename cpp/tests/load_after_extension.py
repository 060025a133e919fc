"""load_after_extension.py _core.so: loads TensorRT for RTX behind the extension, and nothing before it.

Ends with 77, which CTest takes for "skipped", where that library is not installed (pip install tensorrt-rtx).
"""

import ctypes
import importlib.util
import sys
from pathlib import Path

extension = importlib.util.spec_from_file_location("dmask._core", sys.argv[1])
package = importlib.util.find_spec("tensorrt_rtx_libs")
if package is None:
    print("skipped: tensorrt_rtx_libs is not installed, pip install tensorrt-rtx brings it")
    sys.exit(77)
core = importlib.util.module_from_spec(extension)
extension.loader.exec_module(core)
(library,) = (
    path
    for folder in package.submodule_search_locations
    for path in Path(folder).glob("libtensorrt_rtx.so.*")
)
loaded = ctypes.CDLL(str(library))
try:
    core.Options(backend="none")
    sys.exit("got options with the backend 'none', expected an Error")
except core.Error as error:
    print(f"thrown and caught: {error}")
print(f"{library.name}, version {loaded.getInferLibVersion()}, behind {Path(sys.argv[1]).name}")
