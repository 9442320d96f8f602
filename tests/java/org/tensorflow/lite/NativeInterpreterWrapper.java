package org.tensorflow.lite;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** Where the AAR's Java ends and its native library begins. */
class NativeInterpreterWrapper implements AutoCloseable {
  /** How many are open. */
  static final AtomicInteger OPEN = new AtomicInteger();

  final List<TensorImpl> inputs = new ArrayList<>();
  final List<TensorImpl> outputs = new ArrayList<>();
  private final String handle;
  private final Thread opener = Thread.currentThread();
  private final boolean usesGpu;

  NativeInterpreterWrapper(String path, InterpreterApi.Options options) {
    TensorFlowLite.init();
    usesGpu = !options.delegates.isEmpty();
    for (Delegate delegate : options.delegates) {
      if (delegate.getNativeHandle() == 0) {
        throw new IllegalArgumentException("Internal error: Invalid handle to delegate.");
      }
    }
    boolean usesXnnpack = options.useXNNPACK == null || options.useXNNPACK;
    handle = whole(TensorFlowLite.library.open(path, options.numThreads, usesXnnpack, usesGpu));
    for (String line : TensorFlowLite.library.tensors(handle).split("\n")) {
      List<TensorImpl> those = line.startsWith("input") ? inputs : outputs;
      those.add(new TensorImpl(those.size(), line.split(" ")));
    }
    OPEN.incrementAndGet();
  }

  void run(Object[] from, Map<Integer, Object> into) {
    if (from == null || from.length == 0) {
      throw new IllegalArgumentException("Input error: Inputs should not be null or empty.");
    }
    if (usesGpu && Thread.currentThread() != opener) {
      throw new IllegalArgumentException(
          "Internal error: Failed to run on the given Interpreter: TfLiteGpuDelegate Invoke: GpuDelegate must run on"
              + " the same thread where it was initialized.");
    }
    StringBuilder sent = new StringBuilder();
    for (int i = 0; i < from.length; i++) {
      inputs.get(i).setTo(from[i]);
      byte[] bytes = new byte[inputs.get(i).numBytes()];
      inputs.get(i).asReadOnlyBuffer().get(bytes);
      sent.append(i == 0 ? "" : ",").append(Base64.getEncoder().encodeToString(bytes));
    }
    String[] got = whole(TensorFlowLite.library.run(handle, sent.toString())).split(",");
    for (int i = 0; i < got.length; i++) {
      outputs.get(i).put(ByteBuffer.wrap(Base64.getDecoder().decode(got[i])));
    }
    for (Map.Entry<Integer, Object> entry : into.entrySet()) {
      if (entry.getValue() != null) {
        outputs.get(entry.getKey()).copyTo(entry.getValue());
      }
    }
  }

  @Override
  public void close() {
    if (usesGpu && Thread.currentThread() != opener) {
      throw new IllegalStateException("a GPU's interpreter was closed on a foreign thread");
    }
    TensorFlowLite.library.close(handle);
    OPEN.decrementAndGet();
  }

  private static String whole(String answer) {
    if (answer.startsWith("!")) {
      throw new IllegalArgumentException(answer.substring(1));
    }
    return answer;
  }
}
