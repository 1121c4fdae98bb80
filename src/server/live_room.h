// The screens of one workspace that watch its numbers, its events and who is here: what each of
// them is shown, and when.
//
// Threads: owned by the hub's thread.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/live.h"
#include "flow/identity/link_map.h"
#include "model/event.h"
#include "server/event_tail.h"
#include "server/numbers.h"

namespace server {

struct Visitor {
    base::TimeMs since = 0;      // Of the visit, as far back as was looked.
    base::TimeMs seen = 0;
    std::string page;            // Path, or the name of a screen.
    std::string country;
    std::string city;
    std::string source;          // Where the visit came from; empty: directly.
};
using Visitors = std::vector<std::pair<model::PersonId, Visitor>>;

class Room {
  public:
    using SteadyTime = std::chrono::steady_clock::time_point;

    explicit Room(model::WorkspaceId workspace) : workspace_(workspace) {}

    void Enter(const api::LiveScreenPtr& screen, api::LiveTopic topic);
    void Leave(const api::LiveScreenPtr& screen, api::LiveTopic topic);
    bool empty() const { return counts_.empty() && events_.empty() && visitors_.empty(); }
    SteadyTime NextDue() const;

    bool WantsTail() const { return !events_.empty() || !visitors_.empty(); }
    bool WantsVisits() const { return !visitors_.empty(); }
    // Somebody has begun to look at who is here.
    bool WantsPast() const { return !visitors_.empty() && !past_read_; }
    void PastRead() { past_read_ = past_read_ || !visitors_.empty(); }

    // --- counts ---
    bool CountsDue(SteadyTime now) const { return !counts_.empty() && now >= counts_at_; }
    // Goes to those who have come since, and to all when it is another than before.
    void ShowCounts(const std::string& body, SteadyTime now);

    // --- events ---
    void AddEvent(const TailRecord& tail);
    void Skip(uint64_t events) { skipped_ += events_.empty() ? 0 : events; }
    void ShowEvents(model::EventReader& reader, const identity::LinkMap& links, SteadyTime now);

    // --- visitors ---
    void AddVisit(const TailRecord& tail, model::EventReader& reader,
                  const identity::LinkMap& links);
    bool VisitorsDue(SteadyTime now) const { return !visitors_.empty() && now >= visitors_at_; }
    // Those whose last act is no older than kOnSiteMs, the latest first, at most kLiveVisitorsMax.
    Visitors Here(base::TimeMs time, const identity::LinkMap& links);
    void ShowVisitors(const Visitors& here, const std::map<model::PersonId, std::string>& names,
                      SteadyTime now);

  private:
    using Screens = std::set<api::LiveScreenPtr>;
    void ShowTopic(std::string_view topic, const std::string& body, std::string& last,
                   const Screens& all, Screens& fresh);

    const model::WorkspaceId workspace_;
    Screens counts_, fresh_counts_;
    SteadyTime counts_at_{};
    std::string last_counts_;

    Screens events_;
    SteadyTime events_at_{};
    struct Kept {
        TailRecord tail;
        std::string bytes;               // Of the event.
    };
    std::vector<Kept> tail_;             // Since the last frame, at most kLiveEventsPerFrameMax.
    size_t tail_at_ = 0;                 // A ring when it is full.
    uint64_t skipped_ = 0;

    Screens visitors_, fresh_visitors_;
    SteadyTime visitors_at_{};
    bool past_read_ = false;
    std::map<model::PersonId, Visitor> here_;
    std::string last_visitors_;
};

}  // namespace server
