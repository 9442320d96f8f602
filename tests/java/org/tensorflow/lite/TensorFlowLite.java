package org.tensorflow.lite;

/** Double of the class that loads the native library. */
public final class TensorFlowLite {
  public static Native library;

  /** As in an app without the library for its processor. */
  public static boolean missing = false;

  public static String version = "1.4.1";

  private TensorFlowLite() {}

  public static String runtimeVersion(InterpreterApi.Options.TfLiteRuntime runtime) {
    init();
    return version;
  }

  public static String runtimeVersion() {
    return runtimeVersion(null);
  }

  public static void init() {
    if (missing) {
      throw new UnsatisfiedLinkError(
          "Failed to load native TensorFlow Lite methods. Check that the correct native libraries are present, and, if"
              + " using a custom native library, have been properly loaded via System.loadLibrary():\n  none");
    }
  }
}
