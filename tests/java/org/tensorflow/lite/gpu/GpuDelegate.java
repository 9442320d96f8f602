package org.tensorflow.lite.gpu;

import org.tensorflow.lite.Delegate;

/** Double of the GPU delegate. */
public class GpuDelegate implements Delegate {
  public static int open = 0;
  public static boolean lastAllowedPrecisionLoss = true;
  private long handle = 1;

  public GpuDelegate(GpuDelegateFactory.Options options) {
    lastAllowedPrecisionLoss = options.isPrecisionLossAllowed();
    open++;
  }

  public GpuDelegate() {
    this(new GpuDelegateFactory.Options());
  }

  @Override
  public long getNativeHandle() {
    return handle;
  }

  @Override
  public void close() {
    if (handle != 0) {
      handle = 0;
      open--;
    }
  }
}
