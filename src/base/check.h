// CHECK: a broken invariant of our own ends the process, in release too. Never reachable from
// input; input errors are Results.
#pragma once

namespace base {
[[noreturn]] void CheckFailed(const char* file, int line, const char* expression);
}

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) ::base::CheckFailed(__FILE__, __LINE__, #condition); \
    } while (false)
