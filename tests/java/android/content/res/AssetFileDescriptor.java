package android.content.res;

import android.os.ParcelFileDescriptor;
import android.os.Parcelable;
import java.io.Closeable;
import java.io.IOException;

public class AssetFileDescriptor implements Parcelable, Closeable {
    private final ParcelFileDescriptor source;
    private final long start;
    private final long length;

    public AssetFileDescriptor(ParcelFileDescriptor source, long start, long length) {
        this.source = source;
        this.start = start;
        this.length = length;
    }

    public ParcelFileDescriptor getParcelFileDescriptor() {
        return source;
    }

    public long getStartOffset() {
        return start;
    }

    public long getDeclaredLength() {
        return length;
    }

    @Override
    public void close() throws IOException {
        source.close();
    }
}
