// The machine's own limit for a fold: a plain hash map of persons, looked up and prefetched 16
// events ahead, counters and bits of conditions and segments, and nothing else.
#pragma once

#include <cstdint>

namespace bench {

// CPU microseconds an event, at the sizes of fold_cpu_us.
double PlainFoldCpuUs(uint64_t events);

}  // namespace bench
