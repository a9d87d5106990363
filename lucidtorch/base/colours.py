"""The colours of natural images, as ImageNet has them."""

from __future__ import annotations

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
# The root of the covariance of ImageNet's colours (Lucid); its columns are the three axes, light to dark first.
IMAGENET_ROOT = ((0.26, 0.09, 0.02), (0.27, 0.0, -0.05), (0.27, -0.09, 0.03))
