"""Runs Python with the library of a driver that finds no GPU, made by the image's own compiler: without one, vLLM's
kernels for CUDA cannot be loaded. Source: cuda.h, CUDA_ERROR_NO_DEVICE. Environment: THEN, the program."""

import os
import re
import subprocess
import sysconfig
from pathlib import Path

LIBRARY = "/tmp/libcuda.so.1"  # noqa: S108
ANSWER = "int {name}(void) {{ return 100; }}\n"
NAME = (
    'int cuGetErrorName(int code, const char **name) { *name = code == 100 ? "CUDA_ERROR_NO_DEVICE" : 0; return 0; }\n'
)

libraries = Path(sysconfig.get_path("purelib"), "vllm").glob("*.so")
symbols = subprocess.run(
    ["nm", "--dynamic", "--undefined-only", *map(str, libraries)], stdout=subprocess.PIPE, text=True, check=True
).stdout
functions = {"cuInit", *re.findall(r" U (cu[A-Z]\w+)", symbols)}
code = NAME + "".join(ANSWER.format(name=name) for name in sorted(functions))
subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", LIBRARY], input=code, text=True, check=True)
os.environ["LD_LIBRARY_PATH"] = str(Path(LIBRARY).parent)
os.execvp("python", ["python", "-c", os.environ["THEN"]])  # noqa: S606
