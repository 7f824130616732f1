"""Losses: every option of each somewhere. Inputs and targets are the arguments of forward."""

import torch
from torch import nn


def labels(*values):
    return torch.tensor(values)


def write(fixture):
    x, y = fixture.randn("x", 4, 3), fixture.randn("y", 4, 3)
    signs = torch.where(fixture.randn("signs", 4, 3) > 0, 1.0, -1.0)
    unit = torch.sigmoid(fixture.randn("unit", 4, 3))
    bits = torch.where(fixture.randn("bits", 4, 3) > 0, 1.0, 0.0)
    positive = fixture.randn("positive", 4, 3).exp()

    def case(name, module, *inputs, without=()):
        fixture.module(name, module, *inputs, no_gradient=without)

    for reduction in ("mean", "sum", "none"):
        case(f"MSELoss/{reduction}", nn.MSELoss(reduction=reduction), x, y)
    for reduction in ("mean", "none"):
        case(f"L1Loss/{reduction}", nn.L1Loss(reduction=reduction), x, y)
        case(f"SoftMarginLoss/{reduction}", nn.SoftMarginLoss(reduction=reduction), x, signs, without=(1,))
    case("SmoothL1Loss/default", nn.SmoothL1Loss(), x, y)
    case("SmoothL1Loss/beta_0.3_sum", nn.SmoothL1Loss(beta=0.3, reduction="sum"), x, y)
    case("SmoothL1Loss/beta_0", nn.SmoothL1Loss(beta=0.0), x, y)
    case("HuberLoss/default", nn.HuberLoss(), x, y)
    case("HuberLoss/delta_0.7_none", nn.HuberLoss(delta=0.7, reduction="none"), x, y)

    case("PoissonNLLLoss/default", nn.PoissonNLLLoss(), x, positive)
    case("PoissonNLLLoss/full", nn.PoissonNLLLoss(full=True, reduction="sum"), x, 3 * positive, without=(1,))
    case("PoissonNLLLoss/no_logarithm", nn.PoissonNLLLoss(log_input=False, eps=0.01, reduction="none"), positive, unit)
    case("GaussianNLLLoss/default", nn.GaussianNLLLoss(), x, y, positive)
    case("GaussianNLLLoss/full_with_rows", nn.GaussianNLLLoss(full=True, eps=0.8, reduction="none"), x, y, positive[:, :1])
    case("GaussianNLLLoss/a_dimension_less", nn.GaussianNLLLoss(reduction="sum"), x, y, positive[:, 0])

    logs = torch.log_softmax(x, 1)
    case("NLLLoss/default", nn.NLLLoss(), logs, labels(2, 0, 1, 1))
    case("NLLLoss/weight", nn.NLLLoss(weight=torch.tensor([0.5, 2.0, 1.0])), logs, labels(2, 0, 1, 1))
    case("NLLLoss/weight_none", nn.NLLLoss(weight=torch.tensor([0.5, 2.0, 1.0]), reduction="none"), logs,
         labels(2, -100, 1, 1))
    case("NLLLoss/ignored", nn.NLLLoss(ignore_index=1), logs, labels(2, 0, 1, 1))
    case("NLLLoss/ignored_with_weight", nn.NLLLoss(weight=torch.tensor([0.5, 2.0, 1.0]), ignore_index=0), logs,
         labels(2, 0, 1, 1))
    case("NLLLoss/sum", nn.NLLLoss(reduction="sum"), logs, labels(2, 0, 1, 1))
    case("NLLLoss/one_row", nn.NLLLoss(), x[0], labels(2)[0])
    image, places = fixture.randn("image", 2, 3, 2, 2), labels(0, 1, 2, 2, 1, 0, -100, 1).reshape(2, 2, 2)
    case("NLLLoss/image", nn.NLLLoss(), image, places)
    case("NLLLoss/image_none", nn.NLLLoss(weight=torch.tensor([0.5, 2.0, 1.0]), reduction="none"), image, places)

    weight = torch.tensor([0.5, 2.0, 1.0])
    case("CrossEntropyLoss/default", nn.CrossEntropyLoss(), x, labels(2, 0, 1, 1))
    case("CrossEntropyLoss/sum", nn.CrossEntropyLoss(reduction="sum"), x, labels(2, 0, 1, 1))
    case("CrossEntropyLoss/none", nn.CrossEntropyLoss(reduction="none"), x, labels(2, 0, -100, 1))
    case("CrossEntropyLoss/weight_and_ignored", nn.CrossEntropyLoss(weight=weight.clone(), ignore_index=0), x,
         labels(2, 0, 1, 1))
    for reduction in ("mean", "sum", "none"):
        case(f"CrossEntropyLoss/smoothed_{reduction}", nn.CrossEntropyLoss(label_smoothing=0.2, reduction=reduction), x,
             labels(2, 0, -100, 1))
        case(f"CrossEntropyLoss/smoothed_weight_{reduction}",
             nn.CrossEntropyLoss(weight=weight.clone(), label_smoothing=0.3, reduction=reduction), x,
             labels(2, -100, 1, 1))
    case("CrossEntropyLoss/one_row", nn.CrossEntropyLoss(label_smoothing=0.1), x[0], labels(2)[0])
    case("CrossEntropyLoss/image", nn.CrossEntropyLoss(label_smoothing=0.1), image, places)
    case("CrossEntropyLoss/image_none", nn.CrossEntropyLoss(weight=weight.clone(), reduction="none"), image, places)
    case("CrossEntropyLoss/many_classes", nn.CrossEntropyLoss(label_smoothing=0.05), fixture.randn("many", 3, 70),
         labels(69, 0, 33))
    shares = torch.softmax(y, 1)
    case("CrossEntropyLoss/probabilities", nn.CrossEntropyLoss(), x, shares)
    for reduction in ("mean", "sum", "none"):
        case(f"CrossEntropyLoss/probabilities_smoothed_{reduction}",
             nn.CrossEntropyLoss(weight=weight.clone(), label_smoothing=0.2, reduction=reduction), image,
             torch.softmax(fixture.randn("shares", 2, 3, 2, 2), 1))
    case("CrossEntropyLoss/probabilities_one_row", nn.CrossEntropyLoss(weight=weight.clone()), x[0], shares[0])

    case("BCELoss/default", nn.BCELoss(), unit, torch.sigmoid(y))
    case("BCELoss/weight_none", nn.BCELoss(weight=torch.tensor([0.5, 2.0, 1.0]), reduction="none"), unit, bits, without=(1,))
    case("BCELoss/ends_sum", nn.BCELoss(reduction="sum"), torch.tensor([0.0, 0.0, 1.0, 1.0]),
         torch.tensor([0.0, 1.0, 0.0, 1.0]), without=(1,))
    case("BCEWithLogitsLoss/default", nn.BCEWithLogitsLoss(), 40 * x, torch.sigmoid(y))
    case("BCEWithLogitsLoss/weights", nn.BCEWithLogitsLoss(weight=torch.rand(4, 1, generator=fixture.generator("w")),
                                                           pos_weight=torch.tensor([3.0, 0.5, 1.0]), reduction="sum"),
         x, torch.sigmoid(y))
    case("BCEWithLogitsLoss/none", nn.BCEWithLogitsLoss(pos_weight=torch.tensor([2.0]), reduction="none"), x, bits,
         without=(1,))

    case("KLDivLoss/mean", nn.KLDivLoss(reduction="mean"), logs, shares)
    case("KLDivLoss/batchmean", nn.KLDivLoss(reduction="batchmean"), logs, shares)
    case("KLDivLoss/zeros_none", nn.KLDivLoss(reduction="none"), logs, bits, without=(1,))
    case("KLDivLoss/log_target_sum", nn.KLDivLoss(reduction="sum", log_target=True), logs, torch.log_softmax(y, 1))

    case("HingeEmbeddingLoss/default", nn.HingeEmbeddingLoss(), x, signs, without=(1,))
    case("HingeEmbeddingLoss/margin_0.4_none", nn.HingeEmbeddingLoss(margin=0.4, reduction="none"), x, signs, without=(1,))
    case("MultiMarginLoss/default", nn.MultiMarginLoss(), x, labels(2, 0, 1, 1))
    case("MultiMarginLoss/p_2_weight", nn.MultiMarginLoss(p=2, margin=0.7, weight=weight.clone(), reduction="none"), x,
         labels(2, 0, 1, 1))
    case("MultiMarginLoss/one_row", nn.MultiMarginLoss(reduction="sum"), x[0], labels(1)[0])
    named = labels(2, 0, -1, -1, 1, 2, 0, 1, 2, 1, -1, 0).reshape(4, 3)
    case("MultiLabelMarginLoss/default", nn.MultiLabelMarginLoss(), x, named)
    case("MultiLabelMarginLoss/none", nn.MultiLabelMarginLoss(reduction="none"), x, named)
    case("MultiLabelMarginLoss/one_row", nn.MultiLabelMarginLoss(), x[0], named[0])
    case("MultiLabelSoftMarginLoss/default", nn.MultiLabelSoftMarginLoss(), x, bits, without=(1,))
    case("MultiLabelSoftMarginLoss/weight_none", nn.MultiLabelSoftMarginLoss(weight=weight.clone(), reduction="none"), x,
         bits, without=(1,))
    z = fixture.randn("z", 4, 3)
    case("MarginRankingLoss/default", nn.MarginRankingLoss(), x, y, signs, without=(2,))
    case("MarginRankingLoss/margin_0.5_none", nn.MarginRankingLoss(margin=0.5, reduction="none"), x, y, signs, without=(2,))
    case("CosineEmbeddingLoss/default", nn.CosineEmbeddingLoss(), x, y, signs[:, 0], without=(2,))
    case("CosineEmbeddingLoss/margin_none", nn.CosineEmbeddingLoss(margin=-0.5, reduction="none"), x, y, -signs[:, 0],
         without=(2,))
    case("CosineEmbeddingLoss/one_row", nn.CosineEmbeddingLoss(margin=0.1), x[0], y[0], torch.tensor(1))
    case("TripletMarginLoss/default", nn.TripletMarginLoss(), x, y, z)
    case("TripletMarginLoss/swap", nn.TripletMarginLoss(margin=2.0, p=1, eps=1e-3, swap=True, reduction="none"), x, y, z)
    case("TripletMarginLoss/one_row", nn.TripletMarginLoss(margin=3.0, reduction="sum"), x[0], y[0], z[0])

    # Behind log_softmax, as it is used: alone PyTorch's gradient has a softmax in it that vanishes there.
    def ctc(name, module, scores, *rest):
        fixture.case(name, lambda scores, *others: module(torch.log_softmax(scores, -1), *others), scores, *rest)

    scores = 2 * fixture.randn("scores", 7, 3, 5)
    padded = labels(1, 2, 2, 0, 4, 1, 4, 1, 3, 0, 0, 0).reshape(3, 4)
    steps, lengths = labels(7, 6, 4), labels(3, 4, 1)
    padded[1, 0] = 3
    ctc("CTCLoss/default", nn.CTCLoss(), scores, padded, steps, lengths)
    ctc("CTCLoss/blank_4_sum", nn.CTCLoss(blank=4, reduction="sum"), scores, labels(1, 2, 2, 3, 0, 0, 3, 3), steps,
        labels(3, 4, 1))
    ctc("CTCLoss/impossible_none", nn.CTCLoss(reduction="none", zero_infinity=True), scores, padded, labels(7, 3, 0),
        labels(3, 4, 0))
    ctc("CTCLoss/infinite", nn.CTCLoss(reduction="none"), scores, padded, labels(7, 3, 4), lengths)
    ctc("CTCLoss/empty_targets", nn.CTCLoss(), scores, padded, steps, labels(0, 2, 0))
    ctc("CTCLoss/one_sample", nn.CTCLoss(), scores[:, 0], labels(1, 1, 3), labels(6)[0], labels(3)[0])
