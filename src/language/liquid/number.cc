#include "language/liquid/number.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "language/liquid/text.h"

namespace liquid {

namespace {

using Wide = __int128;

constexpr int64_t kIntMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kIntMin = std::numeric_limits<int64_t>::min();
// Powers of ten that a Wide can take on top of the 17 digits of a double.
constexpr int kShiftMax = 18;

// digits * 10^exponent.
struct Decimal {
    Wide digits = 0;
    int exponent = 0;
};

double ToDouble(const Value& v) {
    return v.kind() == Kind::kInt ? static_cast<double>(v.int_value()) : v.double_value();
}

Wide PowerOfTen(int n) {
    Wide p = 1;
    for (int i = 0; i < n; ++i) p *= 10;
    return p;
}

std::optional<Decimal> ToDecimal(const Value& v) {
    if (v.kind() == Kind::kInt) return Decimal{v.int_value(), 0};
    if (!std::isfinite(v.double_value())) return std::nullopt;
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, v.double_value(),
                                   std::chars_format::scientific);
    Decimal d;
    bool negative = false;
    bool fraction = false;
    const char* p = buffer;
    for (; p < end.ptr && *p != 'e'; ++p) {
        if (*p == '-') {
            negative = true;
        } else if (*p == '.') {
            fraction = true;
        } else {
            d.digits = d.digits * 10 + (*p - '0');
            if (fraction) --d.exponent;
        }
    }
    int exponent = 0;
    if (p < end.ptr) {
        ++p;
        if (p < end.ptr && *p == '+') ++p;
        std::from_chars(p, end.ptr, exponent);
    }
    d.exponent += exponent;
    if (negative) d.digits = -d.digits;
    return d;
}

Value FromDecimal(const Decimal& d) {
    char buffer[64];
    char* p = buffer + sizeof buffer;
    Wide rest = d.digits < 0 ? -d.digits : d.digits;
    char* const end = p;
    do {
        *--p = static_cast<char>('0' + static_cast<int>(rest % 10));
        rest /= 10;
    } while (rest > 0);
    if (d.digits < 0) *--p = '-';
    std::string text(p, static_cast<size_t>(end - p));
    text += 'e';
    AppendInt(text, d.exponent);
    double result = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), result);
    if (read.ec == std::errc::result_out_of_range) {
        result = d.exponent < 0 ? 0.0 : std::numeric_limits<double>::infinity();
        if (d.digits < 0) result = -result;
    }
    return Value::Double(result);
}

// Brings both to one exponent. False when their sizes are too far apart for exact digits.
bool Align(Decimal& a, Decimal& b) {
    Decimal& high = a.exponent > b.exponent ? a : b;
    const int low = std::min(a.exponent, b.exponent);
    const int shift = high.exponent - low;
    if (shift > kShiftMax) return false;
    high.digits *= PowerOfTen(shift);
    high.exponent = low;
    return true;
}

bool BothInts(const Value& a, const Value& b) {
    return a.kind() == Kind::kInt && b.kind() == Kind::kInt;
}

// A double that is whole: an int where it fits.
Value Whole(double v) {
    if (v >= -9.2e18 && v <= 9.2e18) return Value::Int(static_cast<int64_t>(v));
    return Value::Double(v);
}

}  // namespace

void AppendInt(std::string& out, int64_t value) {
    char buffer[24];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
    out.append(buffer, end.ptr);
}

void AppendDouble(std::string& out, double value) {
    if (std::isnan(value)) {
        out += "NaN";
        return;
    }
    if (std::isinf(value)) {
        out += value < 0 ? "-Infinity" : "Infinity";
        return;
    }
    const double size = std::fabs(value);
    char buffer[48];
    const bool plain = size == 0 || (size >= 1e-4 && size < 1e16);
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value,
                                   plain ? std::chars_format::fixed
                                         : std::chars_format::scientific);
    const std::string_view text(buffer, static_cast<size_t>(end.ptr - buffer));
    if (text.find('.') != std::string_view::npos) {
        out += text;
        return;
    }
    const size_t e = text.find('e');
    out += text.substr(0, e);
    out += ".0";
    if (e != std::string_view::npos) out += text.substr(e);
}

Value ToNumber(const Value& value) {
    if (value.IsNumber()) return value;
    if (!value.IsString()) return Value::Int(0);
    std::string_view text = value.text();
    while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
    size_t i = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    const size_t digits = i;
    while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    if (i == digits) return Value::Int(0);
    size_t whole_end = i;
    if (i + 1 < text.size() && text[i] == '.' && text[i + 1] >= '0' && text[i + 1] <= '9') {
        ++i;
        while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
    }
    const char* const start = text.data() + (text[0] == '+' ? 1 : 0);
    if (i > whole_end) {
        double decimal = 0;
        std::from_chars(start, text.data() + i, decimal, std::chars_format::fixed);
        return Value::Double(decimal);
    }
    int64_t whole = 0;
    const auto read = std::from_chars(start, text.data() + whole_end, whole);
    if (read.ec == std::errc()) return Value::Int(whole);
    double large = 0;
    std::from_chars(start, text.data() + whole_end, large, std::chars_format::fixed);
    return Value::Double(large);
}

std::optional<int64_t> ToWhole(const Value& value) {
    if (value.kind() == Kind::kInt) return value.int_value();
    if (!value.IsString()) return std::nullopt;
    const std::string_view text = value.text();
    int64_t whole = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), whole);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
    return whole;
}

int64_t ToInt(const Value& value) {
    const Value number = ToNumber(value);
    if (number.kind() == Kind::kInt) return number.int_value();
    const double v = number.double_value();
    if (std::isnan(v)) return 0;
    if (v >= 9.2e18) return kIntMax;
    if (v <= -9.2e18) return kIntMin;
    return static_cast<int64_t>(v);
}

int CompareNumbers(const Value& a, const Value& b) {
    if (BothInts(a, b)) {
        return a.int_value() < b.int_value() ? -1 : a.int_value() > b.int_value() ? 1 : 0;
    }
    // 64 bits of mantissa hold every int64 and every double exactly.
    const auto exact = [](const Value& v) {
        return v.kind() == Kind::kInt ? static_cast<long double>(v.int_value())
                                      : static_cast<long double>(v.double_value());
    };
    const long double x = exact(a);
    const long double y = exact(b);
    return x < y ? -1 : x == y ? 0 : 1;
}

Value Plus(const Value& a, const Value& b) {
    if (BothInts(a, b)) {
        int64_t sum = 0;
        if (!__builtin_add_overflow(a.int_value(), b.int_value(), &sum)) return Value::Int(sum);
        return Value::Double(ToDouble(a) + ToDouble(b));
    }
    auto x = ToDecimal(a);
    auto y = ToDecimal(b);
    if (!x || !y || !Align(*x, *y)) return Value::Double(ToDouble(a) + ToDouble(b));
    return FromDecimal({x->digits + y->digits, x->exponent});
}

Value Minus(const Value& a, const Value& b) {
    if (BothInts(a, b)) {
        int64_t difference = 0;
        if (!__builtin_sub_overflow(a.int_value(), b.int_value(), &difference)) {
            return Value::Int(difference);
        }
        return Value::Double(ToDouble(a) - ToDouble(b));
    }
    auto x = ToDecimal(a);
    auto y = ToDecimal(b);
    if (!x || !y || !Align(*x, *y)) return Value::Double(ToDouble(a) - ToDouble(b));
    return FromDecimal({x->digits - y->digits, x->exponent});
}

Value Times(const Value& a, const Value& b) {
    if (BothInts(a, b)) {
        int64_t product = 0;
        if (!__builtin_mul_overflow(a.int_value(), b.int_value(), &product)) {
            return Value::Int(product);
        }
        return Value::Double(ToDouble(a) * ToDouble(b));
    }
    const auto x = ToDecimal(a);
    const auto y = ToDecimal(b);
    if (!x || !y) return Value::Double(ToDouble(a) * ToDouble(b));
    // At most 19 digits each: 38 in all, which a Wide holds.
    return FromDecimal({x->digits * y->digits, x->exponent + y->exponent});
}

std::optional<Value> DividedBy(const Value& a, const Value& b) {
    if (ToDouble(b) == 0) return std::nullopt;
    if (!BothInts(a, b)) return Value::Double(ToDouble(a) / ToDouble(b));
    const int64_t x = a.int_value();
    const int64_t y = b.int_value();
    if (y == -1) return Minus(Value::Int(0), a);
    const int64_t quotient = x / y;
    return Value::Int(x % y != 0 && (x < 0) != (y < 0) ? quotient - 1 : quotient);
}

std::optional<Value> Modulo(const Value& a, const Value& b) {
    if (ToDouble(b) == 0) return std::nullopt;
    if (BothInts(a, b)) {
        const int64_t x = a.int_value();
        const int64_t y = b.int_value();
        if (y == -1) return Value::Int(0);
        const int64_t rest = x % y;
        return Value::Int(rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest);
    }
    auto x = ToDecimal(a);
    auto y = ToDecimal(b);
    if (x && y && Align(*x, *y) && y->digits != 0) {
        const Wide rest = x->digits % y->digits;
        const bool other_side = rest != 0 && (rest < 0) != (y->digits < 0);
        return FromDecimal({other_side ? rest + y->digits : rest, x->exponent});
    }
    const double rest = std::fmod(ToDouble(a), ToDouble(b));
    const bool other_side = rest != 0 && (rest < 0) != (ToDouble(b) < 0);
    return Value::Double(other_side ? rest + ToDouble(b) : rest);
}

Value Abs(const Value& a) {
    if (a.kind() == Kind::kDouble) return Value::Double(std::fabs(a.double_value()));
    return a.int_value() < 0 ? Minus(Value::Int(0), a) : a;
}

Value Round(const Value& a, int64_t digits) {
    const auto exact = ToDecimal(a);
    if (!exact) return a;
    Decimal d = *exact;
    const int64_t keep = std::min<int64_t>(std::max<int64_t>(digits, -400), 400);
    const int64_t drop = -keep - d.exponent;  // Digits to drop from the right.
    if (drop > 0) {
        if (drop > 38) {
            d = Decimal{};
        } else {
            const Wide unit = PowerOfTen(static_cast<int>(drop));
            const Wide half = unit / 2;
            const Wide bumped = (d.digits < 0 ? d.digits - half : d.digits + half) / unit;
            d = Decimal{bumped, static_cast<int>(-keep)};
        }
    }
    if (a.kind() == Kind::kInt && d.exponent == 0) return a;
    const Value rounded = FromDecimal(d);
    return digits > 0 && a.kind() == Kind::kDouble ? rounded : Whole(rounded.double_value());
}

Value Ceil(const Value& a) {
    if (a.kind() == Kind::kInt || !std::isfinite(a.double_value())) return a;
    return Whole(std::ceil(a.double_value()));
}

Value Floor(const Value& a) {
    if (a.kind() == Kind::kInt || !std::isfinite(a.double_value())) return a;
    return Whole(std::floor(a.double_value()));
}

}  // namespace liquid
