"""A small network that looks at masks and tables and says whose face it may be: an attacker who trains.

It learns to tell, of a batch of people, which face a mask belongs to (InfoNCE), from other people alone, and
stops when held-out ones of those are told no better. Needs torch.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

CODE, BATCH, EPOCHS, PATIENCE = 64, 256, 40, 6
TEMPERATURE = 0.1
CLIP = 5.0  # standard deviations: one wild number must not blind it


class Encoder(nn.Module):
    def __init__(self, numbers: int, faces: int):
        super().__init__()
        channels = (1, 16, 32, 48, 64)
        layers: list[nn.Module] = []
        for a, b in zip(channels, channels[1:], strict=False):
            layers += [nn.Conv2d(a, b, 3, 2, 1), nn.BatchNorm2d(b), nn.ReLU()]
        self.look = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * 16, CODE))
        self.read = nn.Sequential(
            nn.Dropout(0.1), nn.Linear(numbers, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, CODE)
        )
        self.face = nn.Linear(faces, CODE)

    def released(self, masks: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(self.look(masks) + self.read(numbers), dim=1)

    def faces(self, faces: torch.Tensor) -> torch.Tensor:
        return nn.functional.normalize(self.face(faces), dim=1)


class Network:
    """Codes of releases and of faces, (N, CODE) of unit length: their products are scores.

    masks (N, 64, 64) uint8, numbers (N, D) of mean 0 and deviation 1, faces (N, E).
    """

    def __init__(self, masks: np.ndarray, numbers: np.ndarray, faces: np.ndarray, seed: int = 0):
        torch.manual_seed(seed)
        self._mean, self._deviation = masks.mean(0) / 255, masks.std() / 255 + 1e-6
        self._scale = faces.std() + 1e-12
        m, n, f = self._masks(masks), self._numbers(numbers), self._faces(faces)
        held = max(2, len(m) // 10)  # shuffled by whoever calls
        self._net = Encoder(n.shape[1], f.shape[1])
        best, best_state, since = np.inf, self._net.state_dict(), 0
        optimizer = torch.optim.AdamW(self._net.parameters(), lr=1e-3, weight_decay=1e-2)
        for _ in range(EPOCHS):
            self._net.train()
            for chosen in torch.randperm(len(m) - held).split(BATCH):
                if len(chosen) < 2:
                    continue
                at = chosen + held
                loss = self._loss(shifted(m[at]), n[at], f[at])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            found = self._held_out(m[:held], n[:held], f[:held])
            since += 1
            if found < best:
                best, since = found, 0
                best_state = {name: value.clone() for name, value in self._net.state_dict().items()}
            if since >= PATIENCE:
                break
        self._net.load_state_dict(best_state)
        self._net.eval()

    def released(self, masks: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            codes = self._net.released(self._masks(masks), self._numbers(numbers))
        return np.asarray(codes.numpy(), np.float64)

    def faces(self, faces: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(self._net.faces(self._faces(faces)).numpy(), np.float64)

    def _loss(self, m: torch.Tensor, n: torch.Tensor, f: torch.Tensor) -> torch.Tensor:
        likeness = self._net.released(m, n) @ self._net.faces(f).T / TEMPERATURE
        own = torch.arange(len(likeness))
        loss: torch.Tensor = nn.functional.cross_entropy(likeness, own)
        return loss + nn.functional.cross_entropy(likeness.T, own)

    def _held_out(self, m: torch.Tensor, n: torch.Tensor, f: torch.Tensor) -> float:
        self._net.eval()
        with torch.inference_mode():
            return float(self._loss(m, n, f))

    def _masks(self, masks: np.ndarray) -> torch.Tensor:
        return torch.tensor((masks / 255 - self._mean) / self._deviation, dtype=torch.float32)[:, None]

    def _numbers(self, numbers: np.ndarray) -> torch.Tensor:
        return torch.tensor(np.clip(numbers, -CLIP, CLIP), dtype=torch.float32)

    def _faces(self, faces: np.ndarray) -> torch.Tensor:
        return torch.tensor(faces / self._scale, dtype=torch.float32)


def shifted(masks: torch.Tensor) -> torch.Tensor:
    """By up to a pixel, all alike: edges of faces are not to be learnt by heart."""
    dy, dx = (int(d) for d in torch.randint(-1, 2, (2,)))
    return masks.roll((dy, dx), (2, 3))
