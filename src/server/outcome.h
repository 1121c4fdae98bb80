// What an answer of the mail server means for the message: the payload of a kOutcome record.
#pragma once

#include <string>

#include "base/time.h"
#include "flow/delivery/retry_schedule.h"
#include "model/ids.h"
#include "model/outbox.h"
#include "net/smtp/client.h"

namespace server {

struct Outcome {
    enum class State : uint8_t { kSent, kFailed, kAmbiguous, kTemporary };
    State state = State::kFailed;
    std::string text;             // For the person's card.
    base::TimeMs retry_ms = 0;    // kTemporary only.
    bool bounce = false;          // kFailed: the address takes no letters from anybody.
};

// Pure. A letter that did not leave is tried again soon, one refused for now by the schedule; both
// end as failed when the message has grown too old (RetryPolicy::age_max).
Outcome OutcomeOf(const smtp::SendResult& result, const model::OutboxEvent& event,
                  const delivery::RetrySchedule& schedule, base::TimeMs now);

// {"message":[stream,offset,ordinal],"state":...}; docs/formats/records.md.
std::string OutcomePayload(const model::FactKey& message, const Outcome& outcome);

}  // namespace server
