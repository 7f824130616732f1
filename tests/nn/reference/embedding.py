"""Tables of vectors."""

import torch
from torch import nn

from .case_text import add


def write(fixture):
    indices = torch.tensor([[1, 4, 1], [0, 3, 4]])
    add(fixture, "Embedding/plain", nn.Embedding(5, 3), indices)
    add(fixture, "Embedding/padding", nn.Embedding(5, 3, padding_idx=-1), indices)
    add(fixture, "Embedding/max_norm", nn.Embedding(5, 3, max_norm=1.0), indices.flatten())
    add(fixture, "Embedding/max_norm_1", nn.Embedding(5, 2, padding_idx=1, max_norm=0.5, norm_type=1.0), indices)
    add(fixture, "Embedding/sparse", nn.Embedding(5, 2, sparse=True), indices)

    flat = torch.tensor([1, 4, 1, 0, 3, 4, 2])
    offsets = torch.tensor([0, 2, 2, 5])
    for mode in ("sum", "mean", "max"):
        add(fixture, f"EmbeddingBag/{mode}", nn.EmbeddingBag(5, 3, mode=mode), flat, offsets)
    add(fixture, "EmbeddingBag/sparse", nn.EmbeddingBag(5, 3, sparse=True), flat, offsets)
    add(fixture, "EmbeddingBag/rows", nn.EmbeddingBag(5, 2), indices)
    add(fixture, "EmbeddingBag/last_offset", nn.EmbeddingBag(5, 3, mode="sum", include_last_offset=True), flat,
        torch.tensor([0, 3, 7]))
    add(fixture, "EmbeddingBag/padding", nn.EmbeddingBag(5, 3, mode="mean", padding_idx=4, max_norm=1.5), flat, offsets)
    weighted = nn.EmbeddingBag(5, 3, mode="sum")
    fixture.case("EmbeddingBag/weighted", lambda i, o, w: weighted(i, o, per_sample_weights=w), flat, offsets,
                 fixture.randn("weights", 7), module=weighted)
