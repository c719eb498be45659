"""nilearn with the functions of `regioncast.nilearn.regions` in the place of its own.

A *patch* exchanges functions wherever nilearn's loaded modules hold them, so that everything
in nilearn that extracts or paints region signals, the label maskers above all, goes through
`regioncast`.  Undoing it exchanges them back.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import ModuleType

from ..errors import MissingPackageError, PackageVersionError
from .regions import img_to_signals_labels, signals_to_img_labels

# Of the parameters, returns and warnings that `regioncast.nilearn.regions` mirrors.
_KNOWN_VERSIONS = ("0.14",)

_HOME = "nilearn.regions.signal_extraction"

# nilearn's functions, by what stands in their place while it is patched.
_originals: dict[Callable[..., object], Callable[..., object]] = {}


def patch_nilearn() -> AbstractContextManager[None]:
    """Make nilearn use the functions of `regioncast.nilearn.regions`.

    `nilearn.regions.img_to_signals_labels` and `nilearn.regions.signals_to_img_labels` become
    those of `regioncast`, and so `fit_transform`, `transform` and `inverse_transform` of
    `nilearn.maskers.NiftiLabelsMasker` and `nilearn.maskers.MultiNiftiLabelsMasker` use them,
    in this process and in those that nilearn starts through joblib meanwhile.  Patching twice
    is the same as once.

    Names that your own code has imported from nilearn before stay what they were: patch first,
    or call the functions through their module.

    Returns
    -------
    context manager
        At its end nilearn is again what it was before this call.  Without ``with``, nilearn
        stays patched until `unpatch_nilearn`.

    Raises
    ------
    MissingPackageError
        When nilearn is not installed.
    PackageVersionError
        When it is a version other than 0.14, whose functions may do something else.

    Examples
    --------
    >>> import nilearn.regions
    >>> import regioncast as rc
    >>> with rc.patch_nilearn():
    ...     nilearn.regions.signals_to_img_labels.__module__
    'regioncast.nilearn.regions'
    >>> nilearn.regions.signals_to_img_labels.__module__
    'nilearn.regions.signal_extraction'
    """
    home = _home()
    was_patched = _is_patched()
    if not was_patched:
        import joblib

        _originals.clear()
        _originals[img_to_signals_labels] = home.img_to_signals_labels
        _originals[signals_to_img_labels] = home.signals_to_img_labels
        _originals[_delayed] = joblib.delayed
        _exchange({id(theirs): ours for ours, theirs in _originals.items()})
    return _Patch(undone=not was_patched)


def unpatch_nilearn() -> None:
    """Give nilearn its own functions back; do nothing where it is not patched.

    Examples
    --------
    >>> import nilearn.regions
    >>> import regioncast as rc
    >>> patch = rc.patch_nilearn()
    >>> rc.unpatch_nilearn()
    >>> nilearn.regions.img_to_signals_labels.__module__
    'nilearn.regions.signal_extraction'
    """
    if _is_patched():
        # Modules that were loaded meanwhile have ours too, and get theirs.
        _exchange({id(ours): theirs for ours, theirs in _originals.items()})


class _Patch(AbstractContextManager[None]):
    """The time for which nilearn is patched.

    Parameters
    ----------
    undone : bool
        Whether the end of this time is the end of the patch.
    """

    def __init__(self, *, undone: bool) -> None:
        self._undone = undone

    def __exit__(self, *error: object) -> None:
        if self._undone:
            unpatch_nilearn()


class _InPatchedNilearn:
    """A function that finds nilearn patched in whatever process it is called.

    Parameters
    ----------
    function : callable
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self._function = function

    def __call__(self, *args: object, **kwargs: object) -> object:
        with patch_nilearn():
            return self._function(*args, **kwargs)


def _delayed(function: Callable[..., object]) -> Callable[..., object]:
    """Stand in for `joblib.delayed`, for other processes load a nilearn of their own."""
    import joblib

    delayed: Callable[..., object] = joblib.delayed(_InPatchedNilearn(function))
    return delayed


def _home() -> ModuleType:
    """Return the module of nilearn that has the functions."""
    try:
        nilearn = importlib.import_module("nilearn")
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            "There is no nilearn to patch. Install it: pip install nilearn."
        ) from error
    version = str(nilearn.__version__)
    if ".".join(version.split(".")[:2]) not in _KNOWN_VERSIONS:
        raise PackageVersionError(
            f"nilearn {version} cannot be patched: regioncast knows the functions of "
            f"{', '.join(_KNOWN_VERSIONS)}. Install that, or call those of regioncast.regions."
        )
    return importlib.import_module(_HOME)


def _is_patched() -> bool:
    return getattr(sys.modules.get(_HOME), "img_to_signals_labels", None) is img_to_signals_labels


def _exchange(successors: dict[int, Callable[..., object]]) -> None:
    """Put objects in the place of others, by their identity, in all modules of nilearn."""
    # Copies, as another thread may import something meanwhile.
    for module_name, module in list(sys.modules.items()):
        # None stands for what may not be imported.
        if module_name.partition(".")[0] != "nilearn" or not isinstance(module, ModuleType):
            continue
        for name, value in list(vars(module).items()):
            if id(value) in successors:
                setattr(module, name, successors[id(value)])
