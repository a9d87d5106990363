"""Bad input at public boundaries, by value: one short line that names the call, the argument and what was given."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.checks import Within, checked
from lucidtorch.base.errors import BadInputError, LucidtorchError
from lucidtorch.base.shown import shown
from lucidtorch.cli.main import run

GOAL = "conv1_1:0"
IMAGE = torch.zeros(3, 96, 96)


def small(**words: Any) -> object:
    return lt.render("demo", GOAL, **{"param": lt.param.image(32), "steps": 1, "progress": False, **words})


# What raised something else than a LucidtorchError, or a message of many lines, before there was one check.
REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "value_range": (lambda: lt.load_model("demo", value_range=255), r"load_model\(value_range=\) takes .*but 255 was"),  # type: ignore[arg-type]
    "labels": (lambda: lt.load_model("demo", labels=5), r"load_model\(labels=\) takes .*but 5 was"),  # type: ignore[arg-type]
    "device": (lambda: lt.load_model("demo", device=1.5), r"load_model\(device=\) takes .*but 1.5 was"),  # type: ignore[arg-type]
    "weights": (lambda: lt.load_model("demo", weights=object()), r"load_model\(weights=\) takes a path.*an object was"),  # type: ignore[arg-type]
    "trace": (lambda: lt.load_model("demo", trace=torch.rand(3, 4)), r"True or False.*a tensor \[3, 4\] float32 was"),  # type: ignore[arg-type]
    "channels": (lambda: lt.load_model("demo", channels=10**12), r"channels is a whole number from 1 to 65536"),
    "units": (lambda: lt.gallery("demo", units=1), r"gallery\(units=\) takes .*but 1 was"),  # type: ignore[arg-type]
    "layers": (lambda: lt.gallery("demo", layers=5), r"gallery\(layers=\) takes .*but 5 was"),  # type: ignore[arg-type]
    "param": (lambda: lt.gallery("demo", param=True), r"gallery\(param=\) takes .*but True was"),  # type: ignore[arg-type]
    "answers": (lambda: lt.datasets.scan("demo", [IMAGE], "s", answers=1), r"scan\(answers=\) takes .*but 1 was"),  # type: ignore[arg-type]
    "top": (
        lambda: lt.datasets.scan("demo", [IMAGE], "s", top=2**31),
        r"from 1 to 100000, but 2147483648",
    ),
    "engine": (lambda: small(engine="float16"), r"render\(engine=\) takes .*but 'float16' was"),
    "stop": (lambda: small(stop=np.ones(2)), r"render\(stop=\) takes a text, but an array \[2\] float64 was"),
    "transforms": (lambda: small(transforms=lt.param.image(8)), "is no transform"),
    "text": (lambda: lt.parse(3), r"parse\(text\) takes a text, but 3 was"),  # type: ignore[arg-type]
    "preset": (lambda: lt.constraints.yosinski([1]), r"takes 1, 2, 3 or 4, but \[1\] was"),  # type: ignore[arg-type]
    "crops": (lambda: lt.transforms.crops(size=2**31), r"from 1 to 8192 pixels .*2147483648"),
    "strong": (lambda: lt.transforms.strong(size=10**6), r"from 1 to 8192 pixels .*1000000"),
    "frames": (lambda: lt.param.animation(8, 2**64), r"animation\(frames\) takes a whole number.*18446744073709551616"),
    "memory": (lambda: lt.param.image(8192, batch=10**6), r"takes .* GB, but the memory here is .* GB"),
    "meta module": (
        lambda: lt.render(
            lt.load_model(nn.Sequential(nn.Conv2d(3, 4, 3, device="meta")), mean=0, size=32), "0:0", progress=False
        ),
        "network are on the meta device",
    ),
    "meta images": (
        lambda: lt.load_model("demo").activations(torch.zeros(1, 3, 96, 96, device="meta"), "conv1_1"),
        r"\[1, 3, 96, 96\] float32 on the meta device",
    ),
    "meta vector": (lambda: lt.objectives.direction("a", torch.zeros(9, device="meta")), "on the meta device"),
    "many digits": (lambda: lt.param.image(10**4000), "about 4001 digits"),
    "endless": (lambda: lt.objectives.channel("a", range(10**12)), "At most 1000000 values"),
    "endless picture": (lambda: lt.objectives.style("a", range(10**12)), "at most 268435456 numbers"),
    "batch": (lambda: lt.gallery("demo", batch=2**31), "from 1 to 4096, but 2147483648"),
    "latent": (lambda: lt.param.generated(torch.nn.Linear(2, 2), 2**31), "at most 16777216 numbers"),
    "meta statistics": (lambda: lt.param.fit_statistics(torch.zeros(1, 3, 8, 8, device="meta")), "real numbers"),
    "number as images": (lambda: lt.param.fit_statistics(torch.tensor(1.0)), "a single number was given"),
    "side": (lambda: lt.param.fit_statistics(torch.rand(2, 3, 8, 8), side=2**31), "8192"),
    "long text": (lambda: lt.load_model("x" * 5000), r"takes a path.*'x{60}'\.\.\. was"),
    "null byte": (lambda: lt.load_model("a\0b.py:f"), "takes a path"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused_in_one_short_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    make, words = REFUSED[name]
    with pytest.raises(BadInputError, match=words) as caught:
        make()
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@checked
def sample(
    number: int,
    share: Annotated[float, Within(0, 1)] = 0.5,
    path: str | Path = "a",
    *,
    places: Sequence[int] = (),
    table: Mapping[str, int] | None = None,
    kind: Literal["a", "b"] = "a",
    picture: Annotated[Tensor, "c h w"] | None = None,
) -> tuple[object, ...]:
    """Something to call."""
    return (number, share, path, places, table, kind, picture)


def test_a_checked_function_takes_numbers_of_numpy_as_pythons() -> None:
    number, share, _, places, *_ = sample(np.int64(3), np.float32(0.5), places=[np.int64(1), 2])  # type: ignore[arg-type]
    assert (type(number), type(share), places) == (int, float, (1, 2))
    given = [1, 2]
    assert sample(1, places=given)[3] is given
    assert sample.__doc__ == "Something to call."


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"number": True}, "sample(number) takes a whole number, but True was given."),
        ({"share": 2}, "sample(share=) takes a number from 0 to 1, but 2 was given."),
        ({"share": float("nan")}, "sample(share=) takes a number from 0 to 1, but nan was given."),
        ({"path": 3}, "sample(path=) takes a path, but 3 was given."),
        ({"places": "12"}, "sample(places=) takes a list of whole numbers, but '12' was given."),
        ({"places": [1, "2"]}, "sample(places=) takes a list of whole numbers, but [1, '2'] was given."),
        ({"table": {1: 2}}, "sample(table=) takes a mapping from texts or None, but {1: 2} was given."),
        ({"kind": "c"}, "sample(kind=) takes 'a' or 'b', but 'c' was given."),
        (
            {"picture": torch.zeros(2, 2)},
            "sample(picture=) takes a tensor [C, H, W] of finite numbers or None, but a tensor [2, 2] float32 was "
            "given.",
        ),
    ],
)
def test_a_message_names_call_argument_value_and_type(words: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError) as caught:
        sample(**{"number": 1, **words})
    assert str(caught.value) == message


def test_wrong_names_of_arguments_stay_pythons_own_error() -> None:
    with pytest.raises(TypeError, match="colour"):
        sample(1, colour=2)  # type: ignore[call-arg]


def test_values_are_short_in_messages() -> None:
    assert shown("x" * 100) == f"'{'x' * 60}'..."
    assert shown(list(range(100))) == "[0, 1, 2, 3, 4, 5, ...]"
    assert shown(np.zeros((2, 3))) == "an array [2, 3] float64"
    assert shown(torch.zeros(2, device="meta")) == "a tensor [2] float32 on the meta device"
    assert shown(10**4000) == "a whole number of about 4001 digits"
    assert shown({"a": [1, (2,)]}) == "{'a': [1, (2,)]}"


def test_the_first_line_of_any_error_is_short() -> None:
    first, caret = str(LucidtorchError("a" * 500 + " write this instead.\n  ^")).split("\n")
    assert len(first) < 300
    assert first.endswith("write this instead.")
    assert caret == "  ^"


def test_a_caret_stays_under_its_column_in_a_long_text() -> None:
    with pytest.raises(BadInputError) as caught:
        lt.parse("conv1_1:0 + " * 300 + "chanel('a', 0)")
    first, text, caret = str(caught.value).split("\n")
    assert len(first) < 300
    assert len(text) < 200
    assert text[caret.index("^") :].startswith("chanel")


def test_a_text_parses_in_linear_time() -> None:
    """Four times the text takes about four times as long, and not sixteen; ten leave room for a busy machine."""

    def seconds(text: str) -> float:
        start = time.process_time()
        with pytest.raises(BadInputError):
            lt.parse(text)
        return time.process_time() - start

    assert seconds("a." * 80_000) < 10 * max(seconds("a." * 20_000), 0.02)


def test_a_sum_of_three_thousand_terms_is_a_value() -> None:
    text = " + ".join(f"channel('a', {index})" for index in range(3000))
    goal = lt.parse(text)
    assert repr(goal) == text
    assert pickle.loads(pickle.dumps(goal)) == goal
    assert hash(goal) == hash(lt.parse(repr(goal)))
    assert goal({"a": torch.ones(1, 3000, 1, 1)}).item() == 3000


class Moody(nn.Module):
    """A network of the user's own, whose second layer fails at some call."""

    def __init__(self, error: BaseException, calls: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.second = Failing(error, calls)

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.second(self.first(images)).mean((2, 3))
        return found


class Failing(nn.Module):
    def __init__(self, error: BaseException, calls: int) -> None:
        super().__init__()
        self.error, self.calls = (lambda: error), calls  # a function, since copies of the network must raise this one

    def forward(self, maps: Tensor) -> Tensor:
        if torch.is_grad_enabled():  # dry runs are without
            self.calls -= 1
            if self.calls < 0:
                raise self.error()
        return maps * 1


@pytest.mark.parametrize("error", [ZeroDivisionError("mine"), KeyError("mine"), ValueError("mine")], ids=repr)
def test_an_error_of_the_users_network_passes_with_the_layer_in_a_note(error: Exception) -> None:
    model = lt.load_model(Moody(error, 0), mean=0, size=16)
    settings: dict[str, Any] = {"param": lt.param.image(16), "transforms": "identity()", "steps": 1}
    with pytest.raises(type(error)) as caught:
        lt.render(model, "second:0", **settings, progress=False, engine=lt.Engine(fold=False))
    assert caught.value is error
    assert any("layer 'second'" in note for note in error.__notes__)


def test_an_error_of_a_callback_passes_with_its_name_in_a_note() -> None:
    error = KeyError("mine")

    def watch(step: object) -> None:
        raise error

    with pytest.raises(KeyError) as caught:
        small(callbacks=[watch])
    assert caught.value is error
    assert error.__notes__ == ["raised by the function watch among the callbacks after step 1"]


def test_a_transform_of_the_users_own_passes_its_error_on() -> None:
    error = ZeroDivisionError("mine")

    def shift(images: Tensor) -> Tensor:
        raise error

    with pytest.raises(ZeroDivisionError) as caught:
        small(transforms=shift)
    assert caught.value is error
    assert "the function shift" in error.__notes__[0]


def test_the_command_line_tells_the_line_of_the_users_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "net.py").write_text(
        "import torch\n"
        "class Layer(torch.nn.Module):\n"
        "    def forward(self, images):\n"
        "        if torch.is_grad_enabled():\n"
        "            raise KeyError('no such thing')\n"
        "        return images * 1\n"
        "def build():\n"
        "    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), Layer())\n"
    )
    monkeypatch.chdir(tmp_path)
    code = run(["render", "net.py:build", "1:0", "--mean", "0", "--input-size", "16", "--steps", "1", "-o", "a.png"])
    said = capsys.readouterr().err
    assert code == 1
    assert "KeyError: 'no such thing' (raised in the forward pass of layer '1'" in said
    assert "net.py, line 5" in said
    assert "Traceback" not in said
