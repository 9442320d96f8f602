package android.view;

import android.graphics.Insets;
import android.os.Build;

/** Has of each API level only what is there; the old system insets are those of the bars and the keyboard. */
public final class WindowInsets {
    private final Insets bars;
    private final Insets cutout;
    private final Insets keyboard;

    public WindowInsets(Insets bars, Insets cutout, Insets keyboard) {
        this.bars = bars;
        this.cutout = cutout;
        this.keyboard = keyboard;
    }

    public Insets getInsets(int types) {
        require(30);
        Insets none = Insets.of(0, 0, 0, 0);
        Insets inner = Insets.max((types & Type.systemBars()) != 0 ? bars : none, none);
        inner = Insets.max((types & Type.displayCutout()) != 0 ? cutout : none, inner);
        return Insets.max((types & Type.ime()) != 0 ? keyboard : none, inner);
    }

    public DisplayCutout getDisplayCutout() {
        require(28);
        return cutout == null ? null : new DisplayCutout(cutout);
    }

    public int getSystemWindowInsetLeft() {
        return Insets.max(bars, keyboard).left;
    }

    public int getSystemWindowInsetTop() {
        return Insets.max(bars, keyboard).top;
    }

    public int getSystemWindowInsetRight() {
        return Insets.max(bars, keyboard).right;
    }

    public int getSystemWindowInsetBottom() {
        return Insets.max(bars, keyboard).bottom;
    }

    private static void require(int level) {
        if (Build.VERSION.SDK_INT < level) throw new NoSuchMethodError("needs Android " + level);
    }

    public static final class Type {
        private Type() {}

        public static int systemBars() {
            return 7;
        }

        public static int ime() {
            return 8;
        }

        public static int displayCutout() {
            return 128;
        }
    }
}
