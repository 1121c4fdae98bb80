#include "server/names_seen.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json.h"
#include "base/limits.h"

namespace server {
namespace {

// What a visit tells of a person (flow/profile), in every workspace.
constexpr std::string_view kOwnAttributes[] = {"country", "region",  "city",     "device",
                                               "os",      "browser", "language", "timezone"};

struct PropertySeen {
    std::string event, name, type;
};

// Every value of a property reads as a number, or as true or false, or it is text.
std::string PropertiesSql(const std::string& where) {
    return "SELECT name, k, multiIf(countIf(t = 'true' OR t = 'false') = count(), 'boolean', "
           "countIf(n != 0 OR t = '0') = count(), 'number', 'text') "
           "FROM w.events ARRAY JOIN prop_key AS k, prop_text AS t, prop_num AS n WHERE " +
           where + " GROUP BY name, k ORDER BY count() DESC, name, k LIMIT " +
           std::to_string(limits::kNamesSeenMax) + " FORMAT RowBinary";
}

std::vector<PropertySeen> ReadProperties(std::string_view rows) {
    std::vector<PropertySeen> all;
    base::ByteReader in(rows);
    while (in.ok() && !in.done()) {
        PropertySeen& seen = all.emplace_back();
        seen.event = in.Text();
        seen.name = in.Text();
        seen.type = in.Text();
    }
    if (!in.ok() && !all.empty()) all.pop_back();
    return all;
}

}  // namespace

std::string NamesBody(const Sources& sources, model::WorkspaceId workspace) {
    std::string events, properties;
    if (sources.warehouse != nullptr) {
        // Numbers only: nothing of a request gets into the text.
        const std::string where =
            "workspace = " + std::to_string(workspace) + " AND kind = 'event' AND time >= " +
            std::to_string(sources.clock.Now() - limits::kNamesSeenMs);
        events = sources.warehouse
                     ->QueryAll("SELECT name, count() FROM w.events WHERE " + where +
                                    " GROUP BY name ORDER BY count() DESC, name LIMIT " +
                                    std::to_string(limits::kNamesSeenMax) + " FORMAT RowBinary",
                                limits::kNamesSeenBytesMax)
                     .value_or("");
        properties = sources.warehouse->QueryAll(PropertiesSql(where), limits::kNamesSeenBytesMax)
                         .value_or("");
    }
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("events").Begin('[');
    base::ByteReader in(events);
    while (!in.done()) {
        const std::string_view name = in.Text();
        const uint64_t count = in.U64();
        if (!in.ok()) break;
        w.Begin('{').Key("name").String(name);
        w.Key("count").Int(static_cast<int64_t>(count)).End('}');
    }
    w.End(']').Key("attributes").Begin('[');
    const auto attribute = [&](std::string_view name, std::string_view type) {
        w.Begin('{').Key("name").String(name).Key("type").String(type).End('}');
    };
    const auto seen = ReadProperties(properties);
    const auto tells_attributes = [](const PropertySeen& p) {
        return p.event == "Identify" || p.event == "Group";
    };
    std::vector<std::string_view> written(std::begin(kOwnAttributes), std::end(kOwnAttributes));
    for (const auto& p : seen) {
        if (!tells_attributes(p) ||
            std::find(written.begin(), written.end(), p.name) != written.end()) {
            continue;
        }
        attribute(p.name, p.type);
        written.push_back(p.name);
    }
    for (const std::string_view name : kOwnAttributes) attribute(name, "text");
    w.End(']').Key("properties").Begin('[');
    for (const auto& p : seen) {
        if (tells_attributes(p)) continue;
        w.Begin('{').Key("event").String(p.event).Key("name").String(p.name);
        w.Key("type").String(p.type).End('}');
    }
    w.End(']').End('}');
    return out;
}

}  // namespace server
