package android.view;

import org.osteoedge.doubles.Device;

public class View {
    private final ViewTreeObserver observer = new ViewTreeObserver();
    private OnApplyWindowInsetsListener listener;
    private WindowInsets insets;
    private int left;
    private int top;
    private int right;
    private int bottom;

    public void layout(int left, int top, int right, int bottom) {
        this.left = left;
        this.top = top;
        this.right = right;
        this.bottom = bottom;
        observer.dispatchOnGlobalLayout();
    }

    public int getWidth() {
        return right - left;
    }

    public int getHeight() {
        return bottom - top;
    }

    public void getLocationInWindow(int[] at) {
        at[0] = left;
        at[1] = top;
    }

    public ViewTreeObserver getViewTreeObserver() {
        return observer;
    }

    public void setOnApplyWindowInsetsListener(OnApplyWindowInsetsListener listener) {
        this.listener = listener;
    }

    public WindowInsets dispatchApplyWindowInsets(WindowInsets insets) {
        this.insets = insets;
        return listener == null ? onApplyWindowInsets(insets) : listener.onApplyWindowInsets(this, insets);
    }

    public WindowInsets onApplyWindowInsets(WindowInsets insets) {
        Device.note("insets applied");
        return insets;
    }

    public WindowInsets getRootWindowInsets() {
        return insets;
    }

    public boolean post(Runnable action) {
        Device.later(action);
        return true;
    }

    public void announceForAccessibility(CharSequence text) {
        Device.requireItsThread();
        Device.note("said " + text);
    }

    public interface OnApplyWindowInsetsListener {
        WindowInsets onApplyWindowInsets(View view, WindowInsets insets);
    }
}
