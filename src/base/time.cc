#include "base/time.h"

#include <algorithm>

namespace base {
namespace {

// Civil-from-days and its inverse: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
int64_t DaysFromCivil(int64_t y, int64_t m, int64_t d) {
    y -= m <= 2;
    const int64_t era = (y >= 0 ? y : y - 399) / 400;
    const int64_t yoe = y - era * 400;
    const int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    const int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

struct Civil {
    int64_t year;
    int month;
    int day;
};

Civil CivilFromDays(int64_t z) {
    z += 719468;
    const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    const int64_t doe = z - era * 146097;
    const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    const int64_t mp = (5 * doy + 2) / 153;
    const int d = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
    const int m = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
    return {yoe + era * 400 + (m <= 2), m, d};
}

// Reads exactly `digits` decimal digits at `pos`.
bool Digits(std::string_view text, size_t& pos, int digits, int64_t& value) {
    if (pos + digits > text.size()) return false;
    value = 0;
    for (int i = 0; i < digits; ++i) {
        const char c = text[pos + i];
        if (c < '0' || c > '9') return false;
        value = value * 10 + (c - '0');
    }
    pos += digits;
    return true;
}

bool Accept(std::string_view text, size_t& pos, char c) {
    if (pos < text.size() && text[pos] == c) {
        ++pos;
        return true;
    }
    return false;
}

int64_t DaysInMonth(int64_t y, int64_t m) {
    static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return m == 2 && leap ? 29 : kDays[m - 1];
}

// Zone at `pos`: nothing, Z, +hh, +hhmm, +hh:mm. False when it is something else.
bool Zone(std::string_view text, size_t& pos, int64_t& offset_minutes) {
    offset_minutes = 0;
    if (pos == text.size() || Accept(text, pos, 'Z') || Accept(text, pos, 'z')) return true;
    const bool minus = text[pos] == '-';
    if (!minus && text[pos] != '+') return false;
    ++pos;
    int64_t hours = 0, minutes = 0;
    if (!Digits(text, pos, 2, hours)) return false;
    Accept(text, pos, ':');
    if (pos < text.size() && !Digits(text, pos, 2, minutes)) return false;
    if (hours > 23 || minutes > 59) return false;
    offset_minutes = (hours * 60 + minutes) * (minus ? -1 : 1);
    return true;
}

}  // namespace

std::optional<TimeMs> ParseIso(std::string_view text) {
    size_t pos = 0;
    int64_t year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, zone = 0;
    if (!Digits(text, pos, 4, year) || !Accept(text, pos, '-') || !Digits(text, pos, 2, month) ||
        !Accept(text, pos, '-') || !Digits(text, pos, 2, day)) {
        return std::nullopt;
    }
    if (month < 1 || month > 12 || day < 1 || day > DaysInMonth(year, month)) return std::nullopt;
    if (pos < text.size()) {
        if (!Accept(text, pos, 'T') && !Accept(text, pos, 't') && !Accept(text, pos, ' ')) {
            return std::nullopt;
        }
        if (!Digits(text, pos, 2, hour) || !Accept(text, pos, ':') ||
            !Digits(text, pos, 2, minute)) {
            return std::nullopt;
        }
        if (Accept(text, pos, ':')) {
            if (!Digits(text, pos, 2, second)) return std::nullopt;
            if (Accept(text, pos, '.') || Accept(text, pos, ',')) {
                int64_t scale = 100;
                size_t start = pos;
                while (pos < text.size() && text[pos] >= '0' && text[pos] <= '9') {
                    ms += (text[pos] - '0') * scale;
                    scale /= 10;
                    ++pos;
                }
                if (pos == start) return std::nullopt;
            }
        }
        if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
        if (!Zone(text, pos, zone) || pos != text.size()) return std::nullopt;
    }
    const int64_t days = DaysFromCivil(year, month, day);
    return ((days * 24 + hour) * 60 + minute - zone) * kMinuteMs + second * kSecondMs + ms;
}

int64_t DayOf(TimeMs time) {
    return time >= 0 ? time / kDayMs : -((-time + kDayMs - 1) / kDayMs);
}

int32_t MonthOf(TimeMs time) {
    const Civil c = CivilFromDays(DayOf(time));
    return static_cast<int32_t>(c.year * 100 + c.month);
}

void AppendIso(std::string& out, TimeMs time) {
    const int64_t day = DayOf(time);
    const int64_t in_day = time - day * kDayMs;
    const Civil c = CivilFromDays(day);
    const int64_t year = std::clamp<int64_t>(c.year, 0, 9999);
    char buffer[24];
    const auto put = [&](int at, int digits, int64_t value) {
        for (int i = digits - 1; i >= 0; --i) {
            buffer[at + i] = static_cast<char>('0' + value % 10);
            value /= 10;
        }
    };
    put(0, 4, year);
    buffer[4] = '-';
    put(5, 2, c.month);
    buffer[7] = '-';
    put(8, 2, c.day);
    buffer[10] = 'T';
    put(11, 2, in_day / kHourMs);
    buffer[13] = ':';
    put(14, 2, in_day / kMinuteMs % 60);
    buffer[16] = ':';
    put(17, 2, in_day / kSecondMs % 60);
    buffer[19] = '.';
    put(20, 3, in_day % kSecondMs);
    buffer[23] = 'Z';
    out.append(buffer, 24);
}

std::string FormatIso(TimeMs time) {
    std::string out;
    AppendIso(out, time);
    return out;
}

}  // namespace base
