#!/usr/bin/env python3
"""The cases of bench/recurrent_speed.cpp in PyTorch, one thread; prints "name value unit". Run both with
OPENBLAS_CORETYPE and OPENBLAS_L2_SIZE unset and OPENBLAS_NUM_THREADS=1."""

import statistics
import time

import torch
from torch import nn

RUNS = 25


def measure(name, run):
    """The median of RUNS runs after 5; and the least processor time of a run, which others on the machine move less."""
    times, processor = [], []
    for i in range(RUNS + 5):
        start, processor_start = time.perf_counter(), time.thread_time()
        run()
        if i >= 5:
            processor.append(time.thread_time() - processor_start)
            times.append(time.perf_counter() - start)
    print(f"{name} {statistics.median(times) * 1e6:.1f} us")
    print(f"{name}_processor {min(processor) * 1e6:.1f} us")


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    lstm = nn.LSTM(128, 256)
    x = torch.randn(32, 16, 128, requires_grad=True)
    gradient = torch.randn(32, 16, 256)

    def lstm_step():
        lstm.zero_grad()
        lstm(x)[0].backward(gradient)

    def lstm_forward():
        with torch.no_grad():
            lstm(x)

    measure("lstm_forward_backward_us", lstm_step)
    measure("lstm_forward_us", lstm_forward)
    for heads, name in ((8, "transformer_layer_forward_backward_us"), (4, "transformer_layer_4_heads_forward_backward_us")):
        layer = nn.TransformerEncoderLayer(128, heads, 512, dropout=0.0, batch_first=True)
        tokens = torch.randn(8, 64, 128, requires_grad=True)
        arriving = torch.randn(8, 64, 128)

        def layer_step():
            layer.zero_grad()
            layer(tokens).backward(arriving)

        measure(name, layer_step)


if __name__ == "__main__":
    main()
