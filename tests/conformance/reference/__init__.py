"""What PyTorch, NumPy and mpmath say: the cases of the conformance suite, a module a family."""
