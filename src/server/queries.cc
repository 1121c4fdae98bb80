#include "server/queries.h"

#include <algorithm>

#include "base/json.h"
#include "base/limits.h"
#include "language/condition/references.h"
#include "server/asking.h"
#include "server/event_tail.h"
#include "server/history_scan.h"
#include "server/message_list.h"
#include "server/names_seen.h"
#include "server/numbers.h"
#include "server/person_list.h"
#include "server/timeline_view.h"

namespace server {
namespace {

using base::ErrorCode;
using model::PersonId;
using model::WorkspaceId;

constexpr int kScanThreads = 2;

base::Error NoSuch(const char* what) {
    return {ErrorCode::kNotFound, std::string("no such ") + what, {}, {}};
}

// Finds a person by any id that ever was hers and gives her to `look`, on her thread. Links act
// through records, so the map can be ahead of the folds: then her card is still under the old id.
class PersonSearch : public std::enable_shared_from_this<PersonSearch> {
  public:
    using Look = std::function<void(const PersonFold&, const model::Person&)>;

    PersonSearch(SourcesPtr sources, ReplyPtr reply, WorkspaceId workspace, PersonId id, Look look)
        : sources_(std::move(sources)), reply_(std::move(reply)), workspace_(workspace), id_(id),
          look_(std::move(look)) {}

    void Start() { Ask(sources_->links.Root(id_)); }

  private:
    void Ask(const PersonId& id) {
        // More hops than persons were ever joined into one at once: their records are on the way.
        if (++hops_ > kHopsMax) return Unavailable();
        AskOwner(sources_, id, [self = shared_from_this(), id](const PersonFold& fold) {
            const model::Person* person = fold.Find(id);
            if (person != nullptr && person->workspace != self->workspace_) {
                return self->reply_->Fail(NoSuch("person"));
            }
            if (person != nullptr && !person->moved()) return self->look_(fold, *person);
            if (person != nullptr) {
                self->moving_ = true;
                return self->Ask(person->moved_to);
            }
            if (self->moving_) return self->Unavailable();
            if (id != self->id_) return self->Ask(self->id_);
            self->reply_->Fail(NoSuch("person"));
        });
    }

    void Unavailable() {
        reply_->Fail({ErrorCode::kUnavailable, "the person moves between two partitions", {}, {}});
    }

    static constexpr int kHopsMax = 64;
    const SourcesPtr sources_;
    const ReplyPtr reply_;
    const WorkspaceId workspace_;
    const PersonId id_;
    const Look look_;
    int hops_ = 0;
    bool moving_ = false;   // A stub was met.
};

struct SegmentPart {
    uint64_t count = 0;
    bool shown = false;
    bool loaded = false;
};

class LiveQueries final : public api::Queries {
  public:
    explicit LiveQueries(SourcesPtr sources) : sources_(std::move(sources)) {}
    ~LiveQueries() override { sources_->crew.Stop(); }

    void Person(WorkspaceId workspace, const PersonId& id, api::Answer answer) override {
        const auto reply = std::make_shared<Reply>(std::move(answer));
        Find(reply, workspace, id,
             [sources = sources_, reply](const PersonFold& fold, const model::Person& person) {
                 std::string body;
                 base::JsonWriter w(body);
                 WriteCard(w, *sources, person, fold.names());
                 reply->Give(std::move(body));
             });
    }

    void Lookup(WorkspaceId workspace, model::IdKind kind, const std::string& text,
                api::Answer answer) override {
        const auto known = sources_->catalog.FindWorkspace(workspace);
        if (!known) return Reply(std::move(answer)).Fail(NoSuch("workspace"));
        const std::string id = kind == model::IdKind::kEmail ? model::NormalEmail(text) : text;
        Person(workspace, model::PersonOf(known->secret, kind, id), std::move(answer));
    }

    void Persons(WorkspaceId workspace, condition::ExpressionPtr condition, api::PersonSort sort,
                 bool descending, api::Page page, api::Answer answer) override {
        const auto reply = std::make_shared<Reply>(std::move(answer));
        PersonPage list;
        list.order = {OrderOf(sort), descending};
        if (!ReadPage(*reply, page, list)) return;
        if (!condition) return ListPersons(sources_, reply, workspace, Everybody(), list);
        Scan(reply, workspace, condition, 0,
             [sources = sources_, reply, workspace, list](PreviewResult result, int64_t) {
                 ListPersons(sources, reply, workspace,
                             std::make_shared<const std::vector<PersonId>>(
                                 std::move(result.persons)),
                             list);
             });
    }

    void Timeline(WorkspaceId workspace, const PersonId& id, api::Page page,
                  api::Answer answer) override {
        const auto reply = std::make_shared<Reply>(std::move(answer));
        warehouse::TimelineQuery query;
        query.workspace = workspace;
        query.limit = LimitOf(page);
        if (!page.cursor.empty()) {
            auto before = ReadTimelineCursor(page.cursor);
            if (!before) return reply->Fail(std::move(before.error()));
            query.before = *before;
        }
        Find(reply, workspace, id,
             [sources = sources_, reply, query](const PersonFold&,
                                                const model::Person& person) mutable {
                 query.persons.push_back(person.id.lo);
                 if (person.facts) {
                     for (const auto& merged : person.facts->merged) {
                         query.persons.push_back(merged.lo);
                     }
                 }
                 RunLong(sources, reply, [&all = *sources, reply, query = std::move(query)] {
                     reply->Give(TimelineBody(all, query));
                 });
             });
    }

    void Segment(WorkspaceId workspace, uint32_t number, api::Answer answer) override {
        const auto reply = std::make_shared<Reply>(std::move(answer));
        const auto segment = sources_->catalog.CurrentSegment(workspace, number);
        if (!segment) return reply->Fail(NoSuch("segment"));
        AskAll<SegmentPart>(
            sources_, reply,
            [segment](const PersonFold& fold, size_t, SegmentPart& part) {
                constexpr auto kKind = catalog::Change::Kind::kSegment;
                const Roaring* members = fold.Members(segment->number);
                if (members != nullptr) part.count = members->cardinality();
                part.shown = fold.Shows(kKind, segment->number, segment->version);
                for (const auto& t : fold.definitions()) {
                    part.loaded = part.loaded || (t.kind == kKind && t.number == segment->number &&
                                                  t.version == segment->version &&
                                                  t.state == DefinitionState::kReady);
                }
                return true;
            },
            [segment, reply](const std::vector<SegmentPart>& parts) {
                reply->Give(SegmentBody(*segment, parts));
            });
    }

    void SegmentPersons(WorkspaceId workspace, uint32_t number, api::Page page,
                        api::Answer answer) override {
        const auto reply = std::make_shared<Reply>(std::move(answer));
        if (!sources_->catalog.CurrentSegment(workspace, number)) {
            return reply->Fail(NoSuch("segment"));
        }
        PersonPage list;
        if (!ReadPage(*reply, page, list)) return;
        ListPersons(sources_, reply, workspace, MembersOf{number}, list);
    }

    void Preview(WorkspaceId workspace, condition::ExpressionPtr condition, base::TimeMs as_of,
                 api::Answer answer) override {
        const auto reply = std::make_shared<Reply>(std::move(answer));
        Scan(reply, workspace, condition, as_of,
             [sources = sources_, reply, workspace](PreviewResult result, int64_t took_ms) {
                 const auto count = static_cast<int64_t>(result.persons.size());
                 // Ids are hashes: the first of them are as good as drawn.
                 if (result.persons.size() > limits::kPreviewSampleMax) {
                     result.persons.resize(limits::kPreviewSampleMax);
                 }
                 FetchCards(sources, reply, workspace, result.persons,
                            [reply, count, took_ms](const std::vector<std::string>& cards) {
                                std::string body;
                                base::JsonWriter w(body);
                                w.Begin('{').Key("count").Int(count).Key("sample").Begin('[');
                                for (const auto& card : cards) w.Raw(card);
                                w.End(']').Key("took_ms").Int(took_ms).End('}');
                                reply->Give(std::move(body));
                            });
             });
    }

    void Messages(WorkspaceId workspace, std::optional<PersonId> person, uint32_t journey,
                  api::Page page, api::Answer answer) override {
        const auto reply = std::make_shared<Reply>(std::move(answer));
        page.limit = static_cast<int>(LimitOf(page));
        if (!person) return ListMessages(sources_, reply, workspace, journey, page);
        Find(reply, workspace, *person,
             [sources = sources_, reply, journey, page](const PersonFold&,
                                                        const model::Person& owner) {
                 ListMessagesOf(sources, reply, owner, journey, page);
             });
    }

    void Names(WorkspaceId workspace, api::Answer answer) override {
        const auto reply = std::make_shared<Reply>(std::move(answer));
        RunLong(sources_, reply, [&all = *sources_, reply, workspace] {
            reply->Give(NamesBody(all, workspace));
        });
    }

    void Home(WorkspaceId workspace, api::Answer answer) override {
        const auto reply = std::make_shared<Reply>(std::move(answer));
        std::vector<uint32_t> segments;
        for (const auto& segment : sources_->catalog.Segments(workspace)) {
            segments.push_back(segment->number);
        }
        AskAll<Numbers>(
            sources_, reply,
            [workspace, segments, now = sources_->clock.Now()](const PersonFold& fold, size_t,
                                                               Numbers& part) {
                part = NumbersOf(fold, workspace, now, segments);
                return true;
            },
            [sources = sources_, reply, workspace](const std::vector<Numbers>& parts) {
                Numbers all;
                for (const Numbers& part : parts) all.Add(part);
                reply->Give(HomeBody(all, sources->catalog, workspace));
            });
    }

    void RecentEvents(WorkspaceId workspace, int limit, api::Answer answer) override {
        const auto reply = std::make_shared<Reply>(std::move(answer));
        AskAll<FoldedEnd>(
            sources_, reply,
            [](const PersonFold& fold, size_t, FoldedEnd& part) {
                part = {fold.applied(), fold.live().DroppedFrom(1)};
                return true;
            },
            [sources = sources_, reply, workspace, limit](std::vector<FoldedEnd> ends) {
                RunLong(sources, reply, [&all = *sources, reply, workspace, limit,
                                         ends = std::move(ends)] {
                    reply->Give(RecentEventsBody(all.log, all.links, workspace, ends,
                                                 static_cast<size_t>(limit)));
                });
            });
    }

    void NumbersOfJourneys(WorkspaceId workspace, api::JourneyAnswer answer) override {
        using Journeys = std::map<uint32_t, api::JourneyNumbers>;
        // The numbers travel beside the text of the reply, which only says whether there are any.
        const auto found = std::make_shared<Journeys>();
        const auto reply = std::make_shared<Reply>(
            [found, answer = std::move(answer)](base::Result<std::string> done) {
                if (!done) return answer(tl::make_unexpected(std::move(done.error())));
                answer(std::move(*found));
            });
        AskAll<Journeys>(
            sources_, reply,
            [workspace](const PersonFold& fold, size_t, Journeys& part) {
                const WorkspaceTally* const tally = fold.tally().Find(workspace);
                if (tally == nullptr) return true;
                for (const auto& [number, journey] : tally->journeys) {
                    part[number] = {journey.in_it, journey.sent, journey.goal};
                }
                return true;
            },
            [found, reply](const std::vector<Journeys>& parts) {
                for (const Journeys& part : parts) {
                    for (const auto& [number, journey] : part) {
                        api::JourneyNumbers& all = (*found)[number];
                        all.in_it += journey.in_it;
                        all.sent += journey.sent;
                        all.goal += journey.goal;
                    }
                }
                reply->Give(std::string());
            });
    }

  private:
    static PersonOrder::By OrderOf(api::PersonSort sort) {
        switch (sort) {
            case api::PersonSort::kLastSeen: return PersonOrder::By::kLastSeen;
            case api::PersonSort::kFirstSeen: return PersonOrder::By::kFirstSeen;
            case api::PersonSort::kName: return PersonOrder::By::kName;
            case api::PersonSort::kEmail: return PersonOrder::By::kEmail;
        }
        return PersonOrder::By::kId;
    }

    static size_t LimitOf(const api::Page& page) {
        return static_cast<size_t>(std::clamp(page.limit, 1, limits::kPageLimitMax));
    }

    // False: the cursor was none, and that was answered.
    static bool ReadPage(Reply& reply, const api::Page& page, PersonPage& list) {
        list.limit = LimitOf(page);
        if (page.cursor.empty()) return true;
        auto after = list.order.ReadCursor(page.cursor);
        if (!after) {
            reply.Fail(std::move(after.error()));
            return false;
        }
        list.after = std::move(*after);
        return true;
    }

    static std::string SegmentBody(const catalog::Segment& segment,
                                   const std::vector<SegmentPart>& parts) {
        int64_t count = 0, shown = 0, loaded = 0;
        for (const auto& part : parts) {
            count += static_cast<int64_t>(part.count);
            shown += part.shown ? 1 : 0;
            loaded += part.shown || part.loaded ? 1 : 0;
        }
        const auto all = static_cast<int64_t>(parts.size());
        std::string body;
        base::JsonWriter w(body);
        w.Begin('{').Key("id").String(catalog::SegmentId(segment.number));
        w.Key("name").String(segment.name).Key("condition").String(segment.condition);
        w.Key("version").Int(segment.version).Key("created").Time(segment.created_ms);
        w.Key("state").String(shown == all ? "ready" : "counting");
        w.Key("progress").Double(static_cast<double>(loaded) / static_cast<double>(all));
        w.Key("count").Int(count).End('}');
        return body;
    }

    void Find(const ReplyPtr& reply, WorkspaceId workspace, const PersonId& id,
              PersonSearch::Look look) {
        std::make_shared<PersonSearch>(sources_, reply, workspace, id, std::move(look))->Start();
    }

    // Judges the condition over the log; `then(result, took_ms)` runs on the crew.
    template <typename Then>
    void Scan(const ReplyPtr& reply, WorkspaceId workspace,
              const condition::ExpressionPtr& condition, base::TimeMs as_of, Then then) {
        if (condition::FindReferences(*condition).since_entry) {
            return reply->Fail(base::Invalid("\"since entry\" has a meaning inside a journey only",
                                             "condition")
                                   .value());
        }
        auto compiled = sources_->catalog.CompileForPreview(workspace, *condition);
        if (!compiled) return reply->Fail(std::move(compiled.error()));
        auto program = std::make_shared<const evaluate::Program>(std::move(*compiled));
        // The work keeps the sources by reference: the crew is theirs and ends before them.
        RunLong(sources_, reply,
                [&all = *sources_, reply, workspace, program, as_of, then = std::move(then)] {
                    const int64_t begun = base::SteadyNanos();
                    // A record can be ahead of the clock by what the log smoothed over.
                    const base::TimeMs at =
                        as_of != 0 ? as_of : std::max(all.clock.Now(), all.log.LastCommitTime());
                    auto result = ScanProgram(all.log, all.catalog, workspace, *program, at,
                                              kScanThreads);
                    if (!result) return reply->Fail(std::move(result.error()));
                    then(std::move(*result), (base::SteadyNanos() - begun) / 1'000'000);
                });
    }

    const SourcesPtr sources_;
};

}  // namespace

std::unique_ptr<api::Queries> MakeQueries(engine::Engine& engine, event_log::Log& log,
                                          const catalog::Catalog& catalog,
                                          const identity::LinkMap& links, base::Clock& clock,
                                          warehouse::Warehouse* warehouse,
                                          warehouse::Spool* spool) {
    return std::make_unique<LiveQueries>(SourcesPtr(
        new Sources{engine, log, catalog, links, clock, warehouse, spool,
                    Crew(limits::kLongQueryThreads)}));
}

}  // namespace server
