"""The ESP32-S3: the application, what boards with a microcontroller share, and this board's files."""

include("$(PORT_DIR)/boards/manifest.py")  # type: ignore[name-defined]  # noqa: F821
include("../../manifest.py")  # type: ignore[name-defined]  # noqa: F821
for name in ("chip", "buttons", "choice", "screen", "sensors"):
    module(name + ".py", base_path="../chip")  # type: ignore[name-defined]  # noqa: F821
module("board.py")  # type: ignore[name-defined]  # noqa: F821
module("main.py", base_path="../chip")  # type: ignore[name-defined]  # noqa: F821
module("counting.py")  # type: ignore[name-defined]  # noqa: F821
