// Lists of persons: sorted, cut to a page, written as cards.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "server/asking.h"

namespace server {

// --- cursors -----------------------------------------------------------------------------------

// A place in a list: what came last on the page before.
struct PersonPlace {
    bool empty = false;        // Persons without a name or address come last, in either direction.
    int64_t number = 0;        // Lists by time.
    std::string text;          // Lists by name or address: folded, cut to kSortTextBytesMax.
    model::PersonId id;
};

// By which value, and in which direction. Persons of equal value: by id.
struct PersonOrder {
    enum class By : uint8_t { kId, kLastSeen, kFirstSeen, kName, kEmail };
    By by = By::kId;
    bool descending = false;

    bool Before(const PersonPlace& a, const PersonPlace& b) const;
    PersonPlace PlaceOf(const model::Person& person, const model::Names& names) const;
    // Opaque text. Errors: kInvalidArgument: no cursor of a list in this order.
    std::string CursorOf(const PersonPlace& place) const;
    base::Result<PersonPlace> ReadCursor(std::string_view text) const;
};

// --- lists -------------------------------------------------------------------------------------

// The first `limit` persons behind `after`, collected one by one.
class FirstPersons {
  public:
    FirstPersons(const PersonOrder& order, const std::optional<PersonPlace>& after, size_t limit)
        : order_(order), after_(after), limit_(limit) {}
    void Offer(PersonPlace place);
    std::vector<PersonPlace> Take() { return std::move(heap_); }   // In no order.

  private:
    PersonOrder order_;
    std::optional<PersonPlace> after_;
    size_t limit_;
    std::vector<PersonPlace> heap_;   // The last of them on top.
};

struct PersonPage {
    PersonOrder order;
    std::optional<PersonPlace> after;
    size_t limit = 0;
};

// Whom a list is of.
struct Everybody {};
struct MembersOf {
    uint32_t segment = 0;
};
using Chosen = std::shared_ptr<const std::vector<model::PersonId>>;   // By id.

// Answers {persons, next_cursor, total}.
void ListPersons(const SourcesPtr& sources, const ReplyPtr& reply, model::WorkspaceId workspace,
                 std::variant<Everybody, MembersOf, Chosen> whom, PersonPage page);

// The cards of these persons, or of whom they became, in this order; those who are gone are left
// out. `then` runs on a thread of the engine, or on the caller's when nobody is asked for.
void FetchCards(const SourcesPtr& sources, const ReplyPtr& reply, model::WorkspaceId workspace,
                const std::vector<model::PersonId>& ids,
                std::function<void(std::vector<std::string> cards)> then);

// The attribute "name", or first_name and last_name; empty: she has told none.
std::string ShownName(const model::Person& person, const model::Names& names);

// Appends the card; names of segments and journeys come from the catalog.
void WriteCard(base::JsonWriter& w, const Sources& sources, const model::Person& person,
               const model::Names& names);

}  // namespace server
