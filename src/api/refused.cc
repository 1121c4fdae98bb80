#include "api/resources.h"

namespace api {
namespace {

base::Status List(Call& call) {
    TRY(CheckParameters(call.request, {"limit", "cursor"}));
    TRY_ASSIGN(const Page page, ReadPage(call.request));
    Reply(call.respond, call.services.refused.List(call.workspace, page.limit, page.cursor));
    return {};
}

}  // namespace

void ListRefused(Call&& call) { Run(call, List); }

}  // namespace api
