package android.os;

import java.io.Closeable;
import java.io.IOException;

public class ParcelFileDescriptor implements Parcelable, Closeable {
    private final int number;
    private final String failure;
    private boolean isClosed;

    /** `failure` is what the other side tells at the end, null if all went well. */
    public ParcelFileDescriptor(int number, String failure) {
        this.number = number;
        this.failure = failure;
    }

    public int getFd() {
        if (isClosed) throw new IllegalStateException("Already closed");
        return number;
    }

    public void checkError() throws IOException {
        if (isClosed) throw new IllegalStateException("Already closed");
        if (failure != null) throw new IOException(failure);
    }

    @Override
    public void close() throws IOException {
        isClosed = true;
    }
}
