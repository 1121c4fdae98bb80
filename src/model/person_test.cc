#include "model/person.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace model {
namespace {

using base::kDayMs;
using base::kHourMs;

constexpr base::TimeMs kNow = 1767600000000;   // On the hour.

AttributeValue Text(std::string_view text, uint32_t set_s) {
    AttributeValue v;
    v.type = AttributeType::kText;
    v.text = text;
    v.set_s = set_s;
    return v;
}

TEST(TakenIds, AnIdIsTakenOnceInTheWindow) {
    TakenIds taken;
    EXPECT_TRUE(taken.Take(7, kNow));
    EXPECT_FALSE(taken.Take(7, kNow));
    EXPECT_FALSE(taken.Take(7, kNow + limits::kDedupeWindowMs));
    EXPECT_TRUE(taken.Take(8, kNow));
}

TEST(TakenIds, AnIdIsForgottenWithItsHour) {
    TakenIds taken;
    EXPECT_TRUE(taken.Take(7, kNow));
    EXPECT_FALSE(taken.Take(7, kNow + limits::kDedupeWindowMs + kHourMs - 1));
    EXPECT_TRUE(taken.Take(7, kNow + limits::kDedupeWindowMs + kHourMs));
}

TEST(TakenIds, ManyIdsAreFoundByTheIndexToo) {
    TakenIds taken;
    for (uint64_t i = 1; i <= 500; ++i) {
        EXPECT_TRUE(taken.Take(i, kNow + static_cast<base::TimeMs>(i) * base::kMinuteMs));
    }
    for (uint64_t i = 1; i <= 500; ++i) EXPECT_TRUE(taken.Has(i));
    EXPECT_FALSE(taken.Has(501));
    taken.Expire(kNow + limits::kDedupeWindowMs + 3 * kHourMs);
    EXPECT_FALSE(taken.Has(1));
    EXPECT_TRUE(taken.Has(500));
}

TEST(TakenIds, UnitingIsTheSameFromBothSides) {
    TakenIds a, b;
    for (uint64_t i = 0; i < 300; ++i) {
        (i % 2 == 0 ? a : b).Take(i + 1, kNow + static_cast<base::TimeMs>(i % 7) * kHourMs);
    }
    TakenIds ab, ba;
    ab.Unite(a);
    ab.Unite(b);
    ba.Unite(b);
    ba.Unite(a);
    std::string one, two;
    base::ByteWriter w(one), v(two);
    ab.Encode(w);
    ba.Encode(v);
    EXPECT_EQ(one, two);
    EXPECT_EQ(ab.size(), 300u);
    for (uint64_t i = 1; i <= 300; ++i) EXPECT_TRUE(ab.Has(i));
}

TEST(TakenIds, BytesThatLieAboutTheirCountAreRefused) {
    std::string bytes;
    base::ByteWriter w(bytes);
    w.Varint(1);
    w.Varint(1);
    w.Varint(1000);
    w.U64(1);
    base::ByteReader in(bytes);
    TakenIds taken;
    EXPECT_FALSE(taken.Decode(in));
}

TEST(Attributes, TheLaterOwnTimeWins) {
    Attributes a;
    EXPECT_TRUE(a.Set(1, Text("new", 20)));
    EXPECT_FALSE(a.Set(1, Text("old", 10)));
    EXPECT_EQ(a.Find(1).text, "new");
    // Of the same second the one that came last.
    EXPECT_TRUE(a.Set(1, Text("newer", 20)));
    EXPECT_EQ(a.Find(1).text, "newer");
    // The same value again is no change.
    EXPECT_FALSE(a.Set(1, Text("newer", 30)));
}

TEST(Attributes, ARemovalIsNotUndoneByAnOlderValue) {
    Attributes a;
    EXPECT_TRUE(a.Set(1, Text("x", 10)));
    AttributeValue gone;
    gone.set_s = 20;
    EXPECT_TRUE(a.Set(1, gone));
    EXPECT_EQ(a.Find(1).type, AttributeType::kNone);
    EXPECT_FALSE(a.Set(1, Text("x", 15)));
    EXPECT_EQ(a.Find(1).type, AttributeType::kNone);
    EXPECT_TRUE(a.Set(1, Text("y", 25)));
    EXPECT_EQ(a.Find(1).text, "y");
}

TEST(Attributes, UnitingIsTheSameFromBothSides) {
    Attributes a, b;
    a.Set(1, Text("a", 10));
    a.Set(3, Text("a", 30));
    a.Set(4, Text("tie a", 40));
    b.Set(1, Text("b", 20));
    b.Set(2, Text("b", 20));
    b.Set(4, Text("tie b", 40));
    Attributes ab, ba;
    ab.Unite(a);
    ab.Unite(b);
    ba.Unite(b);
    ba.Unite(a);
    EXPECT_EQ(ab.bytes(), ba.bytes());
    EXPECT_EQ(ab.count(), 4u);
    EXPECT_EQ(ab.Find(1).text, "b");
    EXPECT_EQ(ab.Find(3).text, "a");
}

TEST(Attributes, APersonHasAtMostTheirLimit) {
    Attributes a;
    for (uint32_t i = 0; i < limits::kAttributesMax; ++i) EXPECT_TRUE(a.Set(i, Text("x", 1)));
    EXPECT_FALSE(a.Set(limits::kAttributesMax, Text("x", 1)));
    EXPECT_EQ(a.count(), limits::kAttributesMax);
    EXPECT_TRUE(a.Set(0, Text("y", 2)));
}

Person Someone() {
    Person p;
    p.id = {1, 2};
    p.workspace = 3;
    p.trusted = true;
    p.visits = 4;
    p.events = 5;
    p.created_ms = kNow - kDayMs;
    p.seen_ms = kNow;
    p.visit_ms = kNow;
    p.ids.push_back({IdKind::kUser, true, {1, 2}, "u1"});
    p.attributes.Set(1, Text("pro", 9));
    p.first_touch = "first";
    p.last_touch = "last";
    auto& a = GetAccumulator(p.accumulators, 7);
    a.count = 2;
    a.value = -5;
    a.more = {5, 3, 9};
    p.segments.push_back({4, kNow});
    p.taken = std::make_unique<TakenIds>();
    p.taken->Take(99, kNow);
    JourneyEntry entry;
    entry.journey = 8;
    entry.id = {0, 5, 1};
    entry.key = "k";
    entry.due_ms = kNow + kHourMs;
    GetAccumulator(entry.since_entry, 3).count = 1;
    p.Facts().entries.push_back(std::move(entry));
    Message message;
    message.id = {0, 5, 2};
    message.state = MessageState::kClaimed;
    message.reason = "451";
    p.Facts().messages.push_back(std::move(message));
    PendingReceipt receipt;
    receipt.due_ms = kNow;
    receipt.url = "https://example.test/";
    p.Facts().receipts.push_back(std::move(receipt));
    p.Facts().merged.push_back({5, 6});
    p.Facts().claims = "\"x\"";
    return p;
}

TEST(PersonBytes, ReadBackWhatTheyWere) {
    const Person p = Someone();
    std::string bytes, again;
    EncodePerson(bytes, p);
    Person q;
    ASSERT_TRUE(DecodePerson(bytes, q));
    EncodePerson(again, q);
    EXPECT_EQ(bytes, again);
    EXPECT_EQ(q.facts->entries[0].due_ms, kNow + kHourMs);
    EXPECT_EQ(q.facts->messages[0].reason, "451");
    EXPECT_TRUE(q.accumulators[0].more == (NumberList{5, 3, 9}));
    EXPECT_FALSE(q.moved());
}

TEST(PersonBytes, EveryTruncationIsRefused) {
    std::string bytes;
    EncodePerson(bytes, Someone());
    for (size_t size = 0; size < bytes.size(); ++size) {
        Person q;
        EXPECT_FALSE(DecodePerson(std::string_view(bytes).substr(0, size), q)) << size;
    }
    Person q;
    EXPECT_FALSE(DecodePerson(bytes + "x", q));
}

TEST(PersonBytes, AnotherVersionIsRefused) {
    std::string bytes;
    EncodePerson(bytes, Someone());
    bytes[0] = static_cast<char>(bytes[0] + 1);
    Person q;
    EXPECT_FALSE(DecodePerson(bytes, q));
}

TEST(PersonBytes, OneWhoMovedKeepsWhereTo) {
    Person p;
    p.id = {1, 2};
    p.moved_to = {3, 4};
    std::string bytes;
    EncodePerson(bytes, p);
    Person q;
    ASSERT_TRUE(DecodePerson(bytes, q));
    EXPECT_TRUE(q.moved());
    EXPECT_EQ(q.moved_to, p.moved_to);
}

}  // namespace
}  // namespace model
