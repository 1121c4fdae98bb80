#include "catalog/sessions.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/limits.h"

namespace catalog {
namespace {

constexpr base::TimeMs kNow = 1'767'600'000'000;

class SessionsTest : public testing::Test {
  protected:
    SessionsTest() {
        char name[] = "/tmp/ripen-sessions-XXXXXX";
        directory_ = mkdtemp(name);
        path_ = directory_ + "/sessions";
        Open();
    }
    ~SessionsTest() override {
        sessions_.reset();
        std::filesystem::remove_all(directory_);
    }
    void Open() { sessions_ = Sessions::Open(path_).value(); }
    std::string Begin(uint32_t teammate, base::TimeMs now = kNow) {
        Session session;
        session.teammate = teammate;
        session.password_version = 1;
        session.created_ms = session.last_used_ms = now;
        session.address = "192.0.2.1";
        session.agent = std::string(limits::kAgentBytesMax + 9, 'a');
        base::Status stored;
        const std::string cookie = sessions_->Begin(session, stored);
        EXPECT_TRUE(stored.has_value());
        return cookie;
    }
    std::string File() {
        std::ifstream in(path_);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    std::string directory_, path_;
    std::unique_ptr<Sessions> sessions_;
};

TEST_F(SessionsTest, ACookieIsKeptAsAHashOnlyAndFoundAfterARestart) {
    const std::string cookie = Begin(3);
    EXPECT_EQ(43u, cookie.size());
    EXPECT_EQ(std::string::npos, File().find(cookie));
    struct stat facts {};
    ASSERT_EQ(0, stat(path_.c_str(), &facts));
    EXPECT_EQ(0600u, facts.st_mode & 0777u);
    Open();
    const auto session = sessions_->Use(cookie, "192.0.2.2", kNow + 5);
    ASSERT_TRUE(session.has_value());
    EXPECT_EQ(3u, session->teammate);
    EXPECT_EQ(kNow + 5, session->last_used_ms);
    EXPECT_EQ("192.0.2.2", session->address);
    EXPECT_EQ(limits::kAgentBytesMax, session->agent.size());
    EXPECT_FALSE(sessions_->Use(cookie.substr(1), "", kNow).has_value());
    EXPECT_FALSE(sessions_->Use("", "", kNow).has_value());
    const std::string second = Begin(3, kNow + 9);
    EXPECT_EQ(2u, sessions_->Use(second, "", kNow + 9)->number) << "numbers go on";
}

TEST_F(SessionsTest, AnEndHoldsAfterARestart) {
    const std::string kept = Begin(1), ended = Begin(1), others = Begin(2);
    EXPECT_FALSE(sessions_->End(2, 2)) << "not hers";
    ASSERT_TRUE(sessions_->End(1, 2));
    EXPECT_FALSE(sessions_->End(1, 2));
    Open();
    EXPECT_TRUE(sessions_->Use(kept, "", kNow).has_value());
    EXPECT_FALSE(sessions_->Use(ended, "", kNow).has_value());
    EXPECT_TRUE(sessions_->Use(others, "", kNow).has_value());
    ASSERT_TRUE(sessions_->EndOthers(1, 77, 2));
    Open();
    EXPECT_FALSE(sessions_->Use(kept, "", kNow).has_value());
    EXPECT_TRUE(sessions_->Use(others, "", kNow).has_value());
}

TEST_F(SessionsTest, EndingOthersKeepsOneUnderTheNewPassword) {
    Begin(1);
    const std::string mine = Begin(1);
    EXPECT_TRUE(sessions_->Lives(2, 1, kNow));
    ASSERT_TRUE(sessions_->EndOthers(1, 2, 5));
    EXPECT_FALSE(sessions_->Lives(1, 5, kNow));
    EXPECT_FALSE(sessions_->Lives(2, 1, kNow));
    EXPECT_TRUE(sessions_->Lives(2, 5, kNow));
    EXPECT_EQ(5u, sessions_->Use(mine, "", kNow)->password_version);
}

TEST_F(SessionsTest, IdleAndOldSessionsEnd) {
    const std::string cookie = Begin(1);
    EXPECT_TRUE(sessions_->Lives(1, 1, kNow + limits::kSessionIdleMs - 1));
    EXPECT_FALSE(sessions_->Lives(1, 1, kNow + limits::kSessionIdleMs));
    EXPECT_TRUE(sessions_->Of(1, kNow + limits::kSessionIdleMs).empty());
    for (base::TimeMs now = kNow; now < kNow + limits::kSessionLifeMs; now += base::kDayMs) {
        EXPECT_TRUE(sessions_->Use(cookie, "", now).has_value());
    }
    EXPECT_FALSE(sessions_->Use(cookie, "", kNow + limits::kSessionLifeMs).has_value());
}

TEST_F(SessionsTest, ATeammateHasAtMostSoManyAndTheLongestUnusedGoes) {
    std::vector<std::string> cookies;
    for (size_t n = 0; n < limits::kSessionsPerTeammateMax; ++n) {
        cookies.push_back(Begin(1, kNow + static_cast<base::TimeMs>(n)));
    }
    const std::string other = Begin(2);
    EXPECT_TRUE(sessions_->Use(cookies[0], "", kNow + 1000).has_value());
    Begin(1, kNow + 1001);
    EXPECT_TRUE(sessions_->Use(cookies[0], "", kNow + 1001).has_value());
    EXPECT_FALSE(sessions_->Use(cookies[1], "", kNow + 1001).has_value());
    EXPECT_TRUE(sessions_->Use(other, "", kNow + 1001).has_value());
    EXPECT_EQ(limits::kSessionsPerTeammateMax, sessions_->Of(1, kNow + 1001).size());
}

TEST_F(SessionsTest, UsesAreStoredAnHourLateAtMost) {
    sessions_->KeyUsed(4, kNow);
    EXPECT_EQ(kNow, sessions_->KeyLastUsed(4));
    EXPECT_FALSE(sessions_->KeyLastUsed(5).has_value());
    ASSERT_TRUE(sessions_->Flush(kNow));
    ASSERT_TRUE(sessions_->Flush(kNow + limits::kUsesStoredMs - 1));
    EXPECT_EQ("", File());
    ASSERT_TRUE(sessions_->Flush(kNow + limits::kUsesStoredMs));
    EXPECT_NE("", File());
    sessions_->KeyUsed(4, kNow + 9);
    sessions_->KeyUsed(4, kNow + 1);
    ASSERT_TRUE(sessions_->Flush(kNow + limits::kUsesStoredMs + 1, true));
    Open();
    EXPECT_EQ(kNow + 9, sessions_->KeyLastUsed(4));
}

TEST_F(SessionsTest, AnEndThatCouldNotBeStoredIsStoredLater) {
    if (geteuid() == 0) {
        // Root writes everywhere: a directory in the way refuses it too.
        std::filesystem::create_directory(path_ + ".tmp");
    } else {
        ::chmod(directory_.c_str(), 0500);
    }
    Session session;
    session.teammate = 1;
    session.created_ms = session.last_used_ms = kNow;
    base::Status stored;
    const std::string cookie = sessions_->Begin(session, stored);
    EXPECT_FALSE(stored.has_value());
    EXPECT_TRUE(sessions_->Use(cookie, "", kNow).has_value());
    EXPECT_FALSE(sessions_->Flush(kNow).has_value());
    ::chmod(directory_.c_str(), 0700);
    std::filesystem::remove(path_ + ".tmp");
    EXPECT_TRUE(sessions_->Flush(kNow).has_value());
    Open();
    EXPECT_TRUE(sessions_->Use(cookie, "", kNow).has_value());
}

TEST_F(SessionsTest, AFileThatDoesNotReadIsSetAside) {
    Begin(1);
    std::ofstream(path_) << "{\"version\":1,";
    Open();
    EXPECT_TRUE(sessions_->Of(1, kNow).empty());
    EXPECT_TRUE(std::filesystem::exists(path_ + ".unreadable"));
}

TEST_F(SessionsTest, AddressesOfLivingSessionsAreKnown) {
    Begin(1);
    EXPECT_TRUE(sessions_->Knows(1, "192.0.2.1", kNow));
    EXPECT_FALSE(sessions_->Knows(1, "192.0.2.2", kNow));
    EXPECT_FALSE(sessions_->Knows(2, "192.0.2.1", kNow));
    EXPECT_FALSE(sessions_->Knows(1, "192.0.2.1", kNow + limits::kSessionIdleMs));
}

}  // namespace
}  // namespace catalog
