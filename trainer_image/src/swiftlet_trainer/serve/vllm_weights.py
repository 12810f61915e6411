"""Which quantized weights vLLM can compute with."""

from swiftlet.wire.processor import has_flag

from swiftlet_trainer.serve.quantization import Quantization

CPU_METHODS = ("awq", "gptq", "compressed-tensors", "fp8")
"""What vLLM's build for CPUs has operators for."""
CPU_PACKED_BITS = 4


def vllm_cpu_problem(quantization: Quantization) -> str | None:
    """Why vLLM cannot compute with such weights on this CPU. What it can on a GPU, it says itself at its start.

    Source: vllm, kernels/linear, mixed_precision/cpu.py and scaled_mm/cpu.py.
    """
    method, bits = quantization.method, quantization.bits
    if method not in CPU_METHODS:
        return f"vllm has no {method} weights on a CPU, only {', '.join(CPU_METHODS)}"
    is_packed = method in ("awq", "gptq") or quantization.config.get("format") == "pack-quantized"
    if is_packed and bits not in (None, CPU_PACKED_BITS):
        return f"vllm has no {method} weights of {bits} bits on a CPU, only of {CPU_PACKED_BITS}"
    if method == "fp8" and quantization.group > 1 and not has_flag("amx_tile"):
        return "vllm has no fp8 weights in blocks on a CPU without AMX"
    return None
