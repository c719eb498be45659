"""Build the sdist, the wheel from that sdist, and try the wheel where nothing else is.

Run by ``make test`` as ``python tests/check_wheel.py SCRATCH``.  The folder SCRATCH is emptied
and then holds ``dist/`` (the sdist and the wheel), ``venv/`` (a fresh environment with the
wheel and its run-time dependencies, nothing more) and ``try/`` (where it is tried, with the
repository out of reach).

meson makes an sdist from what git has committed.  So that the working tree as it is gets
tested, and no identity or history is needed, its files are first committed to a new repository
of their own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = [
    "LICENSE-schaefer2018.txt",
    "README.md",
    "motor_left-vs-right_schaefer100.tsv",
    "neurovault_image_10426.nii.gz",
    "schaefer2018_100Parcels7Networks_space-MNI152NLin6Asym_res-02_dseg.nii.gz",
    "schaefer2018_100Parcels7Networks_space-MNI152NLin6Asym_res-02_dseg.tsv",
]
# Build inputs and leftovers that have no place among installed files.
UNWANTED = ("meson.build", ".pyx", ".pxd", ".c", ".pyc", "~", ".orig", ".rej")
NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv*", ".*_cache", ".hypothesis", "__pycache__", "build", "dist", "demo-output"
)


def main(scratch: Path) -> None:
    """Do all steps, loudly; the first that fails ends the run."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    source = ROOT
    if shutil.which("git"):
        source = build_sdist(scratch)
        check_sdist(source)
    wheel = build_wheel(source, scratch)
    check_wheel(wheel)
    python = fresh_environment(scratch, wheel)
    try_installed(python, scratch)
    print(f"wheel check: {source.name} -> {wheel.name}: all well")
    if source == ROOT:
        print("wheel check: no sdist was made, because meson makes it with git, which is absent")


def run(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a command outside of the repository, without a trace of this environment."""
    clean = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=clean, check=False)
    expect(done.returncode == 0, f"exit {done.returncode} from {' '.join(map(str, command))}")


def expect(holds: bool, message: str) -> None:
    """Exit with ``message`` unless ``holds``."""
    if not holds:
        sys.exit(f"wheel check failed: {message}")


def build_sdist(scratch: Path) -> Path:
    """The sdist of the working tree."""
    tree = scratch / "tree"
    copy_tree(tree)
    git = ["git", "-C", str(tree), "-c", "user.name=check", "-c", "user.email=check@localhost"]
    run(*git, "init", "--quiet", "--initial-branch=main")
    run(*git, "add", "--all")
    run(*git, "-c", "commit.gpgsign=false", "commit", "--quiet", "--message=working tree")
    run(sys.executable, "-m", "build", "--sdist", "--outdir", scratch / "dist", cwd=tree)
    (sdist,) = (scratch / "dist").glob("*.tar.gz")
    return sdist


def copy_tree(tree: Path) -> None:
    """Copy what git tracks or would track; without a repository, all but known leftovers."""
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=False,
    )
    inside_repository = (ROOT / ".git").exists() and listed.returncode == 0
    if not inside_repository:
        shutil.copytree(ROOT, tree, ignore=NOT_SOURCE)
        return
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():  # git still lists a file that was deleted
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)


def check_sdist(sdist: Path) -> None:
    """What one needs to build and test is inside."""
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = ["LICENSE", "README.md", "CHANGELOG.md", "CITATION.cff", "Makefile", "pyproject.toml"]
    needed += ["meson.build", "tests/conftest.py", "src/regioncast/engine/_kernels/encode.pyx"]
    lacking = [name for name in needed if name not in names]
    expect(not lacking, f"the sdist lacks {', '.join(lacking)}")


def build_wheel(source: Path, scratch: Path) -> Path:
    """The wheel, built from the sdist or a tree."""
    dist = scratch / "dist"
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", dist, source)
    (wheel,) = dist.glob("*.whl")
    return wheel


def check_wheel(wheel: Path) -> None:
    """Modules, data and licences are inside, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    source = ROOT / "src"
    modules = [path.relative_to(source).as_posix() for path in source.rglob("*.py*")]
    needed = [name for name in modules if name.endswith((".py", ".pyi"))]
    needed += ["regioncast/py.typed", *(f"regioncast/data/{name}" for name in DATA)]
    lacking = [name for name in needed if name not in names]
    expect(not lacking, f"the wheel lacks {', '.join(lacking)}")
    unwanted = [name for name in names if name.endswith(UNWANTED) or "__pycache__" in name]
    expect(not unwanted, f"the wheel holds {', '.join(unwanted)}")
    tops = {name.partition("/")[0].partition("-")[0] for name in names}
    expect(tops == {"regioncast"}, f"the wheel installs {', '.join(sorted(tops))}")
    licences = [name for name in names if ".dist-info/licenses/" in name]
    expect(len(licences) == 2, f"the wheel holds the licences {licences}, not ours and the atlas's")
    kernels = [path.stem for path in (source / "regioncast" / "engine" / "_kernels").glob("*.pyx")]
    built = {name.rpartition("/")[2].partition(".")[0] for name in names if name.endswith(".so")}
    expect(set(kernels) == built, f"kernels {sorted(kernels)}, but the wheel holds {sorted(built)}")


def fresh_environment(scratch: Path, wheel: Path) -> Path:
    """A new environment with the wheel and its run-time dependencies."""
    venv.create(scratch / "venv", with_pip=True)
    python = scratch / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel)
    return python


def try_installed(python: Path, scratch: Path) -> None:
    """Import, ask for the version and run the demo, far from the repository."""
    folder = scratch / "try"
    folder.mkdir()
    command = python.parent / "regioncast"
    script = Path(__file__).with_name("try_installed.py")
    # -I: neither the script's folder nor the environment adds to the path of modules
    run(python, "-I", script, ROOT, cwd=folder)
    run(command, "--version", cwd=folder)
    run(command, "demo", "demo-output", cwd=folder)
    made = [path for path in (folder / "demo-output").glob("*.nii.gz") if path.stat().st_size]
    expect(bool(made), "`regioncast demo demo-output` left no .nii.gz there")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
