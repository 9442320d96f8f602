package org.osteoedge.app;

import android.app.Activity;
import android.content.ContentResolver;
import android.content.res.AssetFileDescriptor;
import android.database.Cursor;
import android.net.Uri;
import android.provider.OpenableColumns;
import java.io.FileNotFoundException;
import java.io.IOException;

/**
 * A content of another app that is open for reading.
 *
 * <p>What is done with one is static: pyjnius keeps the object of a method call where every thread changes it
 * (kivy/pyjnius#563).
 */
public final class Opened {
    /** What the other app calls it, and how many bytes it says that it has; null and -1 where it does not say. */
    public final String name;
    public final long size;
    /** Where the bytes come from, which of them is the first, and how many there are; -1 if it is not known. */
    public final int descriptor;
    public final long start;
    public final long length;

    private final AssetFileDescriptor source;

    private Opened(AssetFileDescriptor source, String name, long size) {
        this.source = source;
        this.name = name;
        this.size = size;
        this.descriptor = source.getParcelFileDescriptor().getFd();
        this.start = source.getStartOffset();
        this.length = source.getDeclaredLength();
    }

    /** Open a content; blocks for as long as the other app takes to have it. */
    public static Opened open(String text) throws IOException {
        Uri uri = Uri.parse(text);
        ContentResolver resolver = EdgeActivity.current().getContentResolver();
        AssetFileDescriptor source = resolver.openAssetFileDescriptor(uri, "r");
        if (source == null) throw new FileNotFoundException("the other app has nothing there");
        Object[] about = about(resolver, uri);
        return new Opened(source, (String) about[0], (Long) about[1]);
    }

    /** Whether this is a content, and of another app: files by their path, and our own, nobody may name to us. */
    public static boolean isForeign(String text) {
        Uri uri = Uri.parse(text);
        String authority = uri.getAuthority();
        if (!ContentResolver.SCHEME_CONTENT.equals(uri.getScheme()) || authority == null) return false;
        Activity activity = EdgeActivity.current();
        String provider = authority.substring(authority.lastIndexOf('@') + 1); // before it may stand a user
        return !(provider + ".").startsWith(activity.getPackageName() + ".");
    }

    /** Tell, at the end of the bytes, whether the other app has failed: to the reader it looks as if that were all. */
    public static void check(Opened content) throws IOException {
        content.source.getParcelFileDescriptor().checkError();
    }

    public static void close(Opened content) throws IOException {
        content.source.close();
    }

    private static Object[] about(ContentResolver resolver, Uri uri) {
        String[] columns = {OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE};
        try (Cursor row = resolver.query(uri, columns, null, null, null)) {
            if (row == null || !row.moveToFirst()) return new Object[] {null, -1L};
            int name = row.getColumnIndex(OpenableColumns.DISPLAY_NAME);
            int size = row.getColumnIndex(OpenableColumns.SIZE);
            return new Object[] {
                name < 0 ? null : row.getString(name), size < 0 || row.isNull(size) ? -1L : row.getLong(size)
            };
        } catch (RuntimeException unwilling) { // many open what they do not describe
            return new Object[] {null, -1L};
        }
    }
}
