"""Prints which imports of a script cannot succeed: `python3 lookup.py SCRIPT`.

It is run by the interpreter that would run the script.

One line `<line> <name>` each, then `end`. Nothing is imported to find out. Whatever plain Python
might run is left to it: only imports count that certainly happen, and only as long as nothing
before them can change what is found.
"""

from __future__ import annotations

import _ast
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# A statement that names one of these may make modules appear, end the script, or go on for ever.
RESTLESS = frozenset(
    # where modules come from
    "meta_path path_hooks path_importer_cache modules addsitedir importlib site imp runpy zipimport"
    " pkgutil __import__ import_module exec eval compile builtins globals getattr setattr vars"
    " __dict__ install "
    # what brings files or programs
    "open write writelines write_text write_bytes mkdir makedirs copy copy2 copyfile copytree move"
    " rename replace symlink symlink_to link extract extractall unpack_archive urlretrieve"
    " subprocess run call check_call check_output Popen system popen chdir fork spawnv ctypes CDLL "
    # what need not return
    "exit quit SystemExit _exit abort kill raise_signal execv execve execvp execvpe execl execle"
    " execlp execlpe pause input main parse_args serve_forever".split()
)

# Which may never be called, and fail when they are called and raise something else than SystemExit.
DEFINITIONS = (_ast.FunctionDef, _ast.AsyncFunctionDef, _ast.ClassDef)


def missing(source: bytes) -> Iterator[tuple[int, str]]:
    """Line and first name of each import that cannot succeed.

    Raises SyntaxError or ValueError where the script is not valid.
    """
    compile(source, "script", "exec", dont_inherit=True)  # the parser alone lets some errors pass
    tree = compile(source, "script", "exec", _ast.PyCF_ONLY_AST, dont_inherit=True)
    assert isinstance(tree, _ast.Module)  # noqa: S101  what the compiler's mode promises, said to the type checker
    for line, name in certain_imports(tree.body):
        if not found(name):
            yield line, name


def certain_imports(body: list[_ast.stmt]) -> Iterator[tuple[int, str]]:
    """Line and first name of each import certain to happen, with the same result as now."""
    restless = set(RESTLESS)
    for statement in body:
        if isinstance(statement, (_ast.Import, _ast.ImportFrom)):
            names = imported(statement)
            if not names:
                return
            yield from ((statement.lineno, name) for name in names)
            # What other packages do when they are called nobody knows: some bring importers with
            # them.
            foreign = not sys.stdlib_module_names.issuperset(names)
            bound = {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
            if (
                "setuptools" in names
                or bound & {"path", "modules", "meta_path", "path_hooks"}
                or (foreign and "*" in bound)
            ):
                return
            restless |= bound if foreign or RESTLESS.intersection(names) else set()
        elif any(is_restless(node, restless) for node in walk(statement)) or (
            not isinstance(statement, DEFINITIONS)
            and any(isinstance(node, (_ast.While, _ast.Raise)) for node in walk(statement))
        ):
            return


def imported(statement: _ast.Import | _ast.ImportFrom) -> list[str]:
    """First names. Relative imports have none: a script is no package."""
    if isinstance(statement, _ast.Import):
        return [alias.name.partition(".")[0] for alias in statement.names]
    return [(statement.module or "").partition(".")[0]] if statement.level == 0 else []


def is_restless(node: object, restless: set[str]) -> bool:
    if isinstance(node, _ast.Name):
        return node.id in restless
    if isinstance(node, _ast.Attribute):
        of_os = isinstance(node.value, _ast.Name) and node.value.id == "os"
        return node.attr in restless or (node.attr == "path" and not of_os)
    # In a try or a function: whatever it binds may be used there.
    if isinstance(node, (_ast.Import, _ast.ImportFrom)):
        return bool(RESTLESS.intersection(imported(node)))
    return False


def walk(node: object) -> Iterator[object]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        for name in getattr(node, "_fields", ()):
            value = getattr(node, name, None)
            waiting.extend(value if isinstance(value, list) else (value,))


def found(name: str) -> bool:
    """Whether an import of this first name would find something.

    This asks the finders of this interpreter, in their order.
    """
    if name in sys.modules:
        return True
    try:
        return any(finder.find_spec(name, None) for finder in sys.meta_path)
    except Exception:  # noqa: BLE001  a finder that cannot be asked may know more when it is used
        return True


def main(path: str) -> None:
    with open(path, "rb") as file:
        source = file.read()
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(path)
    text = "".join(f"{line} {name}\n" for line, name in missing(source))
    os.write(1, f"{text}end\n".encode())


if __name__ == "__main__":
    main(sys.argv[1])
