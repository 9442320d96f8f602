package org.tensorflow.lite;

/** What a test asks the doubles of this package. */
public final class Doubles {
  private Doubles() {}

  public static int openInterpreters() {
    return NativeInterpreterWrapper.OPEN.get();
  }
}
