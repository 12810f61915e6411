"""Which quantized weights transformers can load."""

from swiftlet_trainer.serve.quantization import Quantization


def transformers_problem(quantization: Quantization, use_gpu: bool) -> str | None:
    """Why transformers cannot load such weights here, in its own words."""
    from transformers.quantizers.auto import AutoHfQuantizer

    try:
        quantizer = AutoHfQuantizer.from_config(dict(quantization.config), pre_quantized=True)
        quantizer.validate_environment(device_map={"": "cuda" if use_gpu else "cpu"})
    except (ImportError, ValueError, RuntimeError) as error:
        return f"transformers cannot load {quantization.method} weights here: {str(error).strip().splitlines()[0]}"
    return None
