"""The tree: what is a package, what may import what, and what ends up in the wheel."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import gradling

ROOT = Path(__file__).resolve().parents[2]
NOT_SHIPPED = {"tests", "benchmarks", "examples", "docs", "build", "dist"}

# What each part may import of the others. A part that is not a key may import everything.
MAY_IMPORT: dict[str, set[str]] = {
    "engine": set(),
    "tensor": {"engine"},
    "nn": {"engine", "tensor"},
    "models": {"engine", "tensor", "nn"},
    "optim": {"engine", "tensor"},
    "bridges": {"engine", "tensor", "nn"},
    "data": {"tensor"},
    "train": {"engine", "tensor", "nn", "optim", "data"},
    "viz": {"engine", "tensor", "nn", "bridges"},
    "testing": {"engine", "tensor", "nn", "bridges"},
}
# What a part may import inside a function: conveniences that hand their result to a later part.
MAY_IMPORT_LATE: dict[str, set[str]] = {"train": {"viz"}, "nn": {"viz"}}
# Files that may import more than NumPy as they load: their package loads them when first asked for.
LOADED_LATE: dict[str, set[str]] = {
    "testing": {"hypothesis", "pytest"},
    "interop": {"torch"},
}


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    return parser


def listed_packages() -> list[str]:
    return setup_cfg()["options"]["packages"].split()


def sources() -> list[Path]:
    """Every Python file of the package: at the root, and below every folder that is shipped."""
    folders = [
        p
        for p in sorted(ROOT.iterdir())
        if p.is_dir() and p.name not in NOT_SHIPPED and not p.name.startswith(".")
        if not (p / "pyvenv.cfg").exists() and not p.name.endswith(".egg-info")
    ]
    return sorted(ROOT.glob("*.py")) + [f for d in folders for f in sorted(d.rglob("*.py"))]


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(["gradling", *(parts[:-1] if parts[-1] == "__init__" else parts)])


def test_the_list_of_packages_is_the_tree() -> None:
    tree = sorted({module_name(f.parent / "__init__.py") for f in sources()})
    assert listed_packages() == tree, (
        "setup.cfg: [options] packages must list every package, sorted"
    )


def test_every_folder_of_sources_is_a_package() -> None:
    without = sorted({str(f.parent) for f in sources() if not (f.parent / "__init__.py").exists()})
    assert without == [], "these folders hold Python files but no __init__.py"


def test_no_module_at_the_root_hides_one_of_the_standard_library() -> None:
    # With the checkout as current folder, `import random` would find ours.
    names = {f.stem for f in sources() if f.parent == ROOT} | {
        f.parent.name for f in sources() if f.parent.parent == ROOT
    }
    assert names & set(sys.stdlib_module_names) == set()


def test_the_version_is_written_the_same_everywhere() -> None:
    assert gradling.__version__ == setup_cfg()["metadata"]["version"]


class Import:
    """One import statement: which part of the package it reaches, and whether it runs at import."""

    def __init__(self, node: ast.Import | ast.ImportFrom, file: Path, late: bool) -> None:
        self.late = late
        self.where = f"{file.relative_to(ROOT)}:{node.lineno}"
        self.absolute = [] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        self.inside: list[str] = []
        if isinstance(node, ast.ImportFrom):
            if not node.level:
                self.absolute = [node.module or ""]
                return
            base = list(file.relative_to(ROOT).parent.parts)
            base = base[: len(base) - (node.level - 1)]
            target = base + (node.module.split(".") if node.module else [])
            self.inside = [target[0]] if target else [a.name for a in node.names]


def imports(file: Path) -> Iterator[Import]:
    def walk(node: ast.AST, late: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue  # never runs
            if isinstance(child, (ast.Import, ast.ImportFrom)):
                yield Import(child, file, late)
            deeper = late or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from walk(child, deeper)

    return walk(ast.parse(file.read_text(encoding="utf-8")), False)


@pytest.mark.parametrize("file", sources(), ids=module_name)
def test_imports_go_one_way(file: Path) -> None:
    part = file.relative_to(ROOT).parts[0]
    if part not in MAY_IMPORT:
        return
    for found in imports(file):
        allowed = {part} | MAY_IMPORT[part]
        if found.late:
            allowed |= MAY_IMPORT_LATE.get(part, set())
        for target in found.inside:
            assert target in allowed, f"{found.where}: {part} may not import {target}"


@pytest.mark.parametrize("file", sources(), ids=module_name)
def test_imports_inside_the_package_are_relative(file: Path) -> None:
    for found in imports(file):
        tops = [name.split(".")[0] for name in found.absolute]
        assert "gradling" not in tops, f"{found.where}: write it relative to this file"


@pytest.mark.parametrize("file", sources(), ids=module_name)
def test_nothing_but_numpy_is_imported_before_it_is_used(file: Path) -> None:
    for found in imports(file):
        if found.late:
            continue
        for name in found.absolute:
            top = name.split(".")[0]
            known = top in sys.stdlib_module_names or top in {"numpy", "gradling"}
            known |= top in LOADED_LATE.get(file.relative_to(ROOT).parts[0], set())
            assert known, f"{found.where}: import {top} inside the function that uses it"


def test_the_engine_knows_no_numpy() -> None:
    for file in sources():
        if file.relative_to(ROOT).parts[0] == "engine":
            for found in imports(file):
                assert found.late or not any(n.split(".")[0] == "numpy" for n in found.absolute), (
                    found.where
                )


@pytest.mark.parametrize(
    "name", [n for n in listed_packages() if n.count(".") < 2 or n.split(".")[1] not in LOADED_LATE]
)
def test_importing_a_package_loads_nothing_beyond_numpy(name: str) -> None:
    program = (
        "import sys, numpy\n"
        "before = set(sys.modules)\n"
        f"import {name}\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(new - set(sys.stdlib_module_names) - {'gradling', 'numpy'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of what is shipped, so that the checkout stays clean."""
    copy = tmp_path_factory.mktemp("copy")
    shipped = {f.relative_to(ROOT) for f in sources()}
    for part in {p.parts[0] for p in shipped if len(p.parts) > 1}:
        shipped |= {f.relative_to(ROOT) for f in (ROOT / part).rglob("*") if f.is_file()}
    for name in [*shipped, "setup.cfg", "pyproject.toml", "README.md", "LICENSE", "py.typed"]:
        if "__pycache__" not in Path(name).parts:
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    program = "import setuptools.build_meta as b; print(b.build_wheel('out'))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=copy, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return copy / "out" / done.stdout.split()[-1]


def test_the_wheel_holds_exactly_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    code = {str(Path("gradling") / f.relative_to(ROOT)) for f in sources()}
    data = {"gradling/py.typed", "gradling/data/digits.npz"}
    assert names == code | data


def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        [name] = [name for name in packed.namelist() if name.endswith("/METADATA")]
        metadata = packed.read(name).decode()
        assert any(name.endswith("/licenses/LICENSE") for name in packed.namelist())
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist")]
    always = {line.split()[1].split(">")[0] for line in needed if "extra ==" not in line}
    assert always == {"numpy", "graphviz", "graphviz-pure", "safetensors", "tqdm"}
