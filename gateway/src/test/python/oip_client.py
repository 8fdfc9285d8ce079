#!/usr/bin/python3
"""Asks a Strata server over gRPC, knowing nothing but the public Open Inference Protocol.

Needs Debian's python3-grpcio and python3-grpc-tools. Examples:

    oip_client.py minilm --text "A cat sleeps." --text "A kitten naps." --bits 8 --bits 4 --bits 2
    oip_client.py fashion --image boot.png --bits 4
    oip_client.py ocr-text --image line.png
    oip_client.py minilm --metadata
"""

import argparse
import importlib
import json
import math
import pathlib
import struct
import sys
import tempfile

import grpc
from grpc_tools import protoc

PROTO = pathlib.Path(__file__).resolve().parents[4] / "proto/src/main/proto/open_inference.proto"

NUMBERS = {
    "BOOL": "?", "INT8": "b", "INT16": "h", "INT32": "i", "INT64": "q", "UINT8": "B",
    "UINT16": "H", "UINT32": "I", "UINT64": "Q", "FP16": "e", "FP32": "f", "FP64": "d",
}


def compile_protocol(proto):
    """Generates and imports the client's classes; returns messages and stubs."""
    out = tempfile.mkdtemp(prefix="oip-")
    code = protoc.main(
        ["protoc", f"-I{proto.parent}", f"--python_out={out}", f"--grpc_python_out={out}",
         proto.name])
    if code != 0:
        sys.exit(f"protoc could not read {proto}")
    sys.path.insert(0, out)
    name = proto.stem
    return importlib.import_module(f"{name}_pb2"), importlib.import_module(f"{name}_pb2_grpc")


def raw_bytes(elements):
    """BYTES tensor: each element behind its length, 32 bits little-endian."""
    return b"".join(struct.pack("<I", len(element)) + element for element in elements)


def values(datatype, data):
    """The elements of a raw tensor as Python values."""
    if datatype != "BYTES":
        return [value for (value,) in struct.iter_unpack("<" + NUMBERS[datatype], data)]
    elements, position = [], 0
    while position < len(data):
        (length,) = struct.unpack_from("<I", data, position)
        position += 4
        elements.append(data[position:position + length].decode())
        position += length
    return elements


def infer(messages, stub, model, elements, bits):
    metadata = stub.ModelMetadata(messages.ModelMetadataRequest(name=model))
    request = messages.ModelInferRequest(model_name=model, id="python")
    request.inputs.add(name=metadata.inputs[0].name, datatype="BYTES", shape=[len(elements)])
    request.raw_input_contents.append(raw_bytes(elements))
    if bits is not None:
        request.parameters["bits"].int64_param = bits
    response = stub.ModelInfer(request)
    outputs = {
        output.name: (list(output.shape), values(output.datatype, data))
        for output, data in zip(response.outputs, response.raw_output_contents)
    }
    parameters = {name: value.int64_param for name, value in response.parameters.items()}
    return parameters, outputs


def rows(shape, flat):
    width = math.prod(shape[1:])
    return [flat[i * width:(i + 1) * width] for i in range(shape[0])]


def cosine(a, b):
    dot = sum(x * y for x, y in zip(a, b))
    return dot / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


def show(parameters, outputs):
    print("bits {bits}  queue {queue_us} us  compute {compute_us} us".format(**parameters))
    for name, (shape, flat) in sorted(outputs.items()):
        table = rows(shape, flat)
        if name == "embedding":
            print(f"  {name} {shape}")
            for i in range(1, len(table)):
                print(f"  similarity of text 1 and text {i + 1}: {cosine(table[0], table[i]):.4f}")
        elif name == "probabilities":
            for row in table:
                best = max(range(len(row)), key=row.__getitem__)
                print(f"  {name}: class {best} with {row[best]:.4f}")
        else:
            print(f"  {name} {shape}: {flat[:8]}")


def describe(messages, stub, model):
    answer, call = stub.ModelMetadata.with_call(messages.ModelMetadataRequest(name=model))
    print(answer, end="")
    for key, value in call.initial_metadata():
        if key == "strata-precisions":
            for offer in json.loads(value):
                print(f"bits {offer['bits']}: {offer['bytes']} bytes, {offer['quality']}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--server", default="localhost:9000", help="default %(default)s")
    parser.add_argument("--proto", type=pathlib.Path, default=PROTO, help="the protocol's schema")
    parser.add_argument("--text", action="append", default=[], help="a text; may be repeated")
    parser.add_argument(
        "--image", action="append", default=[], type=pathlib.Path,
        help="a PNG or JPEG file; may be repeated")
    parser.add_argument(
        "--bits", action="append", type=int,
        help="bit width, may be repeated; the model's default if absent")
    parser.add_argument("--metadata", action="store_true", help="only describe the model")
    options = parser.parse_args()
    elements = [text.encode() for text in options.text]
    elements += [image.read_bytes() for image in options.image]
    if not elements and not options.metadata:
        parser.error("give --text or --image")

    messages, stubs = compile_protocol(options.proto)
    with grpc.insecure_channel(options.server) as channel:
        stub = stubs.GRPCInferenceServiceStub(channel)
        try:
            if options.metadata:
                describe(messages, stub, options.model)
                return
            for bits in options.bits or [None]:
                show(*infer(messages, stub, options.model, elements, bits))
        except grpc.RpcError as failure:
            sys.exit(f"{failure.code().name}: {failure.details()}")


if __name__ == "__main__":
    main()
