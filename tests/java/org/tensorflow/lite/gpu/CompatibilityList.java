package org.tensorflow.lite.gpu;

import java.io.Closeable;

/** Double of the list of devices whose GPU is known to work. */
public class CompatibilityList implements Closeable {
  public static boolean supported = true;
  public static int open = 0;
  private boolean closed = false;

  public CompatibilityList() {
    open++;
  }

  public boolean isDelegateSupportedOnThisDevice() {
    if (closed) {
      throw new IllegalStateException("Trying to query a closed compatibilityList.");
    }
    return supported;
  }

  public GpuDelegateFactory.Options getBestOptionsForThisDevice() {
    return new GpuDelegateFactory.Options();
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      open--;
    }
  }
}
