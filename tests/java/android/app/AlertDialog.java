package android.app;

import android.content.Context;
import android.content.DialogInterface;
import org.osteoedge.doubles.Device;

/** Is noted when it is shown, and closed at once. */
public class AlertDialog implements DialogInterface {
    private AlertDialog() {}

    public static class Builder {
        private CharSequence title;
        private CharSequence message;
        private CharSequence button;
        private boolean isCancelable = true;
        private OnDismissListener onDismiss;

        public Builder(Context context) {}

        public Builder setTitle(CharSequence title) {
            this.title = title;
            return this;
        }

        public Builder setMessage(CharSequence message) {
            this.message = message;
            return this;
        }

        public Builder setCancelable(boolean cancelable) {
            isCancelable = cancelable;
            return this;
        }

        public Builder setPositiveButton(CharSequence text, OnClickListener listener) {
            button = text;
            return this;
        }

        public Builder setOnDismissListener(OnDismissListener listener) {
            onDismiss = listener;
            return this;
        }

        public AlertDialog show() {
            Device.requireItsThread();
            AlertDialog dialog = new AlertDialog();
            Device.note("dialog " + title + "|" + message + "|" + button + "|" + isCancelable);
            if (onDismiss != null) onDismiss.onDismiss(dialog);
            return dialog;
        }
    }
}
