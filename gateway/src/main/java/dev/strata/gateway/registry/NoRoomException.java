package dev.strata.gateway.registry;

/// A model does not fit into the memory budget. The message gives the sizes.
final class NoRoomException extends Exception {
  private static final long serialVersionUID = 1L;

  NoRoomException(String message) {
    super(message);
  }
}
