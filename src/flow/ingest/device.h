// What a User-Agent header says: kind of device, system, browser, robot or not.
//
// Browsers and systems by the patterns of uap-core (regexes.yaml, Apache-2.0), robots by those of
// crawler-user-agents (crawler-user-agents.json, MIT), both read at run time from files named in
// the configuration, both run by RE2 (linear time, whatever the header holds). Literal atoms that
// a pattern needs pick the few patterns worth running.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"

namespace ingest {

struct AgentPart {
    std::string family;  // "Other" when no pattern matches.
    std::string major, minor, patch, patch_minor;
};

// The compiled patterns; immutable, any thread.
class AgentPatterns {
  public:
    struct Files {
        std::string uap_regexes_yaml;  // Empty: devices stay unknown.
        std::string crawlers_json;     // Empty: only the built-in robot words are known.
    };
    // Errors: kNotFound (a named file is missing), kCorrupt (cannot be read as what it should be).
    // Patterns that RE2 cannot run are left out and counted.
    static base::Result<std::shared_ptr<const AgentPatterns>> Load(const Files& files);
    ~AgentPatterns();

    AgentPart Browser(std::string_view agent) const;
    AgentPart System(std::string_view agent) const;
    bool IsRobot(std::string_view agent) const;
    size_t left_out() const;
    size_t size() const;

  private:
    struct Impl;
    explicit AgentPatterns(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

// The patterns, loaded at the first use by whichever thread comes first; shared by all readers.
// A missing file is not an error: `warn` is called once with a line for the log, devices stay
// unknown and robots are told by built-in words ("bot", "crawler", "spider" ...).
class LazyAgentPatterns {
  public:
    LazyAgentPatterns(AgentPatterns::Files files, std::function<void(std::string)> warn);
    const AgentPatterns* Get();  // nullptr when they could not be loaded. Any thread.

  private:
    AgentPatterns::Files files_;
    std::function<void(std::string)> warn_;
    std::once_flag once_;
    std::shared_ptr<const AgentPatterns> patterns_;
};

struct AgentFacts {
    std::string type;     // desktop, mobile, tablet, tv, console, watch, bot; empty: unknown.
    std::string os;       // Family; empty: unknown.
    std::string browser;  // Family; empty: unknown.
    bool is_bot = false;
};

// Cached look-up; one thread. limits::kAgentCacheEntries agents are kept, the longest unused goes.
// Headers longer than limits::kAgentBytesMax are cut before they are read.
class UserAgents {
  public:
    explicit UserAgents(LazyAgentPatterns* patterns) : patterns_(patterns) {}
    // Valid until the next Find. An empty agent is unknown, not a robot.
    const AgentFacts& Find(std::string_view agent);
    size_t misses() const { return misses_; }

  private:
    struct Entry {
        std::string agent;
        AgentFacts facts;
    };
    AgentFacts Read(std::string_view agent) const;

    LazyAgentPatterns* patterns_;
    std::list<Entry> entries_;  // The most recently used first.
    std::unordered_map<std::string_view, std::list<Entry>::iterator> index_;
    size_t misses_ = 0;
};

}  // namespace ingest
