package android.net;

import android.os.Parcelable;

/** Scheme and authority as Android's own class finds them: by their first marks, whatever stands between. */
public final class Uri implements Parcelable {
    private final String text;

    private Uri(String text) {
        this.text = text;
    }

    public static Uri parse(String text) {
        return new Uri(text);
    }

    public String getScheme() {
        int end = text.indexOf(':');
        return end < 0 ? null : text.substring(0, end);
    }

    public String getAuthority() {
        int start = text.indexOf("://");
        if (start < 0 || start != text.indexOf(':')) return null;
        int end = start + 3;
        while (end < text.length() && "/\\?#".indexOf(text.charAt(end)) < 0) end++;
        return text.substring(start + 3, end);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Uri && text.equals(other.toString());
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    @Override
    public String toString() {
        return text;
    }
}
