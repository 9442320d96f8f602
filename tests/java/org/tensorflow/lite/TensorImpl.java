package org.tensorflow.lite;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** As the real one, it takes an input from the start of a buffer, and puts an output at the buffer's position. */
final class TensorImpl implements Tensor {
  final ByteBuffer data;
  private final int index;
  private final int[] shape;
  private final DataType type;
  private final QuantizationParams quantization;

  /** From a line of {@link Native#tensors}, after its first word. */
  TensorImpl(int index, String[] words) {
    this.index = index;
    String[] sides = words[1].split(",");
    shape = new int[sides.length];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = Integer.parseInt(sides[i]);
    }
    type = DataType.valueOf(words[2]);
    quantization = new QuantizationParams(Float.parseFloat(words[3]), Integer.parseInt(words[4]));
    int size = numElements() * Math.max(1, type.byteSize());
    data = ByteBuffer.allocateDirect(size).order(ByteOrder.nativeOrder());
  }

  @Override
  public DataType dataType() {
    return type;
  }

  @Override
  public int numDimensions() {
    return shape.length;
  }

  @Override
  public int numBytes() {
    return data.capacity();
  }

  @Override
  public int numElements() {
    int product = 1;
    for (int side : shape) {
      product *= side;
    }
    return product;
  }

  @Override
  public int[] shape() {
    return shape;
  }

  @Override
  public int index() {
    return index;
  }

  @Override
  public String name() {
    return "tensor " + index;
  }

  @Override
  public QuantizationParams quantizationParams() {
    return quantization;
  }

  @Override
  public ByteBuffer asReadOnlyBuffer() {
    return data.asReadOnlyBuffer().order(ByteOrder.nativeOrder());
  }

  void setTo(Object source) {
    ByteBuffer buffer = direct(source);
    if (buffer.capacity() != data.capacity()) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot copy to a TensorFlowLite tensor (%s) with %d bytes from a Java Buffer with %d bytes.",
              name(), data.capacity(), buffer.capacity()));
    }
    put(buffer.duplicate().clear());
  }

  void put(ByteBuffer source) {
    data.clear();
    data.put(source);
    data.clear();
  }

  void copyTo(Object destination) {
    ByteBuffer buffer = direct(destination);
    if (data.capacity() > buffer.capacity()) {
      throw new IllegalArgumentException(
          String.format(
              "Cannot copy from a TensorFlowLite tensor (%s) with %d bytes to a Java Buffer with %d bytes.",
              name(), data.capacity(), buffer.capacity()));
    }
    buffer.put(data.duplicate().clear());
  }

  /** The real one takes other buffers and arrays as well, by slower ways that the app must not go. */
  private static ByteBuffer direct(Object object) {
    ByteBuffer buffer = (ByteBuffer) object;
    if (!buffer.isDirect() || buffer.order() != ByteOrder.nativeOrder()) {
      throw new IllegalArgumentException("no direct buffer in native order");
    }
    return buffer;
  }
}
