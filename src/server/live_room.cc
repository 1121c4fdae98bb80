#include "server/live_room.h"

#include <algorithm>

#include "flow/profile/profile.h"
#include "net/websocket/frame.h"

namespace server {

using api::LiveScreenPtr;
using api::LiveTopic;
using model::PersonId;
using std::chrono::milliseconds;

namespace {

constexpr size_t kFrameBytesMax = limits::kSocketMessageBytesMax - 1024;
constexpr size_t kPageBytesMax = 200;
constexpr size_t kHereMax = 50 * limits::kLiveVisitorsMax;   // Known; the longest unseen go.

std::shared_ptr<const std::string> FrameOf(std::string_view json) {
    return std::make_shared<const std::string>(websocket::Frame(websocket::Opcode::kText, json));
}

// At a character's border.
std::string Cut(std::string_view text, size_t bytes_max) {
    size_t size = std::min(text.size(), bytes_max);
    while (size > 0 && size < text.size() && (static_cast<uint8_t>(text[size]) & 0xc0) == 0x80) {
        --size;
    }
    return std::string(text.substr(0, size));
}

void WriteText(base::JsonWriter& w, std::string_view key, std::string_view text) {
    w.Key(key);
    if (text.empty()) {
        w.Null();
    } else {
        w.String(text);
    }
}

}  // namespace

void Room::Enter(const LiveScreenPtr& screen, LiveTopic topic) {
    // Who comes sees at once what is so now.
    if (topic == LiveTopic::kCounts && counts_.insert(screen).second) {
        fresh_counts_.insert(screen);
        counts_at_ = {};
    }
    if (topic == LiveTopic::kEvents) events_.insert(screen);
    if (topic == LiveTopic::kVisitors && visitors_.insert(screen).second) {
        fresh_visitors_.insert(screen);
        visitors_at_ = {};
    }
}

void Room::Leave(const LiveScreenPtr& screen, LiveTopic topic) {
    if (topic == LiveTopic::kCounts) {
        counts_.erase(screen);
        fresh_counts_.erase(screen);
    }
    if (topic == LiveTopic::kEvents) {
        events_.erase(screen);
        if (events_.empty()) {
            tail_.clear();
            tail_at_ = skipped_ = 0;
        }
    }
    if (topic == LiveTopic::kVisitors) {
        visitors_.erase(screen);
        fresh_visitors_.erase(screen);
        if (visitors_.empty()) {
            here_.clear();
            past_read_ = false;
        }
    }
}

Room::SteadyTime Room::NextDue() const {
    SteadyTime due = SteadyTime::max();
    if (!counts_.empty()) due = std::min(due, counts_at_);
    if (WantsTail()) due = std::min(due, events_at_);
    if (!visitors_.empty()) due = std::min(due, visitors_at_);
    return due;
}

void Room::ShowTopic(std::string_view topic, const std::string& body, std::string& last,
                     const Screens& all, Screens& fresh) {
    const bool changed = body != last;
    if (!changed && fresh.empty()) return;
    std::string json = "{\"topic\":\"";
    json.append(topic).append("\",\"data\":").append(body).append("}");
    const auto frame = FrameOf(json);
    for (const auto& screen : changed ? all : fresh) screen->Show(frame);
    fresh.clear();
    last = body;
}

void Room::ShowCounts(const std::string& body, SteadyTime now) {
    ShowTopic("counts", body, last_counts_, counts_, fresh_counts_);
    counts_at_ = now + milliseconds(limits::kLiveCountsMs);
}

// --- events ------------------------------------------------------------------------------------

void Room::AddEvent(const TailRecord& tail) {
    if (events_.empty()) return;
    if (tail_.size() < limits::kLiveEventsPerFrameMax) {
        tail_.push_back({tail, std::string(tail.event)});
        return;
    }
    Kept& oldest = tail_[tail_at_++ % tail_.size()];
    oldest.tail = tail;
    oldest.bytes.assign(tail.event);
    ++skipped_;
}

void Room::ShowEvents(model::EventReader& reader, const identity::LinkMap& links, SteadyTime now) {
    if (now < events_at_) return;
    events_at_ = now + milliseconds(limits::kLiveFrameMs);
    if (events_.empty() || (tail_.empty() && skipped_ == 0)) return;
    std::sort(tail_.begin(), tail_.end(), [](const Kept& a, const Kept& b) {
        return IsLater(a.tail.record, b.tail.record);
    });
    std::string json = "{\"topic\":\"events\",\"data\":[";
    bool first = true;
    for (Kept& kept : tail_) {
        std::string one;
        base::JsonWriter w(one);
        kept.tail.event = kept.bytes;
        if (!WriteTailEvent(w, kept.tail, reader, links)) continue;
        if (json.size() + one.size() + 1 > kFrameBytesMax) {
            ++skipped_;
            continue;
        }
        if (!first) json.push_back(',');
        first = false;
        json += one;
    }
    json += "],\"skipped\":" + std::to_string(skipped_) + "}";
    const auto frame = FrameOf(json);
    for (const auto& screen : events_) screen->Show(frame);
    tail_.clear();
    tail_at_ = skipped_ = 0;
}

// --- visitors ----------------------------------------------------------------------------------

void Room::AddVisit(const TailRecord& tail, model::EventReader& reader,
                    const identity::LinkMap& links) {
    model::EventView event;
    if (!reader.ReadCopy(tail.event, event) || !IsVisit(event)) return;
    const base::TimeMs now = tail.record.time_ms;
    Visitor& visitor = here_[links.Root(tail.record.person)];
    const bool visit_began = visitor.seen == 0 || now - visitor.seen > profile::kVisitIdleMs;
    if (visit_began) visitor = Visitor{now, now, {}, {}, {}, {}};
    visitor.seen = std::max(visitor.seen, now);
    std::string_view page = event.page.path;
    if (page.empty()) page = event.page.url;
    if (page.empty() && event.type == model::EventType::kScreen) page = event.name;
    if (!page.empty()) visitor.page = Cut(page, kPageBytesMax);
    if (!event.place.country.empty()) visitor.country = event.place.country;
    if (!event.place.city.empty()) visitor.city = event.place.city;
    const auto& source = event.source;
    if (visitor.source.empty() && source.kind != "internal" && source.kind != "direct") {
        visitor.source = Cut(source.source.empty() ? source.kind : source.source, kPageBytesMax);
    }
}

Visitors Room::Here(base::TimeMs time, const identity::LinkMap& links) {
    // By whom they are now; of one who was joined the later act counts.
    std::map<PersonId, Visitor> now_here;
    for (auto& [id, visitor] : here_) {
        if (visitor.seen <= time - limits::kOnSiteMs) continue;
        Visitor& there = now_here[links.Root(id)];
        const base::TimeMs since =
            there.seen == 0 ? visitor.since : std::min(there.since, visitor.since);
        if (visitor.seen > there.seen) there = std::move(visitor);
        there.since = since;
    }
    here_ = std::move(now_here);
    Visitors here(here_.begin(), here_.end());
    std::sort(here.begin(), here.end(), [](const auto& a, const auto& b) {
        return std::pair(a.second.seen, a.first) > std::pair(b.second.seen, b.first);
    });
    for (size_t i = kHereMax; i < here.size(); ++i) here_.erase(here[i].first);
    if (here.size() > limits::kLiveVisitorsMax) here.resize(limits::kLiveVisitorsMax);
    return here;
}

void Room::ShowVisitors(const Visitors& here, const std::map<PersonId, std::string>& names,
                        SteadyTime now) {
    std::string body = "[";
    for (const auto& [id, visitor] : here) {
        std::string one;
        base::JsonWriter w(one);
        const auto name = names.find(id);
        w.Begin('{').Key("person_id").String(model::ToText(id));
        WriteText(w, "name",
                  name == names.end() ? std::string() : Cut(name->second, kPageBytesMax));
        w.Key("page").String(visitor.page);
        w.Key("since").Time(visitor.since).Key("seen").Time(visitor.seen);
        WriteText(w, "country", visitor.country);
        WriteText(w, "city", visitor.city);
        WriteText(w, "source", visitor.source);
        w.End('}');
        if (body.size() + one.size() + 64 > kFrameBytesMax) break;
        if (body.size() > 1) body.push_back(',');
        body += one;
    }
    body += "]";
    ShowTopic("visitors", body, last_visitors_, visitors_, fresh_visitors_);
    visitors_at_ = now + milliseconds(limits::kLiveCountsMs);
}

}  // namespace server
