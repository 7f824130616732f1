"""Recurrent layers and cells, padded and packed."""

import torch
from torch import nn
from torch.nn.utils import rnn

LENGTHS = torch.tensor([2, 5, 1, 4])
FALLING = torch.tensor([5, 3, 3, 1])


def packed(module, lengths, enforce_sorted):
    """x, states → (packed data, states), with the lengths written into the case as an input of their own."""

    def call(x, lengths, *states):
        sequence = rnn.pack_padded_sequence(x, lengths, batch_first=module.batch_first, enforce_sorted=enforce_sorted)
        output, final = module(sequence, states if len(states) == 2 else states[0])
        return rnn.pad_packed_sequence(output, batch_first=module.batch_first)[0], final

    return call


def write(fixture):
    def add(name, module, *inputs, **options):
        fixture.case(name, lambda x, *states: module(x, states if len(states) == 2 else states[0]) if states else module(x), *inputs, module=module, **options)

    x = fixture.randn("x", 3, 2, 3)
    for kind, make, count in (
        ("RNN", nn.RNN, 1),
        ("GRU", nn.GRU, 1),
        ("LSTM", nn.LSTM, 2),
    ):
        states = [fixture.randn(f"state{i}", 1, 2, 3) for i in range(count)]
        deep = [fixture.randn(f"deep{i}", 4, 2, 3) for i in range(count)]
        many = [fixture.randn(f"many{i}", 2, 4, 3) for i in range(count)]
        add(f"{kind}/initial_state", make(3, 3), x, *states)
        add(f"{kind}/two_layers_both_directions", make(3, 3, num_layers=2, bidirectional=True), x, *deep)
        add(f"{kind}/batch_first_no_bias", make(3, 3, batch_first=True, bias=False), fixture.randn("x", 2, 3, 3))
        if kind == "LSTM":
            add(f"{kind}/unbatched", make(3, 3), fixture.randn("x", 3, 3), *[s[:, 0] for s in states])
        for name, lengths, enforce in (("packed", FALLING, True), ("packed_unsorted", LENGTHS, False)):
            if enforce and kind != "LSTM":
                continue
            module = make(2, 3, bidirectional=True, batch_first=not enforce)
            shape = (5, 4, 2) if enforce else (4, 5, 2)
            fixture.case(f"{kind}/{name}", packed(module, lengths, enforce), fixture.randn("padded", *shape), lengths, *many, module=module)
    add("RNN/relu", nn.RNN(3, 3, nonlinearity="relu", num_layers=2), x)
    for kind, make, count in (("RNNCell", nn.RNNCell, 1), ("GRUCell", nn.GRUCell, 1), ("LSTMCell", nn.LSTMCell, 2)):
        states = [fixture.randn(f"cell{i}", 2, 4) for i in range(count)]
        add(f"{kind}/plain", make(3, 4), x[0], *states)
        add(f"{kind}/zero_state_no_bias", make(3, 4, bias=False), x[0])
        if kind == "LSTMCell":
            add(f"{kind}/unbatched", make(3, 4), x[0, 0], *[s[0] for s in states])
    add("RNNCell/relu", nn.RNNCell(3, 4, nonlinearity="relu"), x[0], fixture.randn("cell0", 2, 4))
