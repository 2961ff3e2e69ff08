"""What is computed on, and how CUDA is made to give the same numbers twice."""

import os

import torch

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def chosen(devices: str) -> str:
    """Return the device for a scenario's `federation.devices`: with `auto` the GPU that is visible, where there is one.

    On a GPU, from here on, kernels are chosen that add up in the same order every time where PyTorch has such ones (it
    warns of an operation without), and convolutions compute in full float32: the same seed gives the same run on the
    same kind of GPU. The numbers are not the CPU's, whose sums have another order.
    """
    if devices != "auto" or not torch.cuda.is_available():
        return "cpu"
    os.environ.setdefault(WORKSPACE, ":4096:8")  # read when cuBLAS starts; without it its sums may differ
    torch.use_deterministic_algorithms(mode=True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.allow_tf32 = False
    return "cuda"
