#include "server/message_list.h"

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "base/hash.h"
#include "server/person_view.h"

namespace server {
namespace {

using model::Message;
using model::Person;

constexpr size_t kLooksAtOnce = 2000;   // Persons and messages of one turn.
constexpr uint8_t kCursorVersion = 1;

struct Place {
    base::TimeMs created_ms = 0;
    model::FactKey id;
    auto operator<=>(const Place&) const = default;
};

std::string CursorOf(const Place& place) {
    std::string bytes;
    base::ByteWriter w(bytes);
    w.U8(kCursorVersion);
    w.Signed(place.created_ms);
    w.U16(place.id.stream);
    w.U64(place.id.offset);
    w.U32(place.id.ordinal);
    return base::Base64UrlEncode(bytes);
}

bool ReadCursor(std::string_view text, Place& place) {
    std::string bytes;
    if (!base::Base64Decode(text, bytes)) return false;
    base::ByteReader in(bytes);
    const uint8_t version = in.U8();
    place.created_ms = in.Signed();
    place.id.stream = in.U16();
    place.id.offset = in.U64();
    place.id.ordinal = in.U32();
    return version == kCursorVersion && in.ok() && in.done();
}

struct Found {
    Place place;
    const Person* person = nullptr;   // Persons stay where they are while the fold lives.
    std::string json;
    bool operator<(const Found& other) const { return place > other.place; }   // Newest first.
};

struct Part {
    std::vector<Found> first;   // A heap: the oldest on top.
    uint32_t next = 0;
};

// What is looked for, in one partition or in all.
struct Search {
    SourcesPtr sources;
    model::WorkspaceId workspace = 0;
    uint32_t journey = 0;
    std::optional<Place> after;
    size_t limit = 0;

    // Returns how many messages were looked at.
    size_t Look(const Person& person, Part& part) const {
        if (!person.facts || person.moved() || person.workspace != workspace) return 0;
        for (const auto& message : person.facts->messages) {
            if (journey != 0 && message.journey != journey) continue;
            Found found{{message.created_ms, message.id}, &person, {}};
            if (after && found.place >= *after) continue;
            if (part.first.size() > limit) {
                if (!(found < part.first.front())) continue;
                std::pop_heap(part.first.begin(), part.first.end());
                part.first.pop_back();
            }
            part.first.push_back(std::move(found));
            std::push_heap(part.first.begin(), part.first.end());
        }
        return person.facts->messages.size();
    }

    void Write(Part& part) const {
        for (auto& found : part.first) {
            if (!found.person->facts) continue;   // She moved away between two turns.
            for (const auto& message : found.person->facts->messages) {
                if (message.id != found.place.id) continue;
                const auto journey_of = sources->catalog.FindJourney(message.journey,
                                                                     message.version);
                const bool known = journey_of && message.step < journey_of->program.size();
                base::JsonWriter w(found.json);
                WriteMessage(w, *found.person, message,
                             known ? std::string_view(journey_of->program[message.step].step)
                                   : std::string_view());
            }
        }
    }

    std::string Body(std::vector<Found> all) const {
        std::sort(all.begin(), all.end());
        const bool more = all.size() > limit;
        if (more) all.resize(limit);
        std::string body;
        base::JsonWriter w(body);
        w.Begin('{').Key("messages").Begin('[');
        for (const auto& found : all) {
            if (!found.json.empty()) w.Raw(found.json);
        }
        w.End(']').Key("next_cursor");
        if (more) w.String(CursorOf(all.back().place)); else w.Null();
        w.End('}');
        return body;
    }
};

std::optional<Search> SearchOf(const SourcesPtr& sources, const ReplyPtr& reply,
                               model::WorkspaceId workspace, uint32_t journey,
                               const api::Page& page) {
    Search search{sources, workspace, journey, std::nullopt, static_cast<size_t>(page.limit)};
    if (!page.cursor.empty() && !ReadCursor(page.cursor, search.after.emplace())) {
        reply->Give(base::Invalid("no cursor of a list of messages", "cursor"));
        return std::nullopt;
    }
    return search;
}

}  // namespace

void ListMessages(const SourcesPtr& sources, const ReplyPtr& reply, model::WorkspaceId workspace,
                  uint32_t journey, const api::Page& page) {
    const auto search = SearchOf(sources, reply, workspace, journey, page);
    if (!search) return;
    AskAll<Part>(
        sources, reply,
        [search = *search](const PersonFold& fold, size_t, Part& part) {
            for (size_t looks = 0; looks < kLooksAtOnce && part.next < fold.slots();) {
                looks += 1 + search.Look(fold.AtSlot(part.next++), part);
            }
            if (part.next < fold.slots()) return false;
            search.Write(part);
            return true;
        },
        [search = *search, reply](std::vector<Part> parts) {
            std::vector<Found> all;
            for (auto& part : parts) {
                std::move(part.first.begin(), part.first.end(), std::back_inserter(all));
            }
            reply->Give(search.Body(std::move(all)));
        });
}

void ListMessagesOf(const SourcesPtr& sources, const ReplyPtr& reply, const Person& person,
                    uint32_t journey, const api::Page& page) {
    const auto search = SearchOf(sources, reply, person.workspace, journey, page);
    if (!search) return;
    Part part;
    search->Look(person, part);
    search->Write(part);
    reply->Give(search->Body(std::move(part.first)));
}

}  // namespace server
