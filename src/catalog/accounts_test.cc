#include <gtest/gtest.h>
#include <time.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/limits.h"
#include "catalog/catalog.h"
#include "catalog/passwords.h"
#include "event_log/memory/memory_log.h"

namespace catalog {
namespace {

using base::ErrorCode;

class AccountsTest : public testing::Test {
  protected:
    void SetUp() override {
        Reopen();
        keys_ = catalog_->CreateWorkspace("Default").value();
    }
    void Reopen() { catalog_ = Catalog::Open(log_, clock_).value(); }
    void Put(model::WorkspaceId workspace, std::string payload) {
        model::NewRecord record;
        record.stream = log_.control();
        record.kind = model::RecordKind::kControl;
        record.workspace = workspace;
        record.payload = std::move(payload);
        std::vector<model::NewRecord> records;
        records.push_back(std::move(record));
        ASSERT_TRUE(log_.AppendAndWait(std::move(records)));
    }
    TeammatePtr Ada() {
        Teammate t;
        t.email = "Ada@Example.test";
        t.name = "Ada";
        t.password_hash = "$argon2id$x";
        auto made = catalog_->CreateFirstTeammate(t);
        EXPECT_TRUE(made.has_value());
        return made ? *made : nullptr;
    }

    base::SimulatedClock clock_{1'767'600'000'000};
    event_log::MemoryLog log_{4, &clock_};
    std::unique_ptr<Catalog> catalog_;
    NewKeys keys_;
};

TEST_F(AccountsTest, EarlyRecordsOfKeysAndTeammatesAreRead) {
    const std::string text = "sk_early";
    Put(1, R"({"type":"key","number":70,"kind":"secret","hash":")" +
               base::ToHex(base::Sha256(text)) + "\"}");
    Put(1, R"({"type":"teammate","email":"old@example.test","role":"owner",)"
           R"("password_hash":"$argon2id$old","created_ms":5})");
    Reopen();
    const auto key = catalog_->FindKey(text);
    ASSERT_TRUE(key);
    EXPECT_EQ(kAllScopes, key->scopes);
    EXPECT_EQ("", key->text);
    const auto teammate = catalog_->FindTeammateByEmail("OLD@example.test ");
    ASSERT_TRUE(teammate);
    EXPECT_EQ(1u, teammate->number);
    EXPECT_TRUE(catalog_->IsMember(1, 1));
}

TEST_F(AccountsTest, KeysHaveScopesAndEndWhenRevoked) {
    const auto made =
        catalog_->CreateKey(1, "Reports", true, static_cast<uint8_t>(Scope::kRead)).value();
    EXPECT_TRUE(made.key->Allows(Scope::kRead));
    EXPECT_FALSE(made.key->Allows(Scope::kWrite));
    Reopen();
    const auto key = catalog_->FindKey(made.text);
    ASSERT_TRUE(key);
    EXPECT_EQ("Reports", key->name);
    EXPECT_EQ(static_cast<uint8_t>(Scope::kRead), key->scopes);
    EXPECT_EQ("", key->text) << "a secret key is shown once";
    EXPECT_EQ(keys_.write_key, catalog_->Keys(1)[0]->text);
    EXPECT_FALSE(catalog_->CreateKey(1, "x", false, kAllScopes));
    EXPECT_FALSE(catalog_->CreateKey(1, "x", true, 0));
    EXPECT_FALSE(catalog_->CreateKey(1, "", true, kAllScopes));
    EXPECT_EQ(ErrorCode::kNotFound, catalog_->CreateKey(9, "x", true, 1).error().code);
    EXPECT_EQ(ErrorCode::kNotFound, catalog_->RevokeKey(2, key->number).error().code);
    ASSERT_TRUE(catalog_->RevokeKey(1, key->number));
    EXPECT_FALSE(catalog_->FindKey(made.text));
    EXPECT_EQ(ErrorCode::kNotFound, catalog_->RevokeKey(1, key->number).error().code);
    Reopen();
    EXPECT_FALSE(catalog_->FindKey(made.text));
    const auto next = catalog_->CreateKey(1, "x", true, kAllScopes).value();
    EXPECT_GT(next.key->number, key->number) << "numbers are not used again";
}

TEST_F(AccountsTest, AWorkspaceHasAtMostItsKeys) {
    while (catalog_->Keys(1).size() < limits::kKeysPerWorkspaceMax) {
        ASSERT_TRUE(catalog_->CreateKey(1, "x", false, 1));
    }
    EXPECT_EQ(ErrorCode::kTooLarge, catalog_->CreateKey(1, "x", false, 1).error().code);
    ASSERT_TRUE(catalog_->RevokeKey(1, catalog_->Keys(1)[0]->number));
    EXPECT_TRUE(catalog_->CreateKey(1, "x", false, 1));
}

TEST_F(AccountsTest, TheFirstTeammateIsAMemberOfAllAndOfWhatIsMadeByHer) {
    ASSERT_TRUE(catalog_->CreateWorkspace("Demo", true));
    EXPECT_FALSE(catalog_->HasTeammates());
    const auto ada = Ada();
    EXPECT_EQ("ada@example.test", ada->email);
    EXPECT_EQ(2u, catalog_->WorkspacesOf(ada->number).size());
    EXPECT_TRUE(catalog_->WorkspacesOf(ada->number)[1]->demo);
    Teammate second = *ada;
    second.email = "eve@example.test";
    EXPECT_EQ(ErrorCode::kConflict, catalog_->CreateFirstTeammate(second).error().code);
    ASSERT_TRUE(catalog_->CreateWorkspace("Hers", false, ada->number));
    ASSERT_TRUE(catalog_->CreateWorkspace("Everybody's"));
    ASSERT_TRUE(catalog_->CreateWorkspace("Somebody else's", false, 9));
    Reopen();
    EXPECT_TRUE(catalog_->IsMember(ada->number, 3));
    EXPECT_TRUE(catalog_->IsMember(ada->number, 4));
    EXPECT_FALSE(catalog_->IsMember(ada->number, 5));
    EXPECT_FALSE(catalog_->IsMember(ada->number, 6));
}

TEST_F(AccountsTest, EveryNewPasswordCountsUpTheVersion) {
    const auto ada = Ada();
    EXPECT_EQ(1u, ada->password_version);
    EXPECT_EQ(2u, catalog_->SetPassword(1, "$argon2id$y").value()->password_version);
    EXPECT_EQ(2u, catalog_->SetTeammateName(1, "Ada L.", "ja").value()->password_version);
    Reopen();
    EXPECT_EQ(2u, catalog_->FindTeammate(1)->password_version);
    EXPECT_EQ("Ada L.", catalog_->FindTeammate(1)->name);
    EXPECT_EQ("$argon2id$y", catalog_->FindTeammate(1)->password_hash);
    EXPECT_EQ(ErrorCode::kNotFound, catalog_->SetPassword(7, "x").error().code);
    EXPECT_FALSE(catalog_->SetTeammateName(1, "Ada", "tlh"));
}

TEST_F(AccountsTest, OneAddressIsOneTeammate) {
    ASSERT_TRUE(catalog_->CreateOwner(1, "owner@example.test"));
    EXPECT_EQ(ErrorCode::kConflict,
              catalog_->CreateOwner(1, "Owner@Example.test").error().code);
    EXPECT_EQ(ErrorCode::kInvalidArgument, catalog_->CreateOwner(1, "nobody").error().code);
}

TEST_F(AccountsTest, ADeletedWorkspaceIsSeenByFoldsOnly) {
    const auto other = catalog_->CreateWorkspace("Other").value();
    const auto segment = catalog_->CreateSegment(2, "S", "plan is \"a\"").value();
    ASSERT_TRUE(catalog_->SetSender(2, {"A", "a@b.test", ""}));
    Ada();
    EXPECT_FALSE(catalog_->IsDeleted(2));
    ASSERT_TRUE(catalog_->DeleteWorkspace(2));
    for (int turn = 0; turn < 2; ++turn) {
        EXPECT_FALSE(catalog_->FindWorkspace(2));
        EXPECT_FALSE(catalog_->FindKey(other.secret_key));
        EXPECT_FALSE(catalog_->IsMember(1, 2));
        EXPECT_EQ("", catalog_->GetSender(2).from_address);
        EXPECT_TRUE(catalog_->IsDeleted(2));
        EXPECT_EQ(std::vector<WorkspaceId>{2}, catalog_->DeletedWorkspaces());
        ASSERT_TRUE(catalog_->FindWorkspaceEver(2));
        EXPECT_TRUE(catalog_->FindSegment(segment->number, 1)) << "a rebuild asks for it";
        Reopen();
    }
    EXPECT_EQ(ErrorCode::kNotFound, catalog_->DeleteWorkspace(2).error().code);
    EXPECT_EQ(ErrorCode::kNotFound, catalog_->RenameWorkspace(2, "x").error().code);
    EXPECT_EQ(ErrorCode::kNotFound,
              catalog_->CreateSegment(2, "T", "plan is \"a\"").error().code);
    EXPECT_EQ(ErrorCode::kConflict, catalog_->DeleteWorkspace(1).error().code)
        << "the last one stays";
    EXPECT_EQ(3u, catalog_->CreateWorkspace("Third").value().workspace)
        << "numbers are not used again";
}

TEST(Passwords, OnlyTheRightOneFits) {
    const std::string hash = HashPassword("correct horse").value();
    EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"));
    EXPECT_TRUE(IsPassword(hash, "correct horse"));
    EXPECT_FALSE(IsPassword(hash, "correct horsf"));
    EXPECT_FALSE(IsPassword(hash, ""));
    EXPECT_FALSE(IsPassword("", "correct horse"));
    EXPECT_FALSE(IsPassword("$argon2id$broken", "correct horse"));
    EXPECT_NE(hash, HashPassword("correct horse").value());
    EXPECT_EQ(24u, NewPassword().size());
}

TEST(Passwords, NobodysPasswordTakesAsLongAsAWrongOne) {
    const std::string hash = HashPassword("correct horse").value();
    // Time of the processor, in turns: a busy machine slows both.
    const auto nanos = [](const std::string& encoded) {
        timespec before{}, after{};
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        EXPECT_FALSE(IsPassword(encoded, "wrong wrong"));
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        return static_cast<double>(after.tv_sec - before.tv_sec) * 1e9 +
               static_cast<double>(after.tv_nsec - before.tv_nsec);
    };
    double real = 1e18, nobody = 1e18;
    for (int n = 0; n < 9; ++n) {
        real = std::min(real, nanos(hash));
        nobody = std::min(nobody, nanos(""));
    }
    EXPECT_LT(nobody, real * 1.5);
    EXPECT_GT(nobody, real / 1.5);
}

TEST(Passwords, HaveALengthInCharacters) {
    EXPECT_TRUE(CheckPassword("1234567890", "new"));
    EXPECT_EQ("new", CheckPassword("123456789", "new").error().at);
    EXPECT_FALSE(CheckPassword("\u00e9\u00e9\u00e9\u00e9\u00e9", "new")) << "five, not ten";
    EXPECT_TRUE(CheckPassword(std::string(limits::kPasswordBytesMax, 'a'), "new"));
    EXPECT_FALSE(CheckPassword(std::string(limits::kPasswordBytesMax + 1, 'a'), "new"));
}

}  // namespace
}  // namespace catalog
