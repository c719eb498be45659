"""Saving: from a table in memory to a compressed file on disk, against those who make voxels."""

from __future__ import annotations

import functools
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import nilearn.regions
import numpy as np
import pandas as pd
from isal import igzip

import regioncast as rc
from regioncast.engine.painting import FileOrder, PaintedArray
from regioncast.files import replacing
from regioncast.io.volume import painted_gzip

from .atlases import MM1, MM2, brain, supervoxels
from .measure import Row, peak_memory_of, processes, python, side_by_side

Shape = tuple[int, ...]


@contextmanager
def one_processor() -> Iterator[None]:
    """Keep this process to one of its processors."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def series(shape: Shape = MM2, n_maps: int = 200, repeats: int = 5) -> Iterator[Row]:
    """Many float32 maps, 400 regions, on one thread."""
    labels = brain(shape, 400)
    signals = np.random.default_rng(0).standard_normal((n_maps, 400)).astype(np.float32)
    painted = nilearn.regions.signals_to_img_labels(signals, labels)
    # Else it would be saved in the dtype of the labels.
    painted.set_data_dtype(np.float32)
    voxels = np.asfortranarray(painted.dataobj).reshape(-1, order="F").view(np.uint8)
    with TemporaryDirectory() as folder, one_processor():
        ours, theirs, isal = (Path(folder) / f"{name}.nii.gz" for name in ("our", "their", "isal"))
        atlas = rc.load_parcellation(labels)
        seconds = side_by_side(
            {
                "nilearn": lambda: nilearn.regions.signals_to_img_labels(signals, labels),
                "nibabel": lambda: nib.save(painted, theirs),
                "isal": lambda: _with_isal(voxels, isal),
                "full": lambda: np.full((*shape, n_maps), 1.5, np.float32, order="F"),
                "regioncast": lambda: rc.save(rc.paint(signals, atlas), ours, overwrite=True),
            },
            repeats,
        )
        sizes = {path.stem: path.stat().st_size for path in (ours, theirs)}
    # What zlib needs for one map, it needs for each.
    one = rc.paint(signals[:1], labels)
    sizes["zlib"] = n_maps * len(zlib.compress(np.asarray(one.dataobj).tobytes(order="F"), 6))
    what = f"{n_maps} float32 maps, 400 regions, {_times(shape)}, one thread"
    seconds["both"] = seconds["nilearn"] + seconds["nibabel"]
    for name, case, aim in (
        ("nilearn + nibabel.save", "both", 60), ("nilearn", "nilearn", None),
        ("nibabel.save", "nibabel", None), ("ISA-L level 1", "isal", None),
    ):  # fmt: skip
        yield _row(f"{what}: {name} / paint and save", seconds, case, "regioncast", at_least=aim)
    yield _row(f"{what}: paint and save / np.full", seconds, "regioncast", "full", at_most=1)
    for name, case, most in (("nibabel.save", "their.nii", 1), ("zlib level 6", "zlib", 1.15)):
        yield Row(
            f"{what}: file / that of {name}", sizes["our.nii"] / sizes[case], at_most=most,
            detail=f"{sizes['our.nii'] / 1e6:.2f} MB / {sizes[case] / 1e6:.2f} MB",
        )  # fmt: skip


def single_maps(shapes: tuple[Shape, Shape] = (MM2, MM1), repeats: int = 7) -> Iterator[Row]:
    """One map: no slower than voxels that are made and given to ISA-L in one stream."""
    for shape, n_regions in zip(shapes, (400, 1000), strict=True):
        values = np.random.default_rng(0).standard_normal(n_regions).astype(np.float32)
        title = f"1 float32 map, {n_regions} regions, {_times(shape)}: save / one stream"
        yield from _beside_one_stream(title, rc.paint(values, brain(shape, n_regions)), repeats)


def _beside_one_stream(title: str, image: nib.Nifti1Image, repeats: int) -> Iterator[Row]:
    with TemporaryDirectory() as folder:
        ours, isal = (Path(folder) / f"{name}.nii.gz" for name in ("our", "isal"))
        seconds = side_by_side(
            {
                "stream": lambda: _safely_with_isal(image, isal),
                "regioncast": lambda: rc.save(image, ours, overwrite=True),
            },
            repeats,
        )
        yield _row(title, seconds, "regioncast", "stream", at_most=1)
        yield Row(f"{title}, size", ours.stat().st_size / isal.stat().st_size, at_most=1.02)


def large(
    shape: Shape = MM1, n_maps: int = 1200, n_regions: int = 1000, repeats: int = 3
) -> Iterator[Row]:
    """A whole session of resting state at 1 mm, as a whole process; peers do a twentieth of it."""
    share = max(1, n_maps // 20)
    with TemporaryDirectory() as folder:
        atlas, values, output = (
            str(Path(folder) / name) for name in ("atlas.nii.gz", "values.npy", "map.nii.gz")
        )
        nib.save(brain(shape, n_regions), atlas)
        signals = np.random.default_rng(0).standard_normal((n_maps, n_regions))
        np.save(values, signals.astype(np.float32))
        shell = [
            str(Path(python("")[0]).parent / "regioncast"), "paint", values, atlas,
            "--output", output, "--overwrite",
        ]  # fmt: skip
        load = f"import numpy as np\nvalues = np.load({values!r})[:{share}]\n"
        peers = {
            "nilearn + nibabel.save": f"""{load}
import nilearn.regions, nibabel as nib, warnings
warnings.simplefilter("ignore")
image = nilearn.regions.signals_to_img_labels(values, {atlas!r})
image.set_data_dtype(np.float32)
nib.save(image, {str(Path(folder) / "theirs.nii.gz")!r})
""",
            "NumPy map by map into ISA-L level 1": f"""{load}
import nibabel as nib
from isal import igzip
labels = np.asarray(nib.load({atlas!r}).dataobj).reshape(-1, order="F")
with igzip.open({str(Path(folder) / "isal.nii.gz")!r}, "wb", compresslevel=1) as file:
    for row in values:
        file.write(np.append(np.float32(0), row)[labels].data)
""",
        }
        commands = {"regioncast": shell} | {name: python(code) for name, code in peers.items()}
        seconds = processes(commands, repeats)
        memory = {name: peak_memory_of(command) for name, command in commands.items()}
        size = Path(output).stat().st_size
    what = f"{n_maps} float32 maps, {n_regions} regions, {_times(shape)}, whole process"
    yield Row(
        f"{what}: seconds", seconds["regioncast"], at_most=15,
        detail=f"{size / 1e6:.0f} MB for {int(np.prod(shape)) * 4 * n_maps / 1e9:.1f} GB of voxels",
    )  # fmt: skip
    yield Row(f"{what}: MB of memory", memory["regioncast"] / 1e6, at_most=400)
    for name in peers:
        yield Row(
            f"{what}: {name}, {share} maps, per map / regioncast per map",
            seconds[name] / share / (seconds["regioncast"] / n_maps),
            detail=f"{seconds[name]:.1f} s and {memory[name] / 1e6:.0f} MB for {share} maps",
        )


def maps_to_files(shape: Shape = MM2, n_maps: int = 200, repeats: int = 3) -> Iterator[Row]:
    """A file for each map: tokens are found once, against a save of each, and nibabel's."""
    labels = brain(shape, 400)
    signals = np.random.default_rng(0).standard_normal((n_maps, 400)).astype(np.float32)
    atlas = rc.load_parcellation(labels)
    alone = [rc.paint(row, atlas) for row in signals]
    with TemporaryDirectory(dir=_in_memory()) as folder:
        options = {"overwrite": True, "sidecar": False}
        seconds = side_by_side(
            {
                "one by one": lambda: rc.save(
                    rc.paint(signals, atlas), f"{folder}/{{map}}.nii.gz", **options
                ),
                "single": lambda: [
                    rc.save(image, f"{folder}/alone_{n}.nii.gz", **options)
                    for n, image in enumerate(alone)
                ],
                "nibabel": lambda: [
                    nib.save(
                        nib.Nifti1Image(np.asarray(image.dataobj), labels.affine),
                        f"{folder}/their_{n}.nii.gz",
                    )
                    for n, image in enumerate(alone)
                ],
            },
            repeats,
        )
    what = f"{n_maps} float32 maps, 400 regions, {_times(shape)}, a file each"
    yield _row(f"{what}: saved alone / together", seconds, "single", "one by one", at_least=1.3)
    yield _row(f"{what}: nibabel.save / together", seconds, "nibabel", "one by one", at_least=4)


def tables(shape: tuple[int, int] = (490, 400), repeats: int = 5) -> Iterator[Row]:
    """Signals as tables, against pandas, by which they were written once."""
    values = np.random.default_rng(0).standard_normal(shape)
    signals = rc.Signals(values, [f"7Networks_LH_Vis_{n}" for n in range(shape[1])])
    options = {"sep": "\t", "index": False, "na_rep": "n/a"}
    with TemporaryDirectory(dir=_in_memory()) as folder:
        path = Path(folder) / "x.tsv"
        for name, long in (("wide", False), ("long", True)):
            frame = signals.to_pandas(long=long)
            frame.columns = frame.columns.map(str)

            def earlier(frame: pd.DataFrame = frame) -> None:
                with replacing(path, overwrite=True) as temporary:
                    frame.to_csv(temporary, **options)

            seconds = side_by_side(
                {
                    "regioncast": functools.partial(
                        rc.save, signals, path, long=long, overwrite=True, sidecar=False
                    ),
                    "pandas": earlier,
                },
                repeats,
            )
            yield Row(
                f"table of {_times(shape)} float64, {name}: pandas / regioncast",
                seconds["pandas"] / seconds["regioncast"],
                at_least=5,
                detail=", ".join(
                    f"{case} {s / values.size * 1e9:.0f} ns a number" for case, s in seconds.items()
                ),
            )


def _in_memory() -> str | None:
    """Return a folder in memory, where there is one: no disk is measured that all share."""
    folder = Path("/dev/shm")
    return str(folder) if folder.is_dir() else None


def finest_labels(shape: Shape = MM2, repeats: int = 3) -> Iterator[Row]:
    """Whether the way that is chosen is the faster one, from a few regions to one per voxel."""
    rng = np.random.default_rng(0)
    n = int(np.prod(shape))
    images = {
        "400 regions": _data(brain(shape, 400)),
        f"{n // 180:,} regions": _data(brain(shape, n // 180)),
        f"{n // 12:,} regions": _data(brain(shape, n // 12)),
        "supervoxels of 4³": _data(supervoxels(shape, 4, scattered=False)),
        "supervoxels of 3³": _data(supervoxels(shape, 3, scattered=False)),
        "supervoxels of 2³": _data(supervoxels(shape, 2, scattered=False)),
        "noise of 10 labels": rng.integers(0, 10, shape),
        "a region per voxel": np.arange(n).reshape(shape),
    }
    for name, labels in images.items():
        codes = np.asfortranarray(labels, np.uint32)
        for n_maps in (1, 3, 10, 60):
            table = rng.standard_normal((n_maps, int(codes.max()) + 1)).astype(np.float32)
            voxels = FileOrder.of(PaintedArray(codes, table, single=False))
            seconds = _both_ways(voxels, repeats)
            yield Row(
                f"{name}, {n_maps} float32 maps: chosen / faster way",
                seconds["chosen"] / min(seconds["region domain"], seconds["blocks"]),
                at_most=1.3,
                detail=", ".join(f"{way} {s * 1e3:.1f} ms" for way, s in seconds.items()),
            )


def _both_ways(voxels: FileOrder, repeats: int) -> dict[str, float]:
    ways = {
        "chosen": painted_gzip.compressor,
        "region domain": _in_region_domain,
        "blocks": painted_gzip.Blocks,
    }
    return side_by_side(
        {name: functools.partial(_all_parts, way, voxels) for name, way in ways.items()}, repeats
    )


def _in_region_domain(voxels: FileOrder) -> painted_gzip.RegionDomain:
    """Return the compressor by tokens, however many they are."""
    tokens = painted_gzip.parse(voxels, painted_gzip.Budget(np.inf, 1, 1))
    assert tokens is not None
    return painted_gzip.RegionDomain(voxels, tokens)


def _all_parts(
    compressor: Callable[[FileOrder], painted_gzip.Compressor], voxels: FileOrder
) -> int:
    return sum(len(part.data) for part in painted_gzip.side_by_side(compressor(voxels)))


def _with_isal(voxels: np.ndarray, path: Path) -> None:
    with igzip.open(path, "wb", compresslevel=1) as file:
        file.write(voxels.data)


def _safely_with_isal(image: nib.Nifti1Image, path: Path) -> None:
    """Make all voxels and compress them in one stream, as safely as regioncast does."""
    with (
        replacing(path, overwrite=True) as temporary,
        igzip.open(temporary, "wb", compresslevel=2) as file,
    ):
        image.header.copy().write_to(file)
        file.write(np.asarray(image.dataobj).reshape(-1, order="F").view(np.uint8).data)


def _data(image: nib.Nifti1Image) -> np.ndarray:
    return np.asanyarray(image.dataobj)


def everything() -> Iterator[Row]:
    """All rows but those of `large`, at the sizes that the aims are about."""
    yield from series()
    yield from single_maps()
    yield from maps_to_files()
    yield from tables()
    yield from finest_labels()


def quick() -> Iterator[Row]:
    """All rows on small images."""
    small, smaller = (40, 31, 22), (31, 22, 40)
    yield from series(small, 5, 1)
    yield from single_maps((small, smaller), 1)
    yield from maps_to_files(small, 5, 1)
    yield from tables((20, 30), 1)
    yield from large(small, 20, 50, 1)
    yield from finest_labels((20, 31, 22), 1)


def _row(
    title: str, seconds: dict[str, float], first: str, second: str,
    *, at_least: float | None = None, at_most: float | None = None,
) -> Row:  # fmt: skip
    return Row(
        title, seconds[first] / seconds[second], at_least=at_least, at_most=at_most,
        detail=f"{seconds[first] * 1e3:.1f} ms / {seconds[second] * 1e3:.1f} ms",
    )  # fmt: skip


def _times(shape: Shape) -> str:
    return "×".join(map(str, shape))
