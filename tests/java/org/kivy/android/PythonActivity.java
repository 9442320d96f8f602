package org.kivy.android;

import android.app.Activity;
import android.content.Intent;
import android.os.Bundle;
import android.view.SurfaceView;
import android.view.View;
import android.view.ViewGroup;
import org.osteoedge.doubles.Device;

/** As python-for-android's, with no listeners: what comes is dropped. */
public class PythonActivity extends Activity {
    public static PythonActivity mActivity = null;

    private static ViewGroup layout = null;
    private static SurfaceView surface = null;

    public static ViewGroup getLayout() {
        return layout;
    }

    public static SurfaceView getSurface() {
        return surface;
    }

    /** What the real one does when its files are unpacked. */
    public void finishLoad() {
        surface = new SurfaceView();
        layout = new ViewGroup();
        setContentView(layout);
    }

    @Override
    protected void onCreate(Bundle saved) {
        Device.note("PythonActivity sees " + getIntent().getAction() + " of " + getIntent().getData());
        super.onCreate(saved);
        mActivity = this;
        setContentView(new View());
    }

    @Override
    protected void onNewIntent(Intent intent) {
        Device.note("PythonActivity dropped an intent");
    }

    @Override
    protected void onActivityResult(int request, int result, Intent intent) {
        Device.note("PythonActivity dropped a result");
    }
}
