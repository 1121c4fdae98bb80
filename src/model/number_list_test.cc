#include "model/number_list.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace model {
namespace {

TEST(NumberList, IsAsAVectorWouldBe) {
    std::mt19937 random(7);
    NumberList list;
    std::vector<int64_t> vector;
    for (int step = 0; step < 20'000; ++step) {
        const size_t at = random() % (vector.size() + 1);
        if (random() % 5 < 3 && vector.size() < 300) {
            const int64_t numbers[] = {step, -step, 7};
            const size_t count = random() % 4;
            list.Insert(at, numbers, count);
            vector.insert(vector.begin() + static_cast<ptrdiff_t>(at), numbers, numbers + count);
        } else {
            const size_t count = random() % (vector.size() - at + 1) % 5;
            list.Erase(at, count);
            vector.erase(vector.begin() + static_cast<ptrdiff_t>(at),
                         vector.begin() + static_cast<ptrdiff_t>(at + count));
        }
        ASSERT_TRUE(std::equal(list.begin(), list.end(), vector.begin(), vector.end())) << step;
        ASSERT_EQ(list.empty(), vector.empty());
    }
}

TEST(NumberList, CopiesAreTheirOwn) {
    NumberList one{1, 2, 3};
    NumberList two = one;
    two[0] = 9;
    EXPECT_EQ(one[0], 1);
    EXPECT_FALSE(one == two);
    two = one;
    EXPECT_TRUE(one == two);
    two = NumberList();
    EXPECT_TRUE(two.empty());
    one.Erase(0, 3);
    EXPECT_TRUE(one == two) << "empty with and without a block";
}

}  // namespace
}  // namespace model
