package android.content;

import android.net.Uri;
import android.os.Bundle;
import android.os.Parcelable;
import java.util.LinkedHashSet;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

public class Intent implements Parcelable {
    public static final String ACTION_MAIN = "android.intent.action.MAIN";
    public static final String ACTION_VIEW = "android.intent.action.VIEW";
    public static final String ACTION_SEND = "android.intent.action.SEND";
    public static final String ACTION_SEND_MULTIPLE = "android.intent.action.SEND_MULTIPLE";
    public static final String ACTION_OPEN_DOCUMENT = "android.intent.action.OPEN_DOCUMENT";
    public static final String ACTION_CHOOSER = "android.intent.action.CHOOSER";
    public static final String CATEGORY_OPENABLE = "android.intent.category.OPENABLE";
    public static final String EXTRA_STREAM = "android.intent.extra.STREAM";
    public static final String EXTRA_INTENT = "android.intent.extra.INTENT";
    public static final String EXTRA_EXCLUDE_COMPONENTS = "android.intent.extra.EXCLUDE_COMPONENTS";
    public static final int FLAG_GRANT_READ_URI_PERMISSION = 0x1;
    public static final int FLAG_GRANT_WRITE_URI_PERMISSION = 0x2;
    public static final int FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY = 0x00100000;

    private final Map<String, Object> extras = new HashMap<>();
    private final Set<String> categories = new LinkedHashSet<>();
    private String action;
    private String type;
    private Uri data;
    private ClipData clip;
    private int flags;

    public Intent() {}

    public Intent(String action) {
        this.action = action;
    }

    public static Intent createChooser(Intent target, CharSequence title) {
        Intent chooser = new Intent(ACTION_CHOOSER);
        chooser.putExtra(EXTRA_INTENT, target);
        chooser.addFlags(target.flags & (FLAG_GRANT_READ_URI_PERMISSION | FLAG_GRANT_WRITE_URI_PERMISSION));
        chooser.setClipData(target.clip);
        return chooser;
    }

    public String getAction() {
        return action;
    }

    public Intent setType(String type) {
        this.type = type;
        return this;
    }

    public String getType() {
        return type;
    }

    public Intent setData(Uri data) {
        this.data = data;
        return this;
    }

    public Uri getData() {
        return data;
    }

    public void setClipData(ClipData clip) {
        this.clip = clip;
    }

    public ClipData getClipData() {
        return clip;
    }

    public Intent addFlags(int flags) {
        this.flags |= flags;
        return this;
    }

    public int getFlags() {
        return flags;
    }

    public Intent addCategory(String category) {
        categories.add(category);
        return this;
    }

    public Set<String> getCategories() {
        return categories.isEmpty() ? null : categories;
    }

    public Intent putExtra(String name, boolean value) {
        return put(name, value);
    }

    public Intent putExtra(String name, String value) {
        return put(name, value);
    }

    public Intent putExtra(String name, Parcelable value) {
        return put(name, value);
    }

    public Intent putExtra(String name, Parcelable[] value) {
        return put(name, value);
    }

    /** Whatever another app may have put there, such as a list, or `Bundle.UNKNOWN`. */
    public Intent put(String name, Object value) {
        extras.put(name, value);
        return this;
    }

    public boolean getBooleanExtra(String name, boolean otherwise) {
        Object value = extras.isEmpty() ? null : getExtras().get(name);
        return value instanceof Boolean ? (Boolean) value : otherwise;
    }

    public Bundle getExtras() {
        return extras.isEmpty() ? null : Bundle.holding(extras);
    }
}
