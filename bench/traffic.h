// The traffic that the benches send: a shop's track calls of 576 to 580 bytes in 40 event names,
// by a million persons of whom few do most (Zipf, exponent 1), and conditions over them.
//
// Everything is drawn from a seed: two runs send the same events but for their times.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/time.h"
#include "model/record.h"

namespace bench {

inline constexpr int kEventNames = 40;
inline constexpr uint64_t kPersons = 1'000'000;

class Random {
  public:
    explicit Random(uint64_t seed) : state_(seed) {}
    uint64_t Next() { return base::Mix64(state_++); }
    uint64_t Below(uint64_t n) { return Next() % n; }
    double Unit() { return static_cast<double>(Next() >> 11) * 0x1p-53; }

  private:
    uint64_t state_;
};

std::string EventName(int number);         // 0..kEventNames-1
std::string UserId(uint64_t person);       // "u0000042"
uint64_t ZipfPerson(Random& random, uint64_t persons);

// One track call in Segment's JSON whose person and message id are written in place.
class TrackCall {
  public:
    TrackCall(int name, uint64_t variant, base::TimeMs now);
    // Writes both into `text`, which holds this call at `at`.
    void Write(char* text, size_t at, uint64_t person, uint64_t message) const;
    const std::string& text() const { return text_; }

  private:
    std::string text_;
    size_t message_at_ = 0;
    size_t person_at_ = 0;
};

// The same event as a record of the log, as the tracking API makes it.
class RecordMaker {
  public:
    RecordMaker(model::WorkspaceId workspace, const base::SipKey& secret, int partitions)
        : workspace_(workspace), secret_(secret), partitions_(partitions) {}

    model::NewRecord Track(uint64_t person, int name, uint64_t variant, uint64_t message,
                           base::TimeMs now) const;
    // An identify call with 20 attributes: 10 texts, 6 numbers, 2 truths, 2 dates.
    model::NewRecord Identify(uint64_t person, uint64_t message, base::TimeMs now) const;
    model::PersonId PersonOf(uint64_t person) const;

  private:
    model::WorkspaceId workspace_;
    base::SipKey secret_;
    int partitions_;
};

// Distinct conditions over the 40 names, `count` <= 280 of them: counts, filters, windows, sums,
// silence.
std::vector<std::string> Conditions(int count);
// `segments` conditions that use each of `conditions` at least once, two or three together.
std::vector<std::string> SegmentConditions(int segments, int conditions);

}  // namespace bench
