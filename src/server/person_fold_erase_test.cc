// A deleted workspace in a partition: what goes, what stays, and that a checkpoint at any record
// and the rebuild come to the same bytes.
#include <gtest/gtest.h>

#include <functional>
#include <map>

#include "base/clock.h"
#include "base/limits.h"
#include "event_log/memory/memory_log.h"
#include "model/event.h"
#include "server/payload.h"
#include "server/person_fold.h"

namespace server {
namespace {

using model::PersonId;
using model::RecordKind;

constexpr base::TimeMs kNow = 1'767'600'000'000;
constexpr const char* kJourney =
    R"({"name":"Hello","entry":{"event":"Joined","again":"once"},"steps":[)"
    R"({"id":"w","type":"wait","for":"1h"},)"
    R"({"id":"l","type":"letter","subject":"Hi","text":"Hi"}]})";

// The entries of a state directory.
class Entries final : public engine::StateSink {
  public:
    void Put(std::string_view key, std::string_view value) override {
        all[std::string(key)] = value;
    }
    void Remove(std::string_view key) override { all.erase(std::string(key)); }
    std::map<std::string, std::string> all;
};

class EraseTest : public testing::Test {
  protected:
    EraseTest() : clock_(kNow), log_(1, &clock_, event_log::MemoryLog::Commit::kManual) {
        catalog_ = std::move(catalog::Catalog::Open(log_, clock_).value());
        EXPECT_TRUE(catalog_->CreateWorkspace("Kept"));
        EXPECT_TRUE(catalog_->CreateWorkspace("Deleted"));
        for (const model::WorkspaceId workspace : {1U, 2U}) {
            segments_[workspace] =
                catalog_->CreateSegment(workspace, "Buyers", "did \"Buy\"").value()->number;
            journeys_[workspace] =
                catalog_->SaveJourney(workspace, 0, kJourney, 0).value().number;
            EXPECT_TRUE(catalog_->PublishJourney(workspace, journeys_[workspace]));
        }
        fold_ = MakeFold();
    }

    std::unique_ptr<PersonFold> MakeFold() {
        return std::make_unique<PersonFold>(model::StreamId{0}, 1, *catalog_);
    }
    void Append(model::NewRecord record) {
        std::vector<model::NewRecord> records;
        records.push_back(std::move(record));
        ASSERT_TRUE(log_.AppendAndWait(std::move(records)));
    }
    void Put(RecordKind kind, model::WorkspaceId workspace, std::string payload = {}) {
        model::NewRecord record;
        record.kind = kind;
        record.workspace = workspace;
        record.payload = std::move(payload);
        Append(std::move(record));
    }
    void Define(model::WorkspaceId workspace) {
        for (const auto& [kind, number] : {std::pair("segment", segments_[workspace]),
                                           std::pair("journey", journeys_[workspace])}) {
            const std::string name = R"({"kind":")" + std::string(kind) + R"(","number":)" +
                                     std::to_string(number) + R"(,"version":1})";
            Put(RecordKind::kMarker, workspace, name);
            Put(RecordKind::kReady, workspace, name);
        }
    }
    static PersonId Who(model::WorkspaceId workspace, uint64_t number) {
        return {workspace * 1'000'000 + number, number + 1};
    }
    void Does(model::WorkspaceId workspace, uint64_t number, const std::string& name) {
        model::Event event;
        event.name = name;
        // An event holds views.
        const std::string user = "w" + std::to_string(workspace) + "-u" + std::to_string(number);
        event.user_id = user;
        event.time_ms = event.received_ms = clock_.Now();
        event.trust = model::Trust::kSecret;
        event.person = Who(workspace, number);
        event.source_key = "k1";
        event.traits = R"({"email":"u@example.test"})";
        model::NewRecord record;
        record.workspace = workspace;
        record.person = event.person;
        record.name_hash = model::NameHash(name);
        model::AppendEventJson(record.payload, event);
        Append(std::move(record));
    }
    void Later(base::DurationMs span) {
        clock_.MoveTo(clock_.Now() + span);
        Put(RecordKind::kTick, 0);
    }
    void ApplyTo(PersonFold& fold, model::Offset upto = UINT64_MAX) {
        const auto batch = log_.Read(0, fold.applied() + 1, 1 << 30).value();
        for (const auto& record : batch.records) {
            if (record.offset > upto) return;
            fold.Apply(record);
        }
    }
    static std::string Bytes(PersonFold& fold) {
        std::string dump;
        fold.Dump(dump);
        return dump;
    }
    static void Checkpoint(PersonFold& fold, Entries& entries) {
        fold.Freeze();
        while (!fold.WriteFrozen(entries, 7)) {
        }
    }
    std::unique_ptr<PersonFold> Restored(const Entries& entries) {
        auto fold = MakeFold();
        for (const auto& [key, value] : entries.all) EXPECT_TRUE(fold->Load(key, value));
        EXPECT_TRUE(fold->Loaded());
        return fold;
    }

    base::SimulatedClock clock_;
    event_log::MemoryLog log_;
    std::unique_ptr<catalog::Catalog> catalog_;
    std::map<model::WorkspaceId, uint32_t> segments_, journeys_;
    std::unique_ptr<PersonFold> fold_;
};

TEST_F(EraseTest, EverythingOfTheWorkspaceGoesAndTheOthersStay) {
    for (const model::WorkspaceId workspace : {1U, 2U}) Define(workspace);
    for (uint64_t n = 0; n < 600; ++n) {
        for (const model::WorkspaceId workspace : {1U, 2U}) {
            Does(workspace, n, n % 2 == 0 ? "Buy" : "Joined");
        }
    }
    ApplyTo(*fold_);
    ASSERT_EQ(1200u, fold_->persons());
    ASSERT_TRUE(catalog_->DeleteWorkspace(2));
    Put(RecordKind::kErased, 2);
    ApplyTo(*fold_);
    EXPECT_TRUE(fold_->Erasing());
    EXPECT_TRUE(fold_->WantsTick());
    for (int n = 0; n < 6; ++n) Put(RecordKind::kTick, 0);
    ApplyTo(*fold_);
    EXPECT_FALSE(fold_->Erasing());
    EXPECT_FALSE(fold_->WantsTick());
    EXPECT_EQ(600u, fold_->persons());
    EXPECT_EQ(nullptr, fold_->Find(Who(2, 5)));
    ASSERT_NE(nullptr, fold_->Find(Who(1, 5)));
    EXPECT_EQ(300u, fold_->Members(segments_[1])->cardinality());
    EXPECT_EQ(0u, fold_->Members(segments_[2])->cardinality());
    EXPECT_EQ(2u, fold_->definitions().size());
    for (uint32_t slot = 0; slot < fold_->slots(); ++slot) {
        const model::Person& person = fold_->AtSlot(slot);
        EXPECT_TRUE(person.moved() || person.workspace == 1);
    }
    EXPECT_NE(std::string::npos, Bytes(*fold_).find("w1-u"));
    EXPECT_EQ(std::string::npos, Bytes(*fold_).find("w2-u"));
}

TEST_F(EraseTest, NoTimerOfItRunsAndNoLetterOfItWaitsBeforeItsPersonsAreGone) {
    for (const model::WorkspaceId workspace : {1U, 2U}) Define(workspace);
    for (uint64_t n = 0; n < 600; ++n) Does(2, n, "Joined");
    Does(1, 7, "Joined");
    Later(base::kHourMs);
    ApplyTo(*fold_);
    std::vector<model::OutboxEvent> news;
    fold_->TakeOutbox(news);
    ASSERT_EQ(601u, news.size());
    for (uint64_t n = 600; n < 700; ++n) Does(2, n, "Joined");
    Put(RecordKind::kErased, 2);
    ApplyTo(*fold_);
    news.clear();
    fold_->ListOutbox(news);
    ASSERT_EQ(1u, news.size()) << "a start lists nothing of it, though persons are still there";
    EXPECT_EQ(1u, news[0].workspace);
    ASSERT_TRUE(fold_->Erasing());
    news.clear();
    Later(base::kHourMs);
    ApplyTo(*fold_);
    fold_->TakeOutbox(news);
    for (const auto& event : news) EXPECT_EQ(model::OutboxEvent::Kind::kClosed, event.kind);
}

TEST_F(EraseTest, WhatComesLaterIsIgnored) {
    Define(1);
    Does(2, 1, "Buy");
    Put(RecordKind::kErased, 2);
    for (int n = 0; n < 3; ++n) Put(RecordKind::kTick, 0);
    ApplyTo(*fold_);
    ASSERT_EQ(0u, fold_->persons());
    const uint64_t events = fold_->counters().events;
    Does(2, 1, "Buy");
    Does(2, 2, "Buy");
    Define(2);
    Put(RecordKind::kErased, 2);
    model::NewRecord claim;
    claim.kind = RecordKind::kClaim;
    claim.workspace = 2;
    claim.person = Who(2, 1);
    claim.payload = R"({"message":[0,1,1]})";
    Append(std::move(claim));
    ApplyTo(*fold_);
    EXPECT_EQ(0u, fold_->persons());
    EXPECT_EQ(events, fold_->counters().events);
    EXPECT_EQ(2u, fold_->definitions().size());
    EXPECT_FALSE(fold_->Erasing());
}

TEST_F(EraseTest, ItWaitsBehindAnOpenPublicationAndEndsItsOwn) {
    for (uint64_t n = 0; n < 700; ++n) {
        for (const model::WorkspaceId workspace : {1U, 2U}) Does(workspace, n, "Buy");
    }
    Define(2);
    Define(1);
    ApplyTo(*fold_);
    Put(RecordKind::kErased, 2);
    ApplyTo(*fold_);
    EXPECT_FALSE(fold_->Shows(catalog::Change::Kind::kSegment, segments_[1], 1));
    for (int n = 0; n < 30; ++n) Put(RecordKind::kTick, 0);
    ApplyTo(*fold_);
    EXPECT_FALSE(fold_->WantsTick());
    EXPECT_TRUE(fold_->Shows(catalog::Change::Kind::kSegment, segments_[1], 1));
    EXPECT_EQ(700u, fold_->persons());
}

// A crash at any record: the newest checkpoint and its tail are what the whole log makes.
TEST_F(EraseTest, ACheckpointAtAnyRecordAndTheRebuildAreTheSameBytes) {
    for (const model::WorkspaceId workspace : {1U, 2U}) Define(workspace);
    for (uint64_t n = 0; n < 400; ++n) {
        for (const model::WorkspaceId workspace : {1U, 2U}) Does(workspace, n, "Joined");
    }
    Later(base::kHourMs);
    const model::Offset begin = log_.End(0);
    ASSERT_TRUE(catalog_->DeleteWorkspace(2));
    Put(RecordKind::kErased, 2);
    for (int n = 0; n < 6; ++n) {
        Does(1, 1000 + static_cast<uint64_t>(n), "Buy");
        Does(2, 1000 + static_cast<uint64_t>(n), "Buy");
    }
    Put(RecordKind::kErased, 2);
    ApplyTo(*fold_);
    const std::string whole = Bytes(*fold_);
    EXPECT_FALSE(fold_->Erasing());
    for (model::Offset at = begin; at <= log_.End(0); ++at) {
        SCOPED_TRACE(at);
        auto fold = MakeFold();
        Entries entries;
        ApplyTo(*fold, begin - 5);
        Checkpoint(*fold, entries);          // An earlier one, so that the next is a difference.
        ApplyTo(*fold, at);
        Checkpoint(*fold, entries);
        auto again = Restored(entries);
        EXPECT_EQ(Bytes(*fold), Bytes(*again));
        ApplyTo(*again);
        EXPECT_EQ(whole, Bytes(*again));
        Checkpoint(*again, entries);
        for (const auto& [key, value] : entries.all) {
            model::Person person;
            if (key.front() != 'p') continue;
            ASSERT_TRUE(model::DecodePerson(value, person));
            EXPECT_EQ(1u, person.workspace) << "the checkpoint still has somebody";
        }
    }
}

// Persons go while a checkpoint is being written: it has them, the next has not.
TEST_F(EraseTest, ACheckpointThatIsBeingWrittenIsOfItsMoment) {
    for (uint64_t n = 0; n < 300; ++n) Does(2, n, "Buy");
    ApplyTo(*fold_);
    const std::string before = Bytes(*fold_);
    Entries entries;
    fold_->Freeze();
    EXPECT_FALSE(fold_->WriteFrozen(entries, 10));
    Put(RecordKind::kErased, 2);
    for (int n = 0; n < 3; ++n) Put(RecordKind::kTick, 0);
    ApplyTo(*fold_);
    while (!fold_->WriteFrozen(entries, 10)) {
    }
    EXPECT_EQ(before, Bytes(*Restored(entries)));
    Checkpoint(*fold_, entries);
    EXPECT_EQ(Bytes(*fold_), Bytes(*Restored(entries)));
    for (const auto& [key, value] : entries.all) EXPECT_NE('p', key.front());
}

}  // namespace
}  // namespace server
