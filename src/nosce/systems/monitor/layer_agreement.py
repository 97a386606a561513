"""Do the layers agree on what to say?"""

from __future__ import annotations

import numpy as np

from nosce.core.errors import InputError
from nosce.monitor.measure import measure
from nosce.monitor.statistics import Statistics


@measure("layer-agreement", needs={"layers"})
def layer_agreement(stats: Statistics, *, share: float = 0.5) -> float:
    """How often a late layer, read through the model's own head, already prefers the token that the last layer prefers.

    Rule: the mean over tokens and over the last `share` of the layers before the last (logit lens). In [0, 1], higher is surer.
    """
    if not 0 < share <= 1:
        raise InputError(f"layer-agreement: share={share}; expected above 0 and at most 1")
    before = np.zeros((1, 1)) if stats.layers is None else stats.layers[:-1]
    return float(before[len(before) - max(1, round(share * len(before))) :].mean())
