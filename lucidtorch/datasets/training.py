"""Training the networks that ship inside the package, from scratch and bit for bit the same on one machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR

from lucidtorch.base.files import check_output_file
from lucidtorch.base.machine import threads
from lucidtorch.base.seeds import derive_seed
from lucidtorch.datasets import batch_norm
from lucidtorch.datasets.certificate import Certificate, write
from lucidtorch.datasets.collection import positive
from lucidtorch.datasets.disturbance import Disturbance, logits_of, loss_of
from lucidtorch.datasets.lessons import SIDE, Lesson, lesson
from lucidtorch.models.networks.card import NetworkCard
from lucidtorch.models.networks.shipped import card

DECAY = 5e-4  # the pull of the weights to zero
MOMENTUM = 0.9
SMOOTHING = 0.05  # share of the truth that is spread over all classes
WARM = 0.2  # share of the steps in which the learning rate rises

Progress = Callable[[int, int, float], None]
"""Called after each step with the steps done, the steps in all, and the loss."""


def train(
    name: str,
    *,
    steps: int | None = None,
    seed: int | None = None,
    output: Path | str | None = None,
    progress: Progress | None = None,
) -> Certificate:
    """Train one of the networks that ship, and write its weights and its card.

    The weights go into a safetensors file in half precision, the card into a Markdown file beside it and into the
    file's metadata. Two runs on one machine give the same bytes; no global state is touched.
    """
    plan, entry = lesson(name), card(name)
    wanted = plan.steps if steps is None else positive(steps, "steps")
    chosen = plan.seed if seed is None else positive(seed + 1, "seed + 1") - 1
    target = Path(f"{name}.safetensors" if output is None else output)
    check_output_file(target)
    with threads(1):  # so that sums are always taken in one order
        network = _start(entry, chosen)
        _teach(network, entry, plan, wanted, chosen, progress)
        batch_norm.fold(network.eval())
        shipped = network.half().float()
        right, count = accuracy(shipped, entry, plan, chosen)
    facts = Certificate(
        name=name,
        data=plan.data,
        architecture=str(shipped),
        parameters=sum(weight.numel() for weight in shipped.parameters()),
        accuracy=dict(zip(plan.heads, right, strict=True)),
        held_out=count,
        steps=wanted,
        seed=chosen,
        disturbance=plan.reach,
    )
    write(target, shipped.state_dict(), facts)
    return facts


def accuracy(network: nn.Module, entry: NetworkCard, plan: Lesson, seed: int) -> tuple[tuple[float, ...], int]:
    """Count how often a network is right on images that it has not seen."""
    data = plan.held_out(seed)
    right = torch.zeros(len(plan.heads))
    with torch.inference_mode():
        for start in range(0, len(data), plan.batch):
            images, labels = data.batch(range(start, min(start + plan.batch, len(data))))
            heads = logits_of(network, normalized(images, entry))
            said = torch.stack([head.argmax(1) for head in heads], dim=1)
            right += (said == plan.targets(labels)).sum(0)
    return tuple((right / len(data)).tolist()), len(data)


def normalized(images: Tensor, entry: NetworkCard) -> Tensor:
    """Bring images to what a network takes."""
    mean, std = (torch.tensor(values)[:, None, None] for values in (entry.mean, entry.std))
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def _start(entry: NetworkCard, seed: int) -> nn.Module:
    """The network with random weights and batch normalization, ready to learn."""
    generator = torch.Generator().manual_seed(derive_seed(seed, "weights"))
    network = entry.build()
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
    batch_norm.put_on(network)
    return network.train().to(memory_format=torch.channels_last)


def _teach(
    network: nn.Module, entry: NetworkCard, plan: Lesson, steps: int, seed: int, progress: Progress | None
) -> None:
    optimizer = SGD(network.parameters(), lr=plan.rate, momentum=MOMENTUM, nesterov=True, weight_decay=DECAY)
    schedule = OneCycleLR(optimizer, plan.rate, total_steps=steps, pct_start=WARM, cycle_momentum=False)
    generator = torch.Generator().manual_seed(derive_seed(seed, "disturbances"))
    for step, (images, targets) in enumerate(_batches(plan, steps, seed)):
        inputs = normalized(images, entry)
        length = _reach(plan, step / steps) * (images.shape[-1] / SIDE) / entry.std[0]
        loss = _learn(network, optimizer, inputs, targets, Disturbance(length, generator))
        schedule.step()
        if progress is not None:
            progress(step + 1, steps, loss)


def _learn(network: nn.Module, optimizer: SGD, inputs: Tensor, targets: Tensor, disturbance: Disturbance) -> float:
    """Learn one batch: as it is, or twice, changed at random and then to where the network was found to err most."""
    change = disturbance.start(inputs)
    for again in (True, False) if disturbance.length > 0 else (False,):
        changed = (inputs + change).requires_grad_(again)
        loss = loss_of(network, changed, targets, smoothing=SMOOTHING)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if changed.grad is not None:
            change = disturbance.onward(change, changed.grad)
    return float(loss.detach())


def _reach(plan: Lesson, done: float) -> float:
    """How long the disturbances are after a share of the steps."""
    return plan.reach * min(max((done - plan.clean) / plan.rising, 0.0), 1.0)


def _batches(plan: Lesson, steps: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches in order, each drawn while the one before it is learnt."""
    with ThreadPoolExecutor(max_workers=1) as painter:
        coming = painter.submit(plan.examples, seed, 0, plan.batch)
        for step in range(1, steps + 1):
            batch = coming.result()
            if step < steps:
                coming = painter.submit(plan.examples, seed, step, plan.batch)
            yield batch
