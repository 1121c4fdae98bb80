#include "bench/fold_limit.h"

#include <boost/unordered/unordered_flat_map.hpp>
#include <deque>
#include <vector>

#include "bench/figure.h"
#include "bench/traffic.h"

namespace bench {
namespace {

constexpr int kConditions = 250;
constexpr int kSegments = 100;
constexpr size_t kAhead = 16;

// As large as what the product remembers of a person: about 900 bytes.
struct Slot {
    uint64_t held[4] = {};
    uint64_t in[2] = {};
    uint64_t last_seen = 0;
    uint64_t events = 0;
    uint16_t counts[kConditions] = {};
    uint32_t scores[20] = {};
};

struct Act {
    uint64_t person;
    uint32_t name;
};

}  // namespace

double PlainFoldCpuUs(uint64_t events) {
    std::vector<std::vector<uint16_t>> of_name(kEventNames);
    for (int c = 0; c < kConditions; ++c) {
        of_name[static_cast<size_t>(c % kEventNames)].push_back(static_cast<uint16_t>(c));
    }
    boost::unordered_flat_map<uint64_t, Slot*> slots;
    std::deque<Slot> store;
    Random random(7);
    std::vector<Act> acts(200'000);
    std::vector<Slot*> near(acts.size());
    uint64_t flips = 0, folded = 0;
    double cpu = 0;
    for (uint64_t done = 0; done < 2 * events; done += acts.size()) {
        for (auto& act : acts) {
            act.person = base::Mix64(ZipfPerson(random, kPersons));
            act.name = static_cast<uint32_t>(random.Below(kEventNames));
        }
        const double begun = ThreadCpuSeconds();
        const auto look_up = [&](size_t i) {
            auto [it, added] = slots.try_emplace(acts[i].person, nullptr);
            if (added) it->second = &store.emplace_back();
            near[i] = it->second;
            __builtin_prefetch(near[i]);
            __builtin_prefetch(reinterpret_cast<const char*>(near[i]) + 64);
        };
        for (size_t i = 0; i < std::min(kAhead, acts.size()); ++i) look_up(i);
        for (size_t i = 0; i < acts.size(); ++i) {
            if (i + kAhead < acts.size()) look_up(i + kAhead);
            Slot& slot = *near[i];
            ++slot.events;
            slot.last_seen = done + i;
            slot.scores[acts[i].name % 20] += 1;
            for (const uint16_t c : of_name[acts[i].name]) {
                const uint16_t count = ++slot.counts[c];
                const uint64_t bit = 1ULL << (c & 63);
                if (count != 1 + c % 5 || (slot.held[c >> 6] & bit) != 0) continue;
                slot.held[c >> 6] |= bit;
                ++flips;
                const int s = c % kSegments;
                bool all = true;
                for (int part = s; part < kConditions; part += kSegments) {
                    all = all && (slot.held[part >> 6] >> (part & 63) & 1) != 0;
                }
                if (all) slot.in[s >> 6] |= 1ULL << (s & 63);
            }
        }
        // The first half makes the persons, as in the product's own measurement.
        if (done >= events) {
            cpu += ThreadCpuSeconds() - begun;
            folded += acts.size();
        }
    }
    Note("plain fold: %zu persons, %.2f flips an event", slots.size(),
         static_cast<double>(flips) / static_cast<double>(2 * events));
    return cpu * 1e6 / static_cast<double>(folded);
}

}  // namespace bench
