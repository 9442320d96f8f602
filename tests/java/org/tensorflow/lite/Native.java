package org.tensorflow.lite;

/**
 * What stands in for the AAR's native library: a test puts LiteRT itself behind it, by way of Python.
 *
 * <p>Tensors travel as base64, several of them with commas between. An answer that starts with "!" is an error.
 */
public interface Native {
  /** A handle for the model. */
  String open(String path, int threads, boolean usesXnnpack, boolean usesGpu);

  /** A line for each tensor: "input" or "output", shape, type, scale and zero point, with spaces between. */
  String tensors(String handle);

  /** The outputs for these inputs. */
  String run(String handle, String inputs);

  void close(String handle);
}
