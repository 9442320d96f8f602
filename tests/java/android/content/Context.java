package android.content;

import android.content.res.Resources;
import android.net.Uri;
import android.view.accessibility.AccessibilityManager;
import java.io.File;
import org.osteoedge.doubles.Device;

public class Context {
    public static final String ACCESSIBILITY_SERVICE = "accessibility";

    private final Resources resources = new Resources();
    private final ContentResolver resolver = new ContentResolver();

    public File getCacheDir() {
        return new File(System.getProperty("cache"));
    }

    public String getPackageName() {
        return Device.PACKAGE;
    }

    public Resources getResources() {
        return resources;
    }

    public ContentResolver getContentResolver() {
        return resolver;
    }

    public Object getSystemService(String name) {
        return name.equals(ACCESSIBILITY_SERVICE) ? AccessibilityManager.ONLY : null;
    }

    public void revokeUriPermission(Uri uri, int flags) {
        Device.note("revoke " + uri + " " + flags);
    }
}
