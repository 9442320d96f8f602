package android.view;

import org.osteoedge.doubles.Device;

public class SurfaceView extends View {
    public void setSecure(boolean secure) {
        Device.note("surface secure " + secure);
    }
}
