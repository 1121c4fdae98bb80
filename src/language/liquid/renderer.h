// One render: the scope, the budgets and the output. Made for it and gone after it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "language/liquid/ast.h"
#include "language/liquid/template.h"

namespace liquid {

// forloop, and the part tablerowloop shares with it.
class ForLoop final : public Drop {
  public:
    ForLoop(std::string_view name, int64_t length, const ForLoop* parent)
        : name_(name), length_(length), parent_(parent) {}
    Value Find(std::string_view name, Arena& arena) const override;
    void MoveTo(int64_t index) { index_ = index; }

  private:
    std::string_view name_;
    int64_t length_;
    int64_t index_ = 0;  // From 0.
    const ForLoop* parent_;
};

class TableRowLoop final : public Drop {
  public:
    TableRowLoop(int64_t length, int64_t columns) : length_(length), columns_(columns) {}
    Value Find(std::string_view name, Arena& arena) const override;
    void MoveTo(int64_t index) { index_ = index; }
    int64_t column() const { return index_ % columns_; }  // From 0.
    int64_t row() const { return index_ / columns_ + 1; }
    bool LastOfRow() const { return column() + 1 == columns_ || index_ + 1 == length_; }

  private:
    int64_t length_;
    int64_t columns_;
    int64_t index_ = 0;
};

// What a template changes while it runs. {% render %} starts with an empty one.
struct Scope {
    std::vector<Member> frames;  // Loop items and arguments, innermost last.
    std::vector<Member> locals;  // assign and capture.
    std::vector<std::pair<std::string_view, int64_t>> counters;
    std::vector<std::pair<std::string_view, int64_t>> offsets;  // Where loops ended.
    std::vector<std::pair<std::string_view, size_t>> cycles;
    std::string_view changed;  // What {% ifchanged %} saw last.
    std::vector<const ForLoop*> loops;
};

class Renderer {
  public:
    Renderer(const Program& program, const Value& globals, const Options& options)
        : program_(&program), globals_(globals), options_(options) {}

    base::Result<std::string> Run();

    // --- for nodes and filters -----------------------------------------------------------------
    // Counts work. False: the budget is used up and the error is noted.
    bool Spend(int64_t steps) {
        steps_ += steps;
        return steps_ <= options_.steps_max || FailSteps();
    }
    // Text that is read or made by a filter or comparison.
    bool SpendBytes(size_t bytes) { return Spend(1 + static_cast<int64_t>(bytes / 64)); }
    // Text that is only copied.
    bool SpendCopy(size_t bytes) { return Spend(static_cast<int64_t>(bytes / 256)); }

    // Looking a name up among so many.
    bool SpendNames(size_t names) {
        return names < 64 || Spend(static_cast<int64_t>(names / 64));
    }

    Flow RenderBlock(const Block& block);
    Flow AppendText(std::string_view text);
    // Prints as {{ }} does, escaped when the options say so.
    Flow Print(const Value& value);
    // Runs the block with its output going to `text` (kept in the arena).
    Flow Captured(const Block& block, std::string_view& text);
    // Runs a partial; the same scope.
    Flow RenderProgram(const Program& program);

    Value Evaluate(const Expression& expression);
    // A name that is not there is nil even when the options are strict.
    Value EvaluateLax(const Expression& expression);
    Value Evaluate(const Filtered& filtered);
    bool Holds(const Condition& condition);
    bool SameAs(const Value& a, const Value& b);
    Value FindName(std::string_view name, bool& found);
    void Assign(std::string_view name, const Value& value);
    // The items a for or tablerow goes over. False: an error is noted.
    bool LoopItems(const LoopHead& head, std::span<const Value>& items);
    // A whole number, for limit, offset and cols. False: an error is noted.
    bool WholeOf(const Expression& expression, std::optional<int64_t>& whole);

    bool Fail(base::ErrorCode code, std::string text);
    bool Fail(std::string text) {
        return Fail(base::ErrorCode::kInvalidArgument, std::move(text));
    }
    bool failed() const { return error_.has_value(); }
    // Where an error would be reported, in the source of the running program.
    void At(std::string_view place) { place_ = place; }

    Arena& arena() { return arena_; }
    Scope& scope() { return scope_; }
    const Options& options() const { return options_; }
    const Program& program() const { return *program_; }
    // Text of any value, in the arena or where it lies.
    std::string_view TextOf(const Value& value);

  private:
    bool FailSteps();
    Value Follow(const Value& value, const Segment& segment);
    Value Undefined(const Expression& expression);
    bool Compare(const Test& test, const Value& left, const Value& right);
    bool Contains(const Value& left, const Value& right);
    bool OrderHolds(Comparison comparison, const Value& left, const Value& right);

    const Program* program_;
    const Value& globals_;
    const Options& options_;
    Arena arena_;
    Scope scope_;
    std::string out_;
    int64_t steps_ = 0;
    int partial_depth_ = 0;
    bool lax_ = false;
    std::string_view place_;
    std::optional<base::Error> error_;
};

}  // namespace liquid
