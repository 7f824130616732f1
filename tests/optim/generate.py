#!/usr/bin/env python3
"""Writes tests/fixtures/optim/optim.npz: what PyTorch's optimizers and schedulers do in 50 steps.

    generate.py            write the fixture (made with torch 2.15)

tests/optim/parity_test.cpp repeats every case; the options of a case stand here and there. A case is named
CLASS/VARIANT; the arrays of an optimizer's case are CASE.float32 and CASE.float64, one row for each of the steps in
KEPT with all parameters, flattened, one after the other; those of a schedule CASE.lr and CASE.momentum, one number a
step from step 0 on.

The problem. Two parameters, w [3, 4] and b [5], with elements numbered i = 0 … 11 and 0 … 4. Parameter k starts at
((7 i + 3 k) mod 13 - 6) / 8. At step t = 0 … 49 its gradient is a (p - c) + noise with a = 0.5 + (i mod 4) / 4,
c = ((5 i) mod 9 - 4) / 8, noise = ((7 t + 3 i + k) mod 11 - 5) / 16, computed in the parameter's type. b has no
gradient where t mod 5 = 3, and is in a group of its own with half the learning rate. For SparseAdam the gradient of w
has rows (t mod 3) and, where t is even, (t + 1) mod 3 alone, that of b rows t mod 5 and, where t mod 5 < 4, t mod 5 +
1; no step is left out.

LBFGS has its own: the sum of a (p - c)² / 2 + (p - c)⁴ / 4 over both parameters, plus a tenth of the sum of p[i]
p[i + 1] over w, without noise and with one group.
"""

import pathlib

import numpy
import torch
from torch.optim import lr_scheduler as schedulers

STEPS = 50
KEPT = [1, 2, 3, 10, 25, 50]
LBFGS_KEPT = [1, 2, 3, 5]
OUT = pathlib.Path(__file__).parents[1] / "fixtures" / "optim" / "optim.npz"

OPTIMIZERS = {
    "SGD/plain": (torch.optim.SGD, dict(lr=0.1)),
    "SGD/momentum": (torch.optim.SGD, dict(lr=0.05, momentum=0.9, weight_decay=0.01)),
    "SGD/nesterov": (torch.optim.SGD, dict(lr=0.05, momentum=0.8, nesterov=True)),
    "SGD/dampening": (torch.optim.SGD, dict(lr=0.01, momentum=0.7, dampening=0.3, maximize=True)),
    "Adam/plain": (torch.optim.Adam, dict(lr=0.05)),
    "Adam/options": (torch.optim.Adam, dict(lr=0.02, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.1, maximize=True)),
    "Adam/amsgrad": (torch.optim.Adam, dict(lr=0.1, betas=(0.9, 0.9), amsgrad=True)),
    "AdamW/plain": (torch.optim.AdamW, dict(lr=0.05)),
    "AdamW/amsgrad": (torch.optim.AdamW, dict(lr=0.1, weight_decay=0.2, betas=(0.9, 0.8), amsgrad=True)),
    "Adamax/plain": (torch.optim.Adamax, dict(lr=0.05)),
    "Adamax/options": (torch.optim.Adamax, dict(lr=0.1, betas=(0.7, 0.9), eps=1e-2, weight_decay=0.1)),
    "NAdam/plain": (torch.optim.NAdam, dict(lr=0.05)),
    "NAdam/decoupled": (torch.optim.NAdam, dict(lr=0.05, betas=(0.8, 0.9), weight_decay=0.1, momentum_decay=0.02,
                                                decoupled_weight_decay=True)),
    "NAdam/coupled": (torch.optim.NAdam, dict(lr=0.02, weight_decay=0.1, maximize=True)),
    "RAdam/plain": (torch.optim.RAdam, dict(lr=0.05)),
    "RAdam/decoupled": (torch.optim.RAdam, dict(lr=0.05, betas=(0.8, 0.9), weight_decay=0.1,
                                                decoupled_weight_decay=True)),
    "Adagrad/plain": (torch.optim.Adagrad, dict(lr=0.5)),
    "Adagrad/options": (torch.optim.Adagrad, dict(lr=0.3, lr_decay=0.1, weight_decay=0.1,
                                                  initial_accumulator_value=0.5, eps=1e-3)),
    "Adadelta/plain": (torch.optim.Adadelta, dict()),
    "Adadelta/options": (torch.optim.Adadelta, dict(lr=0.5, rho=0.7, eps=1e-2, weight_decay=0.1, maximize=True)),
    "RMSprop/plain": (torch.optim.RMSprop, dict(lr=0.02)),
    "RMSprop/momentum": (torch.optim.RMSprop, dict(lr=0.01, alpha=0.9, momentum=0.6, weight_decay=0.1)),
    "RMSprop/centered": (torch.optim.RMSprop, dict(lr=0.02, alpha=0.8, eps=1e-2, centered=True)),
    "RMSprop/centered-momentum": (torch.optim.RMSprop, dict(lr=0.01, eps=1e-2, centered=True, momentum=0.5,
                                                            maximize=True)),
    "Rprop/plain": (torch.optim.Rprop, dict(lr=0.05)),
    "Rprop/options": (torch.optim.Rprop, dict(lr=0.1, etas=(0.3, 1.5), step_sizes=(1e-3, 0.2))),
    "ASGD/plain": (torch.optim.ASGD, dict(lr=0.1)),
    "ASGD/averaged": (torch.optim.ASGD, dict(lr=0.05, lambd=0.05, alpha=0.5, t0=10, weight_decay=0.1)),
    "SparseAdam/plain": (torch.optim.SparseAdam, dict(lr=0.05)),
    "SparseAdam/options": (torch.optim.SparseAdam, dict(lr=0.02, betas=(0.8, 0.95), eps=1e-3, maximize=True)),
    "LBFGS/fixed": (torch.optim.LBFGS, dict(lr=0.3, max_iter=3, history_size=4)),
    "LBFGS/wolfe": (torch.optim.LBFGS, dict(max_iter=4, history_size=3, line_search_fn="strong_wolfe")),
    "LBFGS/long": (torch.optim.LBFGS, dict(lr=8.0, max_iter=3, line_search_fn="strong_wolfe")),
}

SCHEDULES = {
    "ConstantLR/plain": lambda o: schedulers.ConstantLR(o),
    "ConstantLR/options": lambda o: schedulers.ConstantLR(o, factor=0.5, total_iters=20),
    "LinearLR/plain": lambda o: schedulers.LinearLR(o),
    "LinearLR/options": lambda o: schedulers.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=30),
    "StepLR/plain": lambda o: schedulers.StepLR(o, step_size=7),
    "StepLR/options": lambda o: schedulers.StepLR(o, step_size=10, gamma=0.7),
    "MultiStepLR/plain": lambda o: schedulers.MultiStepLR(o, milestones=[5, 20]),
    "MultiStepLR/options": lambda o: schedulers.MultiStepLR(o, milestones=[3, 3, 30, 60], gamma=0.5),
    "ExponentialLR/plain": lambda o: schedulers.ExponentialLR(o, gamma=0.9),
    "ExponentialLR/growing": lambda o: schedulers.ExponentialLR(o, gamma=1.05),
    "PolynomialLR/plain": lambda o: schedulers.PolynomialLR(o),
    "PolynomialLR/options": lambda o: schedulers.PolynomialLR(o, total_iters=40, power=2.5),
    "CosineAnnealingLR/plain": lambda o: schedulers.CosineAnnealingLR(o, T_max=50),
    "CosineAnnealingLR/beyond": lambda o: schedulers.CosineAnnealingLR(o, T_max=12, eta_min=0.05),
    "CosineAnnealingWarmRestarts/plain": lambda o: schedulers.CosineAnnealingWarmRestarts(o, T_0=7),
    "CosineAnnealingWarmRestarts/longer": lambda o: schedulers.CosineAnnealingWarmRestarts(o, T_0=5, T_mult=2,
                                                                                           eta_min=0.02),
    "OneCycleLR/plain": lambda o: schedulers.OneCycleLR(o, max_lr=0.5, total_steps=50),
    "OneCycleLR/three-phase": lambda o: schedulers.OneCycleLR(
        o, max_lr=0.8, total_steps=50, pct_start=0.25, anneal_strategy="linear", base_momentum=0.7, max_momentum=0.9,
        div_factor=10.0, final_div_factor=100.0, three_phase=True),
    "OneCycleLR/rate-only": lambda o: schedulers.OneCycleLR(o, max_lr=0.5, total_steps=60, cycle_momentum=False),
    "LambdaLR/plain": lambda o: schedulers.LambdaLR(o, lambda step: 1 / (1 + step)),
    "ChainedScheduler/two": lambda o: schedulers.ChainedScheduler(
        [schedulers.ConstantLR(o, factor=0.1, total_iters=20), schedulers.ExponentialLR(o, gamma=0.9)]),
    "ChainedScheduler/three": lambda o: schedulers.ChainedScheduler(
        [schedulers.LinearLR(o, total_iters=9), schedulers.StepLR(o, step_size=8, gamma=0.5),
         schedulers.PolynomialLR(o, total_iters=60)]),
    "SequentialLR/two": lambda o: schedulers.SequentialLR(
        o, [schedulers.ConstantLR(o, factor=0.1, total_iters=20), schedulers.ExponentialLR(o, gamma=0.9)],
        milestones=[20]),
    "SequentialLR/three": lambda o: schedulers.SequentialLR(
        o, [schedulers.StepLR(o, step_size=4, gamma=0.5), schedulers.CosineAnnealingLR(o, T_max=10),
            schedulers.ExponentialLR(o, gamma=0.9)], milestones=[12, 22]),
    "WarmupLR/cosine": lambda o: schedulers.SequentialLR(
        o, [schedulers.LinearLR(o, start_factor=0.01, total_iters=10), schedulers.CosineAnnealingLR(o, T_max=40)],
        milestones=[10]),
    "WarmupLR/step": lambda o: schedulers.SequentialLR(
        o, [schedulers.LinearLR(o, total_iters=5), schedulers.StepLR(o, step_size=10)], milestones=[5]),
    "ReduceLROnPlateau/plain": lambda o: schedulers.ReduceLROnPlateau(o, patience=3),
    "ReduceLROnPlateau/options": lambda o: schedulers.ReduceLROnPlateau(
        o, mode="max", factor=0.5, patience=1, threshold=0.05, threshold_mode="abs", cooldown=2, min_lr=0.02),
    "ReduceLROnPlateau/relative": lambda o: schedulers.ReduceLROnPlateau(
        o, mode="max", factor=0.3, patience=0, threshold=0.1, eps=0.01),
}


def measured(step):
    """What ReduceLROnPlateau is told: falls for a while, then wavers."""
    return max(1 - step / 16, 0.25) + (step * 5 % 7) / 32


def elements(parameter):
    return torch.arange(parameter.numel()).reshape(parameter.shape)


def factor(i, dtype):
    return 0.5 + (i % 4).to(dtype) / 4


def center(i, dtype):
    return ((5 * i) % 9 - 4).to(dtype) / 8


def parameters(dtype, shapes):
    result = []
    for k, shape in enumerate(shapes):
        i = torch.arange(numpy.prod(shape)).reshape(shape)
        result.append(torch.nn.Parameter(((7 * i + 3 * k) % 13 - 6).to(dtype) / 8))
    return result


def gradient(parameter, k, t):
    i = elements(parameter)
    noise = ((7 * t + 3 * i + k) % 11 - 5).to(parameter.dtype) / 16
    p = parameter.detach()
    return factor(i, p.dtype) * (p - center(i, p.dtype)) + noise


def rows_at(k, t):
    if k == 0:
        return sorted({t % 3} | ({(t + 1) % 3} if t % 2 == 0 else set()))
    return [t % 5] + ([t % 5 + 1] if t % 5 < 4 else [])


def flat(params):
    return torch.cat([p.detach().flatten() for p in params]).numpy().copy()


def run(kind, options, dtype):
    torch.set_default_dtype(dtype)  # of the numbers that some optimizers keep as tensors
    shapes = [(3, 4), (5, 1)] if kind is torch.optim.SparseAdam else [(3, 4), (5,)]
    params = parameters(dtype, shapes)
    if kind is torch.optim.LBFGS:
        return run_lbfgs(options, params)
    groups = [{"params": [params[0]]}, {"params": [params[1]]}]
    optimizer = kind(groups, **options)
    optimizer.param_groups[1]["lr"] = optimizer.param_groups[0]["lr"] / 2
    kept = []
    for t in range(STEPS):
        for k, parameter in enumerate(params):
            grad = gradient(parameter, k, t)
            if kind is torch.optim.SparseAdam:
                rows = rows_at(k, t)
                parameter.grad = torch.sparse_coo_tensor([rows], grad[rows], parameter.shape, check_invariants=True)
            else:
                parameter.grad = None if k == 1 and t % 5 == 3 else grad
        optimizer.step()
        if t + 1 in KEPT:
            kept.append(flat(params))
    return numpy.stack(kept)


def run_lbfgs(options, params):
    optimizer = torch.optim.LBFGS(params, **options)

    def closure():
        optimizer.zero_grad()
        loss = 0.1 * (params[0].flatten()[:-1] * params[0].flatten()[1:]).sum()
        for parameter in params:
            i = elements(parameter)
            off = parameter - center(i, parameter.dtype)
            loss = loss + (factor(i, parameter.dtype) * off * off).sum() / 2 + (off * off * off * off).sum() / 4
        loss.backward()
        return loss

    kept = []
    for t in range(max(LBFGS_KEPT)):
        optimizer.step(closure)
        if t + 1 in LBFGS_KEPT:
            kept.append(flat(params))
    return numpy.stack(kept)


def run_schedule(make):
    torch.set_default_dtype(torch.float64)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5, momentum=0.9)
    schedule = make(optimizer)
    rates, momenta = [], []
    for step in range(STEPS):
        rates.append(optimizer.param_groups[0]["lr"])
        momenta.append(optimizer.param_groups[0]["momentum"])
        optimizer.step()
        if isinstance(schedule, schedulers.ReduceLROnPlateau):
            schedule.step(measured(step))
        else:
            schedule.step()
    return numpy.array(rates), numpy.array(momenta)


def main():
    arrays = {}
    for case, (kind, options) in OPTIMIZERS.items():
        for dtype, name in [(torch.float32, "float32"), (torch.float64, "float64")]:
            arrays[f"{case}.{name}"] = run(kind, options, dtype)
            assert numpy.isfinite(arrays[f"{case}.{name}"]).all(), case
    for case, make in SCHEDULES.items():
        arrays[f"{case}.lr"], arrays[f"{case}.momentum"] = run_schedule(make)
    numpy.savez_compressed(OUT, **arrays)


if __name__ == "__main__":
    main()
