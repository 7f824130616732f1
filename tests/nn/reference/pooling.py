"""Pooling."""

from torch import nn

from .case_text import add


def write(fixture):
    signal = fixture.randn("x", 2, 3, 7)
    image = fixture.randn("x", 2, 2, 5, 6)
    volume = fixture.randn("x", 1, 2, 4, 3, 5)
    add(fixture, "MaxPool1d/plain", nn.MaxPool1d(2), signal)
    add(fixture, "MaxPool1d/all_options", nn.MaxPool1d(3, stride=2, padding=1, dilation=2, ceil_mode=True), signal)
    add(fixture, "MaxPool2d/plain", nn.MaxPool2d(2), image)
    add(fixture, "MaxPool2d/per_dimension", nn.MaxPool2d((3, 2), stride=(1, 2), padding=(1, 0), ceil_mode=True), image)
    add(fixture, "MaxPool2d/without_batch", nn.MaxPool2d(2, 1), fixture.randn("x", 2, 3, 4))
    indexed = nn.MaxPool2d(2, return_indices=True)
    fixture.module("MaxPool2d/indices", indexed, image)
    add(fixture, "MaxPool3d/plain", nn.MaxPool3d(2), volume)
    add(fixture, "MaxPool3d/per_dimension", nn.MaxPool3d((2, 1, 3), stride=(2, 1, 1), padding=(0, 0, 1)), volume)

    add(fixture, "AvgPool1d/plain", nn.AvgPool1d(3), signal)
    add(fixture, "AvgPool1d/padded", nn.AvgPool1d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), signal)
    add(fixture, "AvgPool2d/plain", nn.AvgPool2d(2), image)
    add(fixture, "AvgPool2d/all_options",
        nn.AvgPool2d((3, 2), stride=(2, 1), padding=1, ceil_mode=True, divisor_override=5), image)
    add(fixture, "AvgPool3d/plain", nn.AvgPool3d(2), volume)
    add(fixture, "AvgPool3d/padded", nn.AvgPool3d((2, 3, 2), stride=(1, 2, 2), padding=(1, 1, 0), count_include_pad=False),
        volume)

    add(fixture, "AdaptiveAvgPool1d/three", nn.AdaptiveAvgPool1d(3), signal)
    add(fixture, "AdaptiveAvgPool1d/global", nn.AdaptiveAvgPool1d(1), signal)
    add(fixture, "AdaptiveAvgPool2d/global", nn.AdaptiveAvgPool2d(1), image)
    add(fixture, "AdaptiveAvgPool2d/per_dimension", nn.AdaptiveAvgPool2d((2, 4)), image)
    add(fixture, "AdaptiveAvgPool2d/kept", nn.AdaptiveAvgPool2d((None, 2)), image)
    add(fixture, "AdaptiveAvgPool3d/global", nn.AdaptiveAvgPool3d(1), volume)
    add(fixture, "AdaptiveAvgPool3d/per_dimension", nn.AdaptiveAvgPool3d((3, 2, 2)), volume)
    add(fixture, "AdaptiveMaxPool1d/three", nn.AdaptiveMaxPool1d(3), signal)
    add(fixture, "AdaptiveMaxPool1d/global", nn.AdaptiveMaxPool1d(1), signal)
    add(fixture, "AdaptiveMaxPool2d/global", nn.AdaptiveMaxPool2d(1), image)
    add(fixture, "AdaptiveMaxPool2d/per_dimension", nn.AdaptiveMaxPool2d((2, 4)), image)
    add(fixture, "AdaptiveMaxPool3d/two", nn.AdaptiveMaxPool3d(2), volume)
    add(fixture, "AdaptiveMaxPool3d/per_dimension", nn.AdaptiveMaxPool3d((1, 3, 2)), volume)
