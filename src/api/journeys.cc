#include <algorithm>

#include "api/resources.h"
#include "base/json.h"

namespace api {
namespace {

using Numbers = std::map<uint32_t, JourneyNumbers>;

// `numbers`: nullptr leaves them out, in the answers to changes.
void WriteHead(base::JsonWriter& w, const catalog::JourneyHead& head,
               const JourneyNumbers* numbers = nullptr) {
    w.Begin('{').Key("id").String(catalog::JourneyId(head.number));
    w.Key("name").String(head.name).Key("version").Int(head.version);
    w.Key("state").String(head.published == 0 ? "idle" : "running");
    w.Key("published_version");
    if (head.published == 0) {
        w.Null();
    } else {
        w.Int(head.published);
    }
    w.Key("changed").Time(head.changed_ms);
    if (numbers != nullptr) {
        w.Key("in_it").Int(numbers->in_it).Key("sent").Int(numbers->sent);
        w.Key("goal").Int(numbers->goal);
    }
    w.Key("definition").Raw(head.body).End('}');
}

std::string HeadJson(const catalog::JourneyHead& head, const JourneyNumbers* numbers = nullptr) {
    std::string out;
    base::JsonWriter w(out);
    WriteHead(w, head, numbers);
    return out;
}

JourneyNumbers NumbersOf(const Numbers& all, uint32_t journey) {
    const auto it = all.find(journey);
    return it == all.end() ? JourneyNumbers() : it->second;
}

// Adds the numbers and answers; `head` is asked again, after them.
void AnswerWithNumbers(Call& call, uint32_t number) {
    call.services.queries.NumbersOfJourneys(
        call.workspace, [&catalog = call.services.catalog, workspace = call.workspace, number,
                         respond = call.respond](base::Result<Numbers> numbers) {
            if (!numbers) return Reply(respond, tl::make_unexpected(std::move(numbers.error())));
            const auto head = catalog.GetJourney(workspace, number);
            if (!head) return Reply(respond, tl::make_unexpected(head.error()));
            const JourneyNumbers own = NumbersOf(*numbers, number);
            Reply(respond, HeadJson(*head, &own));
        });
}

base::Result<std::string> HeadJson(base::Result<catalog::JourneyHead> head) {
    if (!head) return tl::make_unexpected(std::move(head.error()));
    return HeadJson(*head);
}

base::Result<uint32_t> PathJourney(const Call& call) {
    const uint32_t number = catalog::JourneyNumber(call.id);
    if (number == 0 || !call.services.catalog.GetJourney(call.workspace, number)) {
        return tl::make_unexpected(NotFound("journey"));
    }
    return number;
}

std::string ListBody(const std::vector<catalog::JourneyHead>& heads, const Numbers& numbers,
                     uint32_t after, int limit) {
    std::string out;
    base::JsonWriter w(out);
    w.Begin('{').Key("journeys").Begin('[');
    std::string next;
    uint32_t last = 0;
    for (const auto& head : heads) {
        if (head.number <= after) continue;
        if (limit-- == 0) {
            next = catalog::JourneyId(last);
            break;
        }
        last = head.number;
        const JourneyNumbers own = NumbersOf(numbers, head.number);
        WriteHead(w, head, &own);
    }
    w.End(']').Key("next_cursor");
    if (next.empty()) {
        w.Null();
    } else {
        w.String(next);
    }
    w.End('}');
    return out;
}

base::Status List(Call& call) {
    TRY(CheckParameters(call.request, {"limit", "cursor"}));
    TRY_ASSIGN(const Page page, ReadPage(call.request));
    uint32_t after = 0;
    if (!page.cursor.empty()) {
        after = catalog::JourneyNumber(page.cursor);
        if (after == 0) return base::Invalid("This is not a cursor of this list.", "cursor");
    }
    call.services.queries.NumbersOfJourneys(
        call.workspace,
        [&catalog = call.services.catalog, workspace = call.workspace, limit = page.limit, after,
         respond = call.respond](base::Result<Numbers> numbers) {
            if (!numbers) return Reply(respond, tl::make_unexpected(std::move(numbers.error())));
            Reply(respond, ListBody(catalog.Journeys(workspace), *numbers, after, limit));
        });
    return {};
}

// The catalog reads the definition itself, with the path of what is wrong in it.
base::Status Save(Call& call, uint32_t number, uint32_t version, int status) {
    TRY(Inflate(call.request));
    ChangeDefinition(call, status,
                     [&catalog = call.services.catalog, workspace = call.workspace, number,
                      version, body = std::move(call.request.body)] {
                         return HeadJson(catalog.SaveJourney(workspace, number, body, version));
                     });
    return {};
}

base::Status Create(Call& call) {
    TRY(CheckParameters(call.request, {}));
    return Save(call, 0, 0, 201);
}

base::Status Put(Call& call) {
    TRY(CheckParameters(call.request, {"version"}));
    TRY_ASSIGN(const uint32_t number, PathJourney(call));
    TRY_ASSIGN(const uint32_t version, ReadVersion(call.request));
    return Save(call, number, version, 200);
}

base::Status One(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const uint32_t number, PathJourney(call));
    AnswerWithNumbers(call, number);
    return {};
}

// A body, when there is one, has no fields.
base::Status NoFields(Call& call) {
    if (call.request.body.empty()) return {};
    TRY(Body::Parse(call.request, {}));
    return {};
}

base::Status Publish(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const uint32_t number, PathJourney(call));
    TRY(NoFields(call));
    ChangeDefinition(call, 200,
                     [&catalog = call.services.catalog, workspace = call.workspace, number] {
                         return HeadJson(catalog.PublishJourney(workspace, number));
                     });
    return {};
}

base::Status Stop(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const uint32_t number, PathJourney(call));
    TRY(NoFields(call));
    ChangeDefinition(call, 200,
                     [&catalog = call.services.catalog, workspace = call.workspace,
                      number]() -> base::Result<std::string> {
                         TRY(catalog.StopJourney(workspace, number));
                         return HeadJson(catalog.GetJourney(workspace, number));
                     });
    return {};
}

}  // namespace

void ListJourneys(Call&& call) { Run(call, List); }
void CreateJourney(Call&& call) { Run(call, Create); }
void GetJourney(Call&& call) { Run(call, One); }
void PutJourney(Call&& call) { Run(call, Put); }
void PublishJourney(Call&& call) { Run(call, Publish); }
void StopJourney(Call&& call) { Run(call, Stop); }

}  // namespace api
