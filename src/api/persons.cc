#include "api/resources.h"
#include "model/ids.h"

namespace api {
namespace {

struct Order {
    std::string_view name;
    PersonSort sort;
};
constexpr Order kOrders[] = {
    {"last_seen", PersonSort::kLastSeen},
    {"first_seen", PersonSort::kFirstSeen},
    {"name", PersonSort::kName},
    {"email", PersonSort::kEmail},
};

struct Sorting {
    PersonSort sort = PersonSort::kLastSeen;
    bool descending = true;
};

base::Result<Sorting> ReadSort(std::string_view text) {
    if (text.empty()) return Sorting{};
    const bool descending = text.front() == '-';
    if (descending) text.remove_prefix(1);
    for (const Order& order : kOrders) {
        if (order.name == text) return Sorting{order.sort, descending};
    }
    return base::Invalid(
        "sort is last_seen, first_seen, name or email, with a - before it for descending.", "sort");
}

struct Kind {
    std::string_view parameter;
    model::IdKind kind;
};
constexpr Kind kKinds[] = {
    {"user_id", model::IdKind::kUser},
    {"email", model::IdKind::kEmail},
    {"anonymous_id", model::IdKind::kAnonymous},
};

base::Status List(Call& call) {
    TRY(CheckParameters(call.request, {"condition", "sort", "limit", "cursor"}));
    TRY_ASSIGN(Page page, ReadPage(call.request));
    TRY_ASSIGN(const Sorting sorting, ReadSort(call.request.query.Get("sort")));
    condition::ExpressionPtr condition;
    const std::string_view text = call.request.query.Get("condition");
    if (!text.empty()) {
        TRY_ASSIGN(condition, ParseCondition(text, "condition"));
    }
    call.services.queries.Persons(call.workspace, std::move(condition), sorting.sort,
                                  sorting.descending, std::move(page), ReplyTo(call.respond));
    return {};
}

base::Status Lookup(Call& call) {
    TRY(CheckParameters(call.request, {"user_id", "email", "anonymous_id"}));
    const Kind* chosen = nullptr;
    for (const Kind& kind : kKinds) {
        if (call.request.query.Get(kind.parameter).empty()) continue;
        if (chosen != nullptr) {
            return base::Invalid("Give one id only.", std::string(kind.parameter));
        }
        chosen = &kind;
    }
    if (chosen == nullptr) return base::Invalid("Give user_id, email or anonymous_id.", "user_id");
    std::string text(call.request.query.Get(chosen->parameter));
    if (text.size() > limits::kIdBytesMax) {
        return base::Invalid("The id is too long.", std::string(chosen->parameter));
    }
    if (chosen->kind == model::IdKind::kEmail) text = model::NormalEmail(text);
    call.services.queries.Lookup(call.workspace, chosen->kind, text, ReplyTo(call.respond));
    return {};
}

base::Result<model::PersonId> PathPerson(const Call& call) {
    model::PersonId id;
    if (!model::FromText(call.id, id)) return tl::make_unexpected(NotFound("person"));
    return id;
}

base::Status One(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const auto id, PathPerson(call));
    call.services.queries.Person(call.workspace, id, ReplyTo(call.respond));
    return {};
}

base::Status Timeline(Call& call) {
    TRY(CheckParameters(call.request, {"limit", "cursor"}));
    TRY_ASSIGN(const auto id, PathPerson(call));
    TRY_ASSIGN(Page page, ReadPage(call.request));
    call.services.queries.Timeline(call.workspace, id, std::move(page), ReplyTo(call.respond));
    return {};
}

}  // namespace

void ListPersons(Call&& call) { Run(call, List); }
void LookupPerson(Call&& call) { Run(call, Lookup); }
void GetPerson(Call&& call) { Run(call, One); }
void GetTimeline(Call&& call) { Run(call, Timeline); }

}  // namespace api
