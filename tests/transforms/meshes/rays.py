"""What a viewer sees of a mesh, naively: a ray through every pixel, against every triangle, in space."""

from __future__ import annotations

import math

import numpy as np

from lucidtorch.transforms.meshes import Mesh

ON_EDGE = 1e-9


def naive_texel(texture: np.ndarray, u: float, v: float) -> np.ndarray:
    """Bilinear and repeating, `texture` being `[C, H, W]`, with v up from its lower left corner."""
    _, height, width = texture.shape
    x, y = u * width - 0.5, (1 - v) * height - 0.5
    left, above = math.floor(x), math.floor(y)
    across, down = x - left, y - above
    total = np.zeros(len(texture))
    for row, tall in ((above, 1 - down), (above + 1, down)):
        for column, wide in ((left, 1 - across), (left + 1, across)):
            total += tall * wide * texture[:, row % height, column % width]
    return total


def hit(mesh: Mesh, eye: np.ndarray, ray: np.ndarray) -> tuple[float, float] | None:
    """The place in the texture of the nearest triangle that a ray meets."""
    corners, uvs = mesh.positions.numpy()[mesh.faces.numpy()], mesh.uvs.numpy()[mesh.faces.numpy()]
    best, place = math.inf, None
    for (a, b, c), own in zip(corners, uvs, strict=True):
        system = np.stack([b - a, c - a, -ray], 1)
        if abs(np.linalg.det(system)) < 1e-15:
            continue
        second, third, distance = np.linalg.solve(system, eye - a)
        if min(second, third, 1 - second - third) >= -ON_EDGE and 0 < distance < best:
            best, place = distance, (1 - second - third) * own[0] + second * own[1] + third * own[2]
    return None if place is None else (place[0], place[1])


def naive_view(
    mesh: Mesh,
    texture: np.ndarray,
    view: tuple[float, float, float],
    size: tuple[int, int],
    angle: float = 12,
    background: float = 0.5,
    samples: int = 1,
) -> np.ndarray:
    """A view `[C, h, w]` from an azimuth and an elevation in degrees and a distance."""
    around, above = math.radians(view[0]), math.radians(view[1])
    back = np.array([math.sin(around) * math.cos(above), math.sin(above), math.cos(around) * math.cos(above)])
    right = np.array([math.cos(around), 0, -math.sin(around)])
    up = np.cross(back, right)
    height, width = size[0] * samples, size[1] * samples
    reach = math.tan(math.radians(angle) / 2) / (min(height, width) / 2)
    fine = np.full((len(texture), height, width), background)
    for row in range(height):
        for column in range(width):
            x, y = (column + 0.5 - width / 2) * reach, (height / 2 - row - 0.5) * reach
            place = hit(mesh, view[2] * back, x * right + y * up - back)
            if place is not None:
                fine[:, row, column] = naive_texel(texture, *place)
    return fine.reshape(len(texture), size[0], samples, size[1], samples).mean((2, 4))
