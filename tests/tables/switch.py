"""Whether what is new by the ten rules holds; where it does not yet, its tests are skipped."""

from __future__ import annotations

import pytest

NEW_RULES = True

new_rule = pytest.mark.skipif(not NEW_RULES, reason="new by the ten rules")
old_rule = pytest.mark.skipif(NEW_RULES, reason="changed by the ten rules")
