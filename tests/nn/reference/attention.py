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

    x = fixture.randn("x", 4, 2, 6)
    padding = torch.tensor([[False, False, True, True], [False] * 4])
    later = torch.ones(4, 4).triu(1).bool()
    added = fixture.randn("added", 4, 4, 4)
    mha = nn.MultiheadAttention
    add("MultiheadAttention/self", mha(6, 2), x, need_weights=False)
    add("MultiheadAttention/self_weights", mha(6, 2), x)
    add("MultiheadAttention/self_masks", mha(6, 3, batch_first=True), x.transpose(0, 1), padding, later, need_weights=False, masks=("key_padding_mask", "attn_mask"))
    add("MultiheadAttention/added_mask", mha(6, 2), x, added, need_weights=False, masks=("attn_mask",))
    add("MultiheadAttention/masks_and_weights_of_heads", mha(6, 2), x, padding, later, average_attn_weights=False, masks=("key_padding_mask", "attn_mask"))
    y, z = fixture.randn("y", 3, 2, 5), fixture.randn("z", 3, 2, 4)
    add("MultiheadAttention/other_sizes", mha(6, 2, bias=False, kdim=5, vdim=4), x, y, z, need_weights=False, own=3)
    add("MultiheadAttention/other_sizes_weights", mha(6, 2, kdim=5, vdim=4), x, y, z, own=3)
    add("MultiheadAttention/unbatched", mha(6, 2), x[:, 0], need_weights=False)
    sdpa = nn.functional.scaled_dot_product_attention
    q, k, v = fixture.randn("q", 2, 3, 4, 5), fixture.randn("k", 2, 3, 6, 5), fixture.randn("v", 2, 3, 6, 2)
    allowed = torch.tensor([[True, False, True, True, False, True]] * 4)
    fixture.case("scaled_dot_product_attention/plain", sdpa, q, k, v)
    fixture.case("scaled_dot_product_attention/mask", lambda *a: sdpa(*a[:3], attn_mask=a[3], scale=0.7), q, k, v, allowed)
    fixture.case("scaled_dot_product_attention/causal", lambda *a: sdpa(*a, is_causal=True), q[0], k[0], v[0])


def layers(fixture):
    options = {"dim_feedforward": 6, "dropout": 0.0}
    x, memory = fixture.randn("layer_x", 3, 2, 4), fixture.randn("memory", 4, 2, 4)
    padding = torch.tensor([[False, False, True], [False] * 3])
    later = torch.ones(3, 3).triu(1).bool()

    def add(name, module, names, *inputs):
        given = inputs[: len(inputs) - len(names)]
        count = len(given)
        fixture.case(name, lambda *a: module(*a[:count], **dict(zip(names, a[count:]))), *inputs, module=module)

    encoder, decoder = nn.TransformerEncoderLayer, nn.TransformerDecoderLayer
    masks = ("src_mask", "src_key_padding_mask")
    add("TransformerEncoderLayer/plain", encoder(4, 2, **options), (), x)
    add("TransformerEncoderLayer/norm_first_gelu_masks", encoder(4, 2, norm_first=True, activation="gelu", batch_first=True, **options), masks, x.transpose(0, 1), later, padding)
    masks = ("tgt_mask", "memory_key_padding_mask")
    unseen = torch.tensor([[False, False, False, True], [False, True, False, False]])
    add("TransformerDecoderLayer/plain", decoder(4, 2, **options), (), x, memory)
    add("TransformerDecoderLayer/norm_first_gelu_masks", decoder(4, 2, norm_first=True, activation="gelu", **options), masks, x, memory, later, unseen)
    add("TransformerEncoder/two_layers", nn.TransformerEncoder(encoder(4, 2, bias=False, **options), 2, enable_nested_tensor=False), (), x)
    add("TransformerEncoder/norm_and_masks", nn.TransformerEncoder(encoder(4, 1, **options), 1, nn.LayerNorm(4), enable_nested_tensor=False), ("mask", "src_key_padding_mask"), x, later, padding)
    add("TransformerDecoder/two_layers", nn.TransformerDecoder(decoder(4, 2, bias=False, **options), 2), (), x, memory)
    add("TransformerDecoder/norm_and_mask", nn.TransformerDecoder(decoder(4, 1, **options), 1, nn.LayerNorm(4)), ("tgt_mask",), x, memory, later)
    # Those of each layer are compared above.
    for name in ("TransformerEncoder/norm_and_masks", "TransformerDecoder/norm_and_mask"):
        for key in [key for key in fixture.arrays if key.startswith(f"{name}/grad/layers")]:
            del fixture.arrays[key]
    for name, more in (("plain", {}), ("batch_first", {"batch_first": True})):
        transformer = nn.Transformer(4, 2, 1, 1, bias=bool(more), **options, **more)
        turn = (lambda t: t.transpose(0, 1)) if more else (lambda t: t)
        add(f"Transformer/{name}", transformer, ("tgt_mask",), turn(memory), turn(x), later)


def write(fixture):
    attention(fixture)
    layers(fixture)
