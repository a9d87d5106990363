"""Textures on meshes: a texture is the image, and what the network sees are views of the mesh that wears it."""

from lucidtorch.transforms.meshes.mesh import Mesh, read_obj
from lucidtorch.transforms.meshes.view import textured

__all__ = ["Mesh", "read_obj", "textured"]
