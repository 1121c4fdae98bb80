// `ripen demo`: a workspace of its own in which a simulated year of people has happened, so that
// every screen of a new server is alive. The year is played through the front door: the tracking
// API, the pages behind a letter's links and the API of the screens, on loopback ports of its own,
// under a simulated clock, before the server listens to anybody. Log times, journeys and letters
// are those of the year. Letters stay in the built-in mailbox.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace server {

struct DemoOptions {
    std::string directory;   // A data directory that has not served yet.
    std::string public_url;  // Where the letters' links lead once the server runs.
    uint64_t seed = 1;
    int persons = 2000;
    int days = 365;
    base::TimeMs end_ms = 0;  // 0: now.
};

struct DemoYear {
    std::string write_key;  // Of the demo's workspace.
    uint64_t planned = 0;   // Acts that people do of themselves: the same for the same seed.
    uint64_t acts = 0;      // With those that letters led to.
    uint64_t letters = 0;
    uint64_t opened = 0;
    uint64_t clicked = 0;
    double seconds = 0;
};

// Errors: kConflict (the log has gone beyond the year's beginning), kNotFound (no data directory),
//         those of Pipeline::Start.
base::Result<DemoYear> PlayDemo(const DemoOptions& options);

}  // namespace server
