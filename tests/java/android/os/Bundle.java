package android.os;

import java.util.HashMap;
import java.util.Map;

/** The value `UNKNOWN` stands for what another app has made of a class that this one has not. */
public final class Bundle implements Parcelable {
    public static final Object UNKNOWN = new Object();

    private final Map<String, Object> values = new HashMap<>();

    public Object get(String key) {
        if (values.containsValue(UNKNOWN)) throw new BadParcelableException("ClassNotFoundException when unmarshalling");
        return values.get(key);
    }

    public static Bundle holding(Map<String, Object> values) {
        Bundle bundle = new Bundle();
        bundle.values.putAll(values);
        return bundle;
    }
}
