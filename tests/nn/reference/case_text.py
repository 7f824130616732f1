"""How PyTorch prints a module, kept beside its case."""

import torch


def add_text(fixture, name, module):
    """CASE/extra_repr: what stands in the brackets behind the module's name, as bytes."""
    text = module.extra_repr().encode()
    fixture.add(name, "extra_repr", torch.tensor(list(text), dtype=torch.uint8))


def add(fixture, name, module, *inputs, **options):
    fixture.module(name, module, *inputs, **options)
    add_text(fixture, name, module)
