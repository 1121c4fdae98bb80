#include "server/person_list.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/limits.h"
#include "server/person_view.h"

namespace server {
namespace {

using model::Person;
using model::PersonId;

constexpr size_t kPersonsAtOnce = 2000;      // Looked at in one turn: about a millisecond.
constexpr size_t kCardsAtOnce = 100;         // Written in one turn.
constexpr size_t kSortTextBytesMax = 128;    // Longer names are equal as far as order goes.
constexpr uint8_t kCursorVersion = 1;

std::string_view TextOf(const Person& person, const model::Names& names, std::string_view name) {
    const uint32_t number = names.Find(name);
    if (number == model::Names::kUnknown) return {};
    const auto value = person.attributes.Find(number);
    return value.type == model::AttributeType::kText ? value.text : std::string_view();
}

}  // namespace

std::string ShownName(const Person& person, const model::Names& names) {
    std::string name(TextOf(person, names, "name"));
    if (!name.empty()) return name;
    for (const std::string_view part : {"first_name", "last_name"}) {
        const std::string_view text = TextOf(person, names, part);
        if (text.empty()) continue;
        if (!name.empty()) name += ' ';
        name += text;
    }
    return name;
}

namespace {

std::string ShownEmail(const Person& person, const model::Names& names) {
    std::string email(TextOf(person, names, "email"));
    for (const auto& id : person.ids) {
        if (email.empty() && id.kind == model::IdKind::kEmail && id.confirmed) email = id.text;
    }
    return email;
}

}  // namespace

// --- order -------------------------------------------------------------------------------------

bool PersonOrder::Before(const PersonPlace& a, const PersonPlace& b) const {
    if (a.empty != b.empty) return b.empty;
    if (a.number != b.number) return descending ? a.number > b.number : a.number < b.number;
    if (const int c = a.text.compare(b.text); c != 0) return descending ? c > 0 : c < 0;
    return a.id < b.id;
}

PersonPlace PersonOrder::PlaceOf(const Person& person, const model::Names& names) const {
    PersonPlace place;
    place.id = person.id;
    switch (by) {
        case By::kId: return place;
        case By::kLastSeen: place.number = person.seen_ms; return place;
        case By::kFirstSeen: place.number = person.created_ms; return place;
        case By::kName: place.text = ShownName(person, names); break;
        case By::kEmail: place.text = ShownEmail(person, names); break;
    }
    if (place.text.size() > kSortTextBytesMax) place.text.resize(kSortTextBytesMax);
    for (char& c : place.text) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    place.empty = place.text.empty();
    return place;
}

std::string PersonOrder::CursorOf(const PersonPlace& place) const {
    std::string bytes;
    base::ByteWriter w(bytes);
    w.U8(kCursorVersion);
    w.U8(static_cast<uint8_t>(by));
    w.U8(static_cast<uint8_t>((descending ? 1 : 0) | (place.empty ? 2 : 0)));
    w.Signed(place.number);
    w.Text(place.text);
    w.U64(place.id.hi);
    w.U64(place.id.lo);
    return base::Base64UrlEncode(bytes);
}

base::Result<PersonPlace> PersonOrder::ReadCursor(std::string_view text) const {
    const auto invalid = [] { return base::Invalid("no cursor of this list", "cursor"); };
    std::string bytes;
    if (!base::Base64Decode(text, bytes)) return invalid();
    base::ByteReader in(bytes);
    if (in.U8() != kCursorVersion || in.U8() != static_cast<uint8_t>(by)) return invalid();
    const uint8_t flags = in.U8();
    if (flags > 3 || ((flags & 1) != 0) != descending) return invalid();
    PersonPlace place;
    place.empty = (flags & 2) != 0;
    place.number = in.Signed();
    place.text = in.Text();
    place.id.hi = in.U64();
    place.id.lo = in.U64();
    if (!in.ok() || !in.done() || place.text.size() > kSortTextBytesMax) return invalid();
    return place;
}

void FirstPersons::Offer(PersonPlace place) {
    if (after_ && !order_.Before(*after_, place)) return;
    const auto before = [&](const auto& a, const auto& b) { return order_.Before(a, b); };
    if (heap_.size() == limit_) {
        if (!before(place, heap_.front())) return;
        std::pop_heap(heap_.begin(), heap_.end(), before);
        heap_.back() = std::move(place);
    } else {
        heap_.push_back(std::move(place));
    }
    std::push_heap(heap_.begin(), heap_.end(), before);
}

// --- cards -------------------------------------------------------------------------------------

void WriteCard(base::JsonWriter& w, const Sources& sources, const Person& person,
               const model::Names& names) {
    WritePerson(
        w, person, names,
        [&](uint32_t number) {
            const auto segment = sources.catalog.CurrentSegment(person.workspace, number);
            return segment ? segment->name : catalog::SegmentId(number);
        },
        [&](uint32_t number) {
            const auto journey = sources.catalog.GetJourney(person.workspace, number);
            return journey ? journey->name : catalog::JourneyId(number);
        });
}

namespace {

// Cards that are being fetched: each partition fills the places of its own persons.
struct Cards {
    struct Wanted {
        size_t place = 0;
        PersonId id;
    };
    std::vector<std::string> cards;              // By place; empty: gone.
    std::vector<std::vector<Wanted>> wanted;     // By partition.
};

}  // namespace

void FetchCards(const SourcesPtr& sources, const ReplyPtr& reply, model::WorkspaceId workspace,
                const std::vector<PersonId>& ids,
                std::function<void(std::vector<std::string> cards)> then) {
    auto all = std::make_shared<Cards>();
    all->cards.resize(ids.size());
    const int n = sources->engine.partitions();
    all->wanted.resize(static_cast<size_t>(n));
    std::set<PersonId> seen;
    for (size_t i = 0; i < ids.size(); ++i) {
        const PersonId root = sources->links.Root(ids[i]);
        if (!seen.insert(root).second) continue;
        all->wanted[model::PartitionOf(root, n)].push_back({i, root});
    }
    // One for each partition that is asked, and one for the asking itself.
    auto left = std::make_shared<std::atomic<size_t>>(1);
    const auto done = [all, left, then = std::move(then)] {
        if (--*left > 0) return;
        std::erase_if(all->cards, [](const std::string& card) { return card.empty(); });
        then(std::move(all->cards));
    };
    for (size_t p = 0; p < all->wanted.size(); ++p) {
        if (all->wanted[p].empty()) continue;
        ++*left;
        sources->engine.Post(
            static_cast<model::StreamId>(p),
            [sources, reply, workspace, all, done, p, at = size_t{0}](engine::Fold& any) mutable {
                const auto& fold = static_cast<const PersonFold&>(any);
                const auto& wanted = all->wanted[p];
                for (size_t k = 0; k < kCardsAtOnce && at < wanted.size(); ++k, ++at) {
                    const Person* person = fold.Find(wanted[at].id);
                    if (person == nullptr || person->moved() || person->workspace != workspace) {
                        continue;
                    }
                    base::JsonWriter w(all->cards[wanted[at].place]);
                    WriteCard(w, *sources, *person, fold.names());
                }
                if (at < wanted.size()) return false;
                done();
                return true;
            });
    }
    done();
}

// --- lists -------------------------------------------------------------------------------------

namespace {

struct ListPart {
    std::optional<FirstPersons> first;
    uint64_t total = 0;
    uint32_t next = 0;     // Slot or index where the next turn goes on.
};

class ListStep {
  public:
    ListStep(model::WorkspaceId workspace, std::variant<Everybody, MembersOf, Chosen> whom,
             PersonPage page, int partitions)
        : workspace_(workspace), whom_(std::move(whom)), page_(std::move(page)) {
        if (const auto* chosen = std::get_if<Chosen>(&whom_)) {
            by_partition_.resize(static_cast<size_t>(partitions));
            for (const auto& id : **chosen) {
                by_partition_[model::PartitionOf(id, partitions)].push_back(id);
            }
        }
    }

    bool operator()(const PersonFold& fold, size_t partition, ListPart& part) const {
        if (!part.first) part.first.emplace(page_.order, page_.after, page_.limit + 1);
        if (std::holds_alternative<Everybody>(whom_)) return StepAll(fold, part);
        if (const auto* members = std::get_if<MembersOf>(&whom_)) {
            return StepMembers(fold, members->segment, part);
        }
        return StepChosen(fold, by_partition_[partition], part);
    }

  private:
    void Offer(const PersonFold& fold, const Person& person, ListPart& part) const {
        if (person.moved() || person.workspace != workspace_) return;
        ++part.total;
        part.first->Offer(page_.order.PlaceOf(person, fold.names()));
    }

    bool StepAll(const PersonFold& fold, ListPart& part) const {
        for (size_t k = 0; k < kPersonsAtOnce && part.next < fold.slots(); ++k) {
            Offer(fold, fold.AtSlot(part.next++), part);
        }
        return part.next >= fold.slots();
    }

    bool StepMembers(const PersonFold& fold, uint32_t segment, ListPart& part) const {
        const Roaring* members = fold.Members(segment);
        if (members == nullptr) return true;
        auto it = members->begin();
        const auto end = members->end();
        it.equalorlarger(part.next);
        for (size_t k = 0; k < kPersonsAtOnce && it != end; ++k, ++it) {
            Offer(fold, fold.AtSlot(*it), part);
            part.next = *it + 1;
        }
        return it == end;
    }

    bool StepChosen(const PersonFold& fold, const std::vector<PersonId>& ids,
                    ListPart& part) const {
        for (size_t k = 0; k < kPersonsAtOnce && part.next < ids.size(); ++k) {
            const Person* person = fold.Find(ids[part.next++]);
            if (person != nullptr) Offer(fold, *person, part);
        }
        return part.next >= ids.size();
    }

    model::WorkspaceId workspace_;
    std::variant<Everybody, MembersOf, Chosen> whom_;
    PersonPage page_;
    std::vector<std::vector<PersonId>> by_partition_;
};

}  // namespace

void ListPersons(const SourcesPtr& sources, const ReplyPtr& reply, model::WorkspaceId workspace,
                 std::variant<Everybody, MembersOf, Chosen> whom, PersonPage page) {
    const auto finish = [sources, reply, workspace, page](std::vector<ListPart> parts) {
        uint64_t total = 0;
        std::vector<PersonPlace> places;
        for (auto& part : parts) {
            total += part.total;
            auto some = part.first->Take();
            std::move(some.begin(), some.end(), std::back_inserter(places));
        }
        std::sort(places.begin(), places.end(),
                  [&](const auto& a, const auto& b) { return page.order.Before(a, b); });
        std::string next;
        if (places.size() > page.limit) {
            places.resize(page.limit);
            next = page.order.CursorOf(places.back());
        }
        std::vector<PersonId> ids;
        for (const auto& place : places) ids.push_back(place.id);
        FetchCards(sources, reply, workspace, ids,
                   [reply, next, total](const std::vector<std::string>& cards) {
                       std::string body;
                       base::JsonWriter w(body);
                       w.Begin('{').Key("persons").Begin('[');
                       for (const auto& card : cards) w.Raw(card);
                       w.End(']').Key("next_cursor");
                       if (next.empty()) w.Null(); else w.String(next);
                       w.Key("total").Int(static_cast<int64_t>(total)).End('}');
                       reply->Give(std::move(body));
                   });
    };
    AskAll<ListPart>(sources, reply,
                     ListStep(workspace, std::move(whom), page, sources->engine.partitions()),
                     finish);
}

}  // namespace server
