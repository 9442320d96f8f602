package org.osteoedge.app;

import android.app.Activity;
import android.content.ClipData;
import android.content.ComponentName;
import android.content.Intent;
import android.net.Uri;
import android.os.Build;
import android.os.ext.SdkExtensions;
import android.provider.MediaStore;
import androidx.core.content.FileProvider;
import java.io.File;

/** What the system and its apps are asked for. Each answer is told with the number of its request. */
public final class Asking {
    private static final int READ = Intent.FLAG_GRANT_READ_URI_PERMISSION;
    private static final int WRITE = Intent.FLAG_GRANT_WRITE_URI_PERMISSION;

    private Asking() {}

    /** Whose folders photos and sending other apps can be given files of. */
    public static String folder() {
        return EdgeActivity.current().getCacheDir().getAbsolutePath();
    }

    /** Let the user choose a picture: in the photo picker where there is one, else among the documents. */
    public static void picture(int request) {
        Intent document = document("image/*");
        if (hasPhotoPicker()) {
            Intent picker = new Intent(MediaStore.ACTION_PICK_IMAGES);
            picker.setType("image/*");
            EdgeActivity.ask(request, picker, document);
        } else {
            EdgeActivity.ask(request, document);
        }
    }

    /** Let the user choose any document: DICOM files rarely have a type of their own. */
    public static void document(int request) {
        EdgeActivity.ask(request, document("*" + "/*"));
    }

    /** Let the camera app write a photo to a file in cache/photos. */
    public static void photo(int request, String path) {
        Uri target = uriOf(path);
        Intent camera = new Intent(MediaStore.ACTION_IMAGE_CAPTURE);
        camera.putExtra(MediaStore.EXTRA_OUTPUT, target);
        grant(camera, target, READ | WRITE);
        EdgeActivity.ask(request, camera);
    }

    /** Let nobody write to that file any more. */
    public static void endPhoto(String path) {
        EdgeActivity.current().revokeUriPermission(uriOf(path), READ | WRITE);
    }

    /** Offer a file in cache/sending to the other apps. */
    public static void send(int request, String path, String type) {
        Uri file = uriOf(path);
        Intent sending = new Intent(Intent.ACTION_SEND);
        sending.setType(type);
        sending.putExtra(Intent.EXTRA_STREAM, file);
        grant(sending, file, READ);
        Intent chooser = Intent.createChooser(sending, null);
        ComponentName own = EdgeActivity.current().getComponentName();
        chooser.putExtra(Intent.EXTRA_EXCLUDE_COMPONENTS, new ComponentName[] {own});
        EdgeActivity.ask(request, chooser);
    }

    private static Intent document(String type) {
        Intent document = new Intent(Intent.ACTION_OPEN_DOCUMENT);
        document.addCategory(Intent.CATEGORY_OPENABLE);
        document.setType(type);
        return document;
    }

    /** As androidx's PickVisualMedia decides; an update of the system brought it to Android 11 and 12. */
    private static boolean hasPhotoPicker() {
        return Build.VERSION.SDK_INT >= 33
                || Build.VERSION.SDK_INT >= 30 && SdkExtensions.getExtensionVersion(30) >= 2;
    }

    private static void grant(Intent intent, Uri uri, int flags) {
        intent.setClipData(ClipData.newRawUri("", uri)); // a grant counts for what is in the clip, not for extras
        intent.addFlags(flags);
    }

    private static Uri uriOf(String path) {
        Activity activity = EdgeActivity.current();
        return FileProvider.getUriForFile(activity, activity.getPackageName() + ".files", new File(path));
    }
}
