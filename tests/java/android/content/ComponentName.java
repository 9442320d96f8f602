package android.content;

import android.os.Parcelable;

public final class ComponentName implements Parcelable {
    private final String owner;
    private final String name;

    public ComponentName(String owner, String name) {
        this.owner = owner;
        this.name = name;
    }

    public String flattenToString() {
        return owner + "/" + name;
    }
}
