package android.os.ext;

import android.os.Build;

public class SdkExtensions {
    private static int version = 0;

    public static int getExtensionVersion(int extension) {
        if (Build.VERSION.SDK_INT < 30) throw new NoClassDefFoundError("needs Android 30");
        return extension == 30 ? version : 0;
    }

    public static void set(int version) {
        SdkExtensions.version = version;
    }
}
