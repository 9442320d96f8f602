package android.content;

import android.content.res.AssetFileDescriptor;
import android.database.Cursor;
import android.net.Uri;
import java.io.FileNotFoundException;
import org.osteoedge.doubles.Contents;

public class ContentResolver {
    public static final String SCHEME_CONTENT = "content";

    public final AssetFileDescriptor openAssetFileDescriptor(Uri uri, String mode) throws FileNotFoundException {
        if (!mode.equals("r")) throw new IllegalArgumentException("Bad mode: " + mode);
        return Contents.open(uri.toString());
    }

    public final Cursor query(Uri uri, String[] columns, String selection, String[] arguments, String order) {
        return Contents.describe(uri.toString(), columns);
    }
}
