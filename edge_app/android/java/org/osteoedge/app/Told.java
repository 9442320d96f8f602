package org.osteoedge.app;

import android.content.ClipData;
import android.content.Intent;
import android.net.Uri;
import android.os.Bundle;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.LinkedBlockingQueue;

/** One thing that the system has told, as Python takes it: plain values, nothing of another app's making. */
public final class Told {
    public static final int SHARED = 1;
    public static final int ANSWERED = 2;
    public static final int FAILED = 3;
    public static final int CHANGED = 4;

    private static final String TEST_EXTRA = "osteo_edge_test";
    private static final LinkedBlockingQueue<Told> WAITING = new LinkedBlockingQueue<>();
    private static volatile boolean isTestWanted;

    public final int kind;
    /** Which question is answered. */
    public final int request;
    /** Whether the user has chosen something. */
    public final boolean accepted;
    /** What was chosen or shared. */
    public final String[] uris;
    /** The exception that hindered it. */
    public final String problem;

    private Told(int kind, int request, boolean accepted, String[] uris, String problem) {
        this.kind = kind;
        this.request = request;
        this.accepted = accepted;
        this.uris = uris;
        this.problem = problem;
    }

    /** Wait for the next thing that the system tells. */
    public static Told take() throws InterruptedException {
        return WAITING.take();
    }

    /** Whether the intent that started the app asks for the built-in test. */
    public static boolean isTestWanted() {
        return isTestWanted;
    }

    static void tell(Told told) {
        WAITING.add(told);
    }

    /** Tell what the app is started with. */
    static void start(Intent intent) {
        try {
            isTestWanted = intent.getBooleanExtra(TEST_EXTRA, false);
        } catch (RuntimeException hostile) { // extras of a class that nobody has
            isTestWanted = false;
        }
        share(intent);
    }

    /** Tell what another app shares. */
    static void share(Intent intent) {
        String action = intent.getAction();
        if (Intent.ACTION_SEND.equals(action)
                || Intent.ACTION_SEND_MULTIPLE.equals(action)
                || Intent.ACTION_VIEW.equals(action)) {
            tell(new Told(SHARED, 0, true, urisOf(intent), ""));
        }
    }

    static Told answered(int request, boolean accepted, Intent data) {
        return new Told(ANSWERED, request, accepted, urisOf(data), "");
    }

    static Told failed(int request, RuntimeException problem) {
        return new Told(FAILED, request, false, new String[0], problem.getClass().getName());
    }

    static Told changed() {
        return new Told(CHANGED, 0, false, new String[0], "");
    }

    private static String[] urisOf(Intent intent) {
        Set<String> uris = new LinkedHashSet<>();
        if (intent != null) {
            try {
                add(uris, intent.getData());
                addExtra(uris, intent.getExtras());
                addClip(uris, intent.getClipData());
            } catch (RuntimeException hostile) { // extras of a class that nobody has: what stands beside them counts
                return uris.toArray(new String[0]);
            }
        }
        return uris.toArray(new String[0]);
    }

    private static void addExtra(Set<String> uris, Bundle extras) {
        Object stream = extras == null ? null : extras.get(Intent.EXTRA_STREAM);
        if (stream instanceof List) {
            for (Object one : (List<?>) stream) add(uris, one);
        } else {
            add(uris, stream);
        }
    }

    private static void addClip(Set<String> uris, ClipData clip) {
        for (int at = 0; clip != null && at < clip.getItemCount(); at++) {
            add(uris, clip.getItemAt(at).getUri());
        }
    }

    private static void add(Set<String> uris, Object one) {
        if (one instanceof Uri) uris.add(one.toString());
    }
}
