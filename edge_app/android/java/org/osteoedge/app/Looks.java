package org.osteoedge.app;

import android.content.Context;
import android.content.res.Configuration;
import android.view.Window;
import android.view.WindowManager;
import android.view.accessibility.AccessibilityManager;

/** How the window looks to the user, and to those who look on. */
public final class Looks {
    private Looks() {}

    /** Keep the window out of screenshots and of the list of recent apps, or no longer. */
    public static void keepSecret(final boolean secret) {
        final Window window = EdgeActivity.current().getWindow();
        final int flag = WindowManager.LayoutParams.FLAG_SECURE;
        EdgeActivity.current().runOnUiThread(() -> window.setFlags(secret ? flag : 0, flag));
    }

    /** Have the screen reader say something, where one is on. */
    public static void say(final String text) {
        final EdgeActivity activity = EdgeActivity.current();
        activity.runOnUiThread(
                () -> {
                    Object service = activity.getSystemService(Context.ACCESSIBILITY_SERVICE);
                    AccessibilityManager readers = (AccessibilityManager) service;
                    if (readers != null && readers.isEnabled() && readers.isTouchExplorationEnabled()) {
                        activity.getWindow().getDecorView().announceForAccessibility(text);
                    }
                });
    }

    /** What the system covers of the window: left, top, right and bottom, in pixels. */
    public static int[] covered() {
        return Edges.covered();
    }

    /** Whether the user has asked the system for dark colours. */
    public static boolean isDark() {
        Configuration now = EdgeActivity.current().getResources().getConfiguration();
        return (now.uiMode & Configuration.UI_MODE_NIGHT_MASK) == Configuration.UI_MODE_NIGHT_YES;
    }
}
