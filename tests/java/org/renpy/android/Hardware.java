package org.renpy.android;

/** What Kivy asks about the screen: one of 160 dots to the inch. */
public final class Hardware {
    public static final Metrics metrics = new Metrics();

    private Hardware() {}

    public static int getDPI() {
        return 160;
    }

    public static final class Metrics {
        public float density = 1;
        public float scaledDensity = 1;
    }
}
