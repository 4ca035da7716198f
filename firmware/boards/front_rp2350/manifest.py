"""The counting front end: its files, the line's words, and its row of the table. No fixture application."""

package(  # type: ignore[name-defined]  # noqa: F821
    "meterseal_fixture", files=("__init__.py", "capability.py"), base_path="../../src"
)
package(  # type: ignore[name-defined]  # noqa: F821
    "meterseal_wire", files=("__init__.py", "capture.py"), base_path="../../../protocol/src"
)
for name in ("counting", "edges", "answers", "board", "main"):
    module(name + ".py")  # type: ignore[name-defined]  # noqa: F821
module("sensors.py", base_path="../chip")  # type: ignore[name-defined]  # noqa: F821
