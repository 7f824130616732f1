"""What a case of the fixtures holds: a module's (or function's) inputs, state, outputs and gradients in float64.

Arrays of a case are named CASE/WHAT/NAME, where CASE is "Module/configuration" and WHAT is
  input/I       the arguments, floating ones with numbers that float32 holds exactly
  state/NAME    parameters and buffers before the call (the same)
  output/I      what comes out, tuples flattened
  seed/I        the gradient that is sent back through output I (missing: none)
  grad_input/I  the gradient of input I (missing: it has none)
  grad/NAME     the gradients of the parameters
  after/NAME    the buffers after the call
"""

import pathlib
import zlib

import numpy
import torch


def exact(tensor):
    """The nearest numbers that float32 holds, as float64."""
    return tensor.detach().float().double() if tensor.is_floating_point() else tensor.detach()


def flatten(value):
    if isinstance(value, torch.nn.utils.rnn.PackedSequence):
        return [value.data]
    if isinstance(value, (tuple, list)):
        return [leaf for item in value for leaf in flatten(item)]
    return [value]


class Fixture:
    def __init__(self, family):
        self.family = family
        self.arrays = {}

    def add(self, name, what, tensor):
        key = f"{name}/{what}"
        assert key not in self.arrays, key
        self.arrays[key] = tensor.detach().contiguous().numpy().copy()  # what it is now

    def generator(self, name):
        """Seeded by the name: cases do not depend on each other's order."""
        return torch.Generator().manual_seed(zlib.crc32(f"{self.family}/{name}".encode()))

    def randn(self, name, *shape):
        return exact(torch.randn(*shape, generator=self.generator(f"{name}{shape}"), dtype=torch.float64))

    def case(self, name, function, *inputs, module=None, train=True, no_gradient=(), seeds=True):
        """Calls function(*inputs), by default the module itself.

        Parameters and floating buffers that are not constant are replaced by random numbers around their values.
        Inputs whose number stands in no_gradient get none.
        """
        generator = self.generator(name)
        if module is not None:
            module.double().train(train)
            with torch.no_grad():
                for parameter in module.parameters():
                    parameter.copy_(exact(parameter + 0.1 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)))
                for buffer in module.buffers():
                    if buffer.is_floating_point():
                        buffer.copy_(exact(buffer + 0.3 * torch.rand(buffer.shape, generator=generator, dtype=torch.float64)))
            for key, value in module.state_dict().items():
                self.add(name, f"state/{key}", value)
        function = function or module
        arguments = []
        for i, value in enumerate(inputs):
            if torch.is_tensor(value):
                value = exact(value)
                self.add(name, f"input/{i}", value)
                value = value.clone()
                if value.is_floating_point() and i not in no_gradient:
                    value.requires_grad_()
            arguments.append(value)
        outputs = flatten(function(*arguments))
        total = 0
        for i, output in enumerate(outputs):
            if output is None:
                continue
            self.add(name, f"output/{i}", output)
            if seeds and output.is_floating_point() and output.requires_grad:
                seed = exact(torch.randn(output.shape, generator=generator, dtype=torch.float64))
                self.add(name, f"seed/{i}", seed)
                total = total + (output * seed).sum()
        if torch.is_tensor(total):
            total.backward()
        for i, value in enumerate(arguments):
            if torch.is_tensor(value) and value.grad is not None:
                self.add(name, f"grad_input/{i}", value.grad.to_dense())
        if module is not None:
            for key, parameter in module.named_parameters():
                if parameter.grad is not None:
                    self.add(name, f"grad/{key}", parameter.grad.to_dense())
            for key, buffer in module.named_buffers():
                self.add(name, f"after/{key}", buffer)

    def module(self, name, module, *inputs, **options):
        self.case(name, None, *inputs, module=module, **options)

    def save(self, folder):
        path = pathlib.Path(folder) / f"{self.family}.npz"
        numpy.savez_compressed(path, **self.arrays)
        print(f"{path}: {path.stat().st_size} bytes, {len(self.arrays)} arrays")
