#include <algorithm>
#include <mutex>

#include "api/resources.h"
#include "base/json.h"
#include "language/condition/json_form.h"
#include "language/condition/print.h"

namespace api {
namespace {

base::Result<catalog::SegmentPtr> PathSegment(const Call& call) {
    const uint32_t number = catalog::SegmentNumber(call.id);
    auto segment =
        number == 0 ? nullptr : call.services.catalog.CurrentSegment(call.workspace, number);
    if (!segment) return tl::make_unexpected(NotFound("segment"));
    return segment;
}

// What the fold knows of a segment, with the tree of its condition.
std::string WithTree(std::string json, const catalog::Segment& segment) {
    if (json.empty() || json.back() != '}') return json;
    json.pop_back();
    json += ",\"condition_tree\":" + condition::ToJson(*segment.tree) + '}';
    return json;
}

void AnswerSegment(Services& services, const catalog::SegmentPtr& segment,
                   const http::Respond& respond, int status) {
    services.queries.Segment(segment->workspace, segment->number,
                             [segment, respond, status](base::Result<std::string> json) {
                                 if (json) *json = WithTree(std::move(*json), *segment);
                                 Reply(respond, std::move(json), status);
                             });
}

// Saves on the writing thread and answers when the fold has been asked for the new version.
void Save(Call& call, int status,
          std::function<base::Result<catalog::SegmentPtr>(catalog::Catalog&)> save) {
    const bool posted = call.services.writes.Post(
        [&services = call.services, respond = call.respond, status, save = std::move(save)] {
            auto segment = save(services.catalog);
            if (!segment) {
                return Reply(respond, tl::make_unexpected(std::move(segment.error())));
            }
            if (services.definitions_changed) services.definitions_changed();
            AnswerSegment(services, *segment, respond, status);
        });
    if (!posted) {
        Reply(call.respond,
              base::Fail(base::ErrorCode::kOverloaded, "too many changes of definitions wait"));
    }
}

// The answers of many segments, put together in their order when the last has come.
struct Gathering {
    std::mutex mutex;
    std::vector<std::string> answers;
    size_t missing = 0;
    std::optional<base::Error> error;
    std::string next_cursor;
    http::Respond respond;

    void Take(size_t at, base::Result<std::string> json) {
        {
            std::lock_guard lock(mutex);
            if (json) {
                answers[at] = std::move(*json);
            } else if (json.error().code != base::ErrorCode::kNotFound) {
                error = std::move(json.error());  // Deleted meanwhile: left out.
            }
            if (--missing > 0) return;
        }
        Finish();
    }
    void Finish() {
        if (error) return Reply(respond, tl::make_unexpected(std::move(*error)));
        std::string out;
        base::JsonWriter w(out);
        w.Begin('{').Key("segments").Begin('[');
        for (const auto& answer : answers) {
            if (!answer.empty()) w.Raw(answer);
        }
        w.End(']').Key("next_cursor");
        if (next_cursor.empty()) {
            w.Null();
        } else {
            w.String(next_cursor);
        }
        w.End('}');
        Reply(respond, std::move(out));
    }
};

base::Status List(Call& call) {
    TRY(CheckParameters(call.request, {"limit", "cursor"}));
    TRY_ASSIGN(const Page page, ReadPage(call.request));
    uint32_t after = 0;
    if (!page.cursor.empty()) {
        after = catalog::SegmentNumber(page.cursor);
        if (after == 0) return base::Invalid("This is not a cursor of this list.", "cursor");
    }
    auto segments = call.services.catalog.Segments(call.workspace);
    std::erase_if(segments, [&](const auto& segment) { return segment->number <= after; });
    auto gathering = std::make_shared<Gathering>();
    if (segments.size() > static_cast<size_t>(page.limit)) {
        segments.resize(static_cast<size_t>(page.limit));
        gathering->next_cursor = catalog::SegmentId(segments.back()->number);
    }
    gathering->respond = call.respond;
    gathering->answers.resize(segments.size());
    gathering->missing = segments.size();
    if (segments.empty()) {
        gathering->Finish();
        return {};
    }
    for (size_t i = 0; i < segments.size(); ++i) {
        call.services.queries.Segment(
            call.workspace, segments[i]->number,
            [gathering, i, segment = segments[i]](base::Result<std::string> json) {
                if (json) *json = WithTree(std::move(*json), *segment);
                gathering->Take(i, std::move(json));
            });
    }
    return {};
}

base::Status Create(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const Body body, Body::Parse(call.request, {"name", "condition"}));
    TRY_ASSIGN(std::string name, body.Text("name"));
    TRY_ASSIGN(const auto tree, ReadCondition(body, "condition"));
    Save(call, 201,
         [workspace = call.workspace, name = std::move(name),
          text = condition::ToText(*tree)](catalog::Catalog& catalog) {
             return catalog.CreateSegment(workspace, name, text);
         });
    return {};
}

base::Status Put(Call& call) {
    TRY(CheckParameters(call.request, {"version"}));
    TRY_ASSIGN(const auto segment, PathSegment(call));
    TRY_ASSIGN(const uint32_t version, ReadVersion(call.request));
    TRY_ASSIGN(const Body body, Body::Parse(call.request, {"name", "condition"}));
    TRY_ASSIGN(std::string name, body.Text("name"));
    TRY_ASSIGN(const auto tree, ReadCondition(body, "condition"));
    Save(call, 200,
         [segment, version, name = std::move(name),
          text = condition::ToText(*tree)](catalog::Catalog& catalog) {
             return catalog.UpdateSegment(segment->workspace, segment->number, name, text,
                                          version);
         });
    return {};
}

base::Status Delete(Call& call) {
    TRY(CheckParameters(call.request, {"version"}));
    TRY_ASSIGN(const auto segment, PathSegment(call));
    TRY_ASSIGN(const uint32_t version, ReadVersion(call.request));
    ChangeDefinition(call, 200,
                     [&catalog = call.services.catalog, segment,
                      version]() -> base::Result<std::string> {
                         // All changes come through this thread: between this look and the
                         // deletion there is no other.
                         const auto now =
                             catalog.CurrentSegment(segment->workspace, segment->number);
                         if (now && version != 0 && now->version != version) {
                             return base::Fail(base::ErrorCode::kConflict,
                                               "segment version differs",
                                               "Somebody saved another version meanwhile: it is "
                                               "now version " +
                                                   std::to_string(now->version) + ".");
                         }
                         TRY(catalog.DeleteSegment(segment->workspace, segment->number));
                         return "{\"id\":\"" + catalog::SegmentId(segment->number) +
                                "\",\"deleted\":true}";
                     });
    return {};
}

base::Status One(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const auto segment, PathSegment(call));
    AnswerSegment(call.services, segment, call.respond, 200);
    return {};
}

base::Status Persons(Call& call) {
    TRY(CheckParameters(call.request, {"limit", "cursor"}));
    TRY_ASSIGN(const auto segment, PathSegment(call));
    TRY_ASSIGN(Page page, ReadPage(call.request));
    call.services.queries.SegmentPersons(call.workspace, segment->number, std::move(page),
                                         ReplyTo(call.respond));
    return {};
}

base::Status Preview(Call& call) {
    TRY(CheckParameters(call.request, {}));
    TRY_ASSIGN(const Body body, Body::Parse(call.request, {"condition", "as_of"}));
    TRY_ASSIGN(auto tree, ReadCondition(body, "condition"));
    TRY_ASSIGN(const std::string as_of_text, body.TextOrEmpty("as_of"));
    base::TimeMs as_of = 0;
    if (body.Find("as_of")) {
        TRY_ASSIGN(as_of, ReadTime(as_of_text, "as_of"));
        if (as_of > call.services.clock.Now()) {
            return base::Invalid("as_of lies in the future.", "as_of");
        }
        if (as_of <= 0) return base::Invalid("as_of lies before 1970.", "as_of");
    }
    call.services.queries.Preview(call.workspace, std::move(tree), as_of, ReplyTo(call.respond));
    return {};
}

}  // namespace

void ListSegments(Call&& call) { Run(call, List); }
void CreateSegment(Call&& call) { Run(call, Create); }
void PreviewSegment(Call&& call) { Run(call, Preview); }
void GetSegment(Call&& call) { Run(call, One); }
void PutSegment(Call&& call) { Run(call, Put); }
void DeleteSegment(Call&& call) { Run(call, Delete); }
void ListSegmentPersons(Call&& call) { Run(call, Persons); }

}  // namespace api
