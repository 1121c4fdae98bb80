// Filters on numbers, dates, and `default`.
#include <algorithm>

#include "language/liquid/date.h"
#include "language/liquid/filters.h"
#include "language/liquid/number.h"

namespace liquid {

namespace {

using Call = FilterCallContext;

constexpr size_t kDateFormatBytesMax = 1024;

Value AbsOf(Call&, const Value& input) {
    return Abs(ToNumber(input));
}

Value AtLeast(Call& call, const Value& input) {
    const Value a = ToNumber(input);
    const Value b = ToNumber(call.Argument(0));
    return CompareNumbers(a, b) < 0 ? b : a;
}

Value AtMost(Call& call, const Value& input) {
    const Value a = ToNumber(input);
    const Value b = ToNumber(call.Argument(0));
    return CompareNumbers(a, b) > 0 ? b : a;
}

Value CeilOf(Call&, const Value& input) {
    return Ceil(ToNumber(input));
}

Value FloorOf(Call&, const Value& input) {
    return Floor(ToNumber(input));
}

Value DividedByOf(Call& call, const Value& input) {
    const auto result = DividedBy(ToNumber(input), ToNumber(call.Argument(0)));
    return result ? *result : call.Fail("divided by zero");
}

Value ModuloOf(Call& call, const Value& input) {
    const auto result = Modulo(ToNumber(input), ToNumber(call.Argument(0)));
    return result ? *result : call.Fail("divided by zero");
}

Value MinusOf(Call& call, const Value& input) {
    return Minus(ToNumber(input), ToNumber(call.Argument(0)));
}

Value PlusOf(Call& call, const Value& input) {
    return Plus(ToNumber(input), ToNumber(call.Argument(0)));
}

Value TimesOf(Call& call, const Value& input) {
    return Times(ToNumber(input), ToNumber(call.Argument(0)));
}

Value RoundOf(Call& call, const Value& input) {
    return Round(ToNumber(input), ToInt(call.Argument(0)));
}

Value DateOf(Call& call, const Value& input) {
    const std::string_view format = call.TextOf(call.Argument(0));
    if (format.empty()) return input;
    if (format.size() > kDateFormatBytesMax) return call.Fail("the format of a date is too long");
    const auto time = ParseDate(input, call.zone(), call.now_ms());
    if (!time) return input;
    const auto text = FormatDate(*time, format, call.zone());
    if (!text) return call.Fail(text.error().public_text);
    return call.NewText(*text);
}

Value Default(Call& call, const Value& input) {
    const bool missing = call.allow_false() ? input.IsNil() : !input.Truthy();
    const bool empty = IsEmpty(input) || input.kind() == Kind::kEmpty;
    return missing || empty ? call.Argument(0) : input;
}

constexpr Filter kFilters[] = {
    {"abs", 0, 0, AbsOf},
    {"at_least", 1, 1, AtLeast},
    {"at_most", 1, 1, AtMost},
    {"ceil", 0, 0, CeilOf},
    {"date", 1, 1, DateOf},
    {"default", 0, 1, Default, true},
    {"divided_by", 1, 1, DividedByOf},
    {"floor", 0, 0, FloorOf},
    {"minus", 1, 1, MinusOf},
    {"modulo", 1, 1, ModuloOf},
    {"plus", 1, 1, PlusOf},
    {"round", 0, 1, RoundOf},
    {"times", 1, 1, TimesOf},
};

}  // namespace

std::span<const Filter> NumberFilters() {
    return kFilters;
}

}  // namespace liquid
