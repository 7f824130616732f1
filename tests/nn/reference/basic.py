"""Linear and what stands beside it."""

import torch
from torch import nn


def write(fixture):
    x = fixture.randn("x", 4, 5)
    fixture.module("Linear/bias", nn.Linear(5, 3), x)
    fixture.module("Linear/no_bias_in_3_dimensions", nn.Linear(5, 2, bias=False), fixture.randn("x", 2, 3, 5))
    fixture.module("Conv2d/stride_and_padding", nn.Conv2d(2, 3, 3, stride=2, padding=1), fixture.randn("x", 2, 2, 7, 6))
    fixture.module("Conv2d/no_bias", nn.Conv2d(1, 2, 2, bias=False), fixture.randn("x", 2, 1, 4, 5))
