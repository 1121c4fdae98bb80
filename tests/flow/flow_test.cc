// One test per scenario file.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "tests/flow/scenario.h"

namespace {

constexpr char kDirectory[] = "tests/flow";

class Flow : public testing::Test {
  public:
    explicit Flow(std::string path) : path_(std::move(path)) {}
    void TestBody() override { EXPECT_EQ(flow::RunScenario(path_), ""); }

  private:
    std::string path_;
};

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    std::vector<std::string> paths;
    for (const auto& entry : std::filesystem::directory_iterator(kDirectory)) {
        if (entry.path().extension() == ".flow") paths.push_back(entry.path().string());
    }
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
        std::string name = std::filesystem::path(path).stem().string();
        std::replace(name.begin(), name.end(), '-', '_');
        testing::RegisterTest("Flow", name.c_str(), nullptr, nullptr, path.c_str(), 1,
                              [path]() -> testing::Test* { return new Flow(path); });
    }
    if (paths.empty()) {
        std::fprintf(stderr, "no scenario in %s\n", kDirectory);
        return 1;
    }
    return RUN_ALL_TESTS();
}
