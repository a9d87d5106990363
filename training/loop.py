"""The training loop of the embedded networks: from random weights, and bit for bit the same on one machine.

Every convolution and hidden dense layer has a batch norm during training, folded into its weights at the end. Each
batch is learnt twice: with a random perturbation, whose gradient also gives the adversarial one, and then with it. The
features of networks trained so look more like what they stand for (Engstrom et al. 2019, "Adversarial Robustness as a
Prior for Learned Representations").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR

from lucidtorch.base.checks import check_number
from lucidtorch.base.files import check_output_file
from lucidtorch.base.machine import threads
from lucidtorch.base.seeds import derive_seed
from lucidtorch.models.networks.shipped import NetworkCard, card
from training.model_card import ModelCard, write
from training.tasks import SIDE, TrainingTask, training_task

WEIGHT_DECAY = 5e-4
MOMENTUM = 0.9
LABEL_SMOOTHING = 0.05
WARM_UP = 0.2  # share of the steps in which the learning rate rises
HIDDEN = "fc"  # the name of dense layers that are no output
TINY = 1e-12  # keeps a gradient of zero from being divided by its norm

Progress = Callable[[int, int, float], None]
"""Called after each step with the steps done, the steps in all, and the loss."""


def train(
    name: str,
    *,
    steps: int | None = None,
    seed: int | None = None,
    output: Path | str | None = None,
    progress: Progress | None = None,
) -> ModelCard:
    """Train one of the embedded networks, and write its weights and its card.

    The weights go into a safetensors file in half precision, the card into a Markdown file beside it and into the
    file's metadata. Two runs on one machine give the same bytes; no global state is touched.
    """
    task, entry = training_task(name), card(name)
    count = task.steps if steps is None else steps
    chosen = task.seed if seed is None else seed
    check_number(count, "train(steps=)", low=1, whole=True)
    check_number(chosen, "train(seed=)", low=0, whole=True)
    target = Path(f"{name}.safetensors" if output is None else output)
    check_output_file(target)
    with threads(1):  # so that sums are always taken in one order
        network = _initialized(entry, chosen)
        _fit(network, entry, task, count, chosen, progress)
        fold_batch_norms(network.eval())
        rounded = network.half().float()
        right, held_out = accuracy(rounded, entry, task, chosen)
    made = ModelCard(
        name=name,
        data=task.data,
        architecture=str(rounded),
        parameters=sum(weight.numel() for weight in rounded.parameters()),
        accuracy=dict(zip(task.heads, right, strict=True)),
        held_out=held_out,
        steps=count,
        seed=chosen,
        disturbance=task.perturbation,
    )
    write(target, rounded.state_dict(), made)
    return made


def accuracy(network: nn.Module, entry: NetworkCard, task: TrainingTask, seed: int) -> tuple[tuple[float, ...], int]:
    """Measure the accuracy of each head on the held-out images; also returns how many there are."""
    data = task.held_out(seed)
    right = torch.zeros(len(task.heads))
    with torch.inference_mode():
        for start in range(0, len(data), task.batch):
            images, labels = data.batch(range(start, min(start + task.batch, len(data))))
            heads = logits_of(network, _normalized(images, entry))
            answers = torch.stack([head.argmax(1) for head in heads], dim=1)
            right += (answers == task.targets(labels)).sum(0)
    return tuple((right / len(data)).tolist()), len(data)


def logits_of(network: nn.Module, inputs: Tensor) -> tuple[Tensor, ...]:
    """Evaluate a network of one head or of several."""
    output = network(inputs)
    return tuple(output.values()) if isinstance(output, dict) else (output,)


def loss_of(network: nn.Module, inputs: Tensor, targets: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """The cross entropy, summed over the heads and averaged over the images."""
    heads = logits_of(network, inputs)
    losses = [F.cross_entropy(head, targets[:, place], label_smoothing=smoothing) for place, head in enumerate(heads)]
    return torch.stack(losses).sum()


def add_batch_norms(network: nn.Module) -> None:
    """Put a batch norm after every convolution and every hidden dense layer."""
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.Conv2d):
            _replace(network, name, nn.Sequential(module, nn.BatchNorm2d(module.out_channels)))
        elif isinstance(module, nn.Linear) and name.rpartition(".")[2] == HIDDEN:
            _replace(network, name, nn.Sequential(module, nn.BatchNorm1d(module.out_features)))


def fold_batch_norms(network: nn.Module) -> None:
    """Fold what `add_batch_norms` added into the weights before it; the outputs in eval mode stay the same."""
    for name, module in list(network.named_modules()):
        if not isinstance(module, nn.Sequential) or len(module) != 2:
            continue
        layer, norm = module
        if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            _replace(network, name, fuse_conv_bn_eval(layer, norm))
        elif isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
            _replace(network, name, fuse_linear_bn_eval(layer, norm))


def random_perturbation(inputs: Tensor, radius: float, generator: torch.Generator) -> Tensor:
    """Draw a random direction for each image, of a random share of the radius (L2)."""
    if radius == 0:
        return torch.zeros_like(inputs)
    shares = torch.rand(len(inputs), 1, 1, 1, generator=generator)
    noise = torch.randn(inputs.shape, generator=generator).contiguous(memory_format=torch.channels_last)
    return of_norm(noise, radius) * shares


def adversarial_perturbation(start: Tensor, gradient: Tensor, radius: float) -> Tensor:
    """Move a perturbation by one radius along the gradient of the loss, and project it into the L2 ball."""
    moved: Tensor = start + of_norm(gradient, radius)
    projected: Tensor = moved * (radius / _norms(moved)).clamp_max(1)
    return projected


def of_norm(directions: Tensor, norm: float) -> Tensor:
    """Scale each of several directions to one L2 norm."""
    scaled: Tensor = directions * (norm / _norms(directions))
    return scaled


def _norms(values: Tensor) -> Tensor:
    norms: Tensor = values.flatten(1).norm(dim=1).clamp_min(TINY)[:, None, None, None]
    return norms


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    network.get_submodule(parent).register_module(child, module)


def _normalized(images: Tensor, entry: NetworkCard) -> Tensor:
    mean, std = (torch.tensor(values)[:, None, None] for values in (entry.mean, entry.std))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def _initialized(entry: NetworkCard, seed: int) -> nn.Module:
    """The network with random weights and batch norms, in training mode."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "weights"))
    network = entry.build()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    add_batch_norms(network)
    return network.train().to(memory_format=torch.channels_last)


def _fit(
    network: nn.Module, entry: NetworkCard, task: TrainingTask, steps: int, seed: int, progress: Progress | None
) -> None:
    optimizer = SGD(network.parameters(), lr=task.lr, momentum=MOMENTUM, nesterov=True, weight_decay=WEIGHT_DECAY)
    schedule = OneCycleLR(optimizer, task.lr, total_steps=steps, pct_start=WARM_UP, cycle_momentum=False)
    generator = torch.Generator().manual_seed(derive_seed(seed, "disturbances"))
    for step, (images, targets) in enumerate(_batches(task, steps, seed)):
        share = min(max((step / steps - task.clean) / task.rising, 0.0), 1.0)
        radius = task.perturbation * share * (images.shape[-1] / SIDE) / entry.std[0]
        loss = _step(network, optimizer, _normalized(images, entry), targets, radius, generator)
        schedule.step()
        if progress is not None:
            progress(step + 1, steps, loss)


def _step(
    network: nn.Module, optimizer: SGD, inputs: Tensor, targets: Tensor, radius: float, generator: torch.Generator
) -> float:
    """Learn one batch: as it is, or twice, with a random and then with the adversarial perturbation."""
    change = random_perturbation(inputs, radius, generator)
    for again in (True, False) if radius > 0 else (False,):
        changed = (inputs + change).requires_grad_(again)
        loss = loss_of(network, changed, targets, smoothing=LABEL_SMOOTHING)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if changed.grad is not None:
            change = adversarial_perturbation(change, changed.grad, radius)
    return float(loss.detach())


def _batches(task: TrainingTask, steps: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches in order, each drawn while the one before it is learnt."""
    with ThreadPoolExecutor(max_workers=1) as painter:
        coming = painter.submit(task.examples, seed, 0, task.batch)
        for step in range(1, steps + 1):
            batch = coming.result()
            if step < steps:
                coming = painter.submit(task.examples, seed, step, task.batch)
            yield batch
