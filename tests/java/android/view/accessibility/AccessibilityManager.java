package android.view.accessibility;

public final class AccessibilityManager {
    public static final AccessibilityManager ONLY = new AccessibilityManager();

    private boolean isOn;

    private AccessibilityManager() {}

    public void turn(boolean on) {
        isOn = on;
    }

    public boolean isEnabled() {
        return isOn;
    }

    public boolean isTouchExplorationEnabled() {
        return isOn;
    }
}
