package org.osteoedge.app;

import android.content.ActivityNotFoundException;
import android.content.Intent;
import android.content.res.Configuration;
import android.os.Build;
import android.os.Bundle;
import android.view.View;
import org.kivy.android.PythonActivity;

/**
 * The app's activity: keeps what the system tells until Python takes it.
 *
 * <p>PythonActivity drops every result and every new intent that comes before Python listens: whatever the user chose
 * while the process was ended behind a picker or the camera, and what is shared with an app that has to start first.
 * Python takes what is kept here on a thread of its own, so none of it runs on the system's thread.
 */
public final class EdgeActivity extends PythonActivity {
    private static volatile EdgeActivity current;

    static EdgeActivity current() {
        EdgeActivity activity = current;
        if (activity == null) throw new IllegalStateException("the activity has not been made");
        return activity;
    }

    /** Start the first of these that the device has an app for; what it answers is told with `request`. */
    static void ask(final int request, final Intent... choices) {
        final EdgeActivity activity = current();
        activity.runOnUiThread(() -> tryEach(activity, request, choices));
    }

    private static void tryEach(EdgeActivity activity, int request, Intent[] choices) {
        RuntimeException problem = new ActivityNotFoundException();
        for (Intent choice : choices) {
            try {
                activity.startActivityForResult(choice, request);
                return;
            } catch (ActivityNotFoundException missing) {
                problem = missing;
            } catch (RuntimeException refused) { // such as a SecurityException, where the owner's policy forbids it
                problem = refused;
                break;
            }
        }
        Told.tell(Told.failed(request, problem));
    }

    @Override
    protected void onCreate(Bundle saved) {
        current = this;
        Intent started = getIntent();
        if (saved == null && started != null && !isOld(started)) {
            Told.start(started);
        }
        // Not for PythonActivity, which would run any folder that an org.kivy.LAUNCH names, nor for SDL, which would
        // hand on any path.
        setIntent(new Intent(Intent.ACTION_MAIN));
        super.onCreate(saved);
        new Edges(this).watch();
    }

    @Override
    public void setContentView(View view) {
        // Up to Android 11 the window's FLAG_SECURE does not cover the surface in it, which has to be told before it is
        // shown, once and for all screens.
        if (Build.VERSION.SDK_INT < 31 && getSurface() != null) getSurface().setSecure(true);
        super.setContentView(view);
    }

    @Override
    protected void onNewIntent(Intent intent) {
        Told.share(intent);
        super.onNewIntent(intent);
    }

    @Override
    protected void onActivityResult(int request, int result, Intent data) {
        Told.tell(Told.answered(request, result == RESULT_OK, data));
        super.onActivityResult(request, result, data);
    }

    @Override
    public void onConfigurationChanged(Configuration now) {
        super.onConfigurationChanged(now);
        Told.tell(Told.changed());
    }

    /** Whether an intent comes from the list of recent apps: it was obeyed when it was new. */
    private static boolean isOld(Intent intent) {
        return (intent.getFlags() & Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY) != 0;
    }
}
