// The log read again gives what the fold has: copies, moves, late events, windows.
#include "server/history_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/clock.h"
#include "base/hash.h"
#include "event_log/memory/memory_log.h"
#include "language/condition/parse.h"
#include "model/event.h"
#include "server/link_fold.h"
#include "server/payload.h"
#include "server/person_fold.h"

namespace server {
namespace {

using base::kDayMs;
using base::kHourMs;
using base::TimeMs;
using model::PersonId;
using model::RecordKind;

constexpr TimeMs kNow = 1'750'000'000'000;
constexpr int kPartitions = 2;

struct Act {
    std::string properties = {};
    std::string traits = {};
    TimeMs own_ms = 0;  // 0: now.
    uint64_t fingerprint = 0;
    bool bot = false;
    std::string source_kind = {};
    std::string once = {};
};

class History : public testing::Test {
  protected:
    History() : clock_(kNow), log_(kPartitions, &clock_, event_log::MemoryLog::Commit::kManual) {
        catalog_ = std::move(catalog::Catalog::Open(log_, clock_).value());
        EXPECT_TRUE(catalog_->CreateWorkspace("test"));
    }

    // Persons are named by their partition and a number.
    static PersonId Who(uint64_t partition, uint64_t number) {
        return {number * kPartitions + partition, number + 1};
    }

    std::string Json(const PersonId& id, const std::string& name, const Act& act) {
        model::Event event;
        event.name = name;
        event.properties = act.properties;
        event.traits = act.traits;
        event.traits_once = act.once;
        event.time_ms = act.own_ms != 0 ? act.own_ms : clock_.Now();
        event.received_ms = clock_.Now();
        event.trust = model::Trust::kSecret;
        event.is_bot = act.bot;
        event.person = id;
        event.source.kind = act.source_kind;
        event.source.source = "letters";
        event.source_key = "k1";
        std::string json;
        model::AppendEventJson(json, event);
        return json;
    }

    model::Offset Put(model::NewRecord record) {
        std::vector<model::NewRecord> records;
        records.push_back(std::move(record));
        return log_.AppendAndWait(std::move(records)).value().front().offset;
    }

    model::Offset Does(const PersonId& id, const std::string& name, const Act& act = {}) {
        model::NewRecord record;
        record.stream = model::PartitionOf(id, kPartitions);
        record.workspace = 1;
        record.person = id;
        record.fingerprint = act.fingerprint;
        record.name_hash = model::NameHash(name);
        record.payload = Json(id, name, act);
        return Put(std::move(record));
    }

    // What the fold of partition `from` relays to the one of `to`, named by its place.
    model::NewRecord Relayed(RecordKind kind, const PersonId& to, model::Offset place,
                             const std::string& rest) {
        model::NewRecord record;
        record.stream = model::PartitionOf(to, kPartitions);
        record.kind = kind;
        record.workspace = 1;
        record.person = to;
        record.payload = "{\"from\":[7," + std::to_string(place) + ",1]," + rest + "}";
        return record;
    }
    void MovesOut(const PersonId& who, const PersonId& to, model::Offset place) {
        Put(Relayed(RecordKind::kMovedOut, who, place, "\"to\":\"" + model::ToText(to) + "\""));
    }
    void MovesIn(const PersonId& who, const PersonId& to, model::Offset place,
                 const std::vector<uint64_t>& taken = {}) {
        model::Person state;
        state.id = who;
        state.workspace = 1;
        state.taken = std::make_unique<model::TakenIds>();
        for (const uint64_t t : taken) state.taken->Take(t, clock_.Now());
        Put(Relayed(RecordKind::kMovedIn, to, place,
                    "\"who\":\"" + model::ToText(who) + "\",\"state\":\"" +
                        base::Base64Encode(PackMover(state, model::Names())) + "\""));
    }
    void IsForwarded(const PersonId& to, const std::string& name, model::Offset place,
                     const Act& act = {}) {
        auto record = Relayed(RecordKind::kForwarded, to, place,
                              "\"kind\":1,\"log_ms\":1,\"payload\":" + Json(to, name, act));
        record.fingerprint = act.fingerprint;
        record.name_hash = model::NameHash(name);
        Put(std::move(record));
    }

    std::vector<PersonId> Holds(const std::string& condition, TimeMs as_of = 0) {
        const auto tree = condition::Parse(condition);
        EXPECT_TRUE(tree) << (tree ? "" : tree.error().internal);
        if (!tree) return {};
        const auto program = catalog_->CompileForPreview(1, **tree);
        EXPECT_TRUE(program) << (program ? "" : program.error().internal);
        auto result =
            ScanProgram(log_, *catalog_, 1, *program, as_of != 0 ? as_of : clock_.Now(), 2);
        EXPECT_TRUE(result) << (result ? "" : result.error().internal);
        return result ? result->persons : std::vector<PersonId>();
    }

    std::vector<PersonId> Sorted(std::vector<PersonId> ids) {
        std::sort(ids.begin(), ids.end());
        return ids;
    }

    evaluate::LeafPtr LeafOf(const std::string& condition) {
        return std::make_shared<const evaluate::Leaf>(
            evaluate::Leaf::Create(5, **condition::Parse(condition)).value());
    }
    uint32_t CountOf(const std::vector<Remembered>& all, const PersonId& id) {
        for (const auto& r : all) {
            if (r.person == id) return r.accumulators.front().count;
        }
        return 0;
    }

    void Later(base::DurationMs span) { clock_.MoveTo(clock_.Now() + span); }

    base::SimulatedClock clock_;
    event_log::MemoryLog log_;
    std::unique_ptr<catalog::Catalog> catalog_;
    const PersonId a_ = Who(0, 10), b_ = Who(1, 20), c_ = Who(1, 30);
};

TEST_F(History, EventsOfOtherNamesAndOtherWorkspacesAreSkipped) {
    Does(a_, "Buy");
    Does(b_, "Look");
    model::NewRecord other;
    other.stream = 1;
    other.workspace = 2;
    other.person = c_;
    other.name_hash = model::NameHash("Buy");
    other.payload = Json(c_, "Buy", {});
    Put(std::move(other));
    EXPECT_EQ(Holds("did \"Buy\""), std::vector{a_});
}

TEST_F(History, ACopyCountsOnceInsideTheWindowAndTwiceBehindIt) {
    Does(a_, "Buy", {.fingerprint = 9});
    Does(a_, "Buy", {.fingerprint = 9});
    Does(b_, "Buy", {.fingerprint = 9});
    Does(b_, "Buy", {.fingerprint = 10});
    EXPECT_EQ(Holds("did \"Buy\" 2+ times"), std::vector{b_});
    Later(limits::kDedupeWindowMs + 2 * kHourMs);
    Does(a_, "Buy", {.fingerprint = 9});
    EXPECT_EQ(Holds("did \"Buy\" 2+ times"), Sorted({a_, b_}));
}

TEST_F(History, RobotsCountForNothing) {
    Does(a_, "Buy", {.bot = true});
    Does(b_, "Buy");
    EXPECT_EQ(Holds("did \"Buy\""), std::vector{b_});
}

TEST_F(History, FiltersAndSumsReadTheProperties) {
    Does(a_, "Buy", {.properties = R"({"plan":"pro","price":40})"});
    Does(a_, "Buy", {.properties = R"({"plan":"pro","price":2.5})"});
    Does(b_, "Buy", {.properties = R"({"plan":"free","price":90})"});
    EXPECT_EQ(Holds("did \"Buy\" where plan is \"pro\""), std::vector{a_});
    EXPECT_EQ(Holds("sum(price) of \"Buy\" > 42"), Sorted({a_, b_}));
    EXPECT_EQ(Holds("sum(price) of \"Buy\" > 42.5"), std::vector{b_});
}

TEST_F(History, OnlyWhatTheLogHadByThenCounts) {
    Does(a_, "Buy");
    Later(1);
    Does(b_, "Buy", {.own_ms = kNow - kDayMs});  // Late: happened before, known later.
    EXPECT_EQ(Holds("did \"Buy\"", kNow), std::vector{a_});
    EXPECT_EQ(Holds("did \"Buy\"", kNow + 1), Sorted({a_, b_}));
}

TEST_F(History, WindowsAreJudgedByOwnTimesAtTheMoment) {
    Does(a_, "Buy", {.own_ms = kNow - kDayMs});
    Does(b_, "Buy", {.own_ms = kNow - kDayMs + 1});
    EXPECT_EQ(Holds("did \"Buy\" within 1 day", kNow), std::vector{b_});
    EXPECT_EQ(Holds("did \"Buy\" within 1 day", kNow + 1), std::vector<PersonId>());
}

TEST_F(History, NegativeConditionsHoldForWhoeverWasSeen) {
    Does(a_, "Buy");
    Does(b_, "Look");
    EXPECT_EQ(Holds("not did \"Buy\""), std::vector{b_});
    EXPECT_EQ(Holds("everyone"), Sorted({a_, b_}));
}

TEST_F(History, AttributesAreThoseOfTheTime) {
    Does(a_, "Look", {.traits = R"({"plan":"free"})"});
    Does(b_, "Look", {.traits = R"({"plan":"pro","seats":5})"});
    Later(1000);
    Does(a_, "Look", {.traits = R"({"plan":"pro"})"});
    EXPECT_EQ(Holds("plan is \"pro\"", kNow), std::vector{b_});
    EXPECT_EQ(Holds("plan is \"pro\""), Sorted({a_, b_}));
    EXPECT_EQ(Holds("plan is \"pro\" and seats > 4"), std::vector{b_});
    EXPECT_EQ(Holds("seats is unknown and not did \"Buy\""), std::vector{a_});
}

TEST_F(History, TouchesAreRead) {
    Does(a_, "Look", {.source_kind = "email"});
    Does(b_, "Look");
    EXPECT_EQ(Holds("first_touch.kind is \"email\""), std::vector{a_});
}

TEST_F(History, SegmentsThatAreNamedAreJudgedFirst) {
    ASSERT_TRUE(catalog_->CreateSegment(1, "buyers", "did \"Buy\""));
    ASSERT_TRUE(
        catalog_->CreateSegment(1, "pro buyers", "in segment \"buyers\" and plan is \"pro\""));
    Does(a_, "Buy", {.traits = R"({"plan":"pro"})"});
    Does(b_, "Buy");
    Does(c_, "Look");
    EXPECT_EQ(Holds("in segment \"buyers\""), Sorted({a_, b_}));
    EXPECT_EQ(Holds("in segment \"pro buyers\""), std::vector{a_});
    EXPECT_EQ(Holds("not in segment \"pro buyers\""), Sorted({b_, c_}));
}

TEST_F(History, MovedPersonsCountAsWhomTheyBecame) {
    Does(a_, "Buy");
    Does(b_, "Buy");
    EXPECT_EQ(Holds("did \"Buy\" 2+ times"), std::vector<PersonId>());
    MovesOut(a_, b_, 1);
    MovesIn(a_, b_, 1);
    EXPECT_EQ(Holds("did \"Buy\" 2+ times"), std::vector{b_});
    EXPECT_EQ(Holds("did \"Buy\""), std::vector{b_});
    EXPECT_EQ(Holds("everyone"), std::vector{b_});
}

TEST_F(History, ChainsOfMovesEndAtTheRoot) {
    Does(a_, "Buy", {.traits = R"({"plan":"pro"})"});
    MovesOut(a_, b_, 1);
    MovesOut(b_, c_, 2);
    EXPECT_EQ(Holds("did \"Buy\" and plan is \"pro\""), std::vector{c_});
}

TEST_F(History, EventsBehindAMoveAreReadWhereTheyWereSent) {
    MovesOut(a_, b_, 1);
    Does(a_, "Buy");  // Meets the moved person: forwarded.
    EXPECT_EQ(Holds("did \"Buy\""), std::vector<PersonId>());
    IsForwarded(b_, "Buy", 2);
    IsForwarded(b_, "Buy", 2);  // The relay came twice.
    EXPECT_EQ(Holds("did \"Buy\""), std::vector{b_});
    EXPECT_EQ(Holds("did \"Buy\" 2+ times"), std::vector<PersonId>());
    IsForwarded(b_, "Buy", 3);
    EXPECT_EQ(Holds("did \"Buy\" 2+ times"), std::vector{b_});
}

TEST_F(History, ACopyOfWhatAMovedPersonDidIsStillACopy) {
    Does(a_, "Buy", {.fingerprint = 9});
    MovesOut(a_, b_, 1);
    MovesIn(a_, b_, 1, {9});
    Does(b_, "Buy", {.fingerprint = 9});
    IsForwarded(b_, "Buy", 2, {.fingerprint = 9});
    EXPECT_EQ(Holds("did \"Buy\""), std::vector{b_});
    EXPECT_EQ(Holds("did \"Buy\" 2+ times"), std::vector<PersonId>());
}

TEST_F(History, AttributesOfTwoPartitionsUniteByNameAndTime) {
    Does(b_, "Look", {.traits = R"({"zone":1,"plan":"old","gone":true})", .own_ms = kNow - 9000});
    Does(a_, "Look", {.traits = R"({"plan":"new","gone":1})", .own_ms = kNow - 5000});
    Does(a_, "Look", {.traits = R"({"gone":null})", .own_ms = kNow - 4000});
    MovesOut(a_, b_, 1);
    EXPECT_EQ(Holds("plan is \"new\" and zone is 1"), std::vector{b_});
    EXPECT_EQ(Holds("gone is known"), std::vector<PersonId>());
}

TEST_F(History, LeavesRememberUpToTheMarkerAndNotBeyond) {
    Does(a_, "Buy");
    const auto marker = Does(a_, "Buy");
    Does(a_, "Buy");
    const auto leaf = LeafOf("did \"Buy\" 3+ times");
    const auto upto = ScanLeaves(log_, 1, 0, marker, {leaf});
    ASSERT_TRUE(upto);
    ASSERT_EQ(upto->size(), 1u);
    EXPECT_EQ(CountOf(*upto, a_), 2u);
    const auto before = ScanLeaves(log_, 1, 0, marker - 1, {leaf});
    ASSERT_TRUE(before);
    EXPECT_EQ(CountOf(*before, a_), 1u);
}

TEST_F(History, LeavesOfAMovedPersonStayUnderTheIdOfHerRecords) {
    Does(a_, "Buy");
    MovesOut(a_, b_, 1);
    Does(a_, "Buy");
    const auto all = ScanLeaves(log_, 1, 0, log_.End(0), {LeafOf("did \"Buy\"")});
    ASSERT_TRUE(all);
    EXPECT_EQ(CountOf(*all, a_), 1u);
    const auto other = ScanLeaves(log_, 1, 1, log_.End(1), {LeafOf("did \"Buy\"")});
    ASSERT_TRUE(other);
    EXPECT_TRUE(other->empty());
}

TEST_F(History, ATrimmedLogIsUnavailable) {
    Does(a_, "Buy");
    Does(a_, "Buy");
    ASSERT_TRUE(log_.Trim(0, 2));
    const auto all = ScanLeaves(log_, 1, 0, 2, {LeafOf("did \"Buy\"")});
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, base::ErrorCode::kUnavailable);
}

// --- against the fold itself ---------------------------------------------------------------------

// Folds everything that is in the log, with one relay at a time finding its way back into it, in an
// order drawn from the seed.
class Folds {
  public:
    Folds(event_log::MemoryLog& log, const catalog::Catalog& catalog, std::mt19937_64& draw)
        : log_(log), draw_(draw), links_(log.links(), kPartitions, map_) {
        for (int p = 0; p < kPartitions; ++p) {
            persons_.push_back(std::make_unique<PersonFold>(static_cast<model::StreamId>(p),
                                                            kPartitions, catalog));
        }
        sent_.resize(kPartitions + 1);
    }

    // Some steps; `all`: until nothing is left.
    void Run(bool all) {
        size_t idle = 0;
        for (int n = 0; all ? idle < 200 : n < 5; ++n) {
            const size_t stream = draw_() % (kPartitions + 1);
            idle = Step(stream, all || draw_() % 2 == 0) ? 0 : idle + 1;
        }
    }

    std::set<PersonId> Members(uint32_t segment) const {
        std::set<PersonId> ids;
        for (const auto& fold : persons_) {
            if (const Roaring* members = fold->Members(segment)) {
                for (const uint32_t slot : *members) ids.insert(fold->AtSlot(slot).id);
            }
        }
        return ids;
    }
    const identity::LinkMap& map() const { return map_; }

  private:
    engine::Fold& At(size_t stream) {
        return stream < kPartitions ? static_cast<engine::Fold&>(*persons_[stream]) : links_;
    }

    bool Step(size_t stream, bool relay) {
        engine::Fold& fold = At(stream);
        bool moved = false;
        auto batch = log_.Read(static_cast<model::StreamId>(stream), fold.applied() + 1, 1);
        if (batch && !batch->records.empty()) {
            fold.Apply(batch->records.front());
            moved = true;
        }
        if (!relay) return moved;
        std::vector<model::NewRecord> records;
        for (const auto& r : fold.relays()) {
            const std::pair place(r.origin.offset, r.origin.ordinal);
            if (place <= sent_[stream]) continue;
            sent_[stream] = place;
            records.push_back(r.record);
            if (draw_() % 8 == 0) records.push_back(r.record);  // A copy, as after a crash.
        }
        if (records.empty()) return moved;
        EXPECT_TRUE(log_.AppendAndWait(std::move(records)));
        return true;
    }

    event_log::MemoryLog& log_;
    std::mt19937_64& draw_;
    identity::LinkMap map_;
    LinkFold links_;
    std::vector<std::unique_ptr<PersonFold>> persons_;
    std::vector<std::pair<model::Offset, uint32_t>> sent_;
};

TEST_F(History, ShuffledMovesAndCopiesGiveTheMembersOfTheFold) {
    const char* conditions[] = {"did \"Buy\" 2+ times",
                                "not did \"Buy\"",
                                "sum(price) of \"Buy\" > 20 and did \"Look\"",
                                "did \"Look\" within 30 days and not did \"Buy\" 3+ times",
                                "plan is \"p3\" or first is \"f1\" and did \"Buy\"",
                                "plan is unknown or email is known"};
    std::vector<uint32_t> numbers;
    for (const char* condition : conditions) {
        const auto segment = catalog_->CreateSegment(1, condition, condition);
        ASSERT_TRUE(segment);
        numbers.push_back((*segment)->number);
        for (int p = 0; p < kPartitions; ++p) {
            for (const auto kind : {RecordKind::kMarker, RecordKind::kReady}) {
                model::NewRecord record;
                record.stream = static_cast<model::StreamId>(p);
                record.kind = kind;
                record.workspace = 1;
                record.payload =
                    "{\"kind\":\"segment\",\"number\":" + std::to_string(numbers.back()) +
                    ",\"version\":1}";
                Put(std::move(record));
            }
        }
    }
    std::mt19937_64 draw(11);
    Folds folds(log_, *catalog_, draw);
    const auto secret = catalog_->FindWorkspace(1)->secret;
    const auto id_of = [&](model::IdKind kind, uint64_t n) {
        return identity::LinkId{kind, model::PersonOf(secret, kind, std::to_string(n))};
    };
    for (int n = 0; n < 1500; ++n) {
        identity::LinkCall call;
        call.trusted = true;
        if (draw() % 4 == 0) call.ids.push_back(id_of(model::IdKind::kUser, draw() % 90));
        call.ids.push_back(id_of(model::IdKind::kAnonymous, draw() % 300));
        const auto resolved = folds.map().Resolve(call);
        if (resolved.needs_link) {
            model::NewRecord link;
            link.stream = log_.links();
            link.kind = RecordKind::kLink;
            link.workspace = 1;
            link.payload = identity::EncodeCall(call);
            Put(std::move(link));
        }
        const std::string price = "{\"price\":" + std::to_string(draw() % 9) + "}";
        std::string traits, once;
        if (draw() % 4 == 0) {
            traits = draw() % 5 == 0 ? "{\"plan\":null}"
                                     : "{\"plan\":\"p" + std::to_string(draw() % 5) + "\"}";
        }
        if (draw() % 4 == 0) once = "{\"first\":\"f" + std::to_string(draw() % 3) + "\"}";
        Does(resolved.person, draw() % 2 == 0 ? "Buy" : "Look",
             {.properties = price,
              .traits = traits,
              .fingerprint = 1 + draw() % 900,
              .bot = draw() % 20 == 0,
              .once = once});
        Later(static_cast<base::DurationMs>(draw() % 1000));
        if (draw() % 2 == 0) folds.Run(false);
    }
    folds.Run(true);
    for (size_t i = 0; i < numbers.size(); ++i) {
        const auto ids = Holds(conditions[i]);
        EXPECT_EQ(std::set<PersonId>(ids.begin(), ids.end()), folds.Members(numbers[i]))
            << conditions[i];
        EXPECT_FALSE(ids.empty()) << conditions[i];
        EXPECT_LT(ids.size(), Holds("everyone").size()) << conditions[i];
    }
}

}  // namespace
}  // namespace server
