"""Takes LibTorch without CUDA out of the wheels in a folder: `libtorch.py WHEELS FOLDER`."""

import os
import sys
import zipfile
from pathlib import Path

HEADERS = "torch/include/"

# The two of CUDA are named by libtorch_cpu.so, which never calls them.
LIBRARIES = [
    "nvidia/cuda_cupti/lib/libcupti.so.12",
    "nvidia/cuda_runtime/lib/libcudart.so.12",
    "torch/lib/libc10.so",
    "torch/lib/libgomp.so.1",
    "torch/lib/libtorch_cpu.so",
]


def place(name):
    """Where a file of a wheel goes, if it is wanted."""
    if name in LIBRARIES:
        return "lib/" + os.path.basename(name)
    return name.removeprefix("torch/") if name.startswith(HEADERS) else None


def unpack(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():
            entry.filename = place(entry.filename)
            if entry.filename:
                archive.extract(entry, folder)


def main():
    wheels, folder = map(Path, sys.argv[1:])
    for wheel in sorted(wheels.glob("*.whl")):
        unpack(wheel, folder)
    for name in LIBRARIES:
        (folder / place(name)).chmod(0o755)
    # What links with LibTorch names this one, of which the original draws in CUDA.
    (folder / "lib/libtorch.so").symlink_to("libtorch_cpu.so")


if __name__ == "__main__":
    main()
