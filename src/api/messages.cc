#include "api/resources.h"

namespace api {
namespace {

base::Status List(Call& call) {
    TRY(CheckParameters(call.request, {"person_id", "journey_id", "limit", "cursor"}));
    TRY_ASSIGN(Page page, ReadPage(call.request));
    std::optional<model::PersonId> person;
    const std::string_view person_id = call.request.query.Get("person_id");
    if (!person_id.empty()) {
        model::PersonId id;
        if (!model::FromText(person_id, id)) {
            return base::Invalid("This is not the id of a person.", "person_id");
        }
        person = id;
    }
    uint32_t journey = 0;
    const std::string_view journey_id = call.request.query.Get("journey_id");
    if (!journey_id.empty()) {
        journey = catalog::JourneyNumber(journey_id);
        if (journey == 0) return base::Invalid("This is not the id of a journey.", "journey_id");
        // Another workspace's number must not be told from one that does not exist.
        if (!call.services.catalog.GetJourney(call.workspace, journey)) {
            return tl::make_unexpected(NotFound("journey"));
        }
    }
    call.services.queries.Messages(call.workspace, person, journey, std::move(page),
                                   ReplyTo(call.respond));
    return {};
}

base::Status Release(Call& call) {
    TRY(CheckParameters(call.request, {}));
    if (!call.request.body.empty()) TRY(Body::Parse(call.request, {}));
    if (call.services.release_letters) call.services.release_letters();
    ReplyNothing(call.respond, {});
    return {};
}

}  // namespace

void ListMessages(Call&& call) { Run(call, List); }
void ReleaseLetters(Call&& call) { Run(call, Release); }

}  // namespace api
