"""The colours of charts."""

from __future__ import annotations

GROUND, INK, RULE = (255, 255, 255), (60, 60, 66), (226, 226, 230)
COLOURS = ((0, 114, 178), (213, 94, 0), (0, 158, 115), (204, 121, 167), (230, 159, 0), (86, 180, 233), (90, 90, 90))
# Okabe and Ito's colours, which readers with any kind of colour sight tell apart
