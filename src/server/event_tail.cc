#include "server/event_tail.h"

#include <algorithm>

#include "base/limits.h"
#include "server/payload.h"

namespace server {

using model::Offset;
using model::RecordKind;

namespace {

constexpr size_t kReadBytes = 256 * 1024;

void WriteText(base::JsonWriter& w, std::string_view key, std::string_view text) {
    w.Key(key);
    if (text.empty()) {
        w.Null();
    } else {
        w.String(text);
    }
}

}  // namespace

bool IsShownEvent(const model::Record& record, std::string_view& event) {
    if (record.kind == RecordKind::kEvent) {
        event = record.payload;
        return true;
    }
    if (record.kind != RecordKind::kForwarded) return false;
    Envelope envelope;
    if (!ReadEnvelope(record.payload, envelope) || envelope.kind != RecordKind::kEvent) {
        return false;
    }
    // The view of the envelope points into the payload. Others' acts were shown where they came.
    event = envelope.payload;
    return event.find(R"(,"key":"server")") != std::string_view::npos;
}

Offset ReadTail(event_log::Log& log, model::StreamId stream, Offset from, Offset to,
                size_t bytes_max, std::vector<std::shared_ptr<const void>>& hold,
                const std::function<bool(const model::Record&)>& visit) {
    Offset last = from - 1;
    size_t bytes = 0;
    while (last < to && bytes < bytes_max) {
        auto batch = log.Read(stream, last + 1, kReadBytes);
        if (!batch) {
            const auto sound = log.SkipRot(stream, last + 1);
            if (!sound || *sound <= last + 1) return last;
            last = *sound - 1;
            continue;
        }
        if (batch->records.empty()) return last;
        for (auto& each : batch->hold) hold.push_back(std::move(each));
        for (const auto& record : batch->records) {
            if (record.offset > to) return last;
            last = record.offset;
            bytes += record.payload.size();
            if (!visit(record)) return last;
        }
    }
    return last;
}

bool IsVisit(const model::EventView& event) {
    if (event.is_bot || event.import || event.source_key == "server") return false;
    return event.type == model::EventType::kPage || event.type == model::EventType::kScreen ||
           (!event.anonymous_id.empty() && event.trust != model::Trust::kSecret);
}

bool WriteTailEvent(base::JsonWriter& w, const TailRecord& tail, model::EventReader& reader,
                    const identity::LinkMap& links) {
    model::EventView event;
    if (!reader.ReadCopy(tail.event, event)) return false;
    const model::Record& record = tail.record;
    if (record.kind == RecordKind::kForwarded && event.source_key != "server") return false;
    w.Begin('{');
    w.Key("id").String(model::ToText(model::FactKey{record.stream, record.offset, 0}));
    w.Key("time").Time(event.time_ms).Key("received").Time(record.time_ms);
    w.Key("name").String(event.name).Key("type").String(model::EventTypeName(event.type));
    w.Key("person_id").String(model::ToText(links.Root(record.person)));
    WriteText(w, "user_id", event.user_id);
    WriteText(w, "anonymous_id", event.anonymous_id);
    w.Key("source").Begin('{');
    const auto& source = event.source;
    const std::pair<std::string_view, std::string_view> parts[] = {
        {"kind", source.kind},         {"source", source.source},
        {"medium", source.medium},     {"campaign", source.campaign},
        {"term", source.term},         {"content", source.content},
        {"referrer", source.referrer_host}};
    for (const auto& [key, value] : parts) {
        if (!value.empty()) w.Key(key).String(value);
    }
    w.End('}').Key("properties");
    w.Raw(event.properties_json.empty() ? "{}" : event.properties_json).End('}');
    return true;
}

namespace {

// The last `limit` shown events of one partition, in no order.
void LastEvents(event_log::Log& log, model::WorkspaceId workspace, model::StreamId stream,
                const FoldedEnd& end, size_t limit,
                std::vector<std::shared_ptr<const void>>& hold, std::vector<TailRecord>& into) {
    // Most records are events of few workspaces: what is needed is mostly found in the first step.
    const Offset begin = std::max<Offset>(log.Begin(stream), 1);
    Offset upto = end.applied;
    size_t looked = 0, found = 0;
    for (size_t step = limit + 64; upto >= begin && looked < limits::kRecentRecordsMax;
         step *= 2) {
        const size_t now = std::min(step, limits::kRecentRecordsMax - looked);
        const Offset from = upto - begin < now ? begin : upto - now + 1;
        std::vector<TailRecord> some;
        ReadTail(log, stream, from, upto, SIZE_MAX, hold, [&](const model::Record& record) {
            TailRecord tail{record, {}};
            if (record.workspace == workspace && IsShownEvent(record, tail.event) &&
                std::find(end.dropped.begin(), end.dropped.end(), record.offset) ==
                    end.dropped.end()) {
                some.push_back(tail);
            }
            return true;
        });
        const size_t wanted = std::min(some.size(), limit - found);
        into.insert(into.end(), some.end() - static_cast<ptrdiff_t>(wanted), some.end());
        found += wanted;
        looked += now;
        if (found == limit || from == begin) return;
        upto = from - 1;
    }
}

}  // namespace

std::string RecentEventsBody(event_log::Log& log, const identity::LinkMap& links,
                             model::WorkspaceId workspace, const std::vector<FoldedEnd>& ends,
                             size_t limit) {
    std::vector<std::shared_ptr<const void>> hold;
    std::vector<TailRecord> found;
    for (size_t p = 0; p < ends.size(); ++p) {
        LastEvents(log, workspace, static_cast<model::StreamId>(p), ends[p], limit, hold, found);
    }
    std::sort(found.begin(), found.end(), [](const TailRecord& a, const TailRecord& b) {
        return IsLater(a.record, b.record);
    });
    if (found.size() > limit) found.resize(limit);
    std::string body;
    base::JsonWriter w(body);
    model::EventReader reader;
    w.Begin('{').Key("events").Begin('[');
    for (const TailRecord& tail : found) WriteTailEvent(w, tail, reader, links);
    w.End(']').End('}');
    return body;
}

}  // namespace server
