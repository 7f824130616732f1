"""Activations: each in two shapes or with two sets of options."""

import torch
from torch import nn


def write(fixture):
    small = fixture.randn("x", 3, 5)
    deep = 2.5 * fixture.randn("x", 2, 3, 4)
    for name, module in {
        "ReLU": nn.ReLU(), "ReLU6": nn.ReLU6(), "SELU": nn.SELU(), "SiLU": nn.SiLU(), "Mish": nn.Mish(),
        "Softsign": nn.Softsign(), "Tanhshrink": nn.Tanhshrink(), "Hardswish": nn.Hardswish(),
        "LogSigmoid": nn.LogSigmoid(), "Sigmoid": nn.Sigmoid(), "Tanh": nn.Tanh(),
    }.items():
        fixture.module(f"{name}/small", module, small)
        fixture.module(f"{name}/deep", module, 3 * deep if name == "ReLU6" else deep)
    # nn.Hardsigmoid's own gradient takes 1/6 from float32, and is off by 2e-8.
    for name, x in {"Hardsigmoid/small": small, "Hardsigmoid/deep": deep}.items():
        fixture.case(name, lambda x: nn.functional.relu6(x + 3) / 6, x)
    for name, module in {
        "LeakyReLU/default": nn.LeakyReLU(), "LeakyReLU/slope_0.3": nn.LeakyReLU(0.3),
        "PReLU/one": nn.PReLU(), "PReLU/channels": nn.PReLU(3, init=0.1),
        "ELU/default": nn.ELU(), "ELU/alpha_0.5": nn.ELU(0.5),
        "CELU/default": nn.CELU(), "CELU/alpha_0.5": nn.CELU(0.5),
        "GELU/exact": nn.GELU(), "GELU/tanh": nn.GELU(approximate="tanh"),
        "Softplus/default": nn.Softplus(), "Softplus/beta_2_threshold_3": nn.Softplus(2, 3),
        "Softshrink/default": nn.Softshrink(), "Softshrink/lambda_1": nn.Softshrink(1),
        "Hardshrink/default": nn.Hardshrink(), "Hardshrink/lambda_1": nn.Hardshrink(1),
        "Hardtanh/default": nn.Hardtanh(), "Hardtanh/bounds": nn.Hardtanh(-0.25, 2.5),
        "Threshold/0.1": nn.Threshold(0.1, 20), "Threshold/negative": nn.Threshold(-1, -3),
        "Softmax/last": nn.Softmax(-1), "Softmax/channels": nn.Softmax(1),
        "LogSoftmax/last": nn.LogSoftmax(-1), "LogSoftmax/first": nn.LogSoftmax(0),
        "Softmin/last": nn.Softmin(-1), "Softmin/channels": nn.Softmin(1),
        "GLU/last": nn.GLU(),
    }.items():
        fixture.module(name, module, deep)
    fixture.module("Softplus/above_the_threshold", nn.Softplus(), 20 * fixture.randn("x", 3, 4))
    fixture.module("GLU/first", nn.GLU(0), deep)
    fixture.module("PairwiseDistance/default", nn.PairwiseDistance(), fixture.randn("a", 3, 4), fixture.randn("b", 3, 4))
    fixture.module("PairwiseDistance/p_1_keepdim", nn.PairwiseDistance(1, eps=1e-3, keepdim=True),
                   fixture.randn("a", 3, 4), fixture.randn("b", 4))
    fixture.module("CosineSimilarity/default", nn.CosineSimilarity(), fixture.randn("a", 3, 4), fixture.randn("b", 3, 4))
    fixture.module("CosineSimilarity/dim_0", nn.CosineSimilarity(0, 1e-3), fixture.randn("a", 3, 2, 2),
                   fixture.randn("b", 3, 1, 2))
