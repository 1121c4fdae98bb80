#include "language/liquid/date.h"

#include <date/date.h>
#include <date/tz.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>

#include "language/liquid/number.h"
#include "language/liquid/text.h"

namespace liquid {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};
constexpr size_t kDateBytesMax = 128;   // Longer text is no date.
constexpr size_t kWidthMax = 64;
// Years 0000 to 9999.
constexpr base::TimeMs kTimeMin = -62167219200000;
constexpr base::TimeMs kTimeMax = 253402300799999;

// Throws when the zone is unknown; callers are adapters and catch.
const date::time_zone* Zone(std::string_view name) {
    return date::locate_zone(std::string(name));
}

base::TimeMs FromLocal(base::TimeMs local_ms, std::string_view zone) {
    if (zone.empty()) return local_ms;
    try {
        const date::local_time<milliseconds> local{milliseconds(local_ms)};
        // A time that the clocks skip or repeat: the earlier reading.
        return Zone(zone)->to_sys(local, date::choose::earliest).time_since_epoch().count();
    } catch (const std::exception&) {
        return local_ms;  // FormatDate reports the zone.
    }
}

struct Fields {
    int year = -1;
    int month = -1;
    int day = -1;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int millisecond = 0;
    std::optional<int> offset_minutes;
};

std::optional<base::TimeMs> ToTime(const Fields& f, std::string_view zone) {
    const date::year_month_day day{date::year(f.year), date::month(static_cast<unsigned>(f.month)),
                                   date::day(static_cast<unsigned>(f.day))};
    if (f.year < 0 || f.year > 9999 || f.month > 12 || f.day > 31 || !day.ok()) {
        return std::nullopt;
    }
    if (f.hour > 24 || f.minute > 59 || f.second > 60) return std::nullopt;
    const base::TimeMs local =
        date::sys_days(day).time_since_epoch().count() * base::kDayMs + f.hour * base::kHourMs +
        f.minute * base::kMinuteMs + f.second * base::kSecondMs + f.millisecond;
    if (f.offset_minutes) return local - *f.offset_minutes * base::kMinuteMs;
    return FromLocal(local, zone);
}

// Takes a date in words apart, token by token.
class Reader {
  public:
    explicit Reader(std::string_view text) : text_(text) {}

    std::optional<Fields> Read() {
        while (at_ < text_.size()) {
            const char c = text_[at_];
            const bool ok = Digit(c) ? Number() : Letter(c) ? Word() : Sign(c);
            if (!ok) return std::nullopt;
        }
        if (fields_.month < 0 || fields_.year < 0) return std::nullopt;
        if (fields_.day < 0) fields_.day = 1;  // "March 2016"
        return fields_;
    }

  private:
    static bool Digit(char c) { return c >= '0' && c <= '9'; }
    static bool Letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
    char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    int Digits(size_t& length) {
        const size_t start = at_;
        int value = 0;
        while (Digit(Peek())) {
            if (at_ - start < 9) value = value * 10 + (Peek() - '0');
            ++at_;
        }
        length = at_ - start;
        return value;
    }

    bool Sign(char c) {
        if ((c == '+' || c == '-') && time_read_ && at_ + 1 < text_.size() &&
            Digit(text_[at_ + 1])) {
            return Offset(c == '-' ? -1 : 1);
        }
        if (c != ' ' && c != ',' && c != '.' && c != '\t') return false;
        ++at_;
        return true;
    }

    bool Offset(int sign) {
        ++at_;
        size_t length = 0;
        const int first = Digits(length);
        int total = length >= 3 ? first / 100 * 60 + first % 100 : first * 60;
        if (length <= 2 && Peek() == ':') {
            ++at_;
            total += Digits(length);
        }
        if (total > 24 * 60) return false;
        fields_.offset_minutes = sign * total;
        return true;
    }

    bool Number() {
        size_t length = 0;
        const int value = Digits(length);
        if (Peek() == ':') return Time(value);
        if (Peek() == '-' || Peek() == '/') return Numeric(value, length, Peek());
        if (length == 8 && fields_.year < 0) {  // 20160314
            fields_.year = value / 10000;
            fields_.month = value / 100 % 100;
            fields_.day = value % 100;
            return true;
        }
        if (length > 4) return false;
        if (length >= 3 || fields_.day >= 0) {
            if (fields_.year >= 0) return Hour(value);
            fields_.year = length <= 2 ? (value < 69 ? 2000 : 1900) + value : value;
            return true;
        }
        fields_.day = value;
        return true;
    }

    // 2016-3-14, 2016/3/14, 14/3/2016, 14-Mar-2016
    bool Numeric(int first, size_t first_length, char mark) {
        if (fields_.year >= 0 || fields_.day >= 0) return false;
        ++at_;
        size_t length = 0;
        if (Letter(Peek())) {
            if (!Word()) return false;
        } else {
            fields_.month = Digits(length);
            if (length == 0) return false;
        }
        int last = 1;
        size_t last_length = 0;
        if (Peek() == mark) {
            ++at_;
            last = Digits(last_length);
            if (last_length == 0) return false;
        } else if (first_length < 4) {
            return false;
        }
        const bool year_first = first_length >= 3;
        fields_.year = year_first ? first : last;
        fields_.day = year_first ? last : first;
        if (!year_first && last_length <= 2) fields_.year += last < 69 ? 2000 : 1900;
        return fields_.month >= 1 && fields_.month <= 12;
    }

    bool Time(int hour) {
        if (time_read_) return false;
        time_read_ = true;
        fields_.hour = hour;
        ++at_;
        size_t length = 0;
        fields_.minute = Digits(length);
        if (length == 0) return false;
        if (Peek() != ':') return true;
        ++at_;
        fields_.second = Digits(length);
        if (length == 0) return false;
        if (Peek() != '.' && Peek() != ',') return true;
        if (at_ + 1 >= text_.size() || !Digit(text_[at_ + 1])) return true;
        ++at_;
        const size_t start = at_;
        Digits(length);
        int scale = 100;
        for (size_t i = start; i < at_ && scale > 0; ++i, scale /= 10) {
            fields_.millisecond += (text_[i] - '0') * scale;
        }
        return true;
    }

    // "3 pm": a bare number before am or pm.
    bool Hour(int value) {
        if (time_read_) return false;
        time_read_ = true;
        fields_.hour = value;
        return value <= 24;
    }

    bool Word() {
        const size_t start = at_;
        while (Letter(Peek())) ++at_;
        const std::string word = Downcase(text_.substr(start, at_ - start));
        if (word == "t" || word == "at" || word == "of" || word == "th" || word == "st" ||
            word == "nd" || word == "rd") {
            return true;
        }
        if (word == "z" || word == "utc" || word == "gmt") {
            fields_.offset_minutes = 0;
            return true;
        }
        if (word == "am" || word == "pm") {
            if (!time_read_ || fields_.hour > 12 || fields_.hour < 1) return false;
            fields_.hour = fields_.hour % 12 + (word == "pm" ? 12 : 0);
            return true;
        }
        return Month(word) || Weekday(word);
    }

    static bool Abbreviates(const std::string& word, std::string_view name) {
        return word.size() >= 3 && word.size() <= name.size() &&
               Downcase(name.substr(0, word.size())) == word;
    }

    bool Month(const std::string& word) {
        if (fields_.month >= 0) return false;
        for (size_t i = 0; i < kMonths.size(); ++i) {
            if (!Abbreviates(word, kMonths[i])) continue;
            fields_.month = static_cast<int>(i) + 1;
            return true;
        }
        return false;
    }

    static bool Weekday(const std::string& word) {
        return std::any_of(kDays.begin(), kDays.end(), [&](std::string_view day) {
            return Abbreviates(word, day);
        });
    }

    std::string_view text_;
    size_t at_ = 0;
    bool time_read_ = false;
    Fields fields_;
};

std::optional<base::TimeMs> InRange(base::TimeMs time) {
    if (time < kTimeMin || time > kTimeMax) return std::nullopt;
    return time;
}

// What strftime prints: the local calendar and clock of an instant.
struct Local {
    date::year_month_day day{};
    date::local_days days{};
    int64_t second_of_day = 0;
    int64_t millisecond = 0;
    int64_t offset_seconds = 0;
    std::string zone = "UTC";
    base::TimeMs instant = 0;

    int year() const { return static_cast<int>(day.year()); }
    unsigned month() const { return static_cast<unsigned>(day.month()); }
    unsigned day_of_month() const { return static_cast<unsigned>(day.day()); }
    int64_t hour() const { return second_of_day / 3600; }
    int64_t hour12() const { return hour() % 12 == 0 ? 12 : hour() % 12; }
    unsigned weekday() const { return date::weekday(days).c_encoding(); }
    int64_t day_of_year() const {
        return (days - date::local_days(day.year() / date::January / 1)).count() + 1;
    }
    // ISO 8601 week and the year it belongs to.
    std::pair<int, int64_t> IsoWeek() const {
        const int64_t from_monday = (weekday() + 6) % 7;
        const date::local_days thursday = days + date::days(3 - static_cast<int>(from_monday));
        const date::year_month_day of_thursday(thursday);
        const date::local_days january = date::local_days(of_thursday.year() / date::January / 1);
        return {static_cast<int>(of_thursday.year()), (thursday - january).count() / 7 + 1};
    }
};

Local LocalOf(base::TimeMs time, std::string_view zone) {
    Local local;
    local.instant = time;
    base::TimeMs shown = time;
    if (!zone.empty()) {
        const date::sys_info info =
            Zone(zone)->get_info(date::sys_time<milliseconds>(milliseconds(time)));
        local.offset_seconds = info.offset.count();
        local.zone = info.abbrev;
        shown += local.offset_seconds * base::kSecondMs;
    }
    const auto point = date::local_time<milliseconds>(milliseconds(shown));
    local.days = date::floor<date::days>(point);
    local.day = date::year_month_day(local.days);
    const int64_t rest = (point - local.days).count();
    local.second_of_day = rest / 1000;
    local.millisecond = rest % 1000;
    return local;
}

struct Spec {
    char pad = '\0';  // '-' none, '0', '_' space, '\0' the directive's own.
    bool up = false;
    bool swap = false;
    int colons = 0;
    size_t width = 0;
};

class Printer {
  public:
    explicit Printer(const Local& local) : l_(local) {}

    std::string Print(std::string_view format) {
        for (size_t i = 0; i < format.size();) {
            if (format[i] != '%') {
                out_ += format[i++];
                continue;
            }
            const size_t start = i++;
            Spec spec = ReadSpec(format, i);
            if (i >= format.size() || !Directive(format[i], spec)) {
                out_ += format.substr(start, i - start + (i < format.size() ? 1 : 0));
            }
            ++i;
        }
        return std::move(out_);
    }

  private:
    static Spec ReadSpec(std::string_view format, size_t& i) {
        Spec spec;
        for (; i < format.size(); ++i) {
            const char c = format[i];
            if (c == '-' || c == '_' || c == '0') {
                spec.pad = c;
            } else if (c == '^') {
                spec.up = true;
            } else if (c == '#') {
                spec.swap = true;
            } else if (c == ':') {
                ++spec.colons;
            } else {
                break;
            }
        }
        while (i < format.size() && format[i] >= '0' && format[i] <= '9') {
            spec.width = std::min(spec.width * 10 + static_cast<size_t>(format[i++] - '0'),
                                  kWidthMax);
        }
        return spec;
    }

    void Number(int64_t value, size_t width, char pad, const Spec& spec) {
        std::string digits;
        AppendInt(digits, std::abs(value));
        const char with = spec.pad == '_' ? ' ' : spec.pad == '0' ? '0' : pad;
        const size_t full = spec.width > 0 ? spec.width : width;
        if (value < 0) out_ += '-';
        if (spec.pad != '-' && digits.size() < full) out_.append(full - digits.size(), with);
        out_ += digits;
    }

    void Text(std::string_view text, const Spec& spec) {
        std::string shown(text);
        if (spec.up || spec.swap) shown = Upcase(shown);
        if (shown.size() < spec.width) {
            out_.append(spec.width - shown.size(), spec.pad == '0' ? '0' : ' ');
        }
        out_ += shown;
    }

    void Part(std::string_view format, const Spec& spec) {
        const Local& local = l_;
        Text(Printer(local).Print(format), spec);
    }

    void Offset(const Spec& spec) {
        const int64_t size = std::abs(l_.offset_seconds);
        out_ += l_.offset_seconds < 0 ? '-' : '+';
        const Spec two;
        Number(size / 3600, 2, '0', two);
        if (spec.colons > 0) out_ += ':';
        Number(size / 60 % 60, 2, '0', two);
        if (spec.colons > 1) {
            out_ += ':';
            Number(size % 60, 2, '0', two);
        }
    }

    void Fraction(const Spec& spec, size_t own_width) {
        std::string digits;
        AppendInt(digits, 1000 + l_.millisecond);
        digits.erase(0, 1);
        digits.resize(spec.width > 0 ? spec.width : own_width, '0');
        out_ += digits;
    }

    // False: not a directive.
    bool Directive(char c, const Spec& spec) {
        return Calendar(c, spec) || Clock(c, spec) || Whole(c, spec);
    }

    bool Calendar(char c, const Spec& spec) {
        const int64_t weekday = l_.weekday();
        switch (c) {
            case 'Y': Number(l_.year(), 4, '0', spec); return true;
            case 'C': Number(l_.year() / 100, 2, '0', spec); return true;
            case 'y': Number(l_.year() % 100, 2, '0', spec); return true;
            case 'm': Number(l_.month(), 2, '0', spec); return true;
            case 'B': Text(kMonths[l_.month() - 1], spec); return true;
            case 'b':
            case 'h': Text(kMonths[l_.month() - 1].substr(0, 3), spec); return true;
            case 'd': Number(l_.day_of_month(), 2, '0', spec); return true;
            case 'e': Number(l_.day_of_month(), 2, ' ', spec); return true;
            case 'j': Number(l_.day_of_year(), 3, '0', spec); return true;
            case 'A': Text(kDays[l_.weekday()], spec); return true;
            case 'a': Text(kDays[l_.weekday()].substr(0, 3), spec); return true;
            case 'u': Number(weekday == 0 ? 7 : weekday, 1, '0', spec); return true;
            case 'w': Number(weekday, 1, '0', spec); return true;
            case 'G': Number(l_.IsoWeek().first, 4, '0', spec); return true;
            case 'g': Number(l_.IsoWeek().first % 100, 2, '0', spec); return true;
            case 'V': Number(l_.IsoWeek().second, 2, '0', spec); return true;
            case 'U': Number((l_.day_of_year() + 6 - weekday) / 7, 2, '0', spec); return true;
            case 'W':
                Number((l_.day_of_year() + 6 - (weekday + 6) % 7) / 7, 2, '0', spec);
                return true;
            default: return false;
        }
    }

    bool Clock(char c, const Spec& spec) {
        switch (c) {
            case 'H': Number(l_.hour(), 2, '0', spec); return true;
            case 'k': Number(l_.hour(), 2, ' ', spec); return true;
            case 'I': Number(l_.hour12(), 2, '0', spec); return true;
            case 'l': Number(l_.hour12(), 2, ' ', spec); return true;
            case 'M': Number(l_.second_of_day / 60 % 60, 2, '0', spec); return true;
            case 'S': Number(l_.second_of_day % 60, 2, '0', spec); return true;
            case 'L': Fraction(spec, 3); return true;
            case 'N': Fraction(spec, 9); return true;
            case 'p':
                Text(l_.hour() < 12 ? (spec.swap ? "am" : "AM") : (spec.swap ? "pm" : "PM"),
                     Spec{spec.pad, spec.up, false, 0, spec.width});
                return true;
            case 'P': Text(l_.hour() < 12 ? "am" : "pm", spec); return true;
            case 'z': Offset(spec); return true;
            case 'Z': Text(l_.zone, spec); return true;
            case 's':
                Number(l_.instant >= 0 ? l_.instant / 1000 : -((999 - l_.instant) / 1000), 1, '0',
                       spec);
                return true;
            case 'Q': Number(l_.instant, 1, '0', spec); return true;
            default: return false;
        }
    }

    bool Whole(char c, const Spec& spec) {
        switch (c) {
            case 'n': out_ += '\n'; return true;
            case 't': out_ += '\t'; return true;
            case '%': out_ += '%'; return true;
            case 'c': Part("%a %b %e %H:%M:%S %Y", spec); return true;
            case 'D':
            case 'x': Part("%m/%d/%y", spec); return true;
            case 'F': Part("%Y-%m-%d", spec); return true;
            case 'T':
            case 'X': Part("%H:%M:%S", spec); return true;
            case 'R': Part("%H:%M", spec); return true;
            case 'r': Part("%I:%M:%S %p", spec); return true;
            case 'v': Part("%e-%^b-%Y", spec); return true;
            case '+': Part("%a %b %e %H:%M:%S %Z %Y", spec); return true;
            default: return false;
        }
    }

    const Local& l_;
    std::string out_;
};

}  // namespace

bool KnownZone(std::string_view name) {
    if (name.empty()) return true;
    try {
        return Zone(name) != nullptr;
    } catch (const std::exception&) {
        return false;
    }
}

std::optional<base::TimeMs> ParseDate(const Value& value, std::string_view zone,
                                      base::TimeMs now_ms) {
    if (value.IsNumber()) {
        const int64_t at = ToInt(value);
        if (std::abs(at / 2) > kTimeMax / base::kSecondMs) return std::nullopt;
        return InRange(at * base::kSecondMs);
    }
    if (!value.IsString() || value.text().size() > kDateBytesMax) return std::nullopt;
    const std::string_view text = Stripped(value.text());
    const std::string lower = Downcase(text);
    if (lower == "now" || lower == "today") return now_ms;
    const bool digits = std::all_of(text.begin(), text.end(),
                                    [](char c) { return c >= '0' && c <= '9'; });
    if (digits && !text.empty() && text.size() != 8) {
        int64_t at = 0;
        const auto read = std::from_chars(text.data(), text.data() + text.size(), at);
        if (read.ec != std::errc() || at > kTimeMax / base::kSecondMs) return std::nullopt;
        return at * base::kSecondMs;
    }
    const auto fields = Reader(text).Read();
    return fields ? ToTime(*fields, zone) : std::nullopt;
}

base::Result<std::string> FormatDate(base::TimeMs time, std::string_view format,
                                     std::string_view zone) {
    const base::TimeMs shown = std::clamp(time, kTimeMin, kTimeMax);
    try {
        const Local local = LocalOf(shown, zone);
        return Printer(local).Print(format);
    } catch (const std::exception& e) {
        return base::Invalid("unknown time zone \"" + std::string(zone) + "\"");
    }
}

}  // namespace liquid
