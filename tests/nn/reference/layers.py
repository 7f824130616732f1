"""Containers, reshaping, and layers that belong to no larger family."""

import torch
from torch import nn

from .case_text import add


def write(fixture):
    x = fixture.randn("x", 3, 4)
    add(fixture, "Linear/bias", nn.Linear(4, 3), x)
    add(fixture, "Linear/no_bias", nn.Linear(4, 2, bias=False), fixture.randn("x", 2, 3, 4))

    add(fixture, "ReLU/matrix", nn.ReLU(), x)
    add(fixture, "ReLU/image", nn.ReLU(), fixture.randn("x", 1, 2, 2, 2))
    add(fixture, "Identity/matrix", nn.Identity(), x)
    add(fixture, "Identity/image", nn.Identity(), fixture.randn("x", 1, 2, 2, 2))
    images = fixture.randn("x", 2, 3, 2, 2)
    add(fixture, "Flatten/default", nn.Flatten(), images)
    add(fixture, "Flatten/part", nn.Flatten(2, 3), images)
    add(fixture, "Unflatten/plain", nn.Unflatten(1, (2, 3)), fixture.randn("x", 2, 6))
    add(fixture, "Unflatten/rest", nn.Unflatten(-1, (-1, 2)), fixture.randn("x", 2, 3, 4))

    small = fixture.randn("x", 1, 2, 3, 2)
    add(fixture, "Upsample/nearest", nn.Upsample(scale_factor=2), small)
    add(fixture, "Upsample/bilinear", nn.Upsample(size=(5, 3), mode="bilinear", align_corners=True), small)
    add(fixture, "Upsample/linear", nn.Upsample(scale_factor=2.5, mode="linear"), fixture.randn("x", 2, 2, 4))
    add(fixture, "PixelShuffle/two", nn.PixelShuffle(2), fixture.randn("x", 2, 8, 2, 3))
    add(fixture, "PixelShuffle/three_without_batch", nn.PixelShuffle(3), fixture.randn("x", 9, 2, 1))
    add(fixture, "PixelUnshuffle/two", nn.PixelUnshuffle(2), fixture.randn("x", 2, 2, 4, 6))
    add(fixture, "PixelUnshuffle/three_without_batch", nn.PixelUnshuffle(3), fixture.randn("x", 1, 3, 6))

    add(fixture, "Bilinear/bias", nn.Bilinear(3, 2, 4), fixture.randn("a", 5, 3), fixture.randn("b", 5, 2))
    add(fixture, "Bilinear/no_bias_in_3_dimensions", nn.Bilinear(2, 3, 2, bias=False), fixture.randn("a", 2, 3, 2),
        fixture.randn("b", 2, 3, 3))

    add(fixture, "Sequential/numbered", nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)), x)
    named = nn.Sequential()
    named.add_module("conv", nn.Conv2d(3, 2, 2, bias=False))
    named.add_module("norm", nn.BatchNorm2d(2))
    named.add_module("flat", nn.Flatten())
    add(fixture, "Sequential/named", named, fixture.randn("x", 2, 3, 3, 2))

    def chain(modules):
        return lambda value: modules[1](modules[0](value).tanh())

    def fork(modules):
        return lambda value: modules["left"](value) * modules["right"](value)

    two = nn.ModuleList([nn.Linear(4, 3), nn.Linear(3, 2)])
    fixture.case("ModuleList/chain", chain(two), x, module=two)
    deep = nn.ModuleList([nn.Sequential(nn.Linear(4, 4)), nn.Linear(4, 1)])
    fixture.case("ModuleList/with_a_sequential", chain(deep), x, module=deep)
    pair = nn.ModuleDict({"left": nn.Linear(4, 3), "right": nn.Linear(4, 3)})
    fixture.case("ModuleDict/product", fork(pair), x, module=pair)
    mixed = nn.ModuleDict({"left": nn.Identity(), "right": nn.LayerNorm(4)})
    fixture.case("ModuleDict/with_a_norm", fork(mixed), x, module=mixed)
