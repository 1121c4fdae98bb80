// ripen_sim --seed N | --seeds N [--from N] [--events N]: lives of a server under seeds.

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "base/clock.h"
#include "tests/sim/simulator.h"

namespace {

// False when a rule was broken.
bool Live(uint64_t seed, int events, bool loud) {
    const auto report = sim::Simulate(seed, events);
    if (loud || !report.failures.empty()) {
        std::printf("seed %llu: %llu events, %llu records, %llu persons, %llu moves, "
                    "%llu letters, %llu crashes: %s\n",
                    static_cast<unsigned long long>(seed),
                    static_cast<unsigned long long>(report.events),
                    static_cast<unsigned long long>(report.records),
                    static_cast<unsigned long long>(report.persons),
                    static_cast<unsigned long long>(report.moves),
                    static_cast<unsigned long long>(report.letters),
                    static_cast<unsigned long long>(report.crashes),
                    report.failures.empty() ? "every rule held" : "BROKEN");
    }
    for (const auto& failure : report.failures) std::printf("    %s\n", failure.c_str());
    return report.failures.empty();
}

}  // namespace

int main(int argc, char** argv) {
    uint64_t seed = 0, seeds = 0, from = 1;
    int events = 80;
    for (int i = 1; i < argc; i += 2) {
        const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
        if (value == nullptr) {
            seeds = 0;
            seed = 0;
            break;
        }
        if (std::strcmp(argv[i], "--seed") == 0) {
            seed = std::strtoull(value, nullptr, 10);
        } else if (std::strcmp(argv[i], "--seeds") == 0) {
            seeds = std::strtoull(value, nullptr, 10);
        } else if (std::strcmp(argv[i], "--from") == 0) {
            from = std::strtoull(value, nullptr, 10);
        } else if (std::strcmp(argv[i], "--events") == 0) {
            events = std::atoi(value);
        } else {
            seed = seeds = 0;
            break;
        }
    }
    if (seed == 0 && seeds == 0) {
        std::fprintf(stderr, "ripen_sim --seed N | --seeds N [--from N] [--events N]\n");
        return 2;
    }
    if (seed != 0) {
        const bool held = Live(seed, events, true);
        std::printf("%d passed, %d failed\n", held, !held);
        return held ? 0 : 1;
    }
    const int64_t begin = base::SteadyNanos();
    uint64_t failed = 0;
    for (uint64_t s = from; s < from + seeds; ++s) failed += !Live(s, events, false);
    std::printf("%llu passed, %llu failed in %.1f s\n",
                static_cast<unsigned long long>(seeds - failed),
                static_cast<unsigned long long>(failed),
                static_cast<double>(base::SteadyNanos() - begin) / 1e9);
    return failed == 0 ? 0 : 1;
}
