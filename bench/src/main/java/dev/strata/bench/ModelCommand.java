package dev.strata.bench;

import ai.onnxruntime.OrtException;
import dev.strata.artifact.ModelArtifact;
import dev.strata.bench.ModelInputs.Request;
import dev.strata.graph.DataType;
import dev.strata.model.LayeredModel;
import dev.strata.onnx.ModelProto;
import dev.strata.precision.Bits;
import dev.strata.processing.ModelProcessing;
import dev.strata.trainer.cli.BitsConverter;
import dev.strata.trainer.cli.CommandFailure;
import dev.strata.trainer.cli.ExitCode;
import dev.strata.trainer.cli.InputOptions;
import dev.strata.trainer.cli.Json;
import dev.strata.trainer.cli.Progress;
import dev.strata.trainer.cli.ThreadsConverter;
import dev.strata.trainer.eval.SampleSet;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// One model, whole and step by step.
@Command(
    name = "model",
    description = {
      "Measure an artifact at several widths, step by step and against ONNX Runtime.",
      "",
      "The network alone is compared, from the graph's inputs to its outputs: tokenizing, pooling"
          + " and the like are in the column 'answer' only. ONNX Runtime has one thread, all"
          + " optimizations and inputs that are in its memory already. All take turns; times are"
          + " medians of the processor time of the thread, or of the clock on the wall where"
          + " --threads asks for more than one; steps by the clock on the wall. The roofline of a step is the longer of its"
          + " multiply-adds at the peak of its kernel's instruction and its bytes at the speed of"
          + " the cache that holds the model, both measured in the same turns."
    })
final class ModelCommand implements Callable<Integer> {
  private static final String FP32 = KernelGroups.FP32;
  private static final String INT8 = KernelGroups.INT8;

  @Parameters(paramLabel = "FILE", description = "The artifact.")
  private Path file;

  @Option(
      names = "--onnx",
      paramLabel = "FILE",
      description = "The network the artifact was made of, for ONNX Runtime.")
  private Optional<Path> onnx = Optional.empty();

  @Option(
      names = "--int8",
      paramLabel = "FILE",
      description =
          "An int8 network for ONNX Runtime. Without one, a network of floats is quantized:"
              + " static, unsigned activations, signed weights with a scale for each channel.")
  private Optional<Path> int8 = Optional.empty();

  @Option(
      names = "--calibration",
      paramLabel = "DATA",
      description =
          "Samples for the scales of that network, as strata import takes them (default: the"
              + " measured input, which is enough for times but not for answers).")
  private Optional<Path> calibration = Optional.empty();

  @Option(
      names = "--bits",
      split = ",",
      converter = BitsConverter.class,
      description = "Widths to measure (default 8,4,2, or those of them that the model has).")
  private List<Bits> widths = List.of();

  @Option(
      names = "--threads",
      split = ",",
      defaultValue = "1",
      converter = ThreadsConverter.class,
      paramLabel = "N",
      description = "Threads that compute one call; several are compared (default 1).")
  private List<Integer> threads;

  @Option(
      names = "--tokens",
      split = ",",
      defaultValue = "32,128",
      paramLabel = "N",
      description = "Lengths of the texts that a text model is measured on (default 32,128).")
  private List<Integer> tokens;

  @Option(names = "--rounds", paramLabel = "N", description = "Turns (default 41).")
  private Optional<Integer> rounds = Optional.empty();

  @Option(names = "--quick", description = "Few rounds; for a look.")
  private boolean quick;

  @Option(names = "--json", paramLabel = "FILE", description = "Write everything as JSON.")
  private Optional<Path> json = Optional.empty();

  @Option(
      names = "--svg",
      paramLabel = "FILE",
      description = "Draw time by width and the steps under the roofline.")
  private Optional<Path> svg = Optional.empty();

  @Option(
      names = "--into",
      paramLabel = "FILE",
      description =
          "Put the tables into a document, between <!-- model NAME --> and its end; steps that do"
              + " the same are one row there.")
  private Optional<Path> into = Optional.empty();

  @Mixin private InputOptions input = new InputOptions();

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException, OrtException {
    int turns = rounds.orElse(quick ? 5 : 41);
    if (turns < 1) {
      throw CommandFailure.usage("--rounds: got %d, expected at least 1".formatted(turns));
    }
    Machine machine = Machine.measure();
    PrintWriter out = spec.commandLine().getOut();
    out.println(machine.describe());
    out.flush();
    ModelRun run =
        new ModelRun(
            machine, threads.equals(List.of(1)) ? Machine::nanos : System::nanoTime, turns);
    try (ModelArtifact artifact = ModelArtifact.open(file);
        ModelProcessing processing = ModelProcessing.of(artifact.description(), artifact);
        LayeredModel model = LayeredModel.open(file);
        Progress progress = Progress.on(model.description().name())) {
      List<Request> requests =
          input.isEmpty()
              ? ModelInputs.examples(model.description(), processing, tokens)
              : List.of(ModelInputs.request(processing, input.read(model.description())));
      ModelReport report =
          ModelReport.of(
              model.description().name(),
              machine,
              measure(run, artifact, processing, model, requests, progress));
      out.print(report.text());
      out.flush();
      if (json.isPresent()) {
        Files.writeString(json.get(), Json.pretty(report) + "\n");
      }
      if (svg.isPresent()) {
        Charts.model(svg.get(), report);
      }
      if (into.isPresent()) {
        Report.write(into.get(), "model " + report.model(), report.markdown());
      }
    }
    return ExitCode.OK;
  }

  private List<ModelRun.Result> measure(
      ModelRun run,
      ModelArtifact artifact,
      ModelProcessing processing,
      LayeredModel model,
      List<Request> requests,
      Progress progress)
      throws IOException, OrtException {
    List<ModelRun.Width> contenders = new ArrayList<>();
    Map<String, OrtModel> peers = new LinkedHashMap<>();
    try {
      for (Bits bits : widths(model)) {
        for (int count : threads.stream().distinct().toList()) {
          contenders.add(
              new ModelRun.Width(
                  bits.count(), count, new StrataModel(artifact, model, bits, count)));
        }
      }
      peers(peers, model, processing, requests);
      List<ModelRun.Result> results = new ArrayList<>();
      for (Request request : requests) {
        progress.advanced(request.name(), results.size(), requests.size());
        results.add(run.measure(request, contenders, peers));
      }
      return results;
    } finally {
      contenders.forEach(one -> one.model().close());
      peers.values().forEach(OrtModel::close);
    }
  }

  private List<Bits> widths(LayeredModel model) {
    List<Bits> wanted =
        widths.isEmpty()
            ? List.of(new Bits(8), new Bits(4), new Bits(2)).stream()
                .filter(model.precisions()::contains)
                .toList()
            : widths.stream().distinct().toList();
    for (Bits bits : wanted) {
      if (!model.precisions().contains(bits)) {
        throw CommandFailure.usage(
            "--bits: got %s, model '%s' has %s"
                .formatted(bits, model.description().name(), model.precisions()));
      }
    }
    return wanted.isEmpty() ? model.precisions() : wanted;
  }

  /// The int8 network is made only of a network that takes nothing but floats.
  private void peers(
      Map<String, OrtModel> peers,
      LayeredModel model,
      ModelProcessing processing,
      List<Request> requests)
      throws IOException, OrtException {
    if (onnx.isPresent()) {
      byte[] floats = Files.readAllBytes(onnx.get());
      peers.put(FP32, new OrtModel(onnx.get().toString(), floats));
      boolean takesFloats =
          requests.getFirst().graph().values().stream()
              .allMatch(one -> one.type() == DataType.FP32);
      if (int8.isEmpty() && takesFloats) {
        List<Request> samples = requests;
        if (calibration.isPresent()) {
          samples =
              SampleSet.read(calibration.get(), model.description().preprocessing())
                  .range(0, 256)
                  .samples()
                  .stream()
                  .map(one -> ModelInputs.request(processing, one))
                  .toList();
        }
        peers.put(
            INT8,
            new OrtModel(
                INT8,
                Int8Network.of(
                    ModelProto.parseFrom(floats), samples.stream().map(Request::graph).toList())));
      }
    }
    if (int8.isPresent()) {
      peers.put(INT8, new OrtModel(int8.get().toString(), Files.readAllBytes(int8.get())));
    }
  }
}
