#include "server/outcome.h"

#include <algorithm>
#include <chrono>

#include "base/json.h"

namespace server {

namespace {

constexpr base::DurationMs kNotSentWaitMs = base::kMinuteMs;  // Doubles with each attempt ...
constexpr int kNotSentDoublings = 5;                          // ... up to 32 minutes.
constexpr uint16_t kNoReplyCode = 451;                        // As RetrySchedule counts it.

std::string TextOf(const smtp::SendResult& result) {
    std::string text;
    if (result.code != 0) text = std::to_string(result.code) + " ";
    if (!result.enhanced.empty()) text += result.enhanced + " ";
    return text + result.text;
}

// RFC 3463 3.2: no such mailbox or host, bad syntax, moved, no mail taken at all. The others of
// x.1 speak of the sender or of nothing in particular.
bool IsDeadAddress(const smtp::SendResult& result) {
    for (const char* dead : {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"}) {
        if (result.enhanced == dead) return true;
    }
    return false;
}

std::chrono::sys_seconds Seconds(base::TimeMs time) {
    return std::chrono::sys_seconds(std::chrono::seconds(time / base::kSecondMs));
}

Outcome Later(const smtp::SendResult& result, const model::OutboxEvent& event,
              const delivery::RetrySchedule& schedule, base::TimeMs now) {
    delivery::FailedAttempt failed;
    // How long it waited to be claimed does not make a first attempt late.
    failed.first_attempt_at = Seconds(event.attempt <= 1 ? now : std::min(event.created_ms, now));
    failed.failed_at = Seconds(now);
    failed.attempt_count = std::max<uint32_t>(event.attempt, 1);
    failed.reply_code = result.code >= 400 && result.code < 500 ? result.code : kNoReplyCode;
    const auto next = schedule.NextAttemptAt(failed);
    if (!next) return {Outcome::State::kFailed, "given up: " + TextOf(result)};
    base::TimeMs at =
        std::chrono::duration_cast<std::chrono::milliseconds>(next->time_since_epoch()).count();
    if (result.kind == smtp::ResultKind::kNotSent) {
        const int doublings =
            std::min(static_cast<int>(failed.attempt_count) - 1, kNotSentDoublings);
        at = now + (kNotSentWaitMs << doublings);
    }
    return {Outcome::State::kTemporary, TextOf(result), std::max(at, now + 1)};
}

std::string_view StateName(Outcome::State state) {
    switch (state) {
        case Outcome::State::kSent: return "sent";
        case Outcome::State::kFailed: return "failed";
        case Outcome::State::kAmbiguous: return "ambiguous";
        case Outcome::State::kTemporary: return "temporary";
    }
    return "failed";
}

}  // namespace

Outcome OutcomeOf(const smtp::SendResult& result, const model::OutboxEvent& event,
                  const delivery::RetrySchedule& schedule, base::TimeMs now) {
    switch (result.kind) {
        case smtp::ResultKind::kAccepted: return {Outcome::State::kSent, TextOf(result)};
        case smtp::ResultKind::kAmbiguous: return {Outcome::State::kAmbiguous, TextOf(result)};
        case smtp::ResultKind::kPermanent:
            return {Outcome::State::kFailed, TextOf(result), 0, IsDeadAddress(result)};
        case smtp::ResultKind::kTemporary:
        case smtp::ResultKind::kNotSent: break;
    }
    return Later(result, event, schedule, now);
}

std::string OutcomePayload(const model::FactKey& message, const Outcome& outcome) {
    std::string payload;
    base::JsonWriter w(payload);
    w.Begin('{').Key("message").Begin('[');
    w.Int(message.stream).Int(static_cast<int64_t>(message.offset)).Int(message.ordinal).End(']');
    w.Key("state").String(StateName(outcome.state)).Key("text").String(outcome.text);
    if (outcome.state == Outcome::State::kTemporary) w.Key("retry_ms").Int(outcome.retry_ms);
    if (outcome.bounce) w.Key("bounce").Bool(true);
    w.End('}');
    return payload;
}

}  // namespace server
