package org.tensorflow.lite;

/** Double of the types of a tensor's elements, with the numbers of TFLite's C API. */
public enum DataType {
  FLOAT32(1),
  INT32(2),
  UINT8(3),
  INT64(4),
  STRING(5),
  BOOL(6),
  INT16(7),
  INT8(9);

  private final int value;

  DataType(int value) {
    this.value = value;
  }

  public int byteSize() {
    switch (this) {
      case FLOAT32:
      case INT32:
        return 4;
      case INT64:
        return 8;
      case INT16:
        return 2;
      case UINT8:
      case INT8:
        return 1;
      default:
        return -1;
    }
  }

  int c() {
    return value;
  }
}
