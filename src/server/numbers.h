// The numbers of a workspace, added up over the partitions: for Home, the live stream and the list
// of journeys.
#pragma once

#include <array>
#include <map>
#include <string>
#include <vector>

#include "base/json.h"
#include "catalog/catalog.h"
#include "server/person_fold.h"

namespace server {

struct Numbers {
    int64_t persons = 0;
    int64_t known = 0;
    int64_t on_site = 0;
    int64_t events = 0;
    int64_t events_24h = 0;
    int64_t waiting = 0;
    DayTally week;                                      // sent, opened, clicked.
    std::array<DayTally, limits::kHomeDays> days{};     // The last is today.
    std::map<uint32_t, int64_t> segments;               // Members, of those asked for.
    std::map<uint32_t, JourneyTally> journeys;

    void Add(const Numbers& other);
};

// Of one partition, on its thread.
Numbers NumbersOf(const PersonFold& fold, model::WorkspaceId workspace, base::TimeMs now,
                  const std::vector<uint32_t>& segments);

// The body of GET /api/v1/home.
std::string HomeBody(const Numbers& numbers, const catalog::Catalog& catalog,
                     model::WorkspaceId workspace);
// The data of the topic "counts".
std::string CountsBody(const Numbers& numbers, const catalog::Catalog& catalog,
                       model::WorkspaceId workspace);

}  // namespace server
