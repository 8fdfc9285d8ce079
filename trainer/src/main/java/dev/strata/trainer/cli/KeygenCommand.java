package dev.strata.trainer.cli;

import dev.strata.artifact.SignatureKeys;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/// Makes a key pair for signatures.
@Command(
    name = "keygen",
    description =
        "Make an Ed25519 key pair: NAME.pem signs artifacts and stays secret, NAME.pub goes to the"
            + " servers that check them.")
final class KeygenCommand implements Callable<Integer> {

  @Option(
      names = {"-o", "--output"},
      paramLabel = "NAME",
      required = true,
      description = "Path of the two files, without their endings. Neither may exist.")
  private Path output;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    KeyPair keys = SignatureKeys.generate();
    Path secret = sibling(".pem");
    Path open = sibling(".pub");
    try {
      if (Files.exists(open)) {
        throw new FileAlreadyExistsException(open.toString());
      }
      Files.createFile(
          secret,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      Files.writeString(secret, SignatureKeys.pem(keys.getPrivate()));
      Files.write(
          open,
          SignatureKeys.pem(keys.getPublic()).getBytes(StandardCharsets.US_ASCII),
          StandardOpenOption.CREATE_NEW);
    } catch (FileAlreadyExistsException exists) {
      throw CommandFailure.usage(
          "--output: '%s' exists, and keys are not overwritten".formatted(exists.getFile()));
    }
    spec.commandLine().getOut().printf("%s: secret, for strata sign%n", secret);
    spec.commandLine().getOut().printf("%s: for strata.signature.keys%n", open);
    return ExitCode.OK;
  }

  private Path sibling(String ending) {
    return output.resolveSibling(output.getFileName() + ending);
  }
}
