#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <map>

#include "store/state/directories.h"
#include "store/state/state_store.h"

namespace state {
namespace {

namespace fs = std::filesystem;

class StateStore : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/ripen-state-XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        root_ = name;
    }
    void TearDown() override { fs::remove_all(root_); }

    std::unique_ptr<Store> Open() {
        auto store = Store::Open(root_);
        EXPECT_TRUE(store) << (store ? "" : store.error().internal);
        return store ? std::move(*store) : nullptr;
    }
    static std::map<std::string, std::string> All(Store& store) {
        std::map<std::string, std::string> entries;
        const auto status = store.ForEach([&](std::string_view key, std::string_view value) {
            return entries.emplace(key, value).second;
        });
        EXPECT_TRUE(status) << (status ? "" : status.error().internal);
        return entries;
    }
    // Writes one checkpoint an offset, each with the offset under "at".
    void Fill(std::initializer_list<model::Offset> offsets) {
        auto store = Open();
        for (const auto offset : offsets) {
            ASSERT_TRUE(store->Put("at", std::to_string(offset)));
            ASSERT_TRUE(store->Put("k" + std::to_string(offset), "v"));
            const auto status = store->Commit(offset);
            ASSERT_TRUE(status) << status.error().internal;
        }
    }
    std::vector<std::string> Names() const {
        std::vector<std::string> names;
        for (const auto& entry : fs::directory_iterator(root_)) {
            names.push_back(entry.path().filename().string());
        }
        std::sort(names.begin(), names.end());
        return names;
    }
    // Overwrites a stretch in the middle of every file with the extension.
    static void Damage(const fs::path& checkpoint, const std::string& beginning,
                       const std::string& extension) {
        int damaged = 0;
        for (const auto& entry : fs::directory_iterator(checkpoint)) {
            const auto name = entry.path().filename().string();
            if (!name.starts_with(beginning) || entry.path().extension() != extension) continue;
            // A new file: hard links to the old bytes stay as they were.
            std::ifstream in(entry.path(), std::ios::binary);
            std::string bytes((std::istreambuf_iterator<char>(in)), {});
            in.close();
            for (size_t i = bytes.size() / 4; i < bytes.size() / 2; ++i) bytes[i] ^= 0x55;
            fs::remove(entry.path());
            std::ofstream(entry.path(), std::ios::binary) << bytes;
            ++damaged;
        }
        ASSERT_GT(damaged, 0);
    }

    std::string root_;
};

TEST_F(StateStore, AnEmptyDirectoryBeginsEmpty) {
    auto store = Open();
    EXPECT_EQ(store->offset(), 0u);
    EXPECT_EQ(store->warning(), "");
    EXPECT_TRUE(All(*store).empty());
}

TEST_F(StateStore, WhatWasCommittedIsThereAfterAStart) {
    {
        auto store = Open();
        ASSERT_TRUE(store->Put("a", "1"));
        ASSERT_TRUE(store->Put(std::string("b\0c", 3), std::string("\0\xff", 2)));
        ASSERT_TRUE(store->Put("big", std::string(3'000'000, 'x')));
        ASSERT_TRUE(store->Put("empty", ""));
        ASSERT_TRUE(store->Commit(7));
        ASSERT_TRUE(store->Put("a", "2"));
        ASSERT_TRUE(store->Commit(9));
    }
    auto store = Open();
    EXPECT_EQ(store->offset(), 9u);
    EXPECT_EQ(store->behaviour(), kBehaviour);
    const auto entries = All(*store);
    EXPECT_EQ(entries.size(), 4u);
    EXPECT_EQ(entries.at("a"), "2");
    EXPECT_EQ(entries.at(std::string("b\0c", 3)), std::string("\0\xff", 2));
    EXPECT_EQ(entries.at("big").size(), 3'000'000u);
    EXPECT_EQ(entries.at("empty"), "");
}

TEST_F(StateStore, WhatWasRemovedIsGoneWithItsBytes) {
    const auto holds = [&](const std::string& checkpoint, const std::string& text) {
        bool found = false;
        for (const auto& entry : fs::directory_iterator(root_ + "/" + checkpoint)) {
            std::ifstream in(entry.path(), std::ios::binary);
            const std::string bytes((std::istreambuf_iterator<char>(in)), {});
            found = found || bytes.find(text) != std::string::npos;
        }
        return found;
    };
    {
        auto store = Open();
        ASSERT_TRUE(store->Put("a", "stays-here"));
        ASSERT_TRUE(store->Put("b", "goes-away"));
        ASSERT_TRUE(store->Commit(7));
        EXPECT_TRUE(holds("checkpoint-7-1", "goes-away"));
        ASSERT_TRUE(store->Remove("b"));
        ASSERT_TRUE(store->Remove("never there"));
        ASSERT_TRUE(store->Commit(9));
    }
    EXPECT_TRUE(holds("checkpoint-9-1", "stays-here"));
    EXPECT_FALSE(holds("checkpoint-9-1", "goes-away"));
    auto store = Open();
    EXPECT_EQ(store->offset(), 9u);
    EXPECT_EQ(All(*store).size(), 1u);
    ASSERT_TRUE(store->Put("b", "again"));
    ASSERT_TRUE(store->Commit(11));
}

TEST_F(StateStore, WhatWasNotCommittedIsGoneAfterAStart) {
    {
        auto store = Open();
        ASSERT_TRUE(store->Put("at", "1"));
        ASSERT_TRUE(store->Commit(1));
        // More than a slice and a write buffer, so that files of it lie in working/.
        for (int n = 0; n < 10'000; ++n) {
            ASSERT_TRUE(store->Put("later" + std::to_string(n), std::string(1000, 'x')));
        }
    }
    auto store = Open();
    EXPECT_EQ(store->offset(), 1u);
    EXPECT_EQ(All(*store).size(), 1u);
}

TEST_F(StateStore, TheNewestTwoAreKept) {
    Fill({3, 5, 10, 200});
    EXPECT_EQ(Names(),
              (std::vector<std::string>{"checkpoint-10-1", "checkpoint-200-1", "working"}));
    auto store = Open();
    EXPECT_EQ(store->offset(), 200u);  // By number, not by text.
    EXPECT_EQ(All(*store).at("at"), "200");
    EXPECT_EQ(All(*store).size(), 5u);
}

TEST_F(StateStore, AStartContinuesFromTheCheckpointItOpened) {
    Fill({1});
    Fill({2});
    Fill({3});
    auto store = Open();
    EXPECT_EQ(All(*store).size(), 4u);
    EXPECT_EQ(Names(), (std::vector<std::string>{"checkpoint-2-1", "checkpoint-3-1", "working"}));
}

TEST_F(StateStore, TheSameOffsetTwiceReplaces) {
    Fill({4});
    auto store = Open();
    ASSERT_TRUE(store->Put("more", "x"));
    ASSERT_TRUE(store->Commit(4));
    store.reset();
    EXPECT_EQ(Names(), (std::vector<std::string>{"checkpoint-4-1", "working"}));
    EXPECT_EQ(All(*Open()).at("more"), "x");
}

TEST_F(StateStore, LeftoversOfACrashAreRemoved) {
    Fill({4});
    for (const char* name : {"making-9", "making-9.tmp", "working"}) {
        fs::create_directories(root_ + "/" + name + "/deep");
        std::ofstream(root_ + "/" + name + "/CURRENT") << "garbage";
        std::ofstream(root_ + "/" + name + "/000099.sst") << "garbage";
    }
    auto store = Open();
    EXPECT_EQ(store->offset(), 4u);
    EXPECT_EQ(store->warning(), "");
    EXPECT_EQ(All(*store).at("at"), "4");
    EXPECT_EQ(Names(), (std::vector<std::string>{"checkpoint-4-1", "working"}));
    ASSERT_TRUE(store->Commit(9));
}

TEST_F(StateStore, WorkingIsNeverOpenedEvenWhenItIsAllThereIs) {
    Fill({4});
    fs::remove_all(root_ + "/checkpoint-4-1");
    auto store = Open();
    EXPECT_EQ(store->offset(), 0u);
    EXPECT_TRUE(All(*store).empty());
}

TEST_F(StateStore, AnotherBehaviourIsOpenedAndTold) {
    Fill({4});
    fs::rename(root_ + "/checkpoint-4-1", root_ + "/checkpoint-4-7");
    auto store = Open();
    EXPECT_EQ(store->behaviour(), 7u);
    EXPECT_EQ(store->offset(), 4u);
    EXPECT_EQ(All(*store).at("at"), "4");
    ASSERT_TRUE(store->Commit(6));
    store.reset();
    EXPECT_EQ(Open()->behaviour(), kBehaviour);
}

TEST_F(StateStore, ADamagedCheckpointGivesWayToTheOlderOneAndIsNamed) {
    Fill({4, 6});
    Damage(root_ + "/checkpoint-6-1", "MANIFEST", "");
    auto store = Open();
    EXPECT_EQ(store->offset(), 4u);
    EXPECT_NE(store->warning().find("checkpoint-6-1 does not open"), std::string::npos)
        << store->warning();
    EXPECT_EQ(All(*store).at("at"), "4");
    EXPECT_EQ(Names(),
              (std::vector<std::string>{"checkpoint-4-1", "damaged-checkpoint-6-1", "working"}));
    ASSERT_TRUE(store->Put("at", "8"));
    ASSERT_TRUE(store->Commit(8));
    store.reset();
    EXPECT_EQ(Names(), (std::vector<std::string>{"checkpoint-4-1", "checkpoint-8-1", "working"}));
    EXPECT_EQ(Open()->warning(), "");
}

TEST_F(StateStore, WhenNoCheckpointOpensNothingIsBegunInItsPlace) {
    Fill({4, 6});
    for (const char* name : {"/checkpoint-4-1", "/checkpoint-6-1"}) {
        fs::remove(root_ + name + "/CURRENT");
    }
    for (int attempt = 0; attempt < 2; ++attempt) {
        const auto store = Store::Open(root_);
        ASSERT_FALSE(store);
        EXPECT_EQ(store.error().code, base::ErrorCode::kCorrupt);
        EXPECT_NE(store.error().internal.find("checkpoint-4-1"), std::string::npos);
        EXPECT_NE(store.error().internal.find("checkpoint-6-1"), std::string::npos);
    }
}

TEST_F(StateStore, ADamagedBlockIsFoundWhenReadAndTheNextStartOpensTheOlderOne) {
    {
        auto store = Open();
        for (int n = 0; n < 1000; ++n) {
            ASSERT_TRUE(store->Put("k" + std::to_string(n), std::string(300, char('a' + n % 20))));
        }
        ASSERT_TRUE(store->Commit(4));
        for (int n = 0; n < 1000; ++n) {
            ASSERT_TRUE(store->Put("m" + std::to_string(n), std::string(300, char('a' + n % 20))));
        }
        ASSERT_TRUE(store->Commit(6));
    }
    // Only the file that checkpoint 6 has alone.
    for (const auto& entry : fs::directory_iterator(root_ + "/checkpoint-6-1")) {
        const auto name = entry.path().filename();
        if (name.extension() == ".sst" && !fs::exists(root_ + "/checkpoint-4-1/" + name.string())) {
            Damage(root_ + "/checkpoint-6-1", name.stem().string(), ".sst");
        }
    }
    auto store = Store::Open(root_);
    if (store) {  // The damage may already be seen at the opening.
        ASSERT_EQ((*store)->offset(), 6u);
        const auto status = (*store)->ForEach([](auto, auto) { return true; });
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().code, base::ErrorCode::kCorrupt);
        EXPECT_NE(status.error().internal.find("checkpoint-6-1"), std::string::npos);
        store->reset();
        store = Store::Open(root_);
    }
    ASSERT_TRUE(store) << store.error().internal;
    EXPECT_EQ((*store)->offset(), 4u);
    EXPECT_EQ(All(**store).size(), 1000u);
}

TEST_F(StateStore, AVisitorThatRefusesEndsAsCorruptAndMovesNothing) {
    Fill({4, 6});
    auto store = Open();
    int visited = 0;
    const auto status = store->ForEach([&](auto, auto) { return ++visited < 2; });
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, base::ErrorCode::kCorrupt);
    EXPECT_EQ(visited, 2);
    store.reset();
    EXPECT_EQ(Open()->offset(), 6u);
}

TEST(CheckpointNames, OnlyTheExactFormParses) {
    CheckpointName name;
    EXPECT_TRUE(FromText("checkpoint-0-1", name));
    EXPECT_TRUE(FromText("checkpoint-18446744073709551615-4294967295", name));
    EXPECT_EQ(ToText(name), "checkpoint-18446744073709551615-4294967295");
    for (const char* text :
         {"checkpoint-", "checkpoint-1", "checkpoint-1-", "checkpoint--1", "checkpoint-01-1",
          "checkpoint-1-1.tmp", "checkpoint-1-1-1", "checkpoint-18446744073709551616-1",
          "checkpoint-1-4294967296", "xcheckpoint-1-1", "checkpoint-+1-1", ""}) {
        EXPECT_FALSE(FromText(text, name)) << text;
    }
}

size_t ResidentBytes() {
    std::ifstream in("/proc/self/statm");
    size_t total = 0, resident = 0;
    in >> total >> resident;
    return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

// Numbers for docs/formats/state.md: RIPEN_MEASURE=1 state_test --gtest_filter='*Measure*'
TEST_F(StateStore, MeasureAMillionEntriesAndSixteenIdleStores) {
    if (::getenv("RIPEN_MEASURE") == nullptr) GTEST_SKIP() << "RIPEN_MEASURE is not set";
    // Of the processor, all threads: what a busy machine does not change.
    const auto cpu = [] { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; };
    Open().reset();
    const size_t before = ResidentBytes();
    {
        std::vector<std::unique_ptr<Store>> stores;
        for (int n = 0; n < 16; ++n) {
            auto store = Store::Open(root_ + "/" + std::to_string(n));
            ASSERT_TRUE(store);
            stores.push_back(std::move(*store));
        }
        std::printf("16 idle stores: %.2f MB each\n",
                    static_cast<double>(ResidentBytes() - before) / 16e6);
    }
    std::string value(600, '\0');
    uint64_t random = 1;
    double begun = cpu();
    {
        auto store = Open();
        for (uint64_t n = 0; n < 1'000'000; ++n) {
            for (size_t i = 0; i < value.size(); i += 12) {
                random = random * 6364136223846793005u + 1442695040888963407u;
                std::memcpy(&value[i], &random, 6);
            }
            char key[17];
            std::memcpy(key, &random, 8);
            std::memcpy(key + 8, &n, 8);
            ASSERT_TRUE(store->Put({key, 16}, value));
        }
        std::printf("1 M puts of 600 B: %.2f s of CPU\n", cpu() - begun);
        begun = cpu();
        ASSERT_TRUE(store->Commit(1));
        std::printf("commit: %.2f s of CPU\n", cpu() - begun);
    }
    begun = cpu();
    auto store = Open();
    std::printf("open: %.3f s of CPU\n", cpu() - begun);
    begun = cpu();
    size_t entries = 0;
    ASSERT_TRUE(store->ForEach([&](auto, auto) { return ++entries > 0; }));
    std::printf("for each: %.2f s of CPU, %zu entries, resident %.1f MB\n", cpu() - begun, entries,
                static_cast<double>(ResidentBytes()) / 1e6);
    ASSERT_EQ(entries, 1'000'000u);
}

}  // namespace
}  // namespace state
