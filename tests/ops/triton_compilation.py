"""Compiles the fused kernels for an H100 and an A100, which needs no GPU, and writes their sizes.

Started by ``test_triton_kernels.py`` as ``triton_compilation.py FILE``.
"""

import json
import sys
from pathlib import Path

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from rvos.ops import triton_kernels

SIZES = {"num_samples": 16, "num_channels": 32}


def compile_kernel(name: str, dtype: str, architecture: int) -> int:
    """Compile one kernel to machine code; places stay in single precision with half values."""
    kernel = getattr(triton_kernels, name)
    wide = "fp64" if dtype == "fp64" else "fp32"
    types = dict.fromkeys(kernel.arg_names, f"*{dtype}")
    types |= dict.fromkeys(("locations_xy", "grad_locations", "grad_value"), f"*{wide}")
    types |= {"maps": "*i32", "num_queries": "i32", "num_heads": "i32"}
    types |= dict.fromkeys(SIZES, "constexpr")
    signature = {argument: types[argument] for argument in kernel.arg_names}
    constants = {(kernel.arg_names.index(size),): value for size, value in SIZES.items()}
    source = ASTSource(fn=kernel, signature=signature, constexprs=constants)
    target = GPUTarget("cuda", architecture, 32)
    return len(triton.compile(source, target=target).asm["cubin"])


if __name__ == "__main__":
    sizes = {
        f"{name} {dtype} sm_{architecture}": compile_kernel(name, dtype, architecture)
        for name in ("sample_forward", "sample_backward")
        for dtype in ("fp32", "bf16")
        for architecture in (80, 90)
    }
    Path(sys.argv[1]).write_text(json.dumps(sizes))
