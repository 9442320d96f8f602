package org.osteoedge.doubles;

import android.app.Activity;
import android.content.ActivityNotFoundException;
import android.content.Intent;
import android.content.res.Configuration;
import android.graphics.Insets;
import android.os.Bundle;
import android.view.View;
import android.view.WindowInsets;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import org.kivy.android.PythonActivity;

/** A device with one thread for its windows, which notes what is asked of it. */
public final class Device {
    public static final String PACKAGE = "org.osteoedge.osteoedge";

    private static final ExecutorService ITS_THREAD = Executors.newSingleThreadExecutor(Device::thread);
    private static final LinkedBlockingQueue<Intent> STARTED = new LinkedBlockingQueue<>();
    private static final List<String> NOTES = new ArrayList<>();
    private static final Set<String> MISSING = new HashSet<>();
    private static final Set<String> FORBIDDEN = new HashSet<>();
    private static Thread itsThread;
    private static Activity activity;

    private Device() {}

    private static Thread thread(Runnable work) {
        itsThread = new Thread(work, "its thread");
        itsThread.setDaemon(true);
        return itsThread;
    }

    // What the doubles of Android's classes say.

    public static synchronized void note(String line) {
        NOTES.add(line);
    }

    public static void requireItsThread() {
        if (Thread.currentThread() != itsThread) throw new IllegalStateException("on the wrong thread");
    }

    public static void onItsThread(Runnable work) {
        if (Thread.currentThread() == itsThread) work.run();
        else later(work);
    }

    public static void later(Runnable work) {
        ITS_THREAD.execute(work);
    }

    public static void start(Intent intent, int request) {
        requireItsThread();
        if (MISSING.contains(intent.getAction())) throw new ActivityNotFoundException();
        if (FORBIDDEN.contains(intent.getAction())) throw new SecurityException("requires android.permission.CAMERA");
        STARTED.add(intent);
    }

    // What the tests do.

    /** Start the app: anew, or as it was when the system ended it. */
    public static void open(Intent intent, boolean wasEnded) throws Exception {
        Constructor<?> constructor = Class.forName("org.osteoedge.app.EdgeActivity").getConstructor();
        activity = (Activity) constructor.newInstance();
        activity.setIntent(intent);
        call("onCreate", new Class<?>[] {Bundle.class}, wasEnded ? new Bundle() : null);
    }

    public static void newIntent(Intent intent) throws Exception {
        call("onNewIntent", new Class<?>[] {Intent.class}, intent);
    }

    public static void answer(int request, int result, Intent data) throws Exception {
        call("onActivityResult", new Class<?>[] {int.class, int.class, Intent.class}, request, result, data);
    }

    public static void turnDark(boolean dark) throws Exception {
        Configuration now = activity.getResources().getConfiguration();
        now.uiMode = dark ? Configuration.UI_MODE_NIGHT_YES | 1 : Configuration.UI_MODE_NIGHT_NO | 1;
        call("onConfigurationChanged", new Class<?>[] {Configuration.class}, now);
    }

    /** The whole window and the app's own view in it: left, top, right, bottom. */
    public static void lay(int[] whole, int[] shown) throws Exception {
        if (PythonActivity.getLayout() == null) wait(() -> PythonActivity.mActivity.finishLoad());
        wait(() -> PythonActivity.getLayout().layout(shown[0], shown[1], shown[2], shown[3]));
        wait(() -> activity.getWindow().getDecorView().layout(whole[0], whole[1], whole[2], whole[3]));
    }

    public static void cover(int[] bars, int[] cutout, int[] keyboard) throws Exception {
        View whole = activity.getWindow().getDecorView();
        wait(() -> whole.dispatchApplyWindowInsets(new WindowInsets(of(bars), of(cutout), of(keyboard))));
        wait(() -> {});
    }

    public static void remove(String action) {
        MISSING.add(action);
    }

    public static void forbid(String action) {
        FORBIDDEN.add(action);
    }

    public static void allowAll() {
        MISSING.clear();
        FORBIDDEN.clear();
    }

    public static Intent started() throws InterruptedException {
        return STARTED.take();
    }

    public static int startedCount() throws Exception {
        wait(() -> {});
        return STARTED.size();
    }

    public static synchronized String[] notes() throws Exception {
        String[] notes = NOTES.toArray(new String[0]);
        NOTES.clear();
        return notes;
    }

    public static void settle() throws Exception {
        wait(() -> {});
    }

    private static Insets of(int[] edges) {
        return Insets.of(edges[0], edges[1], edges[2], edges[3]);
    }

    private static void wait(Runnable work) throws Exception {
        ITS_THREAD.submit(work).get();
    }

    private static void call(String name, Class<?>[] types, Object... values) throws Exception {
        ITS_THREAD.submit(
                        () -> {
                            Method method = activity.getClass().getDeclaredMethod(name, types);
                            method.setAccessible(true);
                            try {
                                method.invoke(activity, values);
                            } catch (InvocationTargetException error) {
                                throw (Exception) error.getCause();
                            }
                            return null;
                        })
                .get();
    }
}
