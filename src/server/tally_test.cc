#include "server/tally.h"

#include <gtest/gtest.h>

namespace server {
namespace {

constexpr base::TimeMs kNow = 1767607200000;   // 2026-01-05T10:00:00Z
constexpr model::WorkspaceId kHere = 1;

model::Person Made(Tally& tally) {
    model::Person person;
    person.workspace = kHere;
    tally.Made(kHere);
    return person;
}

// An event at `now`; with `visit` an act on the site.
void Event(Tally& tally, model::Person& person, base::TimeMs now, bool visit = true,
           model::IdKind id = model::IdKind::kAnonymous) {
    const Tally::Stand before = Tally::Before(person);
    ++person.events;
    if (visit) person.visit_ms = now;
    if (person.ids.empty() || person.ids.back().kind != id) {
        person.ids.push_back({id, true, {}, "x"});
    }
    tally.Event(person, before, now);
}

TEST(TallyOnSite, APersonCountsOnceForFiveMinutesSinceTheLastAct) {
    Tally tally;
    model::Person ada = Made(tally), ben = Made(tally);
    Event(tally, ada, kNow);
    Event(tally, ada, kNow + 60'000);
    Event(tally, ben, kNow);
    const WorkspaceTally& in = *tally.Find(kHere);
    EXPECT_EQ(2, in.OnSite(kNow + 60'000));
    // In steps of ten seconds.
    EXPECT_EQ(2, in.OnSite(kNow + limits::kOnSiteMs - 1));
    EXPECT_EQ(1, in.OnSite(kNow + limits::kOnSiteMs));
    EXPECT_EQ(1, in.OnSite(kNow + 60'000 + limits::kOnSiteMs - 1));
    EXPECT_EQ(0, in.OnSite(kNow + 60'000 + limits::kOnSiteMs));
    // Steps come again after 640 seconds; what stood in them is gone.
    Event(tally, ben, kNow + 640'000);
    EXPECT_EQ(1, in.OnSite(kNow + 640'000));
}

TEST(TallyDays, EventsVisitorsAndNewPersonsStandInTheirDay) {
    Tally tally;
    model::Person ada = Made(tally);
    Event(tally, ada, kNow);
    Event(tally, ada, kNow + 1);
    Event(tally, ada, kNow + base::kDayMs, false);
    const WorkspaceTally& in = *tally.Find(kHere);
    const auto today = static_cast<uint32_t>(kNow / base::kDayMs);
    EXPECT_EQ(2u, in.Day(today)->events);
    EXPECT_EQ(1u, in.Day(today)->visitors);
    EXPECT_EQ(1u, in.Day(today)->new_persons);
    EXPECT_EQ(1u, in.Day(today + 1)->events);
    EXPECT_EQ(0u, in.Day(today + 1)->visitors);
    EXPECT_EQ(nullptr, in.Day(today + 2));
    EXPECT_EQ(3, in.events);
    // The ring has come round: the old day is no longer known.
    Event(tally, ada, kNow + static_cast<base::DurationMs>(WorkspaceTally::kDays) * base::kDayMs);
    EXPECT_EQ(nullptr, in.Day(today));
}

TEST(TallyHours, ADayOfEventsEndsAfterTwentyFourHours) {
    Tally tally;
    model::Person ada = Made(tally);
    Event(tally, ada, kNow);
    const WorkspaceTally& in = *tally.Find(kHere);
    EXPECT_EQ(1, in.EventsOfADay(kNow + base::kDayMs - 1));
    EXPECT_EQ(0, in.EventsOfADay(kNow + base::kDayMs));
}

TEST(TallyPersons, KnownAreThoseWithAUserIdOrAnAddress) {
    Tally tally;
    model::Person ada = Made(tally);
    Event(tally, ada, kNow);
    EXPECT_EQ(0, tally.Find(kHere)->known);
    Event(tally, ada, kNow, true, model::IdKind::kEmail);
    Event(tally, ada, kNow, true, model::IdKind::kUser);
    EXPECT_EQ(1, tally.Find(kHere)->known);
    EXPECT_EQ(1, tally.Find(kHere)->persons);
}

TEST(TallyPersons, WhoMovesTakesHerNumbersAlong) {
    Tally tally;
    model::Person ada = Made(tally);
    Event(tally, ada, kNow, true, model::IdKind::kUser);
    ada.Facts().messages.emplace_back();
    model::JourneyEntry entry;
    entry.journey = 7;
    ada.Facts().entries.push_back(std::move(entry));
    tally.JourneyEntered(kHere, 7);
    tally.MessageChanged(kHere, ada.facts->messages[0], true, kNow);
    const WorkspaceTally& in = *tally.Find(kHere);
    EXPECT_EQ(1, in.waiting);
    EXPECT_EQ(1, in.journeys.at(7).in_it);
    tally.Leave(ada);
    EXPECT_EQ(0, in.persons);
    EXPECT_EQ(0, in.known);
    EXPECT_EQ(0, in.waiting);
    EXPECT_EQ(0, in.OnSite(kNow));
    EXPECT_EQ(0, in.journeys.at(7).in_it);
    tally.Enter(ada);
    EXPECT_EQ(1, in.persons);
    EXPECT_EQ(1, in.OnSite(kNow));
    EXPECT_EQ(1, in.journeys.at(7).in_it);
    // What happened stays where it happened.
    EXPECT_EQ(1, in.events);
}

TEST(TallyLetters, EachStateCountsOnce) {
    Tally tally;
    model::Message letter;
    letter.journey = 7;
    tally.MessageChanged(kHere, letter, true, kNow);
    letter.state = model::MessageState::kClaimed;
    letter.state = model::MessageState::kWaiting;   // Deferred.
    tally.MessageChanged(kHere, letter, false, kNow);
    EXPECT_EQ(1, tally.Find(kHere)->waiting);
    letter.state = model::MessageState::kSent;
    tally.MessageChanged(kHere, letter, false, kNow);
    tally.Opened(kHere, false, kNow);
    tally.Opened(kHere, true, kNow);
    const WorkspaceTally& in = *tally.Find(kHere);
    EXPECT_EQ(0, in.waiting);
    EXPECT_EQ(1, in.journeys.at(7).sent);
    EXPECT_EQ(1u, in.Week(kNow).sent);
    EXPECT_EQ(1u, in.Week(kNow + 6 * base::kDayMs).opened);
    EXPECT_EQ(0u, in.Week(kNow + 7 * base::kDayMs).clicked);
    model::Message skipped;
    tally.MessageChanged(kHere, skipped, true, kNow);
    skipped.state = model::MessageState::kSkipped;
    tally.MessageChanged(kHere, skipped, false, kNow);
    EXPECT_EQ(0, in.waiting);
    EXPECT_EQ(1u, in.Week(kNow).sent);
}

TEST(TallyJourneys, AMergeEndsEntriesWithoutCountingThemTwice) {
    Tally tally;
    tally.JourneyEntered(kHere, 7);
    tally.JourneyEntered(kHere, 7);
    tally.JourneyEnded(kHere, 7, model::EntryEnd::kMerged);
    EXPECT_EQ(2, tally.Find(kHere)->journeys.at(7).in_it);
    tally.JourneyEnded(kHere, 7, model::EntryEnd::kGoal);
    tally.JourneyEnded(kHere, 7, model::EntryEnd::kFinished);
    EXPECT_EQ(0, tally.Find(kHere)->journeys.at(7).in_it);
    EXPECT_EQ(1, tally.Find(kHere)->journeys.at(7).goal);
}

TEST(TallyBytes, ComeBackAndTheRestIsRecounted) {
    Tally tally;
    model::Person ada = Made(tally);
    Event(tally, ada, kNow, true, model::IdKind::kUser);
    model::Message letter;
    letter.journey = 7;
    tally.MessageChanged(kHere, letter, true, kNow);
    letter.state = model::MessageState::kSent;
    tally.MessageChanged(kHere, letter, false, kNow);
    std::string bytes;
    base::ByteWriter out(bytes);
    tally.Encode(out);
    Tally read;
    base::ByteReader in(bytes);
    ASSERT_TRUE(read.Decode(in));
    EXPECT_EQ(0, read.Find(kHere)->persons);
    read.BeginRecount();
    read.Enter(ada);
    EXPECT_EQ(1, read.Find(kHere)->persons);
    EXPECT_EQ(1, read.Find(kHere)->known);
    EXPECT_EQ(1, read.Find(kHere)->OnSite(kNow));
    EXPECT_EQ(1, read.Find(kHere)->EventsOfADay(kNow));
    EXPECT_EQ(1, read.Find(kHere)->journeys.at(7).sent);
    std::string again;
    base::ByteWriter more(again);
    read.Encode(more);
    EXPECT_EQ(bytes, again);
    for (size_t size = 0; size < bytes.size(); ++size) {
        Tally cut;
        base::ByteReader piece(std::string_view(bytes).substr(0, size));
        EXPECT_FALSE(cut.Decode(piece)) << size;
    }
    tally.Erase(kHere);
    EXPECT_EQ(nullptr, tally.Find(kHere));
}

}  // namespace
}  // namespace server
