"""NumPy and the library share memory through DLPack. Argument: libdlpack_python.so."""
import ctypes
import gc
import sys
import weakref

import numpy as np

library = ctypes.CDLL(sys.argv[1])
library.dlpack_hand_out.restype = ctypes.c_void_p
library.dlpack_element.restype = ctypes.c_double
library.dlpack_element.argtypes = [ctypes.c_int64, ctypes.c_int64]
library.dlpack_take_in.argtypes = [ctypes.c_void_p]

new_capsule = ctypes.pythonapi.PyCapsule_New
new_capsule.restype = ctypes.py_object
new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
pointer_of.restype = ctypes.c_void_p
pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]
rename = ctypes.pythonapi.PyCapsule_SetName
rename.argtypes = [ctypes.py_object, ctypes.c_char_p]


class HandedOut:
    def __dlpack_device__(self):
        return (1, 0)

    def __dlpack__(self, **_):
        return new_capsule(library.dlpack_hand_out(), b"dltensor", None)


array = np.from_dlpack(HandedOut())
assert array.shape == (4, 3) and array.dtype == np.float32, array
assert (array == np.arange(12).reshape(3, 4).T).all(), array
library.dlpack_let_go()
assert array[3, 2] == 11, "the memory went away while NumPy held it"
del array

mine = np.arange(20, dtype=np.int16).reshape(4, 5)[1:, ::2]
capsule = mine.__dlpack__()
library.dlpack_take_in(pointer_of(capsule, b"dltensor"))
used = b"used_dltensor"
rename(capsule, used)
assert library.dlpack_element(2, 1) == mine[2, 1] == 17
mine[2, 1] = -5
assert library.dlpack_element(2, 1) == -5, "a copy, not the memory"
base = weakref.ref(mine)
del mine
gc.collect()
assert base() is not None, "NumPy's array went away while the tensor held it"
library.dlpack_let_go()
gc.collect()
assert base() is None, "the array was not given back"
