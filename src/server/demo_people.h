// The people of the demo shop: who comes, what they look at and buy over a year, and what they make
// of a letter. Drawn from a seed: the same seed, the same year.
//
// Threads: as a value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace server {

// Small, and the same on every machine (the standard's distributions are not).
class Draw {
  public:
    explicit Draw(uint64_t seed) : state_(seed) {}
    uint64_t Next();  // Source: SplitMix64, Steele et al. 2014.
    uint64_t Below(uint64_t n) { return Next() % n; }
    double Unit() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
    bool Chance(double p) { return Unit() < p; }
    double Between(double low, double high) { return low + (high - low) * Unit(); }

  private:
    uint64_t state_;
};

struct DemoProduct {
    std::string_view id, name, category;
    int price;  // EUR.
};
// The products of web/demo.
const std::vector<DemoProduct>& DemoProducts();

// One call of the tracking API: an element of a batch.
struct Act {
    base::TimeMs at_ms = 0;
    std::string json;
};

struct DemoPlan {
    uint64_t seed = 1;
    int persons = 2000;
    base::TimeMs begin_ms = 0;
    base::TimeMs end_ms = 0;  // No act at or behind it.
    std::string shop_url;     // "https://go.example.test/demo/"
};

class DemoPeople {
  public:
    explicit DemoPeople(const DemoPlan& plan);

    // What they do of themselves, by rising time.
    const std::vector<Act>& acts() const { return acts_; }

    // What the person with this address makes of a letter that came at `at_ms`.
    struct Reaction {
        base::TimeMs open_ms = 0;  // 0: never.
        base::TimeMs click_ms = 0;
        std::vector<Act> visit;  // After the click.
    };
    Reaction ReactTo(std::string_view email, uint64_t letter, base::TimeMs at_ms) const;

    // Somebody's address of the present, for the pages that she fetches.
    std::string_view AgentOf(std::string_view email) const;

  private:
    enum class Habit : uint8_t { kPasserBy, kReader, kShopper, kRegular };
    struct Person {
        uint32_t number = 0;
        Habit habit = Habit::kPasserBy;
        base::TimeMs arrival_ms = 0;
        std::string first_name, last_name, email;
        std::string language;
        uint32_t place = 0;  // Index of an address and its zone.
        uint32_t agent = 0;
        uint32_t second_agent = 0;
        bool two_devices = false;
        size_t favourite = 0;  // Product.
    };
    class Visit;
    void Live(const Person& person, Draw& draw);
    const Person* Find(std::string_view email) const;

    const DemoPlan plan_;
    std::vector<Person> persons_;
    std::vector<Act> acts_;
};

}  // namespace server
