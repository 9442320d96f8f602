package android.view;

import java.util.ArrayList;
import java.util.List;

public final class ViewTreeObserver {
    private final List<OnGlobalLayoutListener> listeners = new ArrayList<>();

    public void addOnGlobalLayoutListener(OnGlobalLayoutListener listener) {
        listeners.add(listener);
    }

    public void dispatchOnGlobalLayout() {
        listeners.forEach(OnGlobalLayoutListener::onGlobalLayout);
    }

    public interface OnGlobalLayoutListener {
        void onGlobalLayout();
    }
}
