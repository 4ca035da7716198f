"""One file against the house's numbers: sizes, names, late imports, handlers that catch all, floats, docstrings.

Read by house_numbers.py, which adds what only a whole package can break.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LONGEST, FUNCTION_LONGEST, PARAMETERS = 400, 60, 5
JUNK_NAMES = {"util", "utils", "common", "helper", "helpers", "manager", "misc"}
PLACEHOLDERS = ("TODO", "FIXME", "NotImplemented", "pass  #")
CATCH_ALL = {"Exception", "BaseException"}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Finding:
    """One broken limit: the rule's name, the place (path or path:name), and what was found."""

    rule: str
    place: str
    found: str


@dataclass
class Source:
    """One parsed file."""

    path: Path
    text: str
    tree: ast.Module = field(init=False)

    def __post_init__(self) -> None:
        self.tree = ast.parse(self.text, str(self.path))

    @property
    def place(self) -> str:
        """Path from the root of the repository, with forward slashes."""
        return self.path.relative_to(ROOT).as_posix()

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


def sources(folder: str) -> list[Source]:
    """Every Python file below `folder`, sorted."""
    return [Source(path, path.read_text("utf-8")) for path in sorted((ROOT / folder).rglob("*.py"))]


def length(node: Function) -> int:
    """Lines from `def` to the last line, docstring included."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def code_lines(source: Source) -> int:
    """Lines that hold code: without blanks, comments and docstrings."""
    skip: set[int] = set()
    for node in ast.walk(source.tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | Function)
            and ast.get_docstring(node, clean=False) is not None
        ):
            first = node.body[0]
            skip.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    numbered = enumerate(source.text.splitlines(), 1)
    return sum(
        1
        for number, line in numbered
        if number not in skip and line.strip() and not line.lstrip().startswith("#")
    )


def check_file(source: Source, no_floats: bool) -> Iterator[Finding]:
    """Every limit that one file can break."""
    lines = source.text.count("\n")
    if lines > FILE_LONGEST:
        yield Finding("file_longest", source.place, f"{lines} lines")
    if source.path.stem in JUNK_NAMES:
        yield Finding("junk_name", source.place, "a name that names nothing")
    if source.path.stem in sys.stdlib_module_names:
        yield Finding("stdlib_name", source.place, "named like a module of the standard library")
    for number, line in enumerate(source.text.splitlines(), 1):
        if any(word in line for word in PLACEHOLDERS):
            yield Finding("placeholder", f"{source.place}:{number}", line.strip())
    for node in source.functions():
        yield from check_function(source.place, node)
    yield from check_nodes(source, no_floats)
    yield from check_docstrings(source.place, source.tree, "")


def check_function(place: str, node: Function) -> Iterator[Finding]:
    """Length and number of parameters; `self` and `cls` do not count."""
    if length(node) > FUNCTION_LONGEST:
        yield Finding("function_longest", f"{place}:{node.name}", f"{length(node)} lines")
    names = [item.arg for item in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    count = len([name for name in names if name not in {"self", "cls"}])
    if count > PARAMETERS:
        yield Finding("parameters", f"{place}:{node.name}", f"{count} parameters")


def check_nodes(source: Source, no_floats: bool) -> Iterator[Finding]:
    """Late imports, handlers that catch everything, and floats where none may be."""
    for function in source.functions():
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield Finding("late_import", f"{source.place}:{function.name}", f"line {node.lineno}")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and catches_all(node):
            yield Finding("catch_all", source.place, f"line {node.lineno}")
        if no_floats and isinstance(node, ast.Constant) and isinstance(node.value, float):
            yield Finding("float", source.place, f"line {node.lineno}: {node.value}")


def catches_all(handler: ast.ExceptHandler) -> bool:
    """True for a bare `except:` and for Exception or BaseException, alone or in a tuple."""
    if handler.type is None:
        return True
    return any(isinstance(node, ast.Name) and node.id in CATCH_ALL for node in ast.walk(handler.type))


def check_docstrings(place: str, node: ast.Module | ast.ClassDef, prefix: str) -> Iterator[Finding]:
    """Public modules, classes, functions and methods without a docstring. Nested functions are nobody's business."""
    if isinstance(node, ast.Module) and not ast.get_docstring(node):
        yield Finding("docstring", place, "the module has no docstring")
    for child in node.body:
        if not isinstance(child, Function | ast.ClassDef) or child.name.startswith("_") or is_echo(child):
            continue
        if not ast.get_docstring(child):
            yield Finding("docstring", f"{place}:{prefix}{child.name}", "no docstring")
        if isinstance(child, ast.ClassDef):
            yield from check_docstrings(place, child, f"{child.name}.")


def is_echo(node: Function | ast.ClassDef) -> bool:
    """True for what a neighbour documents: an overload's variants, a property's setter, an override so marked."""
    return any(
        (isinstance(item, ast.Name) and item.id in {"overload", "override"})
        or (isinstance(item, ast.Attribute) and item.attr in {"setter", "deleter"})
        for item in node.decorator_list
    )
