#include "server/dot_file.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/limits.h"

namespace server {
namespace {

namespace fs = std::filesystem;
using model::FactKey;

class DotFileTest : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/ripen-dots-XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        root_ = name;
    }
    void TearDown() override { fs::remove_all(root_); }
    std::unique_ptr<DotFile> Open(const std::string& boot_id = "boot-1") {
        auto dots = DotFile::Open(root_, boot_id);
        EXPECT_TRUE(dots) << (dots ? "" : dots.error().internal);
        return dots ? std::move(*dots) : nullptr;
    }
    std::unique_ptr<DotFile> OpenSure() {
        EXPECT_TRUE(Open()->ClearDoubt());
        return Open();
    }
    void Poke(size_t at, char byte) {
        std::fstream file(root_ + "/dots", std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(at));
        file.put(byte);
    }
    std::string root_;
};

TEST_F(DotFileTest, ANewFileDoubtsUntilToldOtherwise) {
    EXPECT_TRUE(Open()->doubt());
    EXPECT_EQ(Open()->Find({0, 1, 1}, 1), Fate::kUnknown);
    auto dots = OpenSure();
    EXPECT_FALSE(dots->doubt());
    EXPECT_EQ(dots->Find({0, 1, 1}, 1), Fate::kNotSent);
}

TEST_F(DotFileTest, MarksOutliveTheProcess) {
    auto dots = OpenSure();
    EXPECT_TRUE(dots->Mark({3, 10, 2}, 1));
    EXPECT_TRUE(dots->Mark({3, 11, 2}, 1));
    dots->Settle({3, 11, 2}, 1);
    dots->Settle({3, 12, 2}, 4);
    dots = Open();
    EXPECT_EQ(dots->Find({3, 10, 2}, 1), Fate::kUnknown);
    EXPECT_EQ(dots->Find({3, 11, 2}, 1), Fate::kSettled);
    EXPECT_EQ(dots->Find({3, 12, 2}, 4), Fate::kSettled);
    EXPECT_EQ(dots->Find({4, 10, 2}, 1), Fate::kNotSent);
}

TEST_F(DotFileTest, AMarkOfAnEarlierAttemptSaysNothingOfALaterOne) {
    auto dots = OpenSure();
    dots->Settle({0, 1, 1}, 1);
    EXPECT_EQ(dots->Find({0, 1, 1}, 1), Fate::kSettled);
    EXPECT_EQ(dots->Find({0, 1, 1}, 2), Fate::kNotSent);
    EXPECT_TRUE(dots->Mark({0, 1, 1}, 2));
    EXPECT_EQ(dots->Find({0, 1, 1}, 2), Fate::kUnknown);
}

TEST_F(DotFileTest, AnotherBootDoubtsEverything) {
    auto dots = OpenSure();
    dots->Settle({0, 1, 1}, 1);
    dots = Open("boot-2");
    EXPECT_TRUE(dots->doubt());
    EXPECT_EQ(dots->Find({0, 1, 1}, 1), Fate::kUnknown);
    EXPECT_TRUE(Open("boot-2")->doubt());  // Also the next process, until it is cleared.
}

TEST_F(DotFileTest, DamageDoubtsEverything) {
    OpenSure()->Settle({0, 1, 1}, 1);
    Poke(64 * limits::kDotSlots + 8, 'x');  // The slot that is taken first.
    EXPECT_TRUE(Open()->doubt());
    OpenSure();
    Poke(20, 'x');
    EXPECT_TRUE(Open()->doubt());
    OpenSure();
    fs::resize_file(root_ + "/dots", 640);
    EXPECT_TRUE(Open()->doubt());
    OpenSure();
    fs::remove(root_ + "/dots");
    EXPECT_TRUE(Open()->doubt());
}

TEST_F(DotFileTest, TheLongestSettledGivesItsSlotAndAMarkNeverDoes) {
    auto dots = OpenSure();
    EXPECT_TRUE(dots->Mark({0, 1, 1}, 1));
    for (uint64_t n = 2; n <= limits::kDotSlots; ++n) dots->Settle({0, n, 1}, 1);
    EXPECT_EQ(dots->Find({0, 2, 1}, 1), Fate::kSettled);
    EXPECT_TRUE(dots->Mark({1, 1, 1}, 1));
    EXPECT_EQ(dots->Find({0, 2, 1}, 1), Fate::kNotSent);
    EXPECT_EQ(dots->Find({0, 3, 1}, 1), Fate::kSettled);
    EXPECT_EQ(dots->Find({0, 1, 1}, 1), Fate::kUnknown);
    for (uint64_t n = 2; n < limits::kDotSlots; ++n) ASSERT_TRUE(dots->Mark({1, n, 1}, 1));
    EXPECT_FALSE(dots->Mark({2, 1, 1}, 1));  // All are marked: no dot without a mark.
}

}  // namespace
}  // namespace server
