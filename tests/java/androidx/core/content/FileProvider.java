package androidx.core.content;

import android.content.Context;
import android.net.Uri;
import java.io.File;
import org.osteoedge.doubles.Device;

/** With the two folders of the app's shared_files.xml; the name of a folder there is that of its path. */
public class FileProvider {
    public static Uri getUriForFile(Context context, String authority, File file) {
        if (!authority.equals(Device.PACKAGE + ".files")) {
            throw new IllegalArgumentException("Couldn't find meta-data for provider with authority " + authority);
        }
        for (String folder : new String[] {"photos", "sending"}) {
            File root = new File(context.getCacheDir(), folder);
            if (file.getParentFile().equals(root)) {
                return Uri.parse("content://" + authority + "/" + folder + "/" + file.getName());
            }
        }
        throw new IllegalArgumentException("Failed to find configured root that contains " + file);
    }
}
