#include "server/mailbox.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "base/limits.h"

namespace server {
namespace {

namespace fs = std::filesystem;

class MailboxTest : public ::testing::Test {
  protected:
    void SetUp() override {
        char name[] = "/tmp/ripen-mailbox-XXXXXX";
        ASSERT_NE(::mkdtemp(name), nullptr);
        root_ = name;
    }
    void TearDown() override { fs::remove_all(root_); }
    std::unique_ptr<FileMailbox> Open() {
        auto mailbox = FileMailbox::Open(root_);
        EXPECT_TRUE(mailbox);
        return std::move(*mailbox);
    }
    static api::MailboxLetter Letter(int number, model::WorkspaceId workspace = 1) {
        api::MailboxLetter letter;
        letter.id = "id" + std::to_string(number);
        letter.workspace = workspace;
        letter.person = {7, 9};
        letter.to = "a@example.org";
        letter.subject = "S\n\"" + std::to_string(number);
        letter.time_ms = 1000 + number;
        letter.text = "text\n";
        letter.html = "";
        letter.raw = std::string("raw\0raw", 7);
        return letter;
    }
    size_t Files() const {
        return static_cast<size_t>(
            std::distance(fs::directory_iterator(root_), fs::directory_iterator()));
    }
    std::string root_;
};

TEST_F(MailboxTest, ALetterIsTheSameAfterAStart) {
    ASSERT_TRUE(Open()->Store(Letter(1)));
    auto mailbox = Open();
    const auto letter = mailbox->Get("id1");
    ASSERT_TRUE(letter);
    const auto expected = Letter(1);
    EXPECT_EQ((*letter)->workspace, expected.workspace);
    EXPECT_EQ((*letter)->person, expected.person);
    EXPECT_EQ((*letter)->to, expected.to);
    EXPECT_EQ((*letter)->subject, expected.subject);
    EXPECT_EQ((*letter)->time_ms, expected.time_ms);
    EXPECT_EQ((*letter)->text, expected.text);
    EXPECT_EQ((*letter)->html, expected.html);
    EXPECT_EQ((*letter)->raw, expected.raw);
    EXPECT_EQ(mailbox->Get("id2").error().code, base::ErrorCode::kNotFound);
}

TEST_F(MailboxTest, TheSameIdIsKeptOnce) {
    auto mailbox = Open();
    ASSERT_TRUE(mailbox->Store(Letter(1)));
    ASSERT_TRUE(mailbox->Store(Letter(1)));
    EXPECT_EQ(mailbox->size(), 1u);
    mailbox = Open();
    ASSERT_TRUE(mailbox->Store(Letter(1)));
    EXPECT_EQ(mailbox->size(), 1u);
    EXPECT_EQ(Files(), 1u);
}

TEST_F(MailboxTest, TheNewestAreKept) {
    auto mailbox = Open();
    const int many = static_cast<int>(limits::kMailboxLetters);
    for (int n = 1; n <= many; ++n) ASSERT_TRUE(mailbox->Store(Letter(n)));
    EXPECT_TRUE(mailbox->Get("id1"));
    ASSERT_TRUE(mailbox->Store(Letter(many + 1)));
    EXPECT_FALSE(mailbox->Get("id1"));
    EXPECT_TRUE(mailbox->Get("id2"));
    EXPECT_EQ(Files(), limits::kMailboxLetters);
    EXPECT_EQ(Open()->size(), limits::kMailboxLetters);
}

TEST_F(MailboxTest, TheirBytesAreLimitedToo) {
    auto mailbox = Open();
    const size_t big = limits::kMailboxBytesMax / 4;
    for (int n = 1; n <= 4; ++n) {
        auto letter = Letter(n);
        letter.raw.assign(big, 'x');
        ASSERT_TRUE(mailbox->Store(std::move(letter)));
    }
    EXPECT_EQ(mailbox->size(), 3u);
    EXPECT_FALSE(mailbox->Get("id1"));
}

TEST_F(MailboxTest, PagesGoFromNewToOldWithinAWorkspace) {
    auto mailbox = Open();
    for (int n = 1; n <= 6; ++n) {
        ASSERT_TRUE(mailbox->Store(Letter(n, n % 2 == 0 ? 2 : 1)));
    }
    auto page = mailbox->List(1, 2, "");
    ASSERT_TRUE(page);
    ASSERT_EQ(page->letters.size(), 2u);
    EXPECT_EQ(page->letters[0]->id, "id5");
    EXPECT_EQ(page->letters[1]->id, "id3");
    // A letter that comes meanwhile moves nothing.
    ASSERT_TRUE(mailbox->Store(Letter(7)));
    page = mailbox->List(1, 2, page->next_cursor);
    ASSERT_TRUE(page);
    ASSERT_EQ(page->letters.size(), 1u);
    EXPECT_EQ(page->letters[0]->id, "id1");
    EXPECT_EQ(page->next_cursor, "");
    EXPECT_EQ(mailbox->List(1, 3, "")->next_cursor, "3");
    EXPECT_EQ(mailbox->List(1, 2, "x").error().at, "cursor");
}

TEST_F(MailboxTest, LettersOfADeletedWorkspaceGo) {
    auto mailbox = Open();
    for (int number = 1; number <= 6; ++number) {
        ASSERT_TRUE(mailbox->Store(Letter(number, number % 2 == 0 ? 2 : 1)));
    }
    ASSERT_TRUE(mailbox->Erase(2));
    ASSERT_TRUE(mailbox->Erase(2));
    EXPECT_EQ(mailbox->size(), 3U);
    EXPECT_EQ(Files(), 3U);
    EXPECT_FALSE(mailbox->Get("id2"));
    EXPECT_TRUE(mailbox->Get("id1"));
    EXPECT_TRUE(mailbox->List(2, 10, "")->letters.empty());
    mailbox.reset();
    EXPECT_EQ(Open()->size(), 3U);
}

TEST_F(MailboxTest, FilesThatDoNotReadArePassedOver) {
    ASSERT_TRUE(Open()->Store(Letter(1)));
    std::ofstream(root_ + "/000000000002.letter") << "{\"version\":1";
    std::ofstream(root_ + "/000000000003.letter") << "{\"version\":2,\"id\":\"x\"}\n";
    std::ofstream(root_ + "/000000000004.letter.tmp") << "half";
    std::ofstream(root_ + "/note.txt") << "not ours";
    auto mailbox = Open();
    EXPECT_EQ(mailbox->size(), 1u);
    EXPECT_EQ(mailbox->unreadable(), 2u);
    ASSERT_TRUE(mailbox->Store(Letter(5)));  // Under a number of its own.
    EXPECT_EQ(Open()->size(), 2u);
}

}  // namespace
}  // namespace server
