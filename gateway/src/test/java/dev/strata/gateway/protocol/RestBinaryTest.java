package dev.strata.gateway.protocol;

import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;

@QuarkusTest
@QuarkusTestResource(TinyRepository.class)
class RestBinaryTest extends ProtocolSuite {

  @Override
  ProtocolClient connect() {
    return new RestClient(true);
  }
}
