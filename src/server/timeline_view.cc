#include "server/timeline_view.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/hash.h"
#include "model/event.h"

namespace server {
namespace {

using warehouse::Row;
using warehouse::TimelineCursor;
using warehouse::TimelineQuery;

constexpr uint8_t kCursorVersion = 1;

TimelineCursor PlaceOf(const Row& row) { return {row.time_ms, row.key()}; }

base::Result<std::vector<Row>> SpoolRows(warehouse::Spool& spool, const TimelineQuery& query) {
    std::vector<Row> rows;
    bool readable = true;
    TRY(spool.ForPersons(query.workspace, query.persons,
                         [&](const warehouse::EntryHeader&, std::string_view bytes) {
                             Row row;
                             readable = readable && warehouse::ReadRow(bytes, row);
                             if (!readable || (query.before && PlaceOf(row) >= *query.before)) {
                                 return;
                             }
                             rows.push_back(std::move(row));
                         }));
    if (!readable) return base::Fail(base::ErrorCode::kCorrupt, "a row of the spool is unreadable");
    std::sort(rows.begin(), rows.end(),
              [](const Row& a, const Row& b) { return PlaceOf(a) > PlaceOf(b); });
    if (rows.size() > query.limit) rows.resize(query.limit);
    return rows;
}

base::Result<std::vector<Row>> RowsOf(const Sources& sources, const TimelineQuery& query) {
    if (sources.warehouse != nullptr && sources.spool != nullptr) {
        auto rows = warehouse::ReadTimeline(*sources.spool, *sources.warehouse, query);
        if (rows || rows.error().code != base::ErrorCode::kNotFound) return rows;
        // The warehouse has no table before its first insert: every row is in the spool.
        return SpoolRows(*sources.spool, query);
    }
    if (sources.warehouse != nullptr) return sources.warehouse->Timeline(query);
    if (sources.spool != nullptr) return SpoolRows(*sources.spool, query);
    return std::vector<Row>();
}

std::string_view PropertyOf(const Row& row, std::string_view key) {
    for (size_t i = 0; i < row.prop_key.size(); ++i) {
        if (row.prop_key[i] == key) return row.prop_text[i];
    }
    return {};
}

void WriteProperties(base::JsonWriter& w, const Sources& sources, const Row& row) {
    w.Begin('{');
    for (size_t i = 0; i < row.prop_key.size(); ++i) {
        w.Key(row.prop_key[i]);
        // A value has a text, or it is a number.
        if (row.prop_text[i].empty() && row.prop_num[i] != 0) {
            w.Double(row.prop_num[i]);
        } else {
            w.String(row.prop_text[i]);
        }
    }
    // Facts keep numbers; people want the name that it has now.
    if (const auto id = PropertyOf(row, "segment_id"); !id.empty()) {
        const auto segment =
            sources.catalog.CurrentSegment(row.workspace, catalog::SegmentNumber(id));
        if (segment) w.Key("segment_name").String(segment->name);
    }
    if (const auto id = PropertyOf(row, "journey_id"); !id.empty()) {
        const auto journey =
            sources.catalog.GetJourney(row.workspace, catalog::JourneyNumber(id));
        if (journey) w.Key("journey_name").String(journey->name);
    }
    w.End('}');
}

void WriteSource(base::JsonWriter& w, const model::Source& source) {
    const std::pair<std::string_view, std::string_view> parts[] = {
        {"kind", source.kind},         {"source", source.source},
        {"medium", source.medium},     {"campaign", source.campaign},
        {"term", source.term},         {"content", source.content},
        {"referrer", source.referrer_host}};
    w.Begin('{');
    for (const auto& [key, value] : parts) {
        if (!value.empty()) w.Key(key).String(value);
    }
    w.End('}');
}

void WriteRow(base::JsonWriter& w, const Sources& sources, const Row& row,
              model::EventReader& reader) {
    model::EventView event;
    const bool canonical = row.kind == "event" && reader.ReadCopy(row.payload, event);
    w.Begin('{').Key("id").String(model::ToText(
        model::FactKey{row.partition, row.offset, row.ordinal}));
    w.Key("time").Time(row.time_ms).Key("name").String(row.name).Key("kind").String(row.kind);
    w.Key("properties");
    if (canonical) {
        w.Raw(event.properties_json.empty() ? "{}" : event.properties_json);
    } else {
        WriteProperties(w, sources, row);
    }
    w.Key("source");
    model::Source source = event.source;
    if (!canonical) {
        source.source = row.source;
        source.medium = row.medium;
        source.campaign = row.campaign;
    }
    WriteSource(w, source);
    w.Key("ids").Begin('[');
    for (const auto& id : row.ids) w.String(id);
    w.End(']').End('}');
}

}  // namespace

std::string TimelineCursorText(const TimelineCursor& cursor) {
    std::string bytes;
    base::ByteWriter w(bytes);
    w.U8(kCursorVersion);
    w.Signed(cursor.time_ms);
    w.U16(cursor.key.partition);
    w.U64(cursor.key.offset);
    w.U32(cursor.key.ordinal);
    return base::Base64UrlEncode(bytes);
}

base::Result<TimelineCursor> ReadTimelineCursor(std::string_view text) {
    std::string bytes;
    TimelineCursor cursor;
    if (!base::Base64Decode(text, bytes)) return base::Invalid("no cursor of a timeline", "cursor");
    base::ByteReader in(bytes);
    const uint8_t version = in.U8();
    cursor.time_ms = in.Signed();
    cursor.key.partition = in.U16();
    cursor.key.offset = in.U64();
    cursor.key.ordinal = in.U32();
    if (version != kCursorVersion || !in.ok() || !in.done()) {
        return base::Invalid("no cursor of a timeline", "cursor");
    }
    return cursor;
}

base::Result<std::string> TimelineBody(const Sources& sources, TimelineQuery query) {
    const size_t limit = query.limit;
    query.limit = limit + 1;   // One more tells whether there is a next page.
    TRY_ASSIGN(std::vector<Row> rows, RowsOf(sources, query));
    const bool more = rows.size() > limit;
    if (more) rows.resize(limit);
    model::EventReader reader;
    std::string body;
    base::JsonWriter w(body);
    w.Begin('{').Key("events").Begin('[');
    for (const Row& row : rows) WriteRow(w, sources, row, reader);
    w.End(']').Key("next_cursor");
    if (more) w.String(TimelineCursorText(PlaceOf(rows.back()))); else w.Null();
    w.End('}');
    return body;
}

}  // namespace server
