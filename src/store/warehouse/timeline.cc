#include "store/warehouse/timeline.h"

#include <algorithm>

namespace warehouse {
namespace {

TimelineCursor PlaceOf(const Row& row) { return {row.time_ms, row.key()}; }

bool Wanted(const TimelineQuery& query, const Row& row) {
    if (query.before && PlaceOf(row) >= *query.before) return false;
    return query.kinds.empty() ||
           std::find(query.kinds.begin(), query.kinds.end(), row.kind) != query.kinds.end();
}

}  // namespace

base::Result<std::vector<Row>> ReadTimeline(Spool& spool, Warehouse& warehouse,
                                            const TimelineQuery& query) {
    std::vector<Row> rows;
    bool readable = true;
    TRY(spool.ForPersons(query.workspace, query.persons,
                         [&](const EntryHeader&, std::string_view bytes) {
                             Row row;
                             readable = readable && ReadRow(bytes, row);
                             if (readable && Wanted(query, row)) rows.push_back(std::move(row));
                         }));
    if (!readable) return base::Fail(base::ErrorCode::kCorrupt, "a row of the spool is unreadable");
    TRY_ASSIGN(std::vector<Row> stored, warehouse.Timeline(query));
    rows.insert(rows.end(), std::make_move_iterator(stored.begin()),
                std::make_move_iterator(stored.end()));
    std::sort(rows.begin(), rows.end(),
              [](const Row& a, const Row& b) { return PlaceOf(a) > PlaceOf(b); });
    rows.erase(std::unique(rows.begin(), rows.end(),
                           [](const Row& a, const Row& b) { return a.key() == b.key(); }),
               rows.end());
    if (rows.size() > query.limit) rows.resize(query.limit);
    return rows;
}

}  // namespace warehouse
