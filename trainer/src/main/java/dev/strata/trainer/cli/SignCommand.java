package dev.strata.trainer.cli;

import dev.strata.artifact.ArtifactSignature;
import dev.strata.artifact.SignatureKeys;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// Signs an artifact.
@Command(
    name = "sign",
    description =
        "Sign an artifact: writes FILE.sig, 64 bytes of Ed25519 over the header, which holds the"
            + " hash of every section.")
final class SignCommand implements Callable<Integer> {

  @Parameters(paramLabel = "FILE", description = "The artifact.")
  private Path file;

  @Option(
      names = "--key",
      paramLabel = "FILE",
      required = true,
      description = "The secret key, as keygen or OpenSSL wrote it (PKCS #8, PEM).")
  private Path key;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    byte[] header = ArtifactSignature.signedBytes(file);
    byte[] signature = ArtifactSignature.sign(header, SignatureKeys.privateKey(key));
    Path target = file.resolveSibling(file.getFileName() + ArtifactSignature.SUFFIX);
    Files.write(target, signature);
    spec.commandLine().getOut().printf("%s: signs %,d bytes of header%n", target, header.length);
    return ExitCode.OK;
  }
}
