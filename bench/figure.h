// What every bench program is made of: figures measured one at a time, each in a process of its
// own so that none sees the memory or the threads of another, and printed as bench/run.py reads
// them: {"figures": {KEY: {"value", "unit", "limit", "runs"}}}; value is the median of the runs.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace bench {

struct Settings {
    uint64_t events = 0;   // --events; 0: what the figure takes by itself.
    int runs = 0;          // --runs; 0: the same.
};

struct Figure {
    std::string key;
    std::string unit;
    std::vector<double> runs;
    std::optional<double> limit;   // What the bare machine does, measured in the same run.
};

struct Bench {
    std::string_view key;
    // The figure of `key` first; others may follow and are printed beside it.
    std::vector<Figure> (*measure)(const Settings&);
};

// main of a bench program: `--list`, `--only KEY`, `--json FILE`, `--events N`, `--runs N`.
int Run(int argc, char** argv, std::initializer_list<Bench> benches);

// One line of what was seen on the way, for the reader of the terminal.
void Note(const char* format, ...) __attribute__((format(printf, 1, 2)));

// Ends the program: a bench that cannot go on has no figure.
[[noreturn]] void Die(const std::string& text);

template <typename T>
T Must(base::Result<T> result) {
    if (!result) Die(result.error().internal + " " + result.error().public_text);
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

double WallSeconds();              // Monotonic.
double CpuSeconds();               // Of this process, all its threads.
double ThreadCpuSeconds();
double CpuSecondsOf(int pid);      // The same of another process, with threads that have ended.
double ResidentMb(int pid = 0);    // 0: this process.
double Quantile(std::vector<double> values, double q);

// A fresh directory on the disk of the build, removed with all its contents at the end.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

// The directory this program lies in.
std::string ProgramDirectory();

}  // namespace bench
