package org.tensorflow.lite.gpu;

/** Double of what makes GPU delegates; the app uses its options only. */
public class GpuDelegateFactory {
  public static class Options {
    private boolean precisionLossAllowed = true;
    private boolean quantizedModelsAllowed = true;
    private int inferencePreference = 0;

    public Options() {}

    public static final int INFERENCE_PREFERENCE_FAST_SINGLE_ANSWER = 0;
    public static final int INFERENCE_PREFERENCE_SUSTAINED_SPEED = 1;

    public Options setPrecisionLossAllowed(boolean precisionLossAllowed) {
      this.precisionLossAllowed = precisionLossAllowed;
      return this;
    }

    public Options setQuantizedModelsAllowed(boolean quantizedModelsAllowed) {
      this.quantizedModelsAllowed = quantizedModelsAllowed;
      return this;
    }

    public Options setInferencePreference(int preference) {
      inferencePreference = preference;
      return this;
    }

    public boolean isPrecisionLossAllowed() {
      return precisionLossAllowed;
    }

    public boolean areQuantizedModelsAllowed() {
      return quantizedModelsAllowed;
    }

    public int getInferencePreference() {
      return inferencePreference;
    }
  }
}
