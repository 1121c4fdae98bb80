#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace base {

void CheckFailed(const char* file, int line, const char* expression) {
    std::fprintf(stderr, "CHECK failed at %s:%d: %s\n", file, line, expression);
    std::fflush(stderr);
    std::abort();
}

}  // namespace base
