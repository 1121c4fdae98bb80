// A parsed template: nodes that print themselves. All text points into Program::source.
//
// Immutable after parsing, so that any number of threads may render at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "language/liquid/value.h"

namespace liquid {

class Renderer;
class ReferenceCollector;
struct Filter;
struct Expression;

// What a node tells the block around it.
enum class Flow : uint8_t {
    kNext,
    kBreak,
    kContinue,
    kStop,  // An error is noted in the renderer.
};

// ".name" or "[index]".
struct Segment {
    std::string_view name;
    std::unique_ptr<Expression> index;  // Null: name holds.
};

struct Expression {
    enum class Type : uint8_t { kLiteral, kPath, kRange };
    Type type = Type::kLiteral;
    Value literal;
    // The first segment is the name looked up in the scope.
    std::vector<Segment> path;
    std::unique_ptr<Expression> first;  // Of a range.
    std::unique_ptr<Expression> last;
    std::string_view source;
};

struct FilterCall {
    const Filter* filter = nullptr;
    std::vector<Expression> arguments;
    std::unique_ptr<Expression> allow_false;  // The one named argument there is.
    std::string_view source;
};

struct Filtered {
    bool present = false;  // {% echo %} prints nothing.
    Expression value;
    std::vector<FilterCall> filters;
};

struct NamedArgument {
    std::string_view name;
    Expression value;
};

class Node {
  public:
    virtual ~Node() = default;
    virtual Flow Render(Renderer& renderer) const = 0;
    virtual void Collect(ReferenceCollector& collector) const = 0;
    // True when it can print nothing but white space. Text is dropped from a block tag all of
    // whose branches are blank, as the reference does.
    virtual bool Blank() const { return false; }
    virtual bool IsText() const { return false; }
};

struct Block {
    std::vector<std::unique_ptr<Node>> nodes;
    bool Blank() const;
    void DropText();
};

struct Program {
    std::string source;
    std::string name;  // Of a partial; empty for the template itself.
    Block body;
    // Every partial, shared by all programs of one template.
    std::shared_ptr<const std::map<std::string, Program, std::less<>>> partials;
};

enum class Comparison : uint8_t {
    kTruthy,  // Only the left side.
    kEqual,
    kNotEqual,
    kLess,
    kLessOrEqual,
    kGreater,
    kGreaterOrEqual,
    kContains,
};

struct Test {
    Expression left;
    Comparison comparison = Comparison::kTruthy;
    Expression right;
    // How the next test is joined; right associative: a and (b or (c and d)).
    bool or_next = false;
};
using Condition = std::vector<Test>;

// --- the tags ----------------------------------------------------------------------------------

class TextNode final : public Node {
  public:
    explicit TextNode(std::string_view text) : text_(text) {}
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector&) const override {}
    bool Blank() const override;
    bool IsText() const override { return true; }

  private:
    std::string_view text_;
};

// {{ }} and {% echo %}
class OutputNode final : public Node {
  public:
    explicit OutputNode(Filtered value) : value_(std::move(value)) {}
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector& collector) const override;

  private:
    Filtered value_;
};

class AssignNode final : public Node {
  public:
    AssignNode(std::string_view name, Filtered value) : name_(name), value_(std::move(value)) {}
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector& collector) const override;
    bool Blank() const override { return true; }

  private:
    std::string_view name_;
    Filtered value_;
};

class CaptureNode final : public Node {
  public:
    CaptureNode(std::string_view name, Block body) : name_(name), body_(std::move(body)) {}
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector& collector) const override;
    bool Blank() const override { return true; }

  private:
    std::string_view name_;
    Block body_;
};

// if and unless; an else is a branch without a condition.
struct Branch {
    bool negated = false;
    Condition condition;
    Block body;
};

class IfNode final : public Node {
  public:
    explicit IfNode(std::vector<Branch> branches);
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector& collector) const override;
    bool Blank() const override { return blank_; }

  private:
    std::vector<Branch> branches_;
    bool blank_ = true;
};

struct When {
    bool otherwise = false;
    std::vector<Expression> values;
    Block body;
};

class CaseNode final : public Node {
  public:
    CaseNode(Expression value, std::vector<When> whens);
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector& collector) const override;
    bool Blank() const override { return blank_; }

  private:
    Expression value_;
    std::vector<When> whens_;
    bool blank_ = true;
};

// The part that for and tablerow share.
struct LoopHead {
    std::string_view variable;
    Expression collection;
    std::string name;  // "item-order.items": forloop.name and the place of offset: continue.
    std::unique_ptr<Expression> limit;
    std::unique_ptr<Expression> offset;
    std::unique_ptr<Expression> columns;
    bool offset_continue = false;
    bool reversed = false;
};

class ForNode final : public Node {
  public:
    ForNode(LoopHead head, Block body, Block otherwise);
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector& collector) const override;
    bool Blank() const override { return blank_; }

  private:
    LoopHead head_;
    Block body_;
    Block otherwise_;
    bool blank_ = true;
};

class TableRowNode final : public Node {
  public:
    TableRowNode(LoopHead head, Block body) : head_(std::move(head)), body_(std::move(body)) {}
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector& collector) const override;

  private:
    LoopHead head_;
    Block body_;
};

// break and continue
class JumpNode final : public Node {
  public:
    explicit JumpNode(Flow flow) : flow_(flow) {}
    Flow Render(Renderer&) const override { return flow_; }
    void Collect(ReferenceCollector&) const override {}

  private:
    Flow flow_;
};

class CycleNode final : public Node {
  public:
    CycleNode(std::unique_ptr<Expression> group, std::vector<Expression> items);
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector& collector) const override;

  private:
    std::unique_ptr<Expression> group_;
    std::vector<Expression> items_;
    std::string own_name_;  // Stands for the group when none is given.
};

// increment and decrement
class CounterNode final : public Node {
  public:
    CounterNode(std::string_view name, bool up) : name_(name), up_(up) {}
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector& collector) const override;

  private:
    std::string_view name_;
    bool up_;
};

class IfChangedNode final : public Node {
  public:
    explicit IfChangedNode(Block body) : body_(std::move(body)) {}
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector& collector) const override;
    bool Blank() const override { return body_.Blank(); }

  private:
    Block body_;
};

// include and render
struct PartialCall {
    Expression name;
    bool isolated = false;  // render: sees its arguments only.
    bool each = false;      // "for": once for every item.
    std::unique_ptr<Expression> bound;
    std::string_view alias;
    std::vector<NamedArgument> arguments;
};

class PartialNode final : public Node {
  public:
    explicit PartialNode(PartialCall call) : call_(std::move(call)) {}
    Flow Render(Renderer& renderer) const override;
    void Collect(ReferenceCollector& collector) const override;

  private:
    Flow RenderIncluded(Renderer& renderer, const Program& program) const;
    Flow RenderIsolated(Renderer& renderer, const Program& program) const;

    PartialCall call_;
};

}  // namespace liquid
