package org.tensorflow.lite;

import java.io.File;
import java.nio.ByteBuffer;

/** Double of the interpreter, with the constructors and the covariant options of the real one. */
public final class Interpreter extends InterpreterImpl implements InterpreterApi {
  public static class Options extends InterpreterImpl.Options {
    public Options() {}

    public Options(InterpreterApi.Options options) {
      super(options);
    }

    Options(InterpreterImpl.Options options) {
      super(options);
    }

    @Override
    public Options setUseXNNPACK(boolean useXNNPACK) {
      super.setUseXNNPACK(useXNNPACK);
      return this;
    }

    @Override
    public Options setNumThreads(int numThreads) {
      super.setNumThreads(numThreads);
      return this;
    }

    @Override
    public Options setRuntime(InterpreterApi.Options.TfLiteRuntime runtime) {
      super.setRuntime(runtime);
      return this;
    }

    @Override
    public Options addDelegate(Delegate delegate) {
      super.addDelegate(delegate);
      return this;
    }
  }

  public Interpreter(File model) {
    this(model, null);
  }

  public Interpreter(File model, Options options) {
    super(new NativeInterpreterWrapper(model.getAbsolutePath(), options == null ? new Options() : options));
  }

  public Interpreter(ByteBuffer model) {
    this(model, null);
  }

  public Interpreter(ByteBuffer model, Options options) {
    super(null);
    throw new UnsupportedOperationException("not in this double");
  }
}
