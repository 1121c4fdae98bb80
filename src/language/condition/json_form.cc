#include "language/condition/json_form.h"

#include <simdjson.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "language/condition/span.h"
#include "language/condition/valid.h"
#include "language/condition/words.h"

namespace condition {
namespace {

namespace dom = simdjson::dom;

// --- writing ---------------------------------------------------------------------------------

class Writer {
  public:
    explicit Writer(std::string& out) : json_(out) {}

    void Node(const Expression& expression) {
        json_.Begin('{');
        std::visit([&](const auto& node) { Fields(node); }, expression.node);
        json_.End('}');
    }

  private:
    void Fields(const Everyone&) { json_.Key("everyone").Bool(true); }
    void Fields(const InSegment& node) { json_.Key("segment").String(node.segment); }
    void Fields(const And& node) { Children("and", node.children); }
    void Fields(const Or& node) { Children("or", node.children); }
    void Fields(const Not& node) {
        json_.Key("not");
        Node(*node.child);
    }

    void Children(std::string_view key, const std::vector<ExpressionPtr>& children) {
        json_.Key(key).Begin('[');
        for (const auto& child : children) Node(*child);
        json_.End(']');
    }

    void Fields(const Comparison& node) {
        json_.Key(SubjectName(node.subject)).String(node.name);
        json_.Key("op").String(JsonName(node.op));
        switch (ShapeOf(node.op)) {
            case Shape::kNone: return;
            case Shape::kSpan:
                json_.Key("span").String(node.span_months != 0 ? MonthsText(node.span_months)
                                                               : SpanText(node.span_ms));
                return;
            case Shape::kMany:
            case Shape::kTwo:
                json_.Key("values").Begin('[');
                for (const Literal& literal : node.values) One(literal);
                json_.End(']');
                return;
            default:
                if (node.values.empty()) return;
                json_.Key("value");
                One(node.values[0]);
        }
    }

    static std::string_view SubjectName(Subject subject) {
        switch (subject) {
            case Subject::kAttribute: return "attribute";
            case Subject::kFirstTouch: return "first_touch";
            case Subject::kLastTouch: return "last_touch";
            case Subject::kProperty: break;
        }
        return "property";
    }

    void One(const Literal& literal) {
        if (const auto* text = std::get_if<std::string>(&literal)) {
            json_.String(*text);
        } else if (const auto* number = std::get_if<double>(&literal)) {
            json_.Double(*number);
        } else {
            json_.Bool(std::get<bool>(literal));
        }
    }

    void Where(const Events& events) {
        if (events.where == nullptr) return;
        json_.Key("where");
        Node(*events.where);
    }

    void Windows(const Events& events) {
        if (events.within.ms != 0) json_.Key("within").String(events.within.text);
        if (events.since_entry) json_.Key("since_entry").Bool(true);
    }

    void Fields(const Count& node) {
        json_.Key("did").String(node.events.name);
        Where(node.events);
        if (node.at_least != 1) json_.Key("at_least").Int(node.at_least);
        if (node.at_most != UINT32_MAX) json_.Key("at_most").Int(node.at_most);
        Windows(node.events);
    }

    void Fields(const Occurrence& node) {
        json_.Key(node.last ? "last" : "first").String(node.events.name);
        Where(node.events);
        json_.Key("op").String(JsonName(node.op));
        if (ShapeOf(node.op) == Shape::kSpan) {
            json_.Key("span").String(node.span.text);
        } else {
            json_.Key("date").String(node.date_text);
        }
    }

    void Fields(const Aggregate& node) {
        json_.Key(JsonName(node.kind)).String(node.property);
        json_.Key("of").String(node.events.name);
        Where(node.events);
        Windows(node.events);
        json_.Key("op").String(JsonName(node.op));
        if (node.op != Operator::kBetween) {
            json_.Key("value").Double(node.low);
            return;
        }
        json_.Key("values").Begin('[').Double(node.low).Double(node.high).End(']');
    }

    base::JsonWriter json_;
};

// --- reading ---------------------------------------------------------------------------------

std::string Join(const std::string& path, std::string_view key) {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
}

template <class Node>
ExpressionPtr Make(Node node) {
    return std::make_shared<const Expression>(Expression{std::move(node)});
}

// The fields of one object, taken one by one; what is left over was not expected.
class Fields {
  public:
    static base::Result<Fields> Of(const dom::element& json, const std::string& path) {
        dom::object object;
        if (json.get(object) != simdjson::SUCCESS) {
            return base::Invalid("expected an object", path);
        }
        Fields fields(path);
        for (const auto& [key, value] : object) {
            if (fields.Has(key)) return base::Invalid("this field stands twice", Join(path, key));
            if (fields.left_.size() == kFieldsMax) {
                return base::Invalid("this field is not known here", Join(path, key));
            }
            fields.left_.emplace_back(key, value);
        }
        return fields;
    }

    const std::string& path() const { return path_; }
    std::string At(std::string_view key) const { return Join(path_, key); }

    bool Has(std::string_view key) const {
        return std::any_of(left_.begin(), left_.end(),
                           [&](const auto& field) { return field.first == key; });
    }

    std::optional<dom::element> Find(std::string_view key) {
        for (auto field = left_.begin(); field != left_.end(); ++field) {
            if (field->first != key) continue;
            const dom::element value = field->second;
            left_.erase(field);
            return value;
        }
        return std::nullopt;
    }

    base::Result<dom::element> Get(std::string_view key) {
        const auto value = Find(key);
        if (!value) return base::Invalid("this field is missing", At(key));
        return *value;
    }

    base::Result<std::string> Text(std::string_view key) {
        TRY_ASSIGN(const dom::element value, Get(key));
        std::string_view text;
        if (value.get(text) != simdjson::SUCCESS) return base::Invalid("expected a text", At(key));
        return std::string(text);
    }

    base::Status NoMore() const {
        if (left_.empty()) return {};
        return base::Invalid("this field is not known here", At(left_[0].first));
    }

  private:
    static constexpr size_t kFieldsMax = 8;  // No node has more.
    explicit Fields(std::string path) : path_(std::move(path)) {}

    std::string path_;
    std::vector<std::pair<std::string_view, dom::element>> left_;
};

class Reader {
  public:
    using Tree = base::Result<ExpressionPtr>;

    Tree Node(const dom::element& json, const std::string& path, Place place, int depth) {
        if (depth > limits::kConditionDepthMax) {
            return TooLarge("the condition is nested deeper than " +
                            std::to_string(limits::kConditionDepthMax) + " levels", path);
        }
        if (++nodes_ > limits::kConditionNodesMax) {
            return TooLarge("the condition has more than " +
                            std::to_string(limits::kConditionNodesMax) + " parts", path);
        }
        TRY_ASSIGN(Fields fields, Fields::Of(json, path));
        TRY_ASSIGN(ExpressionPtr tree, ByKind(fields, place, depth));
        TRY(fields.NoMore());
        if (auto good = CheckNode(*tree, place); !good) {
            return base::Invalid(good.error().public_text, path);
        }
        return tree;
    }

  private:
    static tl::unexpected<base::Error> TooLarge(const std::string& why, const std::string& path) {
        return tl::make_unexpected(base::Error{base::ErrorCode::kTooLarge, why, why, path});
    }

    Tree ByKind(Fields& fields, Place place, int depth) {
        if (const auto value = fields.Find("everyone")) {
            bool yes = false;
            if (value->get(yes) != simdjson::SUCCESS || !yes) {
                return base::Invalid("expected true", fields.At("everyone"));
            }
            return Make(Everyone{});
        }
        if (fields.Has("and")) return Group<And>(fields, "and", place, depth);
        if (fields.Has("or")) return Group<Or>(fields, "or", place, depth);
        if (const auto value = fields.Find("not")) {
            TRY_ASSIGN(ExpressionPtr child, Node(*value, fields.At("not"), place, depth + 1));
            return Make(Not{std::move(child)});
        }
        if (fields.Has("segment")) {
            TRY_ASSIGN(std::string name, fields.Text("segment"));
            return Make(InSegment{std::move(name)});
        }
        if (fields.Has("did")) return ReadCount(fields, depth);
        if (fields.Has("first")) return ReadOccurrence(fields, "first", depth);
        if (fields.Has("last")) return ReadOccurrence(fields, "last", depth);
        for (const auto kind : {AggregateKind::kSum, AggregateKind::kAverage, AggregateKind::kMax,
                                AggregateKind::kMin}) {
            if (fields.Has(JsonName(kind))) return ReadAggregate(fields, kind, depth);
        }
        static constexpr std::pair<std::string_view, Subject> kSubjects[] = {
            {"attribute", Subject::kAttribute},
            {"first_touch", Subject::kFirstTouch},
            {"last_touch", Subject::kLastTouch},
            {"property", Subject::kProperty}};
        for (const auto& [key, subject] : kSubjects) {
            if (fields.Has(key)) return ReadComparison(fields, key, subject);
        }
        return base::Invalid("this is no condition: none of everyone, and, or, not, segment, did, "
                             "first, last, sum, avg, max, min, attribute, first_touch, "
                             "last_touch, property", fields.path());
    }

    template <class Joined>
    Tree Group(Fields& fields, std::string_view key, Place place, int depth) {
        TRY_ASSIGN(const dom::element value, fields.Get(key));
        dom::array array;
        if (value.get(array) != simdjson::SUCCESS || array.size() == 0) {
            return base::Invalid("expected a list of conditions", fields.At(key));
        }
        Joined joined;
        for (const dom::element child : array) {
            const std::string at =
                fields.At(key) + "[" + std::to_string(joined.children.size()) + "]";
            TRY_ASSIGN(ExpressionPtr tree, Node(child, at, place, depth + 1));
            joined.children.push_back(std::move(tree));
        }
        if (joined.children.size() == 1) return std::move(joined.children[0]);
        return Make(std::move(joined));
    }

    static base::Result<Literal> ReadLiteral(const dom::element& json, const std::string& path) {
        std::string_view text;
        double number = 0;
        bool truth = false;
        if (json.get(text) == simdjson::SUCCESS) return Literal(std::string(text));
        if (json.get(truth) == simdjson::SUCCESS) return Literal(truth);
        if (json.get(number) == simdjson::SUCCESS) return Literal(number == 0 ? 0.0 : number);
        return base::Invalid("expected a text, a number, true or false", path);
    }

    static base::Result<std::vector<Literal>> ReadList(Fields& fields) {
        TRY_ASSIGN(const dom::element value, fields.Get("values"));
        dom::array array;
        if (value.get(array) != simdjson::SUCCESS) {
            return base::Invalid("expected a list", fields.At("values"));
        }
        std::vector<Literal> list;
        for (const dom::element element : array) {
            const std::string at = fields.At("values") + "[" + std::to_string(list.size()) + "]";
            TRY_ASSIGN(Literal literal, ReadLiteral(element, at));
            list.push_back(std::move(literal));
        }
        return list;
    }

    static base::Result<Operator> ReadOperator(Fields& fields) {
        TRY_ASSIGN(const std::string name, fields.Text("op"));
        const auto op = FindOperator(name);
        if (!op) return base::Invalid("this comparison is not known", fields.At("op"));
        return *op;
    }

    static base::Result<Length> ReadSpan(Fields& fields, std::string_view key) {
        TRY_ASSIGN(const std::string text, fields.Text(key));
        auto length = ReadLength(text);
        if (length) return *std::move(length);
        return base::Invalid("expected a length of time such as 7d, from 1s to 100y",
                             fields.At(key));
    }

    static Tree ReadComparison(Fields& fields, std::string_view key, Subject subject) {
        Comparison node;
        node.subject = subject;
        TRY_ASSIGN(node.name, fields.Text(key));
        TRY_ASSIGN(node.op, ReadOperator(fields));
        switch (ShapeOf(node.op)) {
            case Shape::kNone: break;
            case Shape::kSpan: {
                TRY_ASSIGN(const Length length, ReadSpan(fields, "span"));
                node.span_months = length.months;
                node.span_ms = length.months == 0 ? length.ms : 0;
                break;
            }
            case Shape::kMany:
            case Shape::kTwo: {
                TRY_ASSIGN(node.values, ReadList(fields));
                break;
            }
            default: {
                TRY_ASSIGN(const dom::element value, fields.Get("value"));
                TRY_ASSIGN(Literal literal, ReadLiteral(value, fields.At("value")));
                node.values.push_back(std::move(literal));
            }
        }
        return Make(std::move(node));
    }

    base::Result<Events> ReadEvents(Fields& fields, std::string_view key, int depth) {
        Events events;
        TRY_ASSIGN(events.name, fields.Text(key));
        if (const auto where = fields.Find("where")) {
            TRY_ASSIGN(events.where, Node(*where, fields.At("where"), Place::kFilter, depth + 1));
        }
        return events;
    }

    static base::Status ReadWindows(Fields& fields, Events& events) {
        if (fields.Has("within")) {
            TRY_ASSIGN(Length length, ReadSpan(fields, "within"));
            events.within = {length.ms, std::move(length.text)};
        }
        if (const auto since = fields.Find("since_entry")) {
            if (since->get(events.since_entry) != simdjson::SUCCESS) {
                return base::Invalid("expected true or false", fields.At("since_entry"));
            }
        }
        return {};
    }

    static base::Status ReadTimes(Fields& fields, std::string_view key, uint32_t& times) {
        const auto value = fields.Find(key);
        if (!value) return {};
        uint64_t number = 0;
        if (value->get(number) != simdjson::SUCCESS || number > limits::kCountThresholdMax) {
            return base::Invalid("expected a whole number from 0 to " +
                                     std::to_string(limits::kCountThresholdMax),
                                 fields.At(key));
        }
        times = static_cast<uint32_t>(number);
        return {};
    }

    Tree ReadCount(Fields& fields, int depth) {
        Count node;
        TRY_ASSIGN(node.events, ReadEvents(fields, "did", depth));
        TRY(ReadTimes(fields, "at_least", node.at_least));
        TRY(ReadTimes(fields, "at_most", node.at_most));
        TRY(ReadWindows(fields, node.events));
        return Make(std::move(node));
    }

    Tree ReadOccurrence(Fields& fields, std::string_view key, int depth) {
        Occurrence node;
        node.last = key == "last";
        TRY_ASSIGN(node.events, ReadEvents(fields, key, depth));
        TRY_ASSIGN(node.op, ReadOperator(fields));
        if (!IsOccurrenceOperator(node.op)) {
            return base::Invalid("first and last take more_than_ago, within_last, before or after",
                                 fields.At("op"));
        }
        if (ShapeOf(node.op) == Shape::kSpan) {
            TRY_ASSIGN(Length length, ReadSpan(fields, "span"));
            node.span = {length.ms, std::move(length.text)};
            return Make(std::move(node));
        }
        TRY_ASSIGN(node.date_text, fields.Text("date"));
        const auto time = base::ParseIso(node.date_text);
        if (!time) return base::Invalid("expected a date such as 2026-01-05", fields.At("date"));
        node.date_ms = *time;
        return Make(std::move(node));
    }

    Tree ReadAggregate(Fields& fields, AggregateKind kind, int depth) {
        Aggregate node;
        node.kind = kind;
        TRY_ASSIGN(node.property, fields.Text(JsonName(kind)));
        TRY_ASSIGN(node.events, ReadEvents(fields, "of", depth));
        TRY(ReadWindows(fields, node.events));
        TRY_ASSIGN(node.op, ReadOperator(fields));
        if (!IsNumberOperator(node.op)) {
            return base::Invalid("this comparison takes no numbers", fields.At("op"));
        }
        std::vector<Literal> values;
        const bool two = node.op == Operator::kBetween;
        if (two) {
            TRY_ASSIGN(values, ReadList(fields));
        } else {
            TRY_ASSIGN(const dom::element value, fields.Get("value"));
            TRY_ASSIGN(Literal literal, ReadLiteral(value, fields.At("value")));
            values.push_back(std::move(literal));
        }
        const bool numbers = std::all_of(values.begin(), values.end(), [](const Literal& literal) {
            return std::holds_alternative<double>(literal);
        });
        if (!numbers || values.size() != (two ? 2 : 1)) {
            return base::Invalid(two ? "expected two numbers" : "expected a number",
                                 fields.At(two ? "values" : "value"));
        }
        node.low = std::get<double>(values[0]);
        if (two) node.high = std::get<double>(values[1]);
        return Make(std::move(node));
    }

    size_t nodes_ = 0;
};

}  // namespace

std::string ToJson(const Expression& expression) {
    std::string out;
    Writer(out).Node(expression);
    return out;
}

base::Result<ExpressionPtr> FromJson(const simdjson::dom::element& json) {
    TRY_ASSIGN(ExpressionPtr tree, Reader().Node(json, "", Place::kPerson, 1));
    TRY(CheckSize(*tree));
    return tree;
}

base::Result<ExpressionPtr> FromJson(std::string_view json) {
    // Escapes make the JSON of a condition up to six times as long as its text, names of fields up
    // to three times.
    if (json.size() > 8 * limits::kConditionBytesMax) {
        const std::string why = "the condition is too long";
        return base::Fail(base::ErrorCode::kTooLarge, why, why);
    }
    dom::parser parser;
    dom::element root;
    const auto error = parser.parse(json.data(), json.size()).get(root);
    if (error == simdjson::DEPTH_ERROR) {
        const std::string why = "the condition is nested too deeply";
        return base::Fail(base::ErrorCode::kTooLarge, why, why);
    }
    if (error != simdjson::SUCCESS) {
        return base::Invalid(std::string("this is not JSON: ") + simdjson::error_message(error));
    }
    return FromJson(root);
}

}  // namespace condition
