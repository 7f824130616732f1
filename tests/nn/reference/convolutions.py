"""Convolutions and their transposes."""

from torch import nn

from .case_text import add


def write(fixture):
    signal = fixture.randn("x", 2, 4, 7)
    add(fixture, "Conv1d/plain", nn.Conv1d(4, 3, 3), signal)
    add(fixture, "Conv1d/all_options", nn.Conv1d(4, 6, 3, stride=2, padding=2, dilation=2, groups=2, bias=False), signal)
    add(fixture, "Conv1d/same_uneven", nn.Conv1d(4, 2, 4, padding="same"), signal)
    add(fixture, "Conv1d/reflect", nn.Conv1d(4, 2, 3, padding=2, padding_mode="reflect"), signal)
    add(fixture, "Conv1d/without_batch", nn.Conv1d(4, 2, 2), fixture.randn("x", 4, 5))

    image = fixture.randn("x", 2, 2, 5, 6)
    add(fixture, "Conv2d/per_dimension", nn.Conv2d(2, 4, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2)), image)
    add(fixture, "Conv2d/depthwise", nn.Conv2d(2, 4, 3, padding=1, groups=2), image)
    add(fixture, "Conv2d/same_dilated", nn.Conv2d(2, 2, (3, 2), padding="same", dilation=2), image)
    add(fixture, "Conv2d/replicate", nn.Conv2d(2, 2, 3, padding=(1, 2), padding_mode="replicate"), image)
    add(fixture, "Conv2d/circular_same", nn.Conv2d(2, 2, 2, padding="same", padding_mode="circular"), image)
    fixture.module("Conv2d/valid", nn.Conv2d(2, 1, 2, padding="valid"), image)
    add(fixture, "Conv2d/without_batch", nn.Conv2d(2, 3, 3, bias=False), fixture.randn("x", 2, 4, 4))

    volume = fixture.randn("x", 1, 2, 3, 4, 3)
    add(fixture, "Conv3d/plain", nn.Conv3d(2, 2, 2), volume)
    add(fixture, "Conv3d/per_dimension", nn.Conv3d(2, 4, (2, 3, 1), stride=(1, 2, 1), padding=(0, 1, 0), groups=2), volume)

    add(fixture, "ConvTranspose1d/plain", nn.ConvTranspose1d(4, 3, 3), signal)
    add(fixture, "ConvTranspose1d/all_options",
        nn.ConvTranspose1d(4, 6, 3, stride=3, padding=2, output_padding=1, groups=2, bias=False, dilation=2), signal)
    small = fixture.randn("x", 2, 2, 3, 2)
    add(fixture, "ConvTranspose2d/plain", nn.ConvTranspose2d(2, 3, 2, stride=2), small)
    add(fixture, "ConvTranspose2d/per_dimension",
        nn.ConvTranspose2d(2, 4, (3, 2), stride=(2, 3), padding=(1, 0), output_padding=(1, 2), groups=2), small)
    sized = nn.ConvTranspose2d(2, 1, 3, stride=2, padding=1)
    fixture.case("ConvTranspose2d/output_size", lambda x: sized(x, output_size=(6, 3)), small, module=sized)
    add(fixture, "ConvTranspose3d/plain", nn.ConvTranspose3d(2, 1, 2), fixture.randn("x", 1, 2, 2, 3, 2))
    add(fixture, "ConvTranspose3d/stride", nn.ConvTranspose3d(2, 2, 2, stride=(1, 2, 2), padding=(1, 0, 0), bias=False),
        fixture.randn("x", 2, 2, 2, 2, 2))
