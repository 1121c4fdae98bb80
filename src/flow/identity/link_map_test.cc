#include "flow/identity/link_map.h"

#include <gtest/gtest.h>

namespace identity {
namespace {

using model::IdKind;

LinkId Id(IdKind kind, uint64_t n) { return {kind, {static_cast<uint64_t>(kind), n}}; }
LinkId User(uint64_t n) { return Id(IdKind::kUser, n); }
LinkId Email(uint64_t n) { return Id(IdKind::kEmail, n); }
LinkId Browser(uint64_t n) { return Id(IdKind::kAnonymous, n); }

std::vector<Joined> Fold(LinkMap& map, std::vector<LinkId> ids, bool trusted = false,
                         bool merge = false) {
    std::vector<Joined> joined;
    map.Fold({std::move(ids), trusted, merge}, joined);
    return joined;
}

TEST(LinkMap, ABrowserJoinsAUserNobodyVouchedFor) {
    LinkMap map;
    const auto joined = Fold(map, {User(1), Browser(1)});
    ASSERT_EQ(joined.size(), 1u);
    EXPECT_EQ(joined[0].from, Browser(1).hash);
    EXPECT_EQ(joined[0].to, User(1).hash);
    EXPECT_FALSE(joined[0].pending);
    EXPECT_EQ(map.Root(Browser(1).hash), User(1).hash);
}

TEST(LinkMap, TheHigherKindIsTheRootWhateverTheOrder) {
    LinkMap map;
    Fold(map, {Email(1), Browser(1)});
    EXPECT_EQ(map.Root(Browser(1).hash), Email(1).hash);
    const auto joined = Fold(map, {User(1), Email(1)});
    ASSERT_EQ(joined.size(), 1u);
    EXPECT_EQ(joined[0].from, Email(1).hash);
    EXPECT_EQ(map.Root(Browser(1).hash), User(1).hash);
}

TEST(LinkMap, AnIdJoinedWithItselfMovesNobody) {
    LinkMap map;
    EXPECT_TRUE(Fold(map, {User(1), User(1)}, true, true).empty());
    EXPECT_EQ(Fold(map, {User(1), Browser(1)}, true).size(), 1u);
    EXPECT_TRUE(Fold(map, {User(1), Browser(1)}).empty());
    EXPECT_FALSE(map.Resolve({{User(1), Browser(1)}, false, false}).needs_link);
}

TEST(LinkMap, TwoUsersJoinOnlyByATrustedMerge) {
    for (const bool trusted : {false, true}) {
        for (const bool merge : {false, true}) {
            LinkMap map;
            const auto joined = Fold(map, {User(1), User(2)}, trusted, merge);
            EXPECT_EQ(!joined.empty(), trusted && merge);
        }
    }
    // Nor by way of a browser that both used.
    LinkMap map;
    Fold(map, {User(1), Browser(1)});
    EXPECT_TRUE(Fold(map, {User(2), Browser(1)}, true).empty());
    EXPECT_EQ(map.Root(Browser(1).hash), User(1).hash);
}

TEST(LinkMap, AnUntrustedCallOnlyClaimsWhomATrustedOneNamed) {
    LinkMap map;
    Fold(map, {User(1)}, true);
    const auto joined = Fold(map, {User(1), Browser(9)});
    ASSERT_EQ(joined.size(), 1u);
    EXPECT_TRUE(joined[0].pending);
    EXPECT_EQ(joined[0].to, User(1).hash);
    EXPECT_EQ(joined[0].from, Browser(9).hash);
    EXPECT_EQ(map.Root(Browser(9).hash), Browser(9).hash);
    // What it tells is written on its own card.
    EXPECT_EQ(map.Resolve({{User(1), Browser(9)}, false, false}).person, Browser(9).hash);
    EXPECT_EQ(map.Resolve({{User(1), Browser(9)}, true, false}).person, User(1).hash);
}

TEST(LinkMap, ABrowserAloneIsNoMarkOfTrust) {
    LinkMap map;
    Fold(map, {Browser(1)}, true);
    const auto joined = Fold(map, {User(1), Browser(1)});
    ASSERT_EQ(joined.size(), 1u);
    EXPECT_FALSE(joined[0].pending);
}

TEST(LinkMap, RecordsGoHomeOnlyWhenTheStateHasArrived) {
    LinkMap map;
    const LinkCall alone{{Browser(1)}, false, false};
    Fold(map, {Email(1), Browser(1)});
    Fold(map, {User(1), Email(1)});
    EXPECT_EQ(map.Root(Browser(1).hash), User(1).hash);
    EXPECT_EQ(map.Resolve(alone).person, Browser(1).hash);
    // The email's state first: the browser's is still on its way.
    map.Arrived(Email(1).hash);
    EXPECT_EQ(map.Resolve(alone).person, Browser(1).hash);
    EXPECT_EQ(map.Resolve({{Email(1)}, false, false}).person, User(1).hash);
    map.Arrived(Browser(1).hash);
    EXPECT_EQ(map.Resolve(alone).person, User(1).hash);
}

TEST(LinkMap, StoredNodesGiveTheSameMap) {
    LinkMap map, copy;
    Fold(map, {User(1), Browser(1)}, true);
    Fold(map, {Email(2), Browser(2)});
    map.Arrived(Browser(1).hash);
    map.ForEach([&](const model::PersonId& id, const std::string& bytes) {
        EXPECT_TRUE(copy.Load(id, bytes));
    });
    EXPECT_EQ(copy.size(), map.size());
    for (const auto& id : {User(1), Browser(1), Email(2), Browser(2)}) {
        EXPECT_EQ(copy.Root(id.hash), map.Root(id.hash));
        EXPECT_EQ(copy.Resolve({{id}, false, false}).person,
                  map.Resolve({{id}, false, false}).person);
    }
    EXPECT_FALSE(copy.Load(User(3).hash, "short"));
}

TEST(LinkCall, ReadsBackWhatItWas) {
    const LinkCall call{{User(1), Browser(2)}, true, true};
    LinkCall read;
    ASSERT_TRUE(DecodeCall(EncodeCall(call), read));
    ASSERT_EQ(read.ids.size(), 2u);
    EXPECT_EQ(read.ids[0].hash, User(1).hash);
    EXPECT_EQ(read.ids[1].kind, IdKind::kAnonymous);
    EXPECT_TRUE(read.trusted && read.merge);
}

TEST(LinkCall, RefusesWhatItIsNot) {
    LinkCall read;
    for (const char* text : {"", "{", "{}", "{\"ids\":[],\"trusted\":true,\"merge\":false}",
                             "{\"ids\":[[4,\"00000000000000010000000000000001\"]],"
                             "\"trusted\":true,\"merge\":false}",
                             "{\"ids\":[[1,\"zz\"]],\"trusted\":true,\"merge\":false}"}) {
        EXPECT_FALSE(DecodeCall(text, read)) << text;
    }
}

}  // namespace
}  // namespace identity
