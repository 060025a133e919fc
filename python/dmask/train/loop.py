"""The training loop: AdamW, warm-up / constant / cool-down, averaged weights, bfloat16, resumable."""

from __future__ import annotations

import copy
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dmask.train.workers import Ahead, Batch


@dataclass
class Task:
    """One net to train: where its batches come from, what is minimised, what is reported."""

    net: nn.Module
    batch: Callable[[np.random.Generator, int, float], Batch]  # (rng, size, augmentation strength 0..1)
    loss: Callable[[nn.Module, dict[str, Tensor]], Tensor]
    evaluate: Callable[[nn.Module], dict[str, float]]
    export: Callable[[nn.Module], None]
    learns: nn.Module | None = None  # the part of `net` that is trained; the rest stays as it is


@dataclass
class Options:
    steps: int = 6000
    seconds: float | None = None  # of this run, by the clock; then `steps` does not count
    batch: int = 32
    rate: float = 2e-3
    weight_decay: float = 2e-2
    warm_up: int = 200  # steps
    cool_down: float = 0.40  # share of the run with a falling rate
    light: float = 0.15  # share of the run, at the end, with light augmentation
    average: float = 0.998  # of the weights, a step
    clip: float = 5.0  # gradient norm
    seed: int = 1
    threads: int = 1
    workers: int = 0  # processes that make batches ahead
    device: str = "cpu"
    report_every: int = 100  # steps
    evaluate_every: int = 500  # steps; by the clock: every EVALUATIONS-th part of it


EVALUATIONS = 8


def rate_at(step: int, done: float, options: Options) -> float:
    """Learning rate of a step, `done` (0..1) of the run: linear warm-up, constant, cosine to 1 %."""
    start = 1 - options.cool_down
    rate = options.rate * min(1.0, (step + 1) / max(1, options.warm_up))
    if done < start:
        return rate
    t = min(1.0, (done - start) / max(1e-9, options.cool_down))
    return rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * t)))


def strength_at(done: float, options: Options) -> float:
    """Augmentation strength: full, light at the end of the run."""
    return 1.0 if done < 1 - options.light else 0.35


def optimiser_of(net: nn.Module, options: Options) -> torch.optim.AdamW:
    weights = [p for p in net.parameters() if p.ndim == 4]
    others = [p for p in net.parameters() if p.ndim != 4]
    groups = [
        {"params": weights, "weight_decay": options.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=options.rate)


def to_tensors(batch: Batch, device: str | torch.device = "cpu") -> dict[str, Tensor]:
    """Pictures, uint8 RGB (N,H,W,3), become float 0..1 (N,3,H,W), channels_last; all else stays as it is."""
    out = {name: torch.from_numpy(np.ascontiguousarray(a)).to(device) for name, a in batch.items()}
    for name in out.keys() & {"image", "clean"}:
        out[name] = out[name].permute(0, 3, 1, 2).float() / 255
    return out


def device_of(net: nn.Module) -> torch.device:
    return next(net.parameters()).device


@torch.no_grad()
def follow(average: nn.Module, net: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * net, normalisation statistics included."""
    pairs = list(zip(average.state_dict().values(), net.state_dict().values(), strict=True))
    floats = [(a, b) for a, b in pairs if a.is_floating_point()]
    torch._foreach_lerp_([a for a, _ in floats], [b for _, b in floats], 1 - decay)
    for a, b in pairs:
        if not a.is_floating_point():
            a.copy_(b)


def save(path: Path, content: dict) -> None:
    temporary = path.with_suffix(".partial")
    torch.save(content, temporary)
    os.replace(temporary, path)


def train(task: Task, checkpoint: Path, options: Options, resume: bool = False) -> nn.Module:
    """Trains task.net, writes the checkpoint and a log (one JSON a line) beside it; returns the averaged net.

    A batch depends on seed and step alone, so a resumed run sees the same pictures as an uninterrupted one;
    by the clock (`options.seconds`) its strength follows the time.
    """
    torch.set_num_threads(options.threads)
    torch.backends.cudnn.benchmark = True  # every batch has the same shape
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    net, learns = task.net.to(options.device), task.learns or task.net
    net.requires_grad_(False)
    learns.requires_grad_(True)
    optimiser = optimiser_of(learns, options)
    average = copy.deepcopy(net)
    step, hours = 0, 0.0
    if resume:
        if not checkpoint.exists():
            raise FileNotFoundError(f"{checkpoint}: no checkpoint to resume from; start without --resume")
        state = torch.load(checkpoint, weights_only=True, map_location=options.device)
        net.load_state_dict(state["net"])
        average.load_state_dict(state["average"])
        optimiser.load_state_dict(state["optimiser"])
        step, hours = state["step"], state["hours"]
    started, evaluated, losses = time.time(), 0, []

    def done(at_step: int) -> float:
        if options.seconds is None:
            return at_step / options.steps
        return (time.time() - started) / options.seconds

    def make(at_step: int, strength: float) -> Batch:
        return task.batch(np.random.default_rng([options.seed, at_step]), options.batch, strength)

    with Ahead(make, lambda k: strength_at(done(k), options), step, options.workers) as batches:
        progress = done(step)
        while progress < 1:
            batch = to_tensors(batches.take(step), options.device)
            for group in optimiser.param_groups:
                group["lr"] = rate_at(step, progress, options)
            net.eval()
            learns.train()
            with torch.autocast(options.device, torch.bfloat16):
                loss = task.loss(net, batch)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), options.clip)
            optimiser.step()
            follow(average, net, min(options.average, (1 + step) / (10 + step)))
            losses.append(loss.detach())
            step += 1
            progress = done(step)
            spent = hours + (time.time() - started) / 3600
            report: dict[str, float] = {}
            if options.seconds is None:
                due = step % options.evaluate_every == 0 or step == options.steps
            else:
                due, evaluated = int(progress * EVALUATIONS) > evaluated, int(progress * EVALUATIONS)
            if due or step % options.report_every == 0:
                report = {"step": step, "loss": float(torch.stack(losses).mean()), "hours": spent}
                losses = []
            if due:
                average.eval()
                report |= {"step": step, "hours": spent} | task.evaluate(average)
                state = {"net": net.state_dict(), "average": average.state_dict()}
                state |= {"optimiser": optimiser.state_dict(), "step": step, "hours": spent}
                save(checkpoint, state)
                task.export(average)
            if report:
                line = json.dumps({k: round(float(v), 5) for k, v in report.items()})
                print(line, flush=True)
                with checkpoint.with_suffix(".jsonl").open("a") as log:
                    log.write(line + "\n")
    return average.eval()
