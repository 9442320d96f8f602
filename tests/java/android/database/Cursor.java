package android.database;

import java.io.Closeable;

public interface Cursor extends Closeable {
    boolean moveToFirst();

    int getColumnIndex(String column);

    boolean isNull(int column);

    String getString(int column);

    long getLong(int column);

    @Override
    void close();
}
