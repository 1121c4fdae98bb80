// What Home shows, and the events received last.

#include "api/resources.h"

namespace api {
namespace {

base::Status Home(Call& call) {
    TRY(CheckParameters(call.request, {}));
    call.services.queries.Home(call.workspace, ReplyTo(call.respond));
    return {};
}

base::Status Recent(Call& call) {
    TRY(CheckParameters(call.request, {"limit"}));
    TRY_ASSIGN(const Page page, ReadPage(call.request));
    call.services.queries.RecentEvents(call.workspace, page.limit, ReplyTo(call.respond));
    return {};
}

base::Status Names(Call& call) {
    TRY(CheckParameters(call.request, {}));
    call.services.queries.Names(call.workspace, ReplyTo(call.respond));
    return {};
}

}  // namespace

void GetNames(Call&& call) { Run(call, Names); }
void GetHome(Call&& call) { Run(call, Home); }
void ListRecentEvents(Call&& call) { Run(call, Recent); }

}  // namespace api
