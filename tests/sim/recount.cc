#include "tests/sim/recount.h"

#include <algorithm>

#include "base/check.h"

namespace sim {
namespace {

using Events = std::vector<const Sent*>;

constexpr base::DurationMs kHour = base::kHourMs;
constexpr base::DurationMs kDay = base::kDayMs;

template <typename Test>
int Count(const Events& events, const std::string& name, Test&& test) {
    int n = 0;
    for (const Sent* e : events) n += e->call.name == name && !e->call.robot && test(*e);
    return n;
}
int Count(const Events& events, const std::string& name) {
    return Count(events, name, [](const Sent&) { return true; });
}
int Within(const Events& events, const std::string& name, TimeMs from) {
    return Count(events, name, [&](const Sent& e) { return e.call.time_ms > from; });
}

bool Pro(const Events& events) {
    const Sent* latest = nullptr;
    for (const Sent* e : events) {
        if (e->plan.empty()) continue;
        if (latest == nullptr || e->call.time_ms > latest->call.time_ms) latest = e;
    }
    return latest != nullptr && latest->plan == "pro";
}

double Revenue(const Events& events, TimeMs from) {
    double sum = 0;
    for (const Sent* e : events) {
        if (e->call.name == "Order" && !e->call.robot && e->call.time_ms > from) sum += e->revenue;
    }
    return sum;
}

bool Three(const Events& events, TimeMs now) {
    return Count(events, "Viewed", [&](const Sent& e) {
               return e.call.time_ms > now - kDay && e.price >= 50;
           }) >= 3;
}

bool Twice(const Events& events) { return Count(events, "Viewed") >= 2; }

bool ProNew(const Events& events) { return Pro(events) && !Twice(events); }

}  // namespace

Families::Family& Families::Of(const PersonId& id, model::IdKind kind) {
    auto [it, fresh] = all_.try_emplace(id);
    if (fresh) it->second = {id, false, kind == model::IdKind::kUser, kind};
    return it->second;
}

PersonId Families::Root(const PersonId& id) const {
    auto it = all_.find(id);
    while (it != all_.end() && it->second.parent != it->first) it = all_.find(it->second.parent);
    return it == all_.end() ? id : it->first;
}

void Families::Read(event_log::Log& log) {
    for (model::Offset at = 1; at <= log.End(log.links());) {
        auto batch = log.Read(log.links(), at, 1 << 20);
        CHECK(batch.has_value());
        for (const auto& record : batch->records) {
            at = record.offset + 1;
            identity::LinkCall call;
            if (record.kind != model::RecordKind::kLink ||
                !identity::DecodeCall(record.payload, call)) {
                continue;
            }
            for (const auto& id : call.ids) Of(id.hash, id.kind);
            for (const auto& other : call.ids) {
                const PersonId one = Root(call.ids[0].hash), two = Root(other.hash);
                if (one == two) continue;
                Family &a = all_[one], &b = all_[two];
                if (a.user && b.user && !(call.merge && call.trusted)) continue;
                if (!call.trusted && (a.trusted || b.trusted)) continue;
                Family& stays = a.kind >= b.kind ? a : b;
                Family& goes = a.kind >= b.kind ? b : a;
                goes.parent = stays.parent;
                stays.trusted = stays.trusted || goes.trusted;
                stays.user = stays.user || goes.user;
            }
            for (const auto& id : call.ids) {
                if (call.trusted && id.kind != model::IdKind::kAnonymous) {
                    all_[Root(id.hash)].trusted = true;
                }
            }
        }
    }
}

const std::vector<Question>& Questions() {
    static const std::vector<Question> all = {
        {"twice", "did \"Viewed\" 2+ times",
         [](const Events& e, TimeMs) { return Twice(e); }},
        {"three", "did \"Viewed\" where price >= 50, 3+ times within 1d", Three},
        {"quiet", "not did \"Viewed\" within 2h",
         [](const Events& e, TimeMs now) { return Within(e, "Viewed", now - 2 * kHour) == 0; }},
        {"spent", "sum(revenue) of \"Order\" >= 100",
         [](const Events& e, TimeMs) { return Revenue(e, 0) >= 100; }},
        {"spent lately", "sum(revenue) of \"Order\" within 12h >= 60",
         [](const Events& e, TimeMs now) { return Revenue(e, now - 12 * kHour) >= 60; }},
        {"last long ago", "last \"Order\" more than 6h ago",
         [](const Events& e, TimeMs now) {
             return Count(e, "Order") > 0 && Within(e, "Order", now - 6 * kHour) == 0;
         }},
        {"pro and new", "plan is \"pro\" and not in segment \"twice\"",
         [](const Events& e, TimeMs) { return ProNew(e); }},
        {"nested", "in segment \"three\" or in segment \"pro and new\"",
         [](const Events& e, TimeMs now) { return Three(e, now) || ProNew(e); }},
        {"dear", "max(price) of \"Viewed\" within 1d >= 90",
         [](const Events& e, TimeMs now) {
             return Count(e, "Viewed", [&](const Sent& s) {
                        return s.call.time_ms > now - kDay && s.price >= 90;
                    }) > 0;
         }},
        {"hardly", "did \"Order\" at most 1 times within 1d",
         [](const Events& e, TimeMs now) { return Within(e, "Order", now - kDay) <= 1; }},
        {"newcomer", "first \"Viewed\" within 1d",
         [](const Events& e, TimeMs now) {
             return Count(e, "Viewed") > 0 &&
                    Count(e, "Viewed", [&](const Sent& s) {
                        return s.call.time_ms <= now - kDay;
                    }) == 0;
         }},
        {"from ads", "first_touch.medium is \"cpc\"",
         [](const Events& e, TimeMs) {
             const Sent* first = nullptr;
             for (const Sent* s : e) {
                 if (s->call.medium.empty() || s->call.robot) continue;
                 if (first == nullptr || s->call.time_ms < first->call.time_ms) first = s;
             }
             return first != nullptr && first->call.medium == "cpc";
         }},
        {"everyone", "everyone", [](const Events&, TimeMs) { return true; }},
    };
    return all;
}

}  // namespace sim
