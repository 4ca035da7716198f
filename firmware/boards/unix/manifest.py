"""The unix board: the application, and this board's two files."""

include("../../manifest.py")  # type: ignore[name-defined]  # noqa: F821
module("board.py")  # type: ignore[name-defined]  # noqa: F821
module("main.py")  # type: ignore[name-defined]  # noqa: F821
