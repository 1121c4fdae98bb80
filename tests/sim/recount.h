// The oracle: a plain recount of what clients sent, written without any of the server's code but
// the ids. Slow and obvious on purpose.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/sim/world.h"

namespace sim {

struct Sent {                  // One event of a client, however often it was sent.
    Call call;
    PersonId founder;
    model::IdKind founder_kind = model::IdKind::kAnonymous;
    TimeMs first_sent_ms = 0;
    bool acknowledged = false;
    int number = 0;            // Property "n" of the event.
    double price = 0;          // "Viewed"
    double revenue = 0;        // "Order"
    std::string plan;          // Identify: the trait, or empty.
    std::string key;           // "Started", "Submitted"
};

// Who is who after all links, in the order of the links stream.
class Families {
  public:
    void Read(event_log::Log& log);
    PersonId Root(const PersonId& id) const;

  private:
    struct Family {
        PersonId parent;
        bool trusted = false, user = false;
        model::IdKind kind = model::IdKind::kAnonymous;
    };
    Family& Of(const PersonId& id, model::IdKind kind);
    std::map<PersonId, Family> all_;
};

// A segment as text and as a plain question about a person's events at a moment.
struct Question {
    std::string name;
    std::string condition;
    std::function<bool(const std::vector<const Sent*>& events, TimeMs now)> holds;
};
const std::vector<Question>& Questions();

}  // namespace sim
