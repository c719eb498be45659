"""Where nilearn has them: ``from regioncast.regions import signals_to_img_labels``."""

from .nilearn.regions import img_to_signals_labels, signals_to_img_labels

__all__ = ["img_to_signals_labels", "signals_to_img_labels"]
