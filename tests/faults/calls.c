// Preloaded into the ranks of a run (LD_PRELOAD): makes chosen calls to the system fail, or behave as the system may
// but rarely does. Says what it counted and did in a file for each rank. Nothing of this is part of the program.
//
//   COHORT_FAULT_CALLS   which kinds, by comma: open read write sync size rename unlink map memory close
//   COHORT_FAULT_PATH    of which files: a pattern of fnmatch(3) on the absolute path; memory has none and matches "*"
//   COHORT_FAULT_RANK    on which rank (OMPI_COMM_WORLD_RANK); absent: on all
//   COHORT_FAULT_CALLER  "program": only calls that stand in the program itself, not in its libraries
//   COHORT_FAULT_AT      the n-th such call of the rank, from 1; absent: none, they are only counted
//   COHORT_FAULT_ERROR   the number of the error it fails with; absent: the call succeeds only in part (reads and
//   writes) COHORT_FAULT_STICKY  "1": and every such call after it; a number n above: and every n-th after it
//   COHORT_FAULT_LOG     the name of the file that tells, to which .RANK is appended
#include "calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

struct settings {
  int active;
  const char* calls;
  const char* path;
  int program_only;
  long at;
  int error;
  long sticky;
};

static const char* setting(const char* name) {
  const char* value = getenv(name);
  return value && *value ? value : NULL;
}

int fault_rank_is_meant(void) {
  const char* rank = setting("OMPI_COMM_WORLD_RANK");
  const char* meant = setting("COHORT_FAULT_RANK");
  return rank && (!meant || strcmp(rank, meant) == 0);
}

// Read at the first call: libraries call before this one's constructors have run.
static const struct settings* settings(void) {
  static struct settings result;
  static atomic_int known;
  if (!atomic_load(&known)) {
    struct settings found = {0};
    found.calls = setting("COHORT_FAULT_CALLS");
    found.path = setting("COHORT_FAULT_PATH");
    const char* caller = setting("COHORT_FAULT_CALLER");
    found.program_only = caller && strcmp(caller, "program") == 0;
    found.at = setting("COHORT_FAULT_AT") ? atol(setting("COHORT_FAULT_AT")) : 0;
    found.error = setting("COHORT_FAULT_ERROR") ? atoi(setting("COHORT_FAULT_ERROR")) : 0;
    found.sticky = setting("COHORT_FAULT_STICKY") ? atol(setting("COHORT_FAULT_STICKY")) : 0;
    found.active = found.calls && fault_rank_is_meant();
    result = found;
    atomic_store(&known, 1);
  }
  return &result;
}

void fault_log(const char* line) {
  const char* base = setting("COHORT_FAULT_LOG");
  if (!base) return;
  char name[PATH_MAX];
  snprintf(name, sizeof(name), "%s.%s", base, setting("OMPI_COMM_WORLD_RANK"));
  const long file = syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (file < 0) return;
  (void)syscall(SYS_write, file, line, strlen(line));
  syscall(SYS_close, file);
}

static int in_list(const char* list, const char* word) {
  const size_t length = strlen(word);
  for (const char* at = list; (at = strstr(at, word)); at += length) {
    if ((at == list || at[-1] == ',') && (at[length] == 0 || at[length] == ',')) return 1;
  }
  return 0;
}

static int from_program(const void* caller) {
  Dl_info there;
  Dl_info here;
  static atomic_uintptr_t program;
  if (!atomic_load(&program) && dladdr(dlsym(RTLD_DEFAULT, "main"), &here)) {
    atomic_store(&program, (uintptr_t)here.dli_fbase);
  }
  // A program that does not export main is the object that is in no file called .so.
  if (!dladdr(caller, &there)) return 0;
  if (atomic_load(&program)) return (uintptr_t)there.dli_fbase == atomic_load(&program);
  return !strstr(there.dli_fname, ".so");
}

// What becomes of a call: -1 fails with errno set, 1 succeeds in part, 0 is as usual.
enum { usual = 0, in_part = 1, fails = -1 };

static int decide(const char* kind, const char* function, const char* path, const void* caller) {
  const struct settings* chosen = settings();
  static atomic_long count;
  static _Thread_local int inside;
  if (!chosen->active || inside || !in_list(chosen->calls, kind)) return usual;
  const int saved = errno;
  int result = usual;
  inside = 1;
  if ((!chosen->path || fnmatch(chosen->path, path, 0) == 0) && (!chosen->program_only || from_program(caller))) {
    const long now = atomic_fetch_add(&count, 1) + 1;
    const long after = now - chosen->at;
    if (chosen->at > 0 && (after == 0 || (after > 0 && chosen->sticky > 0 && after % chosen->sticky == 0))) {
      result = chosen->error ? fails : in_part;
    }
    char line[PATH_MAX + 100];
    snprintf(line, sizeof(line), "%s %ld %s %s\n", result == usual ? "call" : "fault", now, function, path);
    fault_log(line);
  }
  inside = 0;
  errno = result == fails ? chosen->error : saved;
  return result;
}

static int decide_of_file(const char* kind, const char* function, int file, const void* caller) {
  const struct settings* chosen = settings();
  if (!chosen->active || !in_list(chosen->calls, kind)) return usual;
  char link[40];
  char path[PATH_MAX];
  const int saved = errno;
  snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link, path, sizeof(path) - 1);
  path[length > 0 ? length : 0] = 0;
  errno = saved;
  return decide(kind, function, path, caller);
}

static int decide_at(const char* kind, const char* function, const char* path, const void* caller) {
  const struct settings* chosen = settings();
  if (!chosen->active || !in_list(chosen->calls, kind)) return usual;
  char absolute[2 * PATH_MAX];
  char here[PATH_MAX] = "";
  const int saved = errno;
  if (path[0] != '/' && !getcwd(here, sizeof(here))) here[0] = 0;
  snprintf(absolute, sizeof(absolute), "%s%s%s", here, path[0] == '/' ? "" : "/", path);
  errno = saved;
  return decide(kind, function, absolute, caller);
}

#define CALLER __builtin_return_address(0)
// The function of this name that comes after this library's.
#define NEXT(name)                                         \
  __extension__({                                          \
    static __typeof__(&name) next;                         \
    if (!next) *(void**)(&next) = dlsym(RTLD_NEXT, #name); \
    next;                                                  \
  })

#define OPENS(name)                                                                              \
  int name(const char* path, int flags, ...) {                                                   \
    mode_t mode = 0;                                                                             \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                         \
      va_list rest;                                                                              \
      va_start(rest, flags);                                                                     \
      mode = va_arg(rest, mode_t);                                                               \
      va_end(rest);                                                                              \
    }                                                                                            \
    return decide_at("open", #name, path, CALLER) == fails ? -1 : NEXT(name)(path, flags, mode); \
  }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                                                                      \
  int name(int directory, const char* path, int flags, ...) {                                               \
    mode_t mode = 0;                                                                                        \
    if (flags & (O_CREAT | O_TMPFILE)) {                                                                    \
      va_list rest;                                                                                         \
      va_start(rest, flags);                                                                                \
      mode = va_arg(rest, mode_t);                                                                          \
      va_end(rest);                                                                                         \
    }                                                                                                       \
    return decide_at("open", #name, path, CALLER) == fails ? -1 : NEXT(name)(directory, path, flags, mode); \
  }
OPENS_AT(openat)
OPENS_AT(openat64)

#define OPENS_STREAM(name)                                                                  \
  FILE* name(const char* path, const char* mode) {                                          \
    return decide_at("open", #name, path, CALLER) == fails ? NULL : NEXT(name)(path, mode); \
  }
OPENS_STREAM(fopen)
OPENS_STREAM(fopen64)

static size_t part_of(size_t bytes) {
  return bytes > 1 ? bytes / 2 : bytes;
}

#define MOVES(kind, name, result, parameters, rest)             \
  result name parameters {                                      \
    const int what = decide_of_file(kind, #name, file, CALLER); \
    if (what == fails) return -1;                               \
    return NEXT(name) rest;                                     \
  }
#define BYTES what == in_part ? part_of(bytes) : bytes
MOVES("read", read, ssize_t, (int file, void* to, size_t bytes), (file, to, BYTES))
MOVES("read", pread, ssize_t, (int file, void* to, size_t bytes, off_t at), (file, to, BYTES, at))
MOVES("read", pread64, ssize_t, (int file, void* to, size_t bytes, off64_t at), (file, to, BYTES, at))
MOVES("write", write, ssize_t, (int file, const void* from, size_t bytes), (file, from, BYTES))
MOVES("write", pwrite, ssize_t, (int file, const void* from, size_t bytes, off_t at), (file, from, BYTES, at))
MOVES("write", pwrite64, ssize_t, (int file, const void* from, size_t bytes, off64_t at), (file, from, BYTES, at))

// A list in part is its first entry, or half of it where there is no other.
#define MOVES_LIST(kind, name, more, rest)                                 \
  ssize_t name(int file, const struct iovec* list, int length MORE more) { \
    const int what = decide_of_file(kind, #name, file, CALLER);            \
    struct iovec first;                                                    \
    if (what == fails) return -1;                                          \
    if (what == in_part && length == 1) {                                  \
      first = list[0];                                                     \
      first.iov_len = part_of(first.iov_len);                              \
      list = &first;                                                       \
    } else if (what == in_part && length > 1) {                            \
      length = 1;                                                          \
    }                                                                      \
    return NEXT(name)(file, list, length MORE rest);                       \
  }
#define MORE
MOVES_LIST("read", readv, , )
MOVES_LIST("write", writev, , )
#undef MORE
#define UNPACK(...) , __VA_ARGS__
#define MORE UNPACK
MOVES_LIST("read", preadv, (off_t at), (at))
MOVES_LIST("read", preadv64, (off64_t at), (at))
MOVES_LIST("read", preadv2, (off_t at, int flags), (at, flags))
MOVES_LIST("read", preadv64v2, (off64_t at, int flags), (at, flags))
MOVES_LIST("write", pwritev, (off_t at), (at))
MOVES_LIST("write", pwritev64, (off64_t at), (at))
MOVES_LIST("write", pwritev2, (off_t at, int flags), (at, flags))
MOVES_LIST("write", pwritev64v2, (off64_t at, int flags), (at, flags))

// What glibc calls where it checks the size of the buffer at run time.
ssize_t __read_chk(int file, void* to, size_t bytes, size_t size) {
  if (bytes > size) abort();
  return read(file, to, bytes);
}
ssize_t __pread_chk(int file, void* to, size_t bytes, off_t at, size_t size) {
  if (bytes > size) abort();
  return pread(file, to, bytes, at);
}
ssize_t __pread64_chk(int file, void* to, size_t bytes, off64_t at, size_t size) {
  if (bytes > size) abort();
  return pread64(file, to, bytes, at);
}

#define OF_FILE(kind, name, parameters, rest)                                         \
  int name parameters {                                                               \
    return decide_of_file(kind, #name, file, CALLER) == fails ? -1 : NEXT(name) rest; \
  }
OF_FILE("sync", fsync, (int file), (file))
OF_FILE("sync", fdatasync, (int file), (file))
OF_FILE("size", ftruncate, (int file, off_t bytes), (file, bytes))
OF_FILE("size", ftruncate64, (int file, off64_t bytes), (file, bytes))
OF_FILE("size", fallocate, (int file, int mode, off_t at, off_t bytes), (file, mode, at, bytes))
OF_FILE("size", fallocate64, (int file, int mode, off64_t at, off64_t bytes), (file, mode, at, bytes))

#define RESERVES(name, offset)                                  \
  int name(int file, offset at, offset bytes) {                 \
    const int saved = errno;                                    \
    if (decide_of_file("size", #name, file, CALLER) == fails) { \
      const int error = errno;                                  \
      errno = saved;                                            \
      return error;                                             \
    }                                                           \
    return NEXT(name)(file, at, bytes);                         \
  }
RESERVES(posix_fallocate, off_t)
RESERVES(posix_fallocate64, off64_t)

int rename(const char* from, const char* to) {
  return decide_at("rename", "rename", to, CALLER) == fails ? -1 : NEXT(rename)(from, to);
}
int link(const char* from, const char* to) {
  return decide_at("rename", "link", to, CALLER) == fails ? -1 : NEXT(link)(from, to);
}
int unlink(const char* path) {
  return decide_at("unlink", "unlink", path, CALLER) == fails ? -1 : NEXT(unlink)(path);
}

// The file is closed even where close says that it failed.
int close(int file) {
  const int what = decide_of_file("close", "close", file, CALLER);
  const int error = errno;
  const int result = NEXT(close)(file);
  if (what != fails) return result;
  errno = error;
  return -1;
}

#define MAPS(name, offset)                                                                                      \
  void* name(void* address, size_t bytes, int protection, int flags, int file, offset at) {                     \
    const int what = file >= 0 ? decide_of_file("map", #name, file, CALLER) : decide("map", #name, "", CALLER); \
    return what == fails ? MAP_FAILED : NEXT(name)(address, bytes, protection, flags, file, at);                \
  }
MAPS(mmap, off_t)
MAPS(mmap64, off64_t)

int memfd_create(const char* name, unsigned flags) {
  return decide("memory", "memfd_create", "", CALLER) == fails ? -1 : NEXT(memfd_create)(name, flags);
}
int shm_open(const char* name, int flags, mode_t mode) {
  return decide("memory", "shm_open", "", CALLER) == fails ? -1 : NEXT(shm_open)(name, flags, mode);
}
