/* Counts the calls that change the disk below one folder, and makes one of them fail: tests/faults/shim.py.

   Preloaded (LD_PRELOAD), it stands between a program and the C library, so SQLite is reached as Python is. It is for
   one thread. What a power cut would forget is known at any moment: the bytes that a file had when it was synced last,
   and the names that its folder had. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum mode { OFF, COUNT, ONCE, ALWAYS, TORN, SHORT, KILL, POWER };
enum part { NOTHING, HALF, WHOLE };
enum call { OPEN, WRITE, SYNC, NAME, REMOVE, SIZE };
static const char *const CALLS[] = {"open", "write", "sync", "name", "remove", "size"};

static enum mode mode = OFF;
static enum part part = NOTHING;
static long count = 0, at = 0;
static int number = 0, keeps = 0;
static unsigned long long chance = 1;
static long clock_offset = 0;
static char root[PATH_MAX], stash[PATH_MAX], *trace = NULL;
static size_t root_length = 0, trace_length = 0;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) {
    void *found = dlsym(RTLD_NEXT, name);
    if (!found) { fprintf(stderr, "shim: no %s in the C library\n", name); _exit(99); }
    return found;
}

/* ---- where a call goes */

static int is_below(const char *path) {
    return root_length && !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, PATH_MAX - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return 1;
}

static int full_path(int folder, const char *name, char *path) {
    if (mode == OFF) return 0;
    if (name[0] == '/') return snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && is_below(path);
    char above[PATH_MAX];
    if (folder == AT_FDCWD ? !getcwd(above, sizeof above) : !path_of(folder, above)) return 0;
    return snprintf(path, PATH_MAX, "%s/%s", above, name) < PATH_MAX && is_below(path);
}

static int is_ours(int fd, char *path) { return mode != OFF && path_of(fd, path) && is_below(path); }

/* ---- what a power cut would forget */

struct content { dev_t device; ino_t inode; int fd; char *bytes; off_t size; int is_dirty; };
struct change { enum { MADE, REMOVED, RENAMED } what; char from[PATH_MAX], to[PATH_MAX], kept[PATH_MAX]; int is_live; };
static struct content *contents = NULL;
static struct change *changes = NULL;
static size_t contents_length = 0, changes_length = 0, stashed = 0;

static int is_recording(void) { return mode == POWER; }

static void note_content(int fd) {
    struct stat about;
    if (!is_recording() || fstat(fd, &about) || !S_ISREG(about.st_mode)) return;
    struct content *one = NULL;
    for (size_t i = 0; i < contents_length; i++)
        if (contents[i].inode == about.st_ino && contents[i].device == about.st_dev) one = &contents[i];
    if (one && one->is_dirty) return;
    if (!one) {
        char link[64];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        int own = REAL(open)(link, O_RDWR | O_CLOEXEC); /* never closed: that would drop SQLite's locks */
        if (own < 0) return;
        contents = realloc(contents, (contents_length + 1) * sizeof *contents);
        one = &contents[contents_length++];
        *one = (struct content){about.st_dev, about.st_ino, own, NULL, 0, 0};
    }
    free(one->bytes);
    one->bytes = malloc(about.st_size + 1);
    one->size = pread(one->fd, one->bytes, about.st_size, 0);
    one->is_dirty = 1;
}

static void forget_content(int fd) {
    struct stat about;
    if (fstat(fd, &about)) return;
    for (size_t i = 0; i < contents_length; i++)
        if (contents[i].inode == about.st_ino && contents[i].device == about.st_dev) contents[i].is_dirty = 0;
}

static void keep(const char *path, char *kept) {
    snprintf(kept, PATH_MAX, "%s/%zu", stash, stashed++);
    if (REAL(link)(path, kept)) kept[0] = 0;
}

static struct change *note_change(int what, const char *from, const char *to) {
    if (!is_recording()) return NULL;
    changes = realloc(changes, (changes_length + 1) * sizeof *changes);
    struct change *one = &changes[changes_length++];
    one->what = what, one->is_live = 1, one->kept[0] = 0;
    snprintf(one->from, PATH_MAX, "%s", from);
    snprintf(one->to, PATH_MAX, "%s", to);
    return one;
}

static int lies_in(const char *path, const char *folder) {
    const char *end = strrchr(path, '/');
    return end && strlen(folder) == (size_t)(end - path) && !strncmp(path, folder, end - path);
}

static void follow(char *path, const char *from, const char *to) {
    size_t length = strlen(from);
    char moved[PATH_MAX];
    if (strncmp(path, from, length) || (path[length] != '/' && path[length])) return;
    if (snprintf(moved, PATH_MAX, "%s%s", to, path + length) < PATH_MAX) strcpy(path, moved);
}

/* The names in a folder are on the disk; what is older and was renamed since goes by its new name. */
static void settle(const char *folder) {
    for (size_t i = 0; i < changes_length; i++) {
        struct change *one = &changes[i];
        if (!one->is_live || (folder && !lies_in(one->to, folder) && !lies_in(one->from, folder))) continue;
        one->is_live = 0;
        for (size_t before = 0; one->what == RENAMED && before < i; before++) {
            follow(changes[before].from, one->from, one->to);
            follow(changes[before].to, one->from, one->to);
        }
    }
}

static int coin(void) {
    chance = chance * 6364136223846793005ULL + 1442695040888963407ULL;
    return (chance >> 40) & 1;
}

/* Take back what was not synced: all of it, or by chance: any file's bytes, and the latest of the names. */
static void lose(void) {
    size_t kept_changes = 0;
    if (keeps) while (kept_changes < changes_length && coin() + coin()) kept_changes++;
    for (size_t i = 0; i < contents_length; i++) {
        struct content *one = &contents[i];
        if (!one->is_dirty || (keeps && coin())) continue;
        if (REAL(ftruncate)(one->fd, 0) || REAL(pwrite)(one->fd, one->bytes, one->size, 0) != one->size) _exit(98);
    }
    for (size_t i = changes_length; i-- > kept_changes;) {
        struct change *one = &changes[i];
        char away[PATH_MAX];
        if (!one->is_live) continue;
        snprintf(away, sizeof away, "%s/%zu", stash, stashed++);
        if (one->what == MADE) REAL(rename)(one->to, away);
        if (one->what == RENAMED) REAL(rename)(one->to, one->from);
        if (one->kept[0] == '/') REAL(link)(one->kept, one->to);
        else if (one->kept[0] == 'd') REAL(mkdir)(one->to, 0700);
    }
}

static void die(int code) {
    if (mode == POWER) lose();
    _exit(code);
}

/* ---- the fault */

static void note_call(enum call call, const char *path) {
    if (mode != COUNT) return;
    size_t length = strlen(path) + 16;
    trace = realloc(trace, trace_length + length);
    trace_length += snprintf(trace + trace_length, length, "%s %s\n", CALLS[call], path + root_length);
}

/* Whether this call is to fail, with `errno` set; a kill does not come back unless a part is to be done first. */
static int fails(enum call call, const char *path, enum part *doing) {
    *doing = WHOLE;
    note_call(call, path);
    count++;
    if (mode == ALWAYS && count >= at && !(number == ENOSPC && call == REMOVE && count > at)) return errno = number, 1;
    if (count != at) {
        if (mode == TORN && count > at && call != REMOVE) return errno = number, 1;
        return 0;
    }
    if (mode == ONCE) return errno = number, 1;
    if ((mode == TORN || mode == SHORT) && call == WRITE) { *doing = HALF; return 0; }
    if (mode == TORN) return errno = number, 1;
    if (mode != KILL && mode != POWER) return 0;
    *doing = part;
    if (part == NOTHING || (part == HALF && call != WRITE)) die(137);
    return 0;
}

static void done(void) {
    if ((mode == KILL || mode == POWER) && count == at) {
        int before = errno;
        die(137);
        errno = before;
    }
}

/* ---- the calls */

static int open_any(const char *function, int folder, const char *name, int flags, mode_t rights) {
    char path[PATH_MAX];
    int (*call)(int, const char *, int, ...) = real(function);
    int changing = (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC));
    if (!changing || !full_path(folder, name, path)) return call(folder, name, flags, rights);
    enum part doing;
    if (fails(OPEN, path, &doing)) return -1;
    int is_new = access(path, F_OK) != 0;
    if (!is_new && (flags & O_TRUNC) && is_recording()) {
        int there = REAL(open)(path, O_RDONLY | O_CLOEXEC);
        if (there >= 0) { note_content(there); REAL(close)(there); }
    }
    int fd = call(folder, name, flags, rights);
    if (fd >= 0 && is_new && (flags & O_CREAT)) note_change(MADE, path, path);
    int before = errno;
    done();
    errno = before;
    return fd;
}

#define RIGHTS(flags) \
    mode_t rights = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); rights = va_arg(more, mode_t); va_end(more); }

int open(const char *name, int flags, ...) { RIGHTS(flags) return open_any("openat", AT_FDCWD, name, flags, rights); }
int open64(const char *name, int flags, ...) { RIGHTS(flags) return open_any("openat64", AT_FDCWD, name, flags, rights); }
int openat(int folder, const char *name, int flags, ...) { RIGHTS(flags) return open_any("openat", folder, name, flags, rights); }
int openat64(int folder, const char *name, int flags, ...) { RIGHTS(flags) return open_any("openat64", folder, name, flags, rights); }
int creat(const char *name, mode_t rights) { return open_any("openat", AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, rights); }
int creat64(const char *name, mode_t rights) { return open_any("openat64", AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, rights); }

/* `WHOLE_CALL` is the real call, `HALF_CALL` writes the first half of the same bytes. */
#define WRITING(fd, size, WHOLE_CALL, HALF_CALL) \
    char path[PATH_MAX]; \
    enum part doing; \
    if (!is_ours(fd, path)) return WHOLE_CALL; \
    if (fails(WRITE, path, &doing)) return -1; \
    note_content(fd); \
    ssize_t written = doing == HALF && (size) > 1 ? HALF_CALL : WHOLE_CALL; \
    int before = errno; \
    done(); \
    errno = before; \
    return written;

ssize_t write(int fd, const void *bytes, size_t size) {
    WRITING(fd, size, REAL(write)(fd, bytes, size), REAL(write)(fd, bytes, size / 2))
}
ssize_t pwrite(int fd, const void *bytes, size_t size, off_t place) {
    WRITING(fd, size, REAL(pwrite)(fd, bytes, size, place), REAL(pwrite)(fd, bytes, size / 2, place))
}
ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t place) {
    WRITING(fd, size, REAL(pwrite64)(fd, bytes, size, place), REAL(pwrite64)(fd, bytes, size / 2, place))
}
ssize_t writev(int fd, const struct iovec *parts, int length) {
    WRITING(fd, 2, REAL(writev)(fd, parts, length), REAL(write)(fd, parts->iov_base, (parts->iov_len + 1) / 2))
}
ssize_t pwritev(int fd, const struct iovec *parts, int length, off_t place) {
    WRITING(fd, 2, REAL(pwritev)(fd, parts, length, place),
            REAL(pwrite)(fd, parts->iov_base, (parts->iov_len + 1) / 2, place))
}
ssize_t sendfile(int out, int in, off_t *place, size_t size) {
    WRITING(out, size, REAL(sendfile)(out, in, place, size), REAL(sendfile)(out, in, place, size / 2))
}
ssize_t sendfile64(int out, int in, off64_t *place, size_t size) {
    WRITING(out, size, REAL(sendfile64)(out, in, place, size), REAL(sendfile64)(out, in, place, size / 2))
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
    WRITING(out, size, REAL(copy_file_range)(in, from, out, to, size, flags),
            REAL(copy_file_range)(in, from, out, to, size / 2, flags))
}

static int sync_any(const char *function, int fd) {
    char path[PATH_MAX];
    enum part doing;
    int (*call)(int) = real(function);
    if (!is_ours(fd, path)) return call(fd);
    if (fails(SYNC, path, &doing)) return -1;
    struct stat about;
    if (!fstat(fd, &about) && S_ISDIR(about.st_mode)) settle(path);
    else forget_content(fd);
    int result = call(fd), before = errno;
    done();
    errno = before;
    return result;
}
int fsync(int fd) { return sync_any("fsync", fd); }
int fdatasync(int fd) { return sync_any("fdatasync", fd); }

static int sync_all(void) {
    enum part doing;
    if (fails(SYNC, root, &doing)) return -1;
    for (size_t i = 0; i < contents_length; i++) contents[i].is_dirty = 0;
    settle(NULL);
    done();
    return 0;
}
void sync(void) { if (mode == OFF) REAL(sync)(); else sync_all(); }
int syncfs(int fd) { return mode == OFF ? REAL(syncfs)(fd) : sync_all(); }

static int size_any(const char *function, int fd, off64_t size) {
    char path[PATH_MAX];
    enum part doing;
    int (*call)(int, off64_t) = real(function);
    if (!is_ours(fd, path)) return call(fd, size);
    if (fails(SIZE, path, &doing)) return -1;
    note_content(fd);
    int result = call(fd, size), before = errno;
    done();
    errno = before;
    return result;
}
int ftruncate(int fd, off_t size) { return size_any("ftruncate", fd, size); }
int ftruncate64(int fd, off64_t size) { return size_any("ftruncate64", fd, size); }

static int truncate_any(const char *name, off64_t size) {
    char path[PATH_MAX];
    enum part doing;
    if (!full_path(AT_FDCWD, name, path)) return REAL(truncate64)(name, size);
    if (fails(SIZE, path, &doing)) return -1;
    int fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0) { note_content(fd); REAL(close)(fd); }
    int result = REAL(truncate64)(name, size), before = errno;
    done();
    errno = before;
    return result;
}
int truncate(const char *name, off_t size) { return truncate_any(name, size); }
int truncate64(const char *name, off64_t size) { return truncate_any(name, size); }

static int fallocate_any(int fd, int how, off64_t place, off64_t size) {
    char path[PATH_MAX];
    enum part doing;
    if (!is_ours(fd, path)) return REAL(fallocate64)(fd, how, place, size);
    if (fails(SIZE, path, &doing)) return -1;
    note_content(fd);
    int result = REAL(fallocate64)(fd, how, place, size), before = errno;
    done();
    errno = before;
    return result;
}
int fallocate(int fd, int how, off_t place, off_t size) { return fallocate_any(fd, how, place, size); }
int fallocate64(int fd, int how, off64_t place, off64_t size) { return fallocate_any(fd, how, place, size); }
int posix_fallocate(int fd, off_t place, off_t size) { return fallocate_any(fd, 0, place, size) ? errno : 0; }
int posix_fallocate64(int fd, off64_t place, off64_t size) { return fallocate_any(fd, 0, place, size) ? errno : 0; }

static int rename_any(int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
    char from_path[PATH_MAX], to_path[PATH_MAX], kept[PATH_MAX] = "";
    enum part doing;
    int ours = full_path(to_folder, to, to_path);
    ours |= full_path(from_folder, from, from_path);
    if (!ours) return REAL(renameat2)(from_folder, from, to_folder, to, flags);
    if (fails(NAME, to_path, &doing)) return -1;
    struct stat about;
    if (is_recording() && !lstat(to_path, &about)) {
        if (S_ISDIR(about.st_mode)) strcpy(kept, "d");
        else keep(to_path, kept);
    }
    int result = REAL(renameat2)(from_folder, from, to_folder, to, flags), before = errno;
    struct change *one = result ? NULL : note_change(RENAMED, from_path, to_path);
    if (one) strcpy(one->kept, kept);
    done();
    errno = before;
    return result;
}
int rename(const char *from, const char *to) { return rename_any(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return rename_any(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return rename_any(a, from, b, to, flags); }

static int remove_any(int folder, const char *name, int flags) {
    char path[PATH_MAX], kept[PATH_MAX] = "";
    enum part doing;
    if (!full_path(folder, name, path)) return REAL(unlinkat)(folder, name, flags);
    if (fails(REMOVE, path, &doing)) return -1;
    if (is_recording() && (flags & AT_REMOVEDIR)) strcpy(kept, "d");
    else if (is_recording()) keep(path, kept);
    int result = REAL(unlinkat)(folder, name, flags), before = errno;
    struct change *one = result ? NULL : note_change(REMOVED, path, path);
    if (one) strcpy(one->kept, kept);
    done();
    errno = before;
    return result;
}
int unlink(const char *name) { return remove_any(AT_FDCWD, name, 0); }
int rmdir(const char *name) { return remove_any(AT_FDCWD, name, AT_REMOVEDIR); }
int unlinkat(int folder, const char *name, int flags) { return remove_any(folder, name, flags); }

#define MAKING(folder, name, REAL_CALL) \
    char path[PATH_MAX]; \
    enum part doing; \
    if (!full_path(folder, name, path)) return REAL_CALL; \
    if (fails(NAME, path, &doing)) return -1; \
    int result = REAL_CALL, before = errno; \
    if (!result) note_change(MADE, path, path); \
    done(); \
    errno = before; \
    return result;

int mkdir(const char *name, mode_t rights) { MAKING(AT_FDCWD, name, REAL(mkdir)(name, rights)) }
int mkdirat(int folder, const char *name, mode_t rights) { MAKING(folder, name, REAL(mkdirat)(folder, name, rights)) }
int link(const char *from, const char *to) { MAKING(AT_FDCWD, to, REAL(link)(from, to)) }
int linkat(int a, const char *from, int b, const char *to, int flags) { MAKING(b, to, REAL(linkat)(a, from, b, to, flags)) }
int symlink(const char *target, const char *name) { MAKING(AT_FDCWD, name, REAL(symlink)(target, name)) }
int symlinkat(const char *target, int folder, const char *name) { MAKING(folder, name, REAL(symlinkat)(target, folder, name)) }

/* ---- the clock on the wall */

int clock_gettime(clockid_t which, struct timespec *now) {
    static int (*call)(clockid_t, struct timespec *) = NULL;
    if (!call) call = real("clock_gettime");
    int result = call(which, now);
    if (!result && which == CLOCK_REALTIME) now->tv_sec += clock_offset;
    return result;
}
time_t time(time_t *there) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (there) *there = now.tv_sec;
    return now.tv_sec;
}
int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec, now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

/* ---- for tests/faults/shim.py */

void faults_watch(const char *folder, const char *aside) {
    root_length = snprintf(root, sizeof root, "%s", folder);
    snprintf(stash, sizeof stash, "%s", aside);
}
void faults_arm(int kind, long nth, int error, int done_part, int keeps_some, unsigned long long seed) {
    mode = kind, at = nth, number = error, part = done_part, keeps = keeps_some, chance = seed, count = 0;
}
void faults_disarm(void) { mode = OFF; }
long faults_count(void) { return count; }
const char *faults_trace(void) { return trace ? trace : ""; }
void faults_clock(long seconds) { clock_offset = seconds; }
void faults_end(int code) { die(code); }
