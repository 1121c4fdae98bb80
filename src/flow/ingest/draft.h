// An event while it is being read: what the body says, before times, trust and look-ups.
// Used by the two readers of this directory (segment shape, PostHog shape) and the decoder.
#pragma once

#include <string>
#include <string_view>

#include "flow/ingest/route.h"
#include "flow/ingest/source.h"
#include "model/event.h"
#include "model/json_scan.h"

namespace ingest {

// An event's timestamp as the client wrote it.
struct ClientTime {
    bool given = false;     // There was one, readable or not.
    bool readable = false;
    base::TimeMs ms = 0;
};

struct Draft {
    model::Event event;
    bool type_known = false;
    ClientTime time;
    base::TimeMs sent_at_ms = 0;  // The event's own sentAt; 0: none.
    base::DurationMs age_ms = -1; // PostHog's offset: how long before sending it happened.
    std::string_view ip;          // context.ip; used from secret keys only.
    std::string_view page_url;
    std::string_view page_referrer;
    std::string_view context_traits;
    std::string_view email;       // As written.
    std::string_view context_email;
    std::string_view page_name;   // Of a page or screen call.
    std::string_view page_category;
    bool properties_name = false; // The properties have these already.
    bool properties_category = false;
    std::string_view signature_user;
    std::string_view signature_email;
    CampaignTags tags;
    std::string reason;           // Why it is refused; empty: not (yet).
};

// Texts, objects and times out of a scan, with their reasons for refusal.
class FieldReader {
  public:
    explicit FieldReader(model::JsonScan& scan) : scan_(scan) {}

    // Each passes the current value. False: `reason` says why, or the scan has a fault.
    // A string or number; null and "" are absent. At most limits::kIdBytesMax, no NUL.
    bool Id(std::string_view field, std::string_view& out, std::string& reason);
    // An object of at most limits::kPropertiesMax keys without NUL; null is absent. `email`, when
    // given, gets the text of the key "email".
    bool Object(std::string_view field, std::string_view& raw, std::string& reason,
                std::string_view* email = nullptr);
    // As Object for properties; also notes the keys "name" and "category".
    bool Properties(Draft& draft);
    // A string; anything else is absent.
    bool Text(std::string_view& out);
    // ISO text, or a number of seconds or (from 1e11 on) milliseconds since 1970.
    bool Time(ClientTime& out);

    // Collects fields nobody knows as one object.
    void Begin() { rest_.clear(); }
    bool Rest(std::string_view key);  // Passes the current value and keeps it under `key`.
    std::string_view End();           // The object, or empty when nothing was kept.

  private:
    template <typename F>
    bool Fields(std::string_view field, std::string_view& raw, std::string& reason, F&& each);
    model::JsonScan& scan_;
    std::string rest_;
};

// The context of a call or of a batch: page, campaign, locale ... into the draft. Texts already
// in the draft are overwritten: the batch's context is read first or merged by MergeContext.
bool ReadContext(model::JsonScan& scan, Draft& draft);
// Fills from a batch's context what the event's own context left open.
void MergeContext(Draft& draft, const Draft& batch);

// Standing on an object: one event of the Segment family. False: draft.reason or a scan fault.
bool ReadSegmentEvent(model::JsonScan& scan, Call call, Draft& draft);
// Standing on an object: one event of a PostHog client.
bool ReadPosthogEvent(model::JsonScan& scan, Draft& draft);

}  // namespace ingest
