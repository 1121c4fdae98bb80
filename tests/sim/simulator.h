// One life of a server under a seed: clients that send, repeat and join ids, letters that go out
// and fail, clocks that jump, crashes at any step; then everything is recounted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sim {

struct Report {
    std::vector<std::string> failures;   // Empty: every rule held.
    uint64_t events = 0;
    uint64_t records = 0;
    uint64_t persons = 0;
    uint64_t crashes = 0;
    uint64_t letters = 0;
    uint64_t moves = 0;                  // Persons who moved.
};

// `events`: how many different events the clients send.
Report Simulate(uint64_t seed, int events);

}  // namespace sim
