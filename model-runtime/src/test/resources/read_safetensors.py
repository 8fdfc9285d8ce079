"""Reads a safetensors file by its public description only; prints its tensors as JSON.

Refuses what the official readers refuse: a header that does not fit, overlaps, holes, and data
that is longer or shorter than the header says.
"""
import hashlib
import json
import math
import struct
import sys

SIZES = {"U8": 1, "F32": 4, "I64": 8}


def read(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length).decode("utf-8"))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(value, str) for value in metadata.values()), "metadata is text"
    tensors, position = [], 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = entry["data_offsets"]
        assert begin == position, f"{name}: begins at {begin}, expected {position}"
        assert end - begin == math.prod(entry["shape"]) * SIZES[entry["dtype"]], name
        digest = hashlib.sha256(data[begin:end]).hexdigest()
        tensors.append({"name": name, "dtype": entry["dtype"], "shape": entry["shape"],
                        "offset": 8 + length + begin, "sha256": digest})
        position = end
    assert position == len(data), f"{len(data)} bytes of data, expected {position}"
    return {"metadata": sorted(metadata), "tensors": tensors}


print(json.dumps(read(sys.argv[1])))
