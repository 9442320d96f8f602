package org.osteoedge.app;

import android.app.Activity;
import android.app.AlertDialog;
import android.util.Log;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A message in a dialog of the system's own, for when the app's window cannot be had, or is closed already. */
public final class FailureMessage {
    private static final long LOOK_EVERY_MS = 200;

    private FailureMessage() {}

    /**
     * Show a message and wait until the user has closed it, or the activity has ended.
     *
     * @return whether it was shown
     */
    public static boolean show(final String title, final String text, final String button)
            throws InterruptedException {
        final Activity activity = EdgeActivity.current();
        final CountDownLatch closed = new CountDownLatch(1);
        final boolean[] refused = {false};
        activity.runOnUiThread(
                () -> {
                    try {
                        new AlertDialog.Builder(activity)
                                .setTitle(title)
                                .setMessage(text)
                                .setCancelable(false)
                                .setPositiveButton(button, null)
                                .setOnDismissListener(dialog -> closed.countDown())
                                .show();
                    } catch (RuntimeException error) { // such as BadTokenException: the activity is ending
                        Log.e("osteo-edge", "a message could not be shown: " + error.getClass().getName());
                        refused[0] = true;
                        closed.countDown();
                    }
                });
        while (!closed.await(LOOK_EVERY_MS, TimeUnit.MILLISECONDS)) {
            if (activity.isDestroyed()) return true;
        }
        return !refused[0];
    }
}
