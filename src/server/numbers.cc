#include "server/numbers.h"

namespace server {

using model::WorkspaceId;

void Numbers::Add(const Numbers& other) {
    persons += other.persons;
    known += other.known;
    on_site += other.on_site;
    events += other.events;
    events_24h += other.events_24h;
    waiting += other.waiting;
    week.sent += other.week.sent;
    week.opened += other.week.opened;
    week.clicked += other.week.clicked;
    for (size_t i = 0; i < days.size(); ++i) {
        days[i].day = std::max(days[i].day, other.days[i].day);
        days[i].events += other.days[i].events;
        days[i].visitors += other.days[i].visitors;
        days[i].new_persons += other.days[i].new_persons;
        days[i].sent += other.days[i].sent;
    }
    for (const auto& [segment, members] : other.segments) segments[segment] += members;
    for (const auto& [number, theirs] : other.journeys) {
        JourneyTally& journey = journeys[number];
        journey.in_it += theirs.in_it;
        journey.sent += theirs.sent;
        journey.goal += theirs.goal;
    }
}

Numbers NumbersOf(const PersonFold& fold, WorkspaceId workspace, base::TimeMs now,
                  const std::vector<uint32_t>& segments) {
    Numbers n;
    const auto today = static_cast<uint32_t>(now / base::kDayMs);
    for (size_t i = 0; i < n.days.size(); ++i) {
        n.days[i].day = today - static_cast<uint32_t>(n.days.size() - 1 - i);
    }
    for (const uint32_t segment : segments) {
        const Roaring* const members = fold.Members(segment);
        if (members != nullptr) n.segments[segment] = static_cast<int64_t>(members->cardinality());
    }
    const WorkspaceTally* const tally = fold.tally().Find(workspace);
    if (tally == nullptr) return n;
    n.persons = tally->persons;
    n.known = tally->known;
    n.on_site = tally->OnSite(now);
    n.events = tally->events;
    n.events_24h = tally->EventsOfADay(now);
    n.waiting = tally->waiting;
    n.week = tally->Week(now);
    for (DayTally& day : n.days) {
        if (const DayTally* const found = tally->Day(day.day)) day = *found;
    }
    n.journeys = tally->journeys;
    return n;
}

namespace {

int64_t MembersOf(const Numbers& numbers, uint32_t segment) {
    const auto it = numbers.segments.find(segment);
    return it == numbers.segments.end() ? 0 : it->second;
}

// The fields of an object that was begun.
void WriteJourney(base::JsonWriter& w, const Numbers& numbers, uint32_t journey) {
    const auto it = numbers.journeys.find(journey);
    const JourneyTally tally = it == numbers.journeys.end() ? JourneyTally() : it->second;
    w.Key("in_it").Int(tally.in_it).Key("sent").Int(tally.sent).Key("goal").Int(tally.goal);
}

void WriteDays(base::JsonWriter& w, const Numbers& numbers) {
    w.Key("days").Begin('[');
    for (const DayTally& day : numbers.days) {
        const std::string iso = base::FormatIso(day.day * base::kDayMs);
        w.Begin('{').Key("day").String(std::string_view(iso).substr(0, 10));
        w.Key("events").Int(day.events).Key("visitors").Int(day.visitors);
        w.Key("new_persons").Int(day.new_persons).Key("letters").Int(day.sent).End('}');
    }
    w.End(']');
}

}  // namespace

std::string HomeBody(const Numbers& n, const catalog::Catalog& catalog, WorkspaceId workspace) {
    const auto segments = catalog.Segments(workspace);
    const auto journeys = catalog.Journeys(workspace);
    bool published = false;
    std::string body;
    base::JsonWriter w(body);
    w.Begin('{').Key("persons").Int(n.persons).Key("known").Int(n.known);
    w.Key("on_site").Int(n.on_site).Key("events_24h").Int(n.events_24h);
    w.Key("letters").Begin('{').Key("waiting").Int(n.waiting).Key("sent_7d").Int(n.week.sent);
    w.Key("opened_7d").Int(n.week.opened).Key("clicked_7d").Int(n.week.clicked).End('}');
    w.Key("segments").Begin('[');
    for (const auto& segment : segments) {
        w.Begin('{').Key("id").String(catalog::SegmentId(segment->number));
        w.Key("name").String(segment->name);
        w.Key("count").Int(MembersOf(n, segment->number)).End('}');
    }
    w.End(']').Key("journeys").Begin('[');
    for (const auto& journey : journeys) {
        published = published || journey.published != 0;
        w.Begin('{').Key("id").String(catalog::JourneyId(journey.number));
        w.Key("name").String(journey.name);
        WriteJourney(w, n, journey.number);
        w.End('}');
    }
    w.End(']');
    WriteDays(w, n);
    w.Key("checklist").Begin('{').Key("first_event").Bool(n.events > 0);
    w.Key("identified").Bool(n.known > 0).Key("segment").Bool(!segments.empty());
    w.Key("journey").Bool(published).End('}').End('}');
    return body;
}

std::string CountsBody(const Numbers& n, const catalog::Catalog& catalog, WorkspaceId workspace) {
    std::string body;
    base::JsonWriter w(body);
    w.Begin('{').Key("persons").Int(n.persons).Key("on_site").Int(n.on_site);
    w.Key("events_total").Int(n.events).Key("segments").Begin('{');
    for (const auto& segment : catalog.Segments(workspace)) {
        w.Key(catalog::SegmentId(segment->number)).Int(MembersOf(n, segment->number));
    }
    w.End('}').Key("journeys").Begin('{');
    for (const auto& journey : catalog.Journeys(workspace)) {
        w.Key(catalog::JourneyId(journey.number)).Begin('{');
        WriteJourney(w, n, journey.number);
        w.End('}');
    }
    w.End('}').End('}');
    return body;
}

}  // namespace server
