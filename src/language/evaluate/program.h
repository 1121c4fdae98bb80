// A whole condition made ready to run over shared leaves.
// Threads: immutable; const calls from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "language/condition/expression.h"
#include "language/evaluate/leaf.h"

namespace evaluate {

using LeafPtr = std::shared_ptr<const Leaf>;

// Gives the shared leaf for a part of a condition, making it when nobody asked that yet.
using LeafSource = std::function<base::Result<LeafPtr>(const condition::Expression&)>;
// The number of a segment by name. Errors: kInvalidArgument, unknown.
using SegmentSource = std::function<base::Result<uint32_t>(const std::string&)>;

class Program {
  public:
    static base::Result<Program> Compile(const condition::Expression& expression,
                                         const LeafSource& leaves, const SegmentSource& segments);

    bool Holds(const Context& context) const { return nodes_.empty() || Eval(0, context); }
    // First instant after context.now at which any time-dependent leaf changes: not later than the
    // first change of Holds.
    base::TimeMs NextFlip(const Context& context) const;

    const std::vector<LeafPtr>& leaves() const { return leaves_; }        // Each once.
    const std::vector<uint32_t>& segments() const { return segments_; }   // Named by `in segment`.

  private:
    enum class Kind : uint8_t { kEveryone, kLeaf, kSegment, kAll, kAny, kNot };
    struct Node {
        Kind kind;
        uint32_t end;    // One past the subtree.
        uint32_t index;  // Into leaves_, or the segment's number.
    };
    base::Status Add(const condition::Expression& part, const LeafSource& leaves,
                     const SegmentSource& segments);
    bool Eval(uint32_t at, const Context& context) const;

    std::vector<Node> nodes_;
    std::vector<LeafPtr> leaves_;
    std::vector<uint32_t> segments_;
};

}  // namespace evaluate
