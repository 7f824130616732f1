"""Normalization, training and evaluating."""

from torch import nn

from .case_text import add


def write(fixture):
    rows = fixture.randn("x", 6, 3) * 2 + 1
    signal = fixture.randn("x", 3, 3, 5)
    image = fixture.randn("x", 2, 4, 3, 3)
    add(fixture, "BatchNorm1d/train", nn.BatchNorm1d(3), rows)
    add(fixture, "BatchNorm1d/eval", nn.BatchNorm1d(3), rows, train=False)
    add(fixture, "BatchNorm1d/cumulative", nn.BatchNorm1d(3, momentum=None), signal)
    add(fixture, "BatchNorm1d/untracked_eval", nn.BatchNorm1d(3, eps=1e-3, track_running_stats=False), signal, train=False)
    add(fixture, "BatchNorm2d/train", nn.BatchNorm2d(4, momentum=0.3), image)
    add(fixture, "BatchNorm2d/not_affine", nn.BatchNorm2d(4, affine=False), image)
    add(fixture, "BatchNorm2d/eval", nn.BatchNorm2d(4, eps=0.01), image, train=False)
    add(fixture, "BatchNorm2d/eval_not_affine", nn.BatchNorm2d(4, affine=False), image, train=False)
    volume = fixture.randn("x", 2, 2, 2, 3, 2)
    add(fixture, "BatchNorm3d/train", nn.BatchNorm3d(2), volume)
    add(fixture, "BatchNorm3d/eval", nn.BatchNorm3d(2), volume, train=False)

    # Twice forward: the average of both batches, num_batches_tracked 2.
    twice = nn.BatchNorm1d(3, momentum=None)
    fixture.case("BatchNorm1d/cumulative_twice", lambda a, b: (twice(a), twice(b)), rows, fixture.randn("y", 4, 3),
                 module=twice)

    add(fixture, "InstanceNorm1d/plain", nn.InstanceNorm1d(3), signal)
    add(fixture, "InstanceNorm1d/affine_without_batch", nn.InstanceNorm1d(3, affine=True), fixture.randn("x", 3, 4))
    add(fixture, "InstanceNorm1d/tracked", nn.InstanceNorm1d(3, affine=True, track_running_stats=True), signal)
    add(fixture, "InstanceNorm2d/affine", nn.InstanceNorm2d(4, affine=True), image)
    add(fixture, "InstanceNorm2d/tracked", nn.InstanceNorm2d(4, momentum=0.4, track_running_stats=True), image)
    add(fixture, "InstanceNorm2d/tracked_eval", nn.InstanceNorm2d(4, affine=True, track_running_stats=True), image,
        train=False)

    add(fixture, "LayerNorm/vector", nn.LayerNorm(4), fixture.randn("x", 3, 2, 4))
    add(fixture, "LayerNorm/two_dimensions", nn.LayerNorm((5, 7), eps=1e-3, bias=False), fixture.randn("x", 2, 5, 7))
    add(fixture, "LayerNorm/not_affine", nn.LayerNorm(19, elementwise_affine=False), fixture.randn("x", 4, 19))
    add(fixture, "LayerNorm/many_rows", nn.LayerNorm(5), fixture.randn("x", 130, 5), train=False)
    add(fixture, "RMSNorm/vector", nn.RMSNorm(6, eps=1e-6), fixture.randn("x", 3, 6))
    add(fixture, "RMSNorm/two_dimensions_not_affine", nn.RMSNorm((2, 5), eps=0.1, elementwise_affine=False),
        fixture.randn("x", 3, 2, 5))
    add(fixture, "GroupNorm/images", nn.GroupNorm(2, 4), image)
    add(fixture, "GroupNorm/rows_not_affine", nn.GroupNorm(3, 6, eps=1e-2, affine=False), fixture.randn("x", 4, 6))
    add(fixture, "GroupNorm/rows", nn.GroupNorm(2, 6), fixture.randn("x", 5, 6))
