// Preloaded into a program under test: some of its system calls fail, as on a full or broken disk.
//   RNX_TEST_FAIL=rename:3:2    the 3rd and 4th rename fail        RNX_TEST_FAIL=write:1:1000000
//                               every write of a kilobyte or more
#include <dlfcn.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

/// Whether this call, one of those named `name`, is to fail.
bool fails(const char* name, long& count) {
  const char* text = std::getenv("RNX_TEST_FAIL");
  char call[16] = "";
  long first = 0, many = 0;
  if (!text || std::sscanf(text, "%15[a-z]:%ld:%ld", call, &first, &many) != 3 ||
      std::strcmp(call, name) != 0)
    return false;
  ++count;
  return count >= first && count < first + many;
}
template <class F> F next(const char* name) { return reinterpret_cast<F>(dlsym(RTLD_NEXT, name)); }
long renames = 0, writes = 0, syncs = 0;

}  // namespace

extern "C" int rename(const char* from, const char* to) noexcept {
  if (fails("rename", renames)) return errno = EIO, -1;
  return next<int (*)(const char*, const char*)>("rename")(from, to);
}
extern "C" ssize_t write(int fd, const void* from, size_t count) {
  if (count >= 1024 && fails("write", writes)) return errno = ENOSPC, -1;
  return next<ssize_t (*)(int, const void*, size_t)>("write")(fd, from, count);
}
extern "C" int fsync(int fd) {
  if (fails("fsync", syncs)) return errno = EIO, -1;
  return next<int (*)(int)>("fsync")(fd);
}
