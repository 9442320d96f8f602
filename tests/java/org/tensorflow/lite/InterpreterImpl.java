package org.tensorflow.lite;

import java.util.Collections;
import java.util.Map;

/** The class between interface and interpreter: package-private, as the real one is. */
class InterpreterImpl implements InterpreterApi {
  static class Options extends InterpreterApi.Options {
    public Options() {}

    public Options(InterpreterApi.Options options) {
      super(options);
    }
  }

  NativeInterpreterWrapper wrapper;

  InterpreterImpl(NativeInterpreterWrapper wrapper) {
    this.wrapper = wrapper;
  }

  @Override
  public void run(Object input, Object output) {
    runForMultipleInputsOutputs(new Object[] {input}, Collections.singletonMap(0, output));
  }

  @Override
  public void runForMultipleInputsOutputs(Object[] inputs, Map<Integer, Object> outputs) {
    checkNotClosed();
    wrapper.run(inputs, outputs);
  }

  @Override
  public void allocateTensors() {
    checkNotClosed();
  }

  @Override
  public void resizeInput(int index, int[] sides) {
    resizeInput(index, sides, false);
  }

  @Override
  public void resizeInput(int index, int[] sides, boolean strict) {
    throw new UnsupportedOperationException("not in this double");
  }

  @Override
  public int getInputTensorCount() {
    checkNotClosed();
    return wrapper.inputs.size();
  }

  @Override
  public Tensor getInputTensor(int index) {
    checkNotClosed();
    return wrapper.inputs.get(index);
  }

  @Override
  public int getOutputTensorCount() {
    checkNotClosed();
    return wrapper.outputs.size();
  }

  @Override
  public Tensor getOutputTensor(int index) {
    checkNotClosed();
    return wrapper.outputs.get(index);
  }

  @Override
  public Long getLastNativeInferenceDurationNanoseconds() {
    return null;
  }

  @Override
  public void close() {
    if (wrapper != null) {
      wrapper.close();
      wrapper = null;
    }
  }

  void checkNotClosed() {
    if (wrapper == null) {
      throw new IllegalStateException("Internal error: The Interpreter has already been closed.");
    }
  }
}
