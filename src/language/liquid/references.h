// Which values a template may ask its scope for (Template::References).
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "language/liquid/ast.h"
#include "language/liquid/template.h"

namespace liquid {

// Walks the nodes in their order, knowing which names the template has set by then.
class ReferenceCollector {
  public:
    explicit ReferenceCollector(const Program& program) : program_(&program) {}

    std::vector<Reference> Collect();

    // --- for nodes -----------------------------------------------------------------------------
    void Add(const Expression& expression);
    void Add(const Filtered& filtered);
    void Add(const Condition& condition);
    void Add(const LoopHead& head);
    // A block that always runs, in the same scope.
    void Walk(const Block& block);
    // A block that may not run: what it sets is only maybe set afterwards.
    void WalkMaybe(const Block& block);
    void Set(std::string_view name);
    // The names hold while the block runs.
    void WalkWith(const std::vector<std::string_view>& names, const Block& block);
    // Every partial that `name` may mean.
    void AddPartial(const Expression& name, bool isolated,
                    const std::vector<std::string_view>& names);

  private:
    enum class Known : uint8_t { kMaybe, kSurely };
    using Names = std::map<std::string, Known, std::less<>>;

    void WalkProgram(const Program& program);

    const Program* program_;
    Names names_;
    std::set<const Program*> walked_;
    int repeats_ = 0;
    std::vector<const Program*> open_;  // Partials being walked, against endless recursion.
    std::map<std::string, Reference> found_;
};

}  // namespace liquid
