package org.tensorflow.lite;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Double of the interpreter's interface, as far as the app and what lies beside it are concerned. */
public interface InterpreterApi extends AutoCloseable {
  class Options {
    public enum TfLiteRuntime {
      FROM_APPLICATION_ONLY,
      FROM_SYSTEM_ONLY,
      PREFER_SYSTEM_OVER_APPLICATION
    }

    TfLiteRuntime runtime = TfLiteRuntime.FROM_APPLICATION_ONLY;
    int numThreads = -1;
    Boolean useXNNPACK;
    final List<Delegate> delegates = new ArrayList<>();

    public Options() {}

    public Options(Options other) {
      runtime = other.runtime;
      numThreads = other.numThreads;
      useXNNPACK = other.useXNNPACK;
      delegates.addAll(other.delegates);
    }

    public Options setNumThreads(int numThreads) {
      this.numThreads = numThreads;
      return this;
    }

    public int getNumThreads() {
      return numThreads;
    }

    public Options setRuntime(TfLiteRuntime runtime) {
      this.runtime = runtime;
      return this;
    }

    public Options addDelegate(Delegate delegate) {
      delegates.add(delegate);
      return this;
    }

    public Options setUseXNNPACK(boolean useXNNPACK) {
      this.useXNNPACK = useXNNPACK;
      return this;
    }
  }

  void run(Object input, Object output);

  void runForMultipleInputsOutputs(Object[] inputs, Map<Integer, Object> outputs);

  void allocateTensors();

  void resizeInput(int index, int[] sides);

  void resizeInput(int index, int[] sides, boolean strict);

  int getInputTensorCount();

  Tensor getInputTensor(int index);

  int getOutputTensorCount();

  Tensor getOutputTensor(int index);

  Long getLastNativeInferenceDurationNanoseconds();

  @Override
  void close();
}
