/// ONNX files to float graphs. The way: [OnnxImporter] reads the file, [NetworkDecoder] makes a
/// [Network] of it, passes rewrite the network ([Pass]), and [Lowering] turns it into a model graph
/// with images as NHWC. Nothing here knows about bit widths.
package dev.strata.trainer.onnx;
