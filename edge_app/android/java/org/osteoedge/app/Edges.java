package org.osteoedge.app;

import android.graphics.Insets;
import android.os.Build;
import android.view.DisplayCutout;
import android.view.View;
import android.view.WindowInsets;
import java.util.Arrays;

/** How much of the window's edges the system covers: bars, cut-out, keyboard. Works on the system's thread. */
final class Edges {
    private static volatile int[] covered = new int[4];

    private final EdgeActivity activity;

    Edges(EdgeActivity activity) {
        this.activity = activity;
    }

    /** Left, top, right and bottom, in pixels. */
    static int[] covered() {
        return covered.clone();
    }

    void watch() {
        View whole = activity.getWindow().getDecorView();
        whole.setOnApplyWindowInsetsListener(
                (view, insets) -> {
                    view.post(this::measure); // when what they change has been laid out
                    return view.onApplyWindowInsets(insets);
                });
        whole.getViewTreeObserver().addOnGlobalLayoutListener(this::measure);
    }

    private void measure() {
        View whole = activity.getWindow().getDecorView();
        WindowInsets insets = whole.getRootWindowInsets();
        if (insets == null) return;
        int[] now = outside(EdgeActivity.getLayout(), whole, edgesOf(insets));
        if (!Arrays.equals(now, covered)) {
            covered = now;
            Told.tell(Told.changed());
        }
    }

    /** What reaches into the app's own view: before Android 15 the system may have put it beside the bars already. */
    private static int[] outside(View shown, View whole, int[] edges) {
        if (shown == null) return edges;
        int[] at = new int[2];
        shown.getLocationInWindow(at);
        int right = whole.getWidth() - at[0] - shown.getWidth();
        int bottom = whole.getHeight() - at[1] - shown.getHeight();
        return new int[] {
            Math.max(0, edges[0] - at[0]),
            Math.max(0, edges[1] - at[1]),
            Math.max(0, edges[2] - right),
            Math.max(0, edges[3] - bottom)
        };
    }

    @SuppressWarnings("deprecation") // what Android 10 and older have instead
    private static int[] edgesOf(WindowInsets insets) {
        if (Build.VERSION.SDK_INT >= 30) {
            int types = WindowInsets.Type.systemBars() | WindowInsets.Type.displayCutout() | WindowInsets.Type.ime();
            Insets edges = insets.getInsets(types);
            return new int[] {edges.left, edges.top, edges.right, edges.bottom};
        }
        int[] edges = {
            insets.getSystemWindowInsetLeft(),
            insets.getSystemWindowInsetTop(),
            insets.getSystemWindowInsetRight(),
            insets.getSystemWindowInsetBottom()
        };
        DisplayCutout cutout = Build.VERSION.SDK_INT >= 28 ? insets.getDisplayCutout() : null;
        if (cutout == null) return edges;
        return new int[] {
            Math.max(edges[0], cutout.getSafeInsetLeft()),
            Math.max(edges[1], cutout.getSafeInsetTop()),
            Math.max(edges[2], cutout.getSafeInsetRight()),
            Math.max(edges[3], cutout.getSafeInsetBottom())
        };
    }
}
