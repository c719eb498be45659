"""The shell shows what the Python functions show."""

from __future__ import annotations

import inspect
import re
import webbrowser
from dataclasses import fields
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pages import contents

import regioncast as rc
from regioncast import cli

MAP = ["view", "values.tsv", "atlas_dseg.nii.gz", "-o", "map.html"]


@pytest.fixture
def run(demo_folder, capsys):
    """Run the command in the folder of the demo; return exit code, output and errors."""

    def command(*words):
        capsys.readouterr()
        code = cli.main([str(word) for word in words])
        return code, *capsys.readouterr()

    return command


def page(name="map.html"):
    return Path(name).read_text("utf-8")


def test_the_page_is_that_of_the_function(run):
    code, out, err = run(*MAP)
    assert (code, err) == (0, "")
    assert page() == rc.view("values.tsv", "atlas_dseg.nii.gz").html
    assert re.fullmatch(
        r"map\.html: 100 of 100 regions have a value, by name, 1 map, \d+ kB, \d\.\d\d s\n", out
    )


def test_an_image_is_shown_by_its_means(run):
    words = ["stat_map.nii.gz", "atlas_dseg.nii.gz", "-o", "map.html", "--resample", "labels"]
    code, out, err = run("view", *words)
    assert (code, err) == (0, "")
    assert out.startswith("map.html: mean of 100 regions, 1 map, ")
    view = rc.view("stat_map.nii.gz", "atlas_dseg.nii.gz", resample="labels")
    assert page() == view.html


def test_an_atlas_alone_is_shown_in_its_colours(run):
    code, out, err = run("view", "atlas_dseg.nii.gz", "-o", "atlas.html")
    assert (code, err) == (0, "")
    assert page("atlas.html") == rc.view("atlas_dseg.nii.gz").html
    assert out.startswith("atlas.html: Atlas: atlas_dseg.nii.gz, 100 regions, 91×109×91 voxels, ")


@pytest.mark.parametrize(
    ("words", "keywords"),
    [
        (["--title", "A <b>", "--unit", "z"], {"title": "A <b>", "unit": "z"}),
        (["--vmin", "-3", "--vmax=7.5"], {"vmin": -3, "vmax": 7.5}),
        (["--threshold", "1"], {"threshold": 1}),
        (["--cmap", "grey"], {"cmap": "grey"}),
        (["--cmap", "#ffffff,#102030"], {"cmap": ["#ffffff", "#102030"]}),
        (["--backdrop", "stat_map.nii.gz"], {"background": "stat_map.nii.gz"}),
        (["--by", "name", "--key", "name"], {"by": "name", "key": "name"}),
        (["--columns", "z"], {"columns": "z"}),
        (["--missing", "fill", "--extra", "ignore"], {"missing": "fill", "extra": "ignore"}),
    ],
    ids=str,
)  # fmt: skip
def test_each_option_does_what_its_keyword_does(run, words, keywords):
    assert run(*MAP, *words)[::2] == (0, "")
    assert page() == rc.view("values.tsv", "atlas_dseg.nii.gz", **keywords).html


def test_options_and_their_defaults_are_those_of_the_function(run):
    inputs = {"values", "parcellation"}
    wanted = {
        name: parameter.default
        for name, parameter in inspect.signature(rc.view).parameters.items()
        if name not in inputs
    }
    options = {field.name: field.default for field in fields(cli.Looking)}
    options["background"] = options.pop("backdrop")  # which is the label of no region elsewhere
    assert options == wanted
    _, out, _ = run("view", "--help")
    for field in [*fields(cli.Looking), *fields(cli.Reading)]:
        assert f"--{field.name.replace('_', '-')}" in out
    assert "--open" in out


def test_series_and_categories_are_shown(run):
    np.savetxt("series.csv", np.random.default_rng(0).random((3, 100)), delimiter=",")
    assert run("view", "series.csv", "atlas_dseg.nii.gz", "-o", "s.html", "--t-r", "2")[0] == 0
    view = rc.view("series.csv", "atlas_dseg.nii.gz", t_r=2)
    assert page("s.html") == view.html
    assert contents(view)[0]["maps"]["titles"] == ["0 s", "2 s", "4 s"]
    names = rc.load_parcellation("atlas_dseg.nii.gz").table.names
    words = pd.DataFrame({"name": names, "group": ["a", "b"] * 50})
    words.to_csv("words.tsv", sep="\t", index=False)
    words = ["view", "words.tsv", "atlas_dseg.nii.gz", "-o", "c.html", "--categories"]
    assert run(*words)[0] == 0
    assert page("c.html") == rc.view("words.tsv", "atlas_dseg.nii.gz", categories=True).html


@pytest.mark.filterwarnings("ignore:The region table and the labels image differ")
def test_how_the_atlas_is_read_is_said(run):
    regions = pd.read_csv("atlas_dseg.tsv", sep="\t")
    regions.assign(name=[f"r{n}" for n in regions["index"]]).to_csv("other.csv", index=False)
    words = ["--background", "3", "--regions", "other.csv"]
    assert run("view", "atlas_dseg.nii.gz", "-o", "a.html", *words)[0] == 0
    atlas = rc.load_parcellation("atlas_dseg.nii.gz", "other.csv", background=3)
    assert page("a.html") == rc.view(atlas).html


def test_values_come_from_standard_input(run, monkeypatch):
    with Path("values.tsv").open(encoding="utf-8") as values:
        monkeypatch.setattr("sys.stdin", values)
        assert run("view", "-", "atlas_dseg.nii.gz", "-o", "map.html")[0] == 0
    assert page() == rc.view("values.tsv", "atlas_dseg.nii.gz", title="").html


def test_the_browser_is_opened_where_asked_for(run, monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda url: opened.append(url) or True)
    assert run(*MAP)[0] == 0
    assert not opened
    assert run(*MAP, "--overwrite", "--open")[0] == 0
    assert opened == [Path("map.html").resolve().as_uri()]
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    code, _, err = run(*MAP, "--overwrite", "--open")
    assert code == 1
    assert "No browser was found to open map.html" in err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["values.tsv", "nowhere.nii.gz", "-o", "x.png"], "A page cannot be written as 'x.png'"),
        (["values.tsv", "nowhere.nii.gz", "-o", "no/x.html"], "The folder of the output"),
        (["values.tsv", "nowhere.nii.gz", "-o", "there.html"], "--overwrite"),
        (["values.tsv", "nowhere.nii.gz", "-o", "x.html"], "nowhere.nii.gz"),
        (["stat_map.nii.gz", "-o", "x.html"], "What is shown alone is an atlas"),
        (["values.tsv", "-o", "x.html"], "What is shown alone is an atlas"),
        (["stat_map.nii.gz", "atlas_dseg.nii.gz", "-o", "x.html"], "--resample labels"),
        (["atlas_dseg.nii.gz", "values.tsv", "-o", "x.html"], "VALUES come before ATLAS"),
        (["atlas_dseg.nii.gz", "-o", "x.html", "--by", "name"], "by is for values or an image"),
        (["values.tsv", "atlas_dseg.nii.gz", "-o", "x.html", "--cmap", "nope"], "no colour map"),
        (["lh.atlas.label.gii", "-o", "x.html"], "--mesh"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_shown_is_said_and_nothing_written(run, demo_folder, words, message):
    Path("there.html").write_text("old")
    before = sorted(demo_folder.iterdir())
    code, out, err = run("view", *words)
    assert (code, out) == (1, "")
    assert message in err
    assert "unexpected" not in err
    assert sorted(demo_folder.iterdir()) == before
    assert page("there.html") == "old"


@pytest.mark.parametrize("words", [["view"], ["view", "values.tsv", "atlas_dseg.nii.gz"]])
def test_wrong_usage_exits_with_2(run, words):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


# --- figures -------------------------------------------------------------------------------------

FIGURE = ["plot", "values.tsv", "atlas_dseg.nii.gz", "-o"]
SMALL = ["--cuts", "z=2", "--size", "3"]


@pytest.fixture
def drawn(monkeypatch):
    """What figures are asked for, which are then small and empty."""
    figure = pytest.importorskip("matplotlib.figure").Figure
    asked = []

    def plot(*inputs, **options):
        asked.append((inputs, options))
        return figure((3, 2))

    monkeypatch.setattr(cli.api, "plot", plot)
    return asked


@pytest.mark.parametrize(
    ("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")]
)
def test_figures_are_written(run, ending, start):
    pytest.importorskip("matplotlib")
    code, out, err = run(*FIGURE, f"map.{ending}", *SMALL, "--dpi", "50")
    assert (code, err) == (0, "")
    assert re.fullmatch(rf"map\.{ending}: 3×[\d.]+ inches, \d+ (kB|bytes), \d+\.\d\d s\n", out)
    content = Path(f"map.{ending}").read_bytes()
    assert content.startswith(start)
    rc.plot("values.tsv", "atlas_dseg.nii.gz", cuts={"z": 2}, size=3).savefig("x.png", dpi=50)
    assert ending != "png" or content == Path("x.png").read_bytes()


@pytest.mark.parametrize(
    ("words", "keywords"),
    [
        ([], {}),
        (["--kind", "ranked", "--theme", "dark"], {"kind": "ranked", "theme": "dark"}),
        (["--map", "z", "--map", "0"], {"maps": ["z", "0"]}),
        (["--cuts", "5"], {"cuts": 5}),
        (["--cuts", "z=5", "--cuts", "x=-3,4.5"], {"cuts": {"z": 5, "x": [-3, 4.5]}}),
        (["--cuts", "y=-10"], {"cuts": {"y": [-10]}}),
        (["--views", "lateral", "--views", "superior"], {"views": ["lateral", "superior"]}),
        (["--size", "7"], {"size": 7}),
        (["--size", "7,4.5"], {"size": (7, 4.5)}),
        (["--transparent", "--unit", "z"], {"transparent": True, "unit": "z"}),
        (
            ["--no-colorbar", "--cmap", "white,#b2303a"],
            {"colorbar": False, "cmap": ["white", "#b2303a"]},
        ),
    ],
    ids=str,
)
def test_each_option_of_figures_is_handed_on(run, drawn, words, keywords):
    assert run(*FIGURE, "map.png", *words)[::2] == (0, "")
    ((inputs, options),) = drawn
    assert inputs[0] == "values.tsv"
    assert len(inputs[1]) == 100
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(rc.plot).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name != "ax"
    }
    assert options == defaults | keywords


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["map.jpg"], "A figure cannot be written as 'map.jpg'. It is written as .png, .svg, .pdf"),
        (["there.png"], "--overwrite"),
        (["map.png", "--cuts", "foo"], "--cuts foo"),
        (["map.png", "--cuts", "z="], "--cuts z="),
        (["map.png", "--dpi", "0"], "--dpi"),
        (["map.png", "--dpi", "nan"], "--dpi"),
        (["map.png", "--dpi", "1e9"], "Choose another --size or --dpi"),
        (["map.png", "--dpi", "1e-3"], "Choose another --size or --dpi"),
        (["map.png", "--size", "1e6"], "Choose another --size or --dpi"),
        (["map.png", "--map", "nope"], "nope"),
        (["map.png", "--views", "sideways", "--kind", "surface"], "sideways"),
    ],
    ids=str,
)
def test_what_cannot_be_drawn_is_said_and_nothing_written(run, demo_folder, words, message):
    pytest.importorskip("matplotlib")
    Path("there.png").write_text("old")
    before = sorted(demo_folder.iterdir())
    code, out, err = run(*FIGURE, *words)
    assert (code, out) == (1, "")
    assert message in err
    assert "unexpected" not in err
    assert sorted(demo_folder.iterdir()) == before


def test_the_demo_ends_with_its_page(run):
    code, out, err = run("demo", "made")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].endswith(" made/motor_left-vs-right.html")
    image = rc.paint("values.tsv", "atlas_dseg.nii.gz")
    view = rc.view(image, title="Left against right finger movement", unit="z")
    meta, arrays = contents(view)
    assert page("made/motor_left-vs-right.html") == view.html
    assert (meta["unit"], arrays["values"].shape) == ("z", (1, 100))
    Path("again").mkdir()
    Path("again/motor_left-vs-right.html").write_text("old")
    code, _, err = run("demo", "again")
    assert code == 1
    assert "motor_left-vs-right.html" in err
    assert len(list(Path("again").iterdir())) == 1
