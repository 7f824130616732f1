"""Multi-head attention, scaled_dot_product_attention, Transformer layers."""

import torch
from torch import nn


def attention(fixture):
    def add(name, module, *inputs, **call):
        """inputs: query, or query, key and value; then the masks that `call` names in its tuple `masks`."""
        masks = call.pop("masks", ())
        own = call.pop("own", 1)

        def function(*arguments):
            given = dict(zip(masks, arguments[own:]))
            qkv = arguments[:own] if own == 3 else arguments[:1] * 3
            return module(*qkv, **given, **call)

        fixture.case(name, function, *inputs, module=module)

    x = fixture.randn("x", 5, 2, 8)
    padding = torch.tensor([[False, False, False, True, True], [False] * 5])
    later = torch.ones(5, 5).triu(1).bool()
    added = fixture.randn("added", 4, 5, 5)
    mha = nn.MultiheadAttention
    add("MultiheadAttention/self", mha(8, 2), x, need_weights=False)
    add("MultiheadAttention/self_weights", mha(8, 2), x)
    add("MultiheadAttention/self_masks", mha(8, 4, batch_first=True), x.transpose(0, 1), padding, later, need_weights=False, masks=("key_padding_mask", "attn_mask"))
    add("MultiheadAttention/added_mask", mha(8, 2), x, added, need_weights=False, masks=("attn_mask",))
    add("MultiheadAttention/masks_and_weights_of_heads", mha(8, 2), x, padding, later, average_attn_weights=False, masks=("key_padding_mask", "attn_mask"))
    y, z = fixture.randn("y", 3, 2, 6), fixture.randn("z", 3, 2, 4)
    add("MultiheadAttention/other_sizes", mha(8, 2, bias=False, kdim=6, vdim=4), x, y, z, need_weights=False, own=3)
    add("MultiheadAttention/other_sizes_weights", mha(8, 2, kdim=6, vdim=4), x, y, z, own=3)
    add("MultiheadAttention/unbatched", mha(8, 2), x[:, 0], need_weights=False)
    sdpa = nn.functional.scaled_dot_product_attention
    q, k, v = fixture.randn("q", 2, 3, 4, 5), fixture.randn("k", 2, 3, 6, 5), fixture.randn("v", 2, 3, 6, 2)
    allowed = torch.tensor([[True, False, True, True, False, True]] * 4)
    fixture.case("scaled_dot_product_attention/plain", sdpa, q, k, v)
    fixture.case("scaled_dot_product_attention/mask", lambda *a: sdpa(*a[:3], attn_mask=a[3], scale=0.7), q, k, v, allowed)
    fixture.case("scaled_dot_product_attention/causal", lambda *a: sdpa(*a, is_causal=True), q[0], k[0], v[0])


def write(fixture):
    attention(fixture)
