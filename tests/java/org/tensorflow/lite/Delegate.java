package org.tensorflow.lite;

import java.io.Closeable;

/** Double of what computes a model in the interpreter's place. */
public interface Delegate extends Closeable {
  long getNativeHandle();

  @Override
  default void close() {}
}
