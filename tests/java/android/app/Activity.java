package android.app;

import android.content.ComponentName;
import android.content.Context;
import android.content.Intent;
import android.content.res.Configuration;
import android.os.Bundle;
import android.view.View;
import android.view.Window;
import org.osteoedge.doubles.Device;

public class Activity extends Context {
    public static final int RESULT_OK = -1;
    public static final int RESULT_CANCELED = 0;

    private final Window window = new Window();
    private Intent intent;

    protected void onCreate(Bundle saved) {}

    protected void onNewIntent(Intent intent) {}

    protected void onActivityResult(int request, int result, Intent data) {}

    public void onConfigurationChanged(Configuration now) {}

    public void setContentView(View view) {
        Device.note("content " + view.getClass().getSimpleName());
    }

    public Intent getIntent() {
        return intent;
    }

    public void setIntent(Intent intent) {
        this.intent = intent;
    }

    public Window getWindow() {
        return window;
    }

    public ComponentName getComponentName() {
        return new ComponentName(Device.PACKAGE, getClass().getName());
    }

    public boolean isDestroyed() {
        return false;
    }

    public final void runOnUiThread(Runnable action) {
        Device.onItsThread(action);
    }

    public void startActivityForResult(Intent intent, int request) {
        Device.start(intent, request);
    }
}
