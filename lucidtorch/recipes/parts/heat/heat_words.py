"""What a page says of the methods of heat maps: how each works, and what not to conclude from it."""

from __future__ import annotations

HOW = {
    "grad_cam": (
        "Grad-CAM adds up the channels of {layers}, each weighed by how much the score rises with it on average over "
        "the whole map (Selvaraju et al., 2017)."
    ),
    "grad_cam_plus_plus": (
        "Grad-CAM++ weighs each channel of {layers} by the places where it helps, so that several things of one class, "
        "or a small one, count as much as one large thing (Chattopadhay et al., 2018)."
    ),
    "layer_cam": (
        "Layer-CAM weighs each channel of {layers} at each place by how much the score rises with it just there "
        "(Jiang et al., 2021)."
    ),
    "occlusion": (
        "Occlusion hides a square of {patch} pixels under one colour, moves it on by {stride} pixels, and so on over "
        "the whole picture. The heat of a pixel is by how much the score falls, on average over the squares that "
        "cover it (Zeiler & Fergus, 2014)."
    ),
}
"""How each method works; with places for the layers, and for the side and the step of the square."""

SCALES = (
    "Each map is scaled to its own strongest place, so the colours of two maps cannot be compared. Where there is no "
    "heat, or less than none, the grey picture is bare. The numbers themselves are in `maps/`, as `.npy` beside each "
    "picture."
)

MEASURED = (
    "The score is what the maps explain, of a class its value before the softmax. Of each map: where it is strongest, "
    "column and row in pixels from the upper left, and how much of its heat lies in the hottest quarter of the pixels "
    "(25% where it is even)."
)

OF_ALL = (
    "A heat map says where, not what: colour on a dog does not show that the network knows dogs. Maps can look right "
    "and say little: some methods hardly change when the network's weights are made random (Adebayo et al., 2018; "
    "Grad-CAM passed that test). Compare classes, and methods, before you believe a map."
)

COARSE = (
    "The maps called CAM are as coarse as the layer they are read from, and are spread evenly over the picture: an "
    "edge in such a map is no edge in the picture."
)

OF_OCCLUSION = (
    "Occlusion depends on the size and the colour of the square: what is larger than the square, or stands in the "
    "picture twice, is not missed when a part is hidden, and the square is itself something to see."
)
