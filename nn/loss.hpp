// Losses: functions with PyTorch's names and options, and the modules of the same losses.
//
//   nn::cross_entropy(logits, target, {.label_smoothing = 0.1}).backward();
//   nn::CrossEntropyLoss loss({.label_smoothing = 0.1});
//   loss(logits, target).backward();
#pragma once

#include "nn/loss/ctc.hpp"
#include "nn/loss/likelihood.hpp"
#include "nn/loss/margin.hpp"
#include "nn/loss/modules.hpp"
#include "nn/loss/reduction.hpp"
#include "nn/loss/regression.hpp"
