from __future__ import annotations

import pytest
from small_networks import as_model, mixing
from torch import nn

from lucidtorch.datasets import digits, drawings, lines
from lucidtorch.models.loading import load_model
from lucidtorch.models.networks.lines import HEADS
from lucidtorch.scanning.answers import right_answers


def classifier(*labels: str | None):
    """A network of four classes, with these names or none."""
    if not labels:
        return as_model(mixing())
    return load_model(mixing(), mean=0.0, std=1.0, size=16, labels=list(labels))


@pytest.mark.parametrize(
    ("labels", "classes", "expected"),
    [
        (("cat", "dog", "red fox", "owl"), ("dog", "owl", "cat"), (1, 3, 0)),
        (("Cat", "DOG", "red_fox", "owl"), ("Red-Fox", "cat", "dog"), (2, 0, 1)),
        (("cat, tabby", "dog", "fox, Vulpes vulpes", "owl"), ("tabby", "vulpes vulpes", "cat"), (0, 2, 0)),
        (("n02123045 tabby, cat", "n1 dog", "fox", "owl"), ("cat", "tabby", "n02123045 tabby, cat"), (0, 0, 0)),
        (("cat", "dog", "fox", "owl"), ("a young fox", "owls", "catfish"), (2, -1, -1)),  # word by word only
        (("cat", "cat", "fox", "owl"), ("cat", "fox"), (-1, 2)),  # two have this name
        (("cat", "dog", "fox", "owl"), ("cat and dog", "fox"), (-1, 2)),  # two are a part of it
        (("fox", "red fox", "dog", "owl"), ("red fox", "fox"), (1, 0)),  # the whole name goes before a part of it
        (("", "dog", "fox", "owl"), ("", "dog"), (-1, 1)),
    ],
)
def test_classes_are_matched_by_their_names(labels, classes, expected):
    assert right_answers(classifier(*labels), classes) == {"logits": expected}


def test_as_many_classes_are_matched_by_their_numbers_where_no_name_is():
    for model in (classifier(), classifier("cat", "dog", "fox", "owl")):
        assert right_answers(model, ("n01", "n02", "n03", "n04")) == {"logits": (0, 1, 2, 3)}
        assert right_answers(model, ("n01", "n02", "n03")) == {}
        assert right_answers(model, ()) == {}
    one = right_answers(classifier("cat", "dog", "fox", "owl"), ("n01", "n02", "owl", "n04"))
    assert one == {"logits": (-1, -1, 3, -1)}  # a name that is known says that they are no numbers


def test_a_network_that_classifies_nothing_has_no_answers():
    model = as_model(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()))
    assert model.heads == {}
    assert right_answers(model, ("a", "b", "c", "d")) == {}


def test_the_networks_that_ship_know_their_own_data(demo):
    assert right_answers(demo, drawings("test", length=51).classes) == {"logits": tuple(range(51))}
    assert right_answers(load_model("digits", device="cpu"), digits("test").classes) == {"logits": tuple(range(10))}


def test_each_head_has_its_own_answers():
    model = load_model("lines", device="cpu")
    assert model.heads == HEADS
    kinds = lines("test", length=4).classes
    found = right_answers(model, kinds)
    assert list(found) == list(HEADS)
    for head, names in HEADS.items():
        assert [names[answer] for answer in found[head]] == [
            next(word for word in kind.split() if word in names) for kind in kinds
        ]
    colours = lines("test", length=4, head="colour").classes
    assert right_answers(model, colours) == {"colour": tuple(range(len(colours)))}


def test_heads_of_a_classifier_are_its_logits_with_its_labels():
    assert classifier("cat", "dog", "fox", "owl").heads == {"logits": ("cat", "dog", "fox", "owl")}
    assert classifier().heads == {"logits": ()}
    assert classifier("cat", "dog", "fox").heads == {"logits": ()}  # of four classes
