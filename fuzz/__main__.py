"""Change files at random, guided by the code that they reach, until one is a finding.

Each target runs for ``FUZZ_SECONDS`` seconds in a process of its own.  What it finds lies then in
``build/fuzz/<target>/``, as what was reached does, from which the next run goes on; a finding is
tried again by ``python -m fuzz TARGET FILE``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = Path("build", "fuzz")
# For the targets and what they import; one file may take `targets.MOST_BYTES` of it.
MOST_MEGABYTES = 2000
# One file may take so long.
MOST_SECONDS = 20


def main() -> int:
    """Fuzz one target after the other; return 1 where there is a finding, 2 without atheris."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("target", nargs="?", help="one instead of all")
    parser.add_argument("file", nargs="?", help="try this file, instead of changing others")
    options = parser.parse_args()
    try:
        import atheris
    except ImportError as error:
        print(f"fuzzing needs atheris ({error}): pip install --group fuzz", file=sys.stderr)
        return 2
    if options.target is not None:
        _fuzz(atheris, options.target, options.file)
    # Known without the targets, whose imports are not to be seen before atheris looks.
    return _fuzz_all()


def _fuzz_all() -> int:
    seconds = int(os.environ.get("FUZZ_SECONDS", "60"))
    listing = "from fuzz.targets import TARGETS; print(*TARGETS)"
    listed = subprocess.run([sys.executable, "-c", listing], capture_output=True, check=True)
    with_findings = []
    for target in listed.stdout.decode().split():
        print(f"fuzz {target}: {seconds} s", flush=True)
        environment = {**os.environ, "FUZZ_SECONDS": str(seconds)}
        command = [sys.executable, "-m", "fuzz", target]
        if subprocess.run(command, env=environment, check=False).returncode:
            with_findings.append(target)
    print(f"findings: {', '.join(with_findings) or 'none'}")
    return 1 if with_findings else 0


def _fuzz(atheris: object, name: str, file: str | None) -> None:
    """Fuzz a target, or try a file; libFuzzer ends the process."""
    folder, corpus = Path(tempfile.mkdtemp(prefix="regioncast-fuzz-")), FOLDER / name
    corpus.mkdir(parents=True, exist_ok=True)
    # Much is imported when it is needed, so good files are used once where imports are seen.
    with atheris.instrument_imports(include=["regioncast", "nibabel"]):
        from .targets import TARGETS

        target = TARGETS[name]
        for content in target.seeds():
            target.check(content, folder)
            digest = hashlib.sha256(content).hexdigest()[:16]
            Path(corpus, f"seed-{digest}").write_bytes(content)
    arguments = [
        f"-max_total_time={os.environ.get('FUZZ_SECONDS', '60')}",
        f"-rss_limit_mb={MOST_MEGABYTES}",
        f"-timeout={MOST_SECONDS}",
        f"-artifact_prefix={corpus}/",
        "-print_final_stats=1",
        "-verbosity=0",
    ]

    def one(content: bytes) -> None:
        target.check(content, folder)

    atheris.Setup([sys.argv[0], *arguments, file or str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
