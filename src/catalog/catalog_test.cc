#include "catalog/catalog.h"

#include <gtest/gtest.h>

#include "event_log/memory/memory_log.h"

namespace catalog {
namespace {

constexpr std::string_view kFlagship = R"({"name": "Unfinished", "entry": {"event": "Started",
    "key": "id", "again": "once_per_key"}, "goal": "did \"Done\" since entry",
    "steps": [{"id": "w1", "type": "wait", "for": "1h"},
              {"id": "l1", "type": "letter", "subject": "Hello", "text": "..."}]})";

class CatalogTest : public testing::Test {
  protected:
    void SetUp() override {
        catalog_ = Catalog::Open(log_, clock_).value();
        keys_ = catalog_->CreateWorkspace("Default").value();
    }
    std::string MessageOf(const base::Error& error) {
        return base::ClientText(error) + " @" + error.at;
    }
    SegmentPtr Make(const std::string& name, const std::string& condition) {
        auto made = catalog_->CreateSegment(1, name, condition);
        EXPECT_TRUE(made.has_value()) << (made ? "" : MessageOf(made.error()));
        return made ? *made : nullptr;
    }

    base::SimulatedClock clock_{1'767'600'000'000};
    event_log::MemoryLog log_{4, &clock_};
    std::unique_ptr<Catalog> catalog_;
    NewKeys keys_;
};

TEST_F(CatalogTest, KeysOpenTheirWorkspaceAndNoOtherTextDoes) {
    const auto write = catalog_->FindKey(keys_.write_key);
    const auto secret = catalog_->FindKey(keys_.secret_key);
    ASSERT_TRUE(write && secret);
    EXPECT_FALSE(write->secret);
    EXPECT_TRUE(secret->secret);
    EXPECT_EQ(1u, secret->workspace);
    EXPECT_EQ(nullptr, catalog_->FindKey(keys_.secret_key.substr(1)));
    EXPECT_EQ(nullptr, catalog_->FindKey(""));
}

TEST_F(CatalogTest, SecretKeysAreNotInTheLogInClear) {
    const auto batch = log_.Read(log_.control(), 1, 1 << 20).value();
    for (const auto& record : batch.records) {
        EXPECT_EQ(std::string_view::npos, record.payload.find(keys_.secret_key));
    }
}

TEST_F(CatalogTest, ReopeningGivesTheSameNumbersAndLeaves) {
    const auto a = Make("A", "did \"Page\" 3+ times within 7d");
    const auto b = Make("B", "did \"Page\" 3+ times within 7d and plan is \"pro\"");
    const auto again = Catalog::Open(log_, clock_).value();
    for (const auto& segment : {a, b}) {
        const auto same = again->FindSegment(segment->number, segment->version);
        ASSERT_NE(nullptr, same);
        EXPECT_EQ(segment->condition, same->condition);
        ASSERT_EQ(segment->program.leaves().size(), same->program.leaves().size());
        for (size_t i = 0; i < segment->program.leaves().size(); ++i) {
            EXPECT_EQ(segment->program.leaves()[i]->id(), same->program.leaves()[i]->id());
        }
    }
    EXPECT_TRUE(again->FindKey(keys_.secret_key)->secret);
}

TEST_F(CatalogTest, EqualPartsOfTwoSegmentsAreOneLeaf) {
    const auto a = Make("A", "did \"Page\" 3+ times within 1w");
    const auto b = Make("B", "did \"Page\" 3+ times within 7d");
    EXPECT_EQ(a->program.leaves().front(), b->program.leaves().front());
}

TEST_F(CatalogTest, ALeafThatWasDroppedComesBackAsANewOne) {
    const auto a = Make("A", "did \"Page\" 2+ times");
    const uint32_t first = a->program.leaves().front()->id();
    ASSERT_TRUE(catalog_->UpdateSegment(1, a->number, "A", "plan is \"pro\"", 1).has_value());
    const auto back =
        catalog_->UpdateSegment(1, a->number, "A", "did \"Page\" 2+ times", 2).value();
    EXPECT_NE(first, back->program.leaves().front()->id());
}

TEST_F(CatalogTest, CyclesAreRefusedWithTheirPath) {
    const auto a = Make("A", "plan is \"pro\"");
    Make("B", "in segment \"A\"");
    Make("C", "in segment \"B\"");
    const auto refused = catalog_->UpdateSegment(1, a->number, "A", "in segment \"C\"", 0);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(base::ErrorCode::kInvalidArgument, refused.error().code);
    EXPECT_NE(std::string::npos, refused.error().internal.find("\"C\" -> \"B\" -> \"A\""));
    const auto itself = catalog_->UpdateSegment(1, a->number, "A", "in segment \"A\"", 0);
    EXPECT_FALSE(itself.has_value());
}

TEST_F(CatalogTest, NamesAreUniqueAndVersionsGuarded) {
    const auto a = Make("A", "plan is \"pro\"");
    const auto taken = catalog_->CreateSegment(1, "A", "everyone");
    ASSERT_FALSE(taken.has_value());
    EXPECT_EQ(base::ErrorCode::kConflict, taken.error().code);
    const auto stale = catalog_->UpdateSegment(1, a->number, "A", "everyone", 7);
    ASSERT_FALSE(stale.has_value());
    EXPECT_EQ(base::ErrorCode::kConflict, stale.error().code);
    EXPECT_FALSE(catalog_->CreateSegment(1, "", "everyone").has_value());
    EXPECT_FALSE(catalog_->CreateSegment(1, "x\ny", "everyone").has_value());
}

TEST_F(CatalogTest, WhatIsUsedIsNotDeletedAndTheUsersAreNamed) {
    const auto a = Make("A", "plan is \"pro\"");
    Make("B", "in segment \"A\"");
    const auto refused = catalog_->DeleteSegment(1, a->number);
    ASSERT_FALSE(refused.has_value());
    EXPECT_NE(std::string::npos, refused.error().public_text.find("segment \"B\""));
}

TEST_F(CatalogTest, SinceEntryIsRefusedOutsideAJourney) {
    const auto refused = catalog_->CreateSegment(1, "A", "did \"Done\" since entry");
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ("condition", refused.error().at);
}

TEST_F(CatalogTest, AJourneyRunsFromPublishingToStopping) {
    const auto saved = catalog_->SaveJourney(1, 0, kFlagship, 0).value();
    EXPECT_EQ(0u, saved.published);
    EXPECT_EQ(nullptr, catalog_->FindJourney(saved.number, 1));
    EXPECT_EQ(1u, catalog_->PublishJourney(1, saved.number).value().published);
    ASSERT_NE(nullptr, catalog_->FindJourney(saved.number, 1));
    ASSERT_TRUE(catalog_->StopJourney(1, saved.number).has_value());
    EXPECT_EQ(2u, catalog_->PublishJourney(1, saved.number).value().published);
    const auto changes = catalog_->Changes();
    ASSERT_EQ(3u, changes.size());
    EXPECT_TRUE(changes[1].retired);
}

TEST_F(CatalogTest, WorkspacesDoNotSeeEachOther) {
    ASSERT_TRUE(catalog_->CreateWorkspace("Second").has_value());
    const auto a = Make("A", "plan is \"pro\"");
    EXPECT_EQ(nullptr, catalog_->CurrentSegment(2, a->number));
    EXPECT_FALSE(catalog_->CreateSegment(2, "B", "in segment \"A\"").has_value());
    EXPECT_FALSE(catalog_->DeleteSegment(2, a->number).has_value());
    const auto journey = catalog_->SaveJourney(1, 0, kFlagship, 0).value();
    EXPECT_FALSE(catalog_->PublishJourney(2, journey.number).has_value());
}

TEST_F(CatalogTest, BadJourneysAreRefusedWithThePlace) {
    const struct {
        const char* body;
        const char* at;
    } cases[] = {
        {R"(not json)", ""},
        {R"({"name": "x", "steps": []})", ""},
        {R"({"name": "x", "entry": {"event": "E"}, "steps": []})", "steps"},
        {R"({"name": "x", "entry": {"event": "E"}, "steps": [{"id": "a", "type": "exit"}], "colour": 1})",
         "colour"},
        {R"({"name": "x", "entry": {"event": "E", "segment": "S"}, "steps": [{"id": "a", "type": "exit"}]})",
         "entry"},
        {R"({"name": "x", "entry": {"event": "E", "again": "daily"}, "steps": [{"id": "a", "type": "exit"}]})",
         "entry.again"},
        {R"({"name": "x", "entry": {"event": "E", "again": "once_per_key"}, "steps": [{"id": "a", "type": "exit"}]})",
         "entry.key"},
        {R"({"name": "x", "entry": {"event": "E"}, "steps": [{"id": "a", "type": "wait", "for": "soon"}]})",
         "steps[0].for"},
        {R"({"name": "x", "entry": {"event": "E"}, "steps": [{"id": "a", "type": "dance"}]})",
         "steps[0].type"},
        {R"({"name": "x", "entry": {"event": "E"}, "steps": [{"id": "a", "type": "exit"}, {"id": "a", "type": "exit"}]})",
         "steps[1].id"},
        {R"({"name": "x", "entry": {"event": "E"}, "steps": [{"id": "a", "type": "letter", "subject": "s", "text": "{{ x | nonsense }}"}]})",
         "steps[0].text:1:8"},
        {R"({"name": "x", "entry": {"event": "E"}, "steps": [{"id": "a", "type": "letter", "subject": "s"}]})",
         "steps[0]"},
        {R"({"name": "x", "entry": {"event": "E"}, "goal": "did", "steps": [{"id": "a", "type": "exit"}]})",
         "goal:1:4"},
    };
    for (const auto& c : cases) {
        SCOPED_TRACE(c.body);
        const auto refused = catalog_->SaveJourney(1, 0, c.body, 0);
        ASSERT_FALSE(refused.has_value());
        EXPECT_EQ(base::ErrorCode::kInvalidArgument, refused.error().code);
        EXPECT_EQ(c.at, refused.error().at);
    }
    EXPECT_TRUE(catalog_->Journeys(1).empty());
}

TEST_F(CatalogTest, AnOwnersPasswordIsKeptAsAHashOnly) {
    const auto password = catalog_->CreateOwner(1, "Owner@Example.test").value();
    EXPECT_GE(password.size(), 20u);
    const auto batch = log_.Read(log_.control(), 1, 1 << 20).value();
    bool found = false;
    for (const auto& record : batch.records) {
        EXPECT_EQ(std::string_view::npos, record.payload.find(password));
        found = found || record.payload.find("$argon2id$") != std::string_view::npos;
    }
    EXPECT_TRUE(found);
}

TEST_F(CatalogTest, SendersWithLineBreaksAreRefused) {
    EXPECT_FALSE(catalog_->SetSender(1, {"A\r\nBcc: x@y.test", "a@b.test", ""}).has_value());
    EXPECT_FALSE(catalog_->SetSender(1, {"A", "nobody", ""}).has_value());
    ASSERT_TRUE(catalog_->SetSender(1, {"A", "a@b.test", ""}).has_value());
    EXPECT_EQ("a@b.test", catalog_->GetSender(1).from_address);
}

}  // namespace
}  // namespace catalog
