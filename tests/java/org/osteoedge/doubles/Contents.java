package org.osteoedge.doubles;

import android.content.res.AssetFileDescriptor;
import android.database.Cursor;
import android.os.ParcelFileDescriptor;
import java.io.FileNotFoundException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What the other apps have. */
public final class Contents {
    private static final Map<String, Contents> ALL = new ConcurrentHashMap<>();

    private final String name;
    private final long size;
    private final AssetFileDescriptor source;
    private final String refusal;

    private Contents(String name, long size, AssetFileDescriptor source, String refusal) {
        this.name = name;
        this.size = size;
        this.source = source;
        this.refusal = refusal;
    }

    /** Bytes that come from a descriptor; `failure` is told at their end. */
    public static void put(
            String uri, String name, long size, int descriptor, long start, long length, String failure) {
        ParcelFileDescriptor file = new ParcelFileDescriptor(descriptor, failure);
        ALL.put(uri, new Contents(name, size, new AssetFileDescriptor(file, start, length), ""));
    }

    /** What cannot be opened: "null", or the name of an exception. */
    public static void refuse(String uri, String refusal) {
        ALL.put(uri, new Contents(null, -1, null, refusal));
    }

    public static AssetFileDescriptor open(String uri) throws FileNotFoundException {
        Contents content = ALL.get(uri);
        if (content == null) throw new FileNotFoundException("No content provider: " + uri);
        switch (content.refusal) {
            case "SecurityException":
                throw new SecurityException("Permission Denial: reading " + uri);
            case "IllegalStateException":
                throw new IllegalStateException("the other app has failed");
            default:
                return content.source;
        }
    }

    public static Cursor describe(String uri, String[] columns) {
        Contents content = ALL.get(uri);
        if (content.name == null) return null;
        if (content.name.equals("UnsupportedOperationException")) throw new UnsupportedOperationException();
        return new Row(content, columns);
    }

    private static final class Row implements Cursor {
        private final Contents content;
        private final String[] columns;

        Row(Contents content, String[] columns) {
            this.content = content;
            this.columns = columns;
        }

        @Override
        public boolean moveToFirst() {
            return true;
        }

        @Override
        public int getColumnIndex(String column) {
            return java.util.Arrays.asList(columns).indexOf(column);
        }

        @Override
        public boolean isNull(int column) {
            return columns[column].equals("_size") && content.size < 0;
        }

        @Override
        public String getString(int column) {
            return content.name;
        }

        @Override
        public long getLong(int column) {
            return content.size;
        }

        @Override
        public void close() {}
    }
}
