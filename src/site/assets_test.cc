#include "site/assets.h"

#include <gmock/gmock.h>

#include "site/test_pack.h"

namespace site {
namespace {

TEST(AssetsPack, ReadsWhatThePackSays) {
    const Assets assets = TestAssets();
    const File* const file = assets.Find("admin/assets/app-1.js");
    ASSERT_NE(nullptr, file);
    EXPECT_EQ("text/javascript; charset=utf-8", file->type);
    EXPECT_EQ("console.log('raw')", *file->raw);
    EXPECT_EQ("(gzip)", *file->gzip);
    EXPECT_EQ("(brotli)", *file->brotli);
    EXPECT_EQ(nullptr, assets.Find("admin/assets/app-2.js"));
    EXPECT_TRUE(assets.Has("demo/"));
    EXPECT_FALSE(assets.Has("docs/"));
}

TEST(AssetsPack, TheEmptyPackHasNoFiles) {
    const auto empty = Assets::Read("ripen-web 1 2\n[]");
    ASSERT_TRUE(empty.has_value());
    EXPECT_EQ(0u, empty->size());
    EXPECT_FALSE(empty->Has("admin/"));
}

TEST(AssetsPack, LiesAreCorrupt) {
    const std::string whole = TestPack();
    for (const std::string& pack :
         {std::string(), std::string("ripen-web 2 2\n[]"), std::string("ripen-web 1 2[]"),
          std::string("ripen-web 1 3\n[]"), std::string("ripen-web 1 2x\n[]"),
          std::string("ripen-web 1 99999999999999999999\n[]"), std::string("ripen-web 1 2\n{}"),
          std::string("ripen-web 1 4\n[{}]"), whole.substr(0, whole.size() - 1)}) {
        const auto read = Assets::Read(pack);
        ASSERT_FALSE(read.has_value()) << pack;
        EXPECT_EQ(base::ErrorCode::kCorrupt, read.error().code);
    }
}

TEST(AssetsPack, TheProgramsOwnPackIsReadable) {
    // Of a build with or without the web's: either way it has to be a pack.
    const Assets& own = Assets::BuiltIn();
    EXPECT_EQ(own.size() > 0, own.Has(""));
    EXPECT_EQ(&own, &Assets::BuiltIn());
}

}  // namespace
}  // namespace site
