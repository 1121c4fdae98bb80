#include "flow/journeys/runner.h"

#include <gtest/gtest.h>

#include "base/limits.h"
#include "model/record.h"

namespace journeys {
namespace {

using model::EntryEnd;

constexpr base::TimeMs kNow = 1767600000000;

class Running : public testing::Test {
  protected:
    void Start(const std::string& entry, const std::string& more, const std::string& steps) {
        auto compiled = catalog::CompileJourney(
            "{\"name\":\"J\",\"entry\":" + entry + more + ",\"steps\":[" + steps + "]}",
            [&](const condition::Expression& part) -> base::Result<evaluate::LeafPtr> {
                auto leaf = evaluate::Leaf::Create(++leaf_, part);
                if (!leaf) return tl::make_unexpected(leaf.error());
                return std::make_shared<const evaluate::Leaf>(std::move(*leaf));
            },
            [](const std::string&) -> base::Result<uint32_t> { return 5u; });
        ASSERT_TRUE(compiled.has_value()) << base::ClientText(compiled.error());
        auto journey = std::make_shared<catalog::Journey>(**compiled);
        journey->number = 1;
        journey->version = 1;
        journey_ = journey;
        runner_.Build({journey_}, [this](uint32_t, uint32_t) { return journey_; });
    }
    void Did(const std::string& name, base::TimeMs at, base::TimeMs now,
             const std::string& key = {}) {
        model::EventView event;
        event.name = name;
        event.time_ms = at;
        event.is_bot = robot_;
        model::Property property;
        property.key = "key";
        property.kind = model::Property::Kind::kText;
        property.text = key;
        if (!key.empty()) event.properties = {&property, 1};
        numbers_ = {0, ++offset_, 0};
        runner_.OnEvent(person_, names_, event, model::NameHash(name), now, numbers_, facts_);
    }
    void Time(base::TimeMs now) {
        numbers_ = {0, ++offset_, 0};
        runner_.OnTime(person_, names_, now, numbers_, facts_);
    }
    std::vector<EntryEnd> Ends() const {
        std::vector<EntryEnd> ends;
        if (!person_.facts) return ends;
        for (const auto& entry : person_.facts->entries) ends.push_back(entry.end);
        return ends;
    }
    size_t Letters() const { return person_.facts ? person_.facts->messages.size() : 0; }

    uint32_t leaf_ = 0;
    model::Offset offset_ = 0;
    bool robot_ = false;
    catalog::JourneyPtr journey_;
    Runner runner_;
    model::Person person_;
    model::Names names_;
    model::FactNumbers numbers_;
    std::vector<Fact> facts_;
};

constexpr char kWaitAndLetter[] =
    R"({"id":"w","type":"wait","for":"1h"},{"id":"l","type":"letter","subject":"s","text":"t"})";
constexpr char kGoal[] = R"(,"goal":"did \"Done\" since entry")";

TEST_F(Running, AWaitEndsAtItsInstantAndNotBefore) {
    Start(R"({"event":"X"})", "", kWaitAndLetter);
    Did("X", kNow, kNow);
    EXPECT_EQ(runner_.NextDue(person_, names_, kNow), kNow + base::kHourMs);
    Time(kNow + base::kHourMs - 1);
    EXPECT_EQ(Letters(), 0u);
    Time(kNow + base::kHourMs);
    EXPECT_EQ(Letters(), 1u);
    EXPECT_EQ(runner_.NextDue(person_, names_, kNow + base::kHourMs), base::kNeverMs);
    Time(kNow + 2 * base::kHourMs);
    EXPECT_EQ(Letters(), 1u);
}

TEST_F(Running, SinceEntryGoesByTheOwnTimeOfTheEntryEvent) {
    Start(R"({"event":"X"})", kGoal, kWaitAndLetter);
    // One batch: began 9 s ago, done 5 s ago, both in the log now.
    Did("X", kNow - 9000, kNow);
    Did("Done", kNow - 9001, kNow);
    EXPECT_EQ(Ends(), (std::vector{EntryEnd::kOpen}));
    Did("Done", kNow - 9000, kNow);
    EXPECT_EQ(Ends(), (std::vector{EntryEnd::kGoal}));
}

TEST_F(Running, RobotsNeitherEnterNorReachGoals) {
    Start(R"({"event":"X"})", kGoal, kWaitAndLetter);
    robot_ = true;
    Did("X", kNow, kNow);
    EXPECT_TRUE(Ends().empty());
    robot_ = false;
    Did("X", kNow, kNow);
    robot_ = true;
    Did("Done", kNow, kNow);
    EXPECT_EQ(Ends(), (std::vector{EntryEnd::kOpen}));
}

TEST_F(Running, OnlyEventsYoungerThanADayEnter) {
    Start(R"({"event":"X","again":"every_time"})", "", kWaitAndLetter);
    Did("X", kNow - limits::kJourneyEntryAgeMax, kNow);
    EXPECT_TRUE(Ends().empty());
    Did("X", kNow - limits::kJourneyEntryAgeMax + 1, kNow);
    EXPECT_EQ(Ends().size(), 1u);
}

TEST_F(Running, OncePerKeyIsOnceForEachKeyAndNeverWithoutOne) {
    Start(R"({"event":"X","key":"key","again":"once_per_key"})", kGoal, kWaitAndLetter);
    Did("X", kNow, kNow);
    EXPECT_TRUE(Ends().empty());
    Did("X", kNow, kNow, "1");
    Did("X", kNow, kNow, "1");
    Did("X", kNow, kNow, "2");
    EXPECT_EQ(Ends().size(), 2u);
    Did("Done", kNow, kNow, "2");
    EXPECT_EQ(Ends(), (std::vector{EntryEnd::kOpen, EntryEnd::kGoal}));
    Did("X", kNow, kNow, "2");
    EXPECT_EQ(Ends().size(), 2u);
}

TEST_F(Running, APersonIsInAtMostTheLimitOfEntries) {
    Start(R"({"event":"X","key":"key","again":"once_per_key"})", "", kWaitAndLetter);
    for (size_t i = 0; i <= limits::kJourneyEntriesMax; ++i) {
        Did("X", kNow, kNow, std::to_string(i));
    }
    EXPECT_EQ(Ends().size(), limits::kJourneyEntriesMax);
}

TEST_F(Running, AnEntryWaitsForItsLetter) {
    Start(R"({"event":"X"})", "", R"({"id":"l","type":"letter","subject":"s","text":"t"})");
    Did("X", kNow, kNow);
    EXPECT_EQ(Ends(), (std::vector{EntryEnd::kOpen}));
    auto& message = person_.facts->messages.front();
    message.state = model::MessageState::kSent;
    runner_.Settle(person_, message.entry, kNow, numbers_, facts_);
    EXPECT_EQ(Ends(), (std::vector{EntryEnd::kFinished}));
}

TEST_F(Running, RetiringEndsWhatIsOpen) {
    Start(R"({"event":"X","again":"every_time"})", "", kWaitAndLetter);
    Did("X", kNow, kNow);
    runner_.Retire(person_, 2, kNow, numbers_, facts_);
    EXPECT_EQ(Ends(), (std::vector{EntryEnd::kOpen}));
    runner_.Retire(person_, 1, kNow, numbers_, facts_);
    EXPECT_EQ(Ends(), (std::vector{EntryEnd::kRetired}));
}

TEST_F(Running, LeavingASegmentEntersOnlyWhoAsksForLeaving) {
    Start(R"({"segment":"s","on":"leave"})", "", kWaitAndLetter);
    numbers_ = {0, 1, 0};
    runner_.OnMove(person_, names_, 5, true, kNow, numbers_, facts_);
    runner_.OnMove(person_, names_, 6, false, kNow, numbers_, facts_);
    EXPECT_TRUE(Ends().empty());
    runner_.OnMove(person_, names_, 5, false, kNow, numbers_, facts_);
    EXPECT_EQ(Ends().size(), 1u);
}

TEST_F(Running, WhoIsInTooManyJourneysIsRefusedAndTheCardSaysSo) {
    Start(R"({"event":"X","again":"every_time"})", "", kWaitAndLetter);
    auto& entries = person_.Facts().entries;
    while (entries.size() < limits::kJourneyEntriesMax) {
        entries.emplace_back().journey = 1000 + static_cast<uint32_t>(entries.size());
    }
    Did("X", kNow, kNow);
    EXPECT_EQ(entries.size(), limits::kJourneyEntriesMax);
    ASSERT_EQ(facts_.size(), 1u);
    EXPECT_EQ(facts_[0].kind, Fact::Kind::kRefused);
    facts_.clear();
    entries.pop_back();
    Did("X", kNow, kNow);
    EXPECT_EQ(entries.size(), limits::kJourneyEntriesMax);
    EXPECT_EQ(facts_[0].kind, Fact::Kind::kEntered);
}

model::JourneyEntry Entry(uint32_t journey, base::TimeMs entered, uint64_t offset,
                          const std::string& key = {}) {
    model::JourneyEntry entry;
    entry.journey = journey;
    entry.entered_ms = entered;
    entry.id = {0, offset, 1};
    entry.key = key;
    return entry;
}

TEST(UnitingFacts, OfTheSameOpenJourneyTheOlderEntryStays) {
    for (const bool ours_first : {true, false}) {
        model::PersonFacts ours, theirs;
        ours.entries.push_back(Entry(1, ours_first ? kNow : kNow + 1, 5));
        theirs.entries.push_back(Entry(1, ours_first ? kNow + 1 : kNow, 6));
        theirs.entries.push_back(Entry(1, kNow, 7, "other key"));
        theirs.entries.push_back(Entry(2, kNow, 8));
        model::FactNumbers numbers{0, 9, 0};
        std::vector<Fact> facts;
        Runner::Unite(ours, std::move(theirs), kNow + 9, numbers, facts);
        ASSERT_EQ(ours.entries.size(), 4u);
        ASSERT_EQ(facts.size(), 1u);
        EXPECT_EQ(facts[0].kind, Fact::Kind::kEnded);
        EXPECT_EQ(facts[0].end, EntryEnd::kMerged);
        EXPECT_EQ(facts[0].entry.offset, ours_first ? 6u : 5u);
        int merged = 0;
        for (const auto& entry : ours.entries) {
            merged += entry.end == EntryEnd::kMerged;
            if (entry.end == EntryEnd::kMerged) {
                EXPECT_EQ(entry.entered_ms, kNow + 1);
            }
        }
        EXPECT_EQ(merged, 1);
    }
}

TEST(UnitingFacts, WithdrawnConsentWinsAndClaimsAreKept) {
    model::PersonFacts ours, theirs;
    ours.claims = "\"a\"";
    theirs.unsubscribed_ms = kNow;
    theirs.claims = "\"b\"";
    theirs.merged = {{1, 1}, {2, 2}};
    ours.merged = {{2, 2}};
    model::FactNumbers numbers;
    std::vector<Fact> facts;
    Runner::Unite(ours, std::move(theirs), kNow, numbers, facts);
    EXPECT_EQ(ours.unsubscribed_ms, kNow);
    EXPECT_TRUE(facts.empty());
    EXPECT_EQ(ours.claims, "\"a\",\"b\"");
    EXPECT_EQ(ours.merged.size(), 2u);
}

}  // namespace
}  // namespace journeys
