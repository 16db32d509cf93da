# SPDX-License-Identifier: BSD-2-Clause
"""Does every name that a Python file takes from a module of ours exist there? Python itself asks only when it gets there."""

import ast

from bulkhead import cli

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def bound(tree):
    """The names that are given a meaning directly in a scope, not in the scopes inside."""
    found, todo = set(), list(ast.iter_child_nodes(tree))
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        if not isinstance(node, SCOPES):
            todo += ast.iter_child_nodes(node)
    return found


def modules_of(files):
    """{dotted name: the names that it has} of the modules that other files can import."""
    found = {}
    for path in files:
        if path.suffix != ".py":
            continue
        name = path.relative_to(cli.TOP / "tools").with_suffix("").parts if path.is_relative_to(cli.TOP / "tools") else (path.stem,)
        name = name[:-1] if name[-1] == "__init__" else name
        found[".".join(name)] = bound(ast.parse(path.read_text())) | {"__doc__", "__file__", "__name__", "__path__"}
    return found


def imported(tree, modules):
    """({name here: module}, [(line, module, name that it has to have)]) of a file's import statements."""
    aliases, wanted = {}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {alias.asname or alias.name: alias.name for alias in node.names if alias.name in modules}
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            if inner in modules:
                aliases[alias.asname or alias.name] = inner
            elif node.module in modules and alias.name != "*":
                wanted.append((node.lineno, node.module, alias.name))
    return aliases, wanted


def used(tree, aliases):
    """[(line, module, name)] wherever a name is taken from one of the aliases, unless it means something else there."""
    found = []
    for node in ast.iter_child_nodes(tree):
        inner = aliases
        if isinstance(node, SCOPES):
            own = bound(node)
            inner = {name: module for name, module in aliases.items() if name not in own}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in inner:
            found.append((node.lineno, inner[node.value.id], node.attr))
        found += used(node, inner)
    return found


def check(files):
    modules, wrong = modules_of(files), []
    for path in (path for path in files if path.suffix == ".py"):
        tree = ast.parse(path.read_text())
        aliases, wanted = imported(tree, modules)
        for line, module, name in wanted + used(tree, aliases):
            if name not in modules[module] and f"{module}.{name}" not in modules:
                wrong.append(f"{path.relative_to(cli.TOP)}:{line}: {module} has no {name}")
    return not wrong, "\n".join(wrong)
