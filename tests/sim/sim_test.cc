#include <gtest/gtest.h>

#include "tests/sim/simulator.h"

namespace sim {
namespace {

class Simulator : public testing::TestWithParam<uint64_t> {};

TEST_P(Simulator, EveryRuleHolds) {
    const auto report = Simulate(GetParam(), 60);
    std::string failures;
    for (const auto& failure : report.failures) failures += failure + "\n";
    EXPECT_EQ(failures, "") << "ripen_sim --events 60 --seed " << GetParam();
    EXPECT_GT(report.events, 0u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Simulator, testing::Range<uint64_t>(1, 41));

// The recount would be worth nothing if the lives were dull.
TEST(SimulatedLives, LivesSeeMovesLettersAndCrashes) {
    uint64_t moves = 0, letters = 0, crashes = 0;
    for (uint64_t seed = 1; seed <= 10; ++seed) {
        const auto report = Simulate(seed, 60);
        moves += report.moves;
        letters += report.letters;
        crashes += report.crashes;
    }
    EXPECT_GT(moves, 20u);
    EXPECT_GT(letters, 20u);
    EXPECT_GT(crashes, 10u);
}

// A seed is a life: what one finds once it finds again.
TEST(SimulatedLives, TheSameSeedIsTheSameLife) {
    const auto one = Simulate(7, 60), two = Simulate(7, 60);
    EXPECT_EQ(one.records, two.records);
    EXPECT_EQ(one.letters, two.letters);
    EXPECT_EQ(one.moves, two.moves);
}

}  // namespace
}  // namespace sim
