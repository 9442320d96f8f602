package android.view;

import org.osteoedge.doubles.Device;

public class Window {
    private final View decor = new View();
    private int flags;

    public View getDecorView() {
        return decor;
    }

    public void setFlags(int flags, int mask) {
        Device.requireItsThread();
        this.flags = this.flags & ~mask | flags & mask;
        Device.note("window flags " + this.flags);
    }
}
